//! A holding proves whose it is, and of nobody else's device.

use specie_core::encoding::Decode;
use specie_core::group::Scalar;
use specie_core::holding::{Backup, Holding, Opening};
use specie_core::note::NoteSecrets;

use crate::fixture::{self, Device, Held, World, encoded, scalar, time};

fn holding<'b>(held: &Held) -> Holding<'b> {
    let (note, points) = (&held.note, &held.note.points);
    let opening = Opening::of(&note.secrets);
    Holding { class_id: held.class.id(), note: note.note, N0: points.N0, N1: points.N1, opening, owned: None }
}

#[test]
fn the_device_that_withdrew_it_holds_it() {
    let world = World::new();
    let held = world.note(&world.alice, 1);
    let bytes = encoded(&holding(&held));
    let read = Holding::decode(&bytes).unwrap();
    let verified = read.verify_vartime(&world.generators, &held.class, &world.alice.U);
    assert_eq!(verified, Ok(held.note.id));
}

#[test]
fn no_other_device_class_or_number_fits() {
    let world = World::new();
    let (alice, mallory) = (&world.alice, Device::new(&world.generators, 77));
    let (held, other) = (world.note(alice, 1), world.note(alice, 2));
    let right = holding(&held);
    let is_own = |holding: &Holding<'_>, device: &Device| {
        holding.verify_vartime(&world.generators, &held.class, &device.U).is_ok()
    };
    assert!(is_own(&right, alice) && !is_own(&right, &mallory));
    let opened = |gamma: Scalar, gamma_rnd: Scalar| {
        let secrets = NoteSecrets { gamma, gamma_rnd, k0: Scalar::ZERO, k1: Scalar::ZERO };
        Holding { opening: Opening::of(&secrets), ..right.clone() }
    };
    let NoteSecrets { gamma, gamma_rnd, .. } = &held.note.secrets;
    let wrong = [
        opened(*gamma, gamma_rnd + Scalar::ONE),
        opened(gamma + Scalar::ONE, *gamma_rnd),
        opened(Scalar::ZERO, *gamma_rnd),
        Holding { opening: holding(&other).opening, ..right.clone() },
        Holding { N0: other.note.points.N0, ..right.clone() },
        Holding { N1: other.note.points.N1, ..right.clone() },
        Holding { note: other.note.note, ..right.clone() },
        Holding { class_id: world.blank.class.id(), ..right.clone() },
    ];
    for (number, holding) in wrong.iter().enumerate() {
        assert!(!is_own(holding, alice), "{number}");
    }
    // What Mallory blinded of a note of her own under Alice's name is not Alice's.
    assert!(right.verify_vartime(&world.generators, &world.blank.class, &alice.U).is_err());
    let hers = world.note(&mallory, 3);
    assert!(!is_own(&holding(&hers), alice));
    // Every part of the note counts.
    for byte in (0..256).step_by(16) {
        let mut note = held.note.note;
        note.0[byte] ^= 1;
        assert!(!is_own(&Holding { note, ..right.clone() }, alice), "byte {byte}");
    }
}

#[test]
fn a_holding_has_no_room_for_what_could_spend_it() {
    let world = World::new();
    let held = world.note(&world.alice, 1);
    let bytes = encoded(&holding(&held));
    let NoteSecrets { gamma, gamma_rnd, k0, k1 } = &held.note.secrets;
    let holds = |secret: &Scalar| bytes.windows(32).any(|window| window == secret.as_bytes());
    assert!(holds(gamma) && holds(gamma_rnd));
    assert!(!holds(k0) && !holds(k1) && !holds(&held.k3) && !holds(&held.u));
    assert!(!holds(&scalar("u", world.alice.number)));
}

#[test]
fn a_backup_gives_back_what_was_put_into_it() {
    let world = World::new();
    let held: Vec<_> = (1..4).map(|index| world.note(&world.alice, index)).collect();
    let bytes = fixture::backup(time(9), held.iter().map(holding).collect());
    let backup = Backup::decode(&bytes).unwrap();
    assert_eq!(backup.made_at, time(9));
    let ids: Vec<_> = backup
        .holdings()
        .map(|holding| holding.verify_vartime(&world.generators, &held[0].class, &world.alice.U).unwrap())
        .collect();
    assert_eq!(ids, held.iter().map(|held| held.note.id).collect::<Vec<_>>());
    assert!(Backup::decode(&bytes[..bytes.len() - 1]).is_err());
}
