//! Keys that sign: issuing keys of classes and the ledger's own key, behind a trait so that they may live elsewhere
//! than the process that serves.

use std::collections::BTreeMap;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use specie_audit::{Head, SignedHead};
use specie_core::bytes::ClassId;
use specie_core::encoding::Encode;
use specie_core::group::{Scalar, encode_point};
use specie_core::issuance::{IssuerSession, IssuingKey, Response};
use specie_core::revocation::{PAGE_LENGTH_MAX, RevocationBody};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::{Timestamp, hash, label};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::issuance::BatchKey;

/// Why a signer did not sign.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SignerError {
    /// It has no key for this class.
    #[error("the signer has no key for class {0}: give it the keys of this epoch")]
    NoKey(ClassId),
    /// It answered the batch for other challenges before: the storage was set back, or lies.
    #[error("the signer answered this batch for other challenges before: was the storage restored from a backup?")]
    OtherChallenges,
    /// It cannot be reached, or cannot keep its own record.
    #[error("the signer failed: {0}")]
    Failed(String),
}

/// Secrets of a session as they lie outside the signer. Without the signer they are nothing: with the answer that is
/// given later, `κ` in the clear would give the issuing key to whoever reads an old copy of the database or of its log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed(pub Vec<u8>);

/// What a session is sealed for: opened for anything else it is refused.
#[derive(Clone, Copy, Debug)]
pub struct SealedFor<'a> {
    /// The batch.
    pub batch: &'a BatchKey,
    /// Position of the session in it.
    pub index: u32,
    /// Its class.
    pub class: ClassId,
}

/// One batch to answer.
pub struct Answering<'a> {
    /// The batch.
    pub batch: &'a BatchKey,
    /// Class and sealed secrets of each session.
    pub sessions: Vec<(ClassId, Sealed)>,
    /// A challenge for each.
    pub challenges: &'a [Scalar],
    /// Last moment at which the batch may be answered: until then, at least, a signer with a memory needs it.
    pub valid_until: Timestamp,
}

/// Holds the keys.
pub trait Signer: Send + Sync {
    /// The issuing key `Y` of a class, encoded, if the signer holds its secret half.
    fn issuing_key(&self, class: &ClassId) -> Option<[u8; 32]>;

    /// Seals the secrets of a session until it is answered. `nonce` is used for nothing else, ever.
    fn seal(&self, session: &IssuerSession, sealed_for: SealedFor<'_>, nonce: &[u8; 24]) -> Sealed;

    /// W4 for every session of a batch. Two answers for different challenges give the key away: whoever calls this has
    /// a storage that answers once; a signer with a memory of its own is a second line.
    ///
    /// # Errors
    /// When a key is missing, or the signer knows better.
    fn answer(&self, answering: Answering<'_>) -> Result<Vec<Response>, SignerError>;

    /// The key that verifies the revocation list.
    fn ledger_key(&self) -> PublicKey;

    /// A signed page of the revocation list, encoded.
    ///
    /// # Errors
    /// When the signer cannot be reached.
    fn sign_revocations(&self, body: RevocationBody<'_>) -> Result<Vec<u8>, SignerError>;

    /// A head of the audit log, signed by the ledger's key.
    ///
    /// # Errors
    /// When the signer cannot be reached.
    fn sign_audit_head(&self, head: Head) -> Result<SignedHead, SignerError>;
}

/// Keys in memory.
pub struct KeyRing {
    ledger: SigningKey,
    issuing: BTreeMap<ClassId, IssuingKey>,
}

/// Bytes are no key ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("these are no keys of a bank, or they are damaged")]
pub struct NoKeyRing;

/// What a key ring begins with.
const MAGIC: &[u8; 16] = b"specie-bank-keys";

impl KeyRing {
    /// A ring with the ledger's key alone.
    pub fn new(ledger: SigningKey) -> Self {
        Self { ledger, issuing: BTreeMap::new() }
    }

    /// Adds the issuing key of a class.
    pub fn insert(&mut self, class: ClassId, key: IssuingKey) {
        self.issuing.insert(class, key);
    }

    /// Drops, and zeroises, the keys of all classes but those that `keep` names.
    pub fn retain(&mut self, mut keep: impl FnMut(&ClassId) -> bool) {
        self.issuing.retain(|class, _| keep(class));
    }

    /// For the bank's own key store.
    pub fn expose_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(48 + self.issuing.len() * 48));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&*Zeroizing::new(self.ledger.expose_secret_seed()));
        for (class, key) in &self.issuing {
            bytes.extend_from_slice(&class.0);
            bytes.extend_from_slice(&*Zeroizing::new(key.expose_secret_bytes()));
        }
        bytes
    }

    /// From the bank's own key store.
    ///
    /// # Errors
    /// When the bytes are not what [`KeyRing::expose_secret_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NoKeyRing> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(NoKeyRing)?;
        let (ledger, keys) = rest.split_first_chunk::<32>().ok_or(NoKeyRing)?;
        let mut ring = Self::new(SigningKey::from_seed(ledger));
        let keys = keys.chunks(48).map(|chunk| {
            let (class, key) = chunk.split_first_chunk::<16>()?;
            let key = IssuingKey::from_bytes(key.try_into().ok()?).ok()?;
            Some((ClassId(*class), key))
        });
        for key in keys {
            let (class, key) = key.ok_or(NoKeyRing)?;
            ring.insert(class, key);
        }
        Ok(ring)
    }
}

impl KeyRing {
    /// The cipher that seals sessions, by a key that follows from the ledger's.
    fn sealing(&self) -> XChaCha20Poly1305 {
        let seed = Zeroizing::new(self.ledger.expose_secret_seed());
        let key = Zeroizing::new(hash::h32(label::BANK_SESSION, &[b"seal", seed.as_slice()]));
        XChaCha20Poly1305::new(&(*key).into())
    }

