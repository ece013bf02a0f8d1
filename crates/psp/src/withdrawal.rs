//! Withdrawals (§5), relayed to the bank. Value is paid for by the account, blanks come out of the device's ration.
//!
//! | State | Money | What a crash leaves, and how it goes on |
//! |---|---|---|
//! | `Opening` | held | whether the bank has the batch is unknown; opened again under the same name |
//! | `Open` | held | the device sends its challenges, or the withdrawal is cancelled at the bank when it is too old |
//! | `Answered` | gone to the reserve | the device may have the answers again |
//! | `Closed` | gone to the reserve | the device has its notes |
//! | `Void` | back in the account | |
//!
//! From `Opening` and `Open` only what the bank says leads on: answered settles, void refunds. A batch of which the bank never
//! heard may be refunded too, since its challenges were never relayed and never will be.

use specie_aml::{calendar, money};
use specie_audit::Kind as Decided;
use specie_core::class::Kind;
use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Name};
use specie_core::{Amount, ClassId, Timestamp};
use thiserror::Error;

use crate::bank::{Bank, BankError, BatchStanding, Refusal, Session};
use crate::device::{Device, DeviceError, DeviceRefusal, DeviceState, Party};
use crate::ledger::{self, LedgerAccount, Movement, MovementKind, movement_id};
use crate::person::Holdings;
use crate::registry::RegistryError;
use crate::request::{KeyConflict, OperationId, RecallError, Request};
use crate::service::Psp;
use crate::store::{Line, Records, Store, StoreError};

/// The most notes and blanks in one withdrawal.
pub const COUNT_MAX: u64 = 256;

/// The time over which a tier's daily limit counts, in seconds. It ends now, whenever that is: no midnight gives a second ration.
pub const DAY_SECONDS: u64 = 86_400;

/// The time over which a tier's monthly limit counts, in seconds; it ends now too.
pub const MONTH_SECONDS: u64 = 30 * DAY_SECONDS;

/// A withdrawal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Withdrawal {
    /// Names it, here and at the bank.
    pub id: OperationId,
    /// Hash of the request for it.
    pub fingerprint: [u8; 32],
    /// Whose device.
    pub customer: Name,
    /// Whose account.
    pub account: Name,
    /// Which device.
    pub device: PublicKey,
    /// What it asks for.
    pub lines: Vec<Line>,
    /// What the value notes come to.
    pub value: Amount,
    /// Where it stands.
    pub state: WithdrawalState,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// Where a withdrawal stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WithdrawalState {
    /// Held; the bank may not know of it.
    Opening,
    /// Held; the bank has committed itself.
    Open,
    /// The bank has answered.
    Answered,
    /// The device has the notes.
    Closed,
    /// Nothing came of it.
    Void,
}

