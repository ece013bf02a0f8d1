//! Disclosed transfers (§7.1): supervisors learn who paid, nobody else does, and nobody discloses somebody else.

use specie_core::bytes::Context;
use specie_core::chain::{CheckShow, Immediately};
use specie_core::disclosure::{DisclosedTransfer, Disclosure, DisclosureId, Prepared, SupervisoryKey};
use specie_core::encoding::{Decode, DecodeError};
use specie_core::evidence::convict_vartime;
use specie_core::group::{RistrettoPoint, Scalar, decode_point, encode_point};
use specie_core::transfer::{Input, Outputs, Preimage, Transfer};

use crate::fixture::{Held, World, encoded, output, scalar, stranger};

fn supervisor() -> (Scalar, SupervisoryKey) {
    let s = scalar("supervisor", 0);
    (s, SupervisoryKey(encode_point(&RistrettoPoint::mul_base(&s))))
}

fn preimage(held: &Held, context: u8) -> Preimage {
    Preimage {
        class_id: held.class.id(),
        note: held.note.note,
        input: Input::Issued,
        outputs: Outputs::new(&[output(500, stranger(0))]).unwrap(),
        context: Context([context; 32]),
        disclosure: None,
    }
}

/// A transfer that says `U` to `key`; the show is that of `held`, whoever that is.
pub(crate) fn disclosed(held: &Held, U: &RistrettoPoint, key: &SupervisoryKey, context: u8) -> Transfer {
    let plain = preimage(held, context);
    let secrets = &held.note.secrets;
    let prepared = Prepared::new(key, U, secrets, &held.note.points.N1, &plain).unwrap();
    let shown = held.show(Preimage { disclosure: Some(prepared.id()), ..plain });
    Transfer { disclosure: Some(prepared.answer(secrets, &shown.d())), ..shown }
}

#[test]
fn supervisors_read_the_payer_of_a_disclosed_transfer() {
    let world = World::new();
    let (s, key) = supervisor();
    let transfer = disclosed(&world.note(&world.alice, 0), &world.alice.U, &key, 1);
    let read = Transfer::decode(&encoded(&transfer)).unwrap();
    assert_eq!(read, transfer);
    assert_eq!(read.verify_disclosure_vartime(&world.generators, &key), Ok(()));
    assert!(Immediately(&world.generators).check(&world.value.class, &read, &read.d()).is_ok());
    let Disclosure { E1, E2, .. } = read.disclosure.unwrap();
    assert_eq!(decode_point(&E2).unwrap() - s * decode_point(&E1).unwrap(), world.alice.U);
}

/// Once more after a crash: the element answers one preimage only, so there must be no other.
#[test]
fn the_same_transfer_is_disclosed_in_the_same_way_and_another_in_another() {
    let world = World::new();
    let (_, key) = supervisor();
    let note = world.note(&world.alice, 0);
    let [once, again, other] = [1, 1, 2].map(|context| disclosed(&note, &world.alice.U, &key, context));
    assert_eq!(once, again);
    assert_ne!(once.disclosure.unwrap().E1, other.disclosure.unwrap().E1);
}

#[test]
fn rejects_a_disclosure_of_somebody_else() {
    let world = World::new();
    let (_, key) = supervisor();
    let note = world.note(&world.alice, 0);
    let framed = disclosed(&note, &world.bob.U, &key, 1);
    // The show is good; only the name in it is not the payer's.
    assert!(Immediately(&world.generators).check(&world.value.class, &framed, &framed.d()).is_ok());
    assert!(framed.verify_disclosure_vartime(&world.generators, &key).is_err());
}

#[test]
fn rejects_every_part_of_a_disclosure_changed() {
    let world = World::new();
    let (_, key) = supervisor();
    let note = world.note(&world.alice, 0);
    let good = disclosed(&note, &world.alice.U, &key, 1);
    let other = disclosed(&note, &world.alice.U, &key, 2);
    let verify = |transfer: &Transfer| transfer.verify_disclosure_vartime(&world.generators, &key);
    assert!(verify(&good).is_ok());
    let (mine, theirs) = (good.disclosure.unwrap(), other.disclosure.unwrap());
    for wrong in [
        Disclosure { E1: theirs.E1, ..mine },
        Disclosure { E2: theirs.E2, ..mine },
        Disclosure { z4: theirs.z4, ..mine },
        Disclosure { z4: -mine.z4, ..mine },
        Disclosure { E1: mine.E2, E2: mine.E1, ..mine },
        Disclosure { E1: [0; 32], ..mine },
        Disclosure { E1: [0xff; 32], ..mine },
        Disclosure { E2: [0xff; 32], ..mine },
        theirs,
    ] {
        assert!(verify(&Transfer { disclosure: Some(wrong), ..good }).is_err());
    }
    assert!(verify(&Transfer { disclosure: None, ..good }).is_err());
    for said in [None, Some(DisclosureId([0; 32])), other.preimage.disclosure] {
        let preimage = Preimage { disclosure: said, ..good.preimage };
        assert!(verify(&Transfer { preimage, ..good }).is_err());
    }
    for show in [note.show_at(&Scalar::ONE), other.show] {
        assert!(verify(&Transfer { show, ..good }).is_err());
    }
}

