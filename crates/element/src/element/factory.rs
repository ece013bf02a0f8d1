//! GENERATE, PERSONALISE, IDENTITY: what happens in the factory.

use embedded_storage::nor_flash::NorFlash;
use specie_core::encoding::Decode;
use specie_core::enrolment::{Certificate, CertificateBody};
use zeroize::Zeroizing;

use super::answer::Answer;
use super::{Element, Secrets};
use crate::entropy::EntropyFailure;
use crate::instruction::{LifeCycle, MAX_CERTIFICATE, PUK};
use crate::journal::Batch;
use crate::platform::Platform;
use crate::record::{PinRecord, Single, put_single, single};
use crate::status::StatusWord;

/// Root key, digest of the PUK, certificate.
const PERSONAL_MAX: usize = 64 + MAX_CERTIFICATE;

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    /// Draws the seed that all secrets follow from. Once drawn, it stays: a repeat gives the same answer.
    #[inline(never)]
    pub(super) fn generate(&mut self, answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        if self.secrets.is_none() {
            let mut seed = Zeroizing::new([0; 32]);
            self.platform.entropy(&mut seed).map_err(|EntropyFailure| StatusWord::ENTROPY_FAILED)?;
            let mut batch = Batch::new();
            put_single(&mut batch, single::IDENTITY, &*seed);
            self.records.commit(&batch, 0, 0)?;
            self.secrets = Some(Secrets::derive(&seed, &self.generators));
            self.life_cycle = LifeCycle::Generated;
        }
        let secrets = self.secrets()?;
        answer.push(&secrets.identity)?;
        answer.push(&secrets.authentication_key().0)
    }

    #[inline(never)]
    pub(super) fn personalise(
        &mut self,
        root_key: &[u8; 32],
        puk: &[u8; PUK],
        certificate: &[u8],
    ) -> Result<(), StatusWord> {
        let firmware = self.platform.firmware();
        let secrets = self.secrets()?;
        let body = Certificate::decode(certificate).map_err(|_| StatusWord::WRONG_DATA)?.body;
        if body.U != secrets.identity || body.A != secrets.authentication_key() || body.firmware != firmware {
            return Err(StatusWord::WRONG_DATA);
        }
        let mut personal = Zeroizing::new([0; PERSONAL_MAX]);
        personal[..32].copy_from_slice(root_key);
        personal[32..64].copy_from_slice(&*secrets.puk_digest(puk));
        personal[64..64 + certificate.len()].copy_from_slice(certificate);
        let mut batch = Batch::new();
        put_single(&mut batch, single::PERSONAL, &personal[..64 + certificate.len()]);
        PinRecord::NONE.put(&mut batch);
        self.records.commit(&batch, 0, 0)?;
        self.life_cycle = LifeCycle::Personalised;
        Ok(())
    }

    #[inline(never)]
    pub(super) fn identity(&mut self, answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        let mut personal = Zeroizing::new([0; PERSONAL_MAX]);
        answer.push(self.personal(&mut personal)?.certificate)
    }

    /// What the maker certified.
    #[inline(never)]
    pub(super) fn certified(&mut self) -> Result<CertificateBody, StatusWord> {
        let mut personal = Zeroizing::new([0; PERSONAL_MAX]);
        let certificate = Certificate::decode(self.personal(&mut personal)?.certificate);
        Ok(certificate.map_err(|_| StatusWord::FLASH_FAILED)?.body)
    }

    /// Root key of the central bank.
    #[inline(never)]
    pub(super) fn root_key(&mut self) -> Result<[u8; 32], StatusWord> {
        let mut personal = Zeroizing::new([0; PERSONAL_MAX]);
        Ok(*self.personal(&mut personal)?.root_key)
    }

    /// Keyed digest of the PUK.
    pub(super) fn stored_puk(&mut self) -> Result<Zeroizing<[u8; 32]>, StatusWord> {
        let mut personal = Zeroizing::new([0; PERSONAL_MAX]);
        Ok(Zeroizing::new(*self.personal(&mut personal)?.puk_digest))
    }

    fn personal<'b>(&mut self, bytes: &'b mut [u8; PERSONAL_MAX]) -> Result<Personal<'b>, StatusWord> {
        let bytes = self.records.single_bytes(single::PERSONAL, bytes)?.ok_or(StatusWord::WRONG_STATE)?;
        let (root_key, rest) = bytes.split_first_chunk().ok_or(StatusWord::FLASH_FAILED)?;
        let (puk_digest, certificate) = rest.split_first_chunk().ok_or(StatusWord::FLASH_FAILED)?;
        Ok(Personal { root_key, puk_digest, certificate })
    }
}

/// What PERSONALISE brought.
struct Personal<'b> {
    root_key: &'b [u8; 32],
    puk_digest: &'b [u8; 32],
    certificate: &'b [u8],
}
