//! Processes and folders in which this program is shown or driven: everything is done by this same program, started anew.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::failure::Failure;

/// Where it takes place.
pub(crate) struct Stage {
    program: PathBuf,
    folder: PathBuf,
}

/// Something that should have worked did not.
#[derive(Debug)]
pub(crate) struct Mishap(pub(crate) String);

/// What a command printed, whether it was done or refused.
pub(crate) enum Outcome {
    Done(Value),
    Refused(Refusal),
}

/// Why a command was refused.
pub(crate) struct Refusal {
    /// The stable code.
    pub(crate) code: String,
    /// What it said.
    pub(crate) what: String,
}

/// A server in a process of its own; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) address: String,
}

/// A number in a document.
pub(crate) fn number(document: &Value, name: &str) -> Result<u64, Mishap> {
    document[name].as_u64().ok_or_else(|| Mishap(format!("there is no number `{name}` in {document}")))
}

/// A text in a document.
pub(crate) fn text(document: &Value, name: &str) -> Result<String, Mishap> {
    let value = document[name].as_str().map(str::to_owned);
    value.ok_or_else(|| Mishap(format!("there is no text `{name}` in {document}")))
}

impl Stage {
    /// In `folder`, which exists.
    pub(crate) fn new(folder: &Path) -> Result<Self, Mishap> {
        let program =
            std::env::current_exe().map_err(|error| Mishap(format!("this program cannot find itself: {error}")))?;
        let messages = folder.join("messages");
        fs::create_dir(&messages).map_err(|error| Mishap(format!("{}: {error}", messages.display())))?;
        Ok(Self { program, folder: folder.to_owned() })
    }

    /// A file or folder on the stage.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Runs a command to its end.
    pub(crate) fn attempt(&self, arguments: &[&str]) -> Result<Outcome, Mishap> {
        self.outcome(self.command(arguments), arguments)
    }

    fn outcome(&self, mut command: Command, arguments: &[&str]) -> Result<Outcome, Mishap> {
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| Mishap(format!("{}: {error}", self.program.display())))?;
        outcome(&output, arguments)
    }

    /// Runs a command that must be done.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Value, Mishap> {
        done(self.attempt(arguments)?, arguments)
    }

    /// Runs a command that must be done, with one variable in its environment.
    pub(crate) fn run_with(&self, (name, value): (&str, &str), arguments: &[&str]) -> Result<Value, Mishap> {
        let mut command = self.command(arguments);
        command.env(name, value);
        done(self.outcome(command, arguments)?, arguments)
    }

    /// Runs a command that must be done and is told something on its standard input.
    pub(crate) fn run_told(&self, told: &str, arguments: &[&str]) -> Result<Value, Mishap> {
        let run = || {
            let mut command = self.command(arguments);
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
            child.stdin.take().expect("stdin is piped").write_all(told.as_bytes())?;
            child.wait_with_output()
        };
        let output = run().map_err(|error| Mishap(format!("{}: {error}", self.program.display())))?;
        done(outcome(&output, arguments)?, arguments)
    }

    /// Starts a command without waiting for it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Child, Mishap> {
        let mut command = self.command(arguments);
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().map_err(|error| Mishap(format!("{}: {error}", self.program.display())))
    }

    /// Starts a server and waits until it listens: the first line that it prints says where.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Result<Server, Mishap> {
        let log = self.path(&format!("{}.log", arguments[0]));
        let failed = |path: &Path, error: std::io::Error| Mishap(format!("{}: {error}", path.display()));
        let errors = OpenOptions::new().create(true).append(true).open(&log).map_err(|error| failed(&log, error))?;
        let mut command = self.command(arguments);
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().map_err(|error| failed(&self.program, error))?;
        let mut line = String::new();
        let output = child.stdout.take().expect("stdout is piped");
        let read = BufReader::new(output).read_line(&mut line);
        let document: Option<Value> = read.ok().and_then(|_| serde_json::from_str(&line).ok());
        match document.as_ref().and_then(|document| document["listening"].as_str()) {
            Some(address) => Ok(Server { address: address.to_owned(), child }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                let text = fs::read_to_string(&log).unwrap_or_default();
                Err(Mishap(format!("`specie {}` did not start: {text}", arguments.join(" "))))
            }
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--json").args(arguments).current_dir(&self.folder);
        command
    }
}

/// What a command of these `arguments` printed.
fn outcome(output: &Output, arguments: &[&str]) -> Result<Outcome, Mishap> {
    let document = serde_json::from_slice::<Value>(&output.stdout);
    let text = String::from_utf8_lossy(&output.stderr);
    match (output.status.code(), document) {
        (Some(0), Ok(document)) => Ok(Outcome::Done(document)),
        (Some(1), Ok(document)) if document["error"].is_object() => Ok(Outcome::Refused(Refusal {
            code: document["error"]["code"].as_str().unwrap_or_default().to_owned(),
            what: document["error"]["what"].as_str().unwrap_or_default().to_owned(),
        })),
        (Some(1), Ok(document)) => Ok(Outcome::Done(document)),
        (status, _) => Err(Mishap(format!("`specie {}` ended with {status:?}: {text}", arguments.join(" ")))),
    }
}

fn done(outcome: Outcome, arguments: &[&str]) -> Result<Value, Mishap> {
    match outcome {
        Outcome::Done(document) => Ok(document),
        Outcome::Refused(Refusal { code, what }) => {
            Err(Mishap(format!("`specie {}` was refused: {what} [{code}]", arguments.join(" "))))
        }
    }
}

impl Server {
    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(mut self) -> Result<(), Mishap> {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        ended.map(drop).map_err(|error| Mishap(format!("a server could not be stopped: {error}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A folder that holds nothing yet, made when it is not there; absolute, since commands run within it.
pub(crate) fn empty_folder(folder: &Path) -> Result<PathBuf, Failure> {
    let name = folder.display().to_string();
    fs::create_dir_all(folder).map_err(|error| Failure::file(&name, &error))?;
    let mut entries = fs::read_dir(folder).map_err(|error| Failure::file(&name, &error))?;
    if entries.next().is_some() {
        return Err(Failure::usage(format!("{name} is not empty"), "name a folder that is empty or not there yet"));
    }
    folder.canonicalize().map_err(|error| Failure::file(&name, &error))
}

/// For a command that stops where the demonstration would go on.
impl From<Mishap> for Failure {
    fn from(mishap: Mishap) -> Self {
        Self::refused("mishap", mishap, "look at the logs in the folder, which --keep leaves there")
    }
}
