//! Keys at rest: a key ring in one file, under a key that a passphrase gives by a function that costs memory.
//!
//! ```text
//! "specie-signer-01" ‖ KiB (u32) ‖ passes (u32) ‖ salt (16) ‖ nonce (24) ‖ XChaCha20-Poly1305(key ring) ‖ checksum (32)
//! ```
//!
//! The key is Argon2id(passphrase, salt); what stands before the nonce is authenticated with it. The checksum is no secret
//! and proves nothing: it tells a file that was damaged from a passphrase that is wrong.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use specie_bank::signer::KeyRing;
use specie_core::{hash, label};
use thiserror::Error;
use zeroize::Zeroizing;

/// What a vault begins with.
const MAGIC: &[u8; 16] = b"specie-signer-01";
/// Magic, cost and salt.
const HEADER: usize = 40;
/// Header, nonce, tag and checksum.
const LENGTH_MIN: usize = HEADER + 24 + 16 + 32;
/// Far more than the keys of any bank take.
const LENGTH_MAX: u64 = 1 << 20;

/// What a passphrase costs who tries it: the second recommendation of RFC 9106, on one thread.
const COST: Cost = Cost { kib: 64 * 1_024, passes: 3 };
/// No file may ask for more.
const COST_MAX: Cost = Cost { kib: 1 << 20, passes: 64 };

/// The file, and the key that opens it.
pub struct Vault {
    path: PathBuf,
    header: [u8; HEADER],
    key: Zeroizing<[u8; 32]>,
}

#[derive(Clone, Copy)]
struct Cost {
    kib: u32,
    passes: u32,
}

/// Why a vault does not open, or is not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VaultError {
    /// It cannot be read, or not be written.
    #[error("cannot use the keys in {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it.
    #[error("the keys in {} can be read by others; take their rights away (chmod 600)", .0.display())]
    Exposed(PathBuf),
    /// It is none, or not as it was written.
    #[error("{} is damaged, or holds no keys of a signer: restore it from its copy; the passphrase was not tried", .0.display())]
    Damaged(PathBuf),
    /// It is as it was written, and does not open.
    #[error("the passphrase does not open {}: it is another one (or somebody rewrote the file)", .0.display())]
    Passphrase(PathBuf),
}

impl Vault {
    /// Writes `ring` to a new file.
    ///
    /// # Errors
    /// When there is one already, or it cannot be written.
    pub fn create(path: &Path, passphrase: &[u8], ring: &KeyRing) -> Result<Self, VaultError> {
        let failed = |source| VaultError::File { path: path.into(), source };
        if path.exists() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let mut header = [0; HEADER];
        header[..16].copy_from_slice(MAGIC);
        header[16..20].copy_from_slice(&COST.kib.to_be_bytes());
        header[20..24].copy_from_slice(&COST.passes.to_be_bytes());
        random(&mut header[24..]).map_err(failed)?;
        let key = derive(passphrase, &header).ok_or_else(|| VaultError::Damaged(path.into()))?;
        let vault = Self { path: path.into(), header, key };
        vault.write(ring)?;
        Ok(vault)
    }

    /// Opens the file at `path`.
    ///
    /// # Errors
    /// When it is no vault, or the passphrase is another one's.
    pub fn open(path: &Path, passphrase: &[u8]) -> Result<(Self, KeyRing), VaultError> {
        let bytes = read_private(path)?;
        let damaged = || VaultError::Damaged(path.into());
        let header: [u8; HEADER] = *bytes.first_chunk().ok_or_else(damaged)?;
        check(&bytes).ok_or_else(damaged)?;
        let vault = Self { path: path.into(), header, key: derive(passphrase, &header).ok_or_else(damaged)? };
        let ring = vault.decrypt(&bytes)?;
        Ok((vault, ring))
    }

