//! Keys that sign: issuing keys of classes and the ledger's own key, behind a trait so that they may live elsewhere
//! than the process that serves.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use specie_audit::{Head, SignedHead};
use specie_core::bytes::ClassId;
use specie_core::class::{Class, Info};
use specie_core::encoding::{Decode, DecodeError, Encode};
use specie_core::group::{Generators, RistrettoPoint, Scalar, encode_point};
use specie_core::issuance::{Commitment, IssuerSession, IssuingKey, Response};
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
    /// By its own clock the class is not issued.
    #[error("by the signer's clock class {0} is not issued: nothing was signed; compare the clocks of bank and signer")]
    NotIssued(ClassId),
    /// By its own clock the batch is over.
    #[error("by the signer's clock the batch is over: nothing was signed; compare the clocks of bank and signer")]
    Expired,
    /// More notes of a class than it is allowed to sign.
    #[error("the signer signs no more notes of class {class}: {limit} is reached; nothing was signed")]
    Limit {
        /// Which class.
        class: ClassId,
        /// Which limit.
        limit: String,
    },
    /// It cannot be reached. What it did, it does not do otherwise when it is asked again.
    #[error("the signer cannot be reached: {0}")]
    Unreachable(String),
    /// It refuses what it was asked, or cannot keep its own record.
    #[error("the signer failed: {0}")]
    Failed(String),
}

/// Secrets of a session as they lie outside the signer. Without the signer they are nothing: with the answer that is
/// given later, `κ` in the clear would give the issuing key to whoever reads an old copy of the database or of its log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed(pub Vec<u8>);

/// What a session is made and sealed for: opened for anything else it is refused.
#[derive(Clone, Copy)]
struct SealedFor<'a> {
    batch: &'a BatchKey,
    index: u32,
    class: ClassId,
    valid_until: Timestamp,
}

/// The sessions to make of one batch (W2).
#[derive(Clone, Copy)]
pub struct Committing<'a> {
    /// The batch.
    pub batch: &'a BatchKey,
    /// `U` of the device.
    pub device: &'a RistrettoPoint,
    /// Class of each session.
    pub classes: &'a [ClassId],
    /// Last moment at which the batch may be answered.
    pub valid_until: Timestamp,
}

/// One batch to answer.
pub struct Answering<'a> {
    /// The batch.
    pub batch: &'a BatchKey,
    /// Class and sealed secrets of each session.
    pub sessions: Vec<(ClassId, Sealed)>,
    /// A challenge for each.
    pub challenges: &'a [Scalar],
    /// Last moment at which the batch may be answered, as when it was committed to: until then, at least, a signer with a
    /// memory needs it.
    pub valid_until: Timestamp,
}

/// Holds the keys.
pub trait Signer: Send + Sync {
    /// The issuing key `Y` of a class, encoded, if the signer holds its secret half.
    ///
    /// # Errors
    /// When the signer cannot be reached.
    fn issuing_key(&self, class: &ClassId) -> Result<Option<[u8; 32]>, SignerError>;

