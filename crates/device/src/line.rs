//! A line of bytes to a chip or a microcontroller, over a socket or a serial device.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::termios::{ControlModes, OptionalActions, QueueSelector, SpecialCodeIndex};
use rustix::termios::{ioctl_tiocexcl, isatty, tcflush, tcgetattr, tcsetattr};
use specie_element::t1::reader::Line;
use zeroize::Zeroize;

use crate::element::ChipAddress;

/// Bits per second of a serial line. USB ignores it.
const BAUD: u32 = 115_200;

/// How long the other side may take none of what is sent to it.
const SENDING: Duration = Duration::from_secs(2);

/// An open line. It may have a deadline, and gives up when that passes, whatever comes.
#[derive(Debug)]
pub struct OpenLine {
    stream: Stream,
    deadline: Option<Instant>,
    input: [u8; 512],
    /// What of the input is there and not taken yet.
    taken: usize,
    filled: usize,
}

#[derive(Debug)]
enum Stream {
    Socket(UnixStream),
    Serial(File),
}

impl OpenLine {
    /// Opens a line, without a deadline. A serial device is this process's alone until the line is dropped.
    ///
    /// # Errors
    /// There is nothing, it is none, or another process uses it: nothing was sent.
    pub fn open(address: &ChipAddress) -> io::Result<Self> {
        let stream = match address {
            ChipAddress::Socket(path) => {
                let socket = UnixStream::connect(path)?;
                socket.set_nonblocking(true)?;
                Stream::Socket(socket)
            }
            ChipAddress::Serial(path) => Stream::Serial(open_serial(path)?),
        };
        Ok(Self { stream, deadline: None, input: [0; 512], taken: 0, filled: 0 })
    }

    /// Until when the line is of use.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    fn check_deadline(&self, now: Instant) -> io::Result<()> {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "the other side took too long for one command"))
    }

    /// Waits until the stream is ready, at most until `end` and the deadline; tells whether it is.
    ///
    /// # Errors
    /// The deadline has passed, or the operating system cannot wait.
    fn wait(&self, flags: PollFlags, end: Instant) -> io::Result<bool> {
        loop {
            let now = Instant::now();
            self.check_deadline(now)?;
            let end = self.deadline.map_or(end, |deadline| end.min(deadline));
            let rest = end.saturating_duration_since(now);
            let timeout = Timespec::try_from(rest).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&self.stream, flags)], Some(&timeout)) {
                // Which of the two it was, the deadline says.
                Ok(0) => return self.check_deadline(Instant::now()).map(|()| false),
                Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A serial device in raw mode, for this process alone.
fn open_serial(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
    if !isatty(&file) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no serial device"));
    }
    file.try_lock().map_err(|error| match error {
        TryLockError::Error(error) => error,
        TryLockError::WouldBlock => io::Error::new(io::ErrorKind::ResourceBusy, "another process uses it"),
    })?;
    // Some system services talk to every serial device that appears.
    ioctl_tiocexcl(&file)?;
    let mut settings = tcgetattr(&file)?;
    settings.make_raw();
    settings.set_speed(BAUD)?;
    settings.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD | ControlModes::CS8;
    settings.control_modes -= ControlModes::PARENB | ControlModes::CSTOPB | ControlModes::CRTSCTS | ControlModes::HUPCL;
    settings.special_codes[SpecialCodeIndex::VMIN] = 1;
    settings.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(&file, OptionalActions::Flush, &settings)?;
    tcflush(&file, QueueSelector::IOFlush)?;
    Ok(file)
}

