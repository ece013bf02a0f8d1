//! The payer's side: connects, pays, and takes the receipt.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use thiserror::Error;

use super::wire::{Frame, MESSAGE_TIME, Wire, WireError};

/// How long connecting may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// What a payer does with what arrives. Both may be called again with the same bytes.
pub trait PayerSide {
    /// Why it does not pay.
    type Error: std::error::Error;

    /// Pays a request; the payment is stored before it is given out.
    ///
    /// # Errors
    /// It is not paid, and no money moved.
    fn pay(&mut self, request: &[u8]) -> Result<Handover, Self::Error>;

    /// Checks and stores a receipt.
    ///
    /// # Errors
    /// It is not the receipt of this payment.
    fn receipt(&mut self, receipt: &[u8]) -> Result<(), Self::Error>;
}

/// What a payer sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Manifests and pages of the revocation list that the payee may not know.
    pub updates: Vec<Vec<u8>>,
    /// The payment.
    pub payment: Vec<u8>,
}

/// How a payment that was made got on. It is stored in the wallet whatever this says.
#[derive(Debug)]
pub enum Delivery<E> {
    /// The payee gave the receipt.
    Confirmed,
    /// The payee does not accept it: a stable code. It falls back to the payer after the request's expiry.
    Refused(String),
    /// No receipt came. Connect again, or leave it to the next synchronisation, which uploads it.
    Unconfirmed(Doubt<E>),
}

/// Why no receipt came.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Doubt<E> {
    /// The connection did not last.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// What came was not the receipt.
    #[error("the other device sent something else than the receipt: {0}")]
    Receipt(E),
}

/// Why nothing was paid. No money moved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PayError<E> {
    /// The payee cannot be reached.
    #[error(
        "the payee at {address} cannot be reached ({source}); no money moved; check that it is waiting for payment"
    )]
    Unreachable {
        /// Where.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The payee sent no request.
    #[error("{0}, before it sent a request; no money moved; connect again")]
    NoRequest(WireError),
    /// The payer does not pay this request.
    #[error(transparent)]
    NotPaid(E),
}

/// Connects to the payee at `address` (`host:port`) and pays what it requests.
///
/// # Errors
/// Nothing was paid. Once something was, the [`Delivery`] says how far it got.
pub fn pay<P: PayerSide>(address: &str, payer: &mut P) -> Result<Delivery<P::Error>, PayError<P::Error>> {
    let stream = connect(address).map_err(|source| PayError::Unreachable { address: address.to_owned(), source })?;
    let mut wire = Wire::new(&stream).map_err(|error| PayError::NoRequest(error.into()))?;
    let request = match wire.receive(MESSAGE_TIME) {
        Ok(Frame::Message(request)) => request,
        Ok(_) => return Err(PayError::NoRequest(WireError::Unexpected)),
        Err(error) => return Err(PayError::NoRequest(error)),
    };
    let handover = match payer.pay(&request) {
        Ok(handover) => handover,
        Err(error) => {
            // A courtesy: the payee notices the end of the connection too.
            let _ = wire.send(&Frame::Refusal("not-paid".into()));
            return Err(PayError::NotPaid(error));
        }
    };
    Ok(deliver(&mut wire, handover, payer).unwrap_or_else(|error| Delivery::Unconfirmed(error.into())))
}

fn deliver<P: PayerSide>(
    wire: &mut Wire<'_>,
    handover: Handover,
    payer: &mut P,
) -> Result<Delivery<P::Error>, WireError> {
    for message in handover.updates.into_iter().chain([handover.payment]) {
        wire.send(&Frame::Message(message))?;
    }
    match wire.receive(MESSAGE_TIME)? {
        Frame::Message(receipt) => Ok(match payer.receipt(&receipt) {
            Ok(()) => {
                // The receipt is stored: whether the payee hears of it changes nothing for the payer.
                let _ = wire.send(&Frame::Done);
                Delivery::Confirmed
            }
            Err(error) => Delivery::Unconfirmed(Doubt::Receipt(error)),
        }),
        Frame::Refusal(code) => Ok(Delivery::Refused(code)),
        Frame::Done => Err(WireError::Unexpected),
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no such host");
    for candidate in address.to_socket_addrs()?.collect::<Vec<SocketAddr>>() {
        match TcpStream::connect_timeout(&candidate, CONNECT_TIME) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
