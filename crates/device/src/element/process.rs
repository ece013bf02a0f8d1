//! The element in a process of its own: the wallet talks to it over a pipe and cannot see into its memory.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use specie_element::client::Link;
use thiserror::Error;

use super::frame;

/// How long an element may take for one command: the slowest erases every page of its flash.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long a process may take to end by itself once its input is closed.
const FAREWELL: Duration = Duration::from_millis(500);

/// Most that is kept of what the process says when it fails, in bytes.
const REASON_MAX: u64 = 1024;

/// An element process. Where it ended, the next command starts it again: to the element that is a power cut, and as
/// harmless. Dropping it ends the process.
#[derive(Debug)]
pub struct ElementProcess {
    program: PathBuf,
    arguments: Vec<OsString>,
    patience: Duration,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// `None` once it is told to end.
    input: Option<ChildStdin>,
    answers: Receiver<io::Result<Option<Vec<u8>>>>,
    reason: Option<JoinHandle<String>>,
}

/// Why the element process could not be reached. Whether it carried out the last command is not known: start it again and
/// repeat the command.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ElementProcessError {
    /// The program could not be started.
    #[error("the element {program} cannot be started ({source}); check the path of the element in device.toml")]
    NotStarted {
        /// The program.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The process ended.
    #[error("the element process stopped{}; run the command again", reason_text(reason))]
    Stopped {
        /// What it said last; may be empty.
        reason: String,
    },
    /// The process did not answer in time and was ended.
    #[error("the element process did not answer within {0:?} and was ended; run the command again")]
    Silent(Duration),
    /// The answer is longer than any answer of an element.
    #[error("the element process answered more than an element does; check the path of the element in device.toml")]
    AnswerTooLong,
}

fn reason_text(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}

impl ElementProcess {
    /// Starts `program element --flash FLASH`.
    ///
    /// # Errors
    /// The program cannot be started. That it cannot open its flash shows at the first command.
    pub fn start(program: &Path, flash: &Path) -> Result<Self, ElementProcessError> {
        Self::start_with(program, ["element".as_ref(), "--flash".as_ref(), flash.as_os_str()], PATIENCE)
    }