/// Why a withdrawal does not go on. Whatever the reason, no money moved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WithdrawalError {
    /// The device may not withdraw.
    #[error(transparent)]
    Device(DeviceRefusal),
    /// Another PSP gives the owner its limits, or that cannot be found out.
    #[error(transparent)]
    Registry(RegistryError),
    /// It asks for nothing, too much at once, or a class twice.
    #[error("a withdrawal has 1 to {COUNT_MAX} notes and names each class once")]
    Items,
    /// A class is unknown, not issued now, or of another currency.
    #[error("class {0} is not issued now in the currency of the account")]
    Class(ClassId),
    /// The account holds less.
    #[error("the account does not hold enough")]
    Balance,
    /// More than the tier allows.
    #[error(
        "the tier allows {} more, {} was asked for",
        money::show(*allowed, *currency), money::show(*asked, *currency)
    )]
    TierLimit {
        /// What may still be withdrawn.
        allowed: Amount,
        /// What was asked for.
        asked: Amount,
        /// Of the account.
        currency: Currency,
    },
    /// More than the device may hold, with what it withdrew since it last synchronised.
    #[error(
        "of what its owner may hold this device may withdraw {} more until it synchronises, {} was asked for: synchronise it first",
        money::show(*allowed, *currency), money::show(*asked, *currency)
    )]
    Holding {
        /// What may still be withdrawn.
        allowed: Amount,
        /// What was asked for.
        asked: Amount,
        /// Of the account.
        currency: Currency,
    },
    /// With what other devices of its owner may hold it would come to more than the owner may.
    #[error(
        "with this device's other devices of its owner may hold more than the owner may: have all of them synchronise, twice to give up \
         what they have, or report lost what is lost; what they have is free at the latest at {}",
        calendar::show(*free_at)
    )]
    Shared {
        /// When at the latest others hold nothing.
        free_at: Timestamp,
    },
    /// More blanks than the device's ration of an epoch.
    #[error("{left} blanks are left of the ration of epoch {epoch}, {asked} were asked for")]
    Ration {
        /// Which epoch.
        epoch: u32,
        /// How many may still be had.
        left: u64,
        /// How many were asked for.
        asked: u64,
    },
    /// A blank with a larger cap than the tier allows.
    #[error(
        "the tier allows blanks up to {}, one up to {} was asked for",
        money::show(*allowed, *currency), money::show(*asked, *currency)
    )]
    Cap {
        /// The largest cap allowed.
        allowed: Amount,
        /// The cap asked for.
        asked: Amount,
        /// Of the account.
        currency: Currency,
    },
    /// The device has no such withdrawal.
    #[error("this device has no such withdrawal")]
    Unknown,
    /// It is void; the amount is back in the account.
    #[error("the withdrawal is void, and its amount back in the account")]
    Void,
    /// It was answered, for other challenges or before it was to be cancelled.
    #[error("the withdrawal was answered already")]
    Answered,
    /// The device said that it has the notes; the answers are gone.
    #[error("the withdrawal is closed: the device acknowledged it")]
    Closed,
    /// The bank committed itself and does not know it any more. The amount stays held; people have to look.
    #[error("the bank has forgotten a withdrawal that it had opened; its amount stays held")]
    Forgotten,
    /// The challenges are not canonical, or not one for each note.
    #[error("not one canonical challenge for each note")]
    Challenges,
    /// The key came before with another request.
    #[error(transparent)]
    Conflict(#[from] KeyConflict),
    /// The bank refuses, or cannot be reached.
    #[error(transparent)]
    Bank(BankError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DeviceError> for WithdrawalError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(refusal) => Self::Device(refusal),
            DeviceError::Store(error) => error.into(),
        }
    }
}

impl From<RegistryError> for WithdrawalError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(error) => error.into(),
            error => Self::Registry(error),
        }
    }
}

impl From<RecallError> for WithdrawalError {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Conflict(conflict) => conflict.into(),
            RecallError::Store(error) => error.into(),
        }
    }
}

macro_rules! states {
    ($($state:ident = $text:literal,)*) => {
        impl WithdrawalState {
            /// The stable name, as stored.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$state => $text,)* }
            }

            /// The state of that name.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$state),)* _ => None }
            }
        }
    };
}

states! {
    Opening = "opening",
    Open = "open",
    Answered = "answered",
    Closed = "closed",
    Void = "void",
}

impl WithdrawalState {
    /// Whether the amount is held.
    pub fn is_held(self) -> bool {
        matches!(self, Self::Opening | Self::Open)
    }
}

impl Withdrawal {
    fn items(&self) -> Vec<(ClassId, u64)> {
        self.lines.iter().map(|line| (line.class_id, line.count)).collect()
    }

