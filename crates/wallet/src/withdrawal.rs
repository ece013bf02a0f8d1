//! Withdrawal (§5): from an amount to registered notes, in two round trips, resumable after any break.
//!
//! [`Wallet::plan_withdrawal`], then do what [`Wallet::withdrawal_action`] says until it says [`Action::Done`].

mod answers;
mod drawing;
mod items;
mod registration;
mod state;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::ClassId;
use specie_core::class::Kind;
use specie_core::issuance::Commitment;
use specie_core::text::Currency;
use thiserror::Error;

use crate::element::{Element, ElementFault};
use crate::error::WalletError;
use crate::record::{Changes, derive};
use crate::step::Step;
use crate::wallet::Wallet;
use state::{Stage, Withdrawal};

pub(crate) use state::Withdrawals;

/// The most notes and blanks in one withdrawal.
pub const NOTES_MAX: usize = 256;

/// Names a withdrawal; also the idempotency key of its messages, in hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WithdrawalId(pub [u8; 16]);

/// So many notes or blanks of one class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item {
    /// The class.
    pub class_id: ClassId,
    /// How many; at least one.
    pub count: u16,
}

/// One note's session as the bank opened it (W2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// Class of the note.
    pub class_id: ClassId,
    /// What the bank commits to.
    pub commitment: Commitment,
}

/// What a withdrawal needs next. The same after every restart until it was done.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Action {
    /// Call [`Wallet::withdraw_with_element`].
    UseElement,
    /// Send this to the PSP (W1), and its answer to [`Wallet::withdrawal_opened`].
    Open {
        /// What is asked for.
        items: Vec<Item>,
    },
    /// Send this to the PSP (W3), and its answer to [`Wallet::withdrawal_answered`].
    Challenge {
        /// The PSP's name for the withdrawal.
        remote: String,
        /// One challenge `e` for each session, in order.
        challenges: Vec<[u8; 32]>,
    },
    /// Tell the PSP that the notes arrived, then call [`Wallet::withdrawal_acknowledged`].
    Acknowledge {
        /// The PSP's name for the withdrawal.
        remote: String,
    },
    /// Nothing: it is complete, or was never planned.
    Done,
}

/// Why a withdrawal does not go on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WithdrawalError {
    /// No class of this kind is being issued.
    #[error("the bank issues nothing of this kind in {0} at present")]
    NothingIssued(Currency),
    /// An item is of no class that is being issued.
    #[error("nothing of this class is being issued at present")]
    NotIssued,
    /// The amount cannot be put together from the face values.
    #[error("{0} cannot be put together from the face values that the bank issues")]
    Amount(Amount),
    /// More than [`NOTES_MAX`] notes.
    #[error("this takes more than {NOTES_MAX} notes at once")]
    TooManyNotes,
    /// No withdrawal of that name, or not in this state.
    #[error("no withdrawal waits for this")]
    NotWaiting,
    /// The PSP's answer does not fit what was asked.
    #[error("the answer does not fit what was asked for")]
    WrongAnswer,
    /// A commitment or answer of the bank does not verify.
    #[error("the bank's part of note {0} does not verify: the bank or the PSP is broken, or lies")]
    Forged(usize),
    /// The challenges were sent: only the bank can say that nothing comes of it.
    #[error("the bank may have issued these notes already")]
    TooLateToCancel,
    /// The element does not do its part.
    #[error(transparent)]
    Element(#[from] ElementFault),
}

impl WalletError for WithdrawalError {
    fn code(&self) -> &'static str {
        match self {
            Self::NothingIssued(_) | Self::NotIssued => "nothing-issued",
            Self::Amount(_) => "amount-not-issuable",
            Self::TooManyNotes => "too-many-notes",
            Self::NotWaiting => "no-such-withdrawal",
            Self::WrongAnswer => "wrong-answer",
            Self::Forged(_) => "issuance-forged",
            Self::TooLateToCancel => "too-late-to-cancel",
            Self::Element(fault) => fault.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::NothingIssued(_) | Self::NotIssued => "synchronise to get the newest manifest, then try again",
            Self::Amount(_) => "choose an amount that is a multiple of the smallest face value",
            Self::TooManyNotes => "withdraw less at once",
            Self::NotWaiting => "nothing: it is complete or was cancelled",
            Self::WrongAnswer => "do the same again; if it keeps failing, ask the PSP",
            Self::Forged(_) => "ask the PSP; the money is still in the account or comes back to it",
            Self::TooLateToCancel => "resume the withdrawal",
            Self::Element(fault) => fault.advice(),
        }
    }
}

impl Wallet {
    /// Plans a withdrawal of notes and blanks, in any mix.
    ///
    /// # Errors
    /// When an item is not being issued.
    pub fn plan_withdrawal(
        &mut self,
        items: &[Item],
        now: Timestamp,
        seed: &[u8; 32],
    ) -> Result<Step<WithdrawalId>, WithdrawalError> {
        let notes: usize = items.iter().map(|item| usize::from(item.count)).sum();
        if notes > NOTES_MAX {
            return Err(WithdrawalError::TooManyNotes);
        }
        let now = self.not_before_floor(now);
        let issued = |item: &Item| self.class_info(&item.class_id).is_some_and(|info| items::is_issued(info, now));
        if notes == 0 || items.iter().any(|item| item.count == 0 || !issued(item)) {
            return Err(WithdrawalError::NotIssued);
        }
        let name = derive(seed, "withdrawal", 0);
        let id = WithdrawalId(name[..16].try_into().expect("half of 32 bytes"));
        let withdrawal = Withdrawal::new(items.to_vec(), now, derive(seed, "blinding", 0));
        let mut changes = Changes::default();
        withdrawal.store(&id, &mut changes);
        self.withdrawals.0.insert(id, Box::new(withdrawal));
        Ok(changes.step(id))
    }

