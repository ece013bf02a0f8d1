//! Evidence (§8) convicts the device that showed a note twice, and nobody else can be convicted.

use specie_core::bytes::Context;
use specie_core::encoding::Decode;
use specie_core::evidence::{Culprit, Evidence, EvidenceError};
use specie_core::group::{RistrettoPoint, Scalar, encode_point};
use specie_core::issuance::{Blinded, Blinding, IssuerSession};
use specie_core::transfer::{Input, Transfer};

use crate::fixture::{Device, Held, World, encoded, output, received, scalar, seed, stranger, withdraw};

fn pays(held: &Held, whom: u64) -> Transfer {
    held.transfer(Input::Issued, &[output(500, stranger(whom))], Context([1; 32]))
}

fn convict(world: &World, first: Transfer, second: Transfer) -> Result<Culprit, EvidenceError> {
    let evidence = Evidence { class: world.value.class.clone(), first, second };
    let bytes = encoded(&evidence);
    let verdict = Evidence::decode(&bytes).unwrap().verify_vartime(&world.generators);
    assert_eq!(verdict, evidence.verify_vartime(&world.generators));
    verdict
}

#[test]
fn convicts_the_device_that_showed_its_note_twice() {
    let world = World::new();
    for device in [&world.alice, &world.bob] {
        let note = world.note(device, 0);
        let (first, second) = (pays(&note, 1), pays(&note, 2));
        let expected =
            Culprit { U: encode_point(&device.U), note_id: note.note.id, transfers: [first.id(), second.id()] };
        assert_eq!(convict(&world, first, second), Ok(expected));
        assert_eq!(convict(&world, first.compact(), second), Ok(expected));
        assert_eq!(convict(&world, second, first.compact()).map(|culprit| culprit.U), Ok(expected.U));
    }
}

#[test]
fn convicts_for_blanks_too() {
    let world = World::new();
    let blank = world.blank(&world.bob, 0);
    let paid = pays(&world.note(&world.alice, 0), 1);
    let [first, second] = [1, 2]
        .map(|whom| blank.transfer(received(&paid, 0, [0; 32]), &[output(500, stranger(whom))], Context([1; 32])));
    let evidence = Evidence { class: world.blank.class.clone(), first, second };
    assert_eq!(evidence.verify_vartime(&world.generators).map(|culprit| culprit.U), Ok(encode_point(&world.bob.U)));
}

#[test]
fn rejects_one_show_used_twice() {
    let world = World::new();
    let transfer = pays(&world.note(&world.alice, 0), 1);
    assert_eq!(convict(&world, transfer, transfer), Err(EvidenceError::SameTransfer));
    assert_eq!(convict(&world, transfer, transfer.compact()), Err(EvidenceError::SameTransfer));
}

#[test]
fn rejects_shows_of_different_notes() {
    let world = World::new();
    let alices = pays(&world.note(&world.alice, 0), 1);
    for other in [world.note(&world.alice, 1), world.note(&world.bob, 0)] {
        assert_eq!(convict(&world, alices, pays(&other, 2)), Err(EvidenceError::DifferentNotes));
    }
}

/// Colluders who share `k0`, `k1` and `k3` cannot make each other's shows look like shows of one note.
#[test]
fn rejects_shows_that_share_their_nonces() {
    let world = World::new();
    let (generators, mint) = (&world.generators, &world.value);
    let alices = world.note(&world.alice, 0);
    let secrets = &alices.note.secrets;
    let blinding = Blinding { k0: secrets.k0, k1: secrets.k1, ..Blinding::derive(&seed("colluder", 0)) };
    let (session, commitment) = IssuerSession::commit(generators, &mint.class, &world.bob.U, &seed("colluder", 1));
    let K3 = alices.k3 * generators.K;
    let blinded = Blinded::blind(generators, &mint.class, &world.bob.U, &K3, &blinding, &commitment).unwrap();
    let response = session.answer(&mint.key, blinded.e());
    let note = blinded.unblind(generators, &mint.class, &world.bob.U, &blinding, &commitment, &response).unwrap();
    let bobs = Held { class: mint.class.clone(), note, k3: alices.k3, u: world.bob.u };
    assert_eq!((bobs.note.points.N0, bobs.note.points.N1), (alices.note.points.N0, alices.note.points.N1));
    assert_eq!(convict(&world, pays(&alices, 1), pays(&bobs, 2)), Err(EvidenceError::DifferentNotes));
}

#[test]
fn rejects_an_invalid_show() {
    let world = World::new();
    let note = world.note(&world.alice, 0);
    let (first, second) = (pays(&note, 1), pays(&note, 2));
    let mut forged = second;
    forged.show.z3 += Scalar::ONE;
    for forged in [forged, forged.compact()] {
        assert!(matches!(convict(&world, first, forged), Err(EvidenceError::Forged(_))));
        assert!(matches!(convict(&world, forged, first), Err(EvidenceError::Forged(_))));
    }
    let mut changed = first;
    changed.preimage.context = Context([9; 32]);
    assert!(matches!(convict(&world, first, changed), Err(EvidenceError::Forged(_))), "one show, two preimages");
}

#[test]
fn rejects_transfers_of_another_class() {
    let world = World::new();
    let note = world.note(&world.alice, 0);
    let evidence = Evidence { class: world.blank.class.clone(), first: pays(&note, 1), second: pays(&note, 2) };
    assert_eq!(evidence.verify_vartime(&world.generators), Err(EvidenceError::OtherClass));
}

/// The bank has the issuing key, knows `U`, and issues itself a note for it. To show it, it would need `u`.
#[test]
fn a_bank_cannot_frame_a_device() {
    let world = World::new();
    let guess = Device { u: scalar("guess", 0), ..Device::new(&world.generators, 1) };
    assert_eq!(guess.U, world.alice.U);
    let framed = Held { u: guess.u, ..withdraw(&world.generators, &world.value, &guess, 50) };
    let verdict = convict(&world, pays(&framed, 1), pays(&framed, 2));
    assert!(matches!(verdict, Err(EvidenceError::Forged(_))));
    // One honest show of Alice's does not help either: the other must answer to the same nonces.
    let honest = world.note(&world.alice, 0);
    let second = Held { u: guess.u, k3: scalar("guess", 1), ..world.note(&world.alice, 0) };
    assert!(matches!(convict(&world, pays(&honest, 1), pays(&second, 2)), Err(EvidenceError::Forged(_))));
}

/// Whoever makes notes with a stolen issuing key for an identity of his own convicts that identity, which nobody
/// enrolled: the bank's alarm.
#[test]
fn notes_of_a_stolen_key_convict_an_identity_that_nobody_enrolled() {
    let world = World::new();
    let nobody = Device { u: Scalar::ZERO, U: RistrettoPoint::default(), ..Device::new(&world.generators, 99) };
    let note = withdraw(&world.generators, &world.value, &nobody, 0);
    let culprit = convict(&world, pays(&note, 1), pays(&note, 2)).unwrap();
    assert_eq!(culprit.U, [0; 32]);
}