    fn movement(&self, kind: MovementKind, at: Timestamp) -> Movement {
        let account = LedgerAccount::Customer(self.account);
        let held = LedgerAccount::WithdrawalsInProgress;
        let (debit, credit) = match kind {
            MovementKind::WithdrawalHeld => (account, held),
            MovementKind::WithdrawalSettled => (held, LedgerAccount::Reserve),
            _ => (held, account),
        };
        let reference = self.id.iter().map(|byte| format!("{byte:02x}")).collect();
        Movement { id: movement_id(kind, &self.id), kind, debit, credit, amount: self.value, reference, at }
    }
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// Opens a withdrawal: holds the value and the ration, has the bank commit itself. The same request again gives the same
    /// commitments.
    ///
    /// # Errors
    /// When the rules or the bank refuse it.
    pub fn withdraw(
        &self,
        request: &Request<'_>,
        items: &[(ClassId, u64)],
        now: Timestamp,
    ) -> Result<(OperationId, Vec<Session>), WithdrawalError> {
        self.claim_owner(request, now)?;
        let begun = self.store().write(|records| {
            let party = self.active(records, &PublicKey(request.who), now)?;
            let withdrawal = match records.withdrawal(&request.operation())? {
                Some(before) if before.fingerprint != request.fingerprint => return Err(KeyConflict.into()),
                Some(before) => before,
                None => {
                    let known = request.recall(records)?.is_some();
                    let (withdrawal, redeem_until) = self.plan(records, request, &party, items, now)?;
                    hold(records, &withdrawal, redeem_until, now)?;
                    if !known {
                        request.remember(records, &[], now)?;
                    }
                    withdrawal
                }
            };
            Ok::<_, WithdrawalError>((withdrawal, party.device.identity))
        });
        if let Err(
            WithdrawalError::TierLimit { allowed, asked, .. } | WithdrawalError::Holding { allowed, asked, .. },
        ) = begun
        {
            self.note_refusal(request, asked, allowed, now)?;
        }
        let (withdrawal, identity) = begun?;
        match withdrawal.state {
            WithdrawalState::Opening | WithdrawalState::Open => {}
            WithdrawalState::Answered => return Err(WithdrawalError::Answered),
            WithdrawalState::Closed => return Err(WithdrawalError::Closed),
            WithdrawalState::Void => return Err(WithdrawalError::Void),
        }
        Ok((withdrawal.id, self.open(&withdrawal, &identity, now)?))
    }

    /// Has the bank open the batch of a withdrawal, once more if need be.
    pub(crate) fn open(
        &self,
        withdrawal: &Withdrawal,
        identity: &[u8; 32],
        now: Timestamp,
    ) -> Result<Vec<Session>, WithdrawalError> {
        let error = match self.bank().open_batch(&withdrawal.id, identity, &withdrawal.items()) {
            Ok(sessions) => {
                self.store().write(|records| advance(records, &withdrawal.id, WithdrawalState::Open))?;
                return Ok(sessions);
            }
            Err(error) => error,
        };
        match error.refusal() {
            None => return Err(WithdrawalError::Bank(error)),
            Some(Refusal::DeviceStruckOff) => self.strike_off(identity, now)?,
            Some(_) => {}
        }
        // A refusal is final unless the bank has the batch from an earlier attempt.
        let standing = self.bank().batch_standing(&withdrawal.id).map_err(WithdrawalError::Bank)?;
        self.follow(&withdrawal.id, standing, now)?;
        Err(if error.refusal() == Some(Refusal::BatchVoid) {
            WithdrawalError::Void
        } else {
            WithdrawalError::Bank(error)
        })
    }

    /// Relays the challenges of a withdrawal; the same again give the same answers until they are acknowledged.
    ///
    /// # Errors
    /// When the withdrawal is not open, or the bank refuses.
    pub fn challenge(
        &self,
        request: &Request<'_>,
        id: &OperationId,
        challenges: &[[u8; 32]],
        now: Timestamp,
    ) -> Result<Vec<[u8; 128]>, WithdrawalError> {
        self.store().write(|records| {
            let withdrawal = own(records, request, id)?;
            match withdrawal.state {
                WithdrawalState::Opening => return Err(WithdrawalError::Unknown),
                WithdrawalState::Open => {
                    self.active(records, &withdrawal.device, now)?;
                }
                WithdrawalState::Answered => {}
                WithdrawalState::Closed => return Err(WithdrawalError::Closed),
                WithdrawalState::Void => return Err(WithdrawalError::Void),
            }
            if request.recall(records)?.is_none() {
                request.remember(records, &[], now)?;
            }
            Ok(())
        })?;
        match self.bank().answer_batch(id, challenges) {
            Ok(answers) => {
                self.store().write(|records| settle(records, id, now))?;
                Ok(answers)
            }
            Err(error) => Err(self.after_refusal(id, error, now)?),
        }
    }

