//! Disclosing who pays (§7.1): above a threshold a transfer carries the payer's `U`, encrypted to a supervisory key `S`, and a
//! proof that it is the `U` of the note shown. The proof adds one response to the show and shares its challenge.

use core::fmt;

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use minicbor::encode::Write;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::amount::Amount;
use crate::chain::{CheckShow, Immediately};
use crate::class::Class;
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::group::{Generators, RistrettoPoint, Scalar, decode_point, decode_scalar, encode_point, negative};
use crate::message::Message;
use crate::multiscalar::Sum;
use crate::note::NoteSecrets;
use crate::show::{Show, VerificationFailure};
use crate::text::Currency;
use crate::transfer::{Preimage, Transfer};
use crate::{hash, label};

/// A supervisory key `S = s·G`, of which authorities hold shares; encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SupervisoryKey(pub [u8; 32]);

/// From which amount on payers disclose themselves, and to whom: an entry of the manifest (§3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Supervision {
    /// The currency for which it holds.
    pub currency: Currency,
    /// The largest payment without a disclosure.
    pub threshold: Amount,
    /// To whom.
    pub key: SupervisoryKey,
}

/// What a preimage says of its disclosure: `H32("specie/v1/disclosure", S, E1, E2, A1, A2)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DisclosureId(pub [u8; 32]);

/// What a disclosed transfer carries beside its show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Disclosure {
    /// `E1 = t·G`, encoded.
    pub E1: [u8; 32],
    /// `E2 = u·K + t·S`, encoded.
    pub E2: [u8; 32],
    /// `z4 = w4 + d·γ·t`.
    pub z4: Scalar,
}

/// A transfer as it is given to supervisors: all that is needed to check that it names its payer to `key`.
#[derive(Clone, Debug)]
pub struct DisclosedTransfer {
    /// Class of the note shown.
    pub class: Class,
    /// The supervisory key.
    pub key: SupervisoryKey,
    /// The transfer.
    pub transfer: Transfer,
}

/// A disclosure that its payer has prepared; [`Prepared::answer`] completes it. The same transfer always has the same one, so
/// that a payment made again after a crash is the same payment.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Prepared {
    /// `t`.
    t: Scalar,
    /// Nonce of `z4`.
    w4: Scalar,
    #[zeroize(skip)]
    E: [[u8; 32]; 2],
    #[zeroize(skip)]
    id: [u8; 32],
}

impl SupervisoryKey {
    /// The point, unless it is none or the identity.
    ///
    /// # Errors
    /// When it is.
    pub fn point(&self) -> Result<RistrettoPoint, DecodeError> {
        if self.0 == [0; 32] { Err(DecodeError::BadPoint) } else { decode_point(&self.0) }
    }
}

impl Disclosure {
    /// Length of the encoding `E1 ‖ E2 ‖ z4`.
    pub const LENGTH: usize = 96;

    /// The encoding.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        for (chunk, part) in bytes.chunks_exact_mut(32).zip([&self.E1, &self.E2, self.z4.as_bytes()]) {
            chunk.copy_from_slice(part);
        }
        bytes
    }

    /// From the encoding; whether the points are canonical is checked when they are used.
    ///
    /// # Errors
    /// When the scalar is not canonical.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, DecodeError> {
        let part = |index: usize| bytes[index * 32..][..32].try_into().expect("three parts of 32 bytes");
        Ok(Self { E1: part(0), E2: part(1), z4: decode_scalar(&part(2))? })
    }

    /// Whether the payer who showed this transfer's note is the one encrypted here, to `key`; the show itself is checked
    /// elsewhere. Five scalar multiplications.
    ///
    /// # Errors
    /// When it is not, or the transfer says nothing of a disclosure.
    pub fn verify_vartime(
        &self,
        generators: &Generators,
        key: &SupervisoryKey,
        preimage: &Preimage,
        show: &Show,
    ) -> Result<(), VerificationFailure> {
        let said = preimage.disclosure.ok_or(VerificationFailure)?;
        let [S, E1, E2] = [key.point()?, decode_point(&self.E1)?, decode_point(&self.E2)?];
        // E1 = 0 would be t = 0: U for everybody to read.
        if self.E1 == [0; 32] {
            return Err(VerificationFailure);
        }
        let minus_z0 = negative(&show.z0);
        let mut A1 = Sum::<2>::new();
        A1.add(self.z4, &RISTRETTO_BASEPOINT_POINT);
        A1.add(minus_z0, &E1);
        let mut A2 = Sum::<3>::new();
        A2.add(show.z3, &generators.K);
        A2.add(self.z4, &S);
        A2.add(minus_z0, &E2);
        let [A1, A2] = [A1.vartime_value(), A2.vartime_value()].map(|point| encode_point(&point));
        if name(key, &self.E1, &self.E2, &A1, &A2) == said { Ok(()) } else { Err(VerificationFailure) }
    }
}

