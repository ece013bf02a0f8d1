//! The spent set: every note shown, every transfer seen, every output claimed.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use specie_core::amount::Timestamp;
use specie_core::bytes::{ClassId, NoteId, TransferId};
use specie_core::encoding::{Decode, Encode};
use specie_core::transfer::{Input, Transfer};

use crate::bank::Bank;
use crate::restitution::payout_name;
use crate::signer::Signer;
use crate::storage::{Claim, Storage, StorageError, Tx, View};
use crate::verification::{CheckedChain, CheckedLink};

/// A transfer that the bank has seen and found good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransferRecord {
    /// Its name.
    pub id: TransferId,
    /// The note or blank shown.
    pub note_id: NoteId,
    /// Class of that note.
    pub class_id: ClassId,
    /// The issued note at the beginning of its chain.
    pub root: NoteId,
    /// Class of that note.
    pub root_class: ClassId,
    /// Last moment at which its outputs are redeemed.
    pub deadline: Timestamp,
    /// Whether its leftover was dealt with. A redeeming transfer has none.
    pub swept: bool,
    /// The transfer in compact form, encoded.
    pub transfer: Vec<u8>,
}

/// A link whose note another transfer had shown before.
pub(crate) struct Twice<'c> {
    pub(crate) chain: &'c CheckedChain,
    pub(crate) link: &'c CheckedLink,
    /// The transfer that showed it first.
    pub(crate) first: TransferId,
}

impl TransferRecord {
    /// The transfer, decoded.
    ///
    /// # Errors
    /// When the storage is damaged.
    pub fn decode(&self) -> Result<Transfer, StorageError> {
        let damaged = |error| StorageError::Failed(format!("transfer {}: {error}", self.id));
        Transfer::decode(&self.transfer).map_err(damaged)
    }
}

/// Those chains, by their last transfers, in which something was settled for good already: the leftover of a transfer was dealt
/// with before the next one claimed its part, the class of the issued note is closed, or the note went back to the owner of a
/// lost device. Clocks of two processes may differ; what is settled here is settled.
pub(crate) fn lapsed(
    view: &mut (impl View + ?Sized),
    chains: &[&CheckedChain],
) -> Result<BTreeSet<TransferId>, StorageError> {
    let mut closed = BTreeMap::new();
    for class in chains.iter().map(|chain| chain.summary.root_class) {
        if let Entry::Vacant(unknown) = closed.entry(class) {
            unknown.insert(view.expiry(&class)?.is_some());
        }
    }
    let roots: BTreeSet<_> = chains.iter().map(|chain| chain.summary.root).collect();
    let restituted = view.restituted_among(&Vec::from_iter(roots))?;
    let with_outputs = chains.iter().flat_map(|chain| &chain.links).filter(|link| !link.is_redemption());
    let ids: BTreeSet<_> = with_outputs.map(|link| link.id).collect();
    let swept = view.swept_among(&Vec::from_iter(ids))?;
    let claimed: BTreeMap<_, _> =
        view.claims_on(&swept)?.into_iter().map(|claim| ((claim.transfer, claim.index), claim.by)).collect();
    let has_lapsed = |chain: &&&CheckedChain| {
        let too_late = |link: &CheckedLink| match link.transfer.preimage.input {
            Input::Received { previous, index, .. } => {
                swept.contains(&previous) && claimed.get(&(previous, index)) != Some(&link.id)
            }
            Input::Issued => false,
        };
        closed.get(&chain.summary.root_class) == Some(&true)
            || restituted.contains(&chain.summary.root)
            || chain.links.iter().any(too_late)
            || (!chain.last().is_redemption() && swept.contains(&chain.last().id))
    };
    Ok(chains.iter().filter(has_lapsed).map(|chain| chain.last().id).collect())
}

impl CheckedLink {
    pub(crate) fn is_redemption(&self) -> bool {
        self.transfer.preimage.outputs.is_redemption()
    }

