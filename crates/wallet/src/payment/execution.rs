//! Spending: the element shows the coins of a planned payment, one after the other, each as planned.

use alloc::vec::Vec;

use specie_core::amount::Timestamp;
use specie_core::encoding::Writer;
use specie_core::payment::write_payment;
use specie_element::status::StatusWord;

use super::state::{Payment, Stage, Taken};
use super::{Execution, PaymentError, PaymentId, ReadyPayment};
use crate::element::{Element, ElementFault};
use crate::history::Progress;
use crate::purse::{Origin, Place, encode_coin};
use crate::record::{Changes, Table};
use crate::recovery::Resumed;
use crate::showing::{Disclose, Showing, Shown, show, was_shown};
use crate::step::Step;
use crate::wallet::Wallet;

impl Wallet {
    /// Has the element show the coins of a planned payment. For a payment that was made already: the same bytes.
    ///
    /// # Errors
    /// When the element cannot be asked or stopped half-way: the plan stays, do the same again.
    #[inline(never)]
    pub fn execute_payment(
        &mut self,
        id: &PaymentId,
        now: Timestamp,
        element: &mut impl Element,
    ) -> Result<Step<Execution>, PaymentError> {
        let payment = self.payments.get(id).ok_or(PaymentError::Unknown)?;
        let mut changes = Changes::default();
        match payment.stage {
            Stage::Planned => {}
            Stage::Abandoned => return Err(PaymentError::RequestExpired),
            Stage::Made => return Ok(changes.step(Execution::Paid(self.ready(payment)?))),
            Stage::Delivered => return Err(PaymentError::Delivered),
        }
        if self.not_before_floor(now) > payment.request.body.expiry {
            return Err(PaymentError::RequestExpired);
        }
        let mut shown = Vec::with_capacity(payment.taken.len());
        for taken in &payment.taken {
            match self.show_taken(id, payment, taken, now, element) {
                Ok(one) => shown.push((*taken, one)),
                Err(fault) if !shown.is_empty() => {
                    self.payments.mark_asked(id);
                    return Err(PaymentError::Interrupted(fault));
                }
                // A refusal says that this command did nothing; that none before it did is known of a fresh plan only, or follows from the reason.
                Err(fault) if fault.is_refusal() && (payment.fresh || is_final(&fault)) => {
                    let gone = Some(taken.index).filter(|_| fault.is_gone());
                    self.drop_payment(id, gone, &mut changes);
                    return Ok(changes.step(Execution::Refused(fault.into())));
                }
                Err(fault) => {
                    self.payments.mark_asked(id);
                    return Err(fault.into());
                }
            }
        }
        self.complete(id, shown, Stage::Made, &mut changes);
        let payment = self.payments.get(id).ok_or(PaymentError::Unknown)?;
        let ready = self.ready(payment)?;
        Ok(changes.step(Execution::Paid(ready)))
    }

    /// Drops a payment that is planned, of which the element showed nothing.
    ///
    /// # Errors
    /// When something was shown, or the element cannot be asked.
    pub fn cancel_payment(&mut self, id: &PaymentId, element: &mut impl Element) -> Result<Step<()>, PaymentError> {
        let payment = self.payments.get(id).filter(|payment| payment.stage == Stage::Planned);
        let payment = payment.ok_or(PaymentError::Unknown)?;
        if !payment.fresh {
            for taken in &payment.taken {
                if was_shown(taken.index, element)? {
                    return Err(PaymentError::TooLateToCancel);
                }
            }
        }
        let mut changes = Changes::default();
        self.drop_payment(id, None, &mut changes);
        Ok(changes.step(()))
    }

    #[inline(never)]
    fn ready(&self, payment: &Payment) -> Result<ReadyPayment, PaymentError> {
        let body = &payment.request.body;
        Ok(ReadyPayment {
            message: payment.message.clone().ok_or(PaymentError::Unknown)?,
            publications: self.newer_publications(body.manifest_sequence, body.revocation_sequence),
        })
    }

    #[inline(never)]
    fn show_taken(
        &self,
        id: &PaymentId,
        payment: &Payment,
        taken: &Taken,
        now: Timestamp,
        element: &mut impl Element,
    ) -> Result<Shown, ElementFault> {
        let holding = self.purse.get(taken.index).ok_or(ElementFault::Nonsense)?;
        let (outputs, own) = taken.outputs(&payment.request, &self.purse).ok_or(ElementFault::Nonsense)?;
        let disclose = payment.disclosed_to.map(|to| Disclose { U: &self.identity.U, to });
        let mandated_at = payment.mandated.then(|| self.not_before_floor(now));
        show(taken.index, holding, outputs, &[own], &Showing { context: id, disclose, mandated_at }, element)
    }

