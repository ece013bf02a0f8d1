//! How a server reaches the signer's process.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use specie_audit::{Head, SignedHead};
use specie_bank::signer::{Answering, Committing, Sealed, Signer, SignerError};
use specie_core::bytes::ClassId;
use specie_core::class::{Class, Info};
use specie_core::encoding::{Decode, Encode};
use specie_core::issuance::{Commitment, Response};
use specie_core::revocation::RevocationBody;
use specie_core::signature::PublicKey;

use crate::folder::Folder;
use crate::frame;
use crate::message::{Batch, Page, Reply, Request};

/// How long an answer may take: the slowest makes the keys of an epoch and writes them to disk.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a signer that another process started may take until it listens: it derives a key from its passphrase.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// The pause between two tries to reach one that is starting.
const PAUSE: Duration = Duration::from_millis(20);

/// Connections kept open between requests.
const POOLED_MAX: usize = 16;

/// How the signer is started where none is served.
#[derive(Clone, Debug)]
pub struct Start {
    /// The program: `specie`.
    pub program: PathBuf,
    /// File of the passphrase, where it is named.
    pub passphrase: Option<PathBuf>,
}

/// A signer in another process. Every request is one that may be repeated: a connection that is lost is made anew.
pub struct Client {
    folder: Folder,
    start: Option<Start>,
    started: Mutex<Option<Started>>,
    pool: Mutex<Vec<UnixStream>>,
    ledger: PublicKey,
    issuing: Mutex<BTreeMap<ClassId, [u8; 32]>>,
}

/// A signer that ends when this is dropped, or this process dies: its standard input is then closed.
struct Started(Child);

impl Client {
    /// Reaches the signer that is served from `folder`; where none is, starts one if `start` says how.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub fn connect(folder: &Folder, start: Option<Start>) -> Result<Self, SignerError> {
        let mut client = Self {
            folder: folder.clone(),
            start,
            started: Mutex::new(None),
            pool: Mutex::new(Vec::new()),
            ledger: PublicKey([0; 32]),
            issuing: Mutex::new(BTreeMap::new()),
        };
        client.ledger = client.learn()?;
        Ok(client)
    }

    /// Whether a signer is served from `folder`.
    pub fn is_served(folder: &Folder) -> bool {
        UnixStream::connect(folder.socket()).is_ok()
    }

    /// Has issuing keys made.
    ///
    /// # Errors
    /// When the signer cannot keep them or cannot be reached.
    pub fn make_classes(&self, infos: &[Info]) -> Result<Vec<Class>, SignerError> {
        match self.ask(&Request::Classes(infos.iter().map(Encode::to_vec).collect()))? {
            Reply::Classes(made) => {
                let class = |(key, info): &([u8; 32], Vec<u8>)| Class::decode(key, info).map_err(nonsense);
                made.iter().map(class).collect()
            }
            _ => Err(nonsense("another answer")),
        }
    }

    /// Has issuing keys destroyed, and gives those that there were.
    ///
    /// # Errors
    /// When the signer still issues one of the classes, or cannot be reached.
    pub fn destroy_keys(&self, classes: &[ClassId]) -> Result<Vec<ClassId>, SignerError> {
        match self.ask(&Request::Destroy(classes.to_vec()))? {
            Reply::Destroyed(gone) => {
                lock(&self.issuing).retain(|class, _| !gone.contains(class));
                Ok(gone)
            }
            _ => Err(nonsense("another answer")),
        }
    }

    /// Asks for the public keys, and gives that of the ledger.
    fn learn(&self) -> Result<PublicKey, SignerError> {
        let Reply::Keys(keys) = self.ask(&Request::Keys)? else { return Err(nonsense("another answer")) };
        *lock(&self.issuing) = keys.issuing.into_iter().collect();
        Ok(keys.ledger)
    }

    fn ask(&self, request: &Request) -> Result<Reply, SignerError> {
        let bytes = request.to_vec();
        let pooled = lock(&self.pool).pop();
        // A connection that was kept may be one to a signer that is gone.
        let kept = pooled.and_then(|stream| exchange(stream, &bytes).ok());
        let (stream, answer) = match kept {
            Some(answered) => answered,
            None => {
                lock(&self.pool).clear();
                let stream = self.reach().map_err(unreachable)?;
                exchange(stream, &bytes).map_err(unreachable)?
            }
        };
        let mut pool = lock(&self.pool);
        if pool.len() < POOLED_MAX {
            pool.push(stream);
        }
        drop(pool);
        match Reply::decode(&answer).map_err(nonsense)? {
            Reply::Refused(error) => Err(error),
            reply => Ok(reply),
        }
    }

    fn reach(&self) -> io::Result<UnixStream> {
        let connect = || UnixStream::connect(self.folder.socket());
        let Some(start) = &self.start else { return connect() };
        if let Ok(stream) = connect() {
            return Ok(stream);
        }
        // One at a time; whoever waited here finds the signer that another one started.
        let mut started = lock(&self.started);
        let begun = Instant::now();
        if started.as_mut().is_none_or(|started| !matches!(started.0.try_wait(), Ok(None))) {
            if let Ok(stream) = connect() {
                return Ok(stream);
            }
            *started = Some(Started::start(start, &self.folder)?);
        }
        // It listens; or it ended because another process was faster, whose signer will.
        loop {
            match connect() {
                Err(_) if begun.elapsed() < START_PATIENCE => std::thread::sleep(PAUSE),
                reached => return reached,
            }
        }
    }
}

