//! After a restart: what was under way, and how it goes on.

use alloc::vec::Vec;

use specie_core::amount::Timestamp;

use crate::element::{Element, ElementFault};
use crate::payment::PaymentId;
use crate::request::RequestId;
use crate::step::Step;
use crate::wallet::Wallet;
use crate::withdrawal::WithdrawalId;

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
    /// The element showed coins to be redeemed.
    Redemptions,
    /// The element was told something.
    Housekeeping,
    /// The blanks of lapsed requests were freed.
    Lapsed,
}

impl Wallet {
    /// Everything unfinished.
    pub fn pending(&self) -> Vec<Pending> {
        todo!()
    }

    /// Does one thing that needs nothing but the element and time; `None` when there is none left. Call it after loading, until then, committing
    /// every step.
    ///
    /// # Errors
    /// When the element cannot be asked.
    pub fn resume(&mut self, now: Timestamp, element: &mut impl Element) -> Result<Option<Step<Resumed>>, ElementFault> {
        let _ = (now, element);
        todo!()
    }
}
