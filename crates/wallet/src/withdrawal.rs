//! Withdrawal (§5): from an amount to registered notes, in two round trips, resumable after any break.
//!
//! [`Wallet::plan_withdrawal`], then do what [`Wallet::withdrawal_action`] says until it says [`Action::Done`].

use alloc::string::String;
use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::ClassId;
use specie_core::issuance::{Commitment, Response};
use specie_core::text::Currency;
use thiserror::Error;

use crate::element::{Element, ElementFault};
use crate::error::WalletError;
use crate::step::Step;
use crate::wallet::Wallet;

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
            Self::NothingIssued(_) => "nothing-issued",
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
            Self::NothingIssued(_) => "synchronise to get the newest manifest, then try again",
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
    /// Face values that add up to `amount`: a mix that pays any amount, as in a well-kept till.
    ///
    /// # Errors
    /// When the classes being issued do not allow it.
    pub fn value_items(&self, currency: Currency, amount: Amount, now: Timestamp) -> Result<Vec<Item>, WithdrawalError> {
        let _ = (currency, amount, now);
        todo!()
    }

    /// `count` blanks that may each own `cap`, of the class with the lowest sufficient cap.
    ///
    /// # Errors
    /// When no such class is being issued.
    pub fn blank_items(
        &self,
        currency: Currency,
        count: u16,
        cap: Amount,
        now: Timestamp,
    ) -> Result<Vec<Item>, WithdrawalError> {
        let _ = (currency, count, cap, now);
        todo!()
    }

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
        let _ = (items, now, seed);
        todo!()
    }

    /// Withdrawals under way.
    pub fn withdrawals(&self) -> impl Iterator<Item = WithdrawalId> {
        core::iter::empty()
    }

    /// What the withdrawal needs next.
    pub fn withdrawal_action(&self, id: &WithdrawalId) -> Action {
        let _ = id;
        todo!()
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
        let _ = (id, now, element);
        todo!()
    }

    /// W2 and W3: takes the PSP's name for the withdrawal and the bank's commitments, one for each note in the order of the items, and blinds
    /// the notes.
    ///
    /// # Errors
    /// When they do not fit what was asked for, or are not well made.
    pub fn withdrawal_opened(
        &mut self,
        id: &WithdrawalId,
        remote: &str,
        sessions: &[Session],
    ) -> Result<Step<()>, WithdrawalError> {
        let _ = (id, remote, sessions);
        todo!()
    }

    /// W5: takes the bank's answers, in the order of the challenges, and checks the notes that come of them.
    ///
    /// # Errors
    /// When an answer does not verify; nothing changed then.
    pub fn withdrawal_answered(&mut self, id: &WithdrawalId, responses: &[Response]) -> Result<Step<()>, WithdrawalError> {
        let _ = (id, responses);
        todo!()
    }

    /// The PSP knows that the notes arrived.
    ///
    /// # Errors
    /// When the notes are not registered yet.
    pub fn withdrawal_acknowledged(&mut self, id: &WithdrawalId) -> Result<Step<()>, WithdrawalError> {
        let _ = id;
        todo!()
    }

    /// Drops a withdrawal before its challenges went out.
    ///
    /// # Errors
    /// When they may have gone out: then the PSP has to say that it is void.
    pub fn cancel_withdrawal(&mut self, id: &WithdrawalId) -> Result<Step<()>, WithdrawalError> {
        let _ = id;
        todo!()
    }

    /// Drops a withdrawal of which the PSP says that the bank never answers it.
    ///
    /// # Errors
    /// When the notes have arrived already.
    pub fn withdrawal_void(&mut self, id: &WithdrawalId) -> Result<Step<()>, WithdrawalError> {
        let _ = id;
        todo!()
    }
}
