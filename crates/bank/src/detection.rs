//! Double spends (§8): two shows of one note name the device that made them.

use specie_audit::{Actor, Kind};
use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{ClassId, NoteId, TransferId};
use specie_core::class::Classes;
use specie_core::encoding::Encode;
use specie_core::evidence::Evidence;
use thiserror::Error;

use crate::audit::{self, hex};
use crate::bank::Bank;
use crate::revocation::RevocableRecord;
use crate::signer::{Signer, SignerError};
use crate::spent::Twice;
use crate::storage::{Storage, StorageError, Tx};

/// A note shown twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoubleSpendRecord {
    /// Counts double spends from 1.
    pub sequence: u64,
    /// The note.
    pub note_id: NoteId,
    /// Its class.
    pub class_id: ClassId,
    /// The issued note at the beginning of the chain in which it was found.
    pub root: NoteId,
    /// The transfer seen first.
    pub first: TransferId,
    /// The one seen later.
    pub second: TransferId,
    /// The culprit `U`; `None` where the two convict nobody, which is an alarm.
    pub culprit: Option<[u8; 32]>,
    /// Whether the culprit was ever registered. If not: an alarm.
    pub registered: bool,
    /// The evidence, encoded; verified before it was stored.
    pub evidence: Vec<u8>,
    /// Last moment at which the note's class is redeemed: after it, nobody needs to hear of it.
    pub revoke_until: Timestamp,
    /// When it was found.
    pub at: Timestamp,
}

/// Why a double spend could not be recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DetectionError {
    /// The revocation list could not be signed.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Verifies and keeps the evidence that each of `twice` and the transfer seen first show one note, strikes the culprits off and
    /// revokes the notes. A third show of the same note adds nothing.
    pub(crate) fn convict(&self, tx: &mut dyn Tx, twice: &[Twice<'_>], now: Timestamp) -> Result<(), DetectionError> {
        twice.iter().try_for_each(|twice| self.convict_one(tx, twice, now))
    }

    fn convict_one(&self, tx: &mut dyn Tx, twice: &Twice<'_>, now: Timestamp) -> Result<(), DetectionError> {
        let Twice { chain, link: second, first } = twice;
        let note_id = second.note_id;
        if tx.double_spend(&note_id)?.is_some() {
            return Ok(());
        }
        let first = tx.transfer(first)?;
        let first = first.ok_or_else(|| StorageError::Failed(format!("damaged: who showed {note_id} is missing")))?;
        let classes = self.class_table(tx)?;
        let class = classes.class(&second.class_id).cloned();
        let class = class.ok_or_else(|| StorageError::Failed(format!("class {} is gone", second.class_id)))?;
        let revoke_until = class.info().redeem_until;
        let evidence = Evidence { class, first: first.decode()?, second: second.transfer.compact() };
        let culprit = evidence.verify_vartime(self.generators()).ok().map(|culprit| culprit.U);
        let registered = match &culprit {
            Some(identity) => tx.device(identity)?.is_some(),
            None => false,
        };
        let sequence = tx.double_spend_sequence()? + 1;
        tx.insert_double_spend(&DoubleSpendRecord {
            sequence,
            note_id,
            class_id: second.class_id,
            root: chain.summary.root,
            first: first.id,
            second: second.id,
            culprit,
            registered,
            evidence: evidence.to_vec(),
            revoke_until,
            at: now,
        })?;
        // Nobody enrolled made this note: an issuing key or a generator is broken.
        let (changed, kind, subject, why) = match &culprit {
            Some(identity) if registered => {
                let struck_off = tx.strike_off_if_registered(identity, now, sequence)?;
                (struck_off, Kind::DeviceStruckOff, hex(identity), "double-spend")
            }
            Some(identity) => {
                let raised = tx.insert_alarm("culprit-unknown", identity, now)?;
                (raised, Kind::AlarmRaised, hex(identity), "culprit-unknown")
            }
            None => {
                let raised = tx.insert_alarm("evidence-inconsistent", &note_id.0, now)?;
                (raised, Kind::AlarmRaised, hex(&note_id.0), "evidence-inconsistent")
            }
        };
        if changed {
            let details = [("evidence", sequence.to_string()), ("why", why.to_owned())];
            audit::append(tx, Actor::service(), now, kind, &subject, &details)?;
        }
        let outputs = second.transfer.preimage.outputs.as_slice();
        let worth = Amount::checked_sum(outputs.iter().map(|output| output.amount)).unwrap_or(Amount::MAX);
        tx.insert_revocable(&RevocableRecord { note_id, worth, revoke_until })?;
        self.publish_revocations(tx, now)?;
        Ok(())
    }
}
