//! Sums of multiples of points.
//!
//! Public ones are variable-time: checking that one is zero is how everything is verified (§6). With `alloc` the sum
//! is handed to `curve25519-dalek`; without, it is computed here on the stack, in the manner of Straus. Secret ones
//! are constant-time.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use curve25519_dalek::{RistrettoPoint, Scalar, traits::Identity};

/// `Σ scalar·point` in constant time. With a heap the multiplications share their doublings.
pub(crate) fn secret_sum<const N: usize>(scalars: [&Scalar; N], points: [&RistrettoPoint; N]) -> RistrettoPoint {
    #[cfg(feature = "alloc")]
    {
        use curve25519_dalek::traits::MultiscalarMul;
        RistrettoPoint::multiscalar_mul(scalars, points)
    }
    #[cfg(not(feature = "alloc"))]
    {
        scalars.into_iter().zip(points).map(|(scalar, point)| scalar * point).sum()
    }
}

/// A public sum of at most `N` multiples. They lie in the heap if there is one: a microcontroller's stack is small.
pub(crate) struct Sum<const N: usize> {
    #[cfg(feature = "alloc")]
    multiples: Multiples,
    #[cfg(not(feature = "alloc"))]
    multiples: ([Scalar; N], [RistrettoPoint; N], usize),
    /// What is added once needs no multiplication.
    plain: RistrettoPoint,
}

impl<const N: usize> Sum<N> {
    /// Adds `scalar·point`.
    pub(crate) fn add(&mut self, scalar: Scalar, point: &RistrettoPoint) {
        if scalar == Scalar::ONE { self.plain += point } else { self.add_multiple(scalar, point) }
    }

    /// Whether the sum is the identity.
    pub(crate) fn vartime_is_identity(&self) -> bool {
        self.vartime_value() == RistrettoPoint::identity()
    }
}

#[cfg(feature = "alloc")]
impl<const N: usize> Sum<N> {
    pub(crate) fn new() -> Self {
        Self { multiples: Multiples::with_capacity(N), plain: RistrettoPoint::identity() }
    }

    fn add_multiple(&mut self, scalar: Scalar, point: &RistrettoPoint) {
        self.multiples.push(scalar, point);
    }

    /// The sum.
    pub(crate) fn vartime_value(&self) -> RistrettoPoint {
        self.plain + vartime_sum(self.multiples.iter())
    }
}

#[cfg(not(feature = "alloc"))]
impl<const N: usize> Sum<N> {
    pub(crate) fn new() -> Self {
        let identity = RistrettoPoint::identity();
        Self { multiples: ([Scalar::ZERO; N], [identity; N], 0), plain: identity }
    }

    fn add_multiple(&mut self, scalar: Scalar, point: &RistrettoPoint) {
        let (scalars, points, length) = &mut self.multiples;
        scalars[*length] = scalar;
        points[*length] = *point;
        *length += 1;
    }

    /// The sum.
    pub(crate) fn vartime_value(&self) -> RistrettoPoint {
        let (scalars, points, length) = &self.multiples;
        self.plain + vartime_straus::<N>(&scalars[..*length], &points[..*length])
    }
}

/// Multiples that are to be summed.
#[cfg(feature = "alloc")]
#[derive(Default)]
pub(crate) struct Multiples {
    scalars: Vec<Scalar>,
    points: Vec<RistrettoPoint>,
}

#[cfg(feature = "alloc")]
impl Multiples {
    fn with_capacity(count: usize) -> Self {
        Self { scalars: Vec::with_capacity(count), points: Vec::with_capacity(count) }
    }

    /// Makes room for so many more, and for no others: a microcontroller has none to spare.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.scalars.reserve_exact(count);
        self.points.reserve_exact(count);
    }

    pub(crate) fn push(&mut self, scalar: Scalar, point: &RistrettoPoint) {
        self.scalars.push(scalar);
        self.points.push(*point);
    }

    pub(crate) fn len(&self) -> usize {
        self.scalars.len()
    }

    /// Forgets all but the first.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.scalars.truncate(count);
        self.points.truncate(count);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Scalar, &RistrettoPoint)> + Clone {
        self.scalars.iter().zip(&self.points)
    }
}

