//! Showing a note, and checking what is shown (§6). The mathematics of a transfer, without its meaning.

use core::fmt;

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;

use crate::class::Class;
use crate::encoding::DecodeError;
use crate::group::{Generators, RistrettoPoint, Scalar, decode_point, decode_scalar, encode_doubles, half, negative};
use crate::multiscalar::Sum;
use crate::note::{Note, NoteSecrets, OpenNote};
use crate::{hash, label, weights};

mod batch;

pub use batch::Batch;

/// The three responses of a show: `z0 = k0 + d·γ`, `z1 = k1 + d·γ·rnd`, `z3 = k3 + d·γ·u`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Show {
    /// Of the host, over `Z`.
    pub z0: Scalar,
    /// Of the host, over `G`.
    pub z1: Scalar,
    /// Of the element, over `K`.
    pub z3: Scalar,
}

/// The six points that a verifier recomputes, carried along in the extended form; encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Points {
    /// `α = ρ·G + ω·Y`.
    pub alpha: [u8; 32],
    /// `β1 = ρ1·G + ω'·ζ1`.
    pub beta1: [u8; 32],
    /// `β2 = ρ2·H + ω'·(ζ − ζ1)`.
    pub beta2: [u8; 32],
    /// `η = μ·Z + ω'·ζ`.
    pub eta: [u8; 32],
    /// `N0 = z0·Z − d·ζ`.
    pub N0: [u8; 32],
    /// `N1 = z1·G + z3·K − d·ζ1`.
    pub N1: [u8; 32],
}

/// A show is not valid. The equations do not say why, and nothing is told that helps a forger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VerificationFailure;

impl Show {
    /// Length of the encoding `z0 ‖ z1 ‖ z3`.
    pub const LENGTH: usize = 96;

    /// The host's two multiply-adds, completed with the element's `z3`.
    pub fn new(secrets: &NoteSecrets, d: &Scalar, z3: Scalar) -> Self {
        Self { z0: secrets.k0 + d * secrets.gamma, z1: secrets.k1 + d * secrets.gamma_rnd, z3 }
    }

    /// The canonical encoding.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        for (chunk, z) in bytes.chunks_exact_mut(32).zip([&self.z0, &self.z1, &self.z3]) {
            chunk.copy_from_slice(z.as_bytes());
        }
        bytes
    }

    /// From the canonical encoding.
    ///
    /// # Errors
    /// When a scalar is not canonical.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, DecodeError> {
        let part = |index: usize| decode_scalar(bytes[index * 32..][..32].try_into().expect("three parts of 32 bytes"));
        Ok(Self { z0: part(0)?, z1: part(1)?, z3: part(2)? })
    }
}

/// The element's multiply-add: `z3 = k3 + d·γ·u`.
pub fn element_response(k3: &Scalar, d: &Scalar, gamma: &Scalar, u: &Scalar) -> Scalar {
    k3 + d * gamma * u
}

impl Points {
    /// Length of the encoding `α ‖ β1 ‖ β2 ‖ η ‖ N0 ‖ N1`.
    pub const LENGTH: usize = 192;

    /// The encoding.
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let parts = [&self.alpha, &self.beta1, &self.beta2, &self.eta, &self.N0, &self.N1];
        for (chunk, point) in bytes.chunks_exact_mut(32).zip(parts) {
            chunk.copy_from_slice(point);
        }
        bytes
    }

    /// From the encoding; whether the points are canonical is checked when they are used.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        Self::of(core::array::from_fn(|index| bytes[index * 32..][..32].try_into().expect("six parts of 32 bytes")))
    }

    /// From the encoded points, in order.
    pub(crate) fn of(points: [[u8; 32]; 6]) -> Self {
        let [alpha, beta1, beta2, eta, N0, N1] = points;
        Self { alpha, beta1, beta2, eta, N0, N1 }
    }

    /// `ε = Hs("specie/v1/issue", info, Y, ζ, ζ1, α, β1, β2, η, N0, N1)` (§5).
    pub(crate) fn epsilon(&self, class: &Class, zeta: &[u8; 32], zeta1: &[u8; 32]) -> Scalar {
        hash::hs(
            label::ISSUE,
            &[
                class.info_bytes(),
                class.Y_bytes(),
                zeta,
                zeta1,
                &self.alpha,
                &self.beta1,
                &self.beta2,
                &self.eta,
                &self.N0,
                &self.N1,
            ],
        )
    }
}

/// Checks a compact show of `note` with challenge `d` and gives the six points: the extended form, for free.
///
/// # Errors
/// When the show is not valid for this class, note and challenge.
#[inline(never)]
pub fn verify_compact_vartime(
    generators: &Generators,
    class: &Class,
    note: &Note,
    d: &Scalar,
    show: &Show,
) -> Result<Points, VerificationFailure> {
    let open = note.open()?;
    let OpenNote { zeta, zeta1, rho, omega, rho1, rho2, omega_prime, mu } = &open;
    // Halves of the six points are computed, because many doubles are encoded for little more than one.
    let half = half();
    let [d_half, omega_half, omega_prime_half] = [d, omega, omega_prime].map(|scalar| half * scalar);
    let minus_d_half = negative(&d_half);
    let mut N1 = Sum::<3>::new();
    N1.add(half * show.z1, &RISTRETTO_BASEPOINT_POINT);
    N1.add(half * show.z3, &generators.K);
    N1.add(minus_d_half, zeta1);
    let halves = [
        with_base(&(half * rho), &omega_half, class.Y()),
        with_base(&(half * rho1), &omega_prime_half, zeta1),
        two(&(half * rho2), &generators.H, &omega_prime_half, &(zeta - zeta1)),
        two(&(half * mu), class.Z(), &omega_prime_half, zeta),
        two(&(half * show.z0), class.Z(), &minus_d_half, zeta),
        N1.vartime_value(),
    ];
    let points = Points::of(encode_doubles(&halves));
    if omega + omega_prime == points.epsilon(class, note.zeta(), note.zeta1()) {
        Ok(points)
    } else {
        Err(VerificationFailure)
    }
}

