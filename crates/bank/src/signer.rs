//! Keys that sign: issuing keys of classes and the ledger's own key, behind a trait so that they may live elsewhere
//! than the process that serves.

use std::collections::BTreeMap;

use specie_audit::{Head, SignedHead};
use specie_core::Timestamp;
use specie_core::bytes::ClassId;
use specie_core::encoding::Encode;
use specie_core::group::{Scalar, encode_point};
use specie_core::issuance::{IssuerSession, IssuingKey, Response};
use specie_core::revocation::{PAGE_LENGTH_MAX, RevocationBody};
use specie_core::signature::{PublicKey, SigningKey};
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

/// One batch to answer.
pub struct Answering<'a> {
    /// The batch.
    pub batch: &'a BatchKey,
    /// Class and secrets of each session.
    pub sessions: Vec<(ClassId, IssuerSession)>,
    /// A challenge for each.
    pub challenges: &'a [Scalar],
    /// Last moment at which the batch may be answered: until then, at least, a signer with a memory needs it.
    pub valid_until: Timestamp,
}

/// Holds the keys.
pub trait Signer: Send + Sync {
    /// The issuing key `Y` of a class, encoded, if the signer holds its secret half.
    fn issuing_key(&self, class: &ClassId) -> Option<[u8; 32]>;

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

impl Signer for KeyRing {
    fn issuing_key(&self, class: &ClassId) -> Option<[u8; 32]> {
        self.issuing.get(class).map(|key| encode_point(&key.public()))
    }

    fn answer(&self, answering: Answering<'_>) -> Result<Vec<Response>, SignerError> {
        let Answering { sessions, challenges, .. } = answering;
        if sessions.len() != challenges.len() {
            return Err(SignerError::Failed("not one challenge for each session".into()));
        }
        let answer = |((class, session), e): ((ClassId, IssuerSession), &Scalar)| {
            let key = self.issuing.get(&class).ok_or(SignerError::NoKey(class))?;
            Ok(session.answer(key, e))
        };
        sessions.into_iter().zip(challenges).map(answer).collect()
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

    use super::*;

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
