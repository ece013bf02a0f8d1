//! Links between documents.

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::{Finding, Project};

/// Every relative link in a document leads to a file or directory of the project.
pub(super) fn check(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    let texts = project.tree.texts();
    for (path, text) in texts.filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in links(text) {
            if !is_relative(&target) {
                continue;
            }
            let file = target.split(['#', '?']).next().unwrap_or(&target);
            if file.is_empty() {
                continue;
            }
            match resolve(path, file) {
                Some(resolved) if project.tree.contains(&resolved) => {}
                Some(_) => {
                    let message = format!("the link to `{target}` leads nowhere");
                    findings.push(Finding::new(path, line, message));
                }
                None => {
                    let message = format!("the link to `{target}` leads out of the project");
                    findings.push(Finding::new(path, line, message));
                }
            }
        }
    }
    findings
}

/// Lines and targets of all links and pictures; code has none.
fn links(text: &str) -> Vec<(usize, String)> {
    Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES)
        .into_offset_iter()
        .filter_map(|(event, range)| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let line = text[..range.start].matches('\n').count() + 1;
                Some((line, dest_url.into_string()))
            }
            _ => None,
        })
        .collect()
}

fn is_relative(target: &str) -> bool {
    !target.starts_with("//") && !target.contains("://") && !target.starts_with("mailto:")
}

/// The path from the root that a link in `document` means, unless it leaves the root.
fn resolve(document: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => document.split('/').collect(),
    };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::synthetic::{files, places};

    #[test]
    fn rejects_links_that_lead_nowhere_or_out() {
        let text = "[a](gone.md)\n\n![b](../gone.svg)\n\n[c][r]\n\n[r]: ../../out.md\n";
        let project = files(&[("docs/a.md", text)]);
        assert_eq!(places(&check(&project)), [("docs/a.md", 1), ("docs/a.md", 3), ("docs/a.md", 5)]);
    }

    #[test]
    fn accepts_links_to_files_directories_parts_and_other_sites() {
        let text = "[a](b.md#part) [b](./spec/) [c](../vectors/core.json) [d](#here)\n\
                    [e](https://example.org/x) [f](/README.md) `[g](gone.md)`\n";
        let project = files(&[
            ("docs/a.md", text),
            ("docs/b.md", ""),
            ("docs/spec/x.cddl", ""),
            ("vectors/core.json", ""),
            ("README.md", ""),
        ]);
        assert_eq!(check(&project), []);
    }
}
