//! The signer's process: a socket that the bank's servers reach, and nobody else.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use specie_bank::signer::{Answering, Committing, Signer, SignerError};
use specie_core::class::Info;
use specie_core::encoding::{Decode, Encode};
use specie_core::revocation::RevocationBody;
use thiserror::Error;

use crate::folder::Folder;
use crate::frame;
use crate::keeper::Keeper;
use crate::message::{Keys, Page, Reply, Request};

/// Connections at a time: far more than servers hold open.
const CONNECTIONS_MAX: usize = 256;

/// How long an answer may take to be taken.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A socket that is listened on. Dropped, it is gone.
pub struct Listening {
    listener: UnixListener,
    folder: Folder,
    /// Held as long as the socket is this process's.
    _lock: File,
}

/// Why a signer cannot be served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Another process serves it.
    #[error("the signer in {} is served by another process already", .0.display())]
    Served(std::path::PathBuf),
    /// The socket cannot be made.
    #[error("cannot listen on {}: {source}", path.display())]
    Socket {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Listens on the socket of `folder`, for processes of this user and of `servers`.
///
/// # Errors
/// When it is served already, or the socket cannot be made.
pub fn listen(folder: &Folder, servers: &[u32]) -> Result<Listening, ListenError> {
    let path = folder.socket();
    let failed = |source| ListenError::Socket { path: path.clone(), source };
    let mut options = OpenOptions::new();
    let lock = options.write(true).create(true).truncate(false).mode(0o600).open(folder.lock()).map_err(failed)?;
    lock.try_lock().map_err(|_| ListenError::Served(folder.0.clone()))?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        // Left behind by a process that was killed.
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(failed)?;
    let mode = if servers.is_empty() { 0o600 } else { 0o660 };
    fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(failed)?;
    Ok(Listening { listener, folder: folder.clone(), _lock: lock })
}

impl Listening {
    /// Serves `keeper` until the process ends, which it may at any moment.
    pub fn run(self, keeper: Keeper) {
        forbid_inspection();
        let (keeper, open) = (Arc::new(keeper), Arc::new(AtomicUsize::new(0)));
        for stream in self.listener.incoming() {
            let Ok(stream) = stream else { continue };
            if !is_admitted(&stream, &keeper.limits().servers) || open.load(Ordering::Relaxed) >= CONNECTIONS_MAX {
                continue;
            }
            open.fetch_add(1, Ordering::Relaxed);
            let (keeper, counted) = (Arc::clone(&keeper), Arc::clone(&open));
            let served = std::thread::Builder::new().spawn(move || {
                // What a peer does wrong ends its connection, and nothing else.
                let _ = converse(&keeper, &stream);
                counted.fetch_sub(1, Ordering::Relaxed);
            });
            if served.is_err() {
                open.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.folder.socket());
    }
}

/// No debugger of the same user, and no dump of memory.
fn forbid_inspection() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Whether the process at the other end is this user's, or a server's.
#[cfg(target_os = "linux")]
fn is_admitted(stream: &UnixStream, servers: &[u32]) -> bool {
    let own = rustix::process::geteuid();
    rustix::net::sockopt::socket_peercred(stream)
        .is_ok_and(|peer| peer.uid == own || servers.contains(&peer.uid.as_raw()))
}

/// Whether the process at the other end is this user's: the rights of the socket see to it.
#[cfg(not(target_os = "linux"))]
fn is_admitted(_stream: &UnixStream, _servers: &[u32]) -> bool {
    true
}

fn converse(keeper: &Keeper, stream: &UnixStream) -> io::Result<()> {
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    let (mut input, mut output) = (stream, stream);
    while let Some(bytes) = frame::read(&mut input)? {
        let reply = match Request::decode(&bytes) {
            Ok(request) => answer(keeper, request).unwrap_or_else(Reply::Refused),
            Err(error) => {
                Reply::Refused(SignerError::Failed(format!("it was asked what it does not understand: {error}")))
            }
        };
        frame::write(&mut output, &reply.to_vec())?;
    }
    Ok(())
}

fn answer(keeper: &Keeper, request: Request) -> Result<Reply, SignerError> {
    match request {
        Request::Keys => Ok(Reply::Keys(Keys { ledger: keeper.ledger_key(), issuing: keeper.issuing_keys() })),
        Request::Commit { batch, device, classes } => {
            let (batch, valid_until) = (&batch.key, batch.valid_until);
            let committing = Committing { batch, device: &device, classes: &classes, valid_until };
            Ok(Reply::Committed(keeper.commit(&committing)?))
        }
        Request::Answer { batch, sessions, challenges } => {
            let (batch, valid_until) = (&batch.key, batch.valid_until);
            let answering = Answering { batch, sessions, challenges: &challenges, valid_until };
            Ok(Reply::Answered(keeper.answer(&answering)?))
        }
        Request::Revocations(page) => {
            let Page { issuer, page, sequence, previous, oldest, issued_at, notes } = page;
            let body = RevocationBody { issuer, page, sequence, previous, oldest, issued_at, notes: &notes };
            Ok(Reply::Signed(keeper.sign_revocations(body)?))
        }
        Request::AuditHead(head) => Ok(Reply::Signed(keeper.sign_audit_head(head)?.to_vec())),
        Request::Classes(infos) => {
            let infos = infos.iter().map(|info| Info::decode(info)).collect::<Result<Vec<_>, _>>();
            let infos = infos.map_err(|error| SignerError::Failed(error.to_string()))?;
            let made = keeper.make_classes(&infos).map_err(|error| SignerError::Failed(error.to_string()))?;
            Ok(Reply::Classes(made.iter().map(|class| (*class.Y_bytes(), class.info_bytes().to_vec())).collect()))
        }
        Request::Destroy(classes) => {
            let gone = keeper.destroy_keys(&classes).map_err(|error| SignerError::Failed(error.to_string()))?;
            Ok(Reply::Destroyed(gone))
        }
    }
}
