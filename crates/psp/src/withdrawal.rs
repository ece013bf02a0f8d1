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

mod error;
mod movement;
mod plan;

use specie_audit::Kind as Decided;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, ClassId, Timestamp};

pub use self::error::WithdrawalError;
use self::movement::{advance, hold, refund, settle};
pub(crate) use self::plan::withdrawable;
pub use self::plan::{DAY_SECONDS, MONTH_SECONDS};
use crate::bank::{Bank, BankError, BatchStanding, Refusal, Session};
use crate::device::{Device, DeviceRefusal, DeviceState};
use crate::request::{KeyConflict, OperationId, Request};
use crate::service::Psp;
use crate::store::{Line, Records, Store, StoreError};

/// The most notes and blanks in one withdrawal.
pub const COUNT_MAX: u64 = 256;

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
