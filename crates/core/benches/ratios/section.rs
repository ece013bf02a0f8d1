//! Sections of a document that benchmarks write.

use std::path::Path;

/// Prints `content`, and writes it under `heading` to the document that the arguments name after `--write`.
///
/// # Panics
/// The document cannot be written.
pub(crate) fn publish(heading: &str, content: &str, rounds: usize) {
    println!("{content}");
    let arguments: Vec<String> = std::env::args().collect();
    let Some(at) = arguments.iter().position(|argument| argument == "--write") else { return };
    // Cargo runs benchmarks in the directory of their crate.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(&arguments[at + 1]);
    let document = std::fs::read_to_string(&path).unwrap_or_default();
    std::fs::write(&path, with_section(&document, heading, content, rounds))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Whether the program was started by `cargo bench`. `cargo test` with benchmarks among its targets measures nothing.
pub(crate) fn is_wanted() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// `document` with the section under `heading` replaced, or added.
fn with_section(document: &str, heading: &str, content: &str, rounds: usize) -> String {
    let title = format!("## {heading}\n");
    let content = format!("{title}\nMeasured on {}, {rounds} rounds.\n\n{content}", machine());
    let Some(start) = document.find(&title) else { return format!("{document}\n{content}") };
    let rest = &document[start + title.len()..];
    let after = rest.find("\n## ").map_or("", |end| &rest[end..]);
    format!("{}{content}{after}", &document[..start])
}

/// What this runs on.
fn machine() -> String {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("an unknown processor");
    format!("{} ({})", model.trim_start_matches([' ', '\t', ':']), std::env::consts::ARCH)
}
