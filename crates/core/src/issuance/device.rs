//! The device's side of a withdrawal.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Commitment, OpenCommitment, Response};
use crate::bytes::NoteId;
use crate::class::Class;
use crate::encoding::DecodeError;
use crate::group::{Generators, RistrettoPoint, Scalar, encode_point};
use crate::multiscalar::Sum;
use crate::note::{Note, NoteSecrets, note_id};
use crate::show::{Points, VerificationFailure};
use crate::{hash, label};

/// What the device draws to blind one note: `γ`, `τ`, `t1..t5`, `k0`, `k1`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Blinding {
    /// `γ`, not zero.
    pub gamma: Scalar,
    /// `τ`.
    pub tau: Scalar,
    /// `t1..t5`.
    pub t: [Scalar; 5],
    /// `k0`.
    pub k0: Scalar,
    /// `k1`.
    pub k1: Scalar,
}

/// A note between W3 and W5. The host keeps the seed of its [`Blinding`] and this, and persists both before it sends `e`.
#[derive(Clone)]
pub struct Blinded {
    e: Scalar,
    zeta: [u8; 32],
    zeta1: [u8; 32],
    points: Points,
}

/// A finished note with all that is needed to show it.
pub struct IssuedNote {
    /// The note.
    pub note: Note,
    /// The host's secrets.
    pub secrets: NoteSecrets,
    /// The points of the extended form: the payer has them for free.
    pub points: Points,
    /// Its name.
    pub id: NoteId,
}

impl Blinding {
    /// Draws everything from 32 secret random bytes that are used for nothing else.
    pub fn derive(seed: &[u8; 32]) -> Self {
        let draw = |name: &str| hash::hs(label::DEVICE_SEED, &[seed, name.as_bytes()]);
        Self {
            gamma: draw("gamma"),
            tau: draw("tau"),
            t: [draw("t1"), draw("t2"), draw("t3"), draw("t4"), draw("t5")],
            k0: draw("k0"),
            k1: draw("k1"),
        }
    }
}

impl Blinded {
    /// Length of the encoding `e ‖ ζ ‖ ζ1 ‖ points`.
    pub const LENGTH: usize = 96 + Points::LENGTH;

    /// W3: blinds a note for device `U`, whose element gave `K3`.
    ///
    /// # Errors
    /// When the commitment is not canonical, `rnd` is zero, or `Z1 ∈ {0, Z}`: the bank is broken or lies.
    pub fn blind(
        generators: &Generators,
        class: &Class,
        U: &RistrettoPoint,
        K3: &RistrettoPoint,
        blinding: &Blinding,
        commitment: &Commitment,
    ) -> Result<Self, VerificationFailure> {
        let OpenCommitment { rnd, a, b1, b2 } = commitment.open()?;
        let Z1 = masked_identity(class, U, &rnd)?;
        let Blinding { gamma, tau, t: [t1, t2, t3, t4, t5], k0, k1 } = blinding;
        if *gamma == Scalar::ZERO {
            return Err(VerificationFailure);
        }
        let Z = class.Z();
        let zeta = gamma * Z;
        let zeta1 = gamma * Z1;
        let zeta2 = zeta - zeta1;
        let base = RistrettoPoint::mul_base;
        let zeta = encode_point(&zeta);
        let zeta1_bytes = encode_point(&zeta1);
        let points = Points {
            alpha: encode_point(&(a + base(t1) + t2 * class.Y())),
            beta1: encode_point(&(gamma * b1 + base(t3) + t4 * zeta1)),
            beta2: encode_point(&(gamma * b2 + t5 * generators.H + t4 * zeta2)),
            eta: encode_point(&(tau * Z)),
            N0: encode_point(&(k0 * Z)),
            N1: encode_point(&(base(k1) + K3)),
        };
        let epsilon = points.epsilon(class, &zeta, &zeta1_bytes);
        Ok(Self { e: epsilon - t2 - t4, zeta, zeta1: zeta1_bytes, points })
    }

    /// The challenge to send, once this is persisted.
    pub fn e(&self) -> &Scalar {
        &self.e
    }

    /// `ζ`, encoded.
    pub fn zeta(&self) -> &[u8; 32] {
        &self.zeta
    }

    /// `ζ1`, encoded.
    pub fn zeta1(&self) -> &[u8; 32] {
        &self.zeta1
    }

