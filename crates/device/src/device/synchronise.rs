//! Synchronising (§8): the newest publications, what was not delivered, what was received, renewal, new notes and blanks.
//!
//! Every part may be repeated and stands on its own: what a break leaves undone, the next synchronisation does.

use specie_api::hexadecimal::Hex;
use specie_api::psp::{self, PaymentClaim, PaymentUpload, REDEMPTION_CHAINS_MAX, RedemptionItem, RedemptionRequest};
use specie_core::Amount;
use specie_core::encoding::{Decode, DecodeError};
use specie_core::manifest::{ManifestHeader, SignedHeader};
use specie_core::revocation::PAGES_MAX;
use specie_core::text::Currency;
use specie_element::status::StatusWord;
use specie_wallet::element::ElementFault;
use specie_wallet::publication::{PublicationError, Update};
use specie_wallet::reception::{Received, Route};
use specie_wallet::synchronisation::{CoinId, RedemptionBatch, RedemptionError, RedemptionResult, Targets};

use super::online::fresh_key;
use super::totals::OVER_LIMIT;
use super::withdraw::Withdrawn;
use super::{Device, Done};
use crate::failure::Failure;

/// Codes of a bank that could not decide: the coin is sent again another time.
const UNDECIDED: [&str; 4] = ["unavailable", "bank-unavailable", "internal", "timeout"];

/// The element redeems with nobody there to nowhere, or not any more.
const NOT_BY_ITSELF: [StatusWord; 3] = [StatusWord::OUTSIDE_MANDATE, StatusWord::MANDATE_ENDED, StatusWord::PIN_NEEDED];

/// The element holds more than the limits that it is to take.
const OVER_HOLDING: &str = "over-holding-limit";

/// What a synchronisation, or a withdrawal, is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Fetching manifests, revocation list and limits.
    Publications,
    /// Uploading payments that did not reach their payees.
    Uploading,
    /// Fetching payments that were uploaded for this device.
    Claiming,
    /// Redeeming: so many coins are done.
    Redeeming {
        /// Coins done.
        done: usize,
        /// Coins in all.
        total: usize,
    },
    /// Withdrawing notes and blanks.
    Withdrawing,
    /// Telling the element what it may forget.
    Housekeeping,
}

/// What a synchronisation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Sequence of the manifest held now.
    pub manifest_sequence: u64,
    /// Online payments of which the answer was outstanding.
    pub transfers: usize,
    /// Payments that the bank keeps for their payees from now on.
    pub uploaded: usize,
    /// What was fetched from the bank.
    pub claimed: Vec<Received>,
    /// Credited to the account, minor units.
    pub redeemed: u64,
    /// Coins that were credited.
    pub coins_redeemed: usize,
    /// Coins that the bank refused for good, with its code.
    pub coins_refused: Vec<(CoinId, String)>,
    /// What was withdrawn.
    pub withdrawn: Withdrawn,
    /// What the account holds now, minor units; `None` where the PSP did not say.
    pub account_balance: Option<u64>,
    /// Whether what the wallet holds was left with the PSP, for the case that the device is lost.
    pub backed_up: bool,
    /// Parts that did not work out, while the others did.
    pub failures: Vec<Failure>,
}

impl Device {
    /// Synchronises with the PSP. Where it breaks off, the next one goes on.
    ///
    /// # Errors
    /// The PSP cannot be reached, or somebody lies about the bank's publications. What only concerns a part is in the report.
    pub fn synchronise(&mut self, progress: &mut dyn FnMut(Stage)) -> Done<SyncReport> {
        if self.wallet.account().is_none() {
            return Err(Failure::new(
                "not-enrolled",
                "the device is not enrolled with a PSP",
                "enrol the device first",
            ));
        }
        let mut report = SyncReport::default();
        progress(Stage::Publications);
        self.fetch_publications(&mut report)?;
        self.move_money(&mut report, progress).map_err(Failure::halfway)?;
        report.manifest_sequence = self.wallet.manifest_sequence();
        Ok(report)
    }

    fn move_money(&mut self, report: &mut SyncReport, progress: &mut dyn FnMut(Stage)) -> Done<()> {
        self.resume()?;
        self.part(report, |device, report| {
            report.transfers = device.finish_transfers()?;
            Ok(())
        })?;
        report.failures.extend(self.finish_withdrawals(progress)?);
        progress(Stage::Uploading);
        self.part(report, Self::upload_payments)?;
        progress(Stage::Claiming);
        self.part(report, Self::claim_payments)?;
        self.part(report, |device, report| device.redeem(false, report, progress))?;
        self.fetch_limits_after_redeeming(report)?;
        self.part(report, |device, report| device.replenish(report, progress))?;
        progress(Stage::Housekeeping);
        self.part(report, |device, _| device.keep_house())?;
        self.part(report, Self::back_up)
    }

