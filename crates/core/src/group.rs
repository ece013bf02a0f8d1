//! ristretto255 (RFC 9496): decoding of what others send, and the two further generators.

pub use curve25519_dalek::{RistrettoPoint, Scalar};

use curve25519_dalek::ristretto::CompressedRistretto;

use crate::encoding::DecodeError;

/// `H` of §2: `Hg("specie/v1/generator", "H")`.
const H: [u8; 32] = [
    0x9c, 0x00, 0x15, 0xf9, 0xed, 0xcf, 0x2f, 0xc4, 0xf4, 0x3d, 0xb0, 0xe1, 0xfe, 0xc9, 0xec, 0x72, 0xdd, 0x26, 0x56,
    0xaa, 0xde, 0x9b, 0xf6, 0x05, 0x1a, 0x07, 0x0c, 0x1b, 0x85, 0x97, 0x6d, 0x47,
];

/// `K` of §2: `Hg("specie/v1/generator", "K")`.
const K: [u8; 32] = [
    0xfe, 0x54, 0xf8, 0xa8, 0x03, 0x9e, 0x1f, 0xda, 0x62, 0x90, 0x88, 0xe2, 0x56, 0x0d, 0xc4, 0x14, 0x04, 0x96, 0xe5,
    0x65, 0xd8, 0xef, 0xf2, 0x6d, 0x0a, 0x06, 0xda, 0xce, 0xfe, 0x2d, 0x86, 0x40,
];

/// `(l + 1) / 2`.
const HALF: [u8; 32] = [
    0xf7, 0xe9, 0x7a, 0x2e, 0x8d, 0x31, 0x09, 0x2c, 0x6b, 0xce, 0x7b, 0x51, 0xef, 0x7c, 0x6f, 0x0a, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08,
];

/// The generators besides the base point `G` (§2). Nobody knows a logarithm between any two of the three.
#[derive(Clone, Copy)]
pub struct Generators {
    /// Base of the second half of a note's signature.
    pub H: RistrettoPoint,
    /// Base of device identities: `U = u·K`.
    pub K: RistrettoPoint,
}

impl Generators {
    /// Decodes both. Make it once and keep it.
    pub fn new() -> Self {
        let decode = |bytes| decode_point(bytes).expect("the constants are canonical");
        Self { H: decode(&H), K: decode(&K) }
    }
}

impl Default for Generators {
    fn default() -> Self {
        Self::new()
    }
}

/// A point from its canonical encoding, and from no other.
///
/// # Errors
/// For every other 32 bytes.
pub fn decode_point(bytes: &[u8; 32]) -> Result<RistrettoPoint, DecodeError> {
    CompressedRistretto(*bytes).decompress().ok_or(DecodeError::BadPoint)
}

/// The canonical encoding of a point.
pub fn encode_point(point: &RistrettoPoint) -> [u8; 32] {
    point.compress().to_bytes()
}

/// The canonical encodings of the doubles of `points`. With a heap all of them share one inversion, which is most of
/// what an encoding costs: whoever can, computes the halves of what is to be encoded (see [`half`]).
pub(crate) fn encode_doubles<const N: usize>(points: &[RistrettoPoint; N]) -> [[u8; 32]; N] {
    #[cfg(feature = "alloc")]
    {
        let encoded = RistrettoPoint::double_and_compress_batch(points);
        core::array::from_fn(|index| encoded[index].to_bytes())
    }
    #[cfg(not(feature = "alloc"))]
    {
        points.map(|point| encode_point(&(point + point)))
    }
}

/// `1/2` modulo `l`.
pub(crate) fn half() -> Scalar {
    decode_scalar(&HALF).expect("the constant is canonical")
}

/// `−x`. The library's own negation reduces once more first, which no scalar needs: 2 kB on a microcontroller.
pub(crate) fn negative(x: &Scalar) -> Scalar {
    Scalar::ZERO - x
}

/// `1/x`, of an `x` that is neither zero nor secret: `x` to the power of `l − 2`. Not the library's, which is for secrets and takes 4 kB
/// on a microcontroller; whatever is divided here is divided once in the life of a cheat.
pub(crate) fn inverse_vartime(x: &Scalar) -> Scalar {
    let exponent = negative(&Scalar::from(2u8)).to_bytes();
    (0..256).rev().fold(Scalar::ONE, |power, bit| {
        let square = power * power;
        if exponent[bit / 8] >> (bit % 8) & 1 == 1 { square * x } else { square }
    })
}

/// A scalar from its canonical encoding, and from no other.
///
/// # Errors
/// For every other 32 bytes.
pub fn decode_scalar(bytes: &[u8; 32]) -> Result<Scalar, DecodeError> {
    Option::from(Scalar::from_canonical_bytes(*bytes)).ok_or(DecodeError::BadScalar)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hash, label};

    #[test]
    fn generators_are_what_the_specification_derives() {
        let generators = Generators::new();
        assert_eq!(generators.H, hash::hg(label::GENERATOR, &[b"H"]));
        assert_eq!(generators.K, hash::hg(label::GENERATOR, &[b"K"]));
    }

    #[test]
    fn negatives_and_inverses_are_those_of_the_library() {
        let numbers = [Scalar::ONE, Scalar::from(2u8), hash::hs("x", &[b"1"]), -Scalar::ONE, hash::hs("x", &[b"2"])];
        for x in numbers {
            assert_eq!((negative(&x), inverse_vartime(&x)), (-x, x.invert()));
            assert_eq!(inverse_vartime(&x) * x, Scalar::ONE);
        }
        assert_eq!(negative(&Scalar::ZERO).to_bytes(), [0; 32]);
    }

    #[test]
    fn a_half_and_a_half_make_one() {
        assert_eq!(half() + half(), Scalar::ONE);
    }

    /// The identity too: were it to spoil the encodings beside it, hostile points could make a hash meaningless.
    #[test]
    fn doubles_encode_as_one_by_one() {
        let Generators { H: P, K: Q } = Generators::new();
        let points = [P, RistrettoPoint::default(), Q, P - P, half() * Q, -P];
        assert_eq!(encode_doubles(&points), points.map(|point| encode_point(&(point + point))));
        assert_eq!(encode_doubles(&points)[1], [0; 32]);
        assert_eq!(encode_doubles(&points)[4], encode_point(&Q));
    }

    #[test]
    fn rejects_every_encoding_but_the_canonical_one() {
        // l itself, and 2^255 - 19, little-endian: zero in another form.
        let mut l = [0; 32];
        l[..16].copy_from_slice(&0x14de_f9de_a2f7_9cd6_5812_631a_5cf5_d3ed_u128.to_le_bytes());
        l[31] = 0x10;
        assert!(decode_scalar(&l).is_err());
        let mut p = [0xff; 32];
        p[0] = 0xed;
        p[31] = 0x7f;
        assert!(decode_point(&p).is_err());
        let mut sign = H;
        sign[31] |= 0x80;
        assert!(decode_point(&sign).is_err());
        let mut negative = [0; 32];
        negative[0] = 1;
        assert!(decode_point(&negative).is_err());
    }
}
