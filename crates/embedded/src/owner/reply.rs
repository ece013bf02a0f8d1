//! Replies: what came of a command. `[0, command, …]` where it was done or is under way, `[1, command, code, what, advice,
//! money moved]` where not.

use alloc::vec::Vec;

use specie_core::encoding::{DecodeError, Reader};
use specie_core::signature::PublicKey;
use specie_element::client::MandateUse;

use super::{Told, array, failure_fields, optional, read_failure, write};
use crate::device::MandateHeld;
use crate::failure::Failure;

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It was done, or is under way.
    Done,
    /// How the device is.
    Status(Status),
    /// What was made: the request as it travels.
    Made(Vec<u8>),
    /// Which mandate it holds.
    Mandate(MandateHeld),
    /// It was not done.
    Failed(Told),
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
    /// Payments that neither payee nor bank has, as far as is known.
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

impl Reply {
    /// Reads a reply, and the number of the command that it is to; 0 where the device could not read that.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(reply: &[u8]) -> Result<(u8, Self), DecodeError> {
        let mut r = Reader::new(reply);
        let (length, outcome, command) = (r.array()?, r.uint()?, r.uint_as()?);
        let told = match (outcome, length, command) {
            (0, 2, _) => Self::Done,
            (0, 3, 1) => Self::Status(Status::read(&mut r)?),
            (0, 5, 11) => Self::Mandate(read_mandate(&mut r)?),
            (0, 3, _) => Self::Made(r.bytes()?.to_vec()),
            (1, 6, _) => Self::Failed(read_failure(&mut r)?),
            _ => return Err(DecodeError::OutOfRange),
        };
        r.finish()?;
        Ok((command, told))
    }
}

impl Status {
    fn fields(&self) -> [u64; 11] {
        let Self { wallet, enrolled, spendable, total, blanks, undelivered, pending, manifest, limits, live, capacity } =
            *self;
        let (wallet, enrolled) = (u64::from(wallet), u64::from(enrolled));
        [wallet, enrolled, spendable, total, blanks, undelivered, pending, manifest, limits, live, capacity]
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut fields = [0; 11];
        r.array_of(fields.len())?;
        for field in &mut fields {
            *field = r.uint()?;
        }
        let [wallet, enrolled, spendable, total, blanks, undelivered, pending, manifest, limits, live, capacity] =
            fields;
        let (wallet, enrolled) = (wallet != 0, enrolled != 0);
        Ok(Self { wallet, enrolled, spendable, total, blanks, undelivered, pending, manifest, limits, live, capacity })
    }
}

pub(crate) fn encode_done(command: u8) -> Vec<u8> {
    write(|w| array(w, 2, 0).and_then(|()| w.uint(command.into())))
}

pub(crate) fn encode_status(command: u8, status: &Status) -> Vec<u8> {
    let fields = status.fields();
    write(|w| {
        array(w, 3, 0)?;
        w.uint(command.into())?;
        w.array(fields.len())?;
        fields.into_iter().try_for_each(|field| w.uint(field))
    })
}

pub(crate) fn encode_made(command: u8, message: &[u8]) -> Vec<u8> {
    write(|w| {
        array(w, 3, 0)?;
        w.uint(command.into())?;
        w.bytes(message)
    })
}

pub(crate) fn encode_mandate(command: u8, held: &MandateHeld) -> Vec<u8> {
    write(|w| {
        array(w, 5, 0)?;
        w.uint(command.into())?;
        w.bytes(&held.device.0)?;
        optional(w, held.mandate.as_deref(), |w, mandate| w.bytes(mandate))?;
        optional(w, held.used, |w, used| {
            w.array(4)?;
            [used.sequence, used.period_began, used.in_period, used.spent]
                .into_iter()
                .try_for_each(|field| w.uint(field))
        })
    })
}

fn read_mandate(r: &mut Reader<'_>) -> Result<MandateHeld, DecodeError> {
    let device = PublicKey(r.bytes_of()?);
    let mandate = r.optional(|r| r.bytes().map(<[u8]>::to_vec))?;
    let used = r.optional(|r| {
        r.array_of(4)?;
        let (sequence, period_began, in_period, spent) = (r.uint()?, r.uint()?, r.uint()?, r.uint()?);
        Ok(MandateUse { sequence, period_began, in_period, spent })
    })?;
    Ok(MandateHeld { device, mandate, used })
}

pub(crate) fn encode_failed(command: u8, failure: &Failure) -> Vec<u8> {
    write(|w| {
        array(w, 6, 1)?;
        w.uint(command.into())?;
        failure_fields(w, failure)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_come_out_as_they_went_in() {
        let status = Status { wallet: true, spendable: 7, capacity: 9, ..Status::default() };
        let failure = Failure::new("busy", "it is", "wait").of_money();
        let told = Told { code: "busy".into(), what: "it is".into(), advice: "wait".into(), money_moved: true };
        let used = MandateUse { sequence: 1, period_began: 2, in_period: 3, spent: 4 };
        let held = MandateHeld { device: PublicKey([5; 32]), mandate: Some(b"mandate".to_vec()), used: Some(used) };
        let none = MandateHeld { mandate: None, used: None, ..held.clone() };
        let replies = [
            (encode_mandate(11, &held), (11, Reply::Mandate(held))),
            (encode_mandate(11, &none), (11, Reply::Mandate(none))),
            (encode_done(3), (3, Reply::Done)),
            (encode_status(1, &status), (1, Reply::Status(status))),
            (encode_made(6, b"request"), (6, Reply::Made(b"request".to_vec()))),
            (encode_failed(5, &failure), (5, Reply::Failed(told))),
        ];
        for (bytes, reply) in replies {
            assert_eq!(Reply::decode(&bytes), Ok(reply));
            for end in 0..bytes.len() {
                assert!(Reply::decode(&bytes[..end]).is_err());
            }
        }
    }
}