impl DisclosedTransfer {
    /// Whether the show holds and names its payer to the key.
    ///
    /// # Errors
    /// When it does not.
    pub fn verify_vartime(&self, generators: &Generators) -> Result<(), VerificationFailure> {
        let Self { class, key, transfer } = self;
        if transfer.preimage.class_id != class.id() {
            return Err(VerificationFailure);
        }
        Immediately(generators).check(class, transfer, &transfer.d())?;
        transfer.verify_disclosure_vartime(generators, key)
    }
}

impl Encode for DisclosedTransfer {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(6)?;
        w.uint(VERSION)?;
        w.uint(Message::DisclosedTransfer.number())?;
        w.bytes(self.class.Y_bytes())?;
        w.bytes(self.class.info_bytes())?;
        w.bytes(&self.key.0)?;
        self.transfer.write(w)
    }
}

impl Decode<'_> for DisclosedTransfer {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(6)?;
        r.message(Message::DisclosedTransfer.number())?;
        let class = Class::decode(&r.bytes_of()?, r.bytes()?)?;
        Ok(Self { class, key: SupervisoryKey(r.bytes_of()?), transfer: Transfer::read(r)? })
    }
}

impl Transfer {
    /// Whether it discloses its payer to `key`.
    ///
    /// # Errors
    /// When it does not.
    pub fn verify_disclosure_vartime(
        &self,
        generators: &Generators,
        key: &SupervisoryKey,
    ) -> Result<(), VerificationFailure> {
        let disclosure = self.disclosure.as_ref().ok_or(VerificationFailure)?;
        disclosure.verify_vartime(generators, key, &self.preimage, &self.show)
    }
}

impl Prepared {
    /// Prepares to disclose `U` to `key` in the transfer of `preimage`, which says nothing of it yet. `N1` is that of the note,
    /// with `secrets` (§5). Seven scalar multiplications, none of which depends on the challenge.
    ///
    /// # Errors
    /// When a point does not decode.
    #[inline(never)]
    pub fn new(
        key: &SupervisoryKey,
        U: &RistrettoPoint,
        secrets: &NoteSecrets,
        N1: &[u8; 32],
        preimage: &Preimage,
    ) -> Result<Self, DecodeError> {
        let bytes = Preimage { disclosure: None, ..*preimage }.to_bytes();
        // k0 is known to nobody else. Two answers of one w4 would give t away: it serves for one preimage.
        let draw = |what: &[u8]| {
            let k0 = secrets.k0.as_bytes();
            hash::hs(label::DISCLOSURE_SECRET, &[k0, &key.0, bytes.as_slice(), what])
        };
        Self::with(key, U, secrets, N1, [draw(b"t"), draw(b"w4")])
    }

    /// The same with given `t` and `w4`: random, secret, and never used for another preimage.
    ///
    /// # Errors
    /// When a point does not decode.
    #[inline]
    pub fn with(
        key: &SupervisoryKey,
        U: &RistrettoPoint,
        secrets: &NoteSecrets,
        N1: &[u8; 32],
        [t, w4]: [Scalar; 2],
    ) -> Result<Self, DecodeError> {
        let (S, N1) = (key.point()?, decode_point(N1)?);
        let base = RistrettoPoint::mul_base;
        let [E1, E2] = [base(&t), U + t * S];
        let K3 = N1 - base(&secrets.k1);
        let [A1, A2] = [base(&w4) - secrets.k0 * E1, K3 + w4 * S - secrets.k0 * E2];
        let [E1, E2, A1, A2] = [E1, E2, A1, A2].map(|point| encode_point(&point));
        Ok(Self { t, w4, E: [E1, E2], id: name(key, &E1, &E2, &A1, &A2).0 })
    }

    /// What the preimage has to say.
    pub fn id(&self) -> DisclosureId {
        DisclosureId(self.id)
    }

    /// The disclosure for challenge `d`: that of the preimage which says [`Prepared::id`].
    pub fn answer(&self, secrets: &NoteSecrets, d: &Scalar) -> Disclosure {
        let [E1, E2] = self.E;
        Disclosure { E1, E2, z4: self.w4 + d * secrets.gamma * self.t }
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prepared(..)")
    }
}

fn name(key: &SupervisoryKey, E1: &[u8; 32], E2: &[u8; 32], A1: &[u8; 32], A2: &[u8; 32]) -> DisclosureId {
    DisclosureId(hash::h32(label::DISCLOSURE, &[&key.0, E1, E2, A1, A2]))
}
