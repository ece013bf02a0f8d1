//! SQL stays in the one crate that speaks it.

use super::{Finding, Project, crate_of};
use crate::source::Kind;

/// Words that only a statement has, all of one row in the same string.
const STATEMENTS: &[&[&str]] = &[
    &["SELECT ", " FROM "],
    &["SELECT ", "COUNT("],
    &["INSERT ", "INTO "],
    &["UPDATE ", " SET "],
    &["DELETE ", "FROM "],
    &["CREATE ", "TABLE "],
    &["CREATE ", "INDEX "],
    &["PRAGMA "],
];

/// The storage, and what starts databases for its tests.
const SPEAKERS: &[&str] = &["store", "testbed"];

/// No statement, no SQL file and no database driver outside `crates/store`.
pub(super) fn check(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in project.tree.paths().filter(|path| path.ends_with(".sql")) {
        if crate_of(path) != Some("store") {
            findings.push(Finding::new(path, 0, "move this SQL to crates/store"));
        }
    }
    let sources = project.tree.sources();
    for source in sources.filter(|source| crate_of(source.path()).is_some_and(|name| !SPEAKERS.contains(&name))) {
        for token in source.tokens() {
            let message = match &token.kind {
                Kind::Identifier(word) if ["rusqlite", "postgres", "tokio_postgres"].contains(&word.as_str()) => {
                    "only crates/store may use the database driver"
                }
                Kind::Literal(text) if is_statement(text) => "move this SQL to crates/store",
                _ => continue,
            };
            findings.push(Finding::new(source.path(), token.line, message));
        }
    }
    findings
}

/// Upper case as a statement is written; prose and the card command SELECT are none.
fn is_statement(text: &str) -> bool {
    STATEMENTS.iter().any(|words| words.iter().all(|word| text.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::synthetic::{files, places};

    #[test]
    fn rejects_statements_and_driver_outside_the_store() {
        let text = "use rusqlite::Connection;\nconst Q: &str = \"SELECT a FROM b\";\n\
                    const R: &str = r#\"INSERT OR IGNORE INTO t VALUES (1)\"#;";
        let project = files(&[
            ("crates/bank/src/ledger.rs", text),
            ("crates/psp/schema.sql", ""),
            ("crates/store/src/ledger.rs", text),
            ("crates/store/migrations/1.sql", ""),
        ]);
        let bank = "crates/bank/src/ledger.rs";
        assert_eq!(places(&check(&project)), [("crates/psp/schema.sql", 0), (bank, 1), (bank, 2), (bank, 3)]);
    }

    #[test]
    fn accepts_the_card_command_and_prose() {
        let text = "/// SELECT a FROM b\nconst A: &str = \"SELECT the applet first\";";
        assert_eq!(check(&files(&[("crates/element/src/lib.rs", text)])), []);
    }
}