    /// W2 for every session of a batch: its commitment, and its secrets, which leave the signer sealed only. The same again
    /// gives the same: the secrets follow from a key of the signer's and from all that the session is for.
    ///
    /// # Errors
    /// When a key is missing, or the signer does not sign this class now.
    fn commit(&self, committing: &Committing<'_>) -> Result<Vec<(Commitment, Sealed)>, SignerError>;

    /// W4 for every session of a batch. Two answers for different challenges give the key away: whoever calls this has
    /// a storage that answers once; a signer with a memory of its own is a second line.
    ///
    /// # Errors
    /// When a key is missing, or the signer knows better.
    fn answer(&self, answering: &Answering<'_>) -> Result<Vec<Response>, SignerError>;

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
    issuing: BTreeMap<ClassId, (Class, IssuingKey)>,
    generators: Generators,
}

/// Bytes are no key ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("these are no keys of a bank, or they are damaged")]
pub struct NoKeyRing;

/// What a key ring begins with.
const MAGIC: &[u8; 16] = b"specie-bank-ring";

impl KeyRing {
    /// A ring with the ledger's key alone.
    pub fn new(ledger: SigningKey) -> Self {
        Self { ledger, issuing: BTreeMap::new(), generators: Generators::new() }
    }

    /// Makes classes with their issuing keys, from 32 secret random bytes that are used for nothing else.
    ///
    /// # Errors
    /// When an `info` contradicts itself; nothing is made then.
    pub fn make(&mut self, infos: &[Info], seed: &[u8; 32]) -> Result<Vec<Class>, DecodeError> {
        let made = (0_u32..).zip(infos).map(|(index, info)| {
            let own = Zeroizing::new(hash::h32(label::ISSUING_KEY, &[seed, &index.to_be_bytes()]));
            let key = IssuingKey::derive(&own);
            Ok((Class::new(key.public(), *info)?, key))
        });
        let made = made.collect::<Result<Vec<_>, DecodeError>>()?;
        let classes = made.iter().map(|(class, _)| class.clone()).collect();
        made.into_iter().for_each(|(class, key)| drop(self.issuing.insert(class.id(), (class, key))));
        Ok(classes)
    }

    /// The class of that name, if the ring has its issuing key.
    pub fn class(&self, id: &ClassId) -> Option<&Class> {
        self.issuing.get(id).map(|(class, _)| class)
    }

    /// All classes whose issuing keys the ring has.
    pub fn classes(&self) -> impl Iterator<Item = &Class> {
        self.issuing.values().map(|(class, _)| class)
    }

    /// Drops, and zeroises, the keys of all classes but those that `keep` accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(&Class) -> bool) {
        self.issuing.retain(|_, (class, _)| keep(class));
    }

    /// For the signer's own key store.
    pub fn expose_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let infos: usize = self.classes().map(|class| 33 + class.info_bytes().len()).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(48 + infos));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&*Zeroizing::new(self.ledger.expose_secret_seed()));
        for (class, key) in self.issuing.values() {
            let info = class.info_bytes();
            bytes.push(u8::try_from(info.len()).expect("an info has at most 88 bytes"));
            bytes.extend_from_slice(info);
            bytes.extend_from_slice(&*Zeroizing::new(key.expose_secret_bytes()));
        }
        bytes
    }

    /// From the signer's own key store.
    ///
    /// # Errors
    /// When the bytes are not what [`KeyRing::expose_secret_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NoKeyRing> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(NoKeyRing)?;
        let (ledger, mut rest) = rest.split_first_chunk::<32>().ok_or(NoKeyRing)?;
        let mut ring = Self::new(SigningKey::from_seed(ledger));
        while let Some((length, after)) = rest.split_first() {
            let (info, after) = after.split_at_checked(usize::from(*length)).ok_or(NoKeyRing)?;
            let (key, after) = after.split_first_chunk::<32>().ok_or(NoKeyRing)?;
            let key = IssuingKey::from_bytes(key).map_err(|_| NoKeyRing)?;
            let info = Info::decode(info).map_err(|_| NoKeyRing)?;
            let class = Class::new(key.public(), info).map_err(|_| NoKeyRing)?;
            ring.issuing.insert(class.id(), (class, key));
            rest = after;
        }
        Ok(ring)
    }
}

