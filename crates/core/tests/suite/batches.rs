//! Many shows checked at once (§6): the verdict is that of checking them one by one.

use specie_core::bytes::Context;
use specie_core::chain::{Batched, Deadline, End, verify_chain};
use specie_core::encoding::Decode;
use specie_core::group::Scalar;
use specie_core::note::Note;
use specie_core::payment::Chain;
use specie_core::show::{Batch, Points, Show, verify_extended_vartime};
use specie_core::transfer::{Input, Transfer};

use crate::fixture::{NOW, World, chain, output, scalar, seed, stranger};

/// One thing to check.
#[derive(Clone, Copy)]
struct Item {
    note: Note,
    d: Scalar,
    show: Show,
    points: Points,
}

fn items(world: &World, count: u64) -> Vec<Item> {
    let show = |index| {
        let (held, d) = (world.note(&world.alice, index), scalar("d", index));
        Item { note: held.note.note, d, show: held.show_at(&d), points: held.note.points }
    };
    (0..count).map(show).collect()
}

fn one_by_one(world: &World, items: &[Item]) -> bool {
    items.iter().all(|item| {
        let Item { note, d, show, points } = item;
        verify_extended_vartime(&world.generators, &world.value.class, note, d, show, points).is_ok()
    })
}

fn at_once(world: &World, items: &[Item], number: u64) -> bool {
    let mut batch = Batch::new(world.generators, seed("batch", number));
    let pushed = items.iter().all(|item| {
        let Item { note, d, show, points } = item;
        batch.push(&world.value.class, note, d, show, points).is_ok()
    });
    pushed && batch.verify_vartime().is_ok()
}

/// Adds `more` to scalar `index` of the note.
fn add_to_note(note: &mut Note, index: usize, more: Scalar) {
    let part = &mut note.0[index * 32..][..32];
    let scalar = Scalar::from_bytes_mod_order((&*part).try_into().unwrap()) + more;
    part.copy_from_slice(scalar.as_bytes());
}

#[test]
fn accepts_good_ones_and_none_at_all() {
    let world = World::new();
    let items = items(&world, 20);
    for count in [0, 1, 2, 20] {
        assert!(at_once(&world, &items[..count], 0) && one_by_one(&world, &items[..count]));
    }
}

#[test]
fn rejects_one_bad_show_among_many_wherever_it_is() {
    let world = World::new();
    let good = items(&world, 12);
    for position in 0..good.len() {
        for fault in 0..5 {
            let mut items = good.clone();
            let item = &mut items[position];
            match fault {
                0 => item.show.z0 += Scalar::ONE,
                1 => item.show.z1 += Scalar::ONE,
                2 => item.show.z3 += Scalar::ONE,
                3 => item.d += Scalar::ONE,
                // ρ, ρ1, ρ2 and μ are in no hash: only the equations speak of them.
                _ => add_to_note(&mut item.note, [2, 4, 5, 7][position % 4], Scalar::ONE),
            }
            assert!(!one_by_one(&world, &items));
            assert!(!at_once(&world, &items, position as u64), "fault {fault} at {position}");
        }
    }
}

/// With equal weights these would pass.
#[test]
fn errors_of_two_shows_do_not_cancel() {
    let world = World::new();
    let mut items = items(&world, 2);
    items[0].show.z0 += Scalar::ONE;
    items[1].show.z0 -= Scalar::ONE;
    for number in 0..8 {
        assert!(!at_once(&world, &items, number));
    }
}

/// Two equations of one show speak of `G`: with equal weights `ρ + 1` and `ρ1 − 1` would pass.
#[test]
fn errors_of_two_equations_do_not_cancel() {
    let world = World::new();
    let mut items = items(&world, 1);
    add_to_note(&mut items[0].note, 2, Scalar::ONE);
    add_to_note(&mut items[0].note, 4, -Scalar::ONE);
    assert!(!one_by_one(&world, &items) && !at_once(&world, &items, 0));
}

/// The same wrong show twice, with opposite errors in itself and its repeat.
#[test]
fn a_repeat_does_not_cancel_either() {
    let world = World::new();
    let item = items(&world, 1)[0];
    let [mut more, mut less] = [item; 2];
    more.show.z3 += Scalar::ONE;
    less.show.z3 -= Scalar::ONE;
    assert!(!at_once(&world, &[more, less], 0));
    assert!(at_once(&world, &[item, item], 0));
}

#[test]
fn a_refused_push_leaves_the_batch_as_it_was() {
    let world = World::new();
    let items = items(&world, 2);
    let mut wrong = items[0];
    add_to_note(&mut wrong.note, 3, Scalar::ONE);
    let mut batch = Batch::new(world.generators, seed("batch", 0));
    let mut push = |item: &Item| batch.push(&world.value.class, &item.note, &item.d, &item.show, &item.points);
    assert!(push(&items[0]).is_ok() && push(&wrong).is_err() && push(&items[1]).is_ok());
    assert!(batch.verify_vartime().is_ok());
}

#[test]
fn batches_mix_classes() {
    let world = World::new();
    let mut batch = Batch::new(world.generators, seed("batch", 0));
    for index in 0..3 {
        for held in [world.note(&world.alice, 2 * index), world.blank(&world.alice, 2 * index + 1)] {
            let d = scalar("d", index);
            let (note, points) = (&held.note.note, &held.note.points);
            batch.push(&held.class, note, &d, &held.show_at(&d), points).unwrap();
        }
    }
    assert!(batch.verify_vartime().is_ok());
}

/// A chain checked with [`Batched`] holds only once its batch does; compact links are checked at once.
#[test]
fn a_chain_in_a_batch_is_good_when_the_batch_is() {
    let world = World::new();
    let good = world.note(&world.alice, 0).transfer(Input::Issued, &[output(500, stranger(0))], Context([1; 32]));
    let mut wrong = good;
    wrong.show.z0 += Scalar::ONE;
    let check = |transfer: Transfer| {
        let bytes = chain(&[transfer]);
        let mut shows =
            Batched { generators: &world.generators, batch: Batch::new(world.generators, seed("batch", 0)) };
        let (classes, chain) = (world.classes(), Chain::decode(&bytes).unwrap());
        let first = verify_chain(&classes[..], &chain, Deadline::Spend(NOW), End::Outputs, &mut shows, |_| {});
        (first.is_ok(), shows.batch.verify_vartime().is_ok())
    };
    assert_eq!(check(good), (true, true));
    assert_eq!(check(wrong), (true, false));
    assert_eq!(check(good.compact()), (true, true));
    assert!(!check(wrong.compact()).0);
}
