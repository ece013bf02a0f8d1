//! Before anything is spent: who is paid, with which coins, and whether it can be done.

use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::disclosure::SupervisoryKey;
use specie_core::encoding::Decode;
use specie_core::request::{Request, request_context};
use specie_element::client::{self, Status};

use super::state::{Payment, Stage, Taken};
use super::{Payee, PaymentError, PaymentId, PaymentPreview};
use crate::element::{Element, ElementFault};
use crate::history::{Event, HistoryEntry, Progress};
use crate::mandate::MandatedPaymentError;
use crate::purse::Shelf;
use crate::record::{Changes, derive};
use crate::step::Step;
use crate::wallet::Wallet;

/// A plan that is not stored yet.
struct Draft {
    request: Request,
    payee: Payee,
    taken: Vec<Taken>,
    disclosed_to: Option<SupervisoryKey>,
}

impl Wallet {
    /// What paying this request would do, and whether it can be done.
    ///
    /// # Errors
    /// Why it cannot.
    #[inline(never)]
    pub fn preview_payment(
        &self,
        request: &[u8],
        now: Timestamp,
        element: &mut impl Element,
    ) -> Result<PaymentPreview, PaymentError> {
        let parsed = Request::decode(request).map_err(PaymentError::Malformed)?;
        let id = request_context(request);
        if let Some(payment) = self.payments.get(&id) {
            let payee = self.payee(&payment.request, now)?;
            return Ok(preview(id, &payment.request, payee, &payment.taken, payment.disclosed_to.is_some(), true));
        }
        let status = client::status(element).map_err(ElementFault::from)?;
        // No blind is ever used that a preview drew.
        let draft = self.draft(&id, parsed, now, &[0; 32], &status)?;
        let disclosed = draft.disclosed_to.is_some();
        Ok(preview(id, &draft.request, draft.payee, &draft.taken, disclosed, false))
    }

    /// Chooses coins and blanks and sets them aside. For a request that was paid or planned already: nothing new, the same name.
    ///
    /// # Errors
    /// Why it cannot be paid.
    pub fn plan_payment(
        &mut self,
        request: &[u8],
        now: Timestamp,
        seed: &[u8; 32],
        element: &mut impl Element,
    ) -> Result<Step<PaymentId>, PaymentError> {
        self.plan(request, now, seed, false, element)
    }

    /// As [`Wallet::plan_payment`], for a payment that the device makes by itself, under the mandate that it holds (§7.2).
    ///
    /// # Errors
    /// By which rule of the mandate it is not paid, or why it cannot be.
    pub fn plan_mandated_payment(
        &mut self,
        request: &[u8],
        now: Timestamp,
        seed: &[u8; 32],
        element: &mut impl Element,
    ) -> Result<Step<PaymentId>, MandatedPaymentError> {
        let parsed = Request::decode(request).map_err(PaymentError::Malformed)?;
        if self.payments.get(&request_context(request)).is_none() {
            let payee = self.payee(&parsed, self.not_before_floor(now))?;
            self.check_mandate(&parsed, &payee, now, element)?;
        }
        Ok(self.plan(request, now, seed, true, element)?)
    }

    #[inline(never)]
    fn plan(
        &mut self,
        request: &[u8],
        now: Timestamp,
        seed: &[u8; 32],
        mandated: bool,
        element: &mut impl Element,
    ) -> Result<Step<PaymentId>, PaymentError> {
        let parsed = Request::decode(request).map_err(PaymentError::Malformed)?;
        let id = request_context(request);
        let mut changes = Changes::default();
        match self.payments.get(&id).map(|payment| payment.stage) {
            Some(Stage::Abandoned) => return Err(PaymentError::RequestExpired),
            Some(_) => return Ok(changes.step(id)),
            None => {}
        }
        let status = client::status(element).map_err(ElementFault::from)?;
        let draft = self.draft(&id, parsed, now, seed, &status)?;

        let body = &draft.request.body;
        let counterparty = match draft.payee {
            Payee::Verified { name, .. } => Some(name),
            Payee::Unnamed | Payee::Unverifiable { .. } => None,
        };
        let entry = HistoryEntry {
            sequence: 0,
            at: now,
            event: Event::Paid,
            amount: body.amount,
            currency: body.currency,
            counterparty,
            memo: body.memo,
            request: Some(id),
            progress: Progress::Planned,
            receipt: None,
        };
        let entry = self.log.add(entry, &mut changes);
        let payment = Payment {
            request: draft.request,
            encoded: Some(request.to_vec()),
            at: now,
            taken: draft.taken,
            disclosed_to: draft.disclosed_to,
            stage: Stage::Planned,
            uploaded: false,
            mandated,
            entry,
            message: None,
            fresh: true,
        };
        payment.store(&id, &mut changes);
        self.set_aside(&id, &payment);
        self.payments.insert(id, payment);
        Ok(changes.step(id))
    }

