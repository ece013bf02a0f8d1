//! Being paid (§7, §9): every rule that a payment must keep, each with its own code.

mod checking;

use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::NoteId;
use specie_core::chain::ChainError;
use specie_core::encoding::{DecodeError, Encode};
use specie_core::text::Currency;
use thiserror::Error;

use crate::error::WalletError;
use crate::history::{Event, HistoryEntry, Progress};
use crate::purse::{Coin, Origin, encode_coin};
use crate::record::{Changes, Table};
use crate::request::{RequestId, Stage};
use crate::step::Step;
use crate::wallet::Wallet;
use checking::{Accepted, Verdict};

/// The most double spends of which evidence is kept.
const EVIDENCE_MAX: usize = 8;

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
    /// It is above the threshold from which on payers name themselves to the supervisory authorities, and does not.
    #[error("a payment of this amount has to be disclosed to the supervisory authorities, and is not")]
    DisclosureMissing,
    /// What it discloses is not the payer, or not to the supervisory key of the request.
    #[error("what the payment discloses is not its payer, or not to the supervisory authorities")]
    DisclosureWrong,
    /// A note of the revocation list.
    #[error("the payment spends a note that is on the revocation list")]
    Revoked(NoteId),
    /// A note is spent twice, and the two shows name nobody: an issuing key must be broken.
    #[error("ALARM: the payment spends a note twice in a way that names nobody")]
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
            Self::DisclosureMissing => "disclosure-missing",
            Self::DisclosureWrong => "disclosure-wrong",
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
            Self::Chain(ChainError::UnknownClass(_)) => {
                "synchronise, or ask the payer for its manifest, then try again"
            }
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
        let now = self.not_before_floor(now);
        let mut changes = Changes::default();
        Ok(match self.check(payment, route, now)? {
            Verdict::Repeated(id) => {
                let received = self.received(&id, true).ok_or(ReceptionError::UnknownRequest)?;
                changes.step(Reception::Accepted(received))
            }
            Verdict::DoubleSpend { note_id, evidence } => {
                // A payer that cheats could fill the memory with it; a few convict him as well as many.
                if !self.evidence.contains_key(&note_id) && self.evidence.len() < EVIDENCE_MAX {
                    self.evidence.insert(note_id, evidence.clone());
                    changes.put(Table::Evidence, &note_id.0, evidence.clone());
                }
                changes.step(Reception::DoubleSpend { note_id, evidence })
            }
            Verdict::Good(accepted) => {
                let id = accepted.request;
                self.take(accepted, now, &mut changes);
                let received = self.received(&id, false).ok_or(ReceptionError::UnknownRequest)?;
                changes.step(Reception::Accepted(received))
            }
        })
    }

    /// The receipt of a request that was paid.
    pub fn receipt(&self, request: &RequestId) -> Option<Vec<u8>> {
        Some(self.requests.get(request)?.receipt()?.to_vec())
    }

    /// Evidence of double spending that was offered to this wallet, as it travels.
    pub fn evidence(&self) -> impl Iterator<Item = &[u8]> {
        self.evidence.values().map(Vec::as_slice)
    }

    fn received(&self, id: &RequestId, repeated: bool) -> Option<Received> {
        let request = self.requests.get(id)?;
        Some(Received {
            request: *id,
            amount: request.terms.amount,
            currency: request.terms.currency,
            receipt: self.receipt(id)?,
            repeated,
        })
    }

    /// Takes what was checked: the coins, and the receipt that may be told from now on.
    #[inline(never)]
    fn take(&mut self, accepted: Accepted, now: Timestamp, changes: &mut Changes) {
        let Accepted { request: id, digest, mut outputs } = accepted;
        let Some(mut request) = self.requests.remove(&id) else { return };
        for tag in &request.tags {
            let Some(position) = outputs.iter().position(|output| output.index == tag.index) else {
                self.free_blank(tag.index, &id, changes);
                continue;
            };
            let output = outputs.swap_remove(position);
            let summary = &output.summary;
            let coin = Coin {
                chain: output.chain,
                output: output.position,
                blind: tag.blind,
                amount: output.amount,
                origin: Origin::Received,
                hops: summary.hops,
                max_hops: summary.max_hops,
                spend_until: summary.spend_until,
                redeem_until: summary.redeem_until,
                shown: output.shown,
            };
            changes.put(Table::Coin, &tag.index.to_be_bytes(), encode_coin(&coin));
            self.tasks.expect(tag.index, tag.blind, coin.amount, changes);
            self.purse.own(tag.index, Some(coin));
        }
        request.stage = Stage::Paid { digest };
        request.store(&id, changes);
        let context = request.message.as_ref().map(|(_, context)| *context);
        let entry = HistoryEntry {
            sequence: 0,
            at: now,
            event: Event::Received,
            amount: request.terms.amount,
            currency: request.terms.currency,
            counterparty: None,
            memo: request.terms.memo,
            request: context,
            progress: Progress::Complete,
            receipt: Some(*request.preimage),
        };
        self.log.add(entry, changes);
        self.requests.insert(id, request);
    }
}
