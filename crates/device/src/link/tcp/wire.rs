//! Frames on a TCP stream: a kind (u8), a length (u32 big-endian), and so many bytes; each against a deadline.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::link::MESSAGE_MAX;

/// How long one message may take on its way once it is expected.
pub(super) const MESSAGE_TIME: Duration = Duration::from_secs(30);

/// Longest code of a refusal, in bytes.
const CODE_MAX: usize = 64;

/// Bytes that are read before more memory is asked for: a length alone costs nothing.
const CHUNK: usize = 64 << 10;

/// What travels in one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A message as `docs/spec/specie.cddl` has it.
    Message(Vec<u8>),
    /// The other side does not go on: a stable code.
    Refusal(String),
    /// The receipt arrived.
    Done,
}

/// Why the other side cannot be understood or heard.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WireError {
    /// It closed the connection.
    #[error("the other device closed the connection")]
    Closed,
    /// It took too long.
    #[error("the other device took too long")]
    TooLate,
    /// It sent more than a message has.
    #[error("the other device sent {0} bytes, more than any message has")]
    TooLong(u32),
    /// It sent something that is no part of this exchange.
    #[error("the other device sent something that does not belong into a payment")]
    Unexpected,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(io::Error),
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Closed,
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::TooLate,
            _ => Self::Io(error),
        }
    }
}

/// One end of a connection.
pub(super) struct Wire<'a> {
    stream: &'a TcpStream,
    deadline: Instant,
}

impl<'a> Wire<'a> {
    pub(super) fn new(stream: &'a TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, deadline: Instant::now() })
    }

    /// Sends one frame.
    pub(super) fn send(&mut self, frame: &Frame) -> Result<(), WireError> {
        self.deadline = Instant::now() + MESSAGE_TIME;
        let (kind, bytes) = match frame {
            Frame::Message(bytes) => (1, &bytes[..]),
            Frame::Refusal(code) => (2, code.as_bytes()),
            Frame::Done => (3, &[][..]),
        };
        let length = u32::try_from(bytes.len()).map_err(|_| WireError::TooLong(u32::MAX))?;
        let mut encoded = Vec::with_capacity(5 + bytes.len());
        encoded.push(kind);
        encoded.extend_from_slice(&length.to_be_bytes());
        encoded.extend_from_slice(bytes);
        Ok(self.write_all(&encoded)?)
    }

    /// Waits at most `patience` for one frame.
    pub(super) fn receive(&mut self, patience: Duration) -> Result<Frame, WireError> {
        self.deadline = Instant::now() + patience;
        let mut header = [0; 5];
        self.read_exact(&mut header)?;
        let [kind, length @ ..] = header;
        let length = u32::from_be_bytes(length);
        let limit = match kind {
            1 => MESSAGE_MAX,
            2 => CODE_MAX,
            3 => 0,
            _ => return Err(WireError::Unexpected),
        };
        let length =
            usize::try_from(length).ok().filter(|&length| length <= limit).ok_or(WireError::TooLong(length))?;
        let bytes = self.read_bytes(length)?;
        match kind {
            1 => Ok(Frame::Message(bytes)),
            2 => code(bytes).map(Frame::Refusal).ok_or(WireError::Unexpected),
            _ => Ok(Frame::Done),
        }
    }

    fn read_bytes(&mut self, length: usize) -> Result<Vec<u8>, WireError> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let start = bytes.len();
            bytes.resize(length.min(start + CHUNK), 0);
            self.read_exact(&mut bytes[start..])?;
        }
        Ok(bytes)
    }

    fn remaining(&self) -> io::Result<Duration> {
        let remaining = self.deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(remaining) }
    }
}

/// A code is shown to people: lower-case words joined by hyphens, nothing else.
fn code(bytes: Vec<u8>) -> Option<String> {
    let plain = bytes.iter().all(|&byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    String::from_utf8(bytes).ok().filter(|code| plain && !code.is_empty())
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.remaining()?))?;
        let mut stream = self.stream;
        stream.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.remaining()?))?;
        let mut stream = self.stream;
        stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
