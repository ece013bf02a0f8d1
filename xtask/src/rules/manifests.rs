//! What every manifest takes from the workspace.

use toml::{Table, Value};

use super::{Finding, Project};

/// Fields of `[package]` that are stated once, for the whole workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

/// Every crate inherits its lints and [`INHERITED`].
pub(super) fn check_inheritance(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in manifests(project) {
        let manifest: Table = match text.parse() {
            Ok(manifest) => manifest,
            Err(error) => {
                findings.push(Finding::new(path, 0, format!("is no TOML: {error}")));
                continue;
            }
        };
        let fields = INHERITED.iter().map(|&field| ["package", field]);
        for [table, field] in fields {
            let value = manifest.get(table).and_then(|package| package.get(field));
            if !inherits(value) {
                let message = format!("must say `{field}.workspace = true`");
                findings.push(Finding::new(path, 0, message));
            }
        }
        if !inherits(manifest.get("lints")) {
            let message = "must say `[lints] workspace = true`";
            findings.push(Finding::new(path, 0, message));
        }
    }
    findings
}

/// The workspace forbids unsafe code, so that a crate that inherits its lints cannot allow it.
pub(super) fn check_unsafe(project: &Project) -> Vec<Finding> {
    let level = project.tree.text("Cargo.toml").and_then(|text| text.parse::<Table>().ok()).and_then(|manifest| {
        let lints = manifest.get("workspace")?.get("lints")?.get("rust")?;
        let lint = lints.get("unsafe_code")?;
        let level = lint.get("level").unwrap_or(lint);
        level.as_str().map(str::to_owned)
    });
    if level.as_deref() == Some("forbid") {
        return Vec::new();
    }
    let message = "must say `unsafe_code = \"forbid\"` under [workspace.lints.rust]";
    vec![Finding::new("Cargo.toml", 0, message)]
}

fn manifests(project: &Project) -> impl Iterator<Item = (&str, &str)> {
    project.tree.texts().filter(|(path, _)| {
        let parts: Vec<&str> = path.split('/').collect();
        matches!(parts[..], ["crates", _, "Cargo.toml"] | ["xtask", "Cargo.toml"])
    })
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::synthetic::files;

    const GOOD: &str = "[package]
name = 'specie-a'
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true
[lints]
workspace = true
";

    #[test]
    fn accepts_a_manifest_that_inherits() {
        let project = files(&[("crates/a/Cargo.toml", GOOD)]);
        assert_eq!(check_inheritance(&project), []);
    }

    #[test]
    fn rejects_each_missing_inheritance() {
        for line in GOOD.lines().filter(|line| line.contains("workspace")) {
            let text = GOOD.replacen(line, "", 1);
            let project = files(&[("crates/a/Cargo.toml", &text)]);
            assert_eq!(check_inheritance(&project).len(), 1, "without {line}");
        }
        let own = GOOD.replace("license.workspace = true", "license = 'MIT'");
        let project = files(&[("xtask/Cargo.toml", &own)]);
        assert_eq!(check_inheritance(&project).len(), 1);
        let project = files(&[("crates/a/Cargo.toml", "[package")]);
        assert_eq!(check_inheritance(&project).len(), 1);
    }

    #[test]
    fn rejects_a_workspace_that_only_denies_unsafe_code() {
        let forbid = "[workspace.lints.rust]\nunsafe_code = 'forbid'";
        assert_eq!(check_unsafe(&files(&[("Cargo.toml", forbid)])), []);
        for text in ["", "[workspace.lints.rust]\nunsafe_code = 'deny'"] {
            assert_eq!(check_unsafe(&files(&[("Cargo.toml", text)])).len(), 1);
        }
    }
}
