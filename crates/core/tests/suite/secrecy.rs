//! No secret can be printed by accident: types that hold one print nothing of it, or cannot be printed at all.

use core::fmt::Debug;

use specie_core::bytes::Context;
use specie_core::issuance::{Blinded, Blinding, IssuedNote, IssuerSession, IssuingKey};
use specie_core::note::NoteSecrets;
use specie_core::signature::SigningKey;
use specie_core::transfer::Input;

use crate::fixture::{Withdrawal, World, output, stranger};

/// Whether `T: Debug`, asked of the compiler: the inherent constant, where it applies, hides that of the trait.
struct Printable<T>(core::marker::PhantomData<T>);

trait Otherwise {
    const YES: bool = false;
}

impl<T> Otherwise for Printable<T> {}

impl<T: Debug> Printable<T> {
    const YES: bool = true;
}

#[test]
fn secrets_have_no_debug_at_all() {
    let printable = [
        ("IssuingKey", Printable::<IssuingKey>::YES),
        ("IssuerSession", Printable::<IssuerSession>::YES),
        ("Blinding", Printable::<Blinding>::YES),
        ("Blinded", Printable::<Blinded>::YES),
        ("NoteSecrets", Printable::<NoteSecrets>::YES),
        ("IssuedNote", Printable::<IssuedNote>::YES),
        ("SigningKey", Printable::<SigningKey>::YES),
    ];
    for (name, printable) in printable {
        assert!(!printable, "{name} can be printed");
    }
    const { assert!(Printable::<specie_core::transfer::Transfer>::YES, "the question works") };
}

/// What can be printed shows neither the answers of a session nor those of a show: two of them give secrets away.
#[test]
fn what_can_be_printed_shows_no_secret() {
    let world = World::new();
    let Withdrawal { session, commitment, blinded, .. } =
        Withdrawal::begin(&world.generators, &world.value, &world.alice, 0);
    let response = session.answer(&world.value.key, blinded.e());
    let transfer = world.note(&world.alice, 1).transfer(Input::Issued, &[output(500, stranger(0))], Context([1; 32]));
    let printed = format!("{commitment:?} {response:?} {transfer:?} {transfer:#?}");
    let scalars = [response.r, response.s1, response.s2, response.delta, transfer.show.z0, transfer.show.z3];
    let secret = scalars.map(|scalar| scalar.to_bytes()).into_iter().chain([commitment.rnd]);
    for bytes in secret {
        assert!(!printed.contains(&hex::encode(bytes)));
        assert!(!printed.contains(&format!("{bytes:?}")));
        assert!(!printed.contains(&format!("{:?}", &bytes[..4]).replace(['[', ']'], "")));
    }
    assert!(!printed.contains(&hex::encode(transfer.preimage.note.0)));
}
