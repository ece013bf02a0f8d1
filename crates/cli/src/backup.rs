//! Backups of a bank or a PSP, and the way back.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use specie_core::Timestamp;
use specie_server::backup::{BackupError, Manifest, manifest_path};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::moment;

/// Copy the database to a file, whether it is served or not
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank backup bank --out bank-monday.backup
  specie psp backup psp --out psp-monday.backup

A second file, with `.manifest` after its name, says what the first one is: keep both, and the SHA-256 somewhere else. A backup holds \
no keys: neither the root key nor the signer's folder nor the PSP's key and pepper; keep those apart, and never restore an older signer's \
folder. It holds all that the database says of people: keep it as safe. A file that exists is not written over. PostgreSQL makes its \
backups itself: docs/backups.md.")]
pub(crate) struct Backup<W: Args> {
    #[command(flatten)]
    pub(crate) which: W,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Bring a backup back, where no database is any more
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank restore bank --from bank-monday.backup
  specie psp restore psp --from psp-monday.backup

The folder must have its configuration and its keys, and no database: move a lost one away, with its -wal and -shm. The backup is \
checked before it takes its place: the file, every page, the audit log, the books. Whatever was done since the backup was made is not \
in it: read docs/backups.md before you serve it.")]
pub(crate) struct Restore<W: Args> {
    #[command(flatten)]
    pub(crate) which: W,
    /// The backup
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
}

/// What was copied.
pub(crate) fn made(manifest: &Manifest, out: &Path) -> Answer {
    let human = format!(
        "Wrote the backup of {} to {}, and what it is to {}.\n{}",
        manifest.service,
        out.display(),
        manifest_path(out).display(),
        description(manifest)
    );
    Answer::new(human, json!({ "file": out.display().to_string(), "manifest": manifest }))
}

/// What was brought back.
pub(crate) fn restored(manifest: &Manifest) -> Answer {
    let human = format!(
        "Restored {}: the file is whole, its audit log is a chain, its books hold.\n{}\
         Whatever was done after that is not in it: read docs/backups.md before you serve it.\n",
        manifest.service,
        description(manifest)
    );
    Answer::new(human, json!({ "manifest": manifest }))
}

fn description(manifest: &Manifest) -> String {
    format!(
        "  made          {}\n  audit record  {} {}\n  SHA-256       {}\n",
        moment::show(Timestamp::new(manifest.at).unwrap_or_default()),
        manifest.audit_sequence,
        hex::encode(manifest.audit_hash.0),
        hex::encode(manifest.sha256.0)
    )
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let (code, advice) = match &error {
            BackupError::Server => ("backup-postgres", "use pg_basebackup with an archive, as docs/backups.md says"),
            BackupError::Exists(_) => (
                "backup-exists",
                "name a new file; to restore, stop what serves and move the old database away, with its -wal and -shm",
            ),
            BackupError::File { .. } => ("backup-file", "name files that exist, in folders that you may use"),
            BackupError::Manifest(_) => ("backup-manifest", "bring the manifest that was written with the backup"),
            BackupError::Digest => ("backup-altered", "bring another copy of it, or an older backup"),
            BackupError::Foreign { .. } => ("backup-foreign", "bring the backup and the keys of the same bank or PSP"),
            BackupError::Contents(specie_server::backup::ContentsError::TooNew { .. }) => {
                ("backup-too-new", "use the version of this program that its manifest names, or a newer one")
            }
            BackupError::Contents(specie_server::backup::ContentsError::Foreign(_)) => {
                ("backup-foreign", "bring the backup of the same bank or PSP")
            }
            BackupError::Unusable(_) => {
                ("backup-unusable", "correct configuration and keys in the folder, and try again")
            }
            _ => ("backup-damaged", "bring another copy of it, or an older backup"),
        };
        Self::refused(code, error, advice)
    }
}
