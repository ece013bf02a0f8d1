//! Nothing is left for later.

use super::{Finding, Project};

/// Words of unfinished work, written in halves so that this file has none of them.
const WORDS: &[&str] = &[
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("TO", "DO"),
];

/// None of [`WORDS`] stands in any text.
pub(super) fn check(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in project.tree.texts() {
        for (number, line) in text.lines().enumerate() {
            for word in WORDS.iter().filter(|word| has_word(line, word)) {
                let message = format!("`{word}`: finish it, or open an issue");
                findings.push(Finding::new(path, number + 1, message));
            }
        }
    }
    findings
}

/// Whether the word stands in the line on its own, not as part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::synthetic::{files, places};

    #[test]
    fn rejects_each_word_in_code_and_comments() {
        for word in WORDS {
            let text = format!("fn f() {{}}\n// {word}()\n");
            let project = files(&[("crates/a/src/lib.rs", &text)]);
            assert_eq!(places(&check(&project)), [("crates/a/src/lib.rs", 2)]);
        }
    }

    #[test]
    fn accepts_longer_words() {
        let word = WORDS[3];
        let text = format!("const HEX: &str = \"{word}XABC\";");
        assert_eq!(check(&files(&[("crates/a/src/lib.rs", &text)])), []);
    }
}
