//! Nonces, classes, registration, blanks, forgetting.

use specie_core::encoding::Decode;
use specie_core::manifest::ManifestHeader;
use specie_core::note::owner_tag;
use specie_element::client::{self, EntryProof, Registration};
use specie_element::status::StatusWord;

use crate::support::*;

#[test]
fn nonces_are_handed_out_once_and_in_order() {
    let world = World::new();
    let mut element = world.personalised();
    let first = client::nonces(&mut element, 0, 3).unwrap();
    let mut element = restart(element);
    assert_eq!(client::nonces(&mut element, 0, 3).unwrap(), first, "a repeat gets the same answer");
    assert_eq!(refusal(client::nonces(&mut element, 0, 2)), StatusWord::WRONG_DATA);
    assert_eq!(refusal(client::nonces(&mut element, 1, 2)), StatusWord::WRONG_DATA);
    assert_eq!(refusal(client::nonces(&mut element, 4, 3)), StatusWord::WRONG_DATA);
    let second = client::nonces(&mut element, 3, 3).unwrap();
    assert_eq!((second.first(), second.commitments().len()), (3, 3));
    assert!(first.commitments().iter().all(|point| !second.commitments().contains(point)));
    assert_eq!(refusal(client::nonces(&mut element, 0, 3)), StatusWord::WRONG_DATA);
    assert_eq!(client::status(&mut element).unwrap().next_index, 6);
    assert_eq!(refusal(client::nonces(&mut element, 6, 0)), StatusWord::WRONG_DATA);
    assert_eq!(refusal(client::nonces(&mut element, 6, 33)), StatusWord::WRONG_DATA);
}

#[test]
fn there_is_room_to_register_what_was_handed_out() {
    let world = World::new();
    let mut element = world.personalised();
    client::nonces(&mut element, 0, RECORDS as u8 - 1).unwrap();
    let next = RECORDS as u32 - 1;
    assert_eq!(refusal(client::nonces(&mut element, next, 2)), StatusWord::NO_ROOM);
    client::nonces(&mut element, next, 1).unwrap();
    assert_eq!(refusal(client::nonces(&mut element, next + 1, 1)), StatusWord::NO_ROOM);
    client::forget(&mut element, 4).unwrap();
    client::nonces(&mut element, next + 1, 1).unwrap();
    let status = client::status(&mut element).unwrap();
    assert_eq!((status.records_used, status.records_free), (RECORDS as u32, 0));
}

#[test]
fn manifests_only_go_forward() {
    let world = World::new();
    let mut element = world.personalised();
    let manifest = world.manifest(5, ISSUED_AT);
    assert_eq!(refusal(manifest.load_class(&mut element, VALUE)), StatusWord::WRONG_STATE);
    let mut forged = manifest.signature;
    forged[0] ^= 1;
    assert_eq!(refusal(client::manifest(&mut element, &manifest.header, &forged)), StatusWord::WRONG_PROOF);
    manifest.load(&mut element).unwrap();
    manifest.load(&mut element).unwrap();
    assert_eq!(refusal(world.manifest(4, ISSUED_AT + 9).load(&mut element)), StatusWord::STALE);
    assert_eq!(refusal(world.manifest(5, ISSUED_AT + 9).load(&mut element)), StatusWord::STALE);
    world.manifest(6, ISSUED_AT - 1).load(&mut element).unwrap();
    let mut element = restart(element);
    let status = client::status(&mut element).unwrap();
    assert_eq!((status.manifest_sequence, status.time_floor), (6, ISSUED_AT), "time never goes back");
    world.manifest(7, ISSUED_AT + 1).load(&mut element).unwrap();
    assert_eq!(client::status(&mut element).unwrap().time_floor, ISSUED_AT + 1);
}

#[test]
fn manifests_are_decoded_strictly() {
    let world = World::new();
    let mut element = world.personalised();
    let manifest = world.manifest(1, ISSUED_AT);
    let mut trailing = manifest.header.clone();
    trailing.push(0);
    assert_eq!(refusal(client::manifest(&mut element, &trailing, &manifest.signature)), StatusWord::WRONG_DATA);
    let header = ManifestHeader { entry_count: 1 << 17, ..ManifestHeader::decode(&manifest.header).unwrap() };
    let signed = header.sign(&world.root);
    let refused = client::manifest(&mut element, &encoded(&signed.header), &signed.signature);
    assert_eq!(refusal(refused), StatusWord::WRONG_DATA);
}

