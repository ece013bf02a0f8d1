//! Being paid (§7, §9): every rule that a payment must keep, each with its own code.

use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::NoteId;
use specie_core::chain::ChainError;
use specie_core::encoding::DecodeError;
use specie_core::text::Currency;
use thiserror::Error;

use crate::error::WalletError;
use crate::request::RequestId;
use crate::step::Step;
use crate::wallet::Wallet;

/// By which way a payment came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// From the payer: refused past the request's expiry.
    Payer,
    /// From the bank, which kept it: accepted as long as the blanks of the request are unused.
    Bank,
}

/// What came of a payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reception {
    /// Accepted, now or before: send the receipt, any number of times.
    Accepted(Received),
    /// Refused, because it spends a note that this wallet saw spent otherwise. The evidence is kept for the bank.
    DoubleSpend {
        /// The note.
        note_id: NoteId,
        /// Evidence as it travels.
        evidence: Vec<u8>,
    },
}

/// Money that was received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// The request that was paid.
    pub request: RequestId,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// The receipt as it travels.
    pub receipt: Vec<u8>,
    /// Whether this very payment was accepted before.
    pub repeated: bool,
}

/// Why a payment is refused. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceptionError {
    /// Not a well-formed payment.
    #[error("the payment is malformed: {0}")]
    Malformed(DecodeError),
    /// The chains are made for different requests.
    #[error("the payment is made for more than one request")]
    MixedContexts,
    /// Not for a request of this wallet.
    #[error("the payment is not for a request of this wallet")]
    UnknownRequest,
    /// The request was paid already, with other notes.
    #[error("the request was paid already, by another payment")]
    AlreadyPaid,
    /// The request is past its expiry.
    #[error("the request has expired")]
    RequestExpired,
    /// A blank of the request was used for something else since the request lapsed.
    #[error("the request lapsed, and its blanks were used otherwise since")]
    BlankUsed,
    /// A chain that pays nothing to this request.
    #[error("a chain of the payment pays none of the request's owner tags")]
    TagNotOwn,
    /// Two outputs to one owner tag.
    #[error("the payment uses an owner tag twice")]
    TagUsedTwice,
    /// Not what was asked for.
    #[error("the payment is {paid}, the request {asked}")]
    WrongAmount {
        /// What the outputs add up to.
        paid: Amount,
        /// What was asked for.
        asked: Amount,
    },
    /// Money of another currency.
    #[error("the payment is in another currency")]
    WrongCurrency,
    /// Money of another central bank.
    #[error("the payment is by another central bank")]
    WrongIssuer,
    /// An output is more than its blank may own.
    #[error("an output is more than its blank may own")]
    OverCap,
    /// A note of the revocation list.
    #[error("the payment spends a note that is on the revocation list")]
    Revoked(NoteId),
    /// Two chains of the payment spend one note differently.
    #[error("the payment spends a note twice")]
    SpentTwice(NoteId),
    /// A chain does not hold.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl WalletError for ReceptionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::MixedContexts => "mixed-contexts",
            Self::UnknownRequest => "unknown-request",
            Self::AlreadyPaid => "already-paid",
            Self::RequestExpired => "request-expired",
            Self::BlankUsed => "blank-used",
            Self::TagNotOwn => "tag-not-own",
            Self::TagUsedTwice => "tag-used-twice",
            Self::WrongAmount { .. } => "wrong-total",
            Self::WrongCurrency => "wrong-currency",
            Self::WrongIssuer => "wrong-issuer",
            Self::OverCap => "over-cap",
            Self::Revoked(_) => "revoked",
            Self::SpentTwice(_) => "spent-twice",
            Self::Chain(error) => error.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "ask the payer to send it again",
            Self::RequestExpired | Self::BlankUsed => {
                "make a new request; what the payer paid falls back to it, or can be claimed at a synchronisation"
            }
            Self::Chain(ChainError::UnknownClass(_)) => "synchronise, or ask the payer for its manifest, then try again",
            Self::AlreadyPaid => "hand the receipt to the one who paid first",
            _ => "do not hand anything over: you were not paid",
        }
    }
}

impl Wallet {
    /// Checks a payment, in either form, against its request and every rule of §9, and takes it. The same payment again gives the same receipt.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn receive(&mut self, payment: &[u8], route: Route, now: Timestamp) -> Result<Step<Reception>, ReceptionError> {
        let _ = (payment, route, now);
        todo!()
    }

    /// The receipt of a request that was paid.
    pub fn receipt(&self, request: &RequestId) -> Option<Vec<u8>> {
        let _ = request;
        todo!()
    }

    /// Evidence of double spending that was offered to this wallet, as it travels.
    pub fn evidence(&self) -> impl Iterator<Item = &[u8]> {
        core::iter::empty()
    }
}
