//! Redemption (§8): chains in batches, each paid once, double spends found on the way.

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
use crate::psp::{self, PspError};
use crate::signer::Signer;
use crate::spent::{Shown, has_lapsed};
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
    checked: Result<CheckedChain, Refusal>,
}

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
        let items = decoded.iter().map(|chain| {
            let Ok(chain) = chain else { return Item { last: None, checked: Err(Refusal::Malformed) } };
            let checked = checked.next().expect("one verdict for each chain");
            let last = chain.last();
            let checked = match checked {
                Ok(_) if last.preimage.context != context => Err(Refusal::WrongDestination),
                checked => checked.map_err(Refusal::Chain),
            };
            Item { last: Some(last.id()), checked }
        });
        Ok(CheckedRedemption { destination, items: items.collect() })
    }

    /// Pays checked chains, each once, in their order; a chain that was paid before is answered as then. One bad chain does
    /// not keep the others from being paid.
    ///
    /// # Errors
    /// When the destination's PSP is not registered, or something fails; nothing is paid then.
    pub fn redeem(
        &self,
        tx: &mut dyn Tx,
        redemption: &CheckedRedemption,
        now: Timestamp,
    ) -> Result<Vec<Redeemed>, RedemptionError> {
        psp::known(tx, &redemption.destination.psp)?;
        redemption.items.iter().map(|item| self.redeem_one(tx, item, &redemption.destination, now)).collect()
    }

    fn redeem_one(
        &self,
        tx: &mut dyn Tx,
        item: &Item,
        destination: &Destination,
        now: Timestamp,
    ) -> Result<Redeemed, RedemptionError> {
        // A transfer's id covers all that it says, the destination too: whoever repeats it may be told. This comes before
        // dates, since the answer to the first time may have been lost until after them.
        if let Some(id) = &item.last {
            let paid = tx.payout(id)?.filter(|payout| payout.kind == PayoutKind::Redemption);
            if let Some(payout) = paid.filter(|payout| payout.to == *destination) {
                return Ok(Redeemed::Credited(payout.amount));
            }
        }
        let chain = match &item.checked {
            Ok(chain) => chain,
            Err(refusal) => return Ok(Redeemed::Refused(*refusal)),
        };
        let (_, before) = chain.links.split_last().expect("a chain has at least one link");
        if has_lapsed(tx, chain)? {
            return Ok(Redeemed::Refused(Refusal::Lapsed));
        }
        let due = Due {
            transfer: chain.last().id,
            kind: PayoutKind::Redemption,
            root: chain.summary.root,
            root_class: chain.summary.root_class,
            face: chain.face,
            amount: chain.summary.value,
            to: *destination,
        };
        if !payout::is_covered(tx, &due, now)? {
            return Ok(Redeemed::Refused(Refusal::ClassExhausted));
        }
        self.record_links(tx, chain, before, now)?;
        if self.record_redemption(tx, chain, now)? == Shown::Twice {
            return Ok(Redeemed::Refused(Refusal::DoubleSpent));
        }
        Ok(Redeemed::Credited(payout::pay(tx, &due, now)?.amount))
    }
}