    /// Plans to pay `request`, whose hash is `id`.
    #[inline(never)]
    fn draft(
        &self,
        id: &PaymentId,
        request: Request,
        now: Timestamp,
        seed: &[u8; 32],
        status: &Status,
    ) -> Result<Draft, PaymentError> {
        let now = self.not_before_floor(now);
        if self.requests.of_context(id).is_some() {
            return Err(PaymentError::OwnRequest);
        }
        let payee = self.payee(&request, now)?;
        if now > request.body.expiry || self.payments.may_be_forgotten(request.body.expiry) {
            return Err(PaymentError::RequestExpired);
        }
        let coins = self.choose_coins(&request, now)?;
        check_limits(status, request.body.amount, now)?;
        let blanks = self.choose_blanks(&request, &coins, now)?;
        // Nothing else is drawn from the seed: the blind of a single coin may be the seed itself. That of one among several
        // is told when its change is spent, and must not tell the others.
        let blind = |number| if coins.len() == 1 { *seed } else { *derive(seed, "change-blind", number) };
        let taken = coins.iter().zip(blanks).enumerate();
        let taken = taken.map(|(number, ((index, value, pays), blank))| Taken {
            index: *index,
            value: *value,
            pays: *pays,
            // At most as many coins as the request has tags.
            tag: number as u8,
            blank,
            blind: blind(number),
        });
        let taken = taken.collect();
        let disclosed_to = self.supervisor(&request)?;
        Ok(Draft { request, payee, taken, disclosed_to })
    }

    /// Who asks.
    #[inline(never)]
    fn payee(&self, request: &Request, now: Timestamp) -> Result<Payee, PaymentError> {
        let Some(descriptor) = &request.body.descriptor else { return Ok(Payee::Unnamed) };
        request.verify_signature().map_err(|_| PaymentError::ForgedPayee)?;
        let body = &descriptor.body;
        let unverifiable = Payee::Unverifiable { name: body.payee, psp: body.psp };
        let Some(psp) = self.publications.held_manifest().and_then(|manifest| manifest.psp(&body.psp)) else {
            return Ok(unverifiable);
        };
        descriptor.verify(&psp).map_err(|_| PaymentError::ForgedPayee)?;
        if now > body.valid_until {
            return Ok(unverifiable);
        }
        let (name, psp, account, category) = (body.payee, body.psp, body.account, body.category);
        Ok(Payee::Verified { name, psp, account, category })
    }

    /// To whom this payment is disclosed: to whom the payee wants it, if that is a supervisor of this wallet's manifest; and where the
    /// payee does not know of any yet, to whom the manifest says.
    fn supervisor(&self, request: &Request) -> Result<Option<SupervisoryKey>, PaymentError> {
        let body = &request.body;
        let Some(wanted) = body.disclose_to else { return Ok(self.disclosed_to(body.currency, body.amount)) };
        let manifest = self.publications.held_manifest();
        let known = manifest.is_some_and(|manifest| manifest.supervises(body.currency, &wanted));
        if known { Ok(Some(wanted)) } else { Err(PaymentError::UnknownSupervisor) }
    }

