//! Asking to be paid (§7).

use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::text::{Currency, Memo};
use thiserror::Error;

use crate::element::{Element, ElementFault};
use crate::error::WalletError;
use crate::step::Step;
use crate::wallet::Wallet;

/// What to ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// In which currency.
    pub currency: Currency,
    /// How much; more than zero.
    pub amount: Amount,
    /// Last moment at which a payment is accepted.
    pub expiry: Timestamp,
    /// The most notes in which it may be paid, 1 to 8. Each takes a blank until the request is paid or expired.
    pub notes_max: u8,
    /// What it is for.
    pub memo: Option<Memo>,
}

/// Names a request within this wallet, from its plan on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub [u8; 16]);

/// How far a request got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RequestState {
    /// Not signed and reserved by the element yet.
    Planned,
    /// Waits for a payment.
    Open,
    /// Past its expiry, unpaid. Its payment may still be claimed from the bank while its blanks are unused.
    Lapsed,
    /// Paid.
    Paid,
}

/// Why there is no request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The amount is zero.
    #[error("a request for nothing")]
    NoAmount,
    /// The expiry has passed already.
    #[error("the request would be expired already")]
    Expired,
    /// No free blank may own so much until then.
    #[error("no free blank may own {0} until the request expires")]
    NoBlank(Amount),
    /// No request of that name.
    #[error("no such request")]
    Unknown,
    /// The element refuses: over its holding limit, or the PIN is needed to sign.
    #[error(transparent)]
    Element(#[from] ElementFault),
}

impl WalletError for RequestError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoAmount => "no-amount",
            Self::Expired => "request-expired",
            Self::NoBlank(_) => "no-blank",
            Self::Unknown => "unknown-request",
            Self::Element(fault) => fault.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::NoAmount => "ask for an amount",
            Self::Expired => "choose a later expiry",
            Self::NoBlank(_) => "ask for less, or synchronise to get new blanks",
            Self::Unknown => "make a new request",
            Self::Element(fault) => fault.advice(),
        }
    }
}

impl Wallet {
    /// Plans a request and reserves its blanks: as many as `notes_max` and the free blanks allow, and at least one.
    ///
    /// # Errors
    /// When no blank is left for it.
    pub fn plan_request(
        &mut self,
        terms: &Terms,
        now: Timestamp,
        seed: &[u8; 32],
    ) -> Result<Step<RequestId>, RequestError> {
        let _ = (terms, now, seed);
        todo!()
    }

    /// Has the element reserve the blanks and sign, if the wallet has a descriptor; gives the request to send. Again: the same bytes. Drops owner
    /// tags for which the element's holding limit leaves no room, and fails only if it leaves room for none; the plan is then dropped too
    /// (the output is the reason).
    ///
    /// # Errors
    /// When the element cannot be asked, or needs the PIN: the plan stays.
    pub fn open_request(
        &mut self,
        id: &RequestId,
        element: &mut impl Element,
    ) -> Result<Step<Result<Vec<u8>, RequestError>>, RequestError> {
        let _ = (id, element);
        todo!()
    }

    /// The request as it travels, once open.
    pub fn request_message(&self, id: &RequestId) -> Option<&[u8]> {
        let _ = id;
        todo!()
    }

    /// How far a request got; `None` when there is none of that name.
    pub fn request_state(&self, id: &RequestId, now: Timestamp) -> Option<RequestState> {
        let _ = (id, now);
        todo!()
    }

    /// Requests neither paid nor lapsed.
    pub fn open_requests(&self, now: Timestamp) -> impl Iterator<Item = RequestId> {
        let _ = now;
        core::iter::empty()
    }

    /// Requests whose payments may wait at the bank: unpaid, with blanks unused.
    pub fn claimable_requests(&self, now: Timestamp) -> impl Iterator<Item = RequestId> {
        let _ = now;
        core::iter::empty()
    }

    /// Withdraws a request that was not paid and frees its blanks. A payment of it is refused from then on.
    ///
    /// # Errors
    /// When there is none, or it was paid.
    pub fn cancel_request(&mut self, id: &RequestId) -> Result<Step<()>, RequestError> {
        let _ = id;
        todo!()
    }
}