    /// Says that the device keeps the notes: the bank forgets how it made them.
    ///
    /// # Errors
    /// When the withdrawal was not answered.
    pub fn acknowledge(&self, request: &Request<'_>, id: &OperationId, now: Timestamp) -> Result<(), WithdrawalError> {
        let state = self.store().write(|records| {
            let withdrawal = own(records, request, id)?;
            if request.recall(records)?.is_none() {
                request.remember(records, &[], now)?;
            }
            Ok::<_, WithdrawalError>(withdrawal.state)
        })?;
        match state {
            WithdrawalState::Closed => return Ok(()),
            WithdrawalState::Void => return Err(WithdrawalError::Void),
            WithdrawalState::Opening => return Err(WithdrawalError::Unknown),
            WithdrawalState::Open | WithdrawalState::Answered => {}
        }
        match self.bank().acknowledge_batch(id) {
            Ok(()) => Ok(self.store().write(|records| {
                settle(records, id, now)?;
                advance(records, id, WithdrawalState::Closed)
            })?),
            Err(error) => Err(self.after_refusal(id, error, now)?),
        }
    }

    /// Gives a withdrawal up, if it was not answered, and refunds it.
    ///
    /// # Errors
    /// [`WithdrawalError::Answered`] when it was.
    pub fn cancel(&self, request: &Request<'_>, id: &OperationId, now: Timestamp) -> Result<(), WithdrawalError> {
        let withdrawal = self.store().write(|records| {
            let withdrawal = own(records, request, id)?;
            if request.recall(records)?.is_none() {
                request.remember(records, &[], now)?;
            }
            Ok::<_, WithdrawalError>(withdrawal)
        })?;
        match withdrawal.state {
            WithdrawalState::Void => return Ok(()),
            WithdrawalState::Answered => return Err(WithdrawalError::Answered),
            WithdrawalState::Closed => return Err(WithdrawalError::Closed),
            WithdrawalState::Opening | WithdrawalState::Open => {}
        }
        self.give_up(&withdrawal, now)
    }

    /// Cancels a withdrawal at the bank and refunds it, unless the bank answered it first.
    pub(crate) fn give_up(&self, withdrawal: &Withdrawal, now: Timestamp) -> Result<(), WithdrawalError> {
        let standing = match self.bank().cancel_batch(&withdrawal.id) {
            Ok(()) => BatchStanding::Void,
            Err(error) if error.refusal().is_some() => {
                self.bank().batch_standing(&withdrawal.id).map_err(WithdrawalError::Bank)?
            }
            Err(error) => return Err(WithdrawalError::Bank(error)),
        };
        match self.follow(&withdrawal.id, standing, now)? {
            WithdrawalState::Void => Ok(()),
            WithdrawalState::Answered | WithdrawalState::Closed => Err(WithdrawalError::Answered),
            WithdrawalState::Opening | WithdrawalState::Open => Err(WithdrawalError::Forgotten),
        }
    }

