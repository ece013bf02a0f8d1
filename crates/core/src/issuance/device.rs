//! The device's side of a withdrawal.

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Commitment, OpenCommitment, Response};
use crate::bytes::NoteId;
use crate::class::Class;
use crate::encoding::DecodeError;
use crate::group::{Generators, RistrettoPoint, Scalar, decode_point, encode_doubles, encode_point, half};
use crate::multiscalar::{Sum, secret_sum};
use crate::note::{Note, NoteSecrets, OpenNote, note_id};
use crate::show::{Points, VerificationFailure};
use crate::{hash, label, weights};

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
    #[inline(never)]
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
        // Six of the eight points are computed as halves, because many doubles are encoded for little more than one.
        let halves = Zeroizing::new([gamma, tau, t3, t5, k0].map(|scalar| half() * scalar));
        let [gamma_half, tau_half, t3_half, t5_half, k0_half] = &*halves;
        let (zeta_half, zeta1_half) = (gamma_half * Z, gamma_half * Z1);
        let beta1_half = secret_sum([gamma_half, t3_half, t4], [&b1, &RISTRETTO_BASEPOINT_POINT, &zeta1_half]);
        let beta2_half = secret_sum([gamma_half, t5_half, t4], [&b2, &generators.H, &(zeta_half - zeta1_half)]);
        let (eta_half, N0_half) = (tau_half * Z, k0_half * Z);
        let [zeta, zeta1, beta1, beta2, eta, N0] =
            encode_doubles(&[zeta_half, zeta1_half, beta1_half, beta2_half, eta_half, N0_half]);
        let alpha = a + secret_sum([t1, t2], [&RISTRETTO_BASEPOINT_POINT, class.Y()]);
        let N1 = RistrettoPoint::mul_base(k1) + K3;
        let points = Points { alpha: encode_point(&alpha), beta1, beta2, eta, N0, N1: encode_point(&N1) };
        let epsilon = points.epsilon(class, &zeta, &zeta1);
        Ok(Self { e: epsilon - t2 - t4, zeta, zeta1, points })
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

    /// W5: checks the bank's answer to `commitment`, which must be the one that was blinded, and the note that comes
    /// of it. The answer was in the clear on the way, and the note is shown one day, so checking in variable time
    /// betrays nothing.
    ///
    /// # Errors
    /// When the answer is not to this commitment and challenge, or the note is not valid.
    #[inline(never)]
    pub fn unblind(
        &self,
        generators: &Generators,
        class: &Class,
        U: &RistrettoPoint,
        blinding: &Blinding,
        commitment: &Commitment,
        response: &Response,
    ) -> Result<IssuedNote, VerificationFailure> {
        let Response { r, s1, s2, delta } = response;
        let c = self.e - delta;
        let Blinding { gamma, tau, t: [t1, t2, t3, t4, t5], k0, k1 } = blinding;
        let omega_prime = delta + t4;
        let scalars =
            [&(r + t1), &(c + t2), &(gamma * s1 + t3), &(gamma * s2 + t5), &omega_prime, &(tau - omega_prime * gamma)];
        let note = Note::of([&self.zeta, &self.zeta1], scalars);
        let rnd = self.verify_vartime(generators, class, U, commitment, response, &note)?;
        let Points { N0, N1, .. } = &self.points;
        Ok(IssuedNote {
            note,
            secrets: NoteSecrets { gamma: *gamma, gamma_rnd: gamma * rnd, k0: *k0, k1: *k1 },
            points: self.points,
            id: note_id(&self.zeta, &self.zeta1, N0, N1),
        })
    }

    /// The three equations of the answer, `a = r·G + c·Y`, `b1 = s1·G + δ·Z1`, `b2 = s2·H + δ·Z2`, and the hash and
    /// the four equations of the note that do not depend on a show (§6): seven, by one multiplication. Gives `rnd`.
    #[inline(never)]
    fn verify_vartime(
        &self,
        generators: &Generators,
        class: &Class,
        U: &RistrettoPoint,
        commitment: &Commitment,
        response: &Response,
        note: &Note,
    ) -> Result<Scalar, VerificationFailure> {
        let OpenCommitment { rnd, a, b1, b2 } = commitment.open()?;
        let Response { r, s1, s2, delta } = response;
        let OpenNote { zeta, zeta1, rho, omega, rho1, rho2, omega_prime, mu } = note.open()?;
        let Points { alpha, beta1, beta2, eta, .. } = &self.points;
        if omega + omega_prime != self.points.epsilon(class, &self.zeta, &self.zeta1) {
            return Err(VerificationFailure);
        }
        let [wa, w1, w2, va, v1, v2, ve] = self.weights(class, commitment, response, note);
        let c = self.e - delta;
        // Z1 = U + rnd·G stands in two equations.
        let masked = (w1 - w2) * delta;
        let mut sum = Sum::<14>::new();
        sum.add(wa * r + w1 * s1 + va * rho + v1 * rho1 + masked * rnd, &RISTRETTO_BASEPOINT_POINT);
        sum.add(wa * c + va * omega, class.Y());
        sum.add(w2 * s2 + v2 * rho2, &generators.H);
        sum.add(w2 * delta + ve * mu, class.Z());
        sum.add(masked, U);
        sum.add((v2 + ve) * omega_prime, &zeta);
        sum.add((v1 - v2) * omega_prime, &zeta1);
        for (weight, point) in [wa, w1, w2].into_iter().zip([a, b1, b2]) {
            sum.add(weight, &-point);
        }
        for (weight, point) in [va, v1, v2, ve].into_iter().zip([alpha, beta1, beta2, eta]) {
            sum.add(weight, &-decode_point(point)?);
        }
        if sum.vartime_is_identity() { Ok(rnd) } else { Err(VerificationFailure) }
    }

    /// Hashed from everything that is checked. Apart, so that it lies on the stack no longer than that takes.
    #[inline(never)]
    fn weights(&self, class: &Class, commitment: &Commitment, response: &Response, note: &Note) -> [Scalar; 7] {
        weights::of_one(&[&class.id().0, &self.to_bytes(), &commitment.to_bytes(), &response.to_bytes(), &note.0])
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
