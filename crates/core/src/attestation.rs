//! Attestation (§4.1): what a secure element says of itself, as an Entity Attestation Token (RFC 9711): a CWT (RFC 8392) in COSE_Sign1
//! (RFC 9052), signed by `A`. Other programs check it with what they have.
//!
//! Every claim follows from the maker's certificate and the PSP's nonce, in deterministic encoding (RFC 8949 §4.2.1). So there is nothing to
//! parse: a token is right if it is, byte for byte, the one that ought to be there.

use minicbor::encode::Write;

use crate::encoding::{Encode, Writer};
use crate::enrolment::{CertificateBody, EnrolmentError};
use crate::signature::{SIGNATURE_LENGTH, SigningKey};
use crate::text::Name;
use crate::{hash, label};

/// The profile (RFC 9711 §6) that says which claims there are: all of these, and no others.
pub const PROFILE: &str = "urn:specie:eat:1";

/// The longest encoding of a [`Token`].
pub const TOKEN_LENGTH_MAX: usize = 288;

/// The longest encoding of what is signed.
const SIGNED_LENGTH_MAX: usize = 224;

/// Protected header of COSE: a byte string with `{1: -8}`, EdDSA.
const PROTECTED: [u8; 4] = [0x43, 0xA1, 0x01, 0x27];

/// What an element claims.
#[derive(Clone, Copy)]
pub struct Claims<'a> {
    /// Who it is, and what it is made of, as in its certificate.
    pub element: &'a CertificateBody,
    /// The PSP's nonce.
    pub nonce: &'a [u8; 32],
}

/// The token as it travels: a tagged COSE_Sign1.
#[derive(Clone, Copy)]
pub struct Token<'a> {
    /// What is claimed.
    pub claims: Claims<'a>,
    /// By `A`.
    pub signature: [u8; SIGNATURE_LENGTH],
}

/// What COSE signs: `["Signature1", protected, no external data, payload]`.
struct SigStructure<'a>(&'a Claims<'a>);

impl Claims<'_> {
    /// Signs them with the secret half of `A`.
    pub fn sign(&self, key: &SigningKey) -> [u8; SIGNATURE_LENGTH] {
        key.sign_raw(self.signed(&mut [0; SIGNED_LENGTH_MAX]))
    }

    fn signed<'b>(&self, buffer: &'b mut [u8; SIGNED_LENGTH_MAX]) -> &'b [u8] {
        SigStructure(self).encode(buffer).expect("the buffer holds the longest claims")
    }

    /// Checks that `token` is the one that says this, signed by the certificate's `A`.
    ///
    /// # Errors
    /// When it is not.
    pub fn verify(&self, token: &[u8]) -> Result<(), EnrolmentError> {
        let signature: [u8; SIGNATURE_LENGTH] = *token.last_chunk().ok_or(EnrolmentError::Attestation)?;
        let mut buffer = [0; TOKEN_LENGTH_MAX];
        let expected = Token { claims: *self, signature }.encode(&mut buffer);
        if expected.expect("the buffer holds the longest token") != token {
            return Err(EnrolmentError::Attestation);
        }
        let signed = self.element.A.verify_raw(self.signed(&mut [0; SIGNED_LENGTH_MAX]), &signature);
        signed.map_err(|_| EnrolmentError::Attestation)
    }
}

/// The `oemid` claim of a maker: 16 bytes (RFC 9711 §4.2.3.1), hashed from its name.
pub fn oem_id(maker: &Name) -> [u8; 16] {
    let hash = hash::h32(label::OEM_ID, &[maker.as_str().as_bytes()]);
    *hash.first_chunk().expect("32 bytes are more than 16")
}

impl Encode for Claims<'_> {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        let CertificateBody { maker, series, firmware, U, .. } = self.element;
        let mut ueid = [1; 33];
        ueid[1..].copy_from_slice(U);
        // A map of six, in the order of the encoded keys.
        w.raw(&[0xA6, 0x0A])?;
        w.bytes(self.nonce)?;
        w.uint(256)?;
        w.bytes(&ueid)?;
        w.uint(258)?;
        w.bytes(&oem_id(maker))?;
        w.uint(259)?;
        w.bytes(series.as_str().as_bytes())?;
        w.uint(265)?;
        w.text(PROFILE)?;
        // -65537, the first of those for private use.
        w.raw(&[0x3A, 0x00, 0x01, 0x00, 0x00])?;
        w.bytes(firmware)
    }
}

impl Encode for SigStructure<'_> {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(4)?;
        w.text("Signature1")?;
        w.raw(&PROTECTED)?;
        w.bytes(&[])?;
        write_payload(self.0, w)
    }
}

impl Encode for Token<'_> {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        // Tag 18, an array of four, the protected header, nothing unprotected.
        w.raw(&[0xD2, 0x84])?;
        w.raw(&PROTECTED)?;
        w.raw(&[0xA0])?;
        write_payload(&self.claims, w)?;
        w.bytes(&self.signature)
    }
}

fn write_payload<W: Write>(claims: &Claims<'_>, w: &mut Writer<W>) -> Result<(), W::Error> {
    let mut buffer = [0; SIGNED_LENGTH_MAX];
    w.bytes(claims.encode(&mut buffer).expect("the buffer holds the longest claims"))
}