    /// Stores what was shown: the message, and the change.
    #[inline(never)]
    fn complete(&mut self, id: &PaymentId, shown: Vec<(Taken, Shown)>, stage: Stage, changes: &mut Changes) {
        let Some(mut payment) = self.payments.remove(id) else { return };
        let chains: Vec<&[u8]> = shown.iter().map(|(_, shown)| shown.chain.as_slice()).collect();
        let mut message = Writer::new(Vec::with_capacity(16 + chains.iter().map(|chain| chain.len()).sum::<usize>()));
        match write_payment(&chains, &mut message) {
            Ok(()) => {}
            Err(never) => match never {},
        }
        let message = message.into_inner();
        changes.put_open(Table::PaymentMessage, &id.0, message.clone());
        payment.taken = shown.iter().map(|(taken, _)| *taken).collect();
        for (taken, shown) in shown {
            let Some(input) = self.purse.remove(taken.index) else { continue };
            changes.delete(Table::Note, &taken.index.to_be_bytes());
            if input.coin.is_some() {
                changes.delete(Table::Coin, &taken.index.to_be_bytes());
            }
            let coin = shown.change(&input, 1, taken.change(), taken.blind, Origin::Change(*id));
            changes.put(Table::Coin, &taken.blank.to_be_bytes(), encode_coin(&coin));
            self.purse.own(taken.blank, Some(coin));
            self.tasks.clear(taken.blank, changes);
        }
        payment.message = Some(message);
        payment.stage = stage;
        payment.store(id, changes);
        payment.encoded = None;
        let progress = if stage == Stage::Made { Progress::Undelivered } else { Progress::Abandoned };
        self.log.progress(payment.entry, progress, None, changes);
        self.payments.insert(*id, payment);
    }

    /// Drops a plan of which nothing was spent. A coin of which the element says that it was spent otherwise is gone: the wallet's records are
    /// older than its element.
    fn drop_payment(&mut self, id: &PaymentId, gone: Option<u32>, changes: &mut Changes) {
        let Some(payment) = self.payments.remove(id) else { return };
        payment.taken.iter().for_each(|taken| self.put_back(taken));
        if let Some(index) = gone {
            self.lose(index, changes);
        }
        changes.delete(Table::Payment, &id.0);
        self.log.remove(payment.entry, changes);
    }

    /// Removes a holding that the element does not show any more.
    pub(crate) fn lose(&mut self, index: u32, changes: &mut Changes) {
        if self.purse.remove(index).is_some_and(|holding| holding.coin.is_some()) {
            changes.delete(Table::Coin, &index.to_be_bytes());
        }
        changes.delete(Table::Note, &index.to_be_bytes());
    }

    fn put_back(&mut self, taken: &Taken) {
        self.purse.place(taken.index, Place::Idle);
        self.purse.place(taken.blank, Place::Idle);
    }

    /// Goes on with a planned payment after a restart. In time, it is executed. Too late, nothing more is spent: what was shown is kept, the
    /// rest goes back to the purse.
    pub(crate) fn resume_payment(
        &mut self,
        id: &PaymentId,
        now: Timestamp,
        element: &mut impl Element,
    ) -> Result<Step<Resumed>, ElementFault> {
        let payment = self.payments.get(id).ok_or(ElementFault::Nonsense)?;
        if self.not_before_floor(now) <= payment.request.body.expiry {
            return match self.execute_payment(id, now, element) {
                Ok(step) => Ok(step.map(|execution| match execution {
                    Execution::Paid(_) => Resumed::Payment(*id),
                    Execution::Refused(_) => Resumed::DroppedPayment(*id),
                })),
                Err(PaymentError::Element(fault) | PaymentError::Interrupted(fault)) => Err(fault),
                Err(_) => Err(ElementFault::Nonsense),
            };
        }
        let (mut shown, mut not_shown) = (Vec::new(), Vec::new());
        for taken in &payment.taken {
            if !was_shown(taken.index, element)? {
                not_shown.push(*taken);
                continue;
            }
            match self.show_taken(id, payment, taken, now, element) {
                Ok(one) => shown.push((*taken, one)),
                Err(fault) if fault.is_gone() => not_shown.push(*taken),
                Err(fault) => return Err(fault),
            }
        }
        let mut changes = Changes::default();
        if shown.is_empty() {
            self.drop_payment(id, None, &mut changes);
            return Ok(changes.step(Resumed::DroppedPayment(*id)));
        }
        not_shown.iter().for_each(|taken| self.put_back(taken));
        let complete = not_shown.is_empty();
        self.complete(id, shown, if complete { Stage::Made } else { Stage::Abandoned }, &mut changes);
        Ok(changes.step(if complete { Resumed::Payment(*id) } else { Resumed::AbandonedPayment(*id) }))
    }
}

/// Whether the element will refuse this for good, and has not done it before.
fn is_final(fault: &ElementFault) -> bool {
    matches!(
        fault.status(),
        Some(
            StatusWord::OVER_PAYMENT
                | StatusWord::OVER_CUMULATIVE
                | StatusWord::LIMITS_RUN_OUT
                | StatusWord::ALREADY_SPENT
                | StatusWord::UNKNOWN_INDEX
                | StatusWord::WRONG_DATA
                | StatusWord::MANDATE_ENDED
                | StatusWord::OVER_MANDATE_PAYMENT
                | StatusWord::OVER_MANDATE_PERIOD
                | StatusWord::OVER_MANDATE_TOTAL
        )
    )
}
