//! Redemption (§8): chains in batches, each paid once, double spends found on the way.
//!
//! Steps, each a transaction of rows that do not depend on each other: *accept* (pending rows), *record* (notes shown, transfers,
//! claims), *convict* where there is somebody, *allot* within the faces of issued notes, *pay* in the books, *forget* the pending
//! rows. Every row has the name of the transfer in it or is under its key, so each step may be repeated, by whoever; what was
//! accepted and not forgotten is finished by the same request again or by [`Bank::sweep`] ([`pending`](crate::pending)).

use std::collections::{BTreeMap, BTreeSet};

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::TransferId;
use specie_core::chain::{ChainError, End};
use specie_core::encoding::Decode;
use specie_core::payment::Chain;
use thiserror::Error;

use crate::bank::Bank;
use crate::detection::DetectionError;
use crate::ledger::LedgerError;
use crate::payout::{self, Destination, Due, PayoutKind};
use crate::pending::PendingRedemption;
use crate::psp::{self, PspError};
use crate::signer::Signer;
use crate::spent;
use crate::storage::{Storage, StorageError, Tx};
use crate::verification::CheckedChain;

/// The most chains in one redemption.
pub const CHAINS_MAX: usize = 256;

/// Chains that were checked for one destination, and not yet paid.
pub struct CheckedRedemption {
    destination: Destination,
    items: Vec<Item>,
}

/// One chain of a redemption.
struct Item {
    /// The redeeming transfer, where the bytes are a chain at all.
    last: Option<TransferId>,
    checked: Result<Presented, Refusal>,
}

/// A chain that holds, and what it is to be paid.
pub(crate) struct Presented {
    pub(crate) pending: PendingRedemption,
    pub(crate) chain: CheckedChain,
}

/// What became of redeeming transfers, by their names.
type Answers = BTreeMap<TransferId, Redeemed>;

/// What became of one chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Redeemed {
    /// It is paid, now or before.
    Credited(Amount),
    /// It is not paid.
    Refused(Refusal),
}

/// Why a chain is not paid. No money moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The bytes are no chain.
    #[error("these bytes are no chain")]
    Malformed,
    /// The chain breaks a rule of the protocol.
    #[error(transparent)]
    Chain(ChainError),
    /// The redeeming transfer names another destination.
    #[error("the redeeming transfer names another destination than the request")]
    WrongDestination,
    /// The redeemer itself spent this note before, otherwise.
    #[error("this note was spent before, by the same device, for something else")]
    DoubleSpent,
    /// Something in the chain was settled for good: it comes too late.
    #[error("what remained of a transfer in this chain was given to its payer already")]
    Lapsed,
    /// More comes back of a class than was issued of it: its key is broken, and an operator must look at it first.
    #[error(
        "more came back of this class than was issued: the bank has raised an alarm and pays no more of it for now"
    )]
    ClassExhausted,
}