#[test]
fn classes_are_believed_with_a_proof_only() {
    let world = World::new();
    let mut element = world.personalised();
    let manifest = world.manifest(1, ISSUED_AT);
    manifest.load(&mut element).unwrap();
    let path = manifest.path(VALUE);
    let entry = manifest.entry(VALUE);
    let proof = |position, path, entry| EntryProof { position, path, entry };
    assert_eq!(client::class(&mut element, &proof(0, &path, entry)).unwrap(), world.value.id().0);
    for (position, path) in [(1, &path[..]), (0, &path[1..]), (0, &[]), (99, &path)] {
        let refused = client::class(&mut element, &proof(position, path, entry));
        assert_eq!(refusal(refused), StatusWord::WRONG_PROOF);
    }
    let mut forged = entry.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(refusal(client::class(&mut element, &proof(0, &path, &forged))), StatusWord::WRONG_PROOF);
    for position in [PSP, LEDGER] {
        assert_eq!(refusal(manifest.load_class(&mut element, position)), StatusWord::WRONG_DATA);
    }
}

#[test]
fn four_classes_stay_loaded_until_power_or_manifest_change() {
    let world = World::new();
    let (mut element, manifest, coins) = world.withdrawn();
    manifest.load_class(&mut element, MORE_CLASSES).unwrap();
    manifest.load_class(&mut element, MORE_CLASSES + 1).unwrap();
    coins[0].register(&mut element).unwrap();
    manifest.load_class(&mut element, MORE_CLASSES + 2).unwrap();
    assert_eq!(refusal(coins[1].register(&mut element)), StatusWord::CLASS_NOT_LOADED);
    coins[2].register(&mut element).unwrap();
    let mut element = restart(element);
    assert_eq!(refusal(coins[3].register(&mut element)), StatusWord::CLASS_NOT_LOADED);
    world.load_classes(&mut element, &manifest);
    coins[3].register(&mut element).unwrap();
    world.manifest(2, ISSUED_AT).load(&mut element).unwrap();
    assert_eq!(refusal(coins[4].register(&mut element)), StatusWord::CLASS_NOT_LOADED);
}

#[test]
fn the_element_derives_the_name_of_a_note_itself() {
    let world = World::new();
    let (mut element, _, coins) = world.withdrawn();
    for coin in &coins {
        assert_eq!(coin.register(&mut element).unwrap(), coin.id().0);
    }
    assert_eq!(client::status(&mut element).unwrap().held, 2 * FACE);
}

#[test]
fn an_index_is_registered_once() {
    let world = World::new();
    let (mut element, _, coins) = world.withdrawn();
    coins[0].register(&mut element).unwrap();
    coins[2].register(&mut element).unwrap();
    assert_eq!(coins[0].register(&mut element).unwrap(), coins[0].id().0, "a repeat gets the same answer");
    let (secrets, note) = (&coins[1].issued.secrets, &coins[1].issued.note);
    let [gamma, k0, k1] = [&secrets.gamma, &secrets.k0, &secrets.k1].map(|scalar| scalar.to_bytes());
    let class_id = world.value.id().0;
    let other = Registration { index: 0, class_id, gamma: &gamma, zeta1: note.zeta1(), k0: &k0, k1: &k1 };
    assert_eq!(refusal(client::register(&mut element, &other)), StatusWord::WRONG_STATE);
    let own = &coins[0].issued.secrets;
    let [own_gamma, own_k0, own_k1] = [&own.gamma, &own.k0, &own.k1].map(|scalar| scalar.to_bytes());
    let own =
        Registration { gamma: &own_gamma, zeta1: coins[0].issued.note.zeta1(), k0: &own_k0, k1: &own_k1, ..other };
    client::register(&mut element, &own).unwrap();
    for changed in [Registration { gamma: &gamma, ..own }, Registration { class_id: world.blank.id().0, ..own }] {
        assert_eq!(refusal(client::register(&mut element, &changed)), StatusWord::WRONG_STATE);
    }
    let never = Registration { index: 8, ..other };
    assert_eq!(refusal(client::register(&mut element, &never)), StatusWord::UNKNOWN_INDEX);
    client::forget(&mut element, 2).unwrap();
    assert_eq!(refusal(coins[2].register(&mut element)), StatusWord::WRONG_STATE, "dead for ever");
    client::forget(&mut element, 7).unwrap();
    assert_eq!(refusal(coins[7].register(&mut element)), StatusWord::WRONG_STATE, "dead for ever");
    assert_eq!(client::status(&mut element).unwrap().held, FACE);
}

