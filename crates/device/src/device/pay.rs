//! Paying (§7): look, pay, hand over, file the receipt.

use specie_core::message::Message;
use specie_wallet::payment::{Execution, Form, PaymentId, PaymentPreview, PaymentSummary};

use super::{Device, Done};
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

impl Device {
    /// What paying `request` would do. Nothing is paid.
    ///
    /// # Errors
    /// Why it cannot be paid.
    pub fn preview(&mut self, request: &[u8]) -> Done<PaymentPreview> {
        expect(request, Message::Request)?;
        Ok(self.wallet.preview_payment(request, self.now(), &mut self.element)?)
    }

    /// Pays `request` offline. A request that was paid gets the same payment again.
    ///
    /// # Errors
    /// Why nothing was paid.
    pub fn pay(&mut self, request: &[u8]) -> Done<Paid> {
        self.pay_as(request, false)
    }

    pub(super) fn pay_as(&mut self, request: &[u8], by_itself: bool) -> Done<Paid> {
        self.resume()?;
        expect(request, Message::Request)?;
        self.refuse_paid_online(request)?;
        let seed = Self::seed()?;
        let now = self.now();
        let step = if by_itself {
            self.wallet.plan_mandated_payment(request, now, &seed, &mut self.element)?
        } else {
            self.wallet.plan_payment(request, now, &seed, &mut self.element)?
        };
        let id = self.commit(step)?;
        let step = self.wallet.execute_payment(&id, self.now(), &mut self.element)?;
        match self.commit(step).map_err(Failure::of_money)? {
            Execution::Paid(ready) => Ok(Paid { id, message: ready.message, publications: ready.publications }),
            Execution::Refused(reason) => Err(reason.into()),
        }
    }

    /// Payments that were made and have no receipt.
    pub fn undelivered(&self) -> Vec<PaymentSummary> {
        self.wallet.undelivered_payments().collect()
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
    pub fn take_receipt(&mut self, receipt: &[u8]) -> Done<PaymentId> {
        expect(receipt, Message::Receipt)?;
        let step = self.wallet.accept_receipt(receipt)?;
        self.commit(step)
    }
}

/// Says what a message is where something else was expected.
pub(super) fn expect(message: &[u8], expected: Message) -> Done<()> {
    match Message::peek(message) {
        Ok(found) if found == expected => Ok(()),
        Ok(found) => Err(Failure::new(
            "unexpected-message",
            format!("this is a {found}, not a {expected}"),
            "choose the right file or code",
        )),
        Err(error) => Err(Failure::new(
            "malformed",
            format!("this is not a {expected} of a version that is known here: {error}"),
            "choose the right file or code",
        )),
    }
}
