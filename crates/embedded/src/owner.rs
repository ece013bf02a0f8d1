//! What the owner's line carries (`docs/spec/links.md`): commands and replies, events, errands to the PSP and their answers.

use alloc::string::String;
use alloc::vec::Vec;
use core::convert::Infallible;

use specie_core::encoding::{DecodeError, Reader, Writer};
use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Memo};
use specie_core::{Amount, Timestamp};

use crate::device::Terms;
use crate::errand::{Answer, Errand};
use crate::failure::Failure;
use crate::peer;
use crate::synchronisation::{Keep, Report};

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
    PayNext(Amount),
    /// Neither to pay nor to be paid; a request that was offered is withdrawn.
    Stop,
    /// The PIN of the element.
    Pin(Vec<u8>),
}

/// How the device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Status {
    /// Whether there is a wallet.
    pub wallet: bool,
    /// Whether it is enrolled with a PSP.
    pub enrolled: bool,
    /// Minor units that can be spent offline now.
    pub spendable: u64,
    /// Minor units held in all, change and what is redeemed among them.
    pub total: u64,
    /// Blanks that may own something.
    pub blanks: u64,
    /// Payments without a receipt.
    pub undelivered: u64,
    /// Unfinished things that need the PSP or the element.
    pub pending: u64,
    /// Sequence of the manifest held.
    pub manifest: u64,
    /// Sequence of the limits held.
    pub limits: u64,
    /// Bytes of flash in use.
    pub live: u64,
    /// Bytes of flash in all.
    pub capacity: u64,
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
            Self::PayNext(_) => 7,
            Self::Stop => 8,
            Self::Pin(_) => 9,
        }
    }

    /// As it travels.
    pub fn encode(&self) -> Vec<u8> {
        write(|w| {
            let number = u64::from(self.number());
            match self {
                Self::Status | Self::Stop => array(w, 1, number),
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
                Self::PayNext(limit) => array(w, 2, number).and_then(|()| w.uint(limit.minor())),
                Self::Pin(pin) => array(w, 2, number).and_then(|()| w.bytes(pin)),
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
                currency: Currency::new(r.text()?).ok_or(DecodeError::OutOfRange)?,
                amount: amount(&mut r)?,
                valid_seconds: r.uint()?,
                notes_max: r.uint_as()?,
                memo: r.optional(|r| Memo::new(r.text()?).ok_or(DecodeError::WrongLength))?,
            }),
            (7, 2) => Self::PayNext(amount(&mut r)?),
            (8, 1) => Self::Stop,
            (9, 2) => Self::Pin(r.bytes()?.to_vec()),
            (1..=9, _) => return Err(DecodeError::WrongLength),
            _ => return Err(DecodeError::OutOfRange),
        };
        r.finish()?;
        Ok(command)
    }
}

impl Status {
    fn fields(&self) -> [u64; 11] {
        let Self { wallet, enrolled, spendable, total, blanks, undelivered, pending, manifest, limits, live, capacity } =
            *self;
        let (wallet, enrolled) = (u64::from(wallet), u64::from(enrolled));
        [wallet, enrolled, spendable, total, blanks, undelivered, pending, manifest, limits, live, capacity]
    }

    /// Reads the status from a reply.
    ///
    /// # Errors
    /// The reply is not one to [`Command::Status`].
    pub fn decode(reply: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(reply);
        r.array_of(3)?;
        if (r.uint()?, r.uint()?) != (0, u64::from(Command::Status.number())) {
            return Err(DecodeError::OutOfRange);
        }
        let mut fields = [0; 11];
        r.array_of(fields.len())?;
        for field in &mut fields {
            *field = r.uint()?;
        }
        r.finish()?;
        let [wallet, enrolled, spendable, total, blanks, undelivered, pending, manifest, limits, live, capacity] =
            fields;
        let (wallet, enrolled) = (wallet != 0, enrolled != 0);
        Ok(Self { wallet, enrolled, spendable, total, blanks, undelivered, pending, manifest, limits, live, capacity })
    }
}

/// `[0, command]`: it was done, or is under way.
pub(crate) fn done(command: u8) -> Vec<u8> {
    write(|w| array(w, 2, 0).and_then(|()| w.uint(command.into())))
}