impl Started {
    /// Starts it and waits until it listens, or ends: because another process serves it, or because it cannot, which it
    /// says on standard error.
    fn start(Start { program, passphrase }: &Start, folder: &Folder) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(["bank", "signer", "serve", "--until-input-ends"]).arg(&folder.0);
        if let Some(passphrase) = passphrase {
            command.arg("--passphrase-file").arg(passphrase);
        }
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // The interrupt key ends the server, which answers what is under way before its signer ends.
        let mut child = command.process_group(0).spawn()?;
        let output = child.stdout.take().expect("stdout is piped");
        BufReader::new(output).read_line(&mut String::new())?;
        Ok(Self(child))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It has nothing to finish: what it answered is on disk. Both fail only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Signer for Client {
    fn issuing_key(&self, class: &ClassId) -> Result<Option<[u8; 32]>, SignerError> {
        let known = lock(&self.issuing).get(class).copied();
        if known.is_none() {
            self.learn()?;
        }
        Ok(known.or_else(|| lock(&self.issuing).get(class).copied()))
    }

    fn commit(&self, committing: &Committing<'_>) -> Result<Vec<(Commitment, Sealed)>, SignerError> {
        let batch = Batch { key: *committing.batch, valid_until: committing.valid_until };
        let (device, classes) = (*committing.device, committing.classes.to_vec());
        match self.ask(&Request::Commit { batch, device, classes })? {
            Reply::Committed(sessions) => Ok(sessions),
            _ => Err(nonsense("another answer")),
        }
    }

    fn answer(&self, answering: &Answering<'_>) -> Result<Vec<Response>, SignerError> {
        let batch = Batch { key: *answering.batch, valid_until: answering.valid_until };
        if answering.sessions.len() != answering.challenges.len() {
            return Err(SignerError::Failed("not one challenge for each session".into()));
        }
        let (sessions, challenges) = (answering.sessions.clone(), answering.challenges.to_vec());
        match self.ask(&Request::Answer { batch, sessions, challenges })? {
            Reply::Answered(responses) => Ok(responses),
            _ => Err(nonsense("another answer")),
        }
    }

    fn ledger_key(&self) -> PublicKey {
        self.ledger
    }

    fn sign_revocations(&self, body: RevocationBody<'_>) -> Result<Vec<u8>, SignerError> {
        let RevocationBody { issuer, page, sequence, previous, oldest, issued_at, notes } = body;
        let page = Page { issuer, page, sequence, previous, oldest, issued_at, notes: notes.to_vec() };
        match self.ask(&Request::Revocations(page))? {
            Reply::Signed(page) => Ok(page),
            _ => Err(nonsense("another answer")),
        }
    }

    fn sign_audit_head(&self, head: Head) -> Result<SignedHead, SignerError> {
        match self.ask(&Request::AuditHead(head))? {
            Reply::Signed(head) => SignedHead::decode(&head).map_err(nonsense),
            _ => Err(nonsense("another answer")),
        }
    }
}

/// One request and its answer; the connection may be used again.
fn exchange(stream: UnixStream, request: &[u8]) -> io::Result<(UnixStream, Vec<u8>)> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    frame::write(&mut &stream, request)?;
    let answer = frame::read(&mut &stream)?;
    Ok((stream, answer.ok_or(io::ErrorKind::UnexpectedEof)?))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(clippy::needless_pass_by_value)]
fn unreachable(error: io::Error) -> SignerError {
    SignerError::Unreachable(format!("{error}; start it (`specie bank signer serve`), and repeat"))
}

fn nonsense(what: impl std::fmt::Display) -> SignerError {
    SignerError::Failed(format!("it answered what was not asked: {what}"))
}
