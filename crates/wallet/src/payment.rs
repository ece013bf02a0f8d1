//! Paying (§7): preview, plan, execute, hand over, file the receipt.

mod delivery;
mod execution;
mod planning;
mod state;

use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::Context;
use specie_core::encoding::DecodeError;
use specie_core::text::{Currency, Memo, Name};
use thiserror::Error;

use crate::element::ElementFault;
use crate::error::WalletError;

pub(crate) use delivery::{compact, write_chain};
pub(crate) use state::{FORGOTTEN, Payments, Stage};

/// Names a payment: the hash of the request that it answers. One request is paid once.
pub type PaymentId = Context;

/// How a payment travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// With the points that make checking fast: for links.
    Extended,
    /// As short as possible: for QR codes and paper.
    Compact,
}

/// Who asks to be paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Payee {
    /// Somebody who does not say who they are: whoever hands over the request.
    Unnamed,
    /// Vouched for by a PSP of the manifest.
    Verified {
        /// Name for people.
        name: Name,
        /// The PSP that vouches.
        psp: Name,
        /// The payee's account there, for paying online.
        account: Name,
        /// ISO 18245 merchant category code.
        category: u16,
    },
    /// Says who it is, but the PSP is not in the manifest at hand or the descriptor is past its date: do not rely on it.
    Unverifiable {
        /// Claimed name.
        name: Name,
        /// Claimed PSP.
        psp: Name,
    },
}

/// What paying a request would do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentPreview {
    /// The request.
    pub id: PaymentId,
    /// Who is paid.
    pub payee: Payee,
    /// How much; there are no fees.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// What for.
    pub memo: Option<Memo>,
    /// Last moment at which the payee accepts it.
    pub expiry: Timestamp,
    /// The notes and outputs that it takes, in order.
    pub coins: Vec<Amount>,
    /// What comes back.
    pub change: Amount,
    /// Whether the supervisory authorities can read who pays: the amount is above the threshold of the manifest (§7.1).
    pub disclosed: bool,
    /// Whether this request was paid, or planned to be, already: paying again gives the same bytes.
    pub repeated: bool,
}

/// What became of a planned payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Execution {
    /// Paid: hand over the message (extended form), any number of times.
    Paid(ReadyPayment),
    /// The element refused before anything was spent. The plan is dropped; the reason is here.
    Refused(PaymentError),
}

/// What to hand over to the payee.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadyPayment {
    /// The payment in extended form.
    pub message: Vec<u8>,
    /// Newer manifest and revocation list than the payee has, to be sent along, each a message of its own.
    pub publications: Vec<Vec<u8>>,
}

/// A payment that was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentSummary {
    /// The request.
    pub id: PaymentId,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// When it was planned.
    pub at: Timestamp,
    /// Last moment at which the payee accepts it.
    pub expiry: Timestamp,
    /// Whether the bank has it, for the payee to claim.
    pub uploaded: bool,
}

