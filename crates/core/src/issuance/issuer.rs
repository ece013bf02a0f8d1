//! The bank's side of a withdrawal.

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Commitment, Response, concatenate, quarters};
use crate::class::Class;
use crate::encoding::DecodeError;
use crate::group::{Generators, RistrettoPoint, Scalar, decode_scalar, encode_doubles, half};
use crate::multiscalar::secret_sum;
use crate::{hash, label};

/// The secret key `x` of one class.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct IssuingKey {
    x: Scalar,
}

/// What the bank remembers between W2 and W4: `κ`, `s1`, `s2`, `δ`. Answering two different challenges from one
/// session publishes the issuing key, so the store must see to it that a session is answered once.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct IssuerSession {
    kappa: Scalar,
    s1: Scalar,
    s2: Scalar,
    delta: Scalar,
}

impl IssuingKey {
    /// A key from 32 secret random bytes.
    pub fn derive(seed: &[u8; 32]) -> Self {
        Self { x: hash::hs(label::ISSUING_KEY, &[seed]) }
    }

    /// A key from its canonical encoding.
    ///
    /// # Errors
    /// When the bytes are not canonical, or zero.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, DecodeError> {
        let x = decode_scalar(bytes)?;
        if bool::from(x.ct_eq(&Scalar::ZERO)) { Err(DecodeError::BadScalar) } else { Ok(Self { x }) }
    }

    /// For the bank's own key store. The caller zeroises the copy.
    pub fn expose_secret_bytes(&self) -> [u8; 32] {
        self.x.to_bytes()
    }

    /// `Y = x·G`.
    pub fn public(&self) -> RistrettoPoint {
        RistrettoPoint::mul_base(&self.x)
    }
}

impl IssuerSession {
    /// Length of the encoding `κ ‖ s1 ‖ s2 ‖ δ`.
    pub const LENGTH: usize = 128;

    /// W2 for device `U`, with everything drawn from 32 secret random bytes that are used for nothing else.
    pub fn commit(generators: &Generators, class: &Class, U: &RistrettoPoint, seed: &[u8; 32]) -> (Self, Commitment) {
        let draw = |name: &str, round: u8| hash::hs(label::ISSUER_SEED, &[seed, name.as_bytes(), &[round]]);
        let session = Self { kappa: draw("kappa", 0), s1: draw("s1", 0), s2: draw("s2", 0), delta: draw("delta", 0) };
        // `rnd` is drawn again when it makes a degenerate Z1: never, in practice.
        let commitment = (0..=u8::MAX)
            .find_map(|round| session.commit_with(generators, class, U, &draw("rnd", round)))
            .expect("256 degenerate draws in a row do not happen");
        (session, commitment)
    }

    /// W2 with given secrets, as test vectors have them. `None` where the bank has to draw `rnd` again.
    pub fn commit_with(
        &self,
        generators: &Generators,
        class: &Class,
        U: &RistrettoPoint,
        rnd: &Scalar,
    ) -> Option<Commitment> {
        let Z1 = U + RistrettoPoint::mul_base(rnd);
        let Z2 = class.Z() - Z1;
        let identity = RistrettoPoint::default();
        let degenerate: Choice = rnd.ct_eq(&Scalar::ZERO) | Z1.ct_eq(&identity) | Z2.ct_eq(&identity);
        if degenerate.into() {
            return None;
        }
        let halves = Zeroizing::new([&self.kappa, &self.s1, &self.s2, &self.delta].map(|scalar| half() * scalar));
        let [kappa, s1, s2, delta] = &*halves;
        let [a, b1, b2] = encode_doubles(&[
            RistrettoPoint::mul_base(kappa),
            secret_sum([s1, delta], [&RISTRETTO_BASEPOINT_POINT, &Z1]),
            secret_sum([s2, delta], [&generators.H, &Z2]),
        ]);
        Some(Commitment { rnd: rnd.to_bytes(), a, b1, b2 })
    }

    /// W4: `c = e − δ`, `r = κ − c·x`. Takes the session with it: it must never be answered again.
    pub fn answer(self, key: &IssuingKey, e: &Scalar) -> Response {
        let c = e - self.delta;
        Response { r: self.kappa - c * key.x, s1: self.s1, s2: self.s2, delta: self.delta }
    }

    /// For the bank's own session store. The caller zeroises the copy.
    pub fn expose_secret_bytes(&self) -> [u8; Self::LENGTH] {
        concatenate([self.kappa.as_bytes(), self.s1.as_bytes(), self.s2.as_bytes(), self.delta.as_bytes()])
    }

    /// From the bank's own session store, or from given secrets.
    ///
    /// # Errors
    /// When a scalar is not canonical.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, DecodeError> {
        let [kappa, s1, s2, delta] = quarters(bytes);
        Ok(Self {
            kappa: decode_scalar(&kappa)?,
            s1: decode_scalar(&s1)?,
            s2: decode_scalar(&s2)?,
            delta: decode_scalar(&delta)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::{Kind, tests::info};

    /// Why a session is answered once, and why the store behind it must survive everything.
    #[test]
    fn a_session_answered_twice_gives_the_key_away() {
        let generators = Generators::new();
        let key = IssuingKey::derive(&[1; 32]);
        let class = Class::new(key.public(), info(Kind::Value, 500)).unwrap();
        let U = generators.K * Scalar::from(5u8);
        let (session, _) = IssuerSession::commit(&generators, &class, &U, &[2; 32]);
        let (e, other) = (Scalar::from(3u8), Scalar::from(4u8));
        let (first, second) = (session.clone().answer(&key, &e), session.answer(&key, &other));
        let x = (first.r - second.r) * (other - e).invert();
        assert_eq!(x.to_bytes(), key.expose_secret_bytes());
    }

    #[test]
    fn sessions_differ_with_the_seed() {
        let generators = Generators::new();
        let key = IssuingKey::derive(&[1; 32]);
        let class = Class::new(key.public(), info(Kind::Value, 500)).unwrap();
        let U = generators.K;
        let commit = |seed| IssuerSession::commit(&generators, &class, &U, &[seed; 32]).1;
        assert_eq!(commit(1), commit(1));
        assert_ne!(commit(1), commit(2));
    }

    #[test]
    fn draws_again_when_the_masked_identity_would_be_degenerate() {
        let generators = Generators::new();
        let key = IssuingKey::derive(&[1; 32]);
        let class = Class::new(key.public(), info(Kind::Value, 500)).unwrap();
        let (session, _) = IssuerSession::commit(&generators, &class, &generators.K, &[2; 32]);
        let rnd = Scalar::from(9u8);
        let masking = RistrettoPoint::mul_base(&rnd);
        assert!(session.commit_with(&generators, &class, &generators.K, &Scalar::ZERO).is_none());
        assert!(session.commit_with(&generators, &class, &-masking, &rnd).is_none());
        assert!(session.commit_with(&generators, &class, &(class.Z() - masking), &rnd).is_none());
        assert!(session.commit_with(&generators, &class, &generators.K, &rnd).is_some());
    }
}
