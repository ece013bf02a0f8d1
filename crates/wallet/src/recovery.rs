//! After a restart: what was under way, and how it goes on.

use alloc::vec::Vec;

use specie_core::amount::Timestamp;

use crate::element::{Element, ElementFault};
use crate::payment::{PaymentId, Stage};
use crate::record::Changes;
use crate::request::{RequestError, RequestId};
use crate::step::Step;
use crate::wallet::Wallet;
use crate::withdrawal::{WithdrawalError, WithdrawalId};

/// Something unfinished.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Pending {
    /// A payment that is planned: [`Wallet::execute_payment`], or let [`Wallet::resume`] do it.
    Payment(PaymentId),
    /// A payment without a receipt: hand it over, or upload it.
    Undelivered(PaymentId),
    /// A request that is planned: [`Wallet::open_request`], or let [`Wallet::resume`] do it.
    Request(RequestId),
    /// A withdrawal: see [`Wallet::withdrawal_action`].
    Withdrawal(WithdrawalId),
    /// So many coins set aside that the element has not shown yet.
    RedemptionsToExecute(usize),
    /// So many coins shown that the bank has not confirmed.
    RedemptionsToSend(usize),
    /// So many things that the element has yet to be told.
    Housekeeping(usize),
}

/// What a step of [`Wallet::resume`] did.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Resumed {
    /// A payment was completed: hand it over.
    Payment(PaymentId),
    /// A payment was dropped, since nothing of it was spent and its request expired or the element refuses it.
    DroppedPayment(PaymentId),
    /// A half-done payment was given up, since its request expired: what it spent comes back from the bank.
    AbandonedPayment(PaymentId),
    /// A request was opened.
    Request(RequestId),
    /// A request was dropped.
    DroppedRequest(RequestId),
    /// The element did its part of a withdrawal.
    Withdrawal(WithdrawalId),
    /// The element was told something.
    Housekeeping,
    /// The blanks of lapsed requests were freed.
    Lapsed,
}

impl Wallet {
    /// Everything unfinished.
    pub fn pending(&self) -> Vec<Pending> {
        let payments = self.payments.planned().map(|(id, _)| Pending::Payment(*id));
        let requests = self.requests.planned().map(Pending::Request);
        let withdrawals = self.withdrawals().map(Pending::Withdrawal);
        let undelivered = self.payments.undelivered().filter(|(_, payment)| payment.stage == Stage::Made);
        let undelivered = undelivered.map(|(id, _)| Pending::Undelivered(*id));
        let (to_execute, to_send) = (self.redemptions.planned().count(), self.redemptions.shown().count());
        let counts = [
            (to_execute, Pending::RedemptionsToExecute(to_execute)),
            (to_send, Pending::RedemptionsToSend(to_send)),
            (self.housekeeping(), Pending::Housekeeping(self.housekeeping())),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, pending)| pending);
        payments.chain(requests).chain(withdrawals).chain(undelivered).chain(counts).collect()
    }

    /// Does one thing that needs nothing but the element and time; `None` when there is none left. Call it after loading and from time to time,
    /// until then, committing every step. What needs the PSP is in [`Wallet::pending`].
    ///
    /// # Errors
    /// When the element cannot be asked.
    pub fn resume(
        &mut self,
        now: Timestamp,
        element: &mut impl Element,
    ) -> Result<Option<Step<Resumed>>, ElementFault> {
        let mut changes = Changes::default();
        if self.lapse_requests(now, &mut changes) {
            return Ok(Some(changes.step(Resumed::Lapsed)));
        }
        // First, since it makes room in the element.
        if self.housekeeping() > 0 {
            return Ok(Some(self.keep_house(element)?.map(|_| Resumed::Housekeeping)));
        }
        let payment = self.payments.planned().next().map(|(id, _)| *id);
        if let Some(id) = payment {
            return self.resume_payment(&id, now, element).map(Some);
        }
        let request = self.requests.planned().next();
        if let Some(id) = request {
            return self.resume_request(&id, element).map(Some);
        }
        if let Some(id) = self.registering() {
            return match self.withdraw_with_element(&id, now, element) {
                Ok(step) => Ok(Some(step.map(|()| Resumed::Withdrawal(id)))),
                Err(WithdrawalError::Element(fault)) => Err(fault),
                Err(_) => Err(ElementFault::Nonsense),
            };
        }
        Ok(None)
    }

    fn resume_request(&mut self, id: &RequestId, element: &mut impl Element) -> Result<Step<Resumed>, ElementFault> {
        match self.open_request(id, element) {
            Ok(step) => Ok(step.map(|opened| match opened {
                Ok(_) => Resumed::Request(*id),
                Err(_) => Resumed::DroppedRequest(*id),
            })),
            Err(RequestError::Element(fault)) => Err(fault),
            Err(_) => Err(ElementFault::Nonsense),
        }
    }
}