    /// Does what follows from where the bank says a batch stands; gives where the withdrawal stands now.
    pub(crate) fn follow(
        &self,
        id: &OperationId,
        standing: BatchStanding,
        now: Timestamp,
    ) -> Result<WithdrawalState, StoreError> {
        self.store().write(|records| {
            let state = records.withdrawal(id)?.map_or(WithdrawalState::Void, |current| current.state);
            match standing {
                BatchStanding::Answered => settle(records, id, now)?,
                BatchStanding::Void => refund(records, id, now)?,
                // Once the bank committed itself it cannot have forgotten: leave the money held, and let people look.
                BatchStanding::Unknown if state == WithdrawalState::Opening => refund(records, id, now)?,
                BatchStanding::Unknown | BatchStanding::Open => {}
            }
            Ok(records.withdrawal(id)?.map_or(WithdrawalState::Void, |current| current.state))
        })
    }

    /// What a refusal of the bank means for a withdrawal that should have been answered.
    fn after_refusal(&self, id: &OperationId, error: BankError, now: Timestamp) -> Result<WithdrawalError, StoreError> {
        Ok(match error.refusal() {
            Some(Refusal::BatchVoid) => {
                self.store().write(|records| refund(records, id, now))?;
                WithdrawalError::Void
            }
            // Not answered yet, perhaps: a signer that broke half-way takes no other challenges than those it began with.
            Some(Refusal::OtherChallenges | Refusal::BatchAnswered) => match self.bank().batch_standing(id) {
                Ok(standing) => match self.follow(id, standing, now)? {
                    WithdrawalState::Answered => WithdrawalError::Answered,
                    WithdrawalState::Closed => WithdrawalError::Closed,
                    WithdrawalState::Void => WithdrawalError::Void,
                    WithdrawalState::Opening | WithdrawalState::Open => WithdrawalError::Bank(error),
                },
                Err(unknown) => WithdrawalError::Bank(unknown),
            },
            Some(Refusal::BatchErased) => {
                self.store().write(|records| {
                    settle(records, id, now)?;
                    advance(records, id, WithdrawalState::Closed)
                })?;
                WithdrawalError::Closed
            }
            Some(Refusal::ChallengesInvalid) => WithdrawalError::Challenges,
            _ => WithdrawalError::Bank(error),
        })
    }

    /// The bank struck a device off: it gets nothing any more.
    pub(crate) fn strike_off(&self, identity: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
        self.store().write(|records| match records.device_by_identity(identity)? {
            Some(Device { key, customer, state, .. }) if state != DeviceState::StruckOff => {
                records.set_device_state(&key, DeviceState::StruckOff)?;
                let details = [("customer", customer.as_str())];
                self.audit(records, now, Decided::DeviceStruckOff, &key.to_string(), &details)
            }
            _ => Ok(()),
        })
    }

    /// Checks what is asked for against classes, tier and ration; gives also until when it can be redeemed.
    fn plan(
        &self,
        records: &mut dyn Records,
        request: &Request<'_>,
        party: &Party,
        items: &[(ClassId, u64)],
        now: Timestamp,
    ) -> Result<(Withdrawal, Timestamp), WithdrawalError> {
        check_items(items)?;
        self.check_claimed(records, &party.customer, now)?;
        let holdings = self.holdings(records, &party.customer, now)?;
        let tier = holdings.tier;
        let catalogue = self.catalogue(records)?;
        let currency = self.identity().currency;
        let mut value = Amount::ZERO;
        let mut redeem_until = Timestamp::EPOCH;
        let mut lines = Vec::with_capacity(items.len());
        for &(class_id, count) in items {
            let info = catalogue.issued(&class_id, now).ok_or(WithdrawalError::Class(class_id))?;
            if info.currency != currency {
                return Err(WithdrawalError::Class(class_id));
            }
            if info.kind == Kind::Value {
                let sum = info.amount.minor().checked_mul(count).and_then(Amount::new);
                value = sum.and_then(|sum| value.checked_add(sum)).ok_or(WithdrawalError::Balance)?;
            } else if info.amount > tier.blank_cap_max {
                let (allowed, asked) = (tier.blank_cap_max, info.amount);
                return Err(WithdrawalError::Cap { allowed, asked, currency });
            }
            redeem_until = redeem_until.max(info.redeem_until);
            let blank_epoch = (info.kind == Kind::Blank).then_some(info.epoch);
            lines.push(Line { class_id, count, blank_epoch });
        }
        check_ration(records, &holdings, &party.device.key, &lines)?;
        let allowed = withdrawable_in_time(records, &holdings, now)?;
        if value > allowed {
            return Err(WithdrawalError::TierLimit { allowed, asked: value, currency });
        }
        let device = &party.device.key;
        holdings.check_room(records, device, now)?.map_err(|free_at| WithdrawalError::Shared { free_at })?;
        let allowed = holdable(records, &holdings, device, now)?;
        if value > allowed {
            return Err(WithdrawalError::Holding { allowed, asked: value, currency });
        }
        let withdrawal = Withdrawal {
            id: request.operation(),
            fingerprint: request.fingerprint,
            customer: party.customer.name,
            account: party.customer.account,
            device: party.device.key,
            lines,
            value,
            state: WithdrawalState::Opening,
            opened_at: now,
        };
        Ok((withdrawal, redeem_until))
    }
}

