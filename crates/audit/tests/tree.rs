//! Heads over the tree, the certificate of their key under the root key, and what a witness sees without any record.
#![allow(clippy::unwrap_used)]

use specie_audit::head::bank_log;
use specie_audit::proof::Proof;
use specie_audit::verify::{Problem, Trust};
use specie_audit::{Actor, Certificate, Decision, Head, Kind, Line, LogName, Record, SignedHead, Tree, Verifier, tree};
use specie_core::Timestamp;
use specie_core::bytes::ManifestId;
use specie_core::encoding::{Decode, Encode, Writer};
use specie_core::manifest::{Entry, Manifest, ManifestHeader, SignedHeader, write_manifest};
use specie_core::merkle;
use specie_core::signature::SigningKey;
use specie_core::text::Name;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).unwrap()
}

fn log() -> LogName {
    bank_log(&Name::new("bank").unwrap())
}

/// Five decisions by these names.
fn records(subjects: [&str; 5]) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for (now, subject) in (1_000..).zip(subjects) {
        let decision = Decision::new(Actor::service(), at(now), Kind::PspRegistered, subject, &[]).unwrap();
        records.push(Record::after(records.last(), decision));
    }
    records
}

fn leaves(records: &[Record]) -> Vec<tree::Hash> {
    records.iter().map(tree::leaf).collect()
}

/// Signed by `signer` over the first `count`.
fn head(records: &[Record], count: usize, signer: &SigningKey) -> SignedHead {
    let mut tree = Tree::default();
    leaves(&records[..count]).into_iter().for_each(|leaf| tree.push(leaf));
    Head::new(log(), &records[count - 1], at(2_000 + count as u64)).over(&tree).sign(signer)
}

/// A manifest with a PSP and the ledger key, by `root`.
fn manifest(ledger: &SigningKey, root: &SigningKey) -> Vec<u8> {
    let psp = Entry::Psp { name: Name::new("alpha").unwrap(), key: key(3).public() };
    let entries: Vec<_> = [psp, Entry::Ledger { key: ledger.public() }].iter().map(Encode::to_vec).collect();
    let header = ManifestHeader {
        issuer: Name::new("bank").unwrap(),
        sequence: 1,
        previous: ManifestId([0; 32]),
        issued_at: at(900),
        entries_root: merkle::root_of(entries.iter().map(|entry| merkle::leaf(entry))),
        entry_count: 2,
    };
    let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    let mut writer = Writer::new(Vec::new());
    write_manifest(&header.sign(root), &entries, &mut writer).unwrap();
    writer.into_inner()
}

fn certificate(ledger: &SigningKey, root: &SigningKey) -> Certificate {
    Certificate::of(&log(), &ledger.public(), &manifest(ledger, root)).unwrap()
}

fn export(certificate: Option<&Certificate>, records: &[Record], signer: &SigningKey) -> Vec<String> {
    let mut lines = vec![Line::Log(log())];
    lines.extend(certificate.cloned().map(Line::Key));
    for (index, record) in records.iter().enumerate() {
        lines.push(Line::Record(record.clone()));
        if index % 2 == 0 {
            lines.push(Line::Head(head(records, index + 1, signer)));
        }
    }
    lines.iter().map(Line::to_text).collect()
}

fn verify(mut verifier: Verifier, lines: &[String]) -> Result<u64, Problem> {
    lines.iter().try_for_each(|line| verifier.line(line)).map_err(|error| error.problem)?;
    verifier.finish().map(|verified| verified.heads).map_err(|error| error.problem)
}

const NAMES: [&str; 5] = ["alpha", "beta", "gamma", "delta", "epsilon"];

#[test]
fn an_export_is_checked_with_nothing_but_the_root_key() {
    let (root, ledger, records) = (key(1), key(2), records(NAMES));
    let certified = certificate(&ledger, &root);
    let good = export(Some(&certified), &records, &ledger);
    let by_root = || Verifier::trusting(Trust::Root(root.public()));
    assert_eq!(verify(by_root(), &good), Ok(3));
    assert_eq!(verify(Verifier::new(ledger.public()), &good), Ok(3));
    let since = by_root().since(head(&records, 3, &ledger)).unwrap();
    assert_eq!(verify(since, &good), Ok(3));

    // A key that the root key did not certify, whoever it belongs to.
    let thief = key(9);
    let stolen = |certificate: Option<Certificate>| export(certificate.as_ref(), &records, &thief);
    assert_eq!(verify(by_root(), &stolen(Some(certified.clone()))), Err(Problem::Signature(1)));
    assert_eq!(verify(by_root(), &stolen(Some(certificate(&thief, &thief)))), Err(Problem::Certificate));
    assert_eq!(verify(by_root(), &stolen(None)), Err(Problem::Certificate));
    let since = by_root().since(head(&records, 3, &thief)).unwrap();
    assert_eq!(verify(since, &good), Err(Problem::Signature(3)));
    // The key of a PSP is certified too, and not for this log.
    let psp = Certificate::of(
        &specie_audit::head::psp_log(&Name::new("alpha").unwrap()),
        &key(3).public(),
        &manifest(&ledger, &root),
    );
    assert_eq!(verify(by_root(), &export(psp.as_ref(), &records, &key(3))), Err(Problem::Certificate));
    // Any part of the certificate changed, or in another place.
    for change in [
        |certificate: &mut Certificate| certificate.header.signature[0] ^= 1,
        |certificate: &mut Certificate| certificate.header.header.entry_count += 1,
        |certificate: &mut Certificate| *certificate.entry.last_mut().unwrap() ^= 1,
        |certificate: &mut Certificate| certificate.index = 0,
        |certificate: &mut Certificate| certificate.path[0][0] ^= 1,
        |certificate: &mut Certificate| certificate.path.truncate(0),
    ] {
        let mut changed = certified.clone();
        change(&mut changed);
        assert_eq!(verify(by_root(), &export(Some(&changed), &records, &ledger)), Err(Problem::Certificate));
    }
    let mut late = good.clone();
    late.insert(4, good[1].clone());
    assert_eq!(verify(by_root(), &late), Err(Problem::Certificate));
}