#[test]
fn lies_about_a_class_are_refused() {
    let world = World::new();
    let (mut element, _, coins) = world.withdrawn();
    let (secrets, note) = (&coins[0].issued.secrets, &coins[0].issued.note);
    let [gamma, k0, k1] = [&secrets.gamma, &secrets.k0, &secrets.k1].map(|scalar| scalar.to_bytes());
    let unknown = Registration { index: 0, class_id: [1; 16], gamma: &gamma, zeta1: note.zeta1(), k0: &k0, k1: &k1 };
    assert_eq!(refusal(client::register(&mut element, &unknown)), StatusWord::CLASS_NOT_LOADED);
    // Under another class than its own, a note has another name, and cannot be spent.
    let blank = Registration { class_id: world.blank.id().0, ..unknown };
    assert_ne!(client::register(&mut element, &blank).unwrap(), coins[0].id().0);
    let preimage = coins[0].preimage(&[stranger(FACE, 1)], 0);
    assert_eq!(refusal(coins[0].spend(&mut element, &preimage, &[])), StatusWord::WRONG_DATA);
    let lie = specie_core::transfer::Preimage { class_id: world.blank.id(), ..preimage };
    assert_eq!(refusal(coins[0].spend(&mut element, &lie, &[])), StatusWord::WRONG_DATA);
}

#[test]
fn degenerate_notes_are_refused() {
    let world = World::new();
    let (mut element, _, coins) = world.withdrawn();
    let (secrets, note) = (&coins[0].issued.secrets, &coins[0].issued.note);
    let [gamma, k0, k1] = [&secrets.gamma, &secrets.k0, &secrets.k1].map(|scalar| scalar.to_bytes());
    let class_id = world.value.id().0;
    let good = Registration { index: 0, class_id, gamma: &gamma, zeta1: note.zeta1(), k0: &k0, k1: &k1 };
    let (zero, odd, large) = ([0; 32], [1; 32], [0xFF; 32]);
    for wrong in [
        Registration { gamma: &zero, ..good },
        Registration { gamma: &large, ..good },
        Registration { zeta1: &zero, ..good },
        Registration { zeta1: note.zeta(), ..good },
        Registration { zeta1: &odd, ..good },
        Registration { k0: &large, ..good },
        Registration { k1: &large, ..good },
    ] {
        assert_eq!(refusal(client::register(&mut element, &wrong)), StatusWord::WRONG_DATA);
    }
    client::register(&mut element, &good).unwrap();
}

#[test]
fn owner_tags_count_what_is_expected() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    let blind = [3; 32];
    let tag = client::owner_tag(&mut element, 2, &blind, 700).unwrap();
    assert_eq!(tag, owner_tag(&coins[2].id(), &blind).0);
    let held = |element: &mut TestElement| client::status(element).unwrap().held;
    assert_eq!(held(&mut element), 2 * FACE + 700);
    client::owner_tag(&mut element, 2, &blind, 300).unwrap();
    assert_eq!(held(&mut element), 2 * FACE + 300, "asking again replaces the amount");
    let mut element = restart(element);
    assert_eq!(held(&mut element), 2 * FACE + 300);
    assert_eq!(refusal(client::forget(&mut element, 2)), StatusWord::WRONG_STATE);
    client::release(&mut element, 2).unwrap();
    client::release(&mut element, 2).unwrap();
    assert_eq!(held(&mut element), 2 * FACE);
    client::owner_tag(&mut element, 2, &blind, 0).unwrap();
    client::owner_tag(&mut element, 2, &blind, CAP).unwrap();
    assert_eq!(refusal(client::owner_tag(&mut element, 3, &blind, CAP + 1)), StatusWord::WRONG_DATA);
    assert_eq!(refusal(client::owner_tag(&mut element, 0, &blind, 1)), StatusWord::WRONG_DATA);
    assert_eq!(refusal(client::owner_tag(&mut element, 7, &blind, 1)), StatusWord::UNKNOWN_INDEX);
    assert_eq!(refusal(client::owner_tag(&mut element, 99, &blind, 1)), StatusWord::UNKNOWN_INDEX);
    assert_eq!(refusal(client::release(&mut element, 0)), StatusWord::WRONG_DATA);
}

#[test]
fn only_what_holds_nothing_is_forgotten() {
    let world = World::new();
    let (mut element, _, coins) = world.registered();
    assert_eq!(refusal(client::forget(&mut element, 0)), StatusWord::WRONG_STATE);
    assert_eq!(refusal(client::forget(&mut element, 8)), StatusWord::UNKNOWN_INDEX);
    let preimage = coins[0].preimage(&[stranger(FACE, 1)], 0);
    coins[0].spend(&mut element, &preimage, &[]).unwrap();
    let used = client::status(&mut element).unwrap().records_used;
    client::forget(&mut element, 0).unwrap();
    client::forget(&mut element, 0).unwrap();
    assert_eq!(client::status(&mut element).unwrap().records_used, used - 1);
    let mut element = restart(element);
    assert_eq!(refusal(coins[0].spend(&mut element, &preimage, &[])), StatusWord::UNKNOWN_INDEX);
    world.load_classes(&mut element, &world.manifest(1, ISSUED_AT));
    assert_eq!(refusal(coins[0].register(&mut element)), StatusWord::WRONG_STATE);
}
