//! The architecture rules: what keeps each room of the house to its own work.
//!
//! A rule looks at the files or at the manifests and returns what breaks it. Each has a test that
//! breaks it on a made-up tree.

mod arrows;
mod authority;
mod links;
mod manifests;
mod names;
mod places;
mod readme;
mod size;
mod sql;
mod unfinished;

use std::fmt;

use anyhow::{Result, bail};

use crate::{metadata::Metadata, tree::Tree};

/// What the rules look at.
pub(crate) struct Project {
    tree: Tree,
    metadata: Metadata,
}

/// One place that breaks a rule, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    /// From 1; 0 speaks of the whole file.
    line: usize,
    message: String,
}

/// A rule and its check.
struct Rule {
    /// What holds when the check finds nothing.
    promise: &'static str,
    check: fn(&Project) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule { promise: "crates depend on each other only along the arrows, without cycles", check: arrows::check_arrows },
    Rule { promise: "core depends on nothing but its short list", check: arrows::check_core },
    Rule {
        promise: "every crate takes lints, licence, edition and version from the workspace",
        check: manifests::check_inheritance,
    },
    Rule { promise: "unsafe code is forbidden in every crate of the main workspace", check: manifests::check_unsafe },
    Rule { promise: "SQL is spoken only in crates/store", check: sql::check },
    Rule { promise: "sockets, async runtime, clock and OS randomness stay at the edges", check: authority::check },
    Rule { promise: "no file is longer than 800 lines", check: size::check },
    Rule { promise: "nothing is left unfinished", check: unfinished::check },
    Rule { promise: "every module is named by what it holds", check: names::check },
    Rule { promise: "no path of one machine is written down", check: places::check },
    Rule { promise: "links between documents lead somewhere", check: links::check },
    Rule { promise: "the two commands of the README exist", check: readme::check },
];

/// Checks every rule and prints what each found.
///
/// # Errors
/// Says how many places break a rule, or that the project could not be read.
pub(crate) fn run() -> Result<()> {
    let metadata = Metadata::of_workspace()?;
    let tree = Tree::read(&metadata.workspace_root)?;
    let project = Project { tree, metadata };
    let mut broken = 0;
    for (path, reason) in project.tree.unreadable() {
        println!("  {path}: is no Rust: {reason}");
        broken += 1;
    }
    for rule in RULES {
        let findings = (rule.check)(&project);
        println!("{} {}", if findings.is_empty() { "ok    " } else { "BROKEN" }, rule.promise);
        for finding in &findings {
            println!("  {finding}");
        }
        broken += findings.len();
    }
    if broken > 0 {
        bail!("{broken} places break an architecture rule");
    }
    Ok(())
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// Name of the crate directory a path lies in: `store` for `crates/store/src/lib.rs`.
fn crate_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.split('/').next()
}

#[cfg(test)]
mod synthetic {
    //! Projects made up for the tests of the rules.

    use super::*;
    use crate::{
        metadata::{Package, synthetic::workspace},
        tree::synthetic::tree,
    };

    /// A project of these files and no crates.
    pub(super) fn files(files: &[(&str, &str)]) -> Project {
        project(files, Vec::new())
    }

    /// A project of these crates and no files.
    pub(super) fn packages(packages: Vec<Package>) -> Project {
        project(&[], packages)
    }

    /// A project of these files and crates.
    pub(super) fn project(files: &[(&str, &str)], packages: Vec<Package>) -> Project {
        Project { tree: tree(files), metadata: workspace(packages) }
    }

    /// Where the findings are.
    pub(super) fn places(findings: &[Finding]) -> Vec<(&str, usize)> {
        findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect()
    }

    #[test]
    fn findings_are_printed_the_way_editors_read_them() {
        assert_eq!(Finding::new("a.rs", 3, "no").to_string(), "a.rs:3: no");
        assert_eq!(Finding::new("a.rs", 0, "no").to_string(), "a.rs: no");
    }

    #[test]
    fn a_path_knows_its_crate() {
        assert_eq!(crate_of("crates/store/src/lib.rs"), Some("store"));
        assert_eq!(crate_of("xtask/src/main.rs"), None);
    }
}
