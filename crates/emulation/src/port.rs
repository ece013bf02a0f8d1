//! A UART of an emulated board, seen from outside.

use std::io::{ErrorKind, Read, Write};
use std::ops::Range;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use specie_element::t1::reader::Line;

use crate::error::{Doing, EmulationError};

/// How long bytes may stay unread at the other end, before sending them fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes to and from a UART. Clones are the same port; it outlives power cuts of the board.
#[derive(Clone, Debug)]
pub struct Port(Arc<Mutex<Socket>>);

impl Port {
    /// A port that nobody is connected to.
    pub(crate) fn listen(path: &Path) -> Result<Self, EmulationError> {
        Ok(Self(Arc::new(Mutex::new(Socket::listen(path)?))))
    }

    /// Takes the emulator's connection, if it has come.
    pub(crate) fn accept(&self) -> Result<bool, EmulationError> {
        self.socket().accept()
    }

    pub(crate) fn disconnect(&self) {
        self.socket().disconnect();
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// The emulator is gone, or does not take them.
    pub fn send(&self, bytes: &[u8]) -> Result<(), EmulationError> {
        self.socket().send(bytes)
    }

    /// Waits at most `patience` for the next byte; `None`: none came.
    ///
    /// # Errors
    /// The emulator is gone.
    pub fn receive(&self, patience: Duration) -> Result<Option<u8>, EmulationError> {
        self.socket().receive(patience)
    }

    /// Waits at most `patience` for `pattern`, and throws away what comes before.
    ///
    /// # Errors
    /// The emulator is gone, or it did not come.
    pub fn await_bytes(&self, pattern: &[u8], patience: Duration) -> Result<(), EmulationError> {
        let end = Instant::now() + patience;
        let mut last = Vec::new();
        while !last.ends_with(pattern) {
            let left = end.saturating_duration_since(Instant::now());
            last.push(self.receive(left)?.ok_or(EmulationError::Late("what the board sends first"))?);
        }
        Ok(())
    }

    /// Throws away everything that came.
    ///
    /// # Errors
    /// The emulator is gone.
    pub fn drain(&self) -> Result<(), EmulationError> {
        self.socket().drain()
    }

    fn socket(&self) -> MutexGuard<'_, Socket> {
        // A test that panicked in the middle of reading leaves nothing behind that another could mistake.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line for Port {
    type Error = EmulationError;

    fn send(&mut self, bytes: &[u8]) -> Result<(), EmulationError> {
        Self::send(self, bytes)
    }

    fn receive(&mut self, patience_ms: u32) -> Result<Option<u8>, EmulationError> {
        Self::receive(self, Duration::from_millis(patience_ms.into()))
    }
}

#[derive(Debug)]
struct Socket {
    listener: UnixListener,
    stream: Option<UnixStream>,
    /// How long the stream waits, as it was told last.
    patience: Option<Duration>,
    buffer: [u8; 512],
    /// What of the buffer was not taken yet.
    unread: Range<usize>,
}

impl Socket {
    fn listen(path: &Path) -> Result<Self, EmulationError> {
        let listener = UnixListener::bind(path).doing("making a socket for the emulator")?;
        listener.set_nonblocking(true).doing("making a socket for the emulator")?;
        Ok(Self { listener, stream: None, patience: None, buffer: [0; 512], unread: 0..0 })
    }

    fn accept(&mut self) -> Result<bool, EmulationError> {
        match self.listener.accept() {
            Ok((stream, _)) => {
                stream.set_write_timeout(Some(PATIENCE)).doing("connecting to the emulator")?;
                self.disconnect();
                self.stream = Some(stream);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error).doing("waiting for the emulator to connect"),
        }
    }

    fn disconnect(&mut self) {
        self.stream = None;
        self.patience = None;
        self.unread = 0..0;
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), EmulationError> {
        self.set_patience(PATIENCE)?;
        let stream = self.stream.as_mut().ok_or(EmulationError::PowerOff)?;
        match stream.write_all(bytes) {
            Err(error) if is_gone(error.kind()) => Err(EmulationError::PowerOff),
            result => result.doing("sending to a UART"),
        }
    }

    fn receive(&mut self, patience: Duration) -> Result<Option<u8>, EmulationError> {
        if self.unread.is_empty() && !self.fill(patience)? {
            return Ok(None);
        }
        Ok(self.unread.next().map(|at| self.buffer[at]))
    }

    fn drain(&mut self) -> Result<(), EmulationError> {
        self.unread = 0..0;
        while self.fill(Duration::ZERO)? {
            self.unread = 0..0;
        }
        Ok(())
    }

    /// Reads what has come, or waits for it; `false`: nothing came.
    fn fill(&mut self, patience: Duration) -> Result<bool, EmulationError> {
        self.set_patience(patience)?;
        let stream = self.stream.as_mut().ok_or(EmulationError::PowerOff)?;
        loop {
            return match stream.read(&mut self.buffer) {
                Ok(0) => Err(EmulationError::PowerOff),
                Ok(length) => {
                    self.unread = 0..length;
                    Ok(true)
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
                Err(error) if is_gone(error.kind()) => Err(EmulationError::PowerOff),
                Err(error) => Err(error).doing("reading from a UART"),
            };
        }
    }

    fn set_patience(&mut self, patience: Duration) -> Result<(), EmulationError> {
        if self.patience == Some(patience) {
            return Ok(());
        }
        let stream = self.stream.as_mut().ok_or(EmulationError::PowerOff)?;
        stream.set_nonblocking(patience.is_zero()).doing("reading from a UART")?;
        if !patience.is_zero() {
            stream.set_read_timeout(Some(patience)).doing("reading from a UART")?;
        }
        self.patience = Some(patience);
        Ok(())
    }
}

/// Whether the other end was closed.
pub(crate) fn is_gone(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}
