//! A manifest (§3), and the path of each of its entries.

use specie_core::amount::Timestamp;
use specie_core::bytes::ManifestId;
use specie_core::encoding::{Decode, Encode, Writer};
use specie_core::group::Generators;
use specie_core::manifest::{Entry, Manifest, ManifestHeader, write_manifest};
use specie_core::merkle;
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::Name;

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let (manifest, root) = (fields.bytes("manifest")?, PublicKey(fields.array("root")?));
    let manifest = Manifest::decode(&manifest).map_err(|error| error.to_string());
    Some(manifest.and_then(|manifest| manifest.verify(&root).map_err(|error| error.to_string())))
}

pub(super) fn values(_: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let root = SigningKey::from_seed(&fields.array("seed")?);
    fields.compare("root", &root.public().0);
    let entries = (0..fields.length("entries")).map(|index| fields.bytes(&format!("entries.{index}")));
    let entries: Vec<Vec<u8>> = entries.collect::<Option<_>>()?;
    let entries_root = merkle::root(entries.len(), &|index| merkle::leaf(&entries[index]));
    fields.compare("entries_root", &entries_root);
    let (issuer, issued_at) = (Name::new(fields.text("issuer")?), Timestamp::new(fields.number("issued_at")?));
    let header = ManifestHeader {
        issuer: fields.good("issuer", issuer)?,
        sequence: fields.number("sequence")?,
        previous: ManifestId(fields.array("previous")?),
        issued_at: fields.good("issued_at", issued_at)?,
        entries_root,
        entry_count: u32::try_from(entries.len()).ok()?,
    };
    fields.compare("header", &header.to_vec());
    fields.compare("name", &header.id().0);
    let listed: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    let mut w = Writer::new(Vec::new());
    write_manifest(&header.sign(&root), &listed, &mut w).ok()?;
    let made = w.into_inner();
    fields.compare("manifest", &made);
    let manifest = Manifest::decode(&made).map_err(|error| fields.differ("manifest", &error.to_string())).ok()?;
    entries.iter().enumerate().try_for_each(|(index, entry)| entry_values(fields, &manifest, index, entry))
}

fn entry_values(fields: &mut Fields<'_>, manifest: &Manifest<'_>, index: usize, entry: &[u8]) -> Option<()> {
    let at = |name: &str| format!("{name}.{index}");
    let read = Entry::decode(entry).map_err(|error| fields.differ(&at("entries"), &error.to_string())).ok()?;
    fields.compare(&at("entries"), &read.to_vec());
    let leaf = merkle::leaf(entry);
    fields.compare(&at("leaves"), &leaf);
    let mut path = [[0; 32]; merkle::PATH_LENGTH_MAX];
    let length = manifest.entry_path(index, &mut path)?;
    let path = &path[..length];
    fields.compare(&at("paths"), &path.concat());
    let header = &manifest.signed.header;
    let leads = merkle::verify(&header.entries_root, index, manifest.entry_count(), leaf, path);
    fields.require(&at("paths"), leads, "does not lead to the root");
    Some(())
}
