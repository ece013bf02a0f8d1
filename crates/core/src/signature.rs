//! Ed25519 signatures over one 32-byte hash (§2): what banks, PSPs, makers and elements sign besides notes.

use core::fmt;

use ed25519_dalek::Signer;
use zeroize::Zeroize;

use crate::hash;

/// Length of a signature.
pub const SIGNATURE_LENGTH: usize = 64;

/// An Ed25519 key that signs.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// An Ed25519 key that verifies, as published.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// A signature does not verify.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadSignature;

impl SigningKey {
    /// The key of these 32 secret random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// For the owner's own key store. The caller zeroises the copy.
    pub fn expose_secret_seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The key that verifies.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `H32(label, parts…)`.
    pub fn sign(&self, label: &str, parts: &[&[u8]]) -> [u8; SIGNATURE_LENGTH] {
        self.0.sign(&digest(label, parts)).to_bytes()
    }

    /// Signs `message` itself, as COSE wants it. It must not be 32 bytes long: it could be the hash of something else.
    pub(crate) fn sign_raw(&self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        debug_assert_ne!(message.len(), 32);
        self.0.sign(message).to_bytes()
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
        let key = ed25519_dalek::VerifyingKey::from_bytes(&self.0).map_err(|_| BadSignature)?;
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        key.verify_strict(message, &signature).map_err(|_| BadSignature)
    }
}

fn digest(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    hash::h32(label, parts)
}

impl Zeroize for SigningKey {
    fn zeroize(&mut self) {
        self.0 = ed25519_dalek::SigningKey::from_bytes(&[0; 32]);
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
    use super::*;

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
