//! TOTALS: signed commitments to what is held and to what was spent (`docs/spec/totals.md`).

use embedded_storage::nor_flash::NorFlash;
use specie_core::group::{RistrettoPoint, Scalar, encode_point};
use specie_core::{hash, label};
use zeroize::Zeroizing;

use super::answer::Answer;
use super::{Element, Secrets};
use crate::platform::Platform;
use crate::record::LimitsRecord;
use crate::status::StatusWord;

impl Secrets {
    /// What hides a total. It follows from all that is said and from which of the totals it is: so it never serves two
    /// values, whatever nonces come, and the same question has the same answer.
    fn blinding(&self, nonce: &[u8; 32], said: &[u8; 24], which: u8) -> Zeroizing<Scalar> {
        Zeroizing::new(hash::hs(label::TOTALS_BLINDING, &[&*self.seed, nonce, said, &[which]]))
    }
}

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    #[inline(never)]
    pub(super) fn totals(&mut self, nonce: &[u8; 32], answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        let sequence = self.records.single::<_, LimitsRecord>()?.map_or(0, |limits| limits.sequence);
        let totals = [self.held(), self.counters()?.spent];
        let mut said = [0; 24];
        for (field, number) in said.as_chunks_mut().0.iter_mut().zip([sequence, totals[0], totals[1]]) {
            *field = number.to_be_bytes();
        }
        answer.push(&said)?;
        let secrets = self.secrets()?;
        let mut commitments = [[0; 32]; 2];
        for (which, (commitment, total)) in (0..).zip(commitments.iter_mut().zip(totals)) {
            let r = secrets.blinding(nonce, &said, which);
            *commitment = encode_point(&(Scalar::from(total) * self.generators.H + RistrettoPoint::mul_base(&r)));
            answer.push(r.as_bytes())?;
            answer.push(commitment)?;
        }
        let [held, spent] = &commitments;
        answer.push(&secrets.authentication.sign(label::TOTALS, &[nonce, &said[..8], held, spent]))
    }

    /// What is held, in minor units.
    pub(super) fn held(&self) -> u64 {
        u64::try_from(self.records.held()).unwrap_or(u64::MAX)
    }
}
