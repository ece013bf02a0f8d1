//! Which crate may know which.

use super::{Finding, Project};
use crate::metadata::Metadata;

/// Each crate with the crates of this workspace it may depend on. Tests may depend on more.
const ARROWS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("element", &["core"]),
    ("wallet", &["core", "element"]),
    ("audit", &["core"]),
    ("bank", &["core", "audit"]),
    ("aml", &["core"]),
    ("psp", &["core", "aml", "audit", "identity", "totals"]),
    ("store", &["core", "aml", "audit", "bank", "psp", "totals"]),
    ("api", &["core"]),
    ("signer", &["core", "audit", "bank", "store"]),
    ("server", &["core", "identity", "aml", "api", "audit", "bank", "psp", "signer", "store", "totals"]),
    ("device", &["core", "element", "wallet", "embedded", "api", "totals"]),
    ("embedded", &["core", "element", "wallet", "api"]),
    ("supervision", &["core"]),
    ("totals", &["core"]),
    ("identity", &["core"]),
    ("emulation", &["element"]),
    ("testbed", &["store"]),
    ("sim", &["core", "element", "wallet", "bank", "aml", "psp", "store", "api", "server", "device"]),
    (
        "cli",
        &[
            "core",
            "element",
            "wallet",
            "aml",
            "api",
            "audit",
            "device",
            "server",
            "signer",
            "sim",
            "supervision",
            "totals",
        ],
    ),
];

/// What the protocol may be built from: arithmetic, hashing, signatures, encoding, errors.
const CORE_DEPENDENCIES: &[&str] =
    &["curve25519-dalek", "ed25519-dalek", "minicbor", "sha2", "subtle", "thiserror", "zeroize"];

/// Dependencies between the project's crates run along [`ARROWS`] and never in a circle.
pub(super) fn check_arrows(project: &Project) -> Vec<Finding> {
    let metadata = &project.metadata;
    let mut findings = Vec::new();
    for package in metadata.members() {
        let manifest = manifest_of(&package.name);
        let name = short(&package.name);
        let own = package.built_dependencies().filter(|dependency| metadata.member(dependency).is_some());
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
            if package.name == "xtask" {
                findings.extend(own.map(|dependency| {
                    let message = format!("xtask checks {dependency} and must not need it to build");
                    Finding::new(&manifest, 0, message)
                }));
            } else {
                let message = "this crate has no place in the architecture; give it its arrows \
                               in ARCHITECTURE.md and in xtask";
                findings.push(Finding::new(&manifest, 0, message));
            }
            continue;
        };
        for dependency in own.filter(|dependency| !allowed.contains(&short(dependency))) {
            let message = format!("{name} must not know {}", short(dependency));
            findings.push(Finding::new(&manifest, 0, message));
        }
    }
    findings.extend(cycle(metadata).map(|path| {
        let message = format!("a circle of dependencies: {}", path.join(" -> "));
        Finding::new("Cargo.toml", 0, message)
    }));
    findings
}

/// Core is built from [`CORE_DEPENDENCIES`] only.
pub(super) fn check_core(project: &Project) -> Vec<Finding> {
    let Some(core) = project.metadata.member("specie-core") else {
        return vec![Finding::new("Cargo.toml", 0, "there is no specie-core")];
    };
    core.built_dependencies()
        .filter(|dependency| !CORE_DEPENDENCIES.contains(dependency))
        .map(|dependency| {
            let message = format!("core must not depend on {dependency}: every wallet, element and bank trusts it");
            Finding::new(&manifest_of(&core.name), 0, message)
        })
        .collect()
}

/// A circle among the project's crates, as the names along it.
fn cycle(metadata: &Metadata) -> Option<Vec<&str>> {
    let mut done = Vec::new();
    metadata.members().find_map(|package| cycle_from(metadata, &package.name, &mut Vec::new(), &mut done))
}

fn cycle_from<'a>(
    metadata: &'a Metadata,
    name: &'a str,
    path: &mut Vec<&'a str>,
    done: &mut Vec<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(start) = path.iter().position(|&visited| visited == name) {
        let mut circle = path[start..].to_vec();
        circle.push(name);
        return Some(circle);
    }
    if done.contains(&name) {
        return None;
    }
    path.push(name);
    let found = metadata.member(name).and_then(|package| {
        package.built_dependencies().find_map(|dependency| cycle_from(metadata, dependency, path, done))
    });
    path.pop();
    done.push(name);
    found
}

fn short(package: &str) -> &str {
    package.strip_prefix("specie-").unwrap_or(package)
}

fn manifest_of(package: &str) -> String {
    match package.strip_prefix("specie-") {
        Some(name) => format!("crates/{name}/Cargo.toml"),
        None => format!("{package}/Cargo.toml"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metadata::synthetic::{external, package},
        rules::synthetic::packages,
    };

    #[test]
    fn accepts_the_arrows_themselves() {
        let crates = ARROWS.iter().map(|(name, to)| {
            let to: Vec<String> = to.iter().map(|name| format!("specie-{name}")).collect();
            let to: Vec<&str> = to.iter().map(String::as_str).collect();
            package(&format!("specie-{name}"), &to)
        });
        let mut crates: Vec<_> = crates.collect();
        crates.push(package("xtask", &["anyhow"]));
        assert_eq!(check_arrows(&packages(crates)), []);
    }

    #[test]
    fn rejects_an_arrow_against_the_architecture() {
        for (from, to) in [
            ("specie-core", "specie-bank"),
            ("specie-psp", "specie-bank"),
            ("specie-device", "specie-store"),
            ("xtask", "specie-core"),
        ] {
            let project = packages(vec![package(from, &[to]), package(to, &[])]);
            assert_eq!(check_arrows(&project).len(), 1, "{from} -> {to}");
        }
    }

    #[test]
    fn rejects_a_crate_without_a_place() {
        let project = packages(vec![package("specie-extra", &[])]);
        assert_eq!(check_arrows(&project).len(), 1);
    }

    #[test]
    fn rejects_a_circle() {
        let project = packages(vec![
            package("specie-element", &["specie-core"]),
            package("specie-core", &["specie-bank"]),
            package("specie-bank", &["specie-core"]),
        ]);
        let messages: Vec<String> = check_arrows(&project).iter().map(ToString::to_string).collect();
        let circle = "circle of dependencies: specie-core -> specie-bank -> specie-core";
        assert!(messages.iter().any(|message| message.contains(circle)));
    }

    #[test]
    fn rejects_a_core_that_grows() {
        let grown = packages(vec![package("specie-core", &["sha2", "rand"]), external("rand", "1.0.0", None)]);
        assert_eq!(check_core(&grown).len(), 1);
        assert_eq!(check_core(&packages(Vec::new())).len(), 1);
        let lean = packages(vec![package("specie-core", &["sha2"])]);
        assert_eq!(check_core(&lean), []);
    }
}
