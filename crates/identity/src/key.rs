//! Public keys of issuers and holders, as JWKs (RFC 7517, RFC 8037). A key has one algorithm, whatever a header says.

use ed25519_dalek::VerifyingKey as Ed25519Key;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature as Es256Signature, VerifyingKey as P256Key};
use serde_json::Value;
use thiserror::Error;

use crate::json;

/// A public key that verifies signatures of one algorithm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublicKey {
    /// ES256: ECDSA on P-256 with SHA-256 (RFC 7518).
    Es256(P256Key),
    /// Ed25519 (RFC 8037).
    Ed25519(Ed25519Key),
}

/// Why a JWK is no key.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Another type or curve.
    #[error("key type `{kty}`, curve `{crv}` is not known: use `EC` with `P-256`, or `OKP` with `Ed25519`")]
    UnknownType {
        /// `kty`.
        kty: String,
        /// `crv`.
        crv: String,
    },
    /// A coordinate is missing or no base64url of 32 bytes.
    #[error("coordinate `{0}` of the key is not 32 bytes in base64url without padding")]
    Coordinate(&'static str),
    /// The coordinates are of no point, or of one that anybody can sign for.
    #[error("the key is not a good point of its curve")]
    NoPoint,
}

/// Why a signature was not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BadSignature {
    /// The header names an algorithm that is not the key's.
    Algorithm,
    /// It is not of this key and message.
    Signature,
}

impl PublicKey {
    /// The key of a JWK's members.
    ///
    /// # Errors
    /// When they make no good key of a known type.
    pub fn new(kty: &str, crv: &str, x: &str, y: Option<&str>) -> Result<Self, KeyError> {
        match (kty, crv) {
            ("EC", "P-256") => {
                let mut point = [4; 65];
                point[1..33].copy_from_slice(&coordinate(x, "x")?);
                point[33..].copy_from_slice(&coordinate(y.unwrap_or_default(), "y")?);
                P256Key::from_sec1_bytes(&point).map(Self::Es256).map_err(|_| KeyError::NoPoint)
            }
            ("OKP", "Ed25519") => match Ed25519Key::from_bytes(&coordinate(x, "x")?) {
                Ok(key) if !key.is_weak() => Ok(Self::Ed25519(key)),
                _ => Err(KeyError::NoPoint),
            },
            _ => Err(KeyError::UnknownType { kty: kty.into(), crv: crv.into() }),
        }
    }

    /// The key of a JWK. Other members are not looked at.
    ///
    /// # Errors
    /// As [`PublicKey::new`].
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        let required = |name: &str| member(name).unwrap_or_default();
        Self::new(required("kty"), required("crv"), required("x"), member("y"))
    }

    pub(crate) fn verify(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let good = match (self, algorithm) {
            (Self::Es256(key), "ES256") => {
                Es256Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
            // RFC 9864 names the curve; RFC 8037, which older issuers follow, names the family.
            (Self::Ed25519(key), "EdDSA" | "Ed25519") => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            _ => return Err(BadSignature::Algorithm),
        };
        if good { Ok(()) } else { Err(BadSignature::Signature) }
    }
}

fn coordinate(text: &str, name: &'static str) -> Result<[u8; 32], KeyError> {
    json::from_base64url(text).and_then(|bytes| bytes.try_into().ok()).ok_or(KeyError::Coordinate(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Public key of RFC 9901, appendix A.5.
    const X: &str = "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ";
    const Y: &str = "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8";

    #[test]
    fn accepts_points_of_the_two_curves_only() {
        assert!(PublicKey::new("EC", "P-256", X, Some(Y)).is_ok());
        assert_eq!(PublicKey::new("EC", "P-256", X, Some(X)), Err(KeyError::NoPoint));
        assert_eq!(PublicKey::new("EC", "P-256", X, None), Err(KeyError::Coordinate("y")));
        assert_eq!(PublicKey::new("EC", "P-256", &X[1..], Some(Y)), Err(KeyError::Coordinate("x")));
        // The neutral element of Ed25519: everything is signed by it.
        let neutral = json::to_base64url(&core::array::from_fn::<_, 32, _>(|index| u8::from(index == 0)));
        assert_eq!(PublicKey::new("OKP", "Ed25519", &neutral, None), Err(KeyError::NoPoint));
        for (kty, crv) in [("EC", "secp256k1"), ("OKP", "X25519"), ("oct", ""), ("EC", "Ed25519"), ("RSA", "P-256")] {
            let unknown = KeyError::UnknownType { kty: kty.into(), crv: crv.into() };
            assert_eq!(PublicKey::new(kty, crv, X, Some(Y)), Err(unknown));
        }
    }

    #[test]
    fn a_header_cannot_change_the_algorithm() {
        let key = PublicKey::new("EC", "P-256", X, Some(Y)).unwrap();
        for algorithm in ["none", "None", "HS256", "ES256K", "ES384", "EdDSA", ""] {
            assert_eq!(key.verify(algorithm, b"", b""), Err(BadSignature::Algorithm));
        }
        assert_eq!(key.verify("ES256", b"", b""), Err(BadSignature::Signature));
        assert_eq!(key.verify("ES256", b"", &[0; 64]), Err(BadSignature::Signature));
    }
}
