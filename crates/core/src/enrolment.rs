//! Enrolment (§4): a device proves its identity `U` and shows what kind of element it is.

use core::fmt;

use minicbor::encode::Write;

use crate::attestation::{Claims, TOKEN_LENGTH_MAX};
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::group::{Generators, RistrettoPoint, Scalar, decode_point, decode_scalar, encode_point};
use crate::message::Message;
use crate::signature::{PublicKey, SigningKey};
use crate::text::Name;
use crate::{hash, label};

/// The longest encoding of a [`Certificate`].
pub const CERTIFICATE_LENGTH_MAX: usize = 256;

/// The longest description of a device, in bytes.
pub const DEVICE_INFO_LENGTH_MAX: usize = 64;

/// What the maker of a secure element says of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CertificateBody {
    /// Who made it.
    pub maker: Name,
    /// In which series.
    pub series: Name,
    /// Hash of its firmware.
    pub firmware: [u8; 32],
    /// Its identity.
    pub U: [u8; 32],
    /// Its authentication key.
    pub A: PublicKey,
}

/// A certificate with its maker's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// What is said.
    pub body: CertificateBody,
    /// By the maker.
    pub signature: [u8; 64],
}

/// A proof of knowledge of `u` in `U = u·K`: `R = w·K`, `c = Hs("specie/v1/enrol", U, R, A, nonce, device_info)`,
/// `s = w + c·u`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proof {
    /// `R`, encoded.
    pub R: [u8; 32],
    /// `s`, encoded.
    pub s: [u8; 32],
}

/// What a device sends to be enrolled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Enrolment<'b> {
    /// The maker's certificate.
    pub certificate: Certificate,
    /// The PSP's nonce.
    pub nonce: [u8; 32],
    /// The device's description of itself, at most 64 bytes.
    pub device_info: &'b [u8],
    /// Knowledge of `u`.
    pub proof: Proof,
    /// A [`Token`](crate::attestation::Token), encoded.
    pub attestation: &'b [u8],
}

/// Why a device is not enrolled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum EnrolmentError {
    /// The certificate is not by this maker.
    Certificate,
    /// The proof does not answer this nonce.
    Nonce,
    /// The device does not know `u`, or `U` is no identity.
    Proof,
    /// The element did not attest.
    Attestation,
}

impl Certificate {
    /// A maker certifies `body`.
    pub fn sign(body: CertificateBody, maker: &SigningKey) -> Self {
        let mut buffer = [0; CERTIFICATE_LENGTH_MAX];
        let signature = maker.sign(label::CERTIFICATE, &[body.encoded(&mut buffer)]);
        Self { body, signature }
    }

    /// Whether the maker of key `maker` signed it.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, maker: &PublicKey) -> Result<(), EnrolmentError> {
        let mut buffer = [0; CERTIFICATE_LENGTH_MAX];
        let body = self.body.encoded(&mut buffer);
        maker.verify(label::CERTIFICATE, &[body], &self.signature).map_err(|_| EnrolmentError::Certificate)
    }
}

impl CertificateBody {
    fn encoded<'b>(&self, buffer: &'b mut [u8; CERTIFICATE_LENGTH_MAX]) -> &'b [u8] {
        self.encode(buffer).expect("the buffer holds the longest body")
    }
}

impl Proof {
    /// Proves knowledge of `u` with the secret nonce `w`, which must never serve two statements.
    pub fn prove(
        generators: &Generators,
        u: &Scalar,
        w: &Scalar,
        A: &PublicKey,
        nonce: &[u8; 32],
        device_info: &[u8],
    ) -> Self {
        let U = encode_point(&(u * generators.K));
        let R = encode_point(&(w * generators.K));
        let c = challenge(&U, &R, A, nonce, device_info);
        Self { R, s: (w + c * u).to_bytes() }
    }

