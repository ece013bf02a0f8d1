//! Many extended shows checked by one multi-scalar multiplication (§6).

use curve25519_dalek::{RistrettoPoint, Scalar};

use super::{Equations, Points, Shared, Show, VerificationFailure, bases};
use crate::class::Class;
use crate::group::Generators;
#[cfg(not(feature = "alloc"))]
use crate::multiscalar::Sum;
#[cfg(feature = "alloc")]
use crate::multiscalar::{Multiples, vartime_sum};
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
    #[inline(never)]
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
        let generators = self.terms.add(class, &equations, &weights)?;
        self.shared.iter_mut().zip(&generators).for_each(|(sum, scalar)| *sum += scalar);
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
        let value = self.terms.vartime_value(&self.shared, &bases(&self.generators));
        if value == RistrettoPoint::default() { Ok(()) } else { Err(VerificationFailure) }
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
    own: Multiples,
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

/// Terms of one show: six points of its own and two of its note.
#[cfg(feature = "alloc")]
const OWN: usize = 8;

#[cfg(feature = "alloc")]
impl Terms {
    /// Adds the terms of a show; gives what it asks of the generators.
    fn add(
        &mut self,
        class: &Class,
        equations: &Equations<'_>,
        weights: &[Scalar; 6],
    ) -> Result<[Scalar; 3], VerificationFailure> {
        self.make_room::<TERMS_MAX>();
        let (before, mut plain) = (self.own.len(), RistrettoPoint::default());
        let weighed =
            equations.weigh(
                weights,
                |scalar, point| {
                    if scalar == Scalar::ONE { plain += point } else { self.own.push(scalar, point) }
                },
            );
        let Shared { generators, Y, Z } = weighed.inspect_err(|_| self.own.truncate(before))?;
        self.sum += plain;
        self.add_class(class, [Y, Z]);
        Ok(generators)
    }

    /// Multiplies what was collected, if that leaves room for no other show, its class and the generators.
    fn make_room<const MAX: usize>(&mut self) {
        let length = self.own.len() + 2 * self.classes.len();
        if length > 0 && length + OWN + 2 + 3 > MAX {
            self.sum = self.vartime_value(&[], &[]);
            self.own.truncate(0);
            self.classes.clear();
        }
        if cfg!(target_os = "none") {
            self.own.reserve(OWN);
        }
    }

    fn add_class(&mut self, class: &Class, scalars: [Scalar; 2]) {
        match self.classes.iter_mut().find(|terms| terms.id == class.id()) {
            Some(terms) => terms.scalars.iter_mut().zip(scalars).for_each(|(sum, scalar)| *sum += scalar),
            None => self.classes.push(ClassTerms { id: class.id(), points: [*class.Y(), *class.Z()], scalars }),
        }
    }

    fn vartime_value(&self, scalars: &[Scalar], bases: &[RistrettoPoint]) -> RistrettoPoint {
        let classes = self.classes.iter().flat_map(|terms| terms.scalars.iter().zip(&terms.points));
        self.sum + vartime_sum(self.own.iter().chain(classes).chain(scalars.iter().zip(bases)))
    }
}

/// The sum so far: without a heap each show is multiplied as it comes.
#[cfg(not(feature = "alloc"))]
#[derive(Default)]
struct Terms(RistrettoPoint);

#[cfg(not(feature = "alloc"))]
impl Terms {
    fn add(
        &mut self,
        class: &Class,
        equations: &Equations<'_>,
        weights: &[Scalar; 6],
    ) -> Result<[Scalar; 3], VerificationFailure> {
        let mut own = Sum::<10>::new();
        let Shared { generators, Y, Z } = equations.weigh(weights, |scalar, point| own.add(scalar, point))?;
        own.add(Y, class.Y());
        own.add(Z, class.Z());
        self.0 += own.vartime_value();
        Ok(generators)
    }

    fn vartime_value(&self, scalars: &[Scalar; 3], bases: &[RistrettoPoint; 3]) -> RistrettoPoint {
        let mut shared = Sum::<3>::new();
        scalars.iter().zip(bases).for_each(|(scalar, base)| shared.add(*scalar, base));
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
            at_once.make_room::<TERMS_MAX>();
            one_by_one.make_room::<13>();
            in_threes.make_room::<33>();
            for terms in [&mut at_once, &mut one_by_one, &mut in_threes] {
                (0..8).for_each(|term| terms.own.push(scalar(10 * show + term), &hash::hg("test", &[&[show, term]])));
                terms.add_class(class, [scalar(100 + show), scalar(200 + show)]);
            }
            let own = (0..8).map(|term| scalar(10 * show + term) * hash::hg("test", &[&[show, term]]));
            expected += own.sum::<RistrettoPoint>() + scalar(100 + show) * class.Y() + scalar(200 + show) * class.Z();
            assert!(one_by_one.own.len() + 2 * one_by_one.classes.len() <= 10);
            assert!(in_threes.own.len() + 2 * in_threes.classes.len() <= 30);
        }
        expected += scalar(250) * classes[0].Y();
        for terms in [at_once, one_by_one, in_threes] {
            assert_eq!(terms.vartime_value(&[scalar(250)], &[*classes[0].Y()]), expected);
        }
    }
}
