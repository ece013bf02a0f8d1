//! What a command says in the end: text for people, or one JSON document for machines.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::Value;

/// The outcome of a command that ran to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    human: String,
    machine: Option<Value>,
    holds: bool,
}

impl Answer {
    /// Everything is as it should be.
    pub(crate) fn new(human: impl Into<String>, machine: Value) -> Self {
        Self { human: human.into(), machine: Some(machine), holds: true }
    }

    /// A verdict: the exit status is 0 when it `holds`, else 1.
    pub(crate) fn verdict(holds: bool, human: impl Into<String>, machine: Value) -> Self {
        Self { human: human.into(), machine: Some(machine), holds }
    }

    /// Nothing to print: standard output was used for something else.
    pub(crate) fn silent() -> Self {
        Self { human: String::new(), machine: None, holds: true }
    }

    /// The same, said on standard error at once: standard output was used for something else.
    pub(crate) fn aside(self) -> Self {
        eprint!("{}", self.human);
        Self { human: String::new(), machine: None, holds: self.holds }
    }

    /// With one more field for machines.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        if let Some(Value::Object(fields)) = &mut self.machine {
            fields.insert(name.to_owned(), value);
        }
        self
    }

    /// Prints it on standard output.
    ///
    /// # Errors
    /// When nobody reads standard output any more.
    pub(crate) fn print(&self, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match (&self.machine, json) {
            (Some(machine), true) => {
                serde_json::to_writer_pretty(&mut out, machine)?;
                out.write_all(b"\n")?;
            }
            (Some(_), false) => {
                out.write_all(self.human.trim_end().as_bytes())?;
                out.write_all(b"\n")?;
            }
            (None, _) => {}
        }
        out.flush()
    }

    /// What the program exits with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
