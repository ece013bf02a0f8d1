//! The four hash functions of §2, all over SHA-512 with a label and unambiguous lengths.

use curve25519_dalek::{RistrettoPoint, Scalar};
#[cfg(not(target_os = "none"))]
use sha2::Digest;
#[cfg(not(target_os = "none"))]
pub(crate) use sha2::Sha512;
use zeroize::Zeroize;

#[cfg(target_os = "none")]
pub(crate) use sha512::Sha512;

#[cfg(any(target_os = "none", test))]
mod sha512;

/// `H512` as a stream, for inputs that are not in one place. Parts are added whole, in order.
#[derive(Clone)]
pub struct Hasher(Sha512);

impl Hasher {
    /// Starts a hash under `label`, at most 65,535 bytes.
    pub fn new(label: &str) -> Self {
        let length = u16::try_from(label.len()).expect("labels are short constants");
        let mut sha = Sha512::new();
        sha.update(length.to_be_bytes());
        sha.update(label.as_bytes());
        Self(sha)
    }

    /// Adds one part, preceded by its length.
    #[must_use]
    pub fn part(mut self, part: &[u8]) -> Self {
        self.add(part);
        self
    }

    /// The same in place: a hash is not small, and moving it about costs.
    fn add(&mut self, part: &[u8]) {
        let length = u32::try_from(part.len()).expect("parts are messages, far below 4 GiB");
        self.0.update(length.to_be_bytes());
        self.0.update(part);
    }

    /// `H512`: all 64 bytes.
    pub fn h512(self) -> [u8; 64] {
        finish(self.0)
    }

    /// `H32`: the first 32 bytes.
    pub fn h32(self) -> [u8; 32] {
        first(&self.h512())
    }

    /// `Hs`: read little-endian, modulo `l`.
    pub fn hs(self) -> Scalar {
        let mut wide = self.h512();
        let scalar = Scalar::from_bytes_mod_order_wide(&wide);
        wide.zeroize();
        scalar
    }
}

/// `H512(label, parts…)` (§2).
pub fn h512(label: &str, parts: &[&[u8]]) -> [u8; 64] {
    over(label, parts).h512()
}

/// `H32(label, parts…)` (§2).
pub fn h32(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    over(label, parts).h32()
}

/// `Hs(label, parts…)` (§2).
pub fn hs(label: &str, parts: &[&[u8]]) -> Scalar {
    over(label, parts).hs()
}

/// `Hg(dst, parts…)` over the concatenation of `parts`: `ristretto255_XMD:SHA-512_R255MAP_RO_` of RFC 9380,
/// appendix B, with `expand_message_xmd` of its §5.3.1 for 64 bytes.
pub fn hg(dst: &str, parts: &[&[u8]]) -> RistrettoPoint {
    const BLOCK: [u8; 128] = [0; 128];
    let dst_length = [u8::try_from(dst.len()).expect("labels are short constants")];
    let mut b0 = Sha512::new();
    b0.update(BLOCK);
    for part in parts {
        b0.update(part);
    }
    b0.update(64u16.to_be_bytes());
    b0.update([0]);
    b0.update(dst.as_bytes());
    b0.update(dst_length);
    let b0 = b0.finalize();
    let mut b1 = Sha512::new();
    b1.update(b0);
    b1.update([1]);
    b1.update(dst.as_bytes());
    b1.update(dst_length);
    RistrettoPoint::from_uniform_bytes(&finish(b1))
}

fn over(label: &str, parts: &[&[u8]]) -> Hasher {
    let mut hasher = Hasher::new(label);
    parts.iter().for_each(|part| hasher.add(part));
    hasher
}

#[allow(clippy::useless_conversion, reason = "`sha2` has a type of its own for it")]
fn finish(sha: Sha512) -> [u8; 64] {
    sha.finalize().into()
}

fn first(wide: &[u8; 64]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(&wide[..32]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_separate_parts() {
        assert_ne!(h512("l", &[b"ab", b"c"]), h512("l", &[b"a", b"bc"]));
        assert_ne!(h512("la", &[b"b"]), h512("l", &[b"ab"]));
        assert_ne!(h512("l", &[b"", b"a"]), h512("l", &[b"a"]));
    }
}
