//! The emulator's monitor: QMP, of which four commands are used.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Doing, EmulationError};
use crate::port::is_gone;

/// How long the emulator may take to do as it is told.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the emulator's monitor will connect.
#[derive(Debug)]
pub(crate) struct MonitorSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// A connection to the emulator's monitor.
#[derive(Debug)]
pub(crate) struct Monitor {
    stream: BufReader<UnixStream>,
}

impl MonitorSocket {
    pub(crate) fn listen(path: PathBuf) -> Result<Self, EmulationError> {
        let listener = UnixListener::bind(&path).doing("making a socket for the monitor")?;
        listener.set_nonblocking(true).doing("making a socket for the monitor")?;
        Ok(Self { listener, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the emulator's connection, if it has come.
    pub(crate) fn accept(&self) -> Result<Option<UnixStream>, EmulationError> {
        match self.listener.accept() {
            Ok((stream, _)) => Ok(Some(stream)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error).doing("waiting for the monitor to connect"),
        }
    }
}

impl Monitor {
    /// Greets the monitor.
    pub(crate) fn open(stream: UnixStream) -> Result<Self, EmulationError> {
        stream.set_nonblocking(false).doing("reaching the monitor")?;
        stream.set_read_timeout(Some(PATIENCE)).doing("reaching the monitor")?;
        stream.set_write_timeout(Some(PATIENCE)).doing("reaching the monitor")?;
        let mut monitor = Self { stream: BufReader::new(stream) };
        monitor.execute("qmp_capabilities")?;
        Ok(monitor)
    }

    /// Stops the processor, between two instructions.
    pub(crate) fn stop(&mut self) -> Result<(), EmulationError> {
        self.execute("stop")
    }

    /// Lets the processor go on.
    pub(crate) fn go_on(&mut self) -> Result<(), EmulationError> {
        self.execute("cont")
    }

    /// Resets the board.
    pub(crate) fn reset(&mut self) -> Result<(), EmulationError> {
        self.send("system_reset")?;
        self.await_line("\"RESET\"")
    }

    fn execute(&mut self, command: &str) -> Result<(), EmulationError> {
        self.send(command)?;
        self.await_line("{\"return\"")
    }

    fn send(&mut self, command: &str) -> Result<(), EmulationError> {
        let line = format!("{{\"execute\":\"{command}\"}}\n");
        match self.stream.get_mut().write_all(line.as_bytes()) {
            Err(error) if is_gone(error.kind()) => Err(EmulationError::PowerOff),
            result => result.doing("talking to the monitor"),
        }
    }

    /// Reads until a line has `text` in it; greetings, events and other returns come between.
    fn await_line(&mut self, text: &str) -> Result<(), EmulationError> {
        let mut line = String::new();
        loop {
            line.clear();
            match self.stream.read_line(&mut line) {
                Ok(0) => return Err(EmulationError::PowerOff),
                Ok(_) if line.contains(text) => return Ok(()),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(EmulationError::Late("the monitor's answer"));
                }
                Err(error) if is_gone(error.kind()) => return Err(EmulationError::PowerOff),
                Err(error) => return Err(error).doing("listening to the monitor"),
            }
        }
    }
}
