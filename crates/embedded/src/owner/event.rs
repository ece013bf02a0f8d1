//! Events: what happened without being asked for.

use alloc::vec::Vec;

use specie_core::encoding::{DecodeError, Reader, Writer};

use super::{Told, array, failure_fields, optional, read_failure, write};
use crate::failure::Failure;
use crate::peer;
use crate::synchronisation::Report;

/// The most failures of a synchronisation that are told, the first ones, each once: all of them together fit into a frame.
pub(crate) const FAILURES_MAX: usize = 15;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A payment was made and is on its way.
    Paid {
        /// Hash of the request.
        request: [u8; 32],
        /// Minor units.
        amount: u64,
    },
    /// The payee gave the receipt.
    Delivered {
        /// Hash of the request.
        request: [u8; 32],
    },
    /// A payment was received.
    Received {
        /// The request's name in the device.
        request: [u8; 16],
        /// Minor units.
        amount: u64,
    },
    /// The other device does not go on: its code.
    Refused(Vec<u8>),
    /// What the other device sent was not taken.
    Failed(Told),
    /// A synchronisation is over.
    Synchronised(Summary),
    /// The device is enrolled.
    Enrolled,
    /// The enrolment did not work out.
    NotEnrolled(Told),
}

/// What a synchronisation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Payments that the bank keeps for their payees from now on.
    pub uploaded: u64,
    /// Payments that were fetched from the bank.
    pub claimed: u64,
    /// Credited to the account, minor units.
    pub redeemed: u64,
    /// Coins that the bank refused for good.
    pub refused: u64,
    /// Notes and blanks that were withdrawn.
    pub withdrawn: u64,
    /// What the account holds, minor units, as far as it was told.
    pub account_balance: Option<u64>,
    /// Parts that did not work out, while the others did.
    pub failures: Vec<Told>,
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// It is none that is known here.
    pub fn decode(event: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(event);
        let (length, number) = (r.array()?, r.uint()?);
        let told = match (number, length) {
            (0, 3) => Self::Paid { request: r.bytes_of()?, amount: r.uint()? },
            (1, 2) => Self::Delivered { request: r.bytes_of()? },
            (2, 3) => Self::Received { request: r.bytes_of()?, amount: r.uint()? },
            (3, 2) => Self::Refused(r.bytes()?.to_vec()),
            (4, 5) => Self::Failed(read_failure(&mut r)?),
            (5, 8) => Self::Synchronised(read_summary(&mut r)?),
            (6, 1) => Self::Enrolled,
            (7, 5) => Self::NotEnrolled(read_failure(&mut r)?),
            _ => return Err(DecodeError::OutOfRange),
        };
        r.finish()?;
        Ok(told)
    }
}

pub(crate) fn encode_peer_event(event: &peer::Event) -> Vec<u8> {
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

pub(crate) fn encode_synchronised(report: &Report) -> Vec<u8> {
    write(|w| {
        array(w, 8, 5)?;
        w.uint(report.uploaded.into())?;
        w.uint(report.claimed.into())?;
        w.uint(report.redeemed)?;
        w.uint(report.refused.len() as u64)?;
        w.uint(report.withdrawn.into())?;
        optional(w, report.account_balance, Writer::uint)?;
        let failures = told(&report.failures);
        w.array(failures.len())?;
        failures.into_iter().try_for_each(|failure| w.array(4).and_then(|()| failure_fields(w, failure)))
    })
}

pub(crate) fn encode_enrolled(outcome: &Result<(), Failure>) -> Vec<u8> {
    write(|w| match outcome {
        Ok(()) => array(w, 1, 6),
        Err(failure) => array(w, 5, 7).and_then(|()| failure_fields(w, failure)),
    })
}

fn told(failures: &[Failure]) -> Vec<&Failure> {
    let mut told = Vec::with_capacity(failures.len().min(FAILURES_MAX));
    for failure in failures {
        if told.len() < FAILURES_MAX && !told.contains(&failure) {
            told.push(failure);
        }
    }
    told
}

fn read_summary(r: &mut Reader<'_>) -> Result<Summary, DecodeError> {
    let (uploaded, claimed, redeemed, refused, withdrawn) = (r.uint()?, r.uint()?, r.uint()?, r.uint()?, r.uint()?);
    let account_balance = r.optional(Reader::uint)?;
    let failures = (0..r.array()?).map(|_| r.array_of(4).and_then(|()| read_failure(r))).collect::<Result<_, _>>()?;
    Ok(Summary { uploaded, claimed, redeemed, refused, withdrawn, account_balance, failures })
}

#[cfg(test)]
mod tests {
    use super::*;
    use specie_core::{Amount, Context};
    use specie_wallet::request::RequestId;

    #[test]
    fn the_longest_report_fits_into_a_frame() {
        let advice = "do the same again, or ask the PSP";
        // Each twice: the same is told once.
        let what = |number: usize| alloc::format!("{}{}", char::from(b'a' + number as u8), "ü".repeat(4_000));
        let failures =
            (0..40).map(|number| Failure::new("a-code-of-the-usual-length", &what(number / 2), advice)).collect();
        let report = Report { account_balance: Some(u64::MAX), failures, ..Report::default() };
        let bytes = encode_synchronised(&report);
        assert!(crate::frame::Frame::encode(18, &bytes).is_some(), "{} bytes", bytes.len());
        let Ok(Event::Synchronised(summary)) = Event::decode(&bytes) else { panic!("no report") };
        assert_eq!((summary.failures.len(), &*summary.failures[0].what), (15, &*["a", &"ü".repeat(99)].concat()));
    }

    #[test]
    fn events_come_out_as_they_went_in() {
        let failure = || Failure::new("late", "too late", "go home");
        let told =
            || Told { code: "late".into(), what: "too late".into(), advice: "go home".into(), money_moved: false };
        let amount = Amount::new(9).unwrap();
        let report =
            Report { redeemed: 4, account_balance: Some(7), failures: alloc::vec![failure()], ..Report::default() };
        let summary = Summary {
            uploaded: 0,
            claimed: 0,
            redeemed: 4,
            refused: 0,
            withdrawn: 0,
            account_balance: Some(7),
            failures: alloc::vec![told()],
        };
        let events = [
            (
                encode_peer_event(&peer::Event::Paid { id: Context([1; 32]), amount }),
                Event::Paid { request: [1; 32], amount: 9 },
            ),
            (encode_peer_event(&peer::Event::Delivered(Context([2; 32]))), Event::Delivered { request: [2; 32] }),
            (
                encode_peer_event(&peer::Event::Received { request: RequestId([3; 16]), amount }),
                Event::Received { request: [3; 16], amount: 9 },
            ),
            (encode_peer_event(&peer::Event::Refused(b"no".to_vec())), Event::Refused(b"no".to_vec())),
            (encode_peer_event(&peer::Event::Failed(failure())), Event::Failed(told())),
            (encode_synchronised(&report), Event::Synchronised(summary)),
            (encode_enrolled(&Ok(())), Event::Enrolled),
            (encode_enrolled(&Err(failure())), Event::NotEnrolled(told())),
        ];
        for (bytes, event) in events {
            assert_eq!(Event::decode(&bytes), Ok(event));
            for end in 0..bytes.len() {
                assert!(Event::decode(&bytes[..end]).is_err());
            }
        }
    }
}
