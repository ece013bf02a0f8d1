//! The tree over a log's records, hashed as in RFC 6962 §2.1 with SHA-256: what heads have as `root`.
//!
//! [`Tree`] keeps the roots of the full subtrees alone, so that a log of any length goes on from where its last head was. Proofs need
//! the hashes of all leaves: whoever has the log makes them, whoever has two heads checks them.

use sha2::{Digest, Sha256};
use specie_core::encoding::Encode;

use crate::record::Record;

/// A hash in the tree.
pub type Hash = [u8; 32];

/// The tree over the first records of a log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tree {
    size: u64,
    /// Roots of full subtrees, the largest first; their sizes are the binary digits of `size`.
    full: Vec<Hash>,
}

/// The hash of a record as a leaf: `SHA-256(0x00 ‖ record)`.
pub fn leaf(record: &Record) -> Hash {
    sha256(&[&[0], &record.to_vec()])
}

fn sha256(parts: &[&[u8]]) -> Hash {
    parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

impl Tree {
    /// The tree over `size` leaves whose full subtrees have these roots, one after the other, the largest first; `None` when they are
    /// not as many.
    pub fn from_parts(size: u64, full: &[u8]) -> Option<Self> {
        let (full, rest) = full.as_chunks();
        let fits = rest.is_empty() && full.len() as u64 == u64::from(size.count_ones());
        fits.then(|| Self { size, full: full.to_vec() })
    }

    /// What [`Tree::from_parts`] takes.
    pub fn to_parts(&self) -> (u64, Vec<u8>) {
        (self.size, self.full.concat())
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut top = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.full.pop() {
                top = node(&left, &top);
            }
        }
        self.full.push(top);
        self.size += 1;
    }

    /// Adds the records up to `until`, in pages that `after` gives. Whether all were there, in their order.
    ///
    /// # Errors
    /// Those of `after`.
    pub fn grow<E>(
        &mut self,
        until: u64,
        mut after: impl FnMut(u64, u32) -> Result<Vec<Record>, E>,
    ) -> Result<bool, E> {
        while self.size < until {
            let records = after(self.size, crate::line::page(self.size, until))?;
            if records.is_empty() || (self.size + 1..).zip(&records).any(|(next, record)| record.sequence != next) {
                return Ok(false);
            }
            records.iter().for_each(|record| self.push(leaf(record)));
        }
        Ok(self.size == until)
    }

    /// The root; `SHA-256()` of no leaves.
    pub fn root(&self) -> Hash {
        let above = self.full.iter().rev().copied().reduce(|right, left| node(&left, &right));
        above.unwrap_or_else(|| sha256(&[]))
    }
}

/// Largest power of two below `count`.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

fn root_of(leaves: &[Hash]) -> Hash {
    let mut tree = Tree::default();
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    tree.root()
}

/// Proves that leaf `index`, from 0, is in the tree over `leaves` (RFC 6962 §2.1.1); `None` when there is no such leaf.
pub fn inclusion(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, beside) = if index < left.len() {
        (inclusion(left, index)?, root_of(right))
    } else {
        (inclusion(right, index - left.len())?, root_of(left))
    };
    path.push(beside);
    Some(path)
}

/// Proves that the tree over `leaves` goes on from that over the first `old` of them (RFC 6962 §2.1.2); `None` when there are fewer,
/// or `old` is 0.
pub fn consistency(leaves: &[Hash], old: usize) -> Option<Vec<Hash>> {
    (1..=leaves.len()).contains(&old).then(|| subproof(leaves, old, true))
}

fn subproof(leaves: &[Hash], old: usize, whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![root_of(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, beside) = if old <= left.len() {
        (subproof(left, old, whole), root_of(right))
    } else {
        (subproof(right, old - left.len(), false), root_of(left))
    };
    proof.push(beside);
    proof
}

/// Whether `proof` shows that leaf `index`, from 0, of the `size` leaves under `root` is `leaf` (RFC 9162 §2.1.3.2).
pub fn is_included(leaf: Hash, index: u64, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut index, mut last, mut top) = (index, size - 1, leaf);
    for beside in proof {
        if last == 0 {
            return false;
        }
        if index & 1 == 1 || index == last {
            top = node(beside, &top);
            while index & 1 == 0 && index != 0 {
                (index, last) = (index >> 1, last >> 1);
            }
        } else {
            top = node(&top, beside);
        }
        (index, last) = (index >> 1, last >> 1);
    }
    last == 0 && top == *root
}