    fn open(&self, sealed: &Sealed, sealed_for: SealedFor<'_>) -> Result<IssuerSession, SignerError> {
        let other = || SignerError::Failed("a session was sealed by another signer, or for another batch".into());
        let (nonce, sealed) = sealed.0.split_first_chunk::<24>().ok_or_else(other)?;
        let payload = Payload { msg: sealed, aad: &sealed_for.to_bytes() };
        let opened = self.sealing().decrypt(&XNonce::from(*nonce), payload).map_err(|_| other())?;
        let opened = Zeroizing::new(opened);
        let secrets: &[u8; 128] = opened.as_slice().try_into().map_err(|_| other())?;
        IssuerSession::from_bytes(secrets).map_err(|_| other())
    }
}

impl SealedFor<'_> {
    /// Each part of one length, but for the last.
    fn to_bytes(self) -> Vec<u8> {
        let parts: [&[u8]; 4] =
            [&self.class.0, &self.index.to_be_bytes(), &self.batch.id, self.batch.psp.as_str().as_bytes()];
        parts.concat()
    }
}

impl Signer for KeyRing {
    fn issuing_key(&self, class: &ClassId) -> Option<[u8; 32]> {
        self.issuing.get(class).map(|key| encode_point(&key.public()))
    }

    fn seal(&self, session: &IssuerSession, sealed_for: SealedFor<'_>, nonce: &[u8; 24]) -> Sealed {
        let secrets = Zeroizing::new(session.expose_secret_bytes());
        let payload = Payload { msg: secrets.as_slice(), aad: &sealed_for.to_bytes() };
        let sealed = self.sealing().encrypt(&XNonce::from(*nonce), payload).expect("128 bytes are not too many");
        Sealed([nonce.as_slice(), &sealed].concat())
    }

    fn answer(&self, answering: Answering<'_>) -> Result<Vec<Response>, SignerError> {
        let Answering { batch, sessions, challenges, .. } = answering;
        if sessions.len() != challenges.len() {
            return Err(SignerError::Failed("not one challenge for each session".into()));
        }
        let answer = |((index, (class, sealed)), e): ((u32, (ClassId, Sealed)), &Scalar)| {
            let key = self.issuing.get(&class).ok_or(SignerError::NoKey(class))?;
            Ok(self.open(&sealed, SealedFor { batch, index, class })?.answer(key, e))
        };
        (0..).zip(sessions).zip(challenges).map(answer).collect()
    }

    fn ledger_key(&self) -> PublicKey {
        self.ledger.public()
    }

    fn sign_revocations(&self, body: RevocationBody<'_>) -> Result<Vec<u8>, SignerError> {
        let mut buffer = [0; PAGE_LENGTH_MAX];
        let signed = body.sign(&self.ledger, &mut buffer).map_err(|error| SignerError::Failed(error.to_string()))?;
        Ok(signed.to_vec())
    }

    fn sign_audit_head(&self, head: Head) -> Result<SignedHead, SignerError> {
        Ok(head.sign(&self.ledger))
    }
}

impl Drop for KeyRing {
    /// Issuing keys zeroise themselves.
    fn drop(&mut self) {
        self.ledger.zeroize();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use specie_core::text::Name;

    use super::*;

    #[test]
    fn a_sealed_session_is_opened_by_its_signer_for_its_batch_only() {
        let ring = KeyRing::new(SigningKey::from_seed(&[1; 32]));
        let bytes: [u8; 128] = core::array::from_fn(|i| if i % 32 == 31 { 0 } else { 7 });
        let session = IssuerSession::from_bytes(&bytes).unwrap();
        let batch = BatchKey { psp: Name::new("alpha").unwrap(), id: [3; 16] };
        let sealed_for = SealedFor { batch: &batch, index: 4, class: ClassId([5; 16]) };
        let sealed = ring.seal(&session, sealed_for, &[6; 24]);
        assert!(sealed.0.windows(8).all(|window| !bytes.windows(8).any(|secret| secret == window)));
        assert_eq!(ring.open(&sealed, sealed_for).unwrap().expose_secret_bytes(), bytes);
        let other_batch = BatchKey { id: [4; 16], ..batch };
        for wrong in [
            SealedFor { index: 5, ..sealed_for },
            SealedFor { class: ClassId([6; 16]), ..sealed_for },
            SealedFor { batch: &other_batch, ..sealed_for },
        ] {
            assert!(ring.open(&sealed, wrong).is_err());
        }
        assert!(KeyRing::new(SigningKey::from_seed(&[2; 32])).open(&sealed, sealed_for).is_err());
        for cut in [0, 23, 24, sealed.0.len() - 1] {
            assert!(ring.open(&Sealed(sealed.0[..cut].to_vec()), sealed_for).is_err());
        }
    }

    #[test]
    fn a_key_ring_survives_its_store() {
        let mut ring = KeyRing::new(SigningKey::from_seed(&[1; 32]));
        let class = ClassId([7; 16]);
        ring.insert(class, IssuingKey::derive(&[2; 32]));
        let bytes = ring.expose_secret_bytes();
        let again = KeyRing::from_bytes(&bytes).unwrap();
        assert_eq!(again.ledger_key(), ring.ledger_key());
        assert_eq!(again.issuing_key(&class), ring.issuing_key(&class));
        assert!(again.issuing_key(&ClassId([8; 16])).is_none());
        for wrong in [&bytes[..bytes.len() - 1], &bytes[1..], &bytes[..40], &[][..]] {
            assert!(KeyRing::from_bytes(wrong).is_err());
        }
        assert!(KeyRing::from_bytes(&bytes[..48]).is_ok());
    }
}
