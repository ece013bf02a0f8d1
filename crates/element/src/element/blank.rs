//! OWNER TAG and RELEASE: what blanks are expected to receive.

use embedded_storage::nor_flash::NorFlash;
use specie_core::class::Kind;
use specie_core::note::owner_tag;

use super::Element;
use super::answer::Answer;
use crate::journal::Batch;
use crate::platform::Platform;
use crate::record::{IndexRecord, LimitsRecord, NoteRecord, Stake};
use crate::status::StatusWord;

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    #[inline(never)]
    pub(super) fn owner_tag(
        &mut self,
        index: u32,
        blind: &[u8; 32],
        amount: u64,
        answer: &mut Answer<'_>,
    ) -> Result<(), StatusWord> {
        let blank = self.blank(index)?;
        if amount > blank.amount {
            return Err(StatusWord::WRONG_DATA);
        }
        match blank.stake {
            Stake::Holds(held) if amount == 0 || amount == held => {}
            Stake::Holds(_) => return Err(StatusWord::WRONG_STATE),
            _ => self.expect(index, blank, amount)?,
        }
        answer.push(&owner_tag(&blank.note_id, blind).0)
    }

    #[inline(never)]
    pub(super) fn release(&mut self, index: u32) -> Result<(), StatusWord> {
        let blank = self.blank(index)?;
        match blank.stake {
            Stake::Holds(_) => Err(StatusWord::WRONG_STATE),
            _ => self.expect(index, blank, 0),
        }
    }

    /// A blank that was registered and not shown.
    fn blank(&mut self, index: u32) -> Result<NoteRecord, StatusWord> {
        match self.records.index(index)? {
            Some(IndexRecord::Note(note)) if note.kind() == Kind::Blank => Ok(note),
            Some(IndexRecord::Note(_)) => Err(StatusWord::WRONG_DATA),
            Some(IndexRecord::Spent(_) | IndexRecord::Burnt) => Err(StatusWord::ALREADY_SPENT),
            Some(IndexRecord::Open) | None => Err(StatusWord::UNKNOWN_INDEX),
        }
    }

    fn expect(&mut self, index: u32, blank: NoteRecord, amount: u64) -> Result<(), StatusWord> {
        let (before, after) = (u128::from(blank.held()), u128::from(amount));
        if amount > 0 {
            let limits: LimitsRecord = self.records.single()?.ok_or(StatusWord::LIMITS_RUN_OUT)?;
            if self.records.held() + after > u128::from(limits.max_holding) + before {
                return Err(StatusWord::OVER_HOLDING);
            }
        }
        let stake = if amount == 0 { Stake::Empty } else { Stake::Expects(amount) };
        if stake == blank.stake {
            return Ok(());
        }
        let mut batch = Batch::new();
        NoteRecord { stake, ..blank }.put(index, &mut batch);
        Ok(self.records.commit(&batch, after, before)?)
    }
}
