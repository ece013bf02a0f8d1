//! Redeeming: set aside, show, send, believe the bank, forget.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::text::Currency;
use specie_core::transfer::Outputs;
use specie_element::status::StatusWord;

use super::state::{Redemption, Stage};
use super::{CoinId, RedemptionBatch, RedemptionError, RedemptionPlan, RedemptionResult};
use crate::element::{Element, ElementFault};
use crate::history::Event;
use crate::payment::Stage as PaymentStage;
use crate::purse::{Holding, Origin, Place, Shelf};
use crate::record::{Changes, Table};
use crate::showing::{Showing, show, was_shown};
use crate::sorted::Map;
use crate::step::Step;
use crate::wallet::Wallet;

impl Wallet {
    /// Sets aside what a synchronisation redeems: everything received, change, notes close to or past `spend_until`, and the residuals of
    /// undelivered payments whose request expired.
    ///
    /// # Errors
    /// When there is no account to redeem to.
    pub fn plan_redemptions(&mut self, now: Timestamp) -> Result<Step<RedemptionPlan>, RedemptionError> {
        self.plan_redemption_of(now, |wallet, holding, now| {
            holding.coin.is_some()
                || wallet.purse.shelf(holding) == Shelf::RedeemOnly
                || now.saturating_add(wallet.settings.renew_before) >= holding.spend_until()
        })
    }

    /// As [`Wallet::plan_redemptions`], for everything that the wallet holds, notes included.
    ///
    /// # Errors
    /// When there is no account to redeem to.
    pub fn plan_redemption_of_everything(&mut self, now: Timestamp) -> Result<Step<RedemptionPlan>, RedemptionError> {
        self.plan_redemption_of(now, |_, _, _| true)
    }

    fn plan_redemption_of(
        &mut self,
        now: Timestamp,
        wanted: impl Fn(&Self, &Holding, Timestamp) -> bool,
    ) -> Result<Step<RedemptionPlan>, RedemptionError> {
        let destination = self.identity.account.ok_or(RedemptionError::NotEnrolled)?;
        let now = self.not_before_floor(now);
        let redeemable = self.purse.iter().filter(|(_, holding)| {
            let good = match self.purse.shelf(holding) {
                Shelf::Aside | Shelf::FreeBlank => false,
                Shelf::Residual => self.may_fall_back(holding, now),
                Shelf::Spendable | Shelf::KeptChange | Shelf::RedeemOnly => true,
            };
            good && now <= holding.redeem_until() && wanted(self, holding, now)
        });
        let redeemable: Vec<(u32, Amount, Currency)> =
            redeemable.map(|(index, holding)| (index, holding.amount(), holding.currency())).collect();
        let mut changes = Changes::default();
        let mut plan = RedemptionPlan::default();
        for (index, amount, currency) in redeemable {
            let redemption = Redemption { destination, currency, amount, stage: Stage::Planned };
            redemption.store(index, &mut changes);
            self.redemptions.0.insert(index, Box::new(redemption));
            self.purse.place(index, Place::Redeeming);
            plan.coins += 1;
            plan.residuals += usize::from(amount.is_zero());
        }
        Ok(changes.step(plan))
    }

    /// Whether what a residual stands for may never be claimed: then it says where that goes.
    fn may_fall_back(&self, residual: &Holding, now: Timestamp) -> bool {
        let Some(Origin::Change(id)) = residual.coin.as_ref().map(|coin| coin.origin) else { return false };
        self.payments.get(&id).is_some_and(|payment| match payment.stage {
            PaymentStage::Made => now > payment.request.body.expiry,
            PaymentStage::Abandoned => true,
            PaymentStage::Planned | PaymentStage::Delivered => false,
        })
    }

