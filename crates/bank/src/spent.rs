//! The spent set: every note shown, every transfer seen, every output claimed.

use specie_core::amount::Timestamp;
use specie_core::bytes::{ClassId, NoteId, TransferId};
use specie_core::encoding::{Decode, Encode};
use specie_core::transfer::{Input, Transfer};

use crate::bank::Bank;
use crate::detection::DetectionError;
use crate::restitution::RestitutionState;
use crate::signer::Signer;
use crate::storage::{Storage, StorageError, Tx, View};
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

/// What showing a note for the bank came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shown {
    /// For the first time, or by the same transfer again.
    Alone,
    /// By another transfer before.
    Twice,
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

/// Whether something in the chain was settled for good already: the leftover of a transfer was dealt with, the class of
/// the issued note is closed, or the note went back to the owner of a lost device. Clocks of two processes may differ; what is settled here is settled.
pub(crate) fn has_lapsed(view: &mut (impl View + ?Sized), chain: &CheckedChain) -> Result<bool, StorageError> {
    if view.expiry(&chain.summary.root_class)?.is_some() {
        return Ok(true);
    }
    if view.restitution(&chain.summary.root)?.is_some_and(|claim| claim.state == RestitutionState::Paid) {
        return Ok(true);
    }
    for link in &chain.links {
        if view.transfer(&link.id)?.is_some_and(|known| known.swept) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Records transfers with outputs: their notes as shown, and what they claim. Where a note was shown before, otherwise,
    /// the evidence is kept and the transfer stands all the same: those whom it pays are honest.
    pub(crate) fn record_links(
        &self,
        tx: &mut dyn Tx,
        chain: &CheckedChain,
        links: &[CheckedLink],
        now: Timestamp,
    ) -> Result<(), DetectionError> {
        for link in links {
            self.show(tx, chain, link, now)?;
            self.keep(tx, chain, link)?;
        }
        Ok(())
    }

    /// Records the redeeming transfer at the end of a chain, unless its own note was shown before, otherwise: then only the
    /// evidence is kept.
    pub(crate) fn record_redemption(
        &self,
        tx: &mut dyn Tx,
        chain: &CheckedChain,
        now: Timestamp,
    ) -> Result<Shown, DetectionError> {
        let shown = self.show(tx, chain, chain.last(), now)?;
        if shown == Shown::Alone {
            self.keep(tx, chain, chain.last())?;
        }
        Ok(shown)
    }

    fn show(
        &self,
        tx: &mut dyn Tx,
        chain: &CheckedChain,
        link: &CheckedLink,
        now: Timestamp,
    ) -> Result<Shown, DetectionError> {
        if tx.insert_shown(&link.note_id, &link.id)? {
            return Ok(Shown::Alone);
        }
        let first = tx.shown(&link.note_id)?.ok_or_else(|| missing("a shown note"))?;
        if first == link.id {
            return Ok(Shown::Alone);
        }
        let first = tx.transfer(&first)?.ok_or_else(|| missing("the first transfer of a note"))?;
        self.convict(tx, chain, &first, link, now)?;
        Ok(Shown::Twice)
    }

    /// Keeps a transfer and its claim.
    fn keep(&self, tx: &mut dyn Tx, chain: &CheckedChain, link: &CheckedLink) -> Result<(), StorageError> {
        let preimage = &link.transfer.preimage;
        let transfer = link.transfer.compact().to_vec();
        let is_new = tx.insert_transfer(&TransferRecord {
            id: link.id,
            note_id: link.note_id,
            class_id: link.class_id,
            root: chain.summary.root,
            root_class: chain.summary.root_class,
            deadline: link.redeem_until,
            swept: preimage.outputs.is_redemption(),
            transfer: transfer.clone(),
        })?;
        // Its name does not cover what it discloses: whoever brought it first may have spoilt that.
        if !is_new && self.is_disclosed(tx, &link.transfer)? {
            tx.replace_transfer(&link.id, &transfer)?;
        }
        if let Input::Received { previous, index, .. } = &preimage.input {
            tx.insert_claim(previous, *index, &link.id)?;
        }
        Ok(())
    }
}

fn missing(what: &str) -> StorageError {
    StorageError::Failed(format!("damaged: {what} is missing"))
}
