//! SHA-512 (FIPS 180-4) for microcontrollers, in place of `sha2`: there that takes more instructions, or 26 kB of flash.
//! Everything else uses `sha2`, which the tests here compare with.

use sha2::digest::array::typenum::U64;
use sha2::digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update};
use zeroize::Zeroize;

/// A hash that bytes are added to.
#[derive(Clone)]
pub(crate) struct Sha512 {
    state: [u64; 8],
    /// Bytes that do not fill a block yet: `length` modulo its size.
    block: [u8; BLOCK],
    /// Bytes so far.
    length: usize,
}

/// Bytes of a block.
const BLOCK: usize = 128;

/// Where in the last block the length stands, in bits and big-endian, in 16 bytes.
const LENGTH_AT: usize = BLOCK - 16;

/// The first 64 bits of the fractional parts of the square roots of the first 8 primes.
const START: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The first 64 bits of the fractional parts of the cube roots of the first 80 primes.
#[rustfmt::skip]
const ROUNDS: [u64; 80] = [
    0x428a_2f98_d728_ae22, 0x7137_4491_23ef_65cd, 0xb5c0_fbcf_ec4d_3b2f, 0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538, 0x59f1_11f1_b605_d019, 0x923f_82a4_af19_4f9b, 0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242, 0x1283_5b01_4570_6fbe, 0x2431_85be_4ee4_b28c, 0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f, 0x80de_b1fe_3b16_96b1, 0x9bdc_06a7_25c7_1235, 0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2, 0xefbe_4786_384f_25e3, 0x0fc1_9dc6_8b8c_d5b5, 0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275, 0x4a74_84aa_6ea6_e483, 0x5cb0_a9dc_bd41_fbd4, 0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab, 0xa831_c66d_2db4_3210, 0xb003_27c8_98fb_213f, 0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2, 0xd5a7_9147_930a_a725, 0x06ca_6351_e003_826f, 0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc, 0x2e1b_2138_5c26_c926, 0x4d2c_6dfc_5ac4_2aed, 0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de, 0x766a_0abb_3c77_b2a8, 0x81c2_c92e_47ed_aee6, 0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364, 0xa81a_664b_bc42_3001, 0xc24b_8b70_d0f8_9791, 0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218, 0xd699_0624_5565_a910, 0xf40e_3585_5771_202a, 0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8, 0x1e37_6c08_5141_ab53, 0x2748_774c_df8e_eb99, 0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63, 0x4ed8_aa4a_e341_8acb, 0x5b9c_ca4f_7763_e373, 0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc, 0x78a5_636f_4317_2f60, 0x84c8_7814_a1f0_ab72, 0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28, 0xa450_6ceb_de82_bde9, 0xbef9_a3f7_b2c6_7915, 0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c, 0xd186_b8c7_21c0_c207, 0xeada_7dd6_cde0_eb1e, 0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba, 0x0a63_7dc5_a2c8_98a6, 0x113f_9804_bef9_0dae, 0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84, 0x32ca_ab7b_40c7_2493, 0x3c9e_be0a_15c9_bebc, 0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6, 0x597f_299c_fc65_7e2a, 0x5fcb_6fab_3ad6_faec, 0x6c44_198c_4a47_5817,
];

impl Sha512 {
    pub(crate) fn new() -> Self {
        Self { state: START, block: [0; BLOCK], length: 0 }
    }

    /// Adds bytes.
    pub(crate) fn update(&mut self, bytes: impl AsRef<[u8]>) {
        let mut bytes = bytes.as_ref();
        let filled = self.length % BLOCK;
        self.length += bytes.len();
        // Mostly it is short; how short, the compiler often knows.
        if bytes.len() < BLOCK - filled {
            self.block[filled..][..bytes.len()].copy_from_slice(bytes);
            return;
        }
        if filled > 0 {
            let (head, rest) = bytes.split_at(BLOCK - filled);
            self.block[filled..].copy_from_slice(head);
            compress(&mut self.state, &self.block);
            bytes = rest;
        }
        while let Some((block, rest)) = bytes.split_first_chunk() {
            compress(&mut self.state, block);
            bytes = rest;
        }
        self.block[..bytes.len()].copy_from_slice(bytes);
    }

    /// The hash.
    pub(crate) fn finalize(mut self) -> [u8; 64] {
        let filled = self.length % BLOCK;
        self.block[filled] = 0x80;
        self.block[filled + 1..].fill(0);
        if filled >= LENGTH_AT {
            compress(&mut self.state, &self.block);
            self.block.fill(0);
        }
        self.block[LENGTH_AT..].copy_from_slice(&(self.length as u128 * 8).to_be_bytes());
        compress(&mut self.state, &self.block);
        let mut hash = [0; 64];
        for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(&self.state) {
            *bytes = word.to_be_bytes();
        }
        hash
    }
}

/// What signatures want of a hash.
impl HashMarker for Sha512 {}

impl Default for Sha512 {
    fn default() -> Self {
        Self::new()
    }
}

impl OutputSizeUser for Sha512 {
    type OutputSize = U64;
}

impl Update for Sha512 {
    fn update(&mut self, data: &[u8]) {
        self.update(data);
    }
}

impl FixedOutput for Sha512 {
    fn finalize_into(self, out: &mut Output<Self>) {
        *out = self.finalize().into();
    }
}