    /// Withdrawals under way.
    pub fn withdrawals(&self) -> impl Iterator<Item = WithdrawalId> {
        self.withdrawals.0.keys().copied()
    }

    /// A withdrawal whose notes are there and have to be registered.
    pub(crate) fn registering(&self) -> Option<WithdrawalId> {
        self.withdrawals.0.iter().find(|(_, withdrawal)| withdrawal.stage == Stage::Registering).map(|(id, _)| *id)
    }

    /// What the withdrawal needs next.
    pub fn withdrawal_action(&self, id: &WithdrawalId) -> Action {
        let Some(withdrawal) = self.withdrawals.0.get(id) else { return Action::Done };
        let remote = || withdrawal.remote.clone().unwrap_or_default();
        match withdrawal.stage {
            Stage::Drawing | Stage::Registering => Action::UseElement,
            Stage::Opening => Action::Open { items: withdrawal.items.clone() },
            Stage::Challenging => Action::Challenge { remote: remote(), challenges: withdrawal.challenges() },
            Stage::Acknowledging => Action::Acknowledge { remote: remote() },
        }
    }

    /// Draws nonces from the element, or registers finished notes in it; some at a time.
    ///
    /// # Errors
    /// When the element refuses, or it is not its turn.
    pub fn withdraw_with_element(
        &mut self,
        id: &WithdrawalId,
        now: Timestamp,
        element: &mut impl Element,
    ) -> Result<Step<()>, WithdrawalError> {
        match self.withdrawals.0.get(id).map(|withdrawal| withdrawal.stage) {
            Some(Stage::Drawing) => self.draw_nonces(id, element),
            Some(Stage::Registering) => self.register_notes(id, now, element),
            _ => Err(WithdrawalError::NotWaiting),
        }
    }

    /// The PSP knows that the notes arrived.
    ///
    /// # Errors
    /// When the notes are not registered yet.
    pub fn withdrawal_acknowledged(&mut self, id: &WithdrawalId) -> Result<Step<()>, WithdrawalError> {
        match self.withdrawals.0.get(id).map(|withdrawal| withdrawal.stage) {
            Some(Stage::Acknowledging) => Ok(self.drop_withdrawal(id, false)),
            _ => Err(WithdrawalError::NotWaiting),
        }
    }

    /// Drops a withdrawal before its challenges went out.
    ///
    /// # Errors
    /// When they may have gone out: then the PSP has to say that it is void.
    pub fn cancel_withdrawal(&mut self, id: &WithdrawalId) -> Result<Step<()>, WithdrawalError> {
        match self.withdrawals.0.get(id).map(|withdrawal| withdrawal.stage) {
            Some(Stage::Drawing | Stage::Opening) => Ok(self.drop_withdrawal(id, true)),
            Some(_) => Err(WithdrawalError::TooLateToCancel),
            None => Err(WithdrawalError::NotWaiting),
        }
    }

    /// Drops a withdrawal of which the PSP says that the bank never answers it.
    ///
    /// # Errors
    /// When the notes have arrived already.
    pub fn withdrawal_void(&mut self, id: &WithdrawalId) -> Result<Step<()>, WithdrawalError> {
        match self.withdrawals.0.get(id).map(|withdrawal| withdrawal.stage) {
            Some(Stage::Drawing | Stage::Opening | Stage::Challenging) => Ok(self.drop_withdrawal(id, true)),
            _ => Err(WithdrawalError::NotWaiting),
        }
    }

    /// Removes a withdrawal's records; `forget` has the element free the indices that it drew.
    fn drop_withdrawal(&mut self, id: &WithdrawalId, forget: bool) -> Step<()> {
        let mut changes = Changes::default();
        if let Some(withdrawal) = self.withdrawals.0.remove(id) {
            withdrawal.delete(id, &mut changes);
            if forget {
                withdrawal.indices().for_each(|index| self.tasks.forget(index, &mut changes));
            }
        }
        changes.step(())
    }

    /// What the notes of a withdrawal in `currency` will be worth, and how many blanks there will be.
    pub(crate) fn arriving(&self, currency: Currency) -> (Amount, usize) {
        let expected = self.withdrawals.0.values().flat_map(|withdrawal| withdrawal.expected());
        let classes = expected.filter_map(|class_id| self.class_info(class_id));
        classes.filter(|info| info.currency == currency).fold((Amount::ZERO, 0), |(value, blanks), info| {
            match info.kind {
                Kind::Value => (value.checked_add(info.amount).unwrap_or(Amount::MAX), blanks),
                Kind::Blank => (value, blanks + 1),
            }
        })
    }
}
