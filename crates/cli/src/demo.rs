//! `specie demo`: money issued, paid offline, paid on, synchronised and redeemed, and a cheat named. Every line comes from
//! what happened.

mod cheat;
mod loss;
mod machine;
mod mishaps;
mod narrator;
mod offline;
mod opening;
mod processes;
mod rules;
mod settlement;
mod town;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::stage::{Mishap, Stage, empty_folder};
use narrator::Narrator;

/// See it work: a bank, a PSP, some devices and a cheat, in under a minute.
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie demo
  specie demo --keep town

Starts a central bank and a PSP on loopback with databases on disk and devices whose secure elements are processes \
of their own. Everything is done by this program, started anew for each command. The exit status says whether \
everything that was checked held.")]
pub(crate) struct Demo {
    /// Leave databases, messages and evidence in this folder, which must not exist or be empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Demo {
    pub(crate) fn run(&self, json: bool) -> Result<Answer, Failure> {
        let temporary = tempfile::tempdir().map_err(|error| Failure::file("temporary folder", &error))?;
        let folder = match &self.keep {
            Some(folder) => empty_folder(folder)?,
            None => temporary.path().to_owned(),
        };
        let mut narrator = Narrator::begin(json);
        narrator.preface("Specie at work. Every line below comes from what just happened; ✓ was checked. XTS is the code for test money.");
        let told = tell(&folder, &mut narrator);
        let mishap = told.as_ref().err().map(ToString::to_string);
        let held = mishap.is_none() && narrator.all_held();
        let human = self.summary(&narrator, mishap.as_deref(), held);
        let machine = json!({
            "held": held,
            "mishap": mishap,
            "seconds": narrator.seconds(),
            "chapters": narrator.to_json(),
            "folder": self.keep.as_ref().map(|_| folder.display().to_string()),
        });
        Ok(Answer::verdict(held, human, machine))
    }

    fn summary(&self, narrator: &Narrator, mishap: Option<&str>, held: bool) -> String {
        let mut text = "\n".to_owned();
        if let Some(mishap) = mishap {
            text.push_str(&format!("It stopped: {mishap}\n"));
        }
        let verdict = if held { "All of it held" } else { "NOT ALL OF IT HELD" };
        text.push_str(&format!("{verdict}: {} checks in {:.1} seconds.\n", narrator.checks(), narrator.seconds()));
        match &self.keep {
            Some(folder) => {
                let folder = folder.display();
                text.push_str(&format!("Databases, messages and evidence are in {folder}.\n"));
                text.push_str(&format!("Look at them: specie inspect {folder}/messages/2-bob-carol.payment\n"));
            }
            None => text.push_str("To keep databases, messages and evidence: specie demo --keep DIR\n"),
        }
        text
    }
}

fn tell(folder: &Path, narrator: &mut Narrator) -> Result<(), Mishap> {
    let mut town = opening::open_bank_and_psp(Stage::new(folder)?, narrator)?;
    opening::enrol_devices(&town, narrator)?;
    opening::withdraw(&town, narrator)?;
    offline::go_offline(&mut town, narrator)?;
    offline::pay(&town, narrator)?;
    offline::pay_on(&town, narrator)?;
    mishaps::lose_a_message(&town, narrator)?;
    let cut = mishaps::cut_the_power(&town, narrator)?;
    settlement::restart_servers(&mut town, narrator)?;
    settlement::synchronise(&town, cut, narrator)?;
    rules::keep_limits(&town, narrator)?;
    rules::disclose(&town, narrator)?;
    machine::pay_by_itself(&town, narrator)?;
    loss::lose_a_device(&town, narrator)?;
    cheat::spend_twice(&mut town, narrator)?;
    cheat::name_the_culprit(&mut town, narrator)
}
