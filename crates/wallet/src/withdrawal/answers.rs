//! The bank's part: its commitments (W2), and its answers (W5).

use alloc::string::ToString;
use alloc::vec::Vec;

use specie_core::group::decode_point;
use specie_core::issuance::{Blinded, Response};

use super::state::Stage;
use super::{Session, WithdrawalError, WithdrawalId};
use crate::element::ElementFault;
use crate::purse::{Material, Place, encode_material};
use crate::record::{Changes, Table};
use crate::step::Step;
use crate::wallet::Wallet;

/// The longest name that a PSP may give a withdrawal, in bytes.
const REMOTE_LENGTH_MAX: usize = 128;

impl Wallet {
    /// W2 and W3: takes the PSP's name for the withdrawal and the bank's commitments, one for each note in the order of the items, and blinds
    /// the notes.
    ///
    /// # Errors
    /// When they do not fit what was asked for, or are not well made.
    pub fn withdrawal_opened(
        &mut self,
        id: &WithdrawalId,
        remote: &str,
        sessions: &[Session],
    ) -> Result<Step<()>, WithdrawalError> {
        let withdrawal = self.withdrawals.0.get(id).filter(|withdrawal| withdrawal.stage == Stage::Opening);
        let withdrawal = withdrawal.ok_or(WithdrawalError::NotWaiting)?;
        let asked = withdrawal.classes().eq(sessions.iter().map(|session| &session.class_id));
        if !asked || remote.is_empty() || remote.len() > REMOTE_LENGTH_MAX {
            return Err(WithdrawalError::WrongAnswer);
        }
        let blind = |(number, session): (usize, &Session)| {
            let class = self.class(&session.class_id).ok_or(WithdrawalError::NotIssued)?;
            let K3 = decode_point(&withdrawal.notes[number].K3)?;
            let blinding = withdrawal.blinding(number).ok_or(WithdrawalError::NotWaiting)?;
            let U = &self.identity.U;
            Blinded::blind(&self.generators, class, U, &K3, &blinding, &session.commitment)
                .map_err(|_| WithdrawalError::Forged(number))
        };
        let blinded: Vec<Blinded> = sessions.iter().enumerate().map(blind).collect::<Result<_, _>>()?;

        let mut changes = Changes::default();
        let withdrawal = self.withdrawals.0.get_mut(id).ok_or(WithdrawalError::NotWaiting)?;
        for (number, (blinded, session)) in blinded.into_iter().zip(sessions).enumerate() {
            withdrawal.notes[number].blinded = Some((session.commitment, blinded));
            withdrawal.store_note(id, number, &mut changes);
        }
        withdrawal.remote = Some(remote.to_string());
        withdrawal.stage = Stage::Challenging;
        withdrawal.store(id, &mut changes);
        Ok(changes.step(()))
    }

    /// W5: takes the bank's answers, in the order of the challenges, and checks the notes that come of them.
    ///
    /// # Errors
    /// When an answer does not verify; nothing changed then.
    pub fn withdrawal_answered(
        &mut self,
        id: &WithdrawalId,
        responses: &[Response],
    ) -> Result<Step<()>, WithdrawalError> {
        let materials = self.unblind(id, responses)?;
        let mut changes = Changes::default();
        let withdrawal = self.withdrawals.0.get_mut(id).ok_or(WithdrawalError::NotWaiting)?;
        for (number, material) in materials.into_iter().enumerate() {
            let index = withdrawal.notes[number].index;
            changes.put(Table::Note, &index.to_be_bytes(), encode_material(&material));
            self.purse.insert(index, material, Place::Arriving(*id), None);
        }
        withdrawal.seed = None;
        withdrawal.stage = Stage::Registering;
        withdrawal.store(id, &mut changes);
        Ok(changes.step(()))
    }

    /// The finished notes of a withdrawal.
    fn unblind(&self, id: &WithdrawalId, responses: &[Response]) -> Result<Vec<Material>, WithdrawalError> {
        let withdrawal = self.withdrawals.0.get(id).filter(|withdrawal| withdrawal.stage == Stage::Challenging);
        let withdrawal = withdrawal.ok_or(WithdrawalError::NotWaiting)?;
        if responses.len() != withdrawal.notes.len() {
            return Err(WithdrawalError::WrongAnswer);
        }
        let notes = withdrawal.notes.iter().zip(withdrawal.classes()).zip(responses).enumerate();
        notes
            .map(|(number, ((note, class_id), response))| {
                let class = self.class(class_id).ok_or(ElementFault::NotInManifest)?;
                let (commitment, blinded) = note.blinded.as_ref().ok_or(WithdrawalError::NotWaiting)?;
                let blinding = withdrawal.blinding(number).ok_or(WithdrawalError::NotWaiting)?;
                let issued = blinded
                    .unblind(&self.generators, class, &self.identity.U, &blinding, commitment, response)
                    .map_err(|_| WithdrawalError::Forged(number))?;
                Ok(Material {
                    class_id: *class_id,
                    info: *class.info(),
                    note: issued.note,
                    secrets: issued.secrets,
                    points: issued.points,
                    id: issued.id,
                })
            })
            .collect()
    }
}
