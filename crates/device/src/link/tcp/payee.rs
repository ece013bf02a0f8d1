//! The payee's side: listens until somebody paid.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

use specie_core::message::Message;
use thiserror::Error;

use super::wire::{Frame, MESSAGE_TIME, Wire, WireError};

/// Most connections at a time: one that does nothing must not keep out the one that pays.
const CONNECTIONS_MAX: usize = 8;
/// Most manifests and pages of the revocation list that a payer may bring along.
const UPDATES_MAX: usize = 16;
/// How long a payee goes on listening for a payer that lost the receipt.
const LINGER: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);

/// What a payee does with what arrives. Both may be called again with the same bytes.
pub trait PayeeSide: Send {
    /// Takes note of a manifest or a page of the revocation list; one that is wrong or old is ignored.
    fn update(&mut self, message: &[u8]);

    /// Checks and stores a payment and answers with the receipt.
    ///
    /// # Errors
    /// Why it is not accepted.
    fn payment(&mut self, payment: &[u8]) -> Result<Vec<u8>, Refusal>;
}

/// Why a payment is not accepted: a stable code, lower-case words joined by hyphens, which the payer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

/// A payment arrived and was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Whether the payer said that it has the receipt.
    pub acknowledged: bool,
}

/// Why nothing was received.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// Nobody paid in time.
    #[error("nobody paid within {0:?}; no money moved; the request stays open until it expires, so wait again")]
    NobodyPaid(Duration),
    /// Listening failed.
    #[error("cannot accept connections ({0}); no money moved; wait again")]
    Listening(io::Error),
}

/// Sends `request` to whoever connects, until one of them paid or `patience` is over.
///
/// # Errors
/// Nobody paid, or listening failed.
pub fn receive(
    listener: &TcpListener,
    request: &[u8],
    payee: &mut impl PayeeSide,
    patience: Duration,
) -> Result<Arrival, ReceiveError> {
    listener.set_nonblocking(true).map_err(ReceiveError::Listening)?;
    let payee = Mutex::new(payee);
    let (reports, arrivals) = channel();
    let end = Instant::now() + patience;
    let mut counter = Counter { end, arrival: None };
    let result = std::thread::scope(|scope| {
        let mut open: Vec<TcpStream> = Vec::new();
        let result = loop {
            if let Some(result) = counter.finished(&arrivals, patience) {
                break result;
            }
            match listener.accept() {
                Ok((stream, _)) => {
                    open.retain(|stream| stream.peer_addr().is_ok());
                    // A connection too many, or one that cannot be watched, is dropped: its payer may try again.
                    if let Some(watched) = stream.try_clone().ok().filter(|_| open.len() < CONNECTIONS_MAX) {
                        open.push(watched);
                        let (reports, payee) = (reports.clone(), &payee);
                        scope.spawn(move || serve(&stream, request, payee, end, &reports));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(POLL),
                Err(error) if is_passing(&error) => {}
                Err(error) => break Err(ReceiveError::Listening(error)),
            }
        };
        for stream in open {
            // Fails where the connection is closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        result
    });
    // A payment that was accepted at the last moment is accepted.
    result.or_else(|error| counter.arrival.or_else(|| arrivals.try_recv().ok()).ok_or(error))
}

/// Errors of one connection that accepting reports.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// Decides when it is enough.
struct Counter {
    end: Instant,
    arrival: Option<Arrival>,
}

impl Counter {
    fn finished(&mut self, arrivals: &Receiver<Arrival>, patience: Duration) -> Option<Result<Arrival, ReceiveError>> {
        match arrivals.try_recv() {
            Ok(arrival) if arrival.acknowledged => return Some(Ok(arrival)),
            Ok(arrival) => {
                self.arrival = Some(arrival);
                self.end = Instant::now() + LINGER;
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
        }
        let over = Instant::now() >= self.end;
        over.then(|| self.arrival.ok_or(ReceiveError::NobodyPaid(patience)))
    }
}

/// One connection. What goes wrong with it is the payer's to notice.
fn serve<P: PayeeSide>(
    stream: &TcpStream,
    request: &[u8],
    payee: &Mutex<&mut P>,
    end: Instant,
    reports: &Sender<Arrival>,
) {
    if let Ok(Some(mut wire)) = exchange(stream, request, payee, end) {
        let acknowledged = matches!(wire.receive(MESSAGE_TIME), Ok(Frame::Done));
        // Fails where an earlier payment was enough.
        let _ = reports.send(Arrival { acknowledged });
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// Up to the receipt; `None` where no payment was accepted.
fn exchange<'a, P: PayeeSide>(
    stream: &'a TcpStream,
    request: &[u8],
    payee: &Mutex<&mut P>,
    end: Instant,
) -> Result<Option<Wire<'a>>, WireError> {
    let mut wire = Wire::new(stream)?;
    wire.send(&Frame::Message(request.to_vec()))?;
    for _ in 0..=UPDATES_MAX {
        let Frame::Message(message) = wire.receive(end.saturating_duration_since(Instant::now()))? else {
            return Ok(None);
        };
        // A wallet that panicked over an earlier payment is in the state that it stored: every step is atomic.
        let mut payee = payee.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match Message::peek(&message) {
            Ok(Message::Manifest | Message::RevocationPage) => payee.update(&message),
            Ok(Message::Payment) => match payee.payment(&message) {
                Ok(receipt) => {
                    drop(payee);
                    // Accepted, whatever becomes of the receipt.
                    let _ = wire.send(&Frame::Message(receipt));
                    return Ok(Some(wire));
                }
                Err(Refusal(code)) => {
                    drop(payee);
                    wire.send(&Frame::Refusal(code))?;
                    return Ok(None);
                }
            },
            _ => break,
        }
    }
    wire.send(&Frame::Refusal("unexpected-message".into()))?;
    Ok(None)
}
