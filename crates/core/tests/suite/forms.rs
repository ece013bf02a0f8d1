//! The compact and the extended form of a transfer convert into each other without loss (§6).

use specie_core::bytes::Context;
use specie_core::chain::{CheckShow, Immediately};
use specie_core::encoding::Decode;
use specie_core::show::{Points, verify_compact_vartime, verify_extended_vartime};
use specie_core::transfer::{Input, Transfer};

use crate::fixture::{World, encoded, output, stranger};

fn paid(world: &World) -> Transfer {
    world.note(&world.alice, 0).transfer(Input::Issued, &[output(500, stranger(0))], Context([1; 32]))
}

#[test]
fn both_forms_have_the_same_name_and_challenge() {
    let extended = paid(&World::new());
    let compact = extended.compact();
    assert_eq!((compact.id(), compact.d()), (extended.id(), extended.d()));
    assert_eq!(encoded(&extended).len(), encoded(&compact).len() + 2 + Points::LENGTH);
}

#[test]
fn checking_the_compact_form_gives_the_extended_one() {
    let world = World::new();
    let extended = paid(&world);
    let compact = Transfer::decode(&encoded(&extended.compact())).unwrap();
    assert_eq!(compact.points, None);
    let points = Immediately(&world.generators).check(&world.value.class, &compact, &compact.d()).unwrap();
    let back = Transfer { points: Some(points), ..compact };
    assert_eq!(back, extended);
    assert_eq!(encoded(&back), encoded(&extended));
}

/// Points other than the ones that a verifier would compute must not pass, or a transfer would have two extended
/// forms and a note two names.
#[test]
fn rejects_an_extended_form_with_any_point_changed() {
    let world = World::new();
    let transfer = paid(&world);
    let (class, note, d) = (&world.value.class, &transfer.preimage.note, transfer.d());
    let good = transfer.points.unwrap();
    assert!(verify_compact_vartime(&world.generators, class, note, &d, &transfer.show).is_ok());
    for index in 0..6 {
        let mut bytes = good.to_bytes();
        let other: [u8; 32] = bytes[(index + 1) % 6 * 32..][..32].try_into().unwrap();
        bytes[index * 32..][..32].copy_from_slice(&other);
        let points = Points::from_bytes(&bytes);
        assert!(verify_extended_vartime(&world.generators, class, note, &d, &transfer.show, &points).is_err());
        let wrong = Transfer { points: Some(points), ..transfer };
        assert!(Immediately(&world.generators).check(class, &wrong, &d).is_err());
    }
}

/// A show is for one preimage: whatever is changed in it, the show is no longer valid.
#[test]
fn rejects_a_show_of_another_preimage() {
    let world = World::new();
    let transfer = paid(&world);
    let mut others = [transfer; 3];
    others[0].preimage.context = Context([2; 32]);
    others[1].preimage.outputs = specie_core::transfer::Outputs::new(&[output(500, stranger(1))]).unwrap();
    others[2].preimage.input = crate::fixture::received(&transfer, 0, [0; 32]);
    for other in others.into_iter().flat_map(|other| [other, other.compact()]) {
        let checked = Immediately(&world.generators).check(&world.value.class, &other, &other.d());
        assert!(checked.is_err());
    }
}