impl KeyRing {
    /// The cipher that seals sessions, by a key that follows from the ledger's.
    fn sealing(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.secret(b"seal", &[])).into())
    }

    /// A secret of this signer's for `purpose` and `parts`.
    fn secret(&self, purpose: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let seed = Zeroizing::new(self.ledger.expose_secret_seed());
        let all: Vec<&[u8]> = [purpose, seed.as_slice()].into_iter().chain(parts.iter().copied()).collect();
        Zeroizing::new(hash::h32(label::BANK_SESSION, &all))
    }

    /// W2 for one session. What it draws is drawn from all that the session is for, so that no two sessions share it.
    fn commit_one(&self, class: &Class, device: &RistrettoPoint, sealed_for: SealedFor<'_>) -> (Commitment, Sealed) {
        let parts = (sealed_for.to_bytes(), encode_point(device));
        let seed = self.secret(b"session", &[&parts.0, &parts.1]);
        let nonce = self.secret(b"nonce", &[&parts.0, &parts.1]);
        let (session, commitment) = IssuerSession::commit(&self.generators, class, device, &seed);
        (commitment, self.seal(&session, sealed_for, nonce.first_chunk().expect("32 bytes have 24")))
    }

    /// Seals the secrets of a session until it is answered. `nonce` is used for nothing else, ever.
    fn seal(&self, session: &IssuerSession, sealed_for: SealedFor<'_>, nonce: &[u8; 24]) -> Sealed {
        let secrets = Zeroizing::new(session.expose_secret_bytes());
        let payload = Payload { msg: secrets.as_slice(), aad: &sealed_for.to_bytes() };
        let sealed = self.sealing().encrypt(&XNonce::from(*nonce), payload).expect("128 bytes are not too many");
        Sealed([nonce.as_slice(), &sealed].concat())
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
        let (index, valid_until) = (self.index.to_be_bytes(), self.valid_until.seconds().to_be_bytes());
        let psp = self.batch.psp.as_str().as_bytes();
        let parts: [&[u8]; 5] = [&self.class.0, &index, &valid_until, &self.batch.id, psp];
        parts.concat()
    }
}

impl Signer for KeyRing {
    fn issuing_key(&self, class: &ClassId) -> Result<Option<[u8; 32]>, SignerError> {
        Ok(self.class(class).map(|class| *class.Y_bytes()))
    }

    /// On all cores.
    fn commit(&self, committing: &Committing<'_>) -> Result<Vec<(Commitment, Sealed)>, SignerError> {
        let Committing { batch, device, classes, valid_until } = *committing;
        let class = |id: &ClassId| self.class(id).ok_or(SignerError::NoKey(*id));
        let classes = (0_u32..).zip(classes).map(|(index, id)| Ok((index, class(id)?)));
        let classes = classes.collect::<Result<Vec<_>, SignerError>>()?;
        let one = |&(index, class): &(u32, &Class)| {
            self.commit_one(class, device, SealedFor { batch, index, class: class.id(), valid_until })
        };
        let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let share = classes.len().div_ceil(workers.get()).max(1);
        Ok(std::thread::scope(|scope| {
            let shares = classes.chunks(share).map(|share| scope.spawn(move || share.iter().map(one).collect()));
            let shares: Vec<std::thread::ScopedJoinHandle<'_, Vec<_>>> = shares.collect();
            shares.into_iter().flat_map(|share| share.join().expect("making commitments does not panic")).collect()
        }))
    }

