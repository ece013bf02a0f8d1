//! Manifests (§3): signed, chained, and each entry provable by a short path; and what else a signature vouches for.

use specie_core::bytes::ManifestId;
use specie_core::encoding::Decode;
use specie_core::enrolment::{EnrolmentError, Proof};
use specie_core::group::Scalar;
use specie_core::manifest::{Manifest, ManifestHeader};
use specie_core::merkle;
use specie_core::signature::BadSignature;

use crate::fixture::{World, name, scalar, time};
use crate::messages::{certificate, descriptor, enrolment, entries, header, key, limits, manifest, revocation};

#[test]
fn accepts_what_the_root_key_signed_and_nothing_else() {
    let entries = entries(&World::new());
    let signed = header(&entries).sign(&key(6));
    let bytes = manifest(&signed, &entries);
    assert_eq!(Manifest::decode(&bytes).unwrap().verify(&key(6).public()), Ok(()));
    assert_eq!(Manifest::decode(&bytes).unwrap().verify(&key(7).public()), Err(BadSignature));
    let mut fewer = entries.clone();
    fewer.pop();
    let mut swapped = entries.clone();
    swapped.swap(0, 1);
    let mut repeated = entries.clone();
    repeated[3] = repeated[2].clone();
    for other in [fewer, swapped, repeated, [entries.clone(), entries.clone()].concat()] {
        let bytes = manifest(&signed, &other);
        assert_eq!(Manifest::decode(&bytes).unwrap().verify(&key(6).public()), Err(BadSignature));
    }
    let miscounted = ManifestHeader { entry_count: header(&entries).entry_count + 1, ..header(&entries) }.sign(&key(6));
    let bytes = manifest(&miscounted, &entries);
    assert_eq!(Manifest::decode(&bytes).unwrap().verify(&key(6).public()), Err(BadSignature), "a count that lies");
    let none = header(&[]).sign(&key(6));
    assert_eq!(Manifest::decode(&manifest(&none, &[])).unwrap().verify(&key(6).public()), Ok(()));
}

#[test]
fn every_entry_has_a_path_to_the_root_that_was_signed() {
    let entries = entries(&World::new());
    let signed = header(&entries).sign(&key(6));
    let bytes = manifest(&signed, &entries);
    let whole = Manifest::decode(&bytes).unwrap();
    for (index, entry) in entries.iter().enumerate() {
        let mut path = [[0; 32]; merkle::PATH_LENGTH_MAX];
        let length = whole.entry_path(index, &mut path).unwrap();
        let (root, count) = (&signed.header.entries_root, entries.len());
        assert!(merkle::verify(root, index, count, merkle::leaf(entry), &path[..length]));
        assert!(!merkle::verify(root, (index + 1) % count, count, merkle::leaf(entry), &path[..length]));
    }
}

#[test]
fn a_header_follows_the_one_before_and_no_other() {
    let entries = entries(&World::new());
    let first = header(&entries);
    let second = ManifestHeader { sequence: 2, previous: first.id(), issued_at: time(2_000), ..first };
    assert!(second.follows(&first));
    for wrong in [
        ManifestHeader { sequence: 3, ..second },
        ManifestHeader { sequence: 1, ..second },
        ManifestHeader { previous: ManifestId([0; 32]), ..second },
        ManifestHeader { issued_at: time(999), ..second },
        ManifestHeader { issuer: name("other-bank"), ..second },
    ] {
        assert!(!wrong.follows(&first));
    }
    let last = ManifestHeader { sequence: u64::MAX, ..first };
    assert!(!ManifestHeader { sequence: 0, previous: last.id(), ..second }.follows(&last));
}

/// Two headers of the same number are two forks: what follows one does not follow the other.
#[test]
fn forks_never_meet_again() {
    let entries = entries(&World::new());
    let first = header(&entries);
    let fork = ManifestHeader { issued_at: time(1_001), ..first };
    let next = ManifestHeader { sequence: 2, previous: first.id(), issued_at: time(2_000), ..first };
    assert!(next.follows(&first) && !next.follows(&fork));
}

#[test]
fn documents_are_good_under_their_signers_key_only() {
    use specie_core::revocation::RevocationPage;
    let (psp, other) = (key(2).public(), key(9).public());
    assert!(limits().verify(&psp).is_ok() && limits().verify(&other).is_err());
    assert!(descriptor().verify(&psp).is_ok() && descriptor().verify(&other).is_err());
    let mut changed = limits();
    changed.body.sequence += 1;
    assert!(changed.verify(&psp).is_err());
    let mut changed = descriptor();
    changed.body.payee = name("somebody else");
    assert!(changed.verify(&psp).is_err());
    let bytes = revocation(2, &[]);
    let page = RevocationPage::decode(&bytes).unwrap();
    assert!(page.verify(&key(4).public()).is_ok() && page.verify(&other).is_err());
}

#[test]
fn an_enrolment_needs_maker_nonce_knowledge_and_attestation() {
    let world = World::new();
    let (maker, nonce) = (key(5).public(), [8; 32]);
    let mut token = Vec::new();
    let good = enrolment(&world, nonce, b"device-0", &mut token);
    let verify = |enrolment: &specie_core::enrolment::Enrolment<'_>, nonce: &[u8; 32]| {
        enrolment.verify_vartime(&world.generators, &maker, nonce)
    };
    assert_eq!(verify(&good, &nonce), Ok(()));
    assert_eq!(verify(&good, &[9; 32]), Err(EnrolmentError::Nonce));
    let mut wrong = good;
    wrong.certificate.body.firmware = [6; 32];
    assert_eq!(verify(&wrong, &nonce), Err(EnrolmentError::Certificate));
    // Everybody knows the logarithm of the identity.
    let w = scalar("w", 0);
    let nobody = Proof::prove(&world.generators, &Scalar::ZERO, &w, &good.certificate.body.A, &nonce, b"device-0");
    let proven = nobody.verify_vartime(&world.generators, &[0; 32], &good.certificate.body.A, &nonce, b"device-0");
    assert_eq!(proven, Err(EnrolmentError::Proof));
    let mut other_s = good;
    other_s.proof.s[0] ^= 1;
    let mut other_R = good;
    other_R.proof.R = [0; 32];
    for wrong in [other_s, other_R] {
        assert_eq!(verify(&wrong, &nonce), Err(EnrolmentError::Proof));
    }
    let mut wrong = good;
    wrong.device_info = b"device-1";
    assert_eq!(verify(&wrong, &nonce), Err(EnrolmentError::Proof), "the proof binds the description");
    let mut wrong = good;
    wrong.attestation = &good.attestation[1..];
    assert_eq!(verify(&wrong, &nonce), Err(EnrolmentError::Attestation));
    assert!(certificate(&world).verify(&key(9).public()).is_err());
}