    /// The points of the note to be.
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// W5: checks the bank's answer and the note that comes of it. `c` and the answer were in the clear on the way, and the note is shown
    /// one day, so checking in variable time betrays nothing.
    ///
    /// # Errors
    /// When the answer is not to this commitment and challenge, or the note is not valid.
    pub fn unblind(
        &self,
        generators: &Generators,
        class: &Class,
        U: &RistrettoPoint,
        blinding: &Blinding,
        commitment: &Commitment,
        response: &Response,
    ) -> Result<IssuedNote, VerificationFailure> {
        let opened = commitment.open()?;
        let Z1 = masked_identity(class, U, &opened.rnd)?;
        let Response { r, s1, s2, delta } = response;
        let c = self.e - delta;
        self.verify_response_vartime(generators, class, &opened, &Z1, &c, response)?;
        let Blinding { gamma, tau, t: [t1, t2, t3, t4, t5], k0, k1 } = blinding;
        let omega_prime = delta + t4;
        let scalars =
            [&(r + t1), &(c + t2), &(gamma * s1 + t3), &(gamma * s2 + t5), &omega_prime, &(tau - omega_prime * gamma)];
        let note = Note::of([&self.zeta, &self.zeta1], scalars);
        self.verify_note_vartime(generators, class, &note)?;
        let Points { N0, N1, .. } = &self.points;
        Ok(IssuedNote {
            note,
            secrets: NoteSecrets { gamma: *gamma, gamma_rnd: gamma * opened.rnd, k0: *k0, k1: *k1 },
            points: self.points,
            id: note_id(&self.zeta, &self.zeta1, N0, N1),
        })
    }

    /// `a = r·G + c·Y`, `b1 = s1·G + δ·Z1`, `b2 = s2·H + δ·Z2`, by one multiplication with hashed weights.
    fn verify_response_vartime(
        &self,
        generators: &Generators,
        class: &Class,
        commitment: &OpenCommitment,
        Z1: &RistrettoPoint,
        c: &Scalar,
        response: &Response,
    ) -> Result<(), VerificationFailure> {
        let Response { r, s1, s2, delta } = response;
        let weights = self.weights(&[&response.to_bytes()]);
        let [wa, w1, w2, ..] = &weights;
        let Z2 = class.Z() - Z1;
        let mut sum = Sum::<9>::new();
        sum.add(wa * r + w1 * s1, &curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT);
        sum.add(wa * c, class.Y());
        sum.add(w2 * s2, &generators.H);
        sum.add(w1 * delta, Z1);
        sum.add(w2 * delta, &Z2);
        sum.add(*wa, &-commitment.a);
        sum.add(*w1, &-commitment.b1);
        sum.add(*w2, &-commitment.b2);
        if sum.vartime_is_identity() { Ok(()) } else { Err(VerificationFailure) }
    }

    /// The four equations of §6 that do not depend on a show.
    fn verify_note_vartime(
        &self,
        generators: &Generators,
        class: &Class,
        note: &Note,
    ) -> Result<(), VerificationFailure> {
        let open = note.open()?;
        let Points { alpha, beta1, beta2, eta, .. } = &self.points;
        let decode = crate::group::decode_point;
        let weights = self.weights(&[&note.0]);
        let [wa, w1, w2, we] = &weights;
        if open.omega + open.omega_prime != self.points.epsilon(class, &self.zeta, &self.zeta1) {
            return Err(VerificationFailure);
        }
        let mut sum = Sum::<10>::new();
        sum.add(wa * open.rho + w1 * open.rho1, &curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT);
        sum.add(wa * open.omega, class.Y());
        sum.add(w2 * open.rho2, &generators.H);
        sum.add(we * open.mu, class.Z());
        sum.add((w2 + we) * open.omega_prime, &open.zeta);
        sum.add((w1 - w2) * open.omega_prime, &open.zeta1);
        sum.add(*wa, &-decode(alpha)?);
        sum.add(*w1, &-decode(beta1)?);
        sum.add(*w2, &-decode(beta2)?);
        sum.add(*we, &-decode(eta)?);
        if sum.vartime_is_identity() { Ok(()) } else { Err(VerificationFailure) }
    }

    /// Four 128-bit weights hashed from this and `checked`.
    fn weights(&self, checked: &[&[u8]]) -> [Scalar; 4] {
        let own = self.to_bytes();
        let wide =
            checked.iter().fold(hash::Hasher::new(label::WEIGHTS).part(&own), |hasher, part| hasher.part(part)).h512();
        core::array::from_fn(|index| {
            Scalar::from(u128::from_le_bytes(wide[index * 16..][..16].try_into().expect("16 bytes")))
        })
    }

    /// For the host's own storage.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let (head, points) = bytes.split_at_mut(96);
        let parts = [self.e.as_bytes(), &self.zeta, &self.zeta1];
        head.chunks_exact_mut(32).zip(parts).for_each(|(chunk, part)| chunk.copy_from_slice(part));
        points.copy_from_slice(&self.points.to_bytes());
        bytes
    }

    /// From the host's own storage.
    ///
    /// # Errors
    /// When the challenge is not canonical: the storage is damaged.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, DecodeError> {
        let part = |index: usize| bytes[index * 32..][..32].try_into().expect("parts of 32 bytes");
        Ok(Self {
            e: crate::group::decode_scalar(&part(0))?,
            zeta: part(1),
            zeta1: part(2),
            points: Points::from_bytes(bytes[96..].try_into().expect("six points")),
        })
    }
}

/// `Z1 = U + rnd·G`, refused where it is the identity or `Z`.
fn masked_identity(class: &Class, U: &RistrettoPoint, rnd: &Scalar) -> Result<RistrettoPoint, VerificationFailure> {
    let Z1 = U + RistrettoPoint::mul_base(rnd);
    if Z1 == RistrettoPoint::default() || Z1 == *class.Z() { Err(VerificationFailure) } else { Ok(Z1) }
}
