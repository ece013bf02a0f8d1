//! Drawing nonces from the element: one for each note.

use alloc::vec::Vec;

use specie_core::encoding::DecodeError;
use specie_element::client;
use specie_element::instruction::MAX_NONCES;
use specie_element::status::StatusWord;

use super::state::{Drawn, Stage, Withdrawal};
use super::{WithdrawalError, WithdrawalId};
use crate::element::{Element, ElementFault};
use crate::record::Changes;
use crate::step::Step;
use crate::wallet::Wallet;

impl Wallet {
    /// One call: says which nonces are going to be drawn, or draws them.
    #[inline(never)]
    pub(super) fn draw_nonces(
        &mut self,
        id: &WithdrawalId,
        element: &mut impl Element,
    ) -> Result<Step<()>, WithdrawalError> {
        let withdrawal = self.withdrawals.0.get(id).ok_or(WithdrawalError::NotWaiting)?;
        let mut changes = Changes::default();
        let Some((first, count)) = withdrawal.draw else {
            let next = client::status(element).map_err(ElementFault::from)?.next_index;
            self.plan_draw(id, next, &mut changes);
            return Ok(changes.step(()));
        };
        match client::nonces(element, first, count).map_err(ElementFault::from) {
            Ok(nonces) => {
                let withdrawal = self.withdrawals.0.get_mut(id).ok_or(WithdrawalError::NotWaiting)?;
                for (index, K3) in nonces.iter() {
                    // A withdrawal that was cancelled before it drew this index may have had it forgotten.
                    self.tasks.clear(index, &mut changes);
                    withdrawal.notes.push(Drawn { index, K3: *K3, blinded: None });
                    withdrawal.store_note(id, withdrawal.notes.len() - 1, &mut changes);
                }
                let left = withdrawal.next_count();
                withdrawal.draw = first.checked_add(count.into()).filter(|_| left > 0).map(|next| (next, left));
                if left == 0 {
                    withdrawal.stage = Stage::Opening;
                }
            }
            // Another withdrawal drew in between: what may have been drawn here is lost, and drawn anew.
            Err(ElementFault::Refused(StatusWord::WRONG_DATA)) => {
                let next = client::status(element).map_err(ElementFault::from)?.next_index;
                if let Some(withdrawal) = self.withdrawals.0.get_mut(id) {
                    withdrawal.draw = None;
                }
                let lost = (first..first.saturating_add(count.into())).filter(|index| *index < next);
                let taken = |index: &u32| self.withdrawals.0.values().any(|other| other.has_drawn(*index));
                let free: Vec<u32> = lost.filter(|index| !taken(index) && self.purse.get(*index).is_none()).collect();
                free.into_iter().for_each(|index| self.tasks.forget(index, &mut changes));
            }
            Err(fault) => return Err(fault.into()),
        }
        if let Some(withdrawal) = self.withdrawals.0.get(id) {
            withdrawal.store(id, &mut changes);
        }
        Ok(changes.step(()))
    }

    /// Stores which nonces are going to be drawn. The element repeats the last draw to whoever asks for it, so no two withdrawals may plan the
    /// same one: whoever planned it before and did not draw plans anew.
    fn plan_draw(&mut self, id: &WithdrawalId, next: u32, changes: &mut Changes) {
        for (other, withdrawal) in self.withdrawals.0.iter_mut() {
            if other == id {
                withdrawal.draw = Some((next, withdrawal.next_count()));
            } else if withdrawal.draw.is_some_and(|(first, _)| first == next) {
                withdrawal.draw = None;
            } else {
                continue;
            }
            withdrawal.store(other, changes);
        }
    }
}

impl Withdrawal {
    /// How many nonces to draw next.
    fn next_count(&self) -> u8 {
        let left = (self.count() - self.notes.len()).min(MAX_NONCES);
        u8::try_from(left).unwrap_or(u8::MAX)
    }

    fn has_drawn(&self, index: u32) -> bool {
        self.notes.iter().any(|note| note.index == index)
    }
}

/// An element that gives a nonce which is no point is broken.
impl From<DecodeError> for WithdrawalError {
    fn from(_: DecodeError) -> Self {
        Self::Element(ElementFault::Nonsense)
    }
}
