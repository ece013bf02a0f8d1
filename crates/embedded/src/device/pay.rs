//! Paying (§7): look, pay, hand over, file the receipt.

use alloc::format;
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_core::Timestamp;
use specie_core::message::Message;
use specie_wallet::element::Element;
use specie_wallet::payment::{Execution, Form, PaymentError, PaymentId, PaymentPreview};

use super::{Device, Done, Random};
use crate::failure::Failure;

/// A payment that was made. It is stored, and may be handed over any number of times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The request that it answers.
    pub id: PaymentId,
    /// The payment in extended form.
    pub message: Vec<u8>,
    /// Manifest and pages of the revocation list, where the payee may not know the newest.
    pub publications: Vec<Vec<u8>>,
}

impl<F: NorFlash, E: Element, R: Random> Device<F, E, R> {
    /// What paying `request` would do. Nothing is paid.
    ///
    /// # Errors
    /// Why it cannot be paid.
    pub fn preview(&mut self, request: &[u8], now: Timestamp) -> Done<PaymentPreview> {
        expect(request, Message::Request)?;
        Ok(self.wallet.preview_payment(request, now, &mut self.element)?)
    }

    /// Pays `request` offline. A request that was paid gets the same payment again.
    ///
    /// # Errors
    /// Why nothing was paid. Where the flash failed in between, money may have moved: the same again completes it.
    pub fn pay(&mut self, request: &[u8], now: Timestamp) -> Done<Paid> {
        self.pay_as(request, false, now)
    }

    #[inline(never)]
    pub(crate) fn pay_as(&mut self, request: &[u8], by_itself: bool, now: Timestamp) -> Done<Paid> {
        self.resume(now)?;
        expect(request, Message::Request)?;
        self.check_room()?;
        let seed = self.seed()?;
        let step = if by_itself {
            self.plan_by_itself(request, now, &seed)?
        } else {
            self.wallet.plan_payment(request, now, &seed, &mut self.element)?
        };
        let id = self.commit(step)?;
        self.drop_what_has_no_room(&id)?;
        let step = self.wallet.execute_payment(&id, now, &mut self.element)?;
        match self.commit(step).map_err(Failure::of_money)? {
            Execution::Paid(ready) => Ok(Paid { id, message: ready.message, publications: ready.publications }),
            Execution::Refused(reason) => Err(reason.into()),
        }
    }

    /// Drops a plan that could not be stored once it is carried out, as long as nothing of it was.
    ///
    /// # Errors
    /// There is no room, and it was dropped.
    pub(super) fn drop_what_has_no_room(&mut self, id: &PaymentId) -> Done<()> {
        let Some(length) = self.wallet.planned_length(id) else { return Ok(()) };
        let Err(failure) = self.check_paying(length) else { return Ok(()) };
        match self.wallet.cancel_payment(id, &mut self.element) {
            Ok(step) => self.commit(step).and(Err(failure)),
            Err(PaymentError::TooLateToCancel) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A payment that was made, to be handed over again.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn payment_again(&self, id: &PaymentId, form: Form) -> Done<Vec<u8>> {
        Ok(self.wallet.payment_message(id, form)?)
    }

    /// Files the receipt of a payment.
    ///
    /// # Errors
    /// It is not the receipt of a payment of this wallet.
    #[inline(never)]
    pub fn take_receipt(&mut self, receipt: &[u8]) -> Done<PaymentId> {
        expect(receipt, Message::Receipt)?;
        let step = self.wallet.accept_receipt(receipt)?;
        self.commit(step)
    }
}

/// Says what a message is where something else was expected.
#[inline(never)]
pub(crate) fn expect(message: &[u8], expected: Message) -> Done<()> {
    match Message::peek(message) {
        Ok(found) if found == expected => Ok(()),
        Ok(found) => Err(Failure::new(
            "unexpected-message",
            &format!("this is a {found}, not a {expected}"),
            "send the right message",
        )),
        Err(error) => Err(Failure::new(
            "malformed",
            &format!("this is not a {expected} of a version that is known here: {error}"),
            "send the right message",
        )),
    }
}