    /// `s·K = R + c·U` and `U` is not the identity.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn verify_vartime(
        &self,
        generators: &Generators,
        U: &[u8; 32],
        A: &PublicKey,
        nonce: &[u8; 32],
        device_info: &[u8],
    ) -> Result<(), EnrolmentError> {
        let check = || -> Result<bool, DecodeError> {
            let (U_point, R) = (decode_point(U)?, decode_point(&self.R)?);
            let (s, c) = (decode_scalar(&self.s)?, challenge(U, &self.R, A, nonce, device_info));
            Ok(U_point != RistrettoPoint::default() && s * generators.K == R + c * U_point)
        };
        if check() == Ok(true) { Ok(()) } else { Err(EnrolmentError::Proof) }
    }
}

/// `c = Hs("specie/v1/enrol", U, R, A, nonce, device_info)` (§4).
pub fn challenge(U: &[u8; 32], R: &[u8; 32], A: &PublicKey, nonce: &[u8; 32], device_info: &[u8]) -> Scalar {
    hash::hs(label::ENROL, &[U, R, &A.0, nonce, device_info])
}

impl Enrolment<'_> {
    /// Checks certificate, proof and attestation. Whether the maker is trusted, and the series not withdrawn, is for the
    /// caller, who chose `maker`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify_vartime(
        &self,
        generators: &Generators,
        maker: &PublicKey,
        nonce: &[u8; 32],
    ) -> Result<(), EnrolmentError> {
        let body = &self.certificate.body;
        self.certificate.verify(maker)?;
        if self.nonce != *nonce {
            return Err(EnrolmentError::Nonce);
        }
        self.proof.verify_vartime(generators, &body.U, &body.A, nonce, self.device_info)?;
        Claims { element: body, nonce }.verify(self.attestation)
    }
}

impl Encode for CertificateBody {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(5)?;
        self.maker.write(w)?;
        self.series.write(w)?;
        w.bytes(&self.firmware)?;
        w.bytes(&self.U)?;
        w.bytes(&self.A.0)
    }
}

impl Encode for Certificate {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(2)?;
        self.body.write(w)?;
        w.bytes(&self.signature)
    }
}

impl Decode<'_> for Certificate {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(2)?;
        r.array_of(5)?;
        let body = CertificateBody {
            maker: Name::read(r)?,
            series: Name::read(r)?,
            firmware: r.bytes_of()?,
            U: r.bytes_of()?,
            A: PublicKey(r.bytes_of()?),
        };
        Ok(Self { body, signature: r.bytes_of()? })
    }
}

impl Encode for Enrolment<'_> {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(7)?;
        w.uint(VERSION)?;
        w.uint(Message::Enrolment.number())?;
        self.certificate.write(w)?;
        w.bytes(&self.nonce)?;
        w.bytes(self.device_info)?;
        w.array(2)?;
        w.bytes(&self.proof.R)?;
        w.bytes(&self.proof.s)?;
        w.bytes(self.attestation)
    }
}

impl<'b> Decode<'b> for Enrolment<'b> {
    fn read(r: &mut Reader<'b>) -> Result<Self, DecodeError> {
        r.array_of(7)?;
        r.message(Message::Enrolment.number())?;
        let (certificate, nonce, device_info) = (Certificate::read(r)?, r.bytes_of()?, r.bytes()?);
        if device_info.len() > DEVICE_INFO_LENGTH_MAX {
            return Err(DecodeError::WrongLength);
        }
        r.array_of(2)?;
        let proof = Proof { R: r.bytes_of()?, s: r.bytes_of()? };
        let attestation = r.bytes()?;
        if attestation.len() > TOKEN_LENGTH_MAX {
            return Err(DecodeError::WrongLength);
        }
        Ok(Self { certificate, nonce, device_info, proof, attestation })
    }
}

impl fmt::Display for EnrolmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "the certificate is not by this maker",
            Self::Nonce => "the proof answers another nonce",
            Self::Proof => "the proof of the device's identity does not hold",
            Self::Attestation => "the element's attestation does not hold",
        })
    }
}

impl core::error::Error for EnrolmentError {}
