//! The project's files, read once for all architecture rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::source::Source;

/// Directories that hold nothing of the project's own writing.
const SKIPPED: &[&str] = &["target", ".git", "node_modules"];

/// Endings of the files whose text is read.
const TEXT: &[&str] = &["rs", "md", "toml", "cddl", "sql", "sh", "yml", "yaml"];

/// Every file of the project by its path from the root, with `/` between the parts.
pub(crate) struct Tree {
    paths: BTreeSet<String>,
    texts: BTreeMap<String, String>,
    sources: Vec<Source>,
    unreadable: Vec<(String, String)>,
}

impl Tree {
    /// Reads the tree below `root`.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut paths = BTreeSet::new();
        let mut texts = BTreeMap::new();
        let entries = WalkDir::new(root).into_iter().filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            !(entry.file_type().is_dir() && SKIPPED.contains(&name.as_ref()))
        });
        for entry in entries {
            let entry = entry.context("the project's files could not be listed")?;
            if entry.file_type().is_dir() {
                continue;
            }
            let relative = entry.path().strip_prefix(root).expect("an entry lies below the root it was found from");
            let path = relative.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
            if is_text(&path) {
                let text = fs::read_to_string(entry.path())
                    .with_context(|| format!("{path} could not be read as UTF-8 text"))?;
                texts.insert(path.clone(), text);
            }
            paths.insert(path);
        }
        Ok(Self::new(paths, texts))
    }

    fn new(paths: BTreeSet<String>, texts: BTreeMap<String, String>) -> Self {
        let mut sources = Vec::new();
        let mut unreadable = Vec::new();
        for (path, text) in texts.iter().filter(|(path, _)| path.ends_with(".rs")) {
            match Source::lex(path, text) {
                Ok(source) => sources.push(source),
                Err(error) => unreadable.push((path.clone(), error)),
            }
        }
        let test_modules: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
        for source in &mut sources {
            if test_modules.iter().any(|module| source.lies_in(module)) {
                source.mark_all_test();
            }
        }
        Self { paths, texts, sources, unreadable }
    }

    /// Whether there is a file or directory at this path.
    pub(crate) fn contains(&self, path: &str) -> bool {
        let below = format!("{path}/");
        path.is_empty() || self.paths.contains(path) || self.paths.iter().any(|own| own.starts_with(&below))
    }

    /// All paths.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// The text of one file, if it is a text file of the project.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Paths and texts of all text files.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// All Rust sources.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter()
    }

    /// Rust files that are no Rust, with the reason.
    pub(crate) fn unreadable(&self) -> impl Iterator<Item = (&str, &str)> {
        self.unreadable.iter().map(|(path, reason)| (path.as_str(), reason.as_str()))
    }
}

fn is_text(path: &str) -> bool {
    path.starts_with(".ci/") || path.rsplit_once('.').is_some_and(|(_, ending)| TEXT.contains(&ending))
}

#[cfg(test)]
pub(crate) mod synthetic {
    //! Trees made up for the tests of the rules.

    use super::*;

    /// A tree of these files; a file that is no text has its path only.
    pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
        let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        let texts = files
            .iter()
            .filter(|(path, _)| is_text(path))
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        Tree::new(paths, texts)
    }

    #[test]
    fn directories_exist_through_their_files() {
        let tree = tree(&[("docs/spec/a.md", ""), ("vectors/a.json", "{}")]);
        assert!(tree.contains("docs/spec"));
        assert!(tree.contains("vectors/a.json"));
        assert!(!tree.contains("docs/sp"));
        assert_eq!(tree.text("vectors/a.json"), None);
    }

    #[test]
    fn files_of_a_test_module_count_as_tests() {
        let tree = tree(&[
            ("crates/a/src/lib.rs", "#[cfg(test)] mod model; mod real;"),
            ("crates/a/src/model.rs", "fn f() {}"),
            ("crates/a/src/model/deep.rs", "fn f() {}"),
            ("crates/a/src/real.rs", "fn f() {}"),
        ]);
        let tests: Vec<&str> = tree
            .sources()
            .filter(|source| source.tokens().iter().all(|token| token.in_test))
            .map(Source::path)
            .collect();
        assert_eq!(tests, ["crates/a/src/model.rs", "crates/a/src/model/deep.rs"]);
    }

    #[test]
    fn the_real_tree_is_read_from_disk() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let tree = Tree::read(root).unwrap();
        assert!(tree.text("src/tree.rs").is_some());
        assert!(tree.unreadable().next().is_none());
    }
}
