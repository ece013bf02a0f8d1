//! Payments, and how they are stored: the plan in one record, what is handed over in another.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::Context;
use specie_core::disclosure::SupervisoryKey;
use specie_core::encoding::{Decode, DecodeError, Encode};
use specie_core::note::owner_tag;
use specie_core::request::Request;
use specie_core::transfer::{Output, Outputs};
use specie_element::client::OwnOutput;

use super::PaymentId;
use crate::purse::{Place, Purse};
use crate::record::{Changes, Fields, ReadField, Table, read};
use crate::sorted::{Boxes, Set};
use crate::wallet::{Wallet, bytes_of};

/// How far a payment got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Coins are set aside; the element may have been asked.
    Planned,
    /// Every coin was shown.
    Made,
    /// There is a receipt.
    Delivered,
    /// The request expired when only some coins were shown. What those pay falls back to this wallet.
    Abandoned,
}

/// What is stored of a payment that is planned under the mandate: once it is made, that does not matter any more.
const MANDATED: u8 = 4;

const STAGES: [Stage; 4] = [Stage::Planned, Stage::Made, Stage::Delivered, Stage::Abandoned];

/// A coin that a payment takes, and where its value goes.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    pub(super) index: u32,
    /// What it is worth.
    pub(super) value: Amount,
    /// What the payee gets of it.
    pub(super) pays: Amount,
    /// Which of the request's owner tags gets it.
    pub(super) tag: u8,
    /// The blank that owns the change, and the residual.
    pub(super) blank: u32,
    pub(super) blind: [u8; 32],
}

/// A payment, from its plan on.
pub(crate) struct Payment {
    pub(crate) request: Request,
    /// The request as it came, until the payment was made: encoding it anew would take time while somebody waits.
    pub(super) encoded: Option<Vec<u8>>,
    pub(crate) at: Timestamp,
    pub(super) taken: Vec<Taken>,
    /// The supervisory key to which it names the payer (§7.1). It stays what it was when the payment was planned, so that every
    /// preimage does.
    pub(super) disclosed_to: Option<SupervisoryKey>,
    pub(crate) stage: Stage,
    pub(crate) uploaded: bool,
    /// Under the mandate: nobody verified the PIN for it.
    pub(super) mandated: bool,
    /// Its line of history.
    pub(super) entry: u64,
    /// What is handed over, in extended form, once it was made.
    pub(crate) message: Option<Vec<u8>>,
    /// The element was not asked to show anything of it, as far as anybody knows. Not stored: after a restart nobody knows.
    pub(super) fresh: bool,
}

/// The record, among the settings, of until when payments were forgotten.
pub(crate) const FORGOTTEN: &[u8] = &[1];

/// Payments by the hash of their request.
#[derive(Default)]
pub(crate) struct Payments {
    by_id: Boxes<PaymentId, Payment>,
    planned: Set<PaymentId>,
    /// Made or abandoned, no receipt.
    undelivered: Set<PaymentId>,
    /// The latest expiry of a request whose payment was forgotten. Where the clock is behind, as after a power cut without one,
    /// nobody knows of a request up to then whether it was paid.
    forgotten_until: Timestamp,
}

impl Taken {
    /// What comes back.
    pub(super) fn change(&self) -> Amount {
        self.value.checked_sub(self.pays).unwrap_or_default()
    }

    /// The outputs of the transfer, and the one that returns; `None` when the plan does not fit the request or the purse.
    pub(super) fn outputs(&self, request: &Request, purse: &Purse) -> Option<(Outputs, OwnOutput)> {
        let payee = *request.body.owner_tags.as_slice().get(usize::from(self.tag))?;
        let own = owner_tag(&purse.get(self.blank)?.material.id, &self.blind);
        let outputs = [Output { amount: self.pays, owner: payee }, Output { amount: self.change(), owner: own }];
        Some((Outputs::new(&outputs).ok()?, OwnOutput { output: 1, index: self.blank, blind: self.blind }))
    }
}

impl Payments {
    pub(crate) fn insert(&mut self, id: PaymentId, payment: Payment) {
        self.planned.remove(&id);
        self.undelivered.remove(&id);
        match payment.stage {
            Stage::Planned => drop(self.planned.insert(id)),
            Stage::Made | Stage::Abandoned => drop(self.undelivered.insert(id)),
            Stage::Delivered => {}
        }
        self.by_id.insert(id, Box::new(payment));
    }

    pub(crate) fn remove(&mut self, id: &PaymentId) -> Option<Payment> {
        self.planned.remove(id);
        self.undelivered.remove(id);
        self.by_id.remove(id).map(|payment| *payment)
    }

    pub(crate) fn get(&self, id: &PaymentId) -> Option<&Payment> {
        self.by_id.get(id).map(Box::as_ref)
    }