    fn back_up(&mut self, report: &mut SyncReport) -> Done<()> {
        report.backed_up = self.leave_backup()?;
        Ok(())
    }

    /// Synchronises and redeems everything that the wallet holds, notes included: for a device that is given up.
    ///
    /// # Errors
    /// As [`Device::synchronise`].
    pub fn redeem_everything(&mut self, progress: &mut dyn FnMut(Stage)) -> Done<SyncReport> {
        let mut report = SyncReport::default();
        progress(Stage::Publications);
        self.fetch_publications(&mut report)?;
        self.resume()?;
        self.give_up_money(&mut report, progress).map_err(Failure::halfway)?;
        report.manifest_sequence = self.wallet.manifest_sequence();
        Ok(report)
    }

    fn give_up_money(&mut self, report: &mut SyncReport, progress: &mut dyn FnMut(Stage)) -> Done<()> {
        report.failures.extend(self.finish_withdrawals(progress)?);
        self.part(report, Self::upload_payments)?;
        self.part(report, Self::claim_payments)?;
        self.part(report, |device, report| device.redeem(true, report, progress))?;
        self.part(report, |device, _| device.keep_house())?;
        self.part(report, Self::back_up)?;
        report.account_balance = Some(self.account()?.balance);
        Ok(())
    }

