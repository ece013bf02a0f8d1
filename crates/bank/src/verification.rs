//! Checking chains, many at once: all shows of a share in one multiplication, shares on all cores, and one by one where
//! a share fails, to find who is to blame.

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{ClassId, NoteId, TransferId};
use specie_core::chain::{
    Batched, ChainError, ChainSummary, CheckShow, Deadline, End, Immediately, Link, verify_chain,
};
use specie_core::class::Classes;
use specie_core::payment::Chain;
use specie_core::show::Batch;
use specie_core::transfer::Transfer;
use specie_core::{hash, label};

use crate::bank::Bank;
use crate::classes::ClassTable;
use crate::signer::Signer;
use crate::storage::Storage;

/// A chain that holds.
pub struct CheckedChain {
    /// What it amounts to.
    pub(crate) summary: ChainSummary,
    /// Face of the issued note.
    pub(crate) face: Amount,
    /// Its links, oldest first.
    pub(crate) links: Vec<CheckedLink>,
}

/// A link of such a chain.
pub(crate) struct CheckedLink {
    pub(crate) id: TransferId,
    pub(crate) note_id: NoteId,
    pub(crate) class_id: ClassId,
    pub(crate) transfer: Transfer,
    /// Earliest `redeem_until` of the chain up to here.
    pub(crate) redeem_until: Timestamp,
}

impl CheckedChain {
    /// What it amounts to.
    pub fn summary(&self) -> &ChainSummary {
        &self.summary
    }

    /// Its last link.
    pub(crate) fn last(&self) -> &CheckedLink {
        self.links.last().expect("a chain has at least one link")
    }
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Checks chains that must end in `end`, in their order. `seed` is 32 random bytes that whoever made the chains
    /// cannot foresee.
    pub(crate) fn check_chains(
        &self,
        classes: &ClassTable,
        chains: &[Chain<'_>],
        now: Timestamp,
        end: End,
        seed: &[u8; 32],
    ) -> Vec<Result<CheckedChain, ChainError>> {
        let share = chains.len().div_ceil(self.workers().get()).max(1);
        let shares: Vec<_> = chains.chunks(share).enumerate().collect();
        let check = |(index, share): (usize, &[Chain<'_>])| {
            let seed = hash::h32(label::BATCH, &[seed, &(index as u64).to_be_bytes()]);
            self.check_share(classes, share, Deadline::Redeem(now), end, seed)
        };
        if let [only] = shares.as_slice() {
            return check(*only);
        }
        std::thread::scope(|scope| {
            let running: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || check(share))).collect();
            running.into_iter().flat_map(|share| share.join().expect("verification does not panic")).collect()
        })
    }

    /// Checks one chain that ends in a redemption, by itself, as of `at`.
    pub(crate) fn check_again(
        &self,
        classes: &ClassTable,
        chain: &Chain<'_>,
        at: Timestamp,
    ) -> Result<CheckedChain, ChainError> {
        check(classes, chain, Deadline::Redeem(at), End::Redemption, &mut Immediately(self.generators()))
    }

    fn check_share(
        &self,
        classes: &ClassTable,
        chains: &[Chain<'_>],
        deadline: Deadline,
        end: End,
        seed: [u8; 32],
    ) -> Vec<Result<CheckedChain, ChainError>> {
        let generators = self.generators();
        let mut shows = Batched { generators, batch: Batch::new(*generators, seed) };
        let together: Vec<_> = chains.iter().map(|chain| check(classes, chain, deadline, end, &mut shows)).collect();
        if shows.batch.verify_vartime().is_ok() {
            return together;
        }
        chains.iter().map(|chain| check(classes, chain, deadline, end, &mut Immediately(generators))).collect()
    }
}

fn check(
    classes: &ClassTable,
    chain: &Chain<'_>,
    deadline: Deadline,
    end: End,
    shows: &mut impl CheckShow,
) -> Result<CheckedChain, ChainError> {
    let mut links: Vec<CheckedLink> = Vec::with_capacity(chain.length());
    let summary = verify_chain(classes, chain, deadline, end, shows, |link: &Link<'_, '_>| {
        let own = link.class.info().redeem_until;
        let redeem_until = links.last().map_or(own, |before| before.redeem_until.min(own));
        let class_id = link.class.id();
        links.push(CheckedLink {
            id: link.id,
            note_id: link.note_id,
            class_id,
            transfer: *link.transfer,
            redeem_until,
        });
    })?;
    let root = classes.class(&summary.root_class).ok_or(ChainError::UnknownClass(summary.root_class))?;
    Ok(CheckedChain { summary, face: root.info().amount, links })
}
