//! Registering finished notes in the element: from then on they can be used.

use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::class::Kind;
use specie_core::text::Currency;
use specie_element::client::{self, Registration};
use zeroize::Zeroizing;

use super::state::Stage;
use super::{WithdrawalError, WithdrawalId};
use crate::element::{Element, ElementFault};
use crate::history::Event;
use crate::purse::{Holding, Place};
use crate::record::Changes;
use crate::sorted::Set;
use crate::step::Step;
use crate::wallet::Wallet;

/// Notes registered in one call.
const AT_ONCE: usize = 32;

impl Wallet {
    /// One call: registers some notes.
    #[inline(never)]
    pub(super) fn register_notes(
        &mut self,
        id: &WithdrawalId,
        now: Timestamp,
        element: &mut impl Element,
    ) -> Result<Step<()>, WithdrawalError> {
        let withdrawal = self.withdrawals.0.get(id).ok_or(WithdrawalError::NotWaiting)?;
        let next = withdrawal.notes.iter().skip(withdrawal.registered).take(AT_ONCE);
        let indices: Vec<u32> = next.map(|note| note.index).collect();
        let mut loaded = Set::new();
        for index in &indices {
            let holding = self.purse.get(*index).ok_or(WithdrawalError::NotWaiting)?;
            if loaded.insert(holding.material.class_id) {
                self.tell_class(&holding.material.class_id, element)?;
            }
            register(*index, holding, element)?;
        }

        let mut changes = Changes::default();
        indices.iter().for_each(|index| self.purse.place(*index, Place::Idle));
        let withdrawal = self.withdrawals.0.get_mut(id).ok_or(WithdrawalError::NotWaiting)?;
        withdrawal.registered += indices.len();
        if withdrawal.registered == withdrawal.notes.len() {
            withdrawal.stage = Stage::Acknowledging;
        }
        let complete = withdrawal.stage == Stage::Acknowledging;
        withdrawal.store(id, &mut changes);
        if complete {
            self.log_withdrawal(id, now, &mut changes);
        }
        Ok(changes.step(()))
    }

    /// One line of history for each currency withdrawn.
    #[inline(never)]
    fn log_withdrawal(&mut self, id: &WithdrawalId, now: Timestamp, changes: &mut Changes) {
        let Some(withdrawal) = self.withdrawals.0.get(id) else { return };
        let infos = withdrawal.notes.iter().filter_map(|note| self.purse.get(note.index));
        let values = infos.map(|holding| holding.material.info).filter(|info| info.kind == Kind::Value);
        let mut sums: crate::sorted::Map<Currency, Amount> = Default::default();
        for info in values {
            let sum = sums.or_default(info.currency);
            *sum = sum.checked_add(info.amount).unwrap_or(Amount::MAX);
        }
        for (currency, amount) in sums {
            self.log.event(Event::Withdrew, now, amount, currency, changes);
        }
    }
}

#[inline(never)]
fn register(index: u32, holding: &Holding, element: &mut impl Element) -> Result<(), ElementFault> {
    let material = &holding.material;
    let secrets = &material.secrets;
    let [gamma, k0, k1] = [&secrets.gamma, &secrets.k0, &secrets.k1].map(|scalar| Zeroizing::new(scalar.to_bytes()));
    let registration = Registration {
        index,
        class_id: material.class_id.0,
        gamma: &gamma,
        zeta1: material.note.zeta1(),
        k0: &k0,
        k1: &k1,
    };
    let note_id = client::register(element, &registration)?;
    if note_id == material.id.0 { Ok(()) } else { Err(ElementFault::Nonsense) }
}