impl Drop for Sha512 {
    fn drop(&mut self) {
        self.state.zeroize();
        // Of a short hash, most of the block was never written.
        self.block[..self.length.min(BLOCK)].zeroize();
    }
}

/// The four functions Σ0, Σ1, σ0, σ1 on the two halves of a word: written out, a rotation costs nothing of its own.
macro_rules! mixing {
    ($name:ident, $x:ident, $low:ident, $high:ident: $of_low:expr, $of_high:expr) => {
        #[inline(always)]
        fn $name($x: u64) -> u64 {
            let ($low, $high) = ($x as u32, ($x >> 32) as u32);
            u64::from($of_low) | u64::from($of_high) << 32
        }
    };
}

// Rotations by 28, 34 and 39.
mixing!(big_sigma_0, x, l, h:
    (l >> 28) ^ (h << 4) ^ (h >> 2) ^ (l << 30) ^ (h >> 7) ^ (l << 25),
    (h >> 28) ^ (l << 4) ^ (l >> 2) ^ (h << 30) ^ (l >> 7) ^ (h << 25));
// Rotations by 14, 18 and 41.
mixing!(big_sigma_1, x, l, h:
    (l >> 14) ^ (h << 18) ^ (l >> 18) ^ (h << 14) ^ (h >> 9) ^ (l << 23),
    (h >> 14) ^ (l << 18) ^ (h >> 18) ^ (l << 14) ^ (l >> 9) ^ (h << 23));
// Rotations by 1 and 8, and a shift by 7.
mixing!(small_sigma_0, x, l, h:
    (l >> 1) ^ (h << 31) ^ (l >> 8) ^ (h << 24) ^ (l >> 7) ^ (h << 25),
    (h >> 1) ^ (l << 31) ^ (h >> 8) ^ (l << 24) ^ (h >> 7));
// Rotations by 19 and 61, and a shift by 6.
mixing!(small_sigma_1, x, l, h:
    (l >> 19) ^ (h << 13) ^ (h >> 29) ^ (l << 3) ^ (l >> 6) ^ (h << 26),
    (h >> 19) ^ (l << 13) ^ (l >> 29) ^ (h << 3) ^ (h >> 6));

/// One round. The variables take each other's places from round to round, so that none has to be moved.
macro_rules! round {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $word:expr, $constant:expr) => {
        let choice = $g ^ ($e & ($f ^ $g));
        let majority = $b ^ (($a ^ $b) & ($b ^ $c));
        let sum = $h.wrapping_add(big_sigma_1($e)).wrapping_add(choice).wrapping_add($word.wrapping_add($constant));
        $d = $d.wrapping_add(sum);
        $h = sum.wrapping_add(big_sigma_0($a)).wrapping_add(majority);
    };
}

/// Adds a block to the state.
fn compress(state: &mut [u64; 8], block: &[u8; BLOCK]) {
    let mut words = [0; 80];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    for i in 16..80 {
        let near = small_sigma_1(words[i - 2]).wrapping_add(words[i - 7]);
        words[i] = words[i - 16].wrapping_add(small_sigma_0(words[i - 15])).wrapping_add(near);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (w, k) in words.as_chunks::<8>().0.iter().zip(ROUNDS.as_chunks::<8>().0) {
        round!(a b c d e f g h, w[0], k[0]);
        round!(h a b c d e f g, w[1], k[1]);
        round!(g h a b c d e f, w[2], k[2]);
        round!(f g h a b c d e, w[3], k[3]);
        round!(e f g h a b c d, w[4], k[4]);
        round!(d e f g h a b c, w[5], k[5]);
        round!(c d e f g h a b, w[6], k[6]);
        round!(b c d e f g h a, w[7], k[7]);
    }
    for (before, after) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *before = before.wrapping_add(after);
    }
}

#[cfg(test)]
mod tests {
    use sha2::Digest;

    use super::*;

    /// Every length around the borders of blocks, in one piece and in pieces of every size.
    #[test]
    fn agrees_with_sha2() {
        let bytes: [u8; 3 * BLOCK + 2] = core::array::from_fn(|i| (i * i + 7 * i) as u8);
        for length in 0..bytes.len() {
            let bytes = &bytes[..length];
            let expected: [u8; 64] = sha2::Sha512::digest(bytes).into();
            let mut whole = Sha512::new();
            whole.update(bytes);
            assert_eq!(whole.finalize(), expected, "{length} bytes");
            let mut pieces = Sha512::new();
            bytes.chunks(length % 61 + 1).for_each(|piece| pieces.update(piece));
            assert_eq!(pieces.clone().finalize(), expected, "{length} bytes in pieces");
        }
    }

    /// Appendix C of FIPS 180-2.
    #[test]
    fn hashes_what_the_standard_hashes() {
        let mut abc = Sha512::new();
        abc.update(b"abc");
        assert_eq!(abc.finalize()[..8], [0xdd, 0xaf, 0x35, 0xa1, 0x93, 0x61, 0x7a, 0xba]);
        let mut million = Sha512::new();
        (0..1_000).for_each(|_| million.update([b'a'; 1_000]));
        assert_eq!(million.finalize()[..8], [0xe7, 0x18, 0x48, 0x3d, 0x0c, 0xe7, 0x69, 0x64]);
    }
}