/// Why nothing is paid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PaymentError {
    /// Not a well-formed request.
    #[error("the request is malformed: {0}")]
    Malformed(DecodeError),
    /// The request is not by the one whom its descriptor names, or the descriptor is forged.
    #[error("the request is not by the one whom it names")]
    ForgedPayee,
    /// Past its expiry.
    #[error("the request has expired")]
    RequestExpired,
    /// The wallet's own request.
    #[error("this is a request of this wallet itself")]
    OwnRequest,
    /// Not enough money, kept change included.
    #[error("not enough money: {missing} is missing")]
    NotEnough {
        /// How much more is needed.
        missing: Amount,
    },
    /// Enough with the change that is kept until the next synchronisation, not without.
    #[error("enough money only with {kept} of change that is kept until the next synchronisation")]
    ChangeKept {
        /// Change kept.
        kept: Amount,
    },
    /// Enough money, but some of it can go back to the bank only.
    #[error("enough money only with {redeem_only} that was passed on too often, is past its date or revoked")]
    RedeemOnly {
        /// How much of it.
        redeem_only: Amount,
    },
    /// Enough money, but in more notes than the request takes.
    #[error("enough money, but in more notes than the request takes ({notes_max})")]
    TooManyNotes {
        /// The most notes that the request takes.
        notes_max: usize,
    },
    /// The payee wants it disclosed to a key that the wallet does not know as a supervisory one.
    #[error("the payee wants the payment disclosed to a supervisory key that is not in the manifest of this wallet")]
    UnknownSupervisor,
    /// No free blank for the change.
    #[error("no free blank may own the change")]
    NoBlankForChange,
    /// Over the element's limit for one payment.
    #[error("over the limit per payment ({limit})")]
    OverPaymentLimit {
        /// The limit.
        limit: Amount,
    },
    /// Over the element's limit until the next synchronisation.
    #[error("over the limit until the next synchronisation ({left} is left)")]
    OverCumulativeLimit {
        /// What may still be paid.
        left: Amount,
    },
    /// The element has no limits, or they ran out.
    #[error("the limits of the secure element are missing or have run out")]
    LimitsRunOut,
    /// Made, and confirmed by its payee.
    #[error("the request was paid, and its payee confirmed it")]
    Delivered,
    /// No payment of that name.
    #[error("no such payment")]
    Unknown,
    /// Some of it was spent already.
    #[error("the payment was begun")]
    TooLateToCancel,
    /// The element did only part of it; the rest can still be done.
    #[error("the payment is not complete yet: {0}")]
    Interrupted(ElementFault),
    /// The element cannot be asked.
    #[error(transparent)]
    Element(#[from] ElementFault),
}

impl WalletError for PaymentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::ForgedPayee => "forged-payee",
            Self::RequestExpired => "request-expired",
            Self::OwnRequest => "own-request",
            Self::NotEnough { .. } => "not-enough-money",
            Self::ChangeKept { .. } => "change-kept",
            Self::RedeemOnly { .. } => "redeem-only",
            Self::TooManyNotes { .. } => "too-many-notes",
            Self::UnknownSupervisor => "unknown-supervisor",
            Self::NoBlankForChange => "no-blank",
            Self::OverPaymentLimit { .. } => "over-payment-limit",
            Self::OverCumulativeLimit { .. } => "over-cumulative-limit",
            Self::LimitsRunOut => "limits-run-out",
            Self::Delivered => "paid-already",
            Self::Unknown => "unknown-payment",
            Self::TooLateToCancel => "too-late-to-cancel",
            Self::Interrupted(_) => "payment-interrupted",
            Self::Element(fault) => fault.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::RequestExpired => "ask the payee for a new request",
            Self::ForgedPayee => "do not pay; somebody pretends to be this payee",
            Self::OwnRequest => "pay requests of others",
            Self::NotEnough { .. } => "withdraw more, or pay less",
            Self::ChangeKept { .. } => "synchronise, or allow change to be spent offline",
            Self::RedeemOnly { .. } => "synchronise: it is redeemed and can be withdrawn again",
            Self::TooManyNotes { .. } => {
                "ask the payee for two requests of smaller amounts, or synchronise for larger notes"
            }
            Self::UnknownSupervisor => {
                "take the payee's manifest or synchronise, then try again; if it stays, do not pay: the payee may be after your name"
            }
            Self::NoBlankForChange | Self::LimitsRunOut | Self::OverCumulativeLimit { .. } => {
                "synchronise, then try again"
            }
            Self::OverPaymentLimit { .. } => "pay a smaller amount, or pay online",
            Self::Delivered => "nothing more is to be done",
            Self::Unknown => "check which request is meant",
            Self::TooLateToCancel | Self::Interrupted(_) => "resume the payment; nothing was handed over yet",
            Self::Element(fault) => fault.advice(),
        }
    }
}

/// Why a receipt is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not a well-formed receipt.
    #[error("the receipt is malformed: {0}")]
    Malformed(DecodeError),
    /// For a payment that this wallet did not make.
    #[error("the receipt is for a payment that this wallet did not make")]
    Unknown,
    /// Does not open the request's receipt hash.
    #[error("the receipt is forged")]
    Forged,
}

impl WalletError for ReceiptError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Unknown => "unknown-payment",
            Self::Forged => "forged-receipt",
        }
    }

    fn advice(&self) -> &'static str {
        "ask the payee for its receipt again; the payment stays as it is"
    }
}