/// A public sum of as many multiples as there are, over the heap.
#[cfg(feature = "alloc")]
pub(crate) fn vartime_sum<'t>(terms: impl Iterator<Item = (&'t Scalar, &'t RistrettoPoint)> + Clone) -> RistrettoPoint {
    let count = terms.clone().count();
    vartime_sum_of_parts(terms, count, terms_at_once(count))
}

/// How many of `count` terms are multiplied at once. All, where there is memory for them; each takes 1.5 kB meanwhile, and a
/// microcontroller has as much as its wallet leaves. Then in parts of one size: each part costs the doublings once more.
#[cfg(feature = "alloc")]
fn terms_at_once(count: usize) -> usize {
    if cfg!(not(target_os = "none")) {
        return count;
    }
    let has_room = |terms: &usize| {
        // What is allocated to multiply so many: operands, which become tables, and the digits of scalars.
        let (mut operands, mut digits) = (Vec::<Operand<'_>>::new(), Vec::<[u8; 256 + 32]>::new());
        operands.try_reserve_exact(*terms).is_ok() && digits.try_reserve_exact(*terms).is_ok()
    };
    (1..count).map(|parts| count.div_ceil(parts)).find(has_room).unwrap_or(1)
}

/// The sum of `count` terms, so many `at_once`.
#[cfg(feature = "alloc")]
fn vartime_sum_of_parts<'t>(
    mut terms: impl Iterator<Item = (&'t Scalar, &'t RistrettoPoint)>,
    count: usize,
    at_once: usize,
) -> RistrettoPoint {
    use curve25519_dalek::traits::VartimeMultiscalarMul;
    let mut sum = RistrettoPoint::identity();
    let mut left = count;
    while left > 0 {
        let part = left.min(at_once);
        let (mut scalars, mut points) = (Vec::with_capacity(part), Vec::with_capacity(part));
        for (scalar, point) in terms.by_ref().take(part) {
            scalars.push(scalar);
            points.push(Operand { point, room: ROOM });
        }
        sum += RistrettoPoint::vartime_multiscalar_mul(scalars, points);
        left -= part;
    }
    sum
}

/// A point for `curve25519-dalek` to multiply. It makes a table of each; collecting them in a vector that grows would
/// take up to thrice their size meanwhile, which a computer has. On a microcontroller an operand is as large as a
/// table, and the standard library then collects them where the operands were.
#[cfg(feature = "alloc")]
struct Operand<'p> {
    point: &'p RistrettoPoint,
    #[allow(dead_code, reason = "room for what is put in its place")]
    room: Room,
}

#[cfg(all(feature = "alloc", not(target_os = "none")))]
type Room = ();
#[cfg(all(feature = "alloc", not(target_os = "none")))]
const ROOM: Room = ();
/// A table is eight points of four coordinates of ten words; a pointer is one word.
#[cfg(all(feature = "alloc", target_os = "none"))]
type Room = core::mem::MaybeUninit<[u32; 8 * 4 * 10 - 1]>;
#[cfg(all(feature = "alloc", target_os = "none"))]
const ROOM: Room = core::mem::MaybeUninit::uninit();

#[cfg(feature = "alloc")]
impl core::borrow::Borrow<RistrettoPoint> for Operand<'_> {
    fn borrow(&self) -> &RistrettoPoint {
        self.point
    }
}

/// Width of the non-adjacent form: digits are odd and below `2^(WIDTH - 1)` in absolute value.
#[cfg(any(test, not(feature = "alloc")))]
const WIDTH: usize = 4;

/// Odd multiples `P, 3P, … ` that such digits select.
#[cfg(any(test, not(feature = "alloc")))]
const MULTIPLES: usize = 1 << (WIDTH - 2);

