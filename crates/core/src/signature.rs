//! Ed25519 signatures over one 32-byte hash (§2): what banks, PSPs, makers and elements sign besides notes.

use core::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign, raw_verify};
use sha2::Digest;
use zeroize::Zeroize;

use crate::hash::{self, Sha512};

/// Length of a signature.
pub const SIGNATURE_LENGTH: usize = 64;

/// An Ed25519 key that signs.
#[derive(Clone)]
pub struct SigningKey {
    seed: [u8; 32],
    /// Always that of the seed: a signature with another one would give the key away.
    public: VerifyingKey,
}

/// An Ed25519 key that verifies, as published.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// A signature does not verify.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadSignature;

impl SigningKey {
    /// The key of these 32 secret random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { seed: *seed, public: VerifyingKey::from(&expand(seed)) }
    }

    /// For the owner's own key store. The caller zeroises the copy.
    pub fn expose_secret_seed(&self) -> [u8; 32] {
        self.seed
    }

    /// The key that verifies.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.public.to_bytes())
    }

    /// Signs `H32(label, parts…)`.
    pub fn sign(&self, label: &str, parts: &[&[u8]]) -> [u8; SIGNATURE_LENGTH] {
        self.sign_bytes(&digest(label, parts))
    }

    /// Signs `message` itself, as COSE wants it. It must not be 32 bytes long: it could be the hash of something else.
    pub(crate) fn sign_raw(&self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        debug_assert_ne!(message.len(), 32);
        self.sign_bytes(message)
    }

    fn sign_bytes(&self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        raw_sign::<Sha512>(&expand(&self.seed), message, &self.public).to_bytes()
    }
}

impl PublicKey {
    /// Verifies a signature over `H32(label, parts…)`, strictly: no weak keys, no second encodings.
    ///
    /// # Errors
    /// When the key is none, or did not make the signature.
    pub fn verify(&self, label: &str, parts: &[&[u8]], signature: &[u8; SIGNATURE_LENGTH]) -> Result<(), BadSignature> {
        self.verify_raw(&digest(label, parts), signature)
    }

    /// Verifies a signature over `message` itself, as strictly.
    pub(crate) fn verify_raw(&self, message: &[u8], signature: &[u8; SIGNATURE_LENGTH]) -> Result<(), BadSignature> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| BadSignature)?;
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        let R = CompressedEdwardsY(*signature.r_bytes()).decompress().ok_or(BadSignature)?;
        if key.is_weak() || R.is_small_order() {
            return Err(BadSignature);
        }
        raw_verify::<Sha512>(&key, message, &signature).map_err(|_| BadSignature)
    }
}

/// The secret scalar and prefix of a seed (RFC 8032 §5.1.5). As the library's own, over the hash that everything here is over: on
/// a microcontroller another one would be there for signatures alone.
fn expand(seed: &[u8; 32]) -> ExpandedSecretKey {
    let mut hash: [u8; 64] = Sha512::digest(seed).into();
    let expanded = ExpandedSecretKey::from_bytes(&hash);
    hash.zeroize();
    expanded
}

fn digest(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    hash::h32(label, parts)
}

impl Zeroize for SigningKey {
    fn zeroize(&mut self) {
        *self = Self::from_seed(&[0; 32]);
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("signature does not verify")
    }
}

impl core::error::Error for BadSignature {}

#[cfg(test)]
mod tests {
    use ed25519_dalek::Signer;

    use super::*;

    /// The library's own signatures and strict verification: over keys, messages, and whatever an attacker makes of them.
    #[test]
    fn signatures_are_those_of_the_library() {
        let mut weak = [[0; 32]; 2];
        weak[0][0] = 1;
        let neutral = weak[0];
        for number in 0..16u8 {
            let (key, message) = (SigningKey::from_seed(&[number; 32]), [number; 40]);
            let theirs = ed25519_dalek::SigningKey::from_bytes(&[number; 32]);
            let (public, good) = (key.public(), key.sign_raw(&message));
            assert_eq!((public.0, good), (theirs.verifying_key().to_bytes(), theirs.sign(&message).to_bytes()));
            let agree = |public: [u8; 32], signature: [u8; 64]| {
                let ours = PublicKey(public).verify_raw(&message, &signature).is_ok();
                let signature = ed25519_dalek::Signature::from_bytes(&signature);
                let library = ed25519_dalek::VerifyingKey::from_bytes(&public)
                    .is_ok_and(|key| key.verify_strict(&message, &signature).is_ok());
                assert_eq!(ours, library);
                ours
            };
            assert!(agree(public.0, good));
            for byte in 0..64 {
                let mut wrong = good;
                wrong[byte] ^= 1 << (number % 8);
                assert!(!agree(public.0, wrong));
            }
            // The same s, plus l; R of small order; a key of small order, with the signature that holds for it without strictness.
            let mut second = good;
            let mut carry = 0;
            for (byte, l) in second[32..].iter_mut().zip(ORDER) {
                carry += u16::from(*byte) + u16::from(l);
                *byte = carry as u8;
                carry >>= 8;
            }
            assert!(!agree(public.0, second));
            for point in weak {
                let mut forged = [0; 64];
                forged[..32].copy_from_slice(&point);
                assert!(!agree(public.0, forged) && !agree(point, forged) && !agree(point, good));
            }
            let mut trivial = [0; 64];
            trivial[..32].copy_from_slice(&neutral);
            let lax = ed25519_dalek::VerifyingKey::from_bytes(&neutral).unwrap();
            assert!(raw_verify::<Sha512>(&lax, &message, &ed25519_dalek::Signature::from_bytes(&trivial)).is_ok());
        }
    }

    /// `l`, little-endian.
    const ORDER: [u8; 32] = {
        let mut order = [0; 32];
        let low = 0x14de_f9de_a2f7_9cd6_5812_631a_5cf5_d3ed_u128.to_le_bytes();
        let mut at = 0;
        while at < low.len() {
            order[at] = low[at];
            at += 1;
        }
        order[31] = 0x10;
        order
    };

    #[test]
    fn a_signature_is_for_its_key_label_and_parts() {
        let key = SigningKey::from_seed(&[1; 32]);
        let signature = key.sign("label", &[b"a", b"b"]);
        assert_eq!(key.public().verify("label", &[b"a", b"b"], &signature), Ok(()));
        assert_eq!(key.public().verify("other", &[b"a", b"b"], &signature), Err(BadSignature));
        assert_eq!(key.public().verify("label", &[b"ab"], &signature), Err(BadSignature));
        assert_eq!(
            SigningKey::from_seed(&[2; 32]).public().verify("label", &[b"a", b"b"], &signature),
            Err(BadSignature)
        );
        // The neutral element as a key would verify anything.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert_eq!(PublicKey(neutral).verify("label", &[b"a", b"b"], &signature), Err(BadSignature));
    }
}