    /// Starts `program` with `arguments` and waits at most `patience` for each answer.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start_with<'a>(
        program: &Path,
        arguments: impl IntoIterator<Item = &'a OsStr>,
        patience: Duration,
    ) -> Result<Self, ElementProcessError> {
        let arguments: Vec<OsString> = arguments.into_iter().map(OsStr::to_owned).collect();
        let running = Some(Running::start(program, &arguments)?);
        Ok(Self { program: program.to_owned(), arguments, patience, running })
    }

    /// The number of the process; `None` while none runs.
    pub fn id(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, ElementProcessError> {
        let mut running = match self.running.take() {
            Some(running) => running,
            None => Running::start(&self.program, &self.arguments)?,
        };
        if frame::write(running.input.as_mut().expect("open while it runs"), command).is_err() {
            return Err(running.stopped());
        }
        match running.answers.recv_timeout(self.patience) {
            Ok(Ok(Some(answer))) => {
                self.running = Some(running);
                Ok(answer)
            }
            Ok(Ok(None) | Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(running.stopped()),
            Err(RecvTimeoutError::Timeout) => {
                running.end(Duration::ZERO);
                Err(ElementProcessError::Silent(self.patience))
            }
        }
    }
}

impl Running {
    fn start(program: &Path, arguments: &[OsString]) -> Result<Self, ElementProcessError> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The interrupt key ends the wallet only; the element finishes its command and ends when its input does.
            .process_group(0)
            .spawn()
            .map_err(|source| ElementProcessError::NotStarted { program: program.display().to_string(), source })?;
        let input = child.stdin.take();
        let output = child.stdout.take().expect("stdout is piped");
        let errors = child.stderr.take().expect("stderr is piped");
        let (sender, answers) = sync_channel(1);
        std::thread::spawn(move || forward_answers(output, &sender));
        let reason = Some(std::thread::spawn(move || read_reason(errors)));
        Ok(Self { child, input, answers, reason })
    }

    /// Ends the process and tells what it said.
    fn stopped(mut self) -> ElementProcessError {
        self.end(FAREWELL);
        let reason = self.reason.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        ElementProcessError::Stopped { reason }
    }

    fn end(&mut self, farewell: Duration) {
        drop(self.input.take());
        let begun = Instant::now();
        while begun.elapsed() < farewell {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        // Both fail only where the process has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Link for ElementProcess {
    type Error = ElementProcessError;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, ElementProcessError> {
        let mut answer = self.exchange(command)?;
        let room = response.get_mut(..answer.len()).ok_or(ElementProcessError::AnswerTooLong)?;
        room.copy_from_slice(&answer);
        zeroize::Zeroize::zeroize(&mut answer[..]);
        Ok(answer.len())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(FAREWELL);
    }
}

/// Hands over every answer until the stream ends.
fn forward_answers(mut output: ChildStdout, answers: &SyncSender<io::Result<Option<Vec<u8>>>>) {
    loop {
        let answer = frame::read(&mut output);
        let last = !matches!(answer, Ok(Some(_)));
        if answers.send(answer).is_err() || last {
            return;
        }
    }
}

/// What the process wrote to its standard error, its beginning, on one line.
fn read_reason(mut errors: ChildStderr) -> String {
    let mut reason = Vec::new();
    let _ = errors.by_ref().take(REASON_MAX).read_to_end(&mut reason);
    let _ = io::copy(&mut errors, &mut io::sink());
    String::from_utf8_lossy(&reason).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, patience: Duration) -> ElementProcess {
        ElementProcess::start_with(Path::new("/bin/sh"), [OsStr::new("-c"), OsStr::new(script)], patience).unwrap()
    }

    #[test]
    fn carries_frames_both_ways() {
        let mut process = shell("cat", PATIENCE);
        let mut response = [0; 8];
        assert_eq!(process.transmit(b"hello", &mut response).unwrap(), 5);
        assert_eq!(&response[..5], b"hello");
        assert!(matches!(process.transmit(b"far too long", &mut response), Err(ElementProcessError::AnswerTooLong)));
    }

    #[test]
    fn a_process_that_stops_says_why() {
        let mut process = shell("echo 'flash.bin: no such file' >&2; exit 1", PATIENCE);
        let mut response = [0; 8];
        let error = process.transmit(b"x", &mut response).unwrap_err();
        assert!(
            matches!(&error, ElementProcessError::Stopped { reason } if reason == "flash.bin: no such file"),
            "{error}"
        );
    }

    #[test]
    fn a_process_that_ended_is_started_again() {
        let mut process = shell("head -c 7", PATIENCE);
        let mut response = [0; 8];
        for _ in 0..3 {
            assert_eq!(process.transmit(b"hello", &mut response).unwrap(), 5);
            assert!(matches!(process.transmit(b"x", &mut response), Err(ElementProcessError::Stopped { .. })));
            assert!(process.id().is_none());
            assert_eq!(process.transmit(b"hello", &mut response).unwrap(), 5);
            assert!(matches!(process.transmit(b"x", &mut response), Err(ElementProcessError::Stopped { .. })));
        }
    }

    #[test]
    fn a_silent_process_is_ended() {
        let mut process = shell("exec sleep 600", Duration::from_millis(20));
        let id = process.id().unwrap();
        assert!(matches!(process.transmit(b"x", &mut [0; 8]), Err(ElementProcessError::Silent(_))));
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn dropping_ends_and_reaps_the_process() {
        for script in ["cat", "exec sleep 600"] {
            let process = shell(script, PATIENCE);
            let id = process.id().unwrap();
            drop(process);
            assert!(!Path::new(&format!("/proc/{id}")).exists(), "{script}");
        }
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = ElementProcess::start(Path::new("/nowhere/specie"), Path::new("flash.bin")).err().unwrap();
        assert!(error.to_string().contains("/nowhere/specie"), "{error}");
    }
}
