//! Taking what is published.

use alloc::boxed::Box;

use specie_core::amount::Timestamp;
use specie_core::bytes::ManifestId;
use specie_core::descriptor::Descriptor;
use specie_core::encoding::{Decode, DecodeError, Encode};
use specie_core::limits::Limits;
use specie_core::manifest::{Manifest, ManifestHeader, SignedHeader};
use specie_core::text::Name;

use super::held::HeldManifest;
use super::{PublicationError, Publications, Update};
use crate::element::Element;
use crate::record::{Changes, Document, Fields, Table, read};
use crate::sorted::Boxes;
use crate::step::Step;
use crate::wallet::{Wallet, bytes_of};

impl Publications {
    pub(crate) fn held_manifest(&self) -> Option<&HeldManifest> {
        self.manifest.as_ref()
    }

    pub(crate) fn forget_classes(&mut self) {
        if let Some(manifest) = &mut self.manifest {
            manifest.forget_classes();
        }
    }

    /// The central bank.
    pub(crate) fn issuer(&self) -> Option<Name> {
        self.manifest.as_ref().map(|manifest| manifest.signed.header.issuer)
    }

    #[inline(never)]
    pub(crate) fn load_header(&mut self, id: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        let sequence = u64::from_be_bytes(bytes_of(id)?);
        let signed = read(record, 2, |r| {
            Ok(SignedHeader { header: ManifestHeader::decode(r.bytes()?)?, signature: r.bytes_of()? })
        })?;
        self.headers.insert(sequence, Box::new(signed));
        // Headers load in order: those that follow were checked when they were stored.
        if sequence == self.followed + 1 {
            self.followed = sequence;
        }
        Ok(())
    }

    /// The headers held and these, if all of them can be parts of one chain.
    fn with_headers(&self, offered: &[SignedHeader]) -> Result<Boxes<u64, SignedHeader>, PublicationError> {
        let mut all = self.headers.clone();
        for signed in offered {
            let sequence = signed.header.sequence;
            match all.insert(sequence, Box::new(*signed)) {
                Some(held) if held.header != signed.header => return Err(PublicationError::ManifestFork(sequence)),
                _ => {}
            }
        }
        let consecutive = all.values().zip(all.values().skip(1));
        for (before, after) in consecutive.map(|(before, after)| (&before.header, &after.header)) {
            if before.sequence + 1 == after.sequence && !after.follows(before) {
                return Err(PublicationError::ManifestFork(after.sequence));
            }
        }
        let first = all.get(&1).map(|first| first.header.previous);
        if first.is_some_and(|previous| previous != ManifestId([0; 32])) || all.contains_key(&0) {
            return Err(PublicationError::ManifestFork(1));
        }
        Ok(all)
    }
}

/// How far `headers` go from 1 without a gap.
fn followed(headers: &Boxes<u64, SignedHeader>) -> u64 {
    headers.keys().zip(1..).take_while(|(held, expected)| **held == *expected).count() as u64
}

impl Wallet {
    /// Takes a manifest, with the headers between the one followed last and itself where they are at hand. Without them a newer one is still
    /// taken (devices pass manifests on to each other), and must be connected at the next synchronisation.
    ///
    /// # Errors
    /// When it is not the bank's, or forks.
    pub fn accept_manifest(
        &mut self,
        headers: &[SignedHeader],
        manifest: &[u8],
    ) -> Result<Step<Update>, PublicationError> {
        let offered = Manifest::decode(manifest).map_err(PublicationError::Malformed)?;
        let root = self.identity.root;
        offered.verify(&root).map_err(|_| PublicationError::BadSignature)?;
        let mut signed = headers.to_vec();
        signed.push(offered.signed);
        let issuer = self.publications.issuer().unwrap_or(offered.signed.header.issuer);
        for one in &signed {
            one.verify(&root).map_err(|_| PublicationError::BadSignature)?;
            if one.header.issuer != issuer {
                return Err(PublicationError::OtherIssuer);
            }
        }
        let all = self.publications.with_headers(&signed)?;
        let (sequence, followed) = (offered.signed.header.sequence, followed(&all));
        if !headers.is_empty() && followed < sequence {
            return Err(PublicationError::BrokenChain(followed));
        }
        let newer = sequence > self.manifest_sequence();
        let held = if newer { Some(HeldManifest::of(manifest).map_err(PublicationError::Malformed)?) } else { None };

        let mut changes = Changes::default();
        for one in signed.iter().filter(|one| !self.publications.headers.contains_key(&one.header.sequence)) {
            let record = Fields::new(2, 224).bytes(&one.header.to_vec()).bytes(&one.signature).done();
            changes.put_open(Table::Header, &one.header.sequence.to_be_bytes(), record);
        }
        (self.publications.headers, self.publications.followed) = (all, followed);
        let update = match held {
            Some(held) => {
                changes.put_open(Table::Document, &[Document::Manifest as u8], manifest.to_vec());
                self.publications.manifest = Some(held);
                Update::Newer
            }
            None => Update::NotNewer,
        };
        Ok(changes.step(update))
    }