    fn record(&self, chain: &CheckedChain) -> TransferRecord {
        TransferRecord {
            id: self.id,
            note_id: self.note_id,
            class_id: self.class_id,
            root: chain.summary.root,
            root_class: chain.summary.root_class,
            deadline: self.redeem_until,
            swept: self.is_redemption(),
            transfer: self.transfer.compact().to_vec(),
        }
    }
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Records chains: their notes as shown, their transfers, and what these claim. Where a note was shown before, otherwise, that
    /// comes back, for [`Bank::convict`], and the transfer stands all the same: those whom it pays are honest. Only a
    /// redeeming transfer does not, which is its own device's.
    ///
    /// All rows are independent of each other, and each is there once: the same again changes nothing. What a sweep took at
    /// the same time is under the same keys; then it is [`StorageError::Busy`], and who asks again is told that it lapsed.
    pub(crate) fn record<'c>(
        &self,
        tx: &mut dyn Tx,
        chains: &[&'c CheckedChain],
    ) -> Result<Vec<Twice<'c>>, StorageError> {
        let twice = show(tx, chains)?;
        let refused: BTreeSet<_> =
            twice.iter().filter(|twice| twice.link.is_redemption()).map(|twice| twice.link.id).collect();
        let links: Vec<_> = chains
            .iter()
            .flat_map(|chain| chain.links.iter().map(move |link| (*chain, link)))
            .filter(|(_, link)| !refused.contains(&link.id))
            .collect();
        self.keep(tx, &links)?;
        claim(tx, &links)?;
        Ok(twice)
    }

    fn keep(&self, tx: &mut dyn Tx, links: &[(&CheckedChain, &CheckedLink)]) -> Result<(), StorageError> {
        let mut records = BTreeMap::new();
        for (chain, link) in links {
            records.entry(link.id).or_insert_with(|| link.record(chain));
        }
        let records: Vec<_> = records.into_values().collect();
        let new: BTreeSet<_> = tx.insert_transfers(&records)?.into_iter().collect();
        let kept = |id: &TransferId| records.binary_search_by_key(id, |record| record.id).ok().map(|at| &records[at]);
        // A transfer's name does not cover what it discloses: whoever brought it first may have spoilt that.
        for (_, link) in links.iter().filter(|(_, link)| link.transfer.disclosure.is_some()) {
            let transfer = link.transfer.compact().to_vec();
            let is_kept = new.contains(&link.id) && kept(&link.id).is_some_and(|record| record.transfer == transfer);
            if !is_kept && self.is_disclosed(tx, &link.transfer)? {
                tx.replace_transfer(&link.id, &transfer)?;
            }
        }
        Ok(())
    }
}

/// Puts the notes of chains into the spent set, and gives the links whose notes others had shown before.
fn show<'c>(tx: &mut dyn Tx, chains: &[&'c CheckedChain]) -> Result<Vec<Twice<'c>>, StorageError> {
    let links = || chains.iter().flat_map(|chain| chain.links.iter().map(move |link| (*chain, link)));
    let mut first = BTreeMap::new();
    for (_, link) in links() {
        first.entry(link.note_id).or_insert(link.id);
    }
    let new: BTreeSet<_> = tx.insert_shows(&Vec::from_iter(first.clone()))?.into_iter().collect();
    let known: Vec<_> = first.keys().filter(|note| !new.contains(*note)).copied().collect();
    for (note, transfer) in tx.shown_among(&known)? {
        if transfer == payout_name(&note) {
            return Err(StorageError::Busy);
        }
        first.insert(note, transfer);
    }
    let twice = |(chain, link): (&'c CheckedChain, &'c CheckedLink)| {
        let first = *first.get(&link.note_id)?;
        (first != link.id).then_some(Twice { chain, link, first })
    };
    Ok(links().filter_map(twice).collect())
}

/// Keeps which outputs transfers claim. One of a note that was shown before claims in vain, but for what the sweep took.
fn claim(tx: &mut dyn Tx, links: &[(&CheckedChain, &CheckedLink)]) -> Result<(), StorageError> {
    let mut claims = BTreeMap::new();
    for (_, link) in links {
        if let Input::Received { previous, index, .. } = link.transfer.preimage.input {
            claims.entry((previous, index)).or_insert(link.id);
        }
    }
    let rows: Vec<_> = claims.iter().map(|(&(transfer, index), &by)| Claim { transfer, index, by }).collect();
    let new: BTreeSet<_> = tx.insert_claims(&rows)?.into_iter().collect();
    let known: BTreeSet<_> = claims.keys().filter(|output| !new.contains(*output)).map(|(id, _)| *id).collect();
    let overtaken = tx
        .claims_on(&Vec::from_iter(known))?
        .into_iter()
        .any(|claim| claim.by == claim.transfer && claims.contains_key(&(claim.transfer, claim.index)));
    if overtaken { Err(StorageError::Busy) } else { Ok(()) }
}