/// Whether `proof` shows that the tree of `new` leaves and its root goes on from that of `old` leaves (RFC 9162 §2.1.4.2).
pub fn is_consistent(old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((old, old_root), (new, new_root)) = (old, new);
    if old == 0 || old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    // Where the old tree is a full subtree of the new one, its root begins the path and is not sent.
    let mut path = proof.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { path.next() };
    let Some(first) = first else { return false };
    let shift = (old - 1).trailing_ones();
    let (mut index, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut old_top, mut new_top) = (*first, *first);
    for beside in path {
        if last == 0 {
            return false;
        }
        if index & 1 == 1 || index == last {
            old_top = node(beside, &old_top);
            new_top = node(beside, &new_top);
            while index & 1 == 0 && index != 0 {
                (index, last) = (index >> 1, last >> 1);
            }
        } else {
            new_top = node(&new_top, beside);
        }
        (index, last) = (index >> 1, last >> 1);
    }
    last == 0 && old_top == *old_root && new_top == *new_root
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Entries and roots of the reference tests of Certificate Transparency (google/certificate-transparency, `merkletree`).
    const ENTRIES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn leaves(count: usize) -> Vec<Hash> {
        let leaf = |number: usize| match ENTRIES.get(number) {
            Some(entry) => sha256(&[&[0], &hex::decode(entry).unwrap()]),
            None => sha256(&[&[0], &number.to_be_bytes()]),
        };
        (0..count).map(leaf).collect()
    }

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        let mut tree = Tree::default();
        for (size, root) in ROOTS.iter().enumerate() {
            assert_eq!(hex::encode(tree.root()), *root, "{size}");
            let (length, parts) = tree.to_parts();
            assert_eq!(Tree::from_parts(length, &parts).unwrap(), tree);
            assert!(Tree::from_parts(length + 1, &parts).is_none() || length % 2 == 1);
            tree.push(leaves(9)[size]);
        }
    }

    /// Every proof holds, and none with any hash changed, taken out, put in, or for anything else.
    #[test]
    fn proofs_hold_for_what_they_prove_and_nothing_else() {
        const MOST: usize = 19;
        let all = leaves(MOST);
        let roots: Vec<Hash> = (0..=MOST).map(|size| root_of(&all[..size])).collect();
        for new in 1..=MOST {
            for old in 1..=new {
                let proof = consistency(&all[..new], old).unwrap();
                let check = |old: usize, new: usize, proof: &[Hash]| {
                    is_consistent((old as u64, &roots[old]), (new as u64, &roots[new]), proof)
                };
                assert!(check(old, new, &proof), "{old} {new}");
                broken(&proof, |proof| check(old, new, proof));
                assert!(old == new || !check(old + 1, new, &proof), "{old} {new}");
                assert!(!is_consistent((old as u64, &[7; 32]), (new as u64, &roots[new]), &proof));
                let index = old - 1;
                let proof = inclusion(&all[..new], index).unwrap();
                let check = |index: usize, proof: &[Hash]| {
                    is_included(all[index], index as u64, new as u64, &roots[new], proof)
                };
                assert!(check(index, &proof), "{index} {new}");
                broken(&proof, |proof| check(index, proof));
                assert!(!is_included([7; 32], index as u64, new as u64, &roots[new], &proof));
            }
        }
        assert!(consistency(&all, 0).is_none() && consistency(&all, MOST + 1).is_none());
        assert!(inclusion(&all, MOST).is_none());
        assert!(
            !is_consistent((0, &roots[0]), (3, &roots[3]), &[]) && !is_consistent((3, &roots[3]), (2, &roots[2]), &[])
        );
    }

    #[track_caller]
    fn broken(proof: &[Hash], holds: impl Fn(&[Hash]) -> bool) {
        for index in 0..proof.len() {
            let mut changed = proof.to_vec();
            changed[index][31] ^= 1;
            assert!(!holds(&changed));
            changed.remove(index);
            assert!(!holds(&changed));
        }
        for index in 0..=proof.len() {
            let mut changed = proof.to_vec();
            changed.insert(index, [9; 32]);
            assert!(!holds(&changed));
        }
    }
}