/// `[0, command, status]`.
pub(crate) fn status(command: u8, status: &Status) -> Vec<u8> {
    let fields = status.fields();
    write(|w| {
        array(w, 3, 0)?;
        w.uint(command.into())?;
        w.array(fields.len())?;
        fields.into_iter().try_for_each(|field| w.uint(field))
    })
}

/// `[0, command, message]`: what was made.
pub(crate) fn made(command: u8, message: &[u8]) -> Vec<u8> {
    write(|w| {
        array(w, 3, 0)?;
        w.uint(command.into())?;
        w.bytes(message)
    })
}

/// `[1, command, code, what, advice, money moved]`.
pub(crate) fn failed(command: u8, failure: &Failure) -> Vec<u8> {
    write(|w| {
        array(w, 6, 1)?;
        w.uint(command.into())?;
        failure_fields(w, failure)
    })
}

/// What happened on the other line.
pub(crate) fn peer_event(event: &peer::Event) -> Vec<u8> {
    write(|w| match event {
        peer::Event::Paid { id, amount } => {
            array(w, 3, 0).and_then(|()| w.bytes(&id.0)).and_then(|()| w.uint(amount.minor()))
        }
        peer::Event::Delivered(id) => array(w, 2, 1).and_then(|()| w.bytes(&id.0)),
        peer::Event::Received { request, amount } => {
            array(w, 3, 2).and_then(|()| w.bytes(&request.0)).and_then(|()| w.uint(amount.minor()))
        }
        peer::Event::Refused(code) => array(w, 2, 3).and_then(|()| w.bytes(code)),
        peer::Event::Failed(failure) => array(w, 5, 4).and_then(|()| failure_fields(w, failure)),
    })
}

/// A synchronisation is over: `[5, uploaded, claimed, redeemed, refused coins, withdrawn, balance, failures]`.
pub(crate) fn synchronised(report: &Report) -> Vec<u8> {
    write(|w| {
        array(w, 8, 5)?;
        w.uint(report.uploaded.into())?;
        w.uint(report.claimed.into())?;
        w.uint(report.redeemed)?;
        w.uint(report.refused.len() as u64)?;
        w.uint(report.withdrawn.into())?;
        optional(w, report.account_balance, Writer::uint)?;
        w.array(report.failures.len())?;
        report.failures.iter().try_for_each(|failure| w.array(4).and_then(|()| failure_fields(w, failure)))
    })
}

/// An enrolment is over: `[6]`, or `[7, code, what, advice, money moved]`.
pub(crate) fn enrolled(outcome: &Result<(), Failure>) -> Vec<u8> {
    write(|w| match outcome {
        Ok(()) => array(w, 1, 6),
        Err(failure) => array(w, 5, 7).and_then(|()| failure_fields(w, failure)),
    })
}

/// `[number, method, target, [[name, value], …], body]`.
pub(crate) fn errand(number: u32, errand: &Errand) -> Vec<u8> {
    write(|w| {
        array(w, 5, number.into())?;
        w.text(errand.method)?;
        w.text(&errand.target)?;
        w.array(errand.headers.len())?;
        for (name, value) in &errand.headers {
            w.array(2)?;
            w.text(name)?;
            w.text(value)?;
        }
        w.bytes(&errand.body)
    })
}

/// Reads `[number, status, body]`.
pub(crate) fn answer(bytes: &[u8]) -> Result<(u32, Answer<'_>), DecodeError> {
    let mut r = Reader::new(bytes);
    r.array_of(3)?;
    let answer = (r.uint_as()?, Answer { status: r.uint_as()?, body: r.bytes()? });
    r.finish()?;
    Ok(answer)
}

type Out = Writer<Vec<u8>>;
type Written = Result<(), Infallible>;

fn write(fields: impl FnOnce(&mut Out) -> Written) -> Vec<u8> {
    let mut w = Writer::new(Vec::new());
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
    w.text(&failure.what)?;
    w.text(failure.advice)?;
    w.uint(failure.money_moved.into())
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
            Command::PayNext(amount(1_000)),
            Command::Stop,
            Command::Pin(b"1234".to_vec()),
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

    #[test]
    fn a_status_comes_out_as_it_went_in() {
        let told = Status { wallet: true, spendable: 7, capacity: 9, ..Status::default() };
        assert_eq!(Status::decode(&status(1, &told)), Ok(told));
        assert!(Status::decode(&done(1)).is_err());
    }
}
