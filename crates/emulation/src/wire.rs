//! A wire between the UARTs of two machines.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;

use crate::error::{Doing, EmulationError};
use crate::machine::Serial;

/// How often a wire looks whether it is to end.
const PULSE: Duration = Duration::from_millis(20);

/// Joins two UARTs. It stays while machines come and go; what is sent while nobody is at the other end is lost, as on a
/// wire.
#[derive(Debug)]
pub struct Wire {
    ends: [PathBuf; 2],
    ended: Arc<AtomicBool>,
    carriers: Vec<JoinHandle<()>>,
    _directory: TempDir,
}

type Plug = Arc<Mutex<Option<UnixStream>>>;

impl Wire {
    /// A wire with nothing at its ends.
    ///
    /// # Errors
    /// Its sockets cannot be made.
    pub fn new() -> Result<Self, EmulationError> {
        let directory = tempfile::Builder::new().prefix("specie-wire-").tempdir().doing("making a directory")?;
        let ends = ["a", "b"].map(|name| directory.path().join(name));
        let ended = Arc::new(AtomicBool::new(false));
        let plugs: [Plug; 2] = Default::default();
        let mut carriers = Vec::new();
        for (own, path) in ends.iter().enumerate() {
            let listener = UnixListener::bind(path).doing("making a wire")?;
            listener.set_nonblocking(true).doing("making a wire")?;
            let (ended, plugs) = (Arc::clone(&ended), plugs.clone());
            carriers.push(thread::spawn(move || {
                carry(&listener, &plugs[own], &plugs[1 - own], &ended);
            }));
        }
        Ok(Self { ends, ended, carriers, _directory: directory })
    }

    /// What the UARTs are joined to.
    pub fn ends(&self) -> [Serial; 2] {
        self.ends.clone().map(Serial::Socket)
    }

    /// Paths of the sockets.
    pub fn paths(&self) -> [&Path; 2] {
        self.ends.each_ref().map(PathBuf::as_path)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for carrier in self.carriers.drain(..) {
            // A carrier that panicked carries nothing any more, which is what is wanted here.
            let _ = carrier.join();
        }
    }
}

/// Carries what comes in at one end to the other, for one machine after the other.
fn carry(listener: &UnixListener, own: &Plug, other: &Plug, ended: &AtomicBool) {
    while !ended.load(Ordering::Relaxed) {
        let Ok((mut stream, _)) = listener.accept() else {
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        let clone = stream.try_clone().ok().filter(|clone| clone.set_nonblocking(false).is_ok());
        *own.lock().unwrap_or_else(PoisonError::into_inner) = clone;
        if stream.set_read_timeout(Some(PULSE)).is_err() {
            return;
        }
        let mut buffer = [0; 256];
        while !ended.load(Ordering::Relaxed) {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    let mut other = other.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(other) = other.as_mut() {
                        // Where the other machine is gone, its carrier notices.
                        let _ = other.write_all(&buffer[..length]);
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => break,
            }
        }
        *own.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn connect(wire: &Wire, end: usize) -> UnixStream {
        let stream = UnixStream::connect(wire.paths()[end]).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // The wire has to notice before anything is sent to this end.
        thread::sleep(PULSE * 5);
        stream
    }

    #[test]
    fn carries_both_ways_and_outlives_who_is_at_its_ends() {
        let wire = Wire::new().unwrap();
        let mut a = connect(&wire, 0);
        let mut byte = [0];
        for round in 0..3 {
            let mut b = connect(&wire, 1);
            a.write_all(&[round]).unwrap();
            b.read_exact(&mut byte).unwrap();
            assert_eq!(byte, [round]);
            b.write_all(&[round + 100]).unwrap();
            a.read_exact(&mut byte).unwrap();
            assert_eq!(byte, [round + 100]);
            drop(b);
            thread::sleep(PULSE * 5);
            // Nobody is there.
            a.write_all(&[99]).unwrap();
            thread::sleep(PULSE * 5);
        }
    }
}
