//! What the element is told after the fact: what a blank owns, that it expects nothing any more, or that a record may be freed.

use alloc::vec::Vec;

use specie_core::amount::Amount;
use specie_core::encoding::DecodeError;
use specie_element::client;
use specie_element::status::StatusWord;

use crate::element::{Element, ElementFault};
use crate::record::{Changes, Fields, ReadField, Table, read};
use crate::sorted::Map;
use crate::step::Step;
use crate::wallet::{Wallet, bytes_of};

/// Things told in one call.
const AT_ONCE: usize = 32;

/// What the element is to be told of one index. Only the newest matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Task {
    /// The blank owns this much, and not what it was expected to receive.
    Expect { blind: [u8; 32], amount: Amount },
    /// The blank expects nothing.
    Release,
    /// The record may be freed.
    Forget,
}

/// What the element is to be told, by index.
#[derive(Default)]
pub(crate) struct Tasks(Map<u32, Task>);

impl Tasks {
    pub(crate) fn expect(&mut self, index: u32, blind: [u8; 32], amount: Amount, changes: &mut Changes) {
        self.set(index, Task::Expect { blind, amount }, changes);
    }

    pub(crate) fn release(&mut self, index: u32, changes: &mut Changes) {
        self.set(index, Task::Release, changes);
    }

    pub(crate) fn forget(&mut self, index: u32, changes: &mut Changes) {
        self.set(index, Task::Forget, changes);
    }

    /// The element is asked about this index anew: what it was to be told before is void.
    pub(crate) fn clear(&mut self, index: u32, changes: &mut Changes) {
        if self.0.remove(&index).is_some() {
            changes.delete(Table::Task, &index.to_be_bytes());
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    fn set(&mut self, index: u32, task: Task, changes: &mut Changes) {
        let record = match task {
            Task::Expect { blind, amount } => Fields::new(3, 48).uint(0u8).bytes(&blind).amount(amount),
            Task::Release => Fields::new(1, 2).uint(1u8),
            Task::Forget => Fields::new(1, 2).uint(2u8),
        };
        changes.put(Table::Task, &index.to_be_bytes(), record.done());
        self.0.insert(index, task);
    }

    pub(crate) fn load(&mut self, id: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        let task = match record.first() {
            Some(0x83) => read(record, 3, |r| match r.uint()? {
                0 => Ok(Task::Expect { blind: r.bytes_of()?, amount: r.amount()? }),
                _ => Err(DecodeError::OutOfRange),
            })?,
            _ => read(record, 1, |r| match r.uint()? {
                1 => Ok(Task::Release),
                2 => Ok(Task::Forget),
                _ => Err(DecodeError::OutOfRange),
            })?,
        };
        self.0.insert(u32::from_be_bytes(bytes_of(id)?), task);
        Ok(())
    }
}

impl Task {
    /// Tells the element. What it refuses because it knows better is done, too.
    fn carry_out(self, index: u32, element: &mut impl Element) -> Result<(), ElementFault> {
        let told = match self {
            Self::Expect { blind, amount } => client::owner_tag(element, index, &blind, amount.minor()).map(drop),
            Self::Release => client::release(element, index),
            Self::Forget => client::forget(element, index),
        };
        match told.map_err(ElementFault::from) {
            Err(ElementFault::Refused(
                StatusWord::UNKNOWN_INDEX
                | StatusWord::ALREADY_SPENT
                | StatusWord::WRONG_STATE
                | StatusWord::WRONG_DATA
                | StatusWord::OVER_HOLDING
                | StatusWord::LIMITS_RUN_OUT,
            )) => Ok(()),
            told => told,
        }
    }
}

impl Wallet {
    /// Frees the memory of what can be read again from what the wallet holds: for where memory is short.
    pub fn release_memory(&mut self) {
        self.publications.forget_classes();
    }

    /// How many things the element has yet to be told.
    pub fn housekeeping(&self) -> usize {
        self.tasks.count()
    }

    /// Tells the element some of them; gives how many are left. Nothing depends on it but room and holding limit in the element.
    ///
    /// # Errors
    /// When the element cannot be asked.
    pub fn keep_house(&mut self, element: &mut impl Element) -> Result<Step<usize>, ElementFault> {
        let tasks: Vec<(u32, Task)> = self.tasks.0.iter().take(AT_ONCE).map(|(index, task)| (*index, *task)).collect();
        for (index, task) in &tasks {
            task.carry_out(*index, element)?;
        }
        let mut changes = Changes::default();
        tasks.iter().for_each(|(index, _)| self.tasks.clear(*index, &mut changes));
        let left = self.tasks.count();
        Ok(changes.step(left))
    }
}