    /// Coins with their value and what the payee gets of each: as few as possible.
    fn choose_coins(&self, request: &Request, now: Timestamp) -> Result<Vec<(u32, Amount, Amount)>, PaymentError> {
        let body = &request.body;
        let notes_max = body.owner_tags.as_slice().len();
        let indices = self.purse.spendable().select(body.currency, body.amount, notes_max, now);
        let indices = indices.ok_or_else(|| self.shortage(request, now))?;
        let mut missing = body.amount;
        let shares = indices.into_iter().filter_map(|index| {
            let value = self.purse.get(index)?.amount();
            let pays = value.min(missing);
            missing = missing.checked_sub(pays)?;
            Some((index, value, pays))
        });
        Ok(shares.collect())
    }

    /// A blank for each coin's last output: for the change, and for what falls back if the payee never claims it.
    fn choose_blanks(
        &self,
        request: &Request,
        coins: &[(u32, Amount, Amount)],
        now: Timestamp,
    ) -> Result<Vec<u32>, PaymentError> {
        let (currency, free) = (request.body.currency, self.purse.free_blanks());
        let change = coins.last().and_then(|(_, value, pays)| value.checked_sub(*pays)).unwrap_or_default();
        let last = free.blanks(currency, change, now, 1).pop().ok_or(PaymentError::NoBlankForChange)?;
        let others = free.blanks(currency, Amount::ZERO, now, coins.len()).into_iter().filter(|blank| *blank != last);
        let mut blanks: Vec<u32> = others.take(coins.len() - 1).collect();
        blanks.push(last);
        if blanks.len() == coins.len() { Ok(blanks) } else { Err(PaymentError::NoBlankForChange) }
    }

    /// Why no coins make the amount.
    fn shortage(&self, request: &Request, now: Timestamp) -> PaymentError {
        let body = &request.body;
        let add = |a: Amount, b: Amount| a.checked_add(b).unwrap_or(Amount::MAX);
        let spendable = self.purse.spendable().sum(body.currency, now);
        if spendable >= body.amount {
            return PaymentError::TooManyNotes { notes_max: body.owner_tags.as_slice().len() };
        }
        let kept = self.purse.kept_change().sum(body.currency, now);
        if add(spendable, kept) >= body.amount {
            return PaymentError::ChangeKept { kept };
        }
        let redeem_only = self.purse.iter().map(|(_, holding)| holding).filter(|holding| {
            let shelf = self.purse.shelf(holding);
            let outdated = now > holding.spend_until() && matches!(shelf, Shelf::Spendable | Shelf::KeptChange);
            let good = now <= holding.redeem_until() && holding.currency() == body.currency;
            good && (outdated || shelf == Shelf::RedeemOnly)
        });
        let redeem_only = redeem_only.fold(Amount::ZERO, |sum, holding| add(sum, holding.amount()));
        let everything = add(add(spendable, kept), redeem_only);
        match body.amount.checked_sub(everything) {
            Some(missing) if !missing.is_zero() => PaymentError::NotEnough { missing },
            _ => PaymentError::RedeemOnly { redeem_only },
        }
    }
}

/// Whether the element will allow it, as far as it says beforehand: so that it does not stop between two coins.
fn check_limits(status: &Status, amount: Amount, now: Timestamp) -> Result<(), PaymentError> {
    let amount_of = |minor: u64| Amount::new(minor).unwrap_or(Amount::MAX);
    if status.limits_sequence == 0 || now.seconds().max(status.time_floor) > status.valid_until {
        return Err(PaymentError::LimitsRunOut);
    }
    if amount.minor() > status.max_payment {
        return Err(PaymentError::OverPaymentLimit { limit: amount_of(status.max_payment) });
    }
    let left = status.max_cumulative.saturating_sub(status.spent);
    if amount.minor() > left {
        return Err(PaymentError::OverCumulativeLimit { left: amount_of(left) });
    }
    Ok(())
}

fn preview(
    id: PaymentId,
    request: &Request,
    payee: Payee,
    taken: &[Taken],
    disclosed: bool,
    repeated: bool,
) -> PaymentPreview {
    let body = &request.body;
    PaymentPreview {
        id,
        payee,
        amount: body.amount,
        currency: body.currency,
        memo: body.memo,
        expiry: body.expiry,
        coins: taken.iter().map(|taken| taken.value).collect(),
        change: taken.last().map(Taken::change).unwrap_or_default(),
        disclosed,
        repeated,
    }
}
