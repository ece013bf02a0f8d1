//! The neutral JSON: what any list can be turned into.

use serde::Deserialize;

use super::birth::Birth;
use super::list::{Entry, Kind, ListError, SanctionsList};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: String,
    published: String,
    entries: Vec<FileEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    reference: String,
    kind: FileKind,
    names: Vec<String>,
    #[serde(default)]
    born: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FileKind {
    Person,
    Entity,
}

pub(super) fn read(text: &str) -> Result<SanctionsList, ListError> {
    let file: File = serde_json::from_str(text).map_err(|error| ListError::Malformed(error.to_string()))?;
    let entries = file.entries.into_iter().map(|entry| {
        let FileEntry { reference, kind, names, born } = entry;
        let kind = match kind {
            FileKind::Person => Kind::Person,
            FileKind::Entity => Kind::Entity,
        };
        let births: Option<Vec<_>> = born.iter().map(|text| Birth::parse(text)).collect();
        match births {
            Some(births) => Entry::new(reference, kind, names, births),
            None => Err(ListError::Entry { reference, why: "`born` is no `1970-02-03`, `1970` or `1970/1972`" }),
        }
    });
    SanctionsList::new(file.source, file.published, entries.collect::<Result<_, _>>()?)
}
