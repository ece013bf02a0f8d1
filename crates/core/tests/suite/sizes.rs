//! What fits on paper and over slow links.

use specie_core::bytes::Context;
use specie_core::class::{Info, Kind};
use specie_core::transfer::Input;

use crate::fixture::{Mint, World, amount, chain, info, name, output, payment, stranger, withdraw};

/// A payment of one note, one hop, with change, with amounts as long as they get.
fn lengths() -> [usize; 2] {
    let world = World::new();
    let face = 5_000_000_000_000_000_000;
    let dear = Info { issuer: name("a-bank-with-a-name-of-32-letters"), amount: amount(face), ..info(Kind::Value, 1) };
    let note = withdraw(&world.generators, &Mint::new(7, dear), &world.alice, 0);
    let outputs = [output(face / 2, stranger(1)), output(face / 2, stranger(2))];
    let transfer = note.transfer(Input::Issued, &outputs, Context([1; 32]));
    [transfer.compact(), transfer].map(|transfer| payment(&[&chain(&[transfer])]).len())
}

#[test]
fn a_payment_with_change_is_short() {
    let [compact, extended] = lengths();
    println!("compact {compact} bytes, extended {extended} bytes");
    assert!(compact <= 700, "{compact} bytes");
    assert!(extended <= 900, "{extended} bytes");
}
