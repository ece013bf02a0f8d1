//! Files that one can read in a sitting.

use super::{Finding, Project};

/// Lines of a file that holds more than one thing.
const LINES_MAX: usize = 800;

/// No source, document or schema is longer than [`LINES_MAX`]; vectors and lock files are data.
pub(super) fn check(project: &Project) -> Vec<Finding> {
    let texts = project.tree.texts();
    texts
        .filter(|(path, _)| !path.starts_with("vectors/"))
        .filter_map(|(path, text)| {
            let lines = text.lines().count();
            (lines > LINES_MAX).then(|| {
                let message = format!("{lines} lines, {LINES_MAX} at most: split it by meaning");
                Finding::new(path, 0, message)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::synthetic::{files, places};

    #[test]
    fn rejects_one_line_too_many() {
        let longest = "//\n".repeat(LINES_MAX);
        let longer = "//\n".repeat(LINES_MAX + 1);
        let project = files(&[
            ("crates/a/src/longer.rs", &longer),
            ("crates/a/src/longest.rs", &longest),
            ("vectors/table.rs", &longer),
        ]);
        assert_eq!(places(&check(&project)), [("crates/a/src/longer.rs", 0)]);
    }
}
