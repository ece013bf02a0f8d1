//! Many extended shows checked by one multi-scalar multiplication (§6).

use curve25519_dalek::{RistrettoPoint, Scalar};

use super::{Equations, Points, Show, VerificationFailure, bases};
use crate::class::Class;
use crate::group::Generators;
use crate::multiscalar::Sum;
use crate::note::Note;
use crate::{label, weights};

/// Shows whose equations are checked together. One wrong show makes the whole batch fail; check them one by one
/// then to find it.
pub struct Batch {
    generators: Generators,
    seed: [u8; 32],
    shows: u64,
    shared: [Scalar; 3],
    terms: Terms,
}

impl Batch {
    /// An empty batch. `seed` must be unpredictable to whoever made the shows: fresh random bytes, never reused.
    pub fn new(generators: Generators, seed: [u8; 32]) -> Self {
        Self { generators, seed, shows: 0, shared: [Scalar::ZERO; 3], terms: Terms::default() }
    }

    /// Adds a show: encodings and hash are checked at once, the equations with the rest.
    ///
    /// # Errors
    /// When the show is wrong already; the batch is then as it was.
    pub fn push(
        &mut self,
        class: &Class,
        note: &Note,
        d: &Scalar,
        show: &Show,
        points: &Points,
    ) -> Result<(), VerificationFailure> {
        let equations = Equations::check(class, note, d, show, points)?;
        let weights = weights::hashed(label::BATCH, &[&self.seed, &self.shows.to_be_bytes()]);
        let mut own = Sum::<8>::new();
        let shared = equations.weigh(&weights, &mut own);
        self.shared.iter_mut().zip(&shared.generators).for_each(|(sum, scalar)| *sum += scalar);
        self.terms.add(class, shared.Y, shared.Z, &own);
        self.shows += 1;
        Ok(())
    }

    /// Whether all equations of all shows hold.
    ///
    /// # Errors
    /// When any does not.
    pub fn verify_vartime(&self) -> Result<(), VerificationFailure> {
        if self.shows == 0 {
            // A payee of compact shows has nothing here: not worth a multiplication by zero.
            return Ok(());
        }
        let mut shared = Sum::<3>::new();
        self.shared.iter().zip(bases(&self.generators)).for_each(|(scalar, base)| shared.add(*scalar, &base));
        let identity = RistrettoPoint::default();
        if self.terms.vartime_value(&shared) == identity { Ok(()) } else { Err(VerificationFailure) }
    }
}

/// All terms, for one multiplication at the end.
#[cfg(feature = "alloc")]
#[derive(Default)]
struct Terms {
    scalars: alloc::vec::Vec<Scalar>,
    points: alloc::vec::Vec<RistrettoPoint>,
    classes: alloc::vec::Vec<ClassTerms>,
}

/// What all shows of one class ask of its two points.
#[cfg(feature = "alloc")]
struct ClassTerms {
    id: crate::bytes::ClassId,
    points: [RistrettoPoint; 2],
    scalars: [Scalar; 2],
}

#[cfg(feature = "alloc")]
impl Terms {
    fn add(&mut self, class: &Class, Y: Scalar, Z: Scalar, own: &Sum<8>) {
        for (scalar, point) in own.terms() {
            self.scalars.push(*scalar);
            self.points.push(*point);
        }
        match self.classes.iter_mut().find(|terms| terms.id == class.id()) {
            Some(terms) => terms.scalars.iter_mut().zip([Y, Z]).for_each(|(sum, scalar)| *sum += scalar),
            None => self.classes.push(ClassTerms { id: class.id(), points: [*class.Y(), *class.Z()], scalars: [Y, Z] }),
        }
    }

    fn vartime_value(&self, shared: &Sum<3>) -> RistrettoPoint {
        use curve25519_dalek::traits::VartimeMultiscalarMul;
        let classes = self.classes.iter().flat_map(|terms| terms.scalars.iter().zip(&terms.points));
        let all = self.scalars.iter().zip(&self.points).chain(classes).chain(shared.terms());
        let (scalars, points): (alloc::vec::Vec<&Scalar>, alloc::vec::Vec<&RistrettoPoint>) = all.unzip();
        RistrettoPoint::vartime_multiscalar_mul(scalars, points)
    }
}

/// The sum so far: without a heap each show is multiplied as it comes.
#[cfg(not(feature = "alloc"))]
#[derive(Default)]
struct Terms(RistrettoPoint);

#[cfg(not(feature = "alloc"))]
impl Terms {
    fn add(&mut self, class: &Class, Y: Scalar, Z: Scalar, own: &Sum<8>) {
        let mut classes = Sum::<2>::new();
        classes.add(Y, class.Y());
        classes.add(Z, class.Z());
        self.0 += own.vartime_value() + classes.vartime_value();
    }

    fn vartime_value(&self, shared: &Sum<3>) -> RistrettoPoint {
        self.0 + shared.vartime_value()
    }
}