/// Straus's method over non-adjacent forms (Handbook of Applied Cryptography, 14.88).
#[cfg(any(test, not(feature = "alloc")))]
fn vartime_straus<const N: usize>(scalars: &[Scalar], points: &[RistrettoPoint]) -> RistrettoPoint {
    let mut digits = [[0i8; 256]; N];
    let mut tables = [[RistrettoPoint::identity(); MULTIPLES]; N];
    for (((scalar, point), digits), table) in scalars.iter().zip(points).zip(&mut digits).zip(&mut tables) {
        *digits = non_adjacent_form(scalar);
        let double = point + point;
        table[0] = *point;
        for i in 1..MULTIPLES {
            table[i] = table[i - 1] + double;
        }
    }
    let mut sum = RistrettoPoint::identity();
    let mut started = false;
    for position in (0..256).rev() {
        if started {
            sum = sum + sum;
        }
        for (digits, table) in digits.iter().zip(&tables) {
            let digit = digits[position];
            if digit != 0 {
                started = true;
                let multiple = &table[usize::from(digit.unsigned_abs()) / 2];
                sum = if digit > 0 { sum + multiple } else { sum - multiple };
            }
        }
    }
    sum
}

/// Signed odd digits, at most one in any [`WIDTH`] places, that sum up to the scalar.
#[cfg(any(test, not(feature = "alloc")))]
fn non_adjacent_form(scalar: &Scalar) -> [i8; 256] {
    let bytes = scalar.as_bytes();
    let bit = |position: usize| bytes.get(position / 8).map_or(0, |byte| i8::from(byte >> (position % 8) & 1 == 1));
    let mut digits = [0; 256];
    let mut carry = 0;
    let mut position = 0;
    while position < 256 {
        if bit(position) + carry != 1 {
            // Even: 0, or 1 with a carry, which is passed on.
            position += 1;
            continue;
        }
        let window = (1..WIDTH).fold(1, |window, i| window | bit(position + i) << i);
        carry = i8::from(window >= 1 << (WIDTH - 1));
        digits[position] = window - (carry << WIDTH);
        position += WIDTH;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash;

    fn scalar(seed: u64) -> Scalar {
        hash::hs("test", &[&seed.to_be_bytes()])
    }

    fn point(seed: u64) -> RistrettoPoint {
        hash::hg("test", &[&seed.to_be_bytes()])
    }

    #[test]
    fn agrees_with_one_multiplication_at_a_time() {
        let edge =
            [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(u128::MAX), Scalar::from(7u8), Scalar::from(8u8)];
        for round in 0..8 {
            let mut scalars: [Scalar; 13] = core::array::from_fn(|i| scalar(round * 100 + i as u64));
            scalars[round as usize % 13] = edge[round as usize % edge.len()];
            let points: [RistrettoPoint; 13] = core::array::from_fn(|i| point(round * 100 + i as u64));
            let expected: RistrettoPoint = scalars.iter().zip(&points).map(|(s, p)| s * p).sum();
            assert_eq!(vartime_straus::<13>(&scalars, &points), expected, "round {round}");
            let mut sum = Sum::<13>::new();
            scalars.iter().zip(&points).for_each(|(s, p)| sum.add(*s, p));
            assert_eq!(sum.vartime_value(), expected);
            #[cfg(feature = "alloc")]
            for at_once in 1..=13 {
                assert_eq!(vartime_sum_of_parts(scalars.iter().zip(&points), 13, at_once), expected);
            }
            assert_eq!(secret_sum(scalars.each_ref(), points.each_ref()), expected);
        }
    }

    #[test]
    fn recodes_every_scalar_to_itself() {
        for scalar in (0..64).map(scalar).chain([Scalar::ZERO, -Scalar::ONE, Scalar::from(u64::MAX)]) {
            let digits = non_adjacent_form(&scalar);
            let two = Scalar::from(2u8);
            let value = digits.iter().rev().fold(Scalar::ZERO, |sum, &digit| {
                let magnitude = Scalar::from(digit.unsigned_abs());
                sum * two + if digit < 0 { -magnitude } else { magnitude }
            });
            assert_eq!(value, scalar);
        }
    }
}
