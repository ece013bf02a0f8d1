//! Certificates: the root key says in a manifest whose key signs a log, and an export shows that one entry of it.

use specie_core::encoding::{Decode, Encode};
use specie_core::manifest::{Entry, Manifest, SignedHeader};
use specie_core::merkle;
use specie_core::signature::PublicKey;

use crate::head::{LogName, bank_log, psp_log};

/// One entry of a manifest with what shows that the root key signed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// The manifest's header.
    pub header: SignedHeader,
    /// The entry, encoded.
    pub entry: Vec<u8>,
    /// Which entry it is, from 0.
    pub index: u32,
    /// From the entry up to the header's root.
    pub path: Vec<[u8; 32]>,
}

impl Certificate {
    /// That of whoever keeps `log`, out of an encoded manifest; `None` where the manifest has none for it.
    pub fn of(log: &LogName, key: &PublicKey, manifest: &[u8]) -> Option<Self> {
        let manifest = Manifest::decode(manifest).ok()?;
        let issuer = bank_log(&manifest.signed.header.issuer);
        let of_log = |entry: &Entry| key_for(log, &issuer, entry) == Some(*key);
        let (index, (_, bytes)) = manifest.entries().enumerate().find(|(_, (entry, _))| of_log(entry))?;
        let mut path = [[0; 32]; merkle::PATH_LENGTH_MAX];
        let length = manifest.entry_path(index, &mut path)?;
        let index = u32::try_from(index).ok()?;
        Some(Self { header: manifest.signed, entry: bytes.to_vec(), index, path: path[..length].to_vec() })
    }

    /// The key that signs `log`, if `root` says so.
    pub fn key_of(&self, log: &LogName, root: &PublicKey) -> Option<PublicKey> {
        self.header.verify(root).ok()?;
        let header = &self.header.header;
        let (index, count) = (usize::try_from(self.index).ok()?, usize::try_from(header.entry_count).ok()?);
        let leaf = merkle::leaf(&self.entry);
        if index >= count || !merkle::verify(&header.entries_root, index, count, leaf, &self.path) {
            return None;
        }
        key_for(log, &bank_log(&header.issuer), &Entry::decode(&self.entry).ok()?)
    }

    /// The header as it is encoded.
    pub(crate) fn header_bytes(&self) -> Vec<u8> {
        self.header.header.to_vec()
    }
}

/// The key in `entry`, where it is that of whoever keeps `log`.
fn key_for(log: &LogName, issuer: &LogName, entry: &Entry) -> Option<PublicKey> {
    match entry {
        Entry::Ledger { key } if log == issuer => Some(*key),
        Entry::Psp { name, key } if *log == psp_log(name) => Some(*key),
        _ => None,
    }
}