    /// The keys that are in the file by now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> Result<KeyRing, VaultError> {
        let bytes = read_private(&self.path)?;
        check(&bytes).ok_or_else(|| VaultError::Damaged(self.path.clone()))?;
        self.decrypt(&bytes)
    }

    /// Writes `ring`, whole or not at all, on disk before it returns.
    ///
    /// # Errors
    /// When it cannot be written; the file is as it was then.
    pub fn write(&self, ring: &KeyRing) -> Result<(), VaultError> {
        let failed = |source| VaultError::File { path: self.path.clone(), source };
        let mut nonce = [0; 24];
        random(&mut nonce).map_err(failed)?;
        let secrets = ring.expose_secret_bytes();
        let payload = Payload { msg: secrets.as_slice(), aad: &self.header };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).expect("far less than the cipher takes");
        let mut bytes = [self.header.as_slice(), &nonce, &sealed].concat();
        bytes.extend_from_slice(&checksum(&bytes));
        replace(&self.path, &bytes).map_err(failed)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.key).into())
    }

    /// What was checked to be whole.
    fn decrypt(&self, bytes: &[u8]) -> Result<KeyRing, VaultError> {
        let damaged = || VaultError::Damaged(self.path.clone());
        let (nonce, sealed) = bytes[HEADER..bytes.len() - 32].split_first_chunk::<24>().ok_or_else(damaged)?;
        let payload = Payload { msg: sealed, aad: &bytes[..HEADER] };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload);
        let opened = Zeroizing::new(opened.map_err(|_| VaultError::Passphrase(self.path.clone()))?);
        KeyRing::from_bytes(&opened).map_err(|_| damaged())
    }
}

fn check(bytes: &[u8]) -> Option<()> {
    let whole = bytes.len() >= LENGTH_MIN && bytes.starts_with(MAGIC);
    let (said, rest) = whole.then(|| bytes.split_last_chunk::<32>().map(|(rest, said)| (said, rest)))??;
    (*said == checksum(rest)).then_some(())
}

fn checksum(bytes: &[u8]) -> [u8; 32] {
    hash::h32(label::SIGNER_RECORD, &[b"vault", bytes])
}

/// `None` where the header asks for a cost that no vault has.
fn derive(passphrase: &[u8], header: &[u8; HEADER]) -> Option<Zeroizing<[u8; 32]>> {
    let number = |at: usize| Some(u32::from_be_bytes(*header[at..].first_chunk()?));
    let cost = Cost { kib: number(16)?, passes: number(20)? };
    if cost.kib > COST_MAX.kib || cost.passes > COST_MAX.passes {
        return None;
    }
    let params = Params::new(cost.kib, cost.passes, 1, Some(32)).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    let mut memory = Zeroizing::new(vec![Block::default(); params.block_count()]);
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into_with_memory(passphrase, &header[24..], key.as_mut_slice(), memory.as_mut_slice()).ok()?;
    Some(key)
}

fn random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(|_| io::Error::other("the system gives no randomness"))
}

fn read_private(path: &Path) -> Result<Vec<u8>, VaultError> {
    let failed = |source| VaultError::File { path: path.into(), source };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(VaultError::Exposed(path.into()));
    }
    let mut bytes = Vec::new();
    file.take(LENGTH_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use specie_bank::signer::Signer;
    use specie_core::signature::SigningKey;

    use super::*;

    #[test]
    fn a_vault_opens_with_its_passphrase_and_tells_another_one_from_damage() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        let key = SigningKey::from_seed(&[0x5a; 32]);
        let public = key.public();
        Vault::create(&path, b"right", &KeyRing::new(key)).unwrap();
        let (vault, ring) = Vault::open(&path, b"right").unwrap();
        assert_eq!(ring.ledger_key(), public);
        assert!(matches!(Vault::open(&path, b"wrong"), Err(VaultError::Passphrase(_))));
        assert!(Vault::create(&path, b"right", &ring).is_err(), "never written over");
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(8).any(|window| window == [0x5a; 8]), "keys in the clear");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert!(matches!(vault.read(), Err(VaultError::Damaged(_))), "byte {at}");
        }
        for length in [0, 40, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(matches!(Vault::open(&path, b"right"), Err(VaultError::Damaged(_))), "cut at {length}");
        }
        // Rewritten by somebody who knows how: the cost is authenticated, the checksum is not.
        let mut cheaper = bytes[..bytes.len() - 32].to_vec();
        cheaper[23] -= 1;
        cheaper.extend(checksum(&cheaper));
        std::fs::write(&path, &cheaper).unwrap();
        assert!(matches!(Vault::open(&path, b"right"), Err(VaultError::Passphrase(_))));
        vault.write(&ring).unwrap();
        assert!(Vault::open(&path, b"right").is_ok());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Vault::open(&path, b"right"), Err(VaultError::Exposed(_))));
    }
}
