//! A note is good for its own class and for no other.

use specie_core::amount::Timestamp;
use specie_core::class::{Class, Info, Kind};
use specie_core::show::{Batch, verify_compact_vartime, verify_extended_vartime};
use specie_core::text::Currency;

use crate::fixture::{Mint, World, amount, info, name, scalar, seed, time};

/// Asserts that a note of the world's value class is refused as one of `other`, in every form.
fn confused(world: &World, other: &Class, what: &str) {
    let held = world.note(&world.alice, 0);
    let d = scalar("d", 0);
    let (note, show, points) = (&held.note.note, held.show_at(&d), &held.note.points);
    let generators = &world.generators;
    assert!(verify_compact_vartime(generators, &held.class, note, &d, &show).is_ok());
    assert_ne!(other.id(), held.class.id(), "{what}");
    assert_ne!(other.Z(), held.class.Z(), "{what}");
    assert!(verify_compact_vartime(generators, other, note, &d, &show).is_err(), "{what}");
    assert!(verify_extended_vartime(generators, other, note, &d, &show, points).is_err(), "{what}");
    assert!(Batch::new(*generators, seed("batch", 0)).push(other, note, &d, &show, points).is_err(), "{what}");
}

#[test]
fn rejects_a_note_as_one_of_a_class_of_the_same_key_with_another_info() {
    let world = World::new();
    let good = *world.value.class.info();
    let later = |time: Timestamp| time.saturating_add(1);
    let others: [(&str, Info); 9] = [
        ("face", Info { amount: amount(50_000), ..good }),
        ("kind", Info { kind: Kind::Blank, max_hops: 0, ..good }),
        ("epoch", Info { epoch: 8, ..good }),
        ("issuer", Info { issuer: name("central-bank-2"), ..good }),
        ("currency", Info { currency: Currency::new("EUR").unwrap(), ..good }),
        ("issue_from", Info { issue_from: time(999), ..good }),
        ("spend_until", Info { spend_until: later(good.spend_until), ..good }),
        ("redeem_until", Info { redeem_until: later(good.redeem_until), ..good }),
        ("max_hops", Info { max_hops: 200, ..good }),
    ];
    for (what, info) in others {
        confused(&world, &Class::new(*world.value.class.Y(), info).unwrap(), what);
    }
}

#[test]
fn rejects_a_note_as_one_of_another_key() {
    let world = World::new();
    confused(&world, &Mint::new(9, info(Kind::Value, 500)).class, "key");
}

/// A blank is free: nobody must be able to spend one as money.
#[test]
fn rejects_a_blank_as_a_value_note() {
    let world = World::new();
    let blank = world.blank(&world.alice, 0);
    let d = scalar("d", 0);
    let as_value = Class::new(*world.blank.class.Y(), info(Kind::Value, 1_000)).unwrap();
    for class in [&world.value.class, &as_value] {
        assert!(verify_compact_vartime(&world.generators, class, &blank.note.note, &d, &blank.show_at(&d)).is_err());
    }
}