    /// Has the element show up to `coins_max` coins that are set aside, those first that expire first: a synchronisation may be cut short.
    /// Gives how many are left to be shown. Until the PSP answered for them, the wallet holds their chains in memory.
    ///
    /// # Errors
    /// When the element cannot be asked.
    pub fn execute_redemptions(
        &mut self,
        coins_max: usize,
        element: &mut impl Element,
    ) -> Result<Step<usize>, RedemptionError> {
        let mut shown = Vec::new();
        let mut before = None;
        while let Some((end, index)) = self.planned_after(before).filter(|_| shown.len() < coins_max) {
            before = Some((end, index));
            let holding = self.purse.get(index).ok_or(ElementFault::Nonsense)?;
            let redemption = self.redemptions.0.get(&index).ok_or(RedemptionError::UnknownCoin(CoinId(index)))?;
            let context = redemption.context();
            let by_person = Showing { context: &context, disclose: None, mandated_at: None };
            let mut one = show(index, holding, Outputs::NONE, &[], &by_person, element);
            // With nobody there, the mandate may allow it; the time of it does not matter.
            if self.mandate.is_some() && matches!(&one, Err(fault) if fault.status() == Some(StatusWord::PIN_NEEDED)) {
                let mandated = Showing { mandated_at: Some(Timestamp::EPOCH), ..by_person };
                one = show(index, holding, Outputs::NONE, &[], &mandated, element);
            }
            match one {
                Ok(one) => shown.push((index, Stage::Shown(one.chain))),
                Err(fault) if fault.is_gone() => {
                    shown.push((index, Stage::Refused(SPENT_OTHERWISE.into(), Vec::new())))
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        let mut changes = Changes::default();
        for (index, stage) in shown {
            self.lose(index, &mut changes);
            if let Some(redemption) = self.redemptions.0.get_mut(&index) {
                redemption.stage = stage;
                redemption.store(index, &mut changes);
            }
        }
        let left = self.redemptions.planned().count();
        Ok(changes.step(left))
    }

    /// Of the coins that are set aside, in the order of their last days, the one after `before`, or the first.
    fn planned_after(&self, before: Option<(Timestamp, u32)>) -> Option<(Timestamp, u32)> {
        let end = |index| (self.purse.get(index).map_or(Timestamp::EPOCH, Holding::spend_until), index);
        self.redemptions.planned().map(end).filter(|coin| before.is_none_or(|before| *coin > before)).min()
    }

    /// Puts back what is set aside and was not shown, where the element lets nobody redeem: with the PIN missing and no account in the mandate, it
    /// can still be paid with. Gives how many coins that is.
    ///
    /// # Errors
    /// When the element cannot be asked.
    pub fn put_back_redemptions(&mut self, element: &mut impl Element) -> Result<Step<usize>, RedemptionError> {
        let mut kept = Vec::new();
        for index in self.redemptions.planned() {
            if !was_shown(index, element)? {
                kept.push(index);
            }
        }
        let mut changes = Changes::default();
        for index in &kept {
            changes.delete(Table::Redemption, &index.to_be_bytes());
            self.redemptions.0.remove(index);
            self.purse.place(*index, Place::Idle);
        }
        Ok(changes.step(kept.len()))
    }

    /// Up to `coins_max` coins to send to the PSP; `None` when there are none. The same until their results are applied.
    pub fn redemption_batch(&self, coins_max: usize) -> Option<RedemptionBatch> {
        let (_, destination, _) = self.redemptions.shown().next()?;
        let alike = self.redemptions.shown().filter(|(_, other, _)| *other == destination).take(coins_max);
        Some(RedemptionBatch { destination, coins: alike.map(|(id, _, chain)| (id, chain.to_vec())).collect() })
    }

    /// Coins that were shown and that the bank has to confirm.
    pub fn shown_coins(&self) -> impl Iterator<Item = CoinId> {
        self.redemptions.shown().map(|(id, _, _)| id)
    }

    /// One of [`Wallet::shown_coins`] to send to the PSP by itself.
    pub fn redemption_of(&self, coin: &CoinId) -> Option<RedemptionBatch> {
        let (id, destination, chain) = self.redemptions.shown().find(|(id, _, _)| id == coin)?;
        Some(RedemptionBatch { destination, coins: vec![(id, chain.to_vec())] })
    }

    /// Takes the bank's results, for some or all coins of a batch.
    ///
    /// # Errors
    /// When one is for a coin that was not sent, or credits another amount than the coin is worth.
    pub fn apply_redemptions(
        &mut self,
        results: &[(CoinId, RedemptionResult)],
        now: Timestamp,
    ) -> Result<Step<()>, RedemptionError> {
        let sent =
            |id: &CoinId| self.redemptions.0.get(&id.0).is_some_and(|coin| matches!(coin.stage, Stage::Shown(_)));
        let twice = |number: usize, id: &CoinId| results[..number].iter().any(|(other, _)| other == id);
        if let Some((_, (id, _))) = results.iter().enumerate().find(|(number, (id, _))| !sent(id) || twice(*number, id))
        {
            return Err(RedemptionError::UnknownCoin(*id));
        }
        let worth = |id: &CoinId| self.redemptions.0.get(&id.0).map(|coin| coin.amount);
        let wrong = |id: &CoinId, result: &RedemptionResult| matches!(result, RedemptionResult::Credited(amount) if worth(id) != Some(*amount));
        if let Some((id, _)) = results.iter().find(|(id, result)| wrong(id, result)) {
            return Err(RedemptionError::WrongAmount(*id));
        }
        let mut changes = Changes::default();
        let mut credited: Map<Currency, Amount> = Map::new();
        for (CoinId(index), result) in results {
            match result {
                RedemptionResult::Later => {}
                RedemptionResult::Credited(amount) => {
                    let Some(redemption) = self.redemptions.0.remove(index) else { continue };
                    changes.delete(Table::Redemption, &index.to_be_bytes());
                    self.tasks.forget(*index, &mut changes);
                    let sum = credited.or_default(redemption.currency);
                    *sum = sum.checked_add(*amount).unwrap_or(Amount::MAX);
                }
                RedemptionResult::Refused(code) => {
                    let Some(redemption) = self.redemptions.0.get_mut(index) else { continue };
                    if let Stage::Shown(chain) = &mut redemption.stage {
                        redemption.stage = Stage::Refused(code.clone(), core::mem::take(chain));
                        redemption.store(*index, &mut changes);
                    }
                }
            }
        }
        for (currency, amount) in credited.into_iter().filter(|(_, amount)| !amount.is_zero()) {
            self.log.event(Event::Redeemed, now, amount, currency, &mut changes);
        }
        Ok(changes.step(()))
    }

    /// Coins that the bank refused for good: amount, currency, and the bank's code.
    pub fn refused_redemptions(&self) -> impl Iterator<Item = (CoinId, Amount, Currency, &str)> {
        self.redemptions.0.iter().filter_map(|(index, redemption)| match &redemption.stage {
            Stage::Refused(code, _) => Some((CoinId(*index), redemption.amount, redemption.currency, code.as_str())),
            Stage::Planned | Stage::Shown(_) => None,
        })
    }
}

/// Code of a coin that the element spent otherwise: the wallet's records are older than its element.
const SPENT_OTHERWISE: &str = "spent-otherwise";
