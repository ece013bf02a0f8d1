//! NONCES: indices and their nonces, each handed out once.

use embedded_storage::nor_flash::NorFlash;
use specie_core::group::{Scalar, encode_point};
use specie_core::{hash, label};
use zeroize::Zeroizing;

use super::answer::Answer;
use super::{Element, Secrets};
use crate::journal::Batch;
use crate::platform::Platform;
use crate::record::{IndexRecord, NoncesRecord, Single};
use crate::status::StatusWord;

impl Secrets {
    /// `k3` of an index.
    pub(super) fn k3(&self, index: u32) -> Zeroizing<Scalar> {
        Zeroizing::new(hash::hs(label::K3, &[&*self.seed, &index.to_be_bytes()]))
    }
}

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    /// Keeps a record for every index that it hands out: there is room to register what was withdrawn.
    #[inline(never)]
    pub(super) fn nonces(&mut self, expected: u32, count: u8, answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        let handed_out = self.handed_out()?;
        if expected == handed_out.next {
            self.hand_out(expected, count)?;
        } else if handed_out.next.checked_sub(expected) != Some(count.into()) || handed_out.last_count != count {
            return Err(StatusWord::WRONG_DATA);
        }
        answer.push(&expected.to_be_bytes())?;
        let secrets = self.secrets()?;
        for index in (expected..).take(count.into()) {
            answer.push(&encode_point(&(*secrets.k3(index) * self.generators.K)))?;
        }
        Ok(())
    }

    /// Which indices were handed out.
    pub(super) fn handed_out(&mut self) -> Result<NoncesRecord, StatusWord> {
        Ok(self.records.single()?.unwrap_or_default())
    }

    fn hand_out(&mut self, first: u32, count: u8) -> Result<(), StatusWord> {
        let next = first.checked_add(count.into()).ok_or(StatusWord::NO_ROOM)?;
        let mut batch = Batch::new();
        NoncesRecord { next, last_count: count }.put(&mut batch);
        for index in first..next {
            IndexRecord::put_open(index, &mut batch);
        }
        Ok(self.records.commit(&batch, 0, 0)?)
    }
}
