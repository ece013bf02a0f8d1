//! What the owner's line carries (`docs/spec/links.md`): commands and replies, events, errands to the PSP and their answers.

use alloc::string::String;
use alloc::vec::Vec;
use core::convert::Infallible;

use specie_core::encoding::{DecodeError, Reader, Writer};
use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Memo};
use specie_core::{Amount, Timestamp};

use crate::device::Terms;
use crate::failure::Failure;
use crate::synchronisation::Keep;

mod errand;
mod event;
mod reply;

pub use errand::{ANSWER_TOO_LONG, CarriedErrand, encode_answer};
pub(crate) use errand::{decode_answer, encode_errand};
pub use event::{Event, Summary};
pub(crate) use event::{FAILURES_MAX, encode_enrolled, encode_peer_event, encode_synchronised};
pub use reply::{Reply, Status};
pub(crate) use reply::{encode_done, encode_failed, encode_made, encode_mandate, encode_status};

/// The most bytes of what happened that are told.
const WHAT_MAX: usize = 200;

/// A failure as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Stable code.
    pub code: String,
    /// What happened.
    pub what: String,
    /// What to do about it.
    pub advice: String,
    /// Whether money moved, or may have.
    pub money_moved: bool,
}

/// Kinds of frames on the owner's line.
pub mod kind {
    /// Owner to device: a command.
    pub const COMMAND: u8 = 16;
    /// Device to owner: what came of a command.
    pub const REPLY: u8 = 17;
    /// Device to owner: something happened.
    pub const EVENT: u8 = 18;
    /// Device to owner: take this to the PSP.
    pub const ERRAND: u8 = 19;
    /// Owner to device: what the PSP answered.
    pub const ANSWER: u8 = 20;
}

/// What the owner may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// How the device is.
    Status,
    /// What time it is.
    Time(Timestamp),
    /// To make a wallet that obeys the central bank of this root key.
    Create(PublicKey),
    /// To be enrolled.
    Enrol {
        /// The customer whose device it is.
        customer: String,
        /// The code that the PSP gave out for it.
        claim_code: String,
    },
    /// To synchronise.
    Synchronise(Keep),
    /// To be paid, by whoever is on the other line.
    Request(Terms),
    /// To pay the next request of at most this much.
    PayNext {
        /// In this currency.
        currency: Currency,
        /// At most so much.
        limit: Amount,
    },
    /// Neither to pay nor to be paid; a request that was offered is withdrawn.
    Stop,
    /// The PIN of the element.
    Pin(Vec<u8>),
    /// To pay by itself inside this mandate.
    Mandate(Vec<u8>),
    /// Which mandate it holds.
    MandateHeld,
    /// Another PIN for the element.
    ChangePin {
        /// The one before; empty where none is set.
        old: Vec<u8>,
        /// The one from now on.
        new: Vec<u8>,
    },
}

impl Command {
    /// The number by which replies name it.
    pub fn number(&self) -> u8 {
        match self {
            Self::Status => 1,
            Self::Time(_) => 2,
            Self::Create(_) => 3,
            Self::Enrol { .. } => 4,
            Self::Synchronise(_) => 5,
            Self::Request(_) => 6,
            Self::PayNext { .. } => 7,
            Self::Stop => 8,
            Self::Pin(_) => 9,
            Self::Mandate(_) => 10,
            Self::MandateHeld => 11,
            Self::ChangePin { .. } => 12,
        }
    }

    /// As it travels.
    pub fn encode(&self) -> Vec<u8> {
        write(|w| {
            let number = u64::from(self.number());
            match self {
                Self::Status | Self::Stop | Self::MandateHeld => array(w, 1, number),
                Self::Time(time) => array(w, 2, number).and_then(|()| w.uint(time.seconds())),
                Self::Create(root) => array(w, 2, number).and_then(|()| w.bytes(&root.0)),
                Self::Enrol { customer, claim_code } => {
                    array(w, 3, number).and_then(|()| w.text(customer)).and_then(|()| w.text(claim_code))
                }
                Self::Synchronise(keep) => {
                    array(w, 4, number)?;
                    w.uint(keep.value.minor())?;
                    w.uint(keep.blanks.into())?;
                    optional(w, keep.blank_cap, |w, cap| w.uint(cap.minor()))
                }
                Self::Request(terms) => {
                    array(w, 6, number)?;
                    w.text(terms.currency.as_str())?;
                    w.uint(terms.amount.minor())?;
                    w.uint(terms.valid_seconds)?;
                    w.uint(terms.notes_max.into())?;
                    optional(w, terms.memo, |w, memo| w.text(memo.as_str()))
                }
                Self::PayNext { currency, limit } => {
                    array(w, 3, number)?;
                    w.text(currency.as_str())?;
                    w.uint(limit.minor())
                }
                Self::Pin(bytes) | Self::Mandate(bytes) => array(w, 2, number).and_then(|()| w.bytes(bytes)),
                Self::ChangePin { old, new } => {
                    array(w, 3, number).and_then(|()| w.bytes(old)).and_then(|()| w.bytes(new))
                }
            }
        })
    }

