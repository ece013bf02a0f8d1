//! STATUS and WIPE.

use embedded_storage::nor_flash::NorFlash;

use super::Element;
use super::answer::Answer;
use crate::instruction::LifeCycle;
use crate::journal::Batch;
use crate::platform::Platform;
use crate::record::{LimitsRecord, ManifestRecord, put_single, single};
use crate::status::StatusWord;

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    #[inline(never)]
    pub(super) fn status(&mut self, answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        let pin = self.pin()?;
        let counters = self.counters()?;
        let manifest = self.records.single::<_, ManifestRecord>()?;
        let limits = self.records.single::<_, LimitsRecord>()?;
        let limit = |of: fn(&LimitsRecord) -> u64| limits.as_ref().map_or(0, of);
        let tries = if pin.digest.is_some() { pin.tries } else { 0xFF };
        answer.push(&[self.life_cycle as u8, tries])?;
        for word in [self.handed_out()?.next, saturated(self.records.used()), saturated(self.records.free())] {
            answer.push(&word.to_be_bytes())?;
        }
        let longs = [
            manifest.map_or(0, |manifest| manifest.sequence),
            counters.time_floor,
            limit(|limits| limits.sequence),
            limit(|limits| limits.max_payment),
            limit(|limits| limits.max_cumulative),
            limit(|limits| limits.max_holding),
            limit(|limits| limits.valid_until),
            counters.spent,
            self.held(),
        ];
        longs.iter().try_for_each(|long| answer.push(&long.to_be_bytes()))
    }

    /// Erases everything. The journal goes on erasing with the next command or power-up where it is interrupted.
    #[inline(never)]
    pub(super) fn wipe(&mut self, even_so: bool) -> Result<(), StatusWord> {
        if self.life_cycle == LifeCycle::Wiped {
            return Ok(());
        }
        let held = self.records.held();
        if held > 0 && !even_so {
            return Err(StatusWord::WRONG_STATE);
        }
        let mut batch = Batch::new();
        batch.clear();
        put_single(&mut batch, single::WIPED, &[]);
        self.records.commit(&batch, 0, held)?;
        self.life_cycle = LifeCycle::Wiped;
        self.secrets = None;
        self.verified = false;
        self.classes.clear();
        // Wiped, but not erased yet: who hears that it is done may rely on it.
        if self.records.is_stale() { Err(StatusWord::FLASH_FAILED) } else { Ok(()) }
    }
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
