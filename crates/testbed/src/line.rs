//! A line to a server that breaks when a transaction is committed: just before the server hears of it, or just after.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::server::{SOCKET, USER};

/// The message of a commit, as clients send it: a simple query.
const COMMIT: &[u8] = b"COMMIT\0";

/// When the line breaks next. It breaks once, and carries everything again after that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Break {
    /// Not at all.
    Never,
    /// The server does not hear of the commit.
    BeforeCommit,
    /// The server commits, and nobody hears of it.
    AfterCommit,
}

/// A line.
pub struct Line {
    directory: TempDir,
    next: Arc<AtomicU8>,
    broken: Arc<Mutex<u32>>,
}

impl Line {
    /// A line to the server whose socket is in `server`.
    ///
    /// # Errors
    /// When there can be no socket.
    pub fn to(server: &Path) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("line").tempdir_in("/tmp")?;
        let listener = UnixListener::bind(directory.path().join(SOCKET))?;
        let next = Arc::new(AtomicU8::new(Break::Never as u8));
        let broken = Arc::new(Mutex::new(0));
        let (socket, breaks, count) = (server.join(SOCKET), Arc::clone(&next), Arc::clone(&broken));
        // Ends with the process: a listener cannot be woken.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (socket, breaks, count) = (socket.clone(), Arc::clone(&breaks), Arc::clone(&count));
                std::thread::spawn(move || drop(carry(&client, &socket, &breaks, &count)));
            }
        });
        Ok(Self { directory, next, broken })
    }

    /// The address of the server's database over this line.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@{}/postgres", self.directory.path().to_string_lossy().replace('/', "%2F"))
    }

    /// Breaks at the next commit.
    pub fn break_at(&self, when: Break) {
        self.next.store(when as u8, Ordering::SeqCst);
    }

    /// How often it broke.
    pub fn broken(&self) -> u32 {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn carry(client: &UnixStream, socket: &PathBuf, breaks: &AtomicU8, broken: &Mutex<u32>) -> Result<()> {
    let server = UnixStream::connect(socket)?;
    let back = {
        let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
        std::thread::spawn(move || {
            drop(std::io::copy(&mut from, &mut to));
            drop(to.shutdown(Shutdown::Both));
        })
    };
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let mut buffer = [0; 65_536];
    loop {
        let read = from.read(&mut buffer)?;
        let heard = buffer.get(..read).unwrap_or_default();
        if read == 0 {
            break;
        }
        let commits = heard.windows(COMMIT.len()).any(|window| window == COMMIT);
        let when = if commits { breaks.swap(Break::Never as u8, Ordering::SeqCst) } else { Break::Never as u8 };
        if when == Break::Never as u8 {
            to.write_all(heard)?;
            continue;
        }
        *broken.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        if when == Break::AfterCommit as u8 {
            // The client hears nothing any more, and the server has the time that a commit takes.
            client.shutdown(Shutdown::Both)?;
            to.write_all(heard)?;
            std::thread::sleep(Duration::from_millis(200));
        }
        break;
    }
    drop(client.shutdown(Shutdown::Both));
    drop(server.shutdown(Shutdown::Both));
    drop(back.join());
    Ok(())
}