    /// Removes payments whose requests expired before `before`: those with a receipt, and those that the bank keeps for the
    /// payee and of which nothing can fall back any more. Gives the lines of history of the latter.
    pub(crate) fn prune(
        &mut self,
        before: Timestamp,
        may_fall_back: impl Fn(&PaymentId) -> bool,
        changes: &mut Changes,
    ) -> Vec<u64> {
        let settled = |id: &PaymentId, payment: &Payment| match payment.stage {
            Stage::Delivered => true,
            Stage::Made | Stage::Abandoned => payment.uploaded && !may_fall_back(id),
            Stage::Planned => false,
        };
        let old = |id: &PaymentId, payment: &Payment| payment.request.body.expiry < before && settled(id, payment);
        let ids: Vec<PaymentId> =
            self.by_id.iter().filter(|(id, payment)| old(id, payment)).map(|(id, _)| *id).collect();
        let mut left_to_the_bank = Vec::new();
        let forgotten_before = self.forgotten_until;
        for id in ids {
            let removed = self.remove(&id);
            if let Some(payment) = &removed {
                self.forgotten_until = self.forgotten_until.max(payment.request.body.expiry);
            }
            left_to_the_bank.extend(removed.filter(|payment| payment.uploaded).map(|payment| payment.entry));
            changes.delete(Table::Payment, &id.0);
            changes.delete(Table::PaymentMessage, &id.0);
        }
        if self.forgotten_until > forgotten_before {
            changes.put(Table::Settings, FORGOTTEN, Fields::new(1, 9).time(self.forgotten_until).done());
        }
        left_to_the_bank
    }

    /// Whether a request of this expiry may be one whose payment was forgotten.
    pub(super) fn may_be_forgotten(&self, expiry: Timestamp) -> bool {
        expiry <= self.forgotten_until
    }

    #[inline(never)]
    pub(crate) fn load_forgotten(&mut self, record: &[u8]) -> Result<(), DecodeError> {
        self.forgotten_until = read(record, 1, ReadField::time)?;
        Ok(())
    }

    /// The outcome of a command is unknown.
    pub(super) fn mark_asked(&mut self, id: &PaymentId) {
        if let Some(payment) = self.by_id.get_mut(id) {
            payment.fresh = false;
        }
    }

    pub(crate) fn planned(&self) -> impl Iterator<Item = (&PaymentId, &Payment)> {
        self.planned.iter().filter_map(|id| Some((id, self.get(id)?)))
    }

    pub(crate) fn undelivered(&self) -> impl Iterator<Item = (&PaymentId, &Payment)> {
        self.undelivered.iter().filter_map(|id| Some((id, self.get(id)?)))
    }

    #[inline(never)]
    pub(crate) fn load_message(&mut self, id: &[u8], message: &[u8]) -> Result<(), DecodeError> {
        let payment = self.by_id.get_mut(&Context(bytes_of(id)?)).ok_or(DecodeError::OutOfRange)?;
        payment.message = Some(message.to_vec());
        Ok(())
    }
}

impl Payment {
    /// What left the wallet, or will: all that was asked for, or less if the payment was abandoned.
    pub(crate) fn paid(&self) -> Amount {
        self.taken.iter().fold(Amount::ZERO, |sum, taken| sum.checked_add(taken.pays).unwrap_or(Amount::MAX))
    }

    /// Stores all but the message.
    pub(crate) fn store(&self, id: &PaymentId, changes: &mut Changes) {
        let encoded = self.encoded.as_ref().map_or_else(|| Cow::Owned(self.request.to_vec()), Cow::Borrowed);
        let record = Fields::new(7, encoded.len() + self.taken.len() * 80 + 98)
            .bytes(&encoded)
            .time(self.at)
            .each(self.taken.iter(), |fields, taken| {
                fields
                    .array(6)
                    .uint(taken.index)
                    .amount(taken.value)
                    .amount(taken.pays)
                    .uint(taken.tag)
                    .uint(taken.blank)
                    .bytes(&taken.blind)
            })
            .optional(self.disclosed_to, |fields, key| fields.bytes(&key.0))
            .uint(if self.mandated && self.stage == Stage::Planned { MANDATED } else { self.stage as u8 })
            .uint(self.uploaded)
            .uint(self.entry)
            .done();
        changes.put(Table::Payment, &id.0, record);
    }
}

fn read_payment(record: &[u8]) -> Result<Payment, DecodeError> {
    read(record, 7, |r| {
        let encoded = r.bytes()?;
        let mut payment = Payment {
            request: Request::decode(encoded)?,
            encoded: None,
            at: r.time()?,
            taken: r.each(|r| {
                r.array_of(6)?;
                Ok(Taken {
                    index: r.uint_as()?,
                    value: r.amount()?,
                    pays: r.amount()?,
                    tag: r.uint_as()?,
                    blank: r.uint_as()?,
                    blind: r.bytes_of()?,
                })
            })?,
            disclosed_to: r.optional(|r| r.bytes_of().map(SupervisoryKey))?,
            stage: Stage::Planned,
            uploaded: false,
            mandated: false,
            entry: 0,
            message: None,
            fresh: false,
        };
        (payment.stage, payment.mandated) = match r.uint_as::<u8>()? {
            MANDATED => (Stage::Planned, true),
            number => (STAGES.get(usize::from(number)).copied().ok_or(DecodeError::OutOfRange)?, false),
        };
        (payment.uploaded, payment.entry) = (r.flag()?, r.uint()?);
        Ok(payment)
    })
}

impl Wallet {
    #[inline(never)]
    pub(crate) fn load_payment(&mut self, id: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        let id = Context(bytes_of(id)?);
        let payment = read_payment(record)?;
        self.set_aside(&id, &payment);
        self.payments.insert(id, payment);
        Ok(())
    }

    /// Sets aside what a planned payment takes.
    pub(super) fn set_aside(&mut self, id: &PaymentId, payment: &Payment) {
        if payment.stage == Stage::Planned {
            for taken in &payment.taken {
                self.purse.place(taken.index, Place::Input(*id));
                self.purse.place(taken.blank, Place::ForChange(*id));
            }
        }
    }
}