/// What a device may still withdraw now: what is left to the person whose it is, and no more than the device may hold.
pub(crate) fn withdrawable(
    records: &mut dyn Records,
    holdings: &Holdings<'_>,
    device: &PublicKey,
    now: Timestamp,
) -> Result<Amount, StoreError> {
    let left = withdrawable_in_time(records, holdings, now)?;
    match holdings.check_room(records, device, now)? {
        Ok(()) => Ok(left.min(holdable(records, holdings, device, now)?)),
        Err(_) => Ok(Amount::ZERO),
    }
}

/// What a device may withdraw of what it may hold: what it withdrew since its element last said which document it holds may be in it.
fn holdable(
    records: &mut dyn Records,
    holdings: &Holdings<'_>,
    device: &PublicKey,
    now: Timestamp,
) -> Result<Amount, StoreError> {
    let max_holding = holdings.grant(records, device, now)?.max_holding;
    let withdrawn = holdings.withdrawn(records, device)?;
    Ok(max_holding.checked_sub(withdrawn).unwrap_or(Amount::ZERO))
}

/// What is left to a person of a day's and a month's withdrawals.
fn withdrawable_in_time(
    records: &mut dyn Records,
    holdings: &Holdings<'_>,
    now: Timestamp,
) -> Result<Amount, StoreError> {
    let mut left = |max: Amount, seconds| {
        let since = Timestamp::new(now.seconds().saturating_sub(seconds)).unwrap_or_default();
        let mut left = max;
        for customer in &holdings.customers {
            left = left.checked_sub(records.withdrawn_since(customer, since)?).unwrap_or(Amount::ZERO);
        }
        Ok::<_, StoreError>(left)
    };
    let tier = holdings.tier;
    Ok(left(tier.max_withdrawal_per_day, DAY_SECONDS)?.min(left(tier.max_withdrawal_per_month, MONTH_SECONDS)?))
}

fn check_items(items: &[(ClassId, u64)]) -> Result<(), WithdrawalError> {
    // First of all: comparing each with each takes long for very many.
    if items.len() as u64 > COUNT_MAX {
        return Err(WithdrawalError::Items);
    }
    let count = items.iter().try_fold(0_u64, |sum, (_, count)| sum.checked_add(*count));
    let twice = items.iter().enumerate().any(|(index, item)| items[..index].iter().any(|other| other.0 == item.0));
    let empty = items.is_empty() || items.iter().any(|(_, count)| *count == 0);
    if empty || twice || count.is_none_or(|count| count > COUNT_MAX) { Err(WithdrawalError::Items) } else { Ok(()) }
}

/// Blanks asked for, by epoch.
fn blanks(lines: &[Line]) -> std::collections::BTreeMap<u32, u64> {
    let mut epochs = std::collections::BTreeMap::new();
    for line in lines {
        if let Some(epoch) = line.blank_epoch {
            *epochs.entry(epoch).or_default() += line.count;
        }
    }
    epochs
}