/// `b·G + a·A`. Computers have a table for `G`; elsewhere, making one would take a stack that is not there.
fn with_base(b: &Scalar, a: &Scalar, A: &RistrettoPoint) -> RistrettoPoint {
    if cfg!(target_os = "none") {
        return two(b, &RISTRETTO_BASEPOINT_POINT, a, A);
    }
    RistrettoPoint::vartime_double_scalar_mul_basepoint(a, A, b)
}

/// `a·A + b·B`.
#[inline(never)]
fn two(a: &Scalar, A: &RistrettoPoint, b: &Scalar, B: &RistrettoPoint) -> RistrettoPoint {
    let mut sum = Sum::<2>::new();
    sum.add(*a, A);
    sum.add(*b, B);
    sum.vartime_value()
}

/// Checks an extended show: one hash, and six equations by one multi-scalar multiplication whose 128-bit weights
/// are hashed from everything checked.
///
/// # Errors
/// When the show is not valid for this class, note and challenge, or a point is not the one that a verifier of
/// the compact form would compute.
#[inline(never)]
pub fn verify_extended_vartime(
    generators: &Generators,
    class: &Class,
    note: &Note,
    d: &Scalar,
    show: &Show,
    points: &Points,
) -> Result<(), VerificationFailure> {
    let weights = {
        let (class_id, show_bytes, points_bytes) = (class.id(), show.to_bytes(), points.to_bytes());
        weights::of_one(&[&class_id.0, &note.0, d.as_bytes(), &show_bytes, &points_bytes])
    };
    let equations = Equations::check(class, note, d, show, points)?;
    let mut sum = Sum::<12>::new();
    let shared = equations.weigh(&weights, |scalar, point| sum.add(scalar, point))?;
    shared.generators.iter().zip(bases(generators)).for_each(|(scalar, base)| sum.add(*scalar, &base));
    sum.add(shared.Y, class.Y());
    sum.add(shared.Z, class.Z());
    if sum.vartime_is_identity() { Ok(()) } else { Err(VerificationFailure) }
}

/// `G`, `H`, `K`, in the order of [`Shared::generators`].
fn bases(generators: &Generators) -> [RistrettoPoint; 3] {
    [RISTRETTO_BASEPOINT_POINT, generators.H, generators.K]
}

/// A show whose hash is right, and whose six equations remain to be checked.
struct Equations<'s> {
    note: OpenNote,
    d: &'s Scalar,
    show: &'s Show,
    points: &'s Points,
}

/// What the equations of one show ask of points that other shows ask for too.
struct Shared {
    generators: [Scalar; 3],
    Y: Scalar,
    Z: Scalar,
}

impl<'s> Equations<'s> {
    /// Everything but the curve arithmetic, and whether the points are any.
    #[inline(never)]
    fn check(
        class: &Class,
        note: &Note,
        d: &'s Scalar,
        show: &'s Show,
        points: &'s Points,
    ) -> Result<Self, VerificationFailure> {
        let note_points = (note.zeta(), note.zeta1());
        let note = note.open()?;
        if note.omega + note.omega_prime != points.epsilon(class, note_points.0, note_points.1) {
            return Err(VerificationFailure);
        }
        Ok(Self { note, d, show, points })
    }

    /// Σ weight·(right side − left side) of the six equations: the terms of this show are added, the rest is returned.
    /// The points are decoded one after the other, so that they take no memory at once.
    ///
    /// # Errors
    /// When one of the points is none; some terms have been added then.
    fn weigh(
        &self,
        weights: &[Scalar; 6],
        mut add: impl FnMut(Scalar, &RistrettoPoint),
    ) -> Result<Shared, VerificationFailure> {
        let OpenNote { zeta, zeta1, rho, omega, rho1, rho2, omega_prime, mu } = &self.note;
        let (Show { z0, z1, z3 }, d) = (self.show, self.d);
        let Points { alpha, beta1, beta2, eta, N0, N1 } = self.points;
        for (weight, point) in weights.iter().zip([alpha, beta1, beta2, eta, N0, N1]) {
            // Negating the point, not the weight, keeps the scalar at 128 bits.
            add(*weight, &-decode_point(point)?);
        }
        let [wa, wb1, wb2, we, w0, w1] = weights;
        add(wb2 * omega_prime + we * omega_prime - w0 * d, zeta);
        add(wb1 * omega_prime - wb2 * omega_prime - w1 * d, zeta1);
        Ok(Shared {
            generators: [wa * rho + wb1 * rho1 + w1 * z1, wb2 * rho2, w1 * z3],
            Y: wa * omega,
            Z: we * mu + w0 * z0,
        })
    }
}

impl From<DecodeError> for VerificationFailure {
    fn from(_: DecodeError) -> Self {
        Self
    }
}

impl fmt::Debug for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Show(..)")
    }
}

impl fmt::Display for VerificationFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a valid show of a note of this class")
    }
}

impl core::error::Error for VerificationFailure {}
