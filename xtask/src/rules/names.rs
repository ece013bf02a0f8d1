//! Modules have the name of what they hold.

use super::{Finding, Project};
use crate::source::Source;

/// Names that hold anything.
const NAMELESS: &[&str] = &["common", "util", "utils", "helper", "helpers", "misc", "stuff"];

/// No file, directory, crate or inline module has one of [`NAMELESS`]; no `mod.rs` hides a name.
pub(super) fn check(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in project.tree.paths().filter(|path| path.ends_with(".rs")) {
        let parts = path.strip_suffix(".rs").unwrap_or(path).split('/');
        for part in parts.filter(|part| NAMELESS.contains(part)) {
            findings.push(Finding::new(path, 0, advice(part)));
        }
        if path.ends_with("/mod.rs") && path.contains("/src/") {
            let message = "name the file after the module, beside its directory";
            findings.push(Finding::new(path, 0, message));
        }
    }
    findings.extend(project.tree.sources().flat_map(inline_modules));
    findings
}

fn inline_modules(source: &Source) -> impl Iterator<Item = Finding> {
    source.tokens().windows(3).filter_map(|tokens| {
        let name = NAMELESS.iter().find(|name| tokens[1].is(name))?;
        let is_module = tokens[0].is("mod") && tokens[2].is_mark('{');
        is_module.then(|| Finding::new(source.path(), tokens[1].line, advice(name)))
    })
}

fn advice(name: &str) -> String {
    format!("`{name}` says nothing: name it by the concept it holds")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::synthetic::{files, places};

    #[test]
    fn rejects_names_that_say_nothing() {
        let project = files(&[
            ("crates/a/src/lib.rs", "mod good {}\nmod utils {}"),
            ("crates/a/src/ledger/mod.rs", ""),
            ("crates/a/tests/common/mod.rs", ""),
            ("crates/common/src/lib.rs", ""),
            ("crates/a/src/helpers.rs", ""),
        ]);
        assert_eq!(
            places(&check(&project)),
            [
                ("crates/a/src/helpers.rs", 0),
                ("crates/a/src/ledger/mod.rs", 0),
                ("crates/a/tests/common/mod.rs", 0),
                ("crates/common/src/lib.rs", 0),
                ("crates/a/src/lib.rs", 2),
            ]
        );
    }

    #[test]
    fn accepts_a_word_that_only_contains_one() {
        let project = files(&[("crates/a/src/utility_meter.rs", "fn common() {}")]);
        assert_eq!(check(&project), []);
    }
}
