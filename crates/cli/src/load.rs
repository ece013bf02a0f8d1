//! `specie load`: what a bank and a PSP carry, asked by real wallets that all come at once.

mod measure;
mod town;
mod wallets;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::stage::{Stage, empty_folder};
use measure::{Measured, multiplication};
use town::{Databases, Town};
use wallets::Pair;

/// Load a bank and a PSP of its own with withdrawals and redemptions, and measure what they carry
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie load
  specie load --pairs 16 --payments 200
  specie --json load --bank-database postgres://specie@127.0.0.1/bank \\
      --psp-database postgres://specie@127.0.0.1/psp

Starts a bank and a PSP on loopback, with new databases, and makes real wallets with elements of their own. Payers withdraw, all at \
the same time; each pays its payee offline; then all synchronise at the same time, so that the bank redeems everything.
A database on a server must be empty. The load is bounded by the number of pairs and payments; it shares the processors \
with the servers, so that what it measures is less than the servers could carry alone. The exit status says whether the \
books of the bank held in the end.")]
pub(crate) struct Load {
    /// How many payers, each with a payee of its own
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pairs: u16,
    /// How many payments each of them makes
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    payments: u16,
    /// The bank's database on a PostgreSQL server, instead of a file
    #[arg(long, value_name = "URL")]
    bank_database: Option<String>,
    /// The PSP's database on a PostgreSQL server, instead of a file
    #[arg(long, value_name = "URL")]
    psp_database: Option<String>,
    /// Leave databases, logs and wallets in this folder, which must not exist or be empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// What was measured.
struct Report {
    phases: Vec<Measured>,
    /// Processor time of one multiplication.
    multiplication: Duration,
    paid: usize,
    holds: bool,
}

impl Load {
    pub(crate) fn run(&self) -> Result<Answer, Failure> {
        let temporary = tempfile::tempdir().map_err(|error| Failure::file("temporary folder", &error))?;
        let folder = match &self.keep {
            Some(folder) => empty_folder(folder)?,
            None => temporary.path().to_owned(),
        };
        let databases = Databases { bank: self.bank_database.as_deref(), psp: self.psp_database.as_deref() };
        let progress = Progress::begin("opening a bank and a PSP");
        let town = Town::open(Stage::new(&folder)?, &databases)?;
        progress.now("making wallets and elements");
        let mut pairs = (0..self.pairs).map(|number| Pair::new(&town, number)).collect::<Result<Vec<_>, _>>()?;
        let report = self.drive(&town, &mut pairs, &progress)?;
        drop(progress);
        Ok(Answer::verdict(report.holds, self.table(&report), self.document(&report)))
    }

    fn drive(&self, town: &Town, pairs: &mut [Pair], progress: &Progress) -> Result<Report, Failure> {
        let payments = usize::from(self.payments);
        progress.now("withdrawing notes");
        let notes = town.measure("withdraw notes", "note", pairs, |pair| pair.withdraw_notes(payments))?;
        progress.now("withdrawing blanks");
        let blanks = town.measure("withdraw blanks", "blank", pairs, |pair| pair.withdraw_blanks(payments))?;
        progress.now("paying offline");
        let paid = wallets::at_once(pairs, |pair| pair.pay(payments))?.into_iter().sum();
        progress.now("showing what was received to the elements");
        wallets::at_once(pairs, Pair::prepare)?;
        progress.now("redeeming");
        let redeemed = town.measure("redeem", "coin", pairs, Pair::redeem)?;
        progress.now("looking at the books");
        let holds = town.books_hold()?;
        Ok(Report { phases: vec![notes, blanks, redeemed], multiplication: multiplication(), paid, holds })
    }

    fn table(&self, report: &Report) -> String {
        let mut text = format!(
            "{} pairs of wallets, {} payments made offline. All wallets at once; p50 and p99 are of one request of a wallet, \
             from the first byte to the last answer.\n\n{}\n",
            self.pairs,
            report.paid,
            Measured::HEADING,
        );
        for phase in &report.phases {
            text.push_str(&phase.line(report.multiplication));
            text.push('\n');
        }
        text.push_str(&format!(
            "\nProcessor time of bank and PSP is for one note or coin, in µs and in multiplications of a point (here {:.1} µs each).\n",
            micros(report.multiplication),
        ));
        text.push_str(if report.holds { "The books of bank and PSP hold.\n" } else { "THE BOOKS DO NOT HOLD.\n" });
        if let Some(folder) = &self.keep {
            text.push_str(&format!("Databases, logs and wallets are in {}.\n", folder.display()));
        }
        text
    }

    fn document(&self, report: &Report) -> Value {
        json!({
            "pairs": self.pairs,
            "payments": report.paid,
            "phases": report.phases.iter().map(|phase| phase.to_json(report.multiplication)).collect::<Vec<_>>(),
            "multiplication_us": micros(report.multiplication),
            "books_hold": report.holds,
            "folder": self.keep.as_ref().map(|folder| folder.display().to_string()),
        })
    }
}

/// A duration in microseconds.
fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
