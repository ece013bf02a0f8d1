//! The tree over a manifest's entries, shaped as in RFC 6962 §2.1, so that an element can check one entry with a
//! short path.

use crate::{hash, label};

/// The longest path: more entries than any manifest has.
pub const PATH_LENGTH_MAX: usize = 16;

/// Root of a tree without leaves.
pub const EMPTY: [u8; 32] = [0; 32];

/// Hash of an encoded entry.
pub fn leaf(entry: &[u8]) -> [u8; 32] {
    hash::h32(label::MANIFEST_LEAF, &[entry])
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    hash::h32(label::MANIFEST_NODE, &[left, right])
}

/// Largest power of two below `count`: where RFC 6962 splits.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// Root of the tree whose leaf hashes are `leaf_at(0..count)`.
pub fn root(count: usize, leaf_at: &impl Fn(usize) -> [u8; 32]) -> [u8; 32] {
    if count == 0 { EMPTY } else { subtree(0, count, leaf_at) }
}

fn subtree(first: usize, count: usize, leaf_at: &impl Fn(usize) -> [u8; 32]) -> [u8; 32] {
    if count == 1 {
        return leaf_at(first);
    }
    let left = split(count);
    node(&subtree(first, left, leaf_at), &subtree(first + left, count - left, leaf_at))
}

/// Root of the tree over `leaves`, at most `2^PATH_LENGTH_MAX`, in one pass: what [`root`] gives, for leaves that
/// are not at hand by their number.
///
/// # Panics
/// When there are more leaves.
pub fn root_of(leaves: impl Iterator<Item = [u8; 32]>) -> [u8; 32] {
    // Roots of full subtrees, the largest first; their sizes are the binary digits of the count so far.
    let mut full = [[0; 32]; PATH_LENGTH_MAX + 1];
    let mut depth = 0;
    for (count, leaf) in leaves.enumerate() {
        let mut top = leaf;
        for _ in 0..count.trailing_ones() {
            depth -= 1;
            top = node(&full[depth], &top);
        }
        full[depth] = top;
        depth += 1;
    }
    full[..depth].iter().copied().rev().reduce(|right, left| node(&left, &right)).unwrap_or(EMPTY)
}

/// Writes the path of leaf `index` into `path`, from the leaf up, and gives its length; `None` when there is no
/// such leaf or the tree is too large.
pub fn path(
    index: usize,
    count: usize,
    leaf_at: &impl Fn(usize) -> [u8; 32],
    path: &mut [[u8; 32]; PATH_LENGTH_MAX],
) -> Option<usize> {
    if index >= count || count > 1 << PATH_LENGTH_MAX {
        return None;
    }
    let (mut first, mut size, mut depth) = (0, count, 0);
    let mut above = [[0; 32]; PATH_LENGTH_MAX];
    while size > 1 {
        let left = split(size);
        if index - first < left {
            above[depth] = subtree(first + left, size - left, leaf_at);
            size = left;
        } else {
            above[depth] = subtree(first, left, leaf_at);
            first += left;
            size -= left;
        }
        depth += 1;
    }
    path[..depth].iter_mut().zip(above[..depth].iter().rev()).for_each(|(to, from)| *to = *from);
    Some(depth)
}

/// Whether `leaf` is number `index` of the `count` leaves under `root`.
pub fn verify(root: &[u8; 32], index: usize, count: usize, leaf: [u8; 32], path: &[[u8; 32]]) -> bool {
    if index >= count {
        return false;
    }
    climb(index, count, leaf, path).is_some_and(|top| top == *root)
}

/// The root that `path` (from the leaf up) leads to, `None` when its length does not fit the tree.
fn climb(index: usize, count: usize, leaf: [u8; 32], path: &[[u8; 32]]) -> Option<[u8; 32]> {
    if count == 1 {
        return path.is_empty().then_some(leaf);
    }
    let (sibling, below) = path.split_last()?;
    let left = split(count);
    if index < left {
        Some(node(&climb(index, left, leaf, below)?, sibling))
    } else {
        Some(node(sibling, &climb(index - left, count - left, leaf, below)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_proves_its_leaf_and_no_other() {
        let leaf_at = |index: usize| leaf(&index.to_be_bytes());
        for count in 1..=20 {
            let root = root(count, &leaf_at);
            assert_eq!(root_of((0..count).map(leaf_at)), root);
            for index in 0..count {
                let mut buffer = [[0; 32]; PATH_LENGTH_MAX];
                let length = path(index, count, &leaf_at, &mut buffer).unwrap();
                let proof = &buffer[..length];
                for other in 0..count + 1 {
                    assert_eq!(
                        verify(&root, other, count, leaf_at(index), proof),
                        other == index,
                        "{other} of {count}"
                    );
                }
                assert!(!verify(&root, index, count, leaf_at(index + 1), proof));
                assert!(!verify(&root, index, count, leaf_at(index), &buffer[..length + 1]));
                assert!(length == 0 || !verify(&root, index, count, leaf_at(index), &proof[1..]));
            }
            assert!(path(count, count, &leaf_at, &mut [[0; 32]; PATH_LENGTH_MAX]).is_none());
        }
    }

    #[test]
    fn both_ways_to_the_root_agree_at_the_edges() {
        let leaf_at = |index: usize| leaf(&index.to_be_bytes());
        for count in [0, 1, 63, 64, 65, 1 << PATH_LENGTH_MAX] {
            assert_eq!(root_of((0..count).map(leaf_at)), root(count, &leaf_at), "{count}");
        }
    }

    #[test]
    fn leaves_and_nodes_do_not_mix() {
        assert_ne!(leaf(&[[1; 32], [2; 32]].concat()), node(&[1; 32], &[2; 32]));
    }
}
