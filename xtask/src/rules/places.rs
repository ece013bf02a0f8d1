//! The project runs anywhere, so it names no place of one machine.

use super::{Finding, Project};

/// Beginnings of paths that exist on somebody's machine, in halves so that this file has none.
const PLACES: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
];

/// No text has one of [`PLACES`], tests left out.
pub(super) fn check(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in project.tree.texts() {
        let mut sources = project.tree.sources();
        let test_lines =
            sources.find(|source| source.path() == path).map(|source| source.test_lines()).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            if test_lines.iter().any(|lines| lines.contains(&number)) {
                continue;
            }
            for place in PLACES.iter().filter(|place| starts_path(line, place)) {
                let message = format!("`{place}`: take the place as an argument");
                findings.push(Finding::new(path, number, message));
            }
        }
    }
    findings
}

/// Whether an absolute path in the line starts with `place`.
fn starts_path(line: &str, place: &str) -> bool {
    line.match_indices(place)
        .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-~}/".contains(before)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::synthetic::{files, places};

    #[test]
    fn rejects_a_path_of_one_machine() {
        for place in PLACES {
            let line = format!("const PATH: &str = \"{place}a\";\n");
            let gated = format!("#[cfg(test)]\nmod tests {{\n{line}}}\n{line}");
            let project =
                files(&[("crates/a/src/lib.rs", &gated), ("crates/a/tests/a.rs", &line), ("docs/a.md", &line)]);
            assert_eq!(places(&check(&project)), [("crates/a/src/lib.rs", 5), ("docs/a.md", 1)]);
        }
    }

    #[test]
    fn accepts_a_part_of_a_longer_path() {
        let text = format!("see ./docs{0}x and a{0}y", PLACES[0]);
        assert_eq!(check(&files(&[("docs/a.md", &text)])), []);
    }
}
