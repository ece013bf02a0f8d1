//! What comes from outside: under which licence, from where, in how many versions.
//!
//! `deny.toml` states it once. cargo-deny reads all of it where it is installed; the parts that
//! must never be skipped are checked here from cargo's own metadata.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::{
    command::{cargo, cargo_program, run as run_command, succeeds},
    metadata::{Metadata, Package},
};

/// The parts of `deny.toml` that are checked here; cargo-deny knows the others.
#[derive(Deserialize)]
struct Policy {
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    /// SPDX names, with their exception if they have one.
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default, rename = "deny-multiple-versions")]
    only_one_version: bool,
}

/// Checks all dependencies against `deny.toml`.
///
/// # Errors
/// Says how many packages are refused, that the policy cannot be read, or that cargo-deny failed.
pub(crate) fn run() -> Result<()> {
    let metadata = Metadata::of_everything()?;
    let path = metadata.workspace_root.join("deny.toml");
    let text = fs::read_to_string(path).context("deny.toml could not be read")?;
    let policy: Policy = toml::from_str(&text).context("deny.toml is not understood")?;
    let allowed = policy.allowed_licences()?;
    let mut refused = policy.bans.check(&metadata);
    refused.extend(check_sources(&metadata));
    refused.extend(metadata.packages.iter().filter_map(|package| check_licence(package, &allowed)));
    for line in &refused {
        println!("  {line}");
    }
    if !refused.is_empty() {
        bail!("{} packages or rules of deny.toml are broken", refused.len());
    }
    println!("{} packages under allowed licences, from one registry", metadata.packages.len());
    if !succeeds(cargo_program(), &["deny", "--version"]) {
        println!("cargo-deny is not installed: the rest of deny.toml is not checked");
        return Ok(());
    }
    // Advisories need a database from outside and are no part of the test.
    let checks = ["--offline", "check", "bans", "licenses", "sources"];
    run_command(cargo(&["deny", "--locked"]).args(checks))
}

impl Policy {
    fn allowed_licences(&self) -> Result<Vec<LicenseReq>> {
        let mut allowed = Vec::new();
        for name in &self.licenses.allow {
            let expression = Expression::parse(name)
                .map_err(|error| anyhow::anyhow!("deny.toml allows `{name}`: {}", error.reason))?;
            allowed.extend(expression.requirements().map(|one| one.req.clone()));
        }
        Ok(allowed)
    }
}

impl Bans {
    /// What is there and must not be, or is there more than once.
    fn check(&self, metadata: &Metadata) -> Vec<String> {
        let mut refused = Vec::new();
        for ban in &self.deny {
            let versions: BTreeSet<&str> = metadata
                .packages
                .iter()
                .filter(|package| package.name == ban.name)
                .map(|package| package.version.as_str())
                .collect();
            if versions.len() > usize::from(ban.only_one_version) {
                let list: Vec<&str> = versions.into_iter().collect();
                refused.push(format!("{} {}: refused by deny.toml", ban.name, list.join(" and ")));
            }
        }
        refused
    }
}

/// Packages from elsewhere than the one registry.
fn check_sources(metadata: &Metadata) -> Vec<String> {
    let sources = || metadata.packages.iter().filter_map(|package| package.source.as_deref());
    let registry = sources().find(|source| source.starts_with("registry+"));
    metadata
        .packages
        .iter()
        .filter(|package| package.source.is_some() && package.source.as_deref() != registry)
        .map(|package| {
            let source = package.source.as_deref().unwrap_or_default();
            format!("{} {}: comes from {source}", package.name, package.version)
        })
        .collect()
}

/// Why the package's licence does not do, if so.
fn check_licence(package: &Package, allowed: &[LicenseReq]) -> Option<String> {
    let who = format!("{} {}", package.name, package.version);
    let Some(licence) = &package.license else {
        return Some(format!("{who}: names no licence"));
    };
    let expression = match Expression::parse_mode(licence, ParseMode::LAX) {
        Ok(expression) => expression,
        Err(error) => {
            return Some(format!("{who}: `{licence}` is no licence: {}", error.reason));
        }
    };
    let is_allowed = expression.evaluate(|required| allowed.contains(required));
    (!is_allowed).then(|| format!("{who}: `{licence}` is not among the licences of deny.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::synthetic::{external, package, workspace};

    fn policy() -> Policy {
        toml::from_str(
            "[licenses]\nallow = ['MIT', 'Apache-2.0 WITH LLVM-exception']\n[bans]\ndeny = [\
             { crate = 'curve25519-dalek', deny-multiple-versions = true }, { crate = 'openssl' }]",
        )
        .unwrap()
    }

    fn licence_is_allowed(licence: Option<&str>) -> bool {
        let allowed = policy().allowed_licences().unwrap();
        check_licence(&external("a", "1.0.0", licence), &allowed).is_none()
    }

    #[test]
    fn accepts_allowed_licences_in_every_spelling() {
        for licence in ["MIT", "Unlicense/MIT", "(MIT OR GPL-3.0-only)", "Apache-2.0 WITH LLVM-exception"] {
            assert!(licence_is_allowed(Some(licence)), "{licence}");
        }
    }

    #[test]
    fn rejects_other_licences() {
        for licence in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "Apache-2.0", "my own"] {
            assert!(!licence_is_allowed(Some(licence)), "{licence}");
        }
        assert!(!licence_is_allowed(None));
    }

    #[test]
    fn rejects_two_versions_of_the_curve_and_any_of_a_banned_crate() {
        let curve = |version| external("curve25519-dalek", version, None);
        let one = workspace(vec![curve("5.0.0")]);
        assert!(policy().bans.check(&one).is_empty());
        let two = workspace(vec![curve("5.0.0"), curve("4.1.3")]);
        assert_eq!(policy().bans.check(&two).len(), 1);
        let banned = workspace(vec![external("openssl", "1.0.0", None)]);
        assert_eq!(policy().bans.check(&banned).len(), 1);
    }

    #[test]
    fn rejects_sources_other_than_one_registry() {
        let from = |source: &str| Package { source: Some(source.into()), ..external("b", "1.0.0", None) };
        let own = || vec![package("specie-core", &[]), external("a", "1.0.0", None)];
        assert!(check_sources(&workspace(own())).is_empty());
        for source in ["git+https://git.example/b", "registry+https://other.example/index"] {
            let mut packages = own();
            packages.push(from(source));
            assert_eq!(check_sources(&workspace(packages)).len(), 1, "{source}");
        }
        let only_git = workspace(vec![from("git+https://git.example/b")]);
        assert_eq!(check_sources(&only_git).len(), 1);
    }
}
