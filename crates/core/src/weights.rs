//! Factors by which equations are added up, so that one multiplication checks them all (§6).

use crate::group::Scalar;
use crate::{hash, label};

/// `N` numbers of 128 bits, hashed from `everything` that is checked: whoever makes it cannot foresee them.
pub(crate) fn hashed<const N: usize>(label: &str, everything: &[&[u8]]) -> [Scalar; N] {
    const IN_A_BLOCK: usize = 4;
    let seed = hash::h512(label, everything);
    let mut block = [0; 64];
    core::array::from_fn(|index| {
        if index % IN_A_BLOCK == 0 {
            let number = u8::try_from(index / IN_A_BLOCK).expect("a handful of weights");
            block = hash::h512(label, &[&seed, &[number]]);
        }
        let weight = &block[index % IN_A_BLOCK * 16..][..16];
        Scalar::from(u128::from_le_bytes(weight.try_into().expect("16 bytes")))
    })
}

/// Of the equations of one show, or of one issuance. The first is one, and its equation costs no multiplication (§6).
pub(crate) fn of_one<const N: usize>(everything: &[&[u8]]) -> [Scalar; N] {
    first_is_one(hashed(label::WEIGHTS, everything))
}

/// One weight of a whole sum may be one: if an equation with another weight does not hold, that weight would have to be
/// the one value of 2^128 that fits; if all of those hold, nothing is left to cancel this one.
pub(crate) fn first_is_one<const N: usize>(mut weights: [Scalar; N]) -> [Scalar; N] {
    weights[0] = Scalar::ONE;
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_differ_from_each_other_and_with_the_input() {
        let weights: [Scalar; 9] = of_one(&[b"a"]);
        let other: [Scalar; 9] = of_one(&[b"b"]);
        assert_eq!((weights[0], other[0]), (Scalar::ONE, Scalar::ONE));
        for (index, weight) in weights.iter().enumerate().skip(1) {
            assert!(weight.as_bytes()[16..] == [0; 16], "128 bits");
            assert!(!weights[..index].contains(weight) && !other.contains(weight));
        }
    }
}