    fn answer(&self, answering: &Answering<'_>) -> Result<Vec<Response>, SignerError> {
        let Answering { batch, sessions, challenges, valid_until } = answering;
        if sessions.len() != challenges.len() {
            return Err(SignerError::Failed("not one challenge for each session".into()));
        }
        let answer = |((index, (class, sealed)), e): ((u32, &(ClassId, Sealed)), &Scalar)| {
            let (_, key) = self.issuing.get(class).ok_or(SignerError::NoKey(*class))?;
            let sealed_for = SealedFor { batch, index, class: *class, valid_until: *valid_until };
            Ok(self.open(sealed, sealed_for)?.answer(key, e))
        };
        (0..).zip(sessions).zip(*challenges).map(answer).collect()
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

    use specie_core::Amount;
    use specie_core::class::Kind;
    use specie_core::text::{Currency, Name};

    use super::*;

    fn info(minor: u64) -> Info {
        Info {
            issuer: Name::new("central-bank").unwrap(),
            currency: Currency::new("XTS").unwrap(),
            kind: Kind::Value,
            amount: Amount::new(minor).unwrap(),
            epoch: 1,
            issue_from: Timestamp::EPOCH,
            spend_until: Timestamp::new(10).unwrap(),
            redeem_until: Timestamp::new(20).unwrap(),
            max_hops: 4,
        }
    }

    #[test]
    fn a_sealed_session_is_opened_by_its_signer_for_its_batch_only() {
        let ring = KeyRing::new(SigningKey::from_seed(&[1; 32]));
        let bytes: [u8; 128] = core::array::from_fn(|i| if i % 32 == 31 { 0 } else { 7 });
        let session = IssuerSession::from_bytes(&bytes).unwrap();
        let batch = BatchKey { psp: Name::new("alpha").unwrap(), id: [3; 16] };
        let sealed_for = SealedFor { batch: &batch, index: 4, class: ClassId([5; 16]), valid_until: Timestamp::EPOCH };
        let sealed = ring.seal(&session, sealed_for, &[6; 24]);
        assert!(sealed.0.windows(8).all(|window| !bytes.windows(8).any(|secret| secret == window)));
        assert_eq!(ring.open(&sealed, sealed_for).unwrap().expose_secret_bytes(), bytes);
        let other_batch = BatchKey { id: [4; 16], ..batch };
        for wrong in [
            SealedFor { index: 5, ..sealed_for },
            SealedFor { class: ClassId([6; 16]), ..sealed_for },
            SealedFor { batch: &other_batch, ..sealed_for },
            SealedFor { valid_until: Timestamp::new(1).unwrap(), ..sealed_for },
        ] {
            assert!(ring.open(&sealed, wrong).is_err());
        }
        assert!(KeyRing::new(SigningKey::from_seed(&[2; 32])).open(&sealed, sealed_for).is_err());
        for cut in [0, 23, 24, sealed.0.len() - 1] {
            assert!(ring.open(&Sealed(sealed.0[..cut].to_vec()), sealed_for).is_err());
        }
    }

    /// Two sessions that shared `κ` would give the key away when both are answered.
    #[test]
    fn sessions_of_other_batches_share_nothing_and_the_same_batch_gets_the_same() {
        let mut ring = KeyRing::new(SigningKey::from_seed(&[1; 32]));
        let classes = ring.make(&[info(10), info(20)], &[2; 32]).unwrap();
        let batch = BatchKey { psp: Name::new("alpha").unwrap(), id: [3; 16] };
        let other_batch = BatchKey { id: [4; 16], ..batch };
        let (one, two) = (RistrettoPoint::mul_base(&Scalar::ONE), RistrettoPoint::mul_base(&Scalar::from(2_u8)));
        let (early, late) = (Timestamp::EPOCH, Timestamp::new(1).unwrap());
        let commit = |ring: &KeyRing, batch, device, class: usize, valid_until| {
            let classes = [classes[class].id(), classes[class].id()];
            ring.commit(&Committing { batch, device, classes: &classes, valid_until }).unwrap()
        };
        let first = commit(&ring, &batch, &one, 0, early);
        let stored = KeyRing::from_bytes(&ring.expose_secret_bytes()).unwrap();
        assert!(commit(&stored, &batch, &one, 0, early) == first);
        let others = [
            commit(&ring, &other_batch, &one, 0, early),
            commit(&ring, &batch, &two, 0, early),
            commit(&ring, &batch, &one, 1, early),
            commit(&ring, &batch, &one, 0, late),
        ];
        let all: Vec<_> = first.iter().chain(others.iter().flatten()).map(|(one, sealed)| (one.a, &sealed.0)).collect();
        for (i, one) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other.0 != one.0 && other.1[..24] != one.1[..24]), "session {i}");
        }
    }

    #[test]
    fn a_key_ring_survives_its_store() {
        let mut ring = KeyRing::new(SigningKey::from_seed(&[1; 32]));
        let class = ring.make(&[info(10)], &[2; 32]).unwrap()[0].id();
        let bytes = ring.expose_secret_bytes();
        let again = KeyRing::from_bytes(&bytes).unwrap();
        assert_eq!(again.ledger_key(), ring.ledger_key());
        assert_eq!(again.issuing_key(&class).unwrap(), ring.issuing_key(&class).unwrap());
        assert!(again.issuing_key(&ClassId([8; 16])).unwrap().is_none());
        for wrong in [&bytes[..bytes.len() - 1], &bytes[1..], &bytes[..40], &[][..]] {
            assert!(KeyRing::from_bytes(wrong).is_err());
        }
        assert!(KeyRing::from_bytes(&bytes[..48]).is_ok());
    }
}
