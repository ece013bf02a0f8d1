//! Many extended shows checked by one multi-scalar multiplication (§6).

use curve25519_dalek::{RistrettoPoint, Scalar};

use super::{Equations, Points, Show, VerificationFailure, bases};
use crate::class::Class;
use crate::group::Generators;
use crate::multiscalar::Sum;
#[cfg(feature = "alloc")]
use crate::multiscalar::vartime_sum;
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
        let weights = if self.shows == 0 { weights::first_is_one(weights) } else { weights };
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

/// The most terms that are multiplied at once, those that all shows share included. The more there are the less one
/// costs, and beyond thousands hardly less; but while it lasts each takes more than a kilobyte, so that a
/// microcontroller multiplies one show at a time.
#[cfg(feature = "alloc")]
const TERMS_MAX: usize = if cfg!(target_os = "none") { 13 } else { 8_192 };

/// Terms, until there are so many that they are multiplied, and the sum of those that were.
#[cfg(feature = "alloc")]
#[derive(Default)]
struct Terms {
    scalars: alloc::vec::Vec<Scalar>,
    points: alloc::vec::Vec<RistrettoPoint>,
    classes: alloc::vec::Vec<ClassTerms>,
    sum: RistrettoPoint,
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
        self.add_within::<TERMS_MAX>(class, Y, Z, own);
    }

    fn add_within<const MAX: usize>(&mut self, class: &Class, Y: Scalar, Z: Scalar, own: &Sum<8>) {
        let (scalars, points, plain) = own.parts();
        // With the two of a class, and the three generators at the end.
        let length = self.scalars.len() + 2 * self.classes.len();
        if length > 0 && length + scalars.len() + 2 + 3 > MAX {
            self.fold();
        }
        self.sum += plain;
        self.scalars.extend_from_slice(scalars);
        self.points.extend_from_slice(points);
        match self.classes.iter_mut().find(|terms| terms.id == class.id()) {
            Some(terms) => terms.scalars.iter_mut().zip([Y, Z]).for_each(|(sum, scalar)| *sum += scalar),
            None => self.classes.push(ClassTerms { id: class.id(), points: [*class.Y(), *class.Z()], scalars: [Y, Z] }),
        }
    }

    /// Multiplies what was collected.
    fn fold(&mut self) {
        self.sum = self.vartime_value(&Sum::new());
        self.scalars.clear();
        self.points.clear();
        self.classes.clear();
    }

    fn vartime_value(&self, shared: &Sum<3>) -> RistrettoPoint {
        let classes = self.classes.iter().flat_map(|terms| terms.scalars.iter().zip(&terms.points));
        let (scalars, points, plain) = shared.parts();
        let own = self.scalars.iter().zip(&self.points);
        self.sum + plain + vartime_sum(own.chain(classes).chain(scalars.iter().zip(points)))
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

#[cfg(test)]
#[cfg(feature = "alloc")]
mod tests {
    use curve25519_dalek::traits::Identity;

    use super::*;
    use crate::amount::{Amount, Timestamp};
    use crate::class::{Info, Kind};
    use crate::hash;
    use crate::text::{Currency, Name};

    fn class(epoch: u32) -> Class {
        let date = Timestamp::new(1).unwrap();
        let info = Info {
            issuer: Name::new("bank").unwrap(),
            currency: Currency::new("XTS").unwrap(),
            kind: Kind::Blank,
            amount: Amount::new(1).unwrap(),
            epoch,
            issue_from: date,
            spend_until: date,
            redeem_until: date,
            max_hops: 0,
        };
        Class::new(hash::hg("test", &[b"Y"]), info).unwrap()
    }

    /// How many terms are multiplied at once changes nothing but memory and time.
    #[test]
    fn sums_in_portions_are_the_sum() {
        let classes = [class(1), class(2), class(3)];
        let scalar = |seed: u8| hash::hs("test", &[&[seed]]);
        let mut expected = RistrettoPoint::identity();
        let (mut at_once, mut one_by_one, mut in_threes) = (Terms::default(), Terms::default(), Terms::default());
        for show in 0..7 {
            let class = &classes[usize::from(show) % classes.len()];
            let mut own = Sum::<8>::new();
            for term in 0..8 {
                let scalar = if show == 0 && term == 0 { Scalar::ONE } else { scalar(10 * show + term) };
                let point = hash::hg("test", &[&[show, term]]);
                own.add(scalar, &point);
                expected += scalar * point;
            }
            let (Y, Z) = (scalar(100 + show), scalar(200 + show));
            expected += Y * class.Y() + Z * class.Z();
            at_once.add(class, Y, Z, &own);
            one_by_one.add_within::<13>(class, Y, Z, &own);
            in_threes.add_within::<33>(class, Y, Z, &own);
            assert!(one_by_one.scalars.len() + 2 * one_by_one.classes.len() <= 10);
            assert!(in_threes.scalars.len() + 2 * in_threes.classes.len() <= 30);
        }
        let mut shared = Sum::<3>::new();
        shared.add(scalar(250), classes[0].Y());
        expected += scalar(250) * classes[0].Y();
        for terms in [at_once, one_by_one, in_threes] {
            assert_eq!(terms.vartime_value(&shared), expected);
        }
    }
}
