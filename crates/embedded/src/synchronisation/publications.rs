//! What bank and PSP publish.

use embedded_storage::nor_flash::NorFlash;
use specie_api::hexadecimal::Hex;
use specie_api::psp;
use specie_core::Timestamp;
use specie_core::encoding::{Decode, DecodeError};
use specie_core::manifest::{ManifestHeader, SignedHeader};
use specie_wallet::element::Element;
use specie_wallet::publication::PublicationError;

use crate::device::{Device, Done, Random};
use crate::errand::Answer;

impl<F: NorFlash, E: Element, R: Random> Device<F, E, R> {
    pub(crate) fn take_manifests(&mut self, answer: &Answer<'_>) -> Done<()> {
        let fetched: psp::Manifests = answer.read()?;
        let Some(Hex(manifest)) = fetched.manifest else { return Ok(()) };
        let headers: Result<alloc::vec::Vec<_>, DecodeError> = fetched.headers.iter().map(signed_header).collect();
        let headers = headers.map_err(PublicationError::Malformed)?;
        let step = self.wallet.accept_manifest(&headers, &manifest)?;
        self.commit(step).map(drop)
    }

    pub(crate) fn take_revocations(&mut self, answer: &Answer<'_>) -> Done<()> {
        let fetched: psp::Revocations = answer.read()?;
        let Some(Hex(list)) = fetched.list else { return Ok(()) };
        let step = self.wallet.accept_revocation_list(&list)?;
        self.commit(step).map(drop)
    }

    pub(crate) fn take_limits(&mut self, answer: &Answer<'_>) -> Done<()> {
        let fetched: psp::Limits = answer.read()?;
        let step = self.wallet.accept_limits(&fetched.limits.0, &mut self.element)?;
        self.commit(step).map(drop)
    }

    /// A merchant's device gets a new descriptor each time; others have none.
    pub(crate) fn take_descriptor(&mut self, answer: &Answer<'_>, now: Timestamp) -> Done<()> {
        let fetched: psp::Descriptor = match answer.read() {
            Err(refusal) if refusal.is(&psp::NOT_A_MERCHANT) => return Ok(()),
            fetched => fetched?,
        };
        let step = self.wallet.accept_descriptor(&fetched.descriptor.0, now)?;
        self.commit(step)
    }
}

fn signed_header(travelled: &psp::SignedHeader) -> Result<SignedHeader, DecodeError> {
    let header = ManifestHeader::decode(&travelled.header.0)?;
    Ok(SignedHeader { header, signature: travelled.signature.0 })
}