#[test]
fn the_root_in_a_head_is_that_of_the_records() {
    let (ledger, records) = (key(2), records(NAMES));
    let mut lines = export(None, &records, &ledger);
    let newest = Head::new(log(), &records[4], at(3_000));
    let mut tree = Tree::default();
    leaves(&records[..4]).into_iter().for_each(|leaf| tree.push(leaf));
    *lines.last_mut().unwrap() = Line::Head(newest.over(&tree).sign(&ledger)).to_text();
    assert_eq!(verify(Verifier::new(ledger.public()), &lines), Err(Problem::Root(5)));
    // Heads of earlier programs have no root.
    *lines.last_mut().unwrap() = Line::Head(newest.sign(&ledger)).to_text();
    assert_eq!(verify(Verifier::new(ledger.public()), &lines), Ok(3));
    for head in [newest.sign(&ledger), newest.over(&tree).sign(&ledger)] {
        assert_eq!(SignedHead::decode(&head.to_vec()).unwrap(), head);
        assert_eq!(Line::parse(&Line::Head(head).to_text()).unwrap(), Line::Head(head));
    }
}

#[test]
fn a_witness_sees_a_log_that_was_cut_back_or_rewritten_without_any_record() {
    let (root, ledger, records) = (key(1), key(2), records(NAMES));
    let certified = certificate(&ledger, &root);
    let (early, late) = (head(&records, 2, &ledger), head(&records, 5, &ledger));
    let proof = Proof::new(Some(certified.clone()), early, late, &leaves(&records)).unwrap();
    let text: String = proof.lines().iter().map(|line| line.to_text() + "\n").collect();
    assert!(!text.contains("gamma"));
    let read = Proof::read(text.as_bytes()).unwrap();
    assert_eq!(read, proof);
    for trust in [Trust::Root(root.public()), Trust::Key(ledger.public())] {
        assert_eq!(read.check(trust, &early), Ok(()));
    }
    let trust = Trust::Root(root.public());
    assert_eq!(Proof { certificate: None, ..read.clone() }.check(trust, &early), Err(Problem::Certificate));
    assert_eq!(read.check(Trust::Key(root.public()), &early), Err(Problem::Signature(2)));
    // It proves nothing to somebody who kept another head, and a head that went back shows.
    assert_eq!(read.check(trust, &head(&records, 3, &ledger)), Err(Problem::Rewritten(3)));
    let back = Proof::new(Some(certified.clone()), early, early, &leaves(&records[..2])).unwrap();
    assert_eq!(back.check(trust, &early), Ok(()));
    assert_eq!(back.check(trust, &late), Err(Problem::CutBack(5)));
    // Another history, signed by the same key: no proof can be made, and none that was made for the first fits.
    let other = self::records(["alpha", "eve", "gamma", "delta", "epsilon"]);
    let forged = head(&other, 5, &ledger);
    assert!(Proof::new(None, early, forged, &leaves(&other)).is_none());
    let fork = Proof { newer: forged, ..read.clone() };
    assert_eq!(fork.check(trust, &early), Err(Problem::Rewritten(2)));
    let mine = Proof { older: head(&other, 2, &ledger), ..fork };
    assert_eq!(mine.check(trust, &early), Err(Problem::Rewritten(2)));
    // A file that is cut anywhere, or goes on, is none.
    for end in 0..text.len() {
        assert!(Proof::read(&text.as_bytes()[..end]).is_err(), "{end}");
    }
    assert!(Proof::read(format!("{text}{text}").as_bytes()).is_err());
    let _: SignedHeader = certified.header;
    assert!(Manifest::decode(&manifest(&ledger, &root)).is_ok());
}
