//! What bank and PSP publish.

use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_api::psp;
use specie_core::Timestamp;
use specie_core::encoding::{Decode, DecodeError};
use specie_core::manifest::{ManifestHeader, SignedHeader};
use specie_element::client;
use specie_wallet::element::{Element, ElementFault};
use specie_wallet::publication::PublicationError;

use crate::answers::{Document, Manifests, Pages};
use crate::device::{Device, Done, PAGES_HELD, Random};
use crate::errand::{Answer, garbled};
use crate::json::Object;

impl<F: NorFlash, E: Element, R: Random> Device<F, E, R> {
    #[inline(never)]
    pub(crate) fn take_manifests(&mut self, answer: &Answer<'_>) -> Done<()> {
        let fetched: Manifests = answer.read()?;
        let Some(manifest) = fetched.manifest else { return Ok(()) };
        let headers: Result<Vec<_>, DecodeError> = fetched.headers.iter().map(signed_header).collect();
        let headers = headers.map_err(PublicationError::Malformed)?;
        let step = self.wallet.accept_manifest(&headers, &manifest)?;
        self.commit(step).map(drop)
    }

    #[inline(never)]
    pub(crate) fn take_revocations(&mut self, answer: &Answer<'_>) -> Done<()> {
        let Pages(pages) = answer.read()?;
        let pages: Vec<&[u8]> = pages.iter().map(Vec::as_slice).collect();
        let step = self.wallet.accept_revocations(&pages, PAGES_HELD)?;
        self.commit(step).map(drop)
    }

    /// Has the element say which limits it holds: the next ones come for that. Of its totals the commitments tell nothing.
    #[inline(never)]
    pub(crate) fn say_limits(&mut self, nonce: &[u8; 32]) -> Done<Object> {
        let totals = client::totals(&mut self.element, nonce).map_err(ElementFault::from)?;
        let said = Object::new()
            .hex("nonce", nonce)
            .uint("limits_sequence", totals.limits_sequence)
            .hex("held", &totals.held.commitment)
            .hex("spent", &totals.spent.commitment)
            .hex("signature", &totals.signature);
        Ok(Object::new().object("said", said))
    }

    #[inline(never)]
    pub(crate) fn take_limits(&mut self, answer: &Answer<'_>) -> Done<()> {
        let Document(Some(limits)) = answer.read()? else { return Err(garbled()) };
        let step = self.wallet.accept_limits(&limits, &mut self.element)?;
        self.commit(step).map(drop)
    }

    /// A merchant's device gets a new descriptor each time; others have none.
    #[inline(never)]
    pub(crate) fn take_descriptor(&mut self, answer: &Answer<'_>, now: Timestamp) -> Done<()> {
        let fetched = match answer.read() {
            Err(refusal) if refusal.is(&psp::NOT_A_MERCHANT) => return Ok(()),
            fetched => fetched?,
        };
        let Document(Some(descriptor)) = fetched else { return Err(garbled()) };
        let step = self.wallet.accept_descriptor(&descriptor, now)?;
        self.commit(step)
    }
}

fn signed_header((header, signature): &(Vec<u8>, [u8; 64])) -> Result<SignedHeader, DecodeError> {
    Ok(SignedHeader { header: ManifestHeader::decode(header)?, signature: *signature })
}