impl Line for OpenLine {
    type Error = io::Error;

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = match &mut self.stream {
                Stream::Socket(socket) => socket.write(rest),
                Stream::Serial(file) => file.write(rest),
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(length) => rest = &rest[length..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.wait(PollFlags::OUT, Instant::now() + SENDING)? {
                        return Err(io::Error::new(io::ErrorKind::TimedOut, "the other side takes nothing"));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self, patience_ms: u32) -> io::Result<Option<u8>> {
        let end = Instant::now() + Duration::from_millis(patience_ms.into());
        while self.taken == self.filled {
            let read = match &mut self.stream {
                Stream::Socket(socket) => socket.read(&mut self.input),
                Stream::Serial(file) => file.read(&mut self.input),
            };
            match read {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the line was cut off")),
                Ok(length) => (self.taken, self.filled) = (0, length),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.wait(PollFlags::IN, end)? {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        // Who never stops sending has a deadline too.
        self.check_deadline(Instant::now())?;
        let byte = std::mem::take(&mut self.input[self.taken]);
        self.taken += 1;
        Ok(Some(byte))
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Socket(socket) => socket.as_fd(),
            Self::Serial(file) => file.as_fd(),
        }
    }
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        self.input.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{InputModes, LocalModes, OutputModes};

    use super::*;

    const SOON: u32 = 5_000;

    /// A serial device that is none, and its other end.
    fn serial() -> (File, std::path::PathBuf) {
        let other = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&other).unwrap();
        unlockpt(&other).unwrap();
        let path = ptsname(&other, Vec::new()).unwrap().into_string().unwrap().into();
        (File::from(other), path)
    }

    fn open(address: &ChipAddress) -> io::Result<OpenLine> {
        let mut line = OpenLine::open(address)?;
        line.set_deadline(Instant::now() + Duration::from_secs(60));
        Ok(line)
    }

    #[test]
    fn a_serial_device_carries_every_byte_as_it_is() {
        let (mut other, path) = serial();
        let mut line = open(&ChipAddress::Serial(path)).unwrap();
        let every: Vec<u8> = (0..=255).collect();
        other.write_all(&every).unwrap();
        for byte in &every {
            assert_eq!(line.receive(SOON).unwrap(), Some(*byte));
        }
        line.send(&every).unwrap();
        let mut came = [0; 256];
        other.read_exact(&mut came).unwrap();
        assert_eq!(came[..], every);
        assert_eq!(line.receive(1).unwrap(), None, "nothing was echoed");
        let Stream::Serial(file) = &line.stream else { unreachable!("it is serial") };
        let settings = tcgetattr(file).unwrap();
        assert!(!settings.local_modes.intersects(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG));
        assert!(!settings.input_modes.intersects(InputModes::IXON | InputModes::ICRNL | InputModes::ISTRIP));
        assert!(!settings.output_modes.contains(OutputModes::OPOST));
        assert_eq!((settings.input_speed(), settings.output_speed()), (BAUD, BAUD));
    }

    #[test]
    fn a_serial_device_is_for_one_process_and_for_serial_devices() {
        let (other, path) = serial();
        let address = ChipAddress::Serial(path);
        let line = open(&address).unwrap();
        assert!(open(&address).is_err());
        drop(line);
        open(&address).unwrap();
        drop(other);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "text").unwrap();
        assert_eq!(open(&ChipAddress::Serial(file)).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_serial_device_that_is_pulled_out_is_an_error() {
        let (other, path) = serial();
        let mut line = open(&ChipAddress::Serial(path)).unwrap();
        drop(other);
        assert!(line.receive(SOON).is_err());
        assert!(line.send(&[1]).is_err());
    }

    #[test]
    fn a_line_is_waited_for_as_long_as_was_said() {
        let (near, mut far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let deadline = Instant::now() + Duration::from_millis(600);
        let mut line =
            OpenLine { stream: Stream::Socket(near), deadline: Some(deadline), input: [0; 512], taken: 0, filled: 0 };
        let begun = Instant::now();
        assert_eq!(line.receive(20).unwrap(), None);
        assert!(begun.elapsed() >= Duration::from_millis(20) && begun.elapsed() < Duration::from_millis(500));
        far.write_all(&[7, 8]).unwrap();
        assert_eq!(line.receive(SOON).unwrap(), Some(7));
        // It takes nothing: neither that nor the deadline lets anybody wait for ever.
        let error = loop {
            if let Err(error) = line.send(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(line.receive(SOON).unwrap_err().kind(), io::ErrorKind::TimedOut);
        line.set_deadline(Instant::now() + Duration::from_secs(60));
        assert_eq!(line.receive(SOON).unwrap(), Some(8));
        drop(far);
        assert!(line.receive(SOON).is_err());
    }
}
