//! Proofs in the tree under an audit log's heads (docs/spec/audit.md §3, §5).

use specie_audit::Tree;
use specie_audit::tree::{self, Hash};
use specie_core::group::Generators;

use super::Verdict;
use crate::vectors::fields::Fields;

/// What an entry says of a tree and one before it.
struct Consistency {
    old: (u64, Hash),
    new: (u64, Hash),
    proof: Vec<Hash>,
}

/// What an entry says of a leaf.
struct Inclusion {
    leaf: Hash,
    index: u64,
    tree: (u64, Hash),
    proof: Vec<Hash>,
}

pub(super) fn judge_consistency(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let Consistency { old: (old, old_root), new: (new, new_root), proof } = consistency(fields)?;
    let holds = tree::is_consistent((old, &old_root), (new, &new_root), &proof);
    Some(if holds { Ok(()) } else { Err("the proof does not lead from one root to the other".to_owned()) })
}

pub(super) fn consistency_values(_: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let Consistency { old: (old, _), new: (new, _), .. } = consistency(fields)?;
    let leaves = hashes(fields, "leaves")?;
    fields.require("new_size", leaves.len() as u64 == new, "another number of leaves");
    let old = usize::try_from(old).ok().filter(|old| *old <= leaves.len())?;
    fields.compare("old_root", &root(&leaves[..old]));
    fields.compare("new_root", &root(&leaves));
    compare(fields, &tree::consistency(&leaves, old)?);
    Some(())
}

pub(super) fn judge_inclusion(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let Inclusion { leaf, index, tree: (size, root), proof } = inclusion(fields)?;
    let holds = tree::is_included(leaf, index, size, &root, &proof);
    Some(if holds { Ok(()) } else { Err("the proof does not lead from the leaf to the root".to_owned()) })
}

pub(super) fn inclusion_values(_: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let Inclusion { index, tree: (size, _), .. } = inclusion(fields)?;
    let leaves = hashes(fields, "leaves")?;
    fields.require("size", leaves.len() as u64 == size, "another number of leaves");
    let index = usize::try_from(index).ok().filter(|index| *index < leaves.len())?;
    fields.compare("leaf", &leaves[index]);
    fields.compare("root", &root(&leaves));
    compare(fields, &tree::inclusion(&leaves, index)?);
    Some(())
}

fn consistency(fields: &mut Fields<'_>) -> Option<Consistency> {
    let old = (fields.number("old_size")?, fields.array("old_root")?);
    let new = (fields.number("new_size")?, fields.array("new_root")?);
    Some(Consistency { old, new, proof: hashes(fields, "proof")? })
}

fn inclusion(fields: &mut Fields<'_>) -> Option<Inclusion> {
    let (leaf, index) = (fields.array("leaf")?, fields.number("index")?);
    let tree = (fields.number("size")?, fields.array("root")?);
    Some(Inclusion { leaf, index, tree, proof: hashes(fields, "proof")? })
}

fn hashes(fields: &mut Fields<'_>, path: &str) -> Option<Vec<Hash>> {
    (0..fields.length(path)).map(|index| fields.array(&format!("{path}.{index}"))).collect()
}

fn compare(fields: &mut Fields<'_>, proof: &[Hash]) {
    let length = fields.length("proof");
    fields.require("proof", length == proof.len(), "another number of hashes");
    proof.iter().enumerate().for_each(|(index, hash)| fields.compare(&format!("proof.{index}"), hash));
}

fn root(leaves: &[Hash]) -> Hash {
    let mut tree = Tree::default();
    leaves.iter().for_each(|leaf| tree.push(*leaf));
    tree.root()
}
