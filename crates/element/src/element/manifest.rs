//! MANIFEST, and the proof of one entry against it.

use embedded_storage::nor_flash::NorFlash;
use specie_core::encoding::Decode;
use specie_core::manifest::{Entry, ManifestHeader, SignedHeader};
use specie_core::merkle;
use specie_core::signature::PublicKey;

use super::Element;
use crate::command::EntryProof;
use crate::journal::Batch;
use crate::platform::Platform;
use crate::record::{CountersRecord, ManifestRecord, Single};
use crate::status::StatusWord;

/// Most entries that a path can prove.
const ENTRIES_MAX: u32 = 1 << merkle::PATH_LENGTH_MAX;

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    #[inline(never)]
    pub(super) fn manifest(&mut self, header: &[u8], signature: &[u8; 64]) -> Result<(), StatusWord> {
        self.check_header(header, signature)?;
        self.keep_manifest(header)
    }

    /// Whether the root key signed this header. Apart from what comes after, for checking a signature takes most of the
    /// stack: so nothing is kept of it, and what was signed is decoded once more.
    #[inline(never)]
    fn check_header(&mut self, header: &[u8], signature: &[u8; 64]) -> Result<(), StatusWord> {
        let header = ManifestHeader::decode(header).map_err(|_| StatusWord::WRONG_DATA)?;
        if header.entry_count > ENTRIES_MAX {
            return Err(StatusWord::WRONG_DATA);
        }
        let root_key = PublicKey(self.root_key()?);
        let signed = SignedHeader { header, signature: *signature };
        signed.verify(&root_key).map_err(|_| StatusWord::WRONG_PROOF)
    }

    #[inline(never)]
    fn keep_manifest(&mut self, header: &[u8]) -> Result<(), StatusWord> {
        let header = ManifestHeader::decode(header).map_err(|_| StatusWord::WRONG_DATA)?;
        let id = header.id().0;
        if let Some(held) = self.records.single::<_, ManifestRecord>()? {
            if held.id == id {
                return Ok(());
            }
            if header.sequence <= held.sequence {
                return Err(StatusWord::STALE);
            }
        }
        let mut batch = Batch::new();
        let (sequence, entries_root, entry_count) = (header.sequence, header.entries_root, header.entry_count);
        ManifestRecord { sequence, id, entries_root, entry_count }.put(&mut batch);
        let counters = self.counters()?;
        let time_floor = counters.time_floor.max(header.issued_at.seconds());
        CountersRecord { time_floor, ..counters }.put(&mut batch);
        // First: should the flash fail, it may hold the new manifest all the same.
        self.classes.clear();
        Ok(self.records.commit(&batch, 0, 0)?)
    }

    pub(super) fn counters(&mut self) -> Result<CountersRecord, StatusWord> {
        Ok(self.records.single()?.unwrap_or_default())
    }

    /// The entry that a proof leads to.
    pub(super) fn prove_entry(&mut self, proof: &EntryProof<'_>) -> Result<Entry, StatusWord> {
        let manifest: ManifestRecord = self.records.single()?.ok_or(StatusWord::WRONG_STATE)?;
        let leaf = merkle::leaf(proof.entry);
        let (position, count) = (proof.position as usize, manifest.entry_count as usize);
        if !merkle::verify(&manifest.entries_root, position, count, leaf, proof.path) {
            return Err(StatusWord::WRONG_PROOF);
        }
        Entry::decode(proof.entry).map_err(|_| StatusWord::WRONG_DATA)
    }
}