#[test]
fn rejects_a_disclosure_to_another_key() {
    let world = World::new();
    let (_, key) = supervisor();
    let good = disclosed(&world.note(&world.alice, 0), &world.alice.U, &key, 1);
    let other = SupervisoryKey(encode_point(&world.generators.H));
    for wrong in [other, SupervisoryKey([0; 32]), SupervisoryKey([0xff; 32])] {
        assert!(good.verify_disclosure_vartime(&world.generators, &wrong).is_err());
    }
    let note = world.note(&world.alice, 1);
    let (secrets, N1) = (&note.note.secrets, &note.note.points.N1);
    for wrong in [[0; 32], [0xff; 32]] {
        let refused = Prepared::new(&SupervisoryKey(wrong), &world.alice.U, secrets, N1, &preimage(&note, 1));
        assert_eq!(refused.err(), Some(DecodeError::BadPoint));
    }
}

/// The identity as `E1` would show `U` to everybody; a prover that can choose `t` must not get away with it.
#[test]
fn rejects_a_disclosure_that_hides_nothing() {
    let world = World::new();
    let (_, key) = supervisor();
    let note = world.note(&world.alice, 0);
    let secrets = &note.note.secrets;
    // t = 0, honest otherwise.
    let (E1, E2, w4) = ([0; 32], encode_point(&world.alice.U), scalar("w4", 0));
    let A1 = RistrettoPoint::mul_base(&w4);
    let K3 = decode_point(&note.note.points.N1).unwrap() - RistrettoPoint::mul_base(&secrets.k1);
    let A2 = K3 + w4 * key.point().unwrap() - secrets.k0 * world.alice.U;
    let said = specie_core::hash::h32(
        specie_core::label::DISCLOSURE,
        &[&key.0, &E1, &E2, &encode_point(&A1), &encode_point(&A2)],
    );
    let shown = note.show(Preimage { disclosure: Some(DisclosureId(said)), ..preimage(&note, 1) });
    let naked = Transfer { disclosure: Some(Disclosure { E1, E2, z4: w4 }), ..shown };
    assert!(naked.verify_disclosure_vartime(&world.generators, &key).is_err());
}

#[test]
fn rejects_encodings_where_preimage_and_transfer_disagree() {
    let world = World::new();
    let (_, key) = supervisor();
    let good = disclosed(&world.note(&world.alice, 0), &world.alice.U, &key, 1);
    let said_only = Transfer { disclosure: None, ..good };
    assert_eq!(Transfer::decode(&encoded(&said_only)), Err(DecodeError::WrongLength));
    let unsaid = Transfer { preimage: Preimage { disclosure: None, ..good.preimage }, ..good };
    assert_eq!(Transfer::decode(&encoded(&unsaid)), Err(DecodeError::WrongLength));
    let redeems = Preimage { outputs: Outputs::NONE, ..good.preimage };
    assert_eq!(Preimage::decode(&encoded(&redeems)), Err(DecodeError::OutOfRange));
}

/// What supervisors get is checked as a whole: the show, and whom it names.
#[test]
fn a_disclosed_transfer_is_checked_by_itself() {
    let world = World::new();
    let (_, key) = supervisor();
    let note = world.note(&world.alice, 0);
    let transfer = disclosed(&note, &world.alice.U, &key, 1);
    let good = DisclosedTransfer { class: world.value.class.clone(), key, transfer };
    assert_eq!(good.verify_vartime(&world.generators), Ok(()));
    let mut forged = transfer;
    forged.show.z1 = -forged.show.z1;
    let framed = disclosed(&note, &world.bob.U, &key, 1);
    let other = SupervisoryKey(encode_point(&world.generators.H));
    for wrong in [
        DisclosedTransfer { transfer: forged, ..good.clone() },
        DisclosedTransfer { transfer: framed, ..good.clone() },
        DisclosedTransfer { key: other, ..good.clone() },
        DisclosedTransfer { class: world.blank.class.clone(), ..good.clone() },
    ] {
        assert!(wrong.verify_vartime(&world.generators).is_err());
    }
}

/// Spending twice is proven as before, disclosed or not.
#[test]
fn a_note_shown_twice_convicts_disclosed_or_not() {
    let world = World::new();
    let (_, key) = supervisor();
    let note = world.note(&world.alice, 0);
    let first = disclosed(&note, &world.alice.U, &key, 1);
    for second in [disclosed(&note, &world.alice.U, &key, 2), note.show(preimage(&note, 1))] {
        let convicted = convict_vartime(&world.generators, &world.value.class, &first, &second).unwrap();
        assert_eq!(convicted.U, encode_point(&world.alice.U));
    }
}
