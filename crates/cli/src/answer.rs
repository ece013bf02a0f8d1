//! What a command says in the end: text for people, or one JSON document for machines.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::Value;

/// The outcome of a command that ran to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    human: String,
    machine: Value,
    holds: bool,
}

impl Answer {
    /// Everything is as it should be.
    pub(crate) fn new(human: impl Into<String>, machine: Value) -> Self {
        Self { human: human.into(), machine, holds: true }
    }

    /// A verdict: the exit status is 0 when it `holds`, else 1.
    pub(crate) fn verdict(holds: bool, human: impl Into<String>, machine: Value) -> Self {
        Self { human: human.into(), machine, holds }
    }

    /// Prints it on standard output.
    ///
    /// # Errors
    /// When nobody reads standard output any more.
    pub(crate) fn print(&self, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer_pretty(&mut out, &self.machine)?;
            out.write_all(b"\n")?;
        } else if !self.human.is_empty() {
            out.write_all(self.human.trim_end().as_bytes())?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// What the program exits with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
