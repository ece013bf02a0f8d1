//! The README's two commands.

use toml::Table;

use super::{Finding, Project};

/// What a newcomer is told to type.
const COMMANDS: &[&str] = &["cargo run --release -- demo", "cargo xtask test"];

/// The README has both commands, and cargo understands them.
pub(super) fn check(project: &Project) -> Vec<Finding> {
    let readme = project.tree.text("README.md").unwrap_or_default();
    let mut findings: Vec<Finding> = COMMANDS
        .iter()
        .filter(|command| !readme.contains(*command))
        .map(|command| Finding::new("README.md", 0, format!("must show `{command}`")))
        .collect();
    let programs: Vec<&str> = default_programs(project);
    if programs.len() != 1 {
        let message = format!(
            "`cargo run` finds {} programs ({}): set `default-members` to the one crate to run",
            programs.len(),
            programs.join(", ")
        );
        findings.push(Finding::new("Cargo.toml", 0, message));
    }
    if !has_alias(project) {
        let message = "must have the alias `xtask` that runs the package xtask";
        findings.push(Finding::new(".cargo/config.toml", 0, message));
    }
    let ci = project.tree.text(".ci/run").unwrap_or_default();
    if !ci.contains(COMMANDS[1]) {
        let message = format!("must run `{}`", COMMANDS[1]);
        findings.push(Finding::new(".ci/run", 0, message));
    }
    findings
}

/// The programs that `cargo run` could mean.
fn default_programs(project: &Project) -> Vec<&str> {
    project
        .metadata
        .default_members()
        .flat_map(|package| match &package.default_run {
            Some(program) => vec![program.as_str()],
            None => package.targets_of_kind("bin").collect(),
        })
        .collect()
}

fn has_alias(project: &Project) -> bool {
    project
        .tree
        .text(".cargo/config.toml")
        .and_then(|text| text.parse::<Table>().ok())
        .and_then(|config| {
            let alias = config.get("alias")?.get("xtask")?.as_str()?;
            Some(alias.starts_with("run ") && alias.contains("--package xtask"))
        })
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metadata::{
            Package,
            synthetic::{package, target},
        },
        rules::synthetic::project,
    };

    const FILES: &[(&str, &str)] = &[
        (".cargo/config.toml", "[alias]\nxtask = 'run --package xtask --'"),
        (".ci/run", "exec cargo xtask test"),
        ("README.md", "cargo run --release -- demo\ncargo xtask test\n"),
    ];

    fn program(name: &str) -> Package {
        Package { targets: vec![target(name, "bin")], ..package(name, &[]) }
    }

    #[test]
    fn accepts_commands_that_exist() {
        let good = project(FILES, vec![program("specie-cli"), package("specie-core", &[])]);
        assert_eq!(check(&good), []);
    }

    #[test]
    fn rejects_each_missing_file() {
        for (missing, expected) in [(0, 1), (1, 1), (2, 2)] {
            let mut files = FILES.to_vec();
            files.remove(missing);
            let bad = project(&files, vec![program("specie-cli")]);
            assert_eq!(check(&bad).len(), expected, "without {}", FILES[missing].0);
        }
    }

    #[test]
    fn rejects_a_run_that_is_none_or_two_programs() {
        let two = project(FILES, vec![program("specie-cli"), program("xtask")]);
        assert_eq!(check(&two).len(), 1);
        assert_eq!(check(&project(FILES, Vec::new())).len(), 1);
    }
}
