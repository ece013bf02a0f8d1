//! Why a command did not do what it was asked: for people, with a code for machines.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

/// A command that failed, or did only a part. The text says whether money moved.
#[derive(Debug)]
pub(crate) struct Failure {
    code: String,
    what: String,
    advice: String,
    /// Whether money moved; `None` while nobody knows.
    money_moved: Option<bool>,
    status: u8,
}

/// Exit status of a refusal or a failed verdict.
const REFUSED: u8 = 1;
/// Exit status of a command that was called wrongly; clap uses the same.
const USAGE: u8 = 2;

impl Failure {
    /// Something was asked for properly and refused. `code` is stable.
    pub(crate) fn refused(code: impl Into<String>, what: impl fmt::Display, advice: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            what: what.to_string(),
            advice: advice.into(),
            money_moved: Some(false),
            status: REFUSED,
        }
    }

    /// The command cannot mean what it says.
    pub(crate) fn usage(what: impl fmt::Display, advice: impl Into<String>) -> Self {
        Self { status: USAGE, ..Self::refused("usage", what, advice) }
    }

    /// A file that was named cannot be read or written.
    pub(crate) fn file(path: &str, error: &std::io::Error) -> Self {
        let advice = "name a file that exists and that you may use";
        Self { status: USAGE, ..Self::refused("file", format!("{path}: {error}"), advice) }
    }

    /// What machines tell it by.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Money moved before it failed: `done` says how.
    pub(crate) fn after(self, done: &str) -> Self {
        Self { what: format!("{done}, but {}", self.what), money_moved: Some(true), ..self }
    }

    /// Says of it whether money moved: `None` where nobody knows.
    pub(crate) fn with_money(self, money_moved: Option<bool>) -> Self {
        Self { money_moved, ..self }
    }

    /// Says so on standard error, for machines on standard output too, and gives what the program exits with.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        // Nobody may be reading: it failed all the same.
        if json {
            let _ = writeln!(io::stdout(), "{:#}", self.to_json());
        }
        let _ = writeln!(io::stderr(), "{self}");
        ExitCode::from(self.status)
    }

    fn to_json(&self) -> Value {
        let Self { code, what, advice, money_moved, .. } = self;
        json!({ "error": { "code": code, "what": what, "money_moved": money_moved, "advice": advice } })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {} [{}]", self.what, self.code)?;
        let money = match self.money_moved {
            Some(false) => "No money moved.",
            Some(true) => "Money moved.",
            None => "It is not known yet whether money moved. The same again moves nothing twice.",
        };
        writeln!(f, "  {money}")?;
        write!(f, "  What to do: {}.", self.advice.trim_end_matches('.'))
    }
}

/// What cannot be typed so: clap's own words, and for machines one document like any other failure.
pub(crate) fn report_usage(error: &clap::Error, json: bool) -> ExitCode {
    if json && error.use_stderr() {
        let rendered = error.render().to_string();
        // The first paragraph, without how to use the command.
        let reason = rendered.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        let words: Vec<&str> = reason.split_whitespace().collect();
        let failure = Failure::usage(words.join(" "), "see --help of the command");
        let _ = writeln!(io::stdout(), "{:#}", failure.to_json());
    }
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}