    /// Takes new limits and hands them to the element.
    ///
    /// # Errors
    /// When they are not this device's PSP's, or the element refuses them.
    pub fn accept_limits(
        &mut self,
        limits: &[u8],
        element: &mut impl Element,
    ) -> Result<Step<Update>, PublicationError> {
        let offered = Limits::decode(limits).map_err(PublicationError::Malformed)?;
        let psp = self.psp_key(&offered.body.psp)?;
        offered.verify(&psp).map_err(|_| PublicationError::BadSignature)?;
        let other_psp = self.identity.account.is_some_and(|account| account.psp != offered.body.psp);
        if offered.body.device != self.device() || other_psp {
            return Err(PublicationError::OtherDevice);
        }
        let mut changes = Changes::default();
        if offered.body.sequence < self.limits_sequence() {
            return Ok(changes.step(Update::NotNewer));
        }
        // The element takes the same document again, and may have lost the answer to it last time.
        self.tell_limits(&offered.body.psp, limits, element)?;
        let newer = self.publications.limits != Some(offered.body);
        self.publications.limits = Some(offered.body);
        changes.put_open(Table::Document, &[Document::Limits as u8], limits.to_vec());
        Ok(changes.step(if newer { Update::Newer } else { Update::NotNewer }))
    }

    /// Takes the descriptor that requests of this wallet carry from now on.
    ///
    /// # Errors
    /// When it is not by a PSP of the manifest, not about this device, or past its date.
    pub fn accept_descriptor(&mut self, descriptor: &[u8], now: Timestamp) -> Result<Step<()>, PublicationError> {
        let offered = Descriptor::decode(descriptor).map_err(PublicationError::Malformed)?;
        let psp = self.psp_key(&offered.body.psp)?;
        offered.verify(&psp).map_err(|_| PublicationError::BadSignature)?;
        if offered.body.key != self.device() {
            return Err(PublicationError::OtherDevice);
        }
        if self.not_before_floor(now) > offered.body.valid_until {
            return Err(PublicationError::Expired);
        }
        self.publications.descriptor = Some(offered);
        let mut changes = Changes::default();
        changes.put_open(Table::Document, &[Document::Descriptor as u8], descriptor.to_vec());
        Ok(changes.step(()))
    }

    fn psp_key(&self, name: &Name) -> Result<specie_core::signature::PublicKey, PublicationError> {
        let manifest = self.publications.manifest.as_ref().ok_or(PublicationError::UnknownSigner)?;
        manifest.psp(name).ok_or(PublicationError::UnknownSigner)
    }

    #[inline(never)]
    pub(crate) fn load_document(&mut self, id: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        let (&document, rest) = id.split_first().ok_or(DecodeError::WrongLength)?;
        match document {
            number if number == Document::Manifest as u8 => {
                self.publications.manifest = Some(HeldManifest::of(record)?);
            }
            number if number == Document::Limits as u8 => {
                self.publications.limits = Some(Limits::decode(record)?.body);
            }
            number if number == Document::Descriptor as u8 => {
                self.publications.descriptor = Some(Descriptor::decode(record)?);
            }
            number if number == Document::RevocationPage as u8 => return self.load_page(rest, record),
            _ => return Err(DecodeError::OutOfRange),
        }
        if rest.is_empty() { Ok(()) } else { Err(DecodeError::WrongLength) }
    }
}