/// Why a redemption was not looked at.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RedemptionError {
    /// No chain, or too many.
    #[error("a redemption has 1 to {CHAINS_MAX} chains: redeem in parts")]
    Size,
    /// The destination's PSP is not registered.
    #[error(transparent)]
    Psp(#[from] PspError),
    /// A double spend could not be recorded.
    #[error(transparent)]
    Detection(#[from] DetectionError),
    /// The books refuse.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Refusal {
    /// A stable code for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Chain(error) => error.code(),
            Self::WrongDestination => "wrong-destination",
            Self::DoubleSpent => "double-spent",
            Self::Lapsed => "lapsed",
            Self::ClassExhausted => "class-exhausted",
        }
    }
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Checks chains, each with its redeeming transfer last, on all cores and outside any transaction. `seed` is 32 random
    /// bytes that whoever made the chains cannot foresee.
    ///
    /// # Errors
    /// When there are none or too many. What is wrong with a chain is said by [`Bank::redeem`].
    pub fn check_redemption(
        &self,
        destination: Destination,
        chains: &[impl AsRef<[u8]>],
        now: Timestamp,
        seed: &[u8; 32],
    ) -> Result<CheckedRedemption, RedemptionError> {
        if chains.is_empty() || chains.len() > CHAINS_MAX {
            return Err(RedemptionError::Size);
        }
        let classes = self.storage().read(|view| Ok::<_, RedemptionError>(self.class_table(view)?))?;
        let context = destination.context();
        let decoded: Vec<_> = chains.iter().map(|bytes| Chain::decode(bytes.as_ref())).collect();
        let good: Vec<_> = decoded.iter().filter_map(|chain| chain.as_ref().ok().copied()).collect();
        let mut checked = self.check_chains(&classes, &good, now, End::Redemption, seed).into_iter();
        let items = decoded.iter().zip(chains).map(|(chain, bytes)| {
            let Ok(chain) = chain else { return Item { last: None, checked: Err(Refusal::Malformed) } };
            let checked = checked.next().expect("one verdict for each chain");
            let last = chain.last();
            let checked = match checked {
                Ok(_) if last.preimage.context != context => Err(Refusal::WrongDestination),
                Ok(chain) => Ok(Presented::new(chain, bytes.as_ref(), destination, now)),
                Err(error) => Err(Refusal::Chain(error)),
            };
            Item { last: Some(last.id()), checked }
        });
        Ok(CheckedRedemption { destination, items: items.collect() })
    }

    /// Pays checked chains, each once, in their order; a chain that was paid before is answered as then. One bad chain does
    /// not keep the others from being paid.
    ///
    /// This takes several transactions, each of which may be repeated. From the first one on the redemption is accepted: whatever
    /// happens, the same again or the next sweep finishes it.
    ///
    /// # Errors
    /// When the destination's PSP is not registered, nothing is paid. When something fails, ask again: each chain is paid
    /// once.
    pub fn redeem(&self, redemption: &CheckedRedemption, now: Timestamp) -> Result<Vec<Redeemed>, RedemptionError> {
        let CheckedRedemption { destination, items } = redemption;
        let ids: Vec<_> = items.iter().filter_map(|item| item.last).collect();
        let presented = distinct(items.iter().filter_map(|item| item.checked.as_ref().ok()));
        let mut answers = self.storage().transact(|tx| {
            psp::known(tx, &destination.psp)?;
            self.accept(tx, &ids, &presented, now)
        })?;
        self.finish(&presented, &mut answers, now)?;
        let answer = |item: &Item| match (item.last.and_then(|id| answers.get(&id)), &item.checked) {
            (Some(answer), _) => Ok(answer.clone()),
            (None, Err(refusal)) => Ok(Redeemed::Refused(*refusal)),
            (None, Ok(_)) => Err(StorageError::Failed("a redemption came to nothing".into()).into()),
        };
        items.iter().map(answer).collect()
    }

    /// The first step: answers what was paid before or cannot be, and keeps the rest as pending.
    pub(crate) fn accept(
        &self,
        tx: &mut dyn Tx,
        ids: &[TransferId],
        presented: &[&Presented],
        now: Timestamp,
    ) -> Result<Answers, RedemptionError> {
        // A transfer's id covers all that it says, the destination too: whoever repeats it may be told. This comes before
        // dates, since the answer to the first time may have been lost until after them.
        let paid = tx.payouts(ids)?.into_iter().filter(|payout| payout.kind == PayoutKind::Redemption);
        let mut answers: Answers = paid.map(|payout| (payout.transfer, Redeemed::Credited(payout.amount))).collect();
        let open = unanswered(presented, &answers);
        let chains: Vec<_> = open.iter().map(|presented| &presented.chain).collect();
        let lapsed = spent::lapsed(tx, &chains)?;
        answers.extend(lapsed.into_iter().map(|id| (id, Redeemed::Refused(Refusal::Lapsed))));
        let dues: Vec<_> = unanswered(&open, &answers).iter().map(|presented| presented.due()).collect();
        let exhausted = payout::uncovered(tx, &dues, now)?;
        answers.extend(exhausted.into_iter().map(|id| (id, Redeemed::Refused(Refusal::ClassExhausted))));
        let pending: Vec<_> = unanswered(&open, &answers).iter().map(|presented| presented.pending.clone()).collect();
        tx.insert_redemptions(&pending)?;
        // What a crash left pending though it is answered.
        tx.delete_redemptions(&answers.keys().copied().collect::<Vec<_>>())?;
        Ok(answers)
    }

    /// The steps after it: records what was shown, convicts who showed it twice, allots within the faces of the issued notes, pays,
    /// and forgets that it was pending. Each does what is not done yet.
    pub(crate) fn finish(
        &self,
        presented: &[&Presented],
        answers: &mut Answers,
        now: Timestamp,
    ) -> Result<(), RedemptionError> {
        let pending = unanswered(presented, answers);
        if pending.is_empty() {
            return Ok(());
        }
        let chains: Vec<_> = pending.iter().map(|presented| &presented.chain).collect();
        let twice = self.storage().transact(|tx| self.record(tx, &chains))?;
        if !twice.is_empty() {
            self.storage().transact(|tx| self.convict(tx, &twice, now))?;
        }
        let own = twice.iter().filter(|twice| twice.link.is_redemption());
        answers.extend(own.map(|twice| (twice.link.id, Redeemed::Refused(Refusal::DoubleSpent))));
        self.pay(&unanswered(&pending, answers), answers, now)?;
        let ids: Vec<_> = pending.iter().map(|presented| presented.pending.transfer).collect();
        Ok(self.storage().transact(|tx| tx.delete_redemptions(&ids))?)
    }

    fn pay(&self, recorded: &[&Presented], answers: &mut Answers, now: Timestamp) -> Result<(), RedemptionError> {
        let dues: Vec<_> = recorded.iter().map(|presented| presented.due()).collect();
        if dues.is_empty() {
            return Ok(());
        }
        let allotted = self.storage().transact(|tx| payout::allot(tx, &dues))?;
        let allotted: Vec<_> = dues.iter().copied().zip(allotted).collect();
        let (unpaid, closed) = self.storage().transact(|tx| {
            let unpaid = payout::book(tx, &allotted, now)?;
            let mut closed = BTreeSet::new();
            for due in dues.iter().filter(|due| unpaid.contains(&due.transfer)) {
                if tx.expiry(&due.root_class)?.is_some() {
                    closed.insert(due.transfer);
                }
            }
            Ok::<_, RedemptionError>((unpaid, closed))
        })?;
        answers.extend(dues.iter().map(|due| {
            let answer = match (unpaid.contains(&due.transfer), closed.contains(&due.transfer)) {
                (false, _) => Redeemed::Credited(due.amount),
                (true, true) => Redeemed::Refused(Refusal::Lapsed),
                (true, false) => Redeemed::Refused(Refusal::ClassExhausted),
            };
            (due.transfer, answer)
        }));
        Ok(())
    }
}

impl Presented {
    pub(crate) fn new(chain: CheckedChain, bytes: &[u8], to: Destination, at: Timestamp) -> Self {
        let (transfer, deadline) = (chain.last().id, chain.summary.redeem_until);
        let pending = PendingRedemption { transfer, to, chain: bytes.to_vec(), at, deadline };
        Self { pending, chain }
    }

    fn due(&self) -> Due {
        let CheckedChain { summary, face, .. } = &self.chain;
        Due {
            transfer: self.pending.transfer,
            kind: PayoutKind::Redemption,
            root: summary.root,
            root_class: summary.root_class,
            face: *face,
            amount: summary.value,
            to: self.pending.to,
        }
    }
}

/// Each redeeming transfer once.
fn distinct<'p>(presented: impl Iterator<Item = &'p Presented>) -> Vec<&'p Presented> {
    let mut seen = BTreeSet::new();
    presented.filter(|presented| seen.insert(presented.pending.transfer)).collect()
}

fn unanswered<'p>(presented: &[&'p Presented], answers: &Answers) -> Vec<&'p Presented> {
    presented.iter().filter(|presented| !answers.contains_key(&presented.pending.transfer)).copied().collect()
}
