//! ENROL and SIGN REQUEST: what the element proves and signs besides notes.

use embedded_storage::nor_flash::NorFlash;
use specie_core::attestation::Claims;
use specie_core::enrolment::{CertificateBody, Proof};
use specie_core::{hash, label};
use zeroize::Zeroizing;

use super::Element;
use super::answer::Answer;
use crate::instruction::Purpose;
use crate::platform::Platform;
use crate::status::StatusWord;

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    /// Protocol §4. The proof's nonce follows from what is proven, so that it never serves two challenges.
    #[inline(never)]
    pub(super) fn enrol(
        &mut self,
        nonce: &[u8; 32],
        device_info: &[u8],
        answer: &mut Answer<'_>,
    ) -> Result<(), StatusWord> {
        let secrets = self.secrets()?;
        let key = secrets.authentication_key();
        let w = Zeroizing::new(hash::hs(label::ENROL_NONCE, &[&*secrets.seed, nonce, device_info]));
        let proof = Proof::prove(&self.generators, &secrets.u, &w, &key, nonce, device_info);
        answer.push(&proof.R)?;
        answer.push(&proof.s)?;
        answer.push(&self.attest(nonce)?)
    }

    /// Signs what it is by its certificate, but for the firmware, which it runs.
    #[inline(never)]
    fn attest(&mut self, nonce: &[u8; 32]) -> Result<[u8; 64], StatusWord> {
        let element = CertificateBody { firmware: self.platform.firmware(), ..self.certified()? };
        Ok(Claims { element: &element, nonce }.sign(&self.secrets()?.authentication))
    }

    #[inline(never)]
    pub(super) fn sign_request(
        &mut self,
        purpose: Purpose,
        digest: &[u8; 32],
        answer: &mut Answer<'_>,
    ) -> Result<(), StatusWord> {
        let label = match purpose {
            Purpose::DeviceRequest => label::DEVICE_REQUEST,
            Purpose::Payee => label::PAYEE,
            Purpose::MandatedRequest => {
                self.check_mandate_holds()?;
                label::MANDATED_REQUEST
            }
        };
        answer.push(&self.secrets()?.authentication.sign(label, &[digest]))
    }
}
