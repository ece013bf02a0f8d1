//! The recovery code of a device, and what it opens: backups that the PSP keeps and cannot read (§8.1).

use std::io;
use std::path::Path;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use specie_core::code::Code;
use specie_core::signature::PublicKey;
use specie_core::{hash, label};
use zeroize::Zeroizing;

use crate::durable::{self, Access};

/// 30 digits, 150 bits: what the owner of a device writes down and keeps away from it.
pub type RecoveryCode = Code<30>;

/// Bytes that sealing adds: nonce, and tag.
const SEAL_LENGTH: usize = 24 + 16;

/// The shortest sealed backup, in bytes. All lengths are this times a power of two, so that they tell little of how much there is.
const SEALED_LENGTH_MIN: usize = 16 << 10;

/// The longest sealed backup, in bytes.
pub const SEALED_LENGTH_MAX: usize = specie_api::psp::BACKUP_LENGTH_MAX;

/// Marks the end of what was padded.
const END: u8 = 0x80;

/// The key that seals a device's backups. The device has this, and not the code.
pub struct RecoveryKey(Zeroizing<[u8; 32]>);

impl RecoveryKey {
    /// `H32("specie/v1/recovery-key", code)`.
    pub fn of(code: &RecoveryCode) -> Self {
        Self(Zeroizing::new(hash::h32(label::RECOVERY_KEY, &[code.expose_secret_digits()])))
    }

    /// The key in a file, if there is one.
    ///
    /// # Errors
    /// The file cannot be read, or is none of this program's.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let bytes = Zeroizing::new(durable::read_at_most(file, 32)?);
        let key = <[u8; 32]>::try_from(&bytes[..]);
        let key = key.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "this is no key of 32 bytes"))?;
        Ok(Some(Self(Zeroizing::new(key))))
    }

    /// Writes the key to a file that only its owner may read.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        durable::replace(path, &self.0[..], Access::Owner)
    }

    /// Seals the backup of `device` with a nonce of 24 random bytes; `None` where it is longer than a PSP keeps.
    pub fn seal(&self, device: &PublicKey, backup: &[u8], nonce: &[u8; 24]) -> Option<Vec<u8>> {
        let length = (backup.len() + 1 + SEAL_LENGTH).next_power_of_two().max(SEALED_LENGTH_MIN);
        if length > SEALED_LENGTH_MAX {
            return None;
        }
        let mut padded = Zeroizing::new(Vec::with_capacity(length - SEAL_LENGTH));
        padded.extend_from_slice(backup);
        padded.push(END);
        padded.resize(length - SEAL_LENGTH, 0);
        let payload = Payload { msg: &padded, aad: &device.0 };
        let sealed = self.cipher().encrypt(&XNonce::from(*nonce), payload).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// Opens what [`RecoveryKey::seal`] made for this device with this key; `None` for anything else.
    pub fn open(&self, device: &PublicKey, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
        let payload = Payload { msg: sealed, aad: &device.0 };
        let mut backup = Zeroizing::new(self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?);
        let end = backup.iter().rposition(|byte| *byte != 0).filter(|end| backup[*end] == END)?;
        backup.truncate(end);
        Some(backup)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: PublicKey = PublicKey([7; 32]);

    fn key(byte: u8) -> RecoveryKey {
        RecoveryKey::of(&RecoveryCode::from_seed(&[byte; 32]))
    }

    #[test]
    fn the_code_opens_what_its_key_sealed_and_nothing_else_does() {
        let backup = b"what it held\0\x80\0";
        let sealed = key(1).seal(&DEVICE, backup, &[3; 24]).unwrap();
        assert_eq!(key(1).open(&DEVICE, &sealed).unwrap().as_slice(), backup);
        assert!(key(2).open(&DEVICE, &sealed).is_none(), "another code");
        assert!(key(1).open(&PublicKey([8; 32]), &sealed).is_none(), "another device");
        for at in [0, 23, 24, sealed.len() / 2, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key(1).open(&DEVICE, &changed).is_none(), "byte {at}");
        }
        assert!(key(1).open(&DEVICE, &sealed[..sealed.len() - 1]).is_none() && key(1).open(&DEVICE, b"").is_none());
    }

    #[test]
    fn lengths_tell_only_their_bucket() {
        let sealed = |length: usize| key(1).seal(&DEVICE, &vec![1; length], &[0; 24]).map(|sealed| sealed.len());
        let smallest = SEALED_LENGTH_MIN - SEAL_LENGTH - 1;
        assert_eq!((sealed(0), sealed(smallest)), (Some(SEALED_LENGTH_MIN), Some(SEALED_LENGTH_MIN)));
        assert_eq!(sealed(smallest + 1), Some(2 * SEALED_LENGTH_MIN));
        assert_eq!(sealed(SEALED_LENGTH_MAX - SEAL_LENGTH - 1), Some(SEALED_LENGTH_MAX));
        assert_eq!(sealed(SEALED_LENGTH_MAX - SEAL_LENGTH), None);
    }

    #[test]
    fn the_key_is_kept_from_others() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recovery.key");
        assert!(RecoveryKey::read(&path).unwrap().is_none());
        key(1).write(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(RecoveryKey::read(&path).unwrap().unwrap().0, key(1).0);
        for wrong in [&[1; 31][..], &[1; 33]] {
            std::fs::write(&path, wrong).unwrap();
            assert!(RecoveryKey::read(&path).is_err());
        }
    }
}
