//! Handing over: the message in either form, again and again, until there is a receipt.

use alloc::vec::Vec;

use specie_core::amount::Amount;
use specie_core::encoding::{Decode, Writer};
use specie_core::payment::{Payment as Message, write_payment};
use specie_core::receipt::Receipt;

use super::state::{Payment, Stage};
use super::{Form, PaymentError, PaymentId, PaymentSummary, ReceiptError};
use crate::history::Progress;
use crate::purse::Place;
use crate::record::{Changes, Table};
use crate::step::Step;
use crate::wallet::Wallet;

/// The longest transfer that pays one request and returns the change, with its points.
const PAYING_TRANSFER_MAX: usize = 768;

impl Wallet {
    /// A payment that was made, to be handed over again.
    ///
    /// # Errors
    /// When there is none of that name, or its payee confirmed it.
    pub fn payment_message(&self, id: &PaymentId, form: Form) -> Result<Vec<u8>, PaymentError> {
        let message = match self.payments.get(id) {
            Some(Payment { stage: Stage::Made, message: Some(message), .. }) => message,
            Some(Payment { stage: Stage::Delivered, .. }) => return Err(PaymentError::Delivered),
            _ => return Err(PaymentError::Unknown),
        };
        match form {
            Form::Extended => Ok(message.clone()),
            Form::Compact => compact(message).map_err(|_| PaymentError::Unknown),
        }
    }

    /// At most so many bytes will be handed over of a payment that is planned; `None` where it is not.
    pub fn planned_length(&self, id: &PaymentId) -> Option<usize> {
        let payment = self.payments.get(id).filter(|payment| payment.stage == Stage::Planned)?;
        let coins = payment.taken.iter().filter_map(|taken| self.purse.get(taken.index)?.coin.as_ref());
        let chains: usize = coins.map(|coin| coin.chain.len()).sum();
        Some(16 + chains + payment.taken.len() * PAYING_TRANSFER_MAX)
    }

    /// Payments made, without a receipt.
    pub fn undelivered_payments(&self) -> impl Iterator<Item = PaymentSummary> {
        let made = self.payments.undelivered().filter(|(_, payment)| payment.stage == Stage::Made);
        made.map(|(id, payment)| summary(id, payment))
    }

    /// Files a receipt: the payment is delivered. The same receipt again changes nothing.
    ///
    /// # Errors
    /// When it is not the receipt of a payment made.
    pub fn accept_receipt(&mut self, receipt: &[u8]) -> Result<Step<PaymentId>, ReceiptError> {
        let receipt = Receipt::decode(receipt).map_err(ReceiptError::Malformed)?;
        let id = receipt.request;
        let payment = self.payments.get(&id).filter(|payment| matches!(payment.stage, Stage::Made | Stage::Delivered));
        let payment = payment.ok_or(ReceiptError::Unknown)?;
        if !receipt.is_for(&payment.request) {
            return Err(ReceiptError::Forged);
        }
        let mut changes = Changes::default();
        if payment.stage == Stage::Delivered {
            return Ok(changes.step(id));
        }
        if let Some(mut payment) = self.payments.remove(&id) {
            payment.stage = Stage::Delivered;
            // The payee has it: nobody needs it again.
            payment.message = None;
            changes.delete(Table::PaymentMessage, &id.0);
            payment.store(&id, &mut changes);
            self.log.progress(payment.entry, Progress::Complete, Some(receipt.preimage), &mut changes);
            self.settle(&payment, &mut changes);
            self.payments.insert(id, payment);
        }
        Ok(changes.step(id))
    }

    /// Nothing falls back any more: blanks that own nothing are free again, and the element may forget what was spent.
    fn settle(&mut self, payment: &Payment, changes: &mut Changes) {
        for taken in &payment.taken {
            self.tasks.forget(taken.index, changes);
            let residual = self.purse.get(taken.blank).is_some_and(|holding| {
                let owns_nothing = holding.coin.as_ref().is_some_and(|coin| coin.amount == Amount::ZERO);
                owns_nothing && holding.place == Place::Idle
            });
            if residual {
                self.purse.own(taken.blank, None);
                changes.delete(Table::Coin, &taken.blank.to_be_bytes());
            }
        }
    }

    /// Undelivered payments that the bank does not have yet, with their messages in extended form.
    pub fn uploads(&self) -> impl Iterator<Item = (PaymentId, Vec<u8>)> {
        let waiting = self.payments.undelivered().filter(|(_, payment)| !payment.uploaded);
        waiting.filter_map(|(id, payment)| Some((*id, payment.message.clone()?)))
    }

    /// The bank has this payment and keeps it for the payee.
    pub fn uploaded(&mut self, id: &PaymentId) -> Step<()> {
        let mut changes = Changes::default();
        if self.payments.get(id).is_some_and(|payment| payment.message.is_some() && !payment.uploaded)
            && let Some(mut payment) = self.payments.remove(id)
        {
            payment.uploaded = true;
            payment.store(id, &mut changes);
            payment.taken.iter().for_each(|taken| self.tasks.forget(taken.index, &mut changes));
            self.payments.insert(*id, payment);
        }
        changes.step(())
    }
}

fn summary(id: &PaymentId, payment: &Payment) -> PaymentSummary {
    let body = &payment.request.body;
    PaymentSummary {
        id: *id,
        amount: body.amount,
        currency: body.currency,
        at: payment.at,
        expiry: body.expiry,
        uploaded: payment.uploaded,
    }
}

/// The compact form of a payment in either form.
pub(crate) fn compact(payment: &[u8]) -> Result<Vec<u8>, specie_core::encoding::DecodeError> {
    let payment = Message::decode(payment)?;
    let chains: Vec<Vec<u8>> = payment.chains().map(|chain| compact_chain(&chain)).collect();
    let chains: Vec<&[u8]> = chains.iter().map(Vec::as_slice).collect();
    let mut compact = Writer::new(Vec::with_capacity(payment.as_bytes().len()));
    match write_payment(&chains, &mut compact) {
        Ok(()) => Ok(compact.into_inner()),
        Err(never) => match never {},
    }
}

fn compact_chain(chain: &specie_core::payment::Chain<'_>) -> Vec<u8> {
    write_chain(chain.transfers().map(specie_core::transfer::Transfer::compact), chain.length(), chain.as_bytes().len())
}

/// The encoding of a chain of `length` transfers, which takes at most `room` bytes.
pub(crate) fn write_chain(
    transfers: impl Iterator<Item = specie_core::transfer::Transfer>,
    length: usize,
    room: usize,
) -> Vec<u8> {
    use specie_core::encoding::Encode;
    let mut w = Writer::new(Vec::with_capacity(room));
    let written = w.array(length).and_then(|()| {
        for transfer in transfers {
            transfer.write(&mut w)?;
        }
        Ok(())
    });
    match written {
        Ok(()) => w.into_inner(),
        Err(never) => match never {},
    }
}