fn check_ration(
    records: &mut dyn Records,
    holdings: &Holdings<'_>,
    device: &PublicKey,
    lines: &[Line],
) -> Result<(), WithdrawalError> {
    for (epoch, asked) in blanks(lines) {
        let left = holdings.blanks_left(records, device, epoch)?;
        if asked > left {
            return Err(WithdrawalError::Ration { epoch, left, asked });
        }
    }
    Ok(())
}

fn hold(
    records: &mut dyn Records,
    withdrawal: &Withdrawal,
    redeem_until: Timestamp,
    now: Timestamp,
) -> Result<(), WithdrawalError> {
    let movement = withdrawal.movement(MovementKind::WithdrawalHeld, now);
    ledger::post(records, &movement)?.map_err(|_| WithdrawalError::Balance)?;
    for (epoch, asked) in blanks(&withdrawal.lines) {
        records.take_blanks(&withdrawal.device, &withdrawal.customer, epoch, asked)?;
    }
    records.note_redeemable(&withdrawal.device, redeem_until)?;
    if !withdrawal.value.is_zero() {
        records.add_withdrawn(&withdrawal.device, &withdrawal.customer, withdrawal.value, now)?;
    }
    // What the element signed before says nothing of this.
    records.remove_totals_nonce(&withdrawal.device)?;
    Ok(records.insert_withdrawal(withdrawal)?)
}

/// The bank has answered: what was held is gone from the reserve.
fn settle(records: &mut dyn Records, id: &OperationId, now: Timestamp) -> Result<(), StoreError> {
    match records.withdrawal(id)? {
        Some(withdrawal) if withdrawal.state.is_held() => {
            ledger::post_held(records, &withdrawal.movement(MovementKind::WithdrawalSettled, now))?;
            records.set_withdrawal_state(id, WithdrawalState::Answered)
        }
        _ => Ok(()),
    }
}

/// Nothing will come of it: what was held goes back, and so does the ration.
fn refund(records: &mut dyn Records, id: &OperationId, now: Timestamp) -> Result<(), StoreError> {
    match records.withdrawal(id)? {
        Some(withdrawal) if withdrawal.state.is_held() => {
            ledger::post_held(records, &withdrawal.movement(MovementKind::WithdrawalRefunded, now))?;
            for (epoch, count) in blanks(&withdrawal.lines) {
                records.return_blanks(&withdrawal.device, &withdrawal.customer, epoch, count)?;
            }
            records.return_withdrawn(&withdrawal.device, withdrawal.value)?;
            records.set_withdrawal_state(id, WithdrawalState::Void)
        }
        _ => Ok(()),
    }
}

/// From `Opening` to `Open`, from `Answered` to `Closed`, and no other way.
fn advance(records: &mut dyn Records, id: &OperationId, to: WithdrawalState) -> Result<(), StoreError> {
    let from = if to == WithdrawalState::Open { WithdrawalState::Opening } else { WithdrawalState::Answered };
    match records.withdrawal(id)? {
        Some(withdrawal) if withdrawal.state == from => records.set_withdrawal_state(id, to),
        _ => Ok(()),
    }
}

/// The withdrawal of that name, if the device that asks has it, and its owner has the device.
fn own(records: &mut dyn Records, request: &Request<'_>, id: &OperationId) -> Result<Withdrawal, WithdrawalError> {
    let withdrawal = records.withdrawal(id)?.filter(|withdrawal| withdrawal.device.0 == request.who);
    let withdrawal = withdrawal.ok_or(WithdrawalError::Unknown)?;
    match records.device(&withdrawal.device)? {
        Some(Device { lost_at: Some(_), .. }) => Err(WithdrawalError::Device(DeviceRefusal::Lost)),
        _ => Ok(withdrawal),
    }
}