    /// Reads a command.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let (length, number) = (r.array()?, r.uint()?);
        let command = match (number, length) {
            (1, 1) => Self::Status,
            (2, 2) => Self::Time(Timestamp::new(r.uint()?).ok_or(DecodeError::OutOfRange)?),
            (3, 2) => Self::Create(PublicKey(r.bytes_of()?)),
            (4, 3) => Self::Enrol { customer: r.text()?.into(), claim_code: r.text()?.into() },
            (5, 4) => {
                Self::Synchronise(Keep { value: amount(&mut r)?, blanks: r.uint_as()?, blank_cap: r.optional(amount)? })
            }
            (6, 6) => Self::Request(Terms {
                currency: currency(&mut r)?,
                amount: amount(&mut r)?,
                valid_seconds: r.uint()?,
                notes_max: r.uint_as()?,
                memo: r.optional(|r| Memo::new(r.text()?).ok_or(DecodeError::WrongLength))?,
            }),
            (7, 3) => Self::PayNext { currency: currency(&mut r)?, limit: amount(&mut r)? },
            (8, 1) => Self::Stop,
            (9, 2) => Self::Pin(r.bytes()?.to_vec()),
            (10, 2) => Self::Mandate(r.bytes()?.to_vec()),
            (11, 1) => Self::MandateHeld,
            (12, 3) => Self::ChangePin { old: r.bytes()?.to_vec(), new: r.bytes()?.to_vec() },
            (1..=12, _) => return Err(DecodeError::WrongLength),
            _ => return Err(DecodeError::OutOfRange),
        };
        r.finish()?;
        Ok(command)
    }
}

type Out = Writer<Vec<u8>>;
type Written = Result<(), Infallible>;

fn write(fields: impl FnOnce(&mut Out) -> Written) -> Vec<u8> {
    write_to(Vec::new(), fields)
}

fn write_to(out: Vec<u8>, fields: impl FnOnce(&mut Out) -> Written) -> Vec<u8> {
    let mut w = Writer::new(out);
    match fields(&mut w) {
        Ok(()) => w.into_inner(),
        Err(never) => match never {},
    }
}

/// The head of an array of `length` fields, and the first of them.
fn array(w: &mut Out, length: usize, first: u64) -> Written {
    w.array(length).and_then(|()| w.uint(first))
}

fn optional<T>(w: &mut Out, value: Option<T>, write: impl FnOnce(&mut Out, T) -> Written) -> Written {
    match value {
        Some(value) => write(w, value),
        None => w.null(),
    }
}

fn failure_fields(w: &mut Out, failure: &Failure) -> Written {
    w.text(failure.code)?;
    w.text(beginning(&failure.what))?;
    w.text(failure.advice)?;
    w.uint(failure.money_moved.into())
}

/// As much of a text as is told: parts of it may be a PSP's, and fifteen of them fit into a frame.
fn beginning(what: &str) -> &str {
    let mut end = what.len().min(WHAT_MAX);
    while !what.is_char_boundary(end) {
        end -= 1;
    }
    &what[..end]
}

fn read_failure(r: &mut Reader<'_>) -> Result<Told, DecodeError> {
    let (code, what, advice) = (r.text()?.into(), r.text()?.into(), r.text()?.into());
    Ok(Told { code, what, advice, money_moved: r.uint()? != 0 })
}

fn currency(r: &mut Reader<'_>) -> Result<Currency, DecodeError> {
    Currency::new(r.text()?).ok_or(DecodeError::OutOfRange)
}

fn amount(r: &mut Reader<'_>) -> Result<Amount, DecodeError> {
    Amount::new(r.uint()?).ok_or(DecodeError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_out_as_they_went_in() {
        let amount = |minor| Amount::new(minor).unwrap();
        let commands = [
            Command::Status,
            Command::Time(Timestamp::new(1_800_000_000).unwrap()),
            Command::Create(PublicKey([7; 32])),
            Command::Enrol { customer: "ann".into(), claim_code: "c-1".into() },
            Command::Synchronise(Keep { value: amount(500), blanks: 4, blank_cap: None }),
            Command::Synchronise(Keep { value: amount(0), blanks: 0, blank_cap: Some(amount(9)) }),
            Command::Request(Terms {
                currency: Currency::new("XTS").unwrap(),
                amount: amount(120),
                valid_seconds: 600,
                notes_max: 3,
                memo: Memo::new("tea"),
            }),
            Command::PayNext { currency: Currency::new("XTS").unwrap(), limit: amount(1_000) },
            Command::Stop,
            Command::Pin(b"1234".to_vec()),
            Command::Mandate(b"mandate".to_vec()),
            Command::MandateHeld,
            Command::ChangePin { old: Vec::new(), new: b"1234".to_vec() },
        ];
        for command in commands {
            let bytes = command.encode();
            assert_eq!(Command::decode(&bytes).as_ref(), Ok(&command));
            for end in 0..bytes.len() {
                assert!(Command::decode(&bytes[..end]).is_err(), "{command:?} cut at {end}");
            }
            assert!(Command::decode(&[&bytes[..], &[0]].concat()).is_err());
        }
    }
}
