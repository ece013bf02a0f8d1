//! Why a command did not do what it was asked: for people, with a code for machines.

use std::fmt;
use std::process::ExitCode;

use serde_json::{Value, json};

/// A command that failed. No money moves on a failure, and the text says so.
#[derive(Debug)]
pub(crate) struct Failure {
    code: String,
    what: String,
    advice: String,
    status: u8,
}

/// Exit status of a refusal or a failed verdict.
const REFUSED: u8 = 1;
/// Exit status of a command that was called wrongly; clap uses the same.
const USAGE: u8 = 2;

impl Failure {
    /// Something was asked for properly and refused. `code` is stable.
    pub(crate) fn refused(code: impl Into<String>, what: impl fmt::Display, advice: impl Into<String>) -> Self {
        Self { code: code.into(), what: what.to_string(), advice: advice.into(), status: REFUSED }
    }

    /// The command cannot mean what it says.
    pub(crate) fn usage(what: impl fmt::Display, advice: impl Into<String>) -> Self {
        Self { code: "usage".to_owned(), what: what.to_string(), advice: advice.into(), status: USAGE }
    }

    /// A file that was named cannot be read or written.
    pub(crate) fn file(path: &str, error: &std::io::Error) -> Self {
        Self {
            code: "file".to_owned(),
            what: format!("{path}: {error}"),
            advice: "name a file that exists and that you may use".to_owned(),
            status: USAGE,
        }
    }

    /// Says so on standard error, for machines on standard output too, and gives what the program exits with.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        if json {
            println!("{:#}", self.to_json());
        }
        eprintln!("{self}");
        ExitCode::from(self.status)
    }

    fn to_json(&self) -> Value {
        json!({ "error": { "code": self.code, "what": self.what, "money_moved": false, "advice": self.advice } })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {} [{}]", self.what, self.code)?;
        writeln!(f, "  No money moved.")?;
        write!(f, "  What to do: {}.", self.advice.trim_end_matches('.'))
    }
}
