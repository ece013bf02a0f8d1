//! Telling the element what is published: its own manifest, and entries with their proofs.

use specie_core::bytes::ClassId;
use specie_core::encoding::Encode;
use specie_core::text::Name;
use specie_element::client::{self, EntryProof};

use super::held::{HeldManifest, Proof};
use crate::element::{Element, ElementFault};
use crate::wallet::Wallet;

impl Proof<'_> {
    fn entry_proof(&self) -> EntryProof<'_> {
        EntryProof { position: self.position, path: &self.path, entry: self.entry }
    }
}

impl Wallet {
    /// Makes sure that the element holds the wallet's manifest, and gives this.
    fn tell_manifest(&self, element: &mut impl Element) -> Result<&HeldManifest, ElementFault> {
        let manifest = self.publications.held_manifest().ok_or(ElementFault::NotInManifest)?;
        let signed = &manifest.signed;
        let held = client::status(element)?.manifest_sequence;
        if held > signed.header.sequence {
            return Err(ElementFault::ManifestAhead);
        }
        if held < signed.header.sequence {
            client::manifest(element, &signed.header.to_vec(), &signed.signature)?;
        }
        Ok(manifest)
    }

    /// Hands limits to the element.
    pub(super) fn tell_limits(
        &self,
        psp: &Name,
        limits: &[u8],
        element: &mut impl Element,
    ) -> Result<(), ElementFault> {
        let proof = self.tell_manifest(element)?.psp_proof(psp).ok_or(ElementFault::NotInManifest)?;
        Ok(client::limits(element, &proof.entry_proof(), limits)?)
    }

    /// Loads a class into the element.
    pub(crate) fn tell_class(&self, id: &ClassId, element: &mut impl Element) -> Result<(), ElementFault> {
        let proof = self.tell_manifest(element)?.class_proof(id).ok_or(ElementFault::NotInManifest)?;
        let loaded = client::class(element, &proof.entry_proof())?;
        if loaded == id.0 { Ok(()) } else { Err(ElementFault::Nonsense) }
    }
}
