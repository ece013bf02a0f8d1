//! The root key, wherever it is: in a file, or in a token.

use specie_core::encoding::{Decode, DecodeError, Writer};
use specie_core::manifest::{Manifest, ManifestHeader, SignedHeader, write_manifest};
use specie_core::merkle;
use specie_core::signature::{PublicKey, SigningKey};
use thiserror::Error;

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

/// Why a draft is not signed.
#[derive(Debug, Error)]
pub enum SignError {
    /// It is none.
    #[error("this is no draft of a manifest: {0}")]
    Malformed(#[from] DecodeError),
    /// Its entries are not those that its header is about.
    #[error("the draft's entries are not those of its header: it was changed or damaged; nothing was signed")]
    OtherEntries,
    /// The token does not sign.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Signs a draft, or signs a manifest anew, and gives it encoded.
///
/// # Errors
/// When it is none, or the root key does not sign.
pub fn sign_draft(root: &dyn RootKey, draft: &[u8]) -> Result<Vec<u8>, SignError> {
    let draft = Manifest::decode(draft)?;
    let entries: Vec<&[u8]> = draft.entries().map(|(_, entry)| entry).collect();
    let header = draft.signed.header;
    let entries_root = merkle::root(entries.len(), &|index| merkle::leaf(entries[index]));
    if entries_root != header.entries_root || u32::try_from(entries.len()) != Ok(header.entry_count) {
        return Err(SignError::OtherEntries);
    }
    let mut w = Writer::new(Vec::new());
    match write_manifest(&root.sign_header(&header)?, &entries, &mut w) {
        Ok(()) => Ok(w.into_inner()),
        Err(never) => match never {},
    }
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