    /// Runs a part. Its failure stands in the report, unless nothing more can work.
    fn part(&mut self, report: &mut SyncReport, part: impl FnOnce(&mut Self, &mut SyncReport) -> Done<()>) -> Done<()> {
        match part(self, report) {
            Err(failure) if failure.ends_everything() => Err(failure),
            Err(failure) => {
                report.failures.push(failure);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Manifests, what is new of the revocation list, limits, and the descriptor where there is one.
    pub(super) fn fetch_publications(&mut self, report: &mut SyncReport) -> Done<()> {
        let after = self.wallet.manifest_followed();
        let fetched = self.call(|psp| psp.manifests(after))?;
        if let Some(Hex(manifest)) = fetched.manifest {
            let headers: Result<Vec<SignedHeader>, DecodeError> = fetched.headers.iter().map(signed_header).collect();
            let headers = headers.map_err(PublicationError::Malformed)?;
            let step = self.wallet.accept_manifest(&headers, &manifest)?;
            self.commit(step)?;
        }
        let after = self.wallet.revocation_sequence();
        let fetched = self.call(|psp| psp.revocations(after))?;
        let pages: Vec<&[u8]> = fetched.pages.iter().map(|page| page.0.as_slice()).collect();
        let step = self.wallet.accept_revocations(&pages, PAGES_MAX)?;
        self.commit(step)?;
        self.part(report, |device, _| device.fetch_limits())?;
        self.part(report, |device, _| device.fetch_descriptor())
    }

    fn fetch_limits(&mut self) -> Done<()> {
        let said = self.show_totals()?;
        let key = fresh_key()?;
        let limits = self.signed_call(|psp, device| psp.limits(device, &key, said))?.limits.0;
        let accepted = self.wallet.accept_limits(&limits, &mut self.element);
        if let Err(PublicationError::Element(ElementFault::Refused(StatusWord::OVER_HOLDING))) = accepted {
            return Err(over_holding());
        }
        let _: Update = self.commit(accepted?)?;
        self.begin_history_of_limits()
    }

    /// Asks for limits again when the device was over them, and redeemed since.
    fn fetch_limits_after_redeeming(&mut self, report: &mut SyncReport) -> Done<()> {
        let failures = report.failures.len();
        report.failures.retain(|failure| ![OVER_LIMIT, OVER_HOLDING].contains(&failure.code()));
        if report.failures.len() < failures { self.part(report, |device, _| device.fetch_limits()) } else { Ok(()) }
    }

    /// A merchant's device gets a new descriptor each time; others have none.
    fn fetch_descriptor(&mut self) -> Done<()> {
        let key = fresh_key()?;
        match self.signed_call(|psp, device| psp.descriptor(device, &key)) {
            Ok(answer) => {
                let step = self.wallet.accept_descriptor(&answer.descriptor.0, self.now())?;
                self.commit(step)
            }
            Err(error) if error.is(&psp::NOT_A_MERCHANT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn upload_payments(&mut self, report: &mut SyncReport) -> Done<()> {
        let uploads: Vec<_> = self.wallet.uploads().collect();
        for (id, payment) in uploads {
            let (key, upload) = (fresh_key()?, PaymentUpload { payment: Hex(payment) });
            match self.signed_call(|psp, device| psp.upload_payment(device, &key, &upload)) {
                Ok(_) => {
                    let step = self.wallet.uploaded(&id);
                    self.commit(step)?;
                    report.uploaded += 1;
                }
                // The others may still get through.
                Err(error) if error.problem().is_some() => report.failures.push(error.into()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn claim_payments(&mut self, report: &mut SyncReport) -> Done<()> {
        let claimable: Vec<_> = self.wallet.claimable_requests(self.now()).collect();
        for id in claimable {
            let Some(request) = self.wallet.request_message(&id).map(<[u8]>::to_vec) else {
                continue;
            };
            let (key, claim) = (fresh_key()?, PaymentClaim { request: Hex(request) });
            let claimed = match self.signed_call(|psp, device| psp.claim_payment(device, &key, &claim)) {
                Ok(claimed) => claimed,
                Err(error) if error.is(&psp::PAYMENT_UNKNOWN) => continue,
                Err(error) if error.problem().is_some() => {
                    report.failures.push(error.into());
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            match self.receive_by(&claimed.payment.0, Route::Bank) {
                Ok(received) => report.claimed.push(received),
                Err(failure) => report.failures.push(failure),
            }
        }
        Ok(())
    }

    /// Has the element show to the bank what was received and what is left of notes, with no network; gives how many coins the
    /// next synchronisation sends. It does this by itself: beforehand, less is left to do while it is connected.
    ///
    /// # Errors
    /// The element cannot be asked, or the wallet not stored.
    pub fn prepare_redemptions(&mut self) -> Done<usize> {
        self.resume()?;
        let step = self.wallet.plan_redemptions(self.now())?;
        self.commit(step)?;
        while self.show_some()? > 0 {}
        Ok(self.shown())
    }

    /// Has the element show the next few coins, those first that expire first; gives how many are left to be shown.
    fn show_some(&mut self) -> Done<usize> {
        let executed = self.wallet.execute_redemptions(REDEMPTION_CHAINS_MAX, &mut self.element);
        if let Err(RedemptionError::Element(ElementFault::Refused(status))) = &executed
            && NOT_BY_ITSELF.contains(status)
        {
            // It can still be paid with.
            let step = self.wallet.put_back_redemptions(&mut self.element)?;
            self.commit(step)?;
        }
        self.commit(executed?)
    }

    /// How many coins wait to be sent.
    fn shown(&self) -> usize {
        self.wallet.shown_coins().count()
    }

    fn redeem(&mut self, everything: bool, report: &mut SyncReport, progress: &mut dyn FnMut(Stage)) -> Done<()> {
        let now = self.now();
        let step = if everything {
            self.wallet.plan_redemption_of_everything(now)?
        } else {
            self.wallet.plan_redemptions(now)?
        };
        self.commit(step)?;
        let mut done = 0;
        // Each round is sent before the next is shown, so that what expires first is renewed first, wherever this is cut short.
        loop {
            let left = self.show_some()?;
            done += self.send_shown(done, left, report, progress)?;
            if left == 0 {
                return Ok(());
            }
        }
    }

    /// Sends what was shown, and gives how many coins were decided; `left` are yet to be shown.
    fn send_shown(
        &mut self,
        before: usize,
        left: usize,
        report: &mut SyncReport,
        progress: &mut dyn FnMut(Stage),
    ) -> Done<usize> {
        let mut done = 0;
        while let Some(batch) = self.wallet.redemption_batch(REDEMPTION_CHAINS_MAX) {
            progress(Stage::Redeeming { done: before + done, total: before + done + self.shown() + left });
            let decided = self.redeem_batch(&batch, report)?;
            done += decided;
            if decided < batch.coins.len() {
                return Err(Failure::new(
                    "redemption-undecided",
                    format!("the bank could not decide about {} coins", batch.coins.len() - decided),
                    "synchronise again later",
                ));
            }
        }
        Ok(done)
    }

    /// Gives how many coins of the batch were decided.
    fn redeem_batch(&mut self, batch: &RedemptionBatch, report: &mut SyncReport) -> Done<usize> {
        let request = RedemptionRequest {
            account: batch.destination.account.as_str().to_owned(),
            psp: batch.destination.psp.as_str().to_owned(),
            chains: batch.coins.iter().map(|(_, chain)| Hex(chain.clone())).collect(),
        };
        let key = fresh_key()?;
        let answer = self.signed_call(|psp, device| psp.redeem(device, &key, &request))?;
        if answer.items.len() != batch.coins.len() {
            return Err(Failure::new("wrong-answer", "the PSP answered for other coins than were sent", "ask the PSP"));
        }
        let results: Vec<(CoinId, RedemptionResult)> =
            batch.coins.iter().zip(answer.items).map(|((coin, _), item)| (*coin, result_of(item))).collect();
        let step = self.wallet.apply_redemptions(&results, self.now())?;
        self.commit(step)?;
        let mut decided = 0;
        for (coin, result) in results {
            match result {
                RedemptionResult::Credited(amount) => {
                    report.redeemed = report.redeemed.saturating_add(amount.minor());
                    report.coins_redeemed += 1;
                    decided += 1;
                }
                RedemptionResult::Refused(code) => {
                    report.coins_refused.push((coin, code));
                    decided += 1;
                }
                RedemptionResult::Later => {}
            }
        }
        Ok(decided)
    }

    /// Withdraws what `device.toml` says should be there.
    fn replenish(&mut self, report: &mut SyncReport, progress: &mut dyn FnMut(Stage)) -> Done<()> {
        let account = self.account()?;
        report.account_balance = Some(account.balance);
        let Some(currency) = Currency::new(&account.currency) else {
            return Err(Failure::new("wrong-answer", "the PSP named no currency", "ask the PSP"));
        };
        let keep = self.config.keep.clone();
        let ration = account.rations.iter().max_by_key(|ration| ration.blanks.min(u64::from(keep.blanks)));
        let (left, cap_max) = ration.map_or((0, 0), |ration| (ration.blanks, ration.cap_max));
        let free = self.wallet.blanks(currency, self.now()).free;
        // As far as the ration goes: what is there already counts too.
        let reachable = u16::try_from(left.saturating_add(free as u64)).unwrap_or(u16::MAX);
        let targets = Targets {
            currency,
            value: amount(keep.value),
            blanks: keep.blanks.min(reachable),
            blank_cap: amount(keep.blank_cap.map_or(cap_max, |cap| cap.min(cap_max))),
        };
        let available = amount(account.balance.min(account.withdrawable));
        let items = self.wallet.shortfall(&targets, available, self.now())?;
        if items.is_empty() {
            return Ok(());
        }
        report.withdrawn = self.withdraw_items(&items, progress)?;
        report.account_balance = Some(account.balance.saturating_sub(report.withdrawn.amount));
        Ok(())
    }

    fn keep_house(&mut self) -> Done<()> {
        loop {
            let step = self.wallet.keep_house(&mut self.element)?;
            if self.commit(step)? == 0 {
                return Ok(());
            }
        }
    }
}

fn over_holding() -> Failure {
    Failure::new(
        OVER_HOLDING,
        "the device holds more than its new limits allow, and keeps the ones before; no money moved",
        "redeem or pay some of it and synchronise again; when the limits before have run out it cannot pay, only redeem",
    )
}

fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap_or(Amount::MAX)
}

fn signed_header(travelled: &psp::SignedHeader) -> Result<SignedHeader, DecodeError> {
    let header = ManifestHeader::decode(&travelled.header.0)?;
    Ok(SignedHeader { header, signature: travelled.signature.0 })
}

fn result_of(item: RedemptionItem) -> RedemptionResult {
    match item {
        RedemptionItem::Credited { amount } => {
            Amount::new(amount).map_or(RedemptionResult::Later, RedemptionResult::Credited)
        }
        RedemptionItem::Refused { code, .. } if UNDECIDED.contains(&&*code) => RedemptionResult::Later,
        RedemptionItem::Refused { code, .. } => RedemptionResult::Refused(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_decision_of_the_bank_is_final() {
        let refused = |code: &str| result_of(RedemptionItem::Refused { code: code.into(), detail: String::new() });
        assert_eq!(refused("bank-unavailable"), RedemptionResult::Later);
        assert_eq!(refused("double-spent"), RedemptionResult::Refused("double-spent".into()));
        assert_eq!(result_of(RedemptionItem::Credited { amount: 7 }), RedemptionResult::Credited(amount(7)));
        assert_eq!(result_of(RedemptionItem::Credited { amount: u64::MAX }), RedemptionResult::Later);
    }
}
