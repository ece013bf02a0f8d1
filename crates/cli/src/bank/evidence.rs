//! `specie bank evidence`.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use specie_core::Timestamp;

use super::Which;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::moment;

/// Show double spends, and write their evidence
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie bank evidence bank
  specie bank evidence bank --out evidence
  specie inspect evidence/1.evidence     # believe nobody")]
pub(super) struct Evidence {
    #[command(flatten)]
    which: Which,
    /// Write the evidence into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Evidence {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let bank = self.which.open()?;
        let (mut after, mut human, mut items) = (0, String::new(), Vec::new());
        loop {
            let page = bank.evidence(after)?;
            for item in &page.items {
                after = item.sequence;
                let file = self.write(item.sequence, &item.evidence.0)?;
                let at = Timestamp::new(item.at).unwrap_or(Timestamp::EPOCH);
                let known = if item.registered { "" } else { " NEVER REGISTERED: keys or generators are broken" };
                human.push_str(&format!(
                    "{}: {} note {} by device {}{known}\n",
                    item.sequence,
                    moment::show(at),
                    item.note_id,
                    item.device
                ));
                items.push(describe(
                    item.sequence,
                    item.at,
                    &item.note_id.to_string(),
                    &item.device.to_string(),
                    item.registered,
                    file,
                ));
            }
            if !page.more {
                break;
            }
        }
        if items.is_empty() {
            human.push_str("No note was ever spent twice.\n");
        }
        Ok(Answer::new(human, json!({ "evidence": items })))
    }

    fn write(&self, sequence: u64, evidence: &[u8]) -> Result<Option<String>, Failure> {
        let Some(folder) = &self.out else { return Ok(None) };
        let path = folder.join(format!("{sequence}.evidence"));
        let name = path.display().to_string();
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, evidence))
            .map_err(|error| Failure::file(&name, &error))?;
        Ok(Some(name))
    }
}

fn describe(sequence: u64, at: u64, note: &str, device: &str, registered: bool, file: Option<String>) -> Value {
    json!({ "sequence": sequence, "at": at, "note_id": note, "device": device, "registered": registered, "file": file })
}
