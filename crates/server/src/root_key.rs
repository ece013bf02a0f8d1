//! The root key, wherever it is: in a file, or in a token.

use specie_core::manifest::{ManifestHeader, SignedHeader};
use specie_core::signature::{PublicKey, SigningKey};

use crate::token::{Token, TokenError};

/// Signs what a bank publishes, and nothing else.
pub trait RootKey {
    /// The key that verifies.
    fn public(&self) -> PublicKey;

    /// Signs the header of a manifest.
    ///
    /// # Errors
    /// When the token does not.
    fn sign_header(&self, header: &ManifestHeader) -> Result<SignedHeader, TokenError>;
}

impl RootKey for SigningKey {
    fn public(&self) -> PublicKey {
        Self::public(self)
    }

    fn sign_header(&self, header: &ManifestHeader) -> Result<SignedHeader, TokenError> {
        Ok(header.sign(self))
    }
}

impl RootKey for Token {
    fn public(&self) -> PublicKey {
        Self::public(self)
    }

    /// What is signed is the header's name: it is the hash that the root key signs (`docs/spec/protocol.md` §3). Whatever the token
    /// answers is verified before anybody sees it.
    fn sign_header(&self, header: &ManifestHeader) -> Result<SignedHeader, TokenError> {
        let signed = SignedHeader { header: *header, signature: self.sign(&header.id().0)? };
        signed.verify(&self.public()).map_err(|_| TokenError::WrongSignature)?;
        Ok(signed)
    }
}
