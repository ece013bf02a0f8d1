//! Online payments.

use specie_core::text::{Currency, Memo};
use specie_psp::ledger::MovementKind;
use specie_psp::transfer::{TransferError, TransferOrder};

use crate::world::{DEPOSIT, World, amount, at, name};

fn order(to_psp: &str, to_account: &str, minor: u64) -> TransferOrder {
    TransferOrder {
        to_psp: name(to_psp),
        to_account: name(to_account),
        amount: amount(minor),
        currency: Currency::new("XTS").unwrap(),
        reference: Memo::new("bread"),
    }
}

const FIRST: &str = "transfer-00000001";

#[test]
fn a_payment_within_the_psp_moves_once() {
    let world = World::new();
    let psp = world.psp();
    let request = world.device.asks(FIRST, 1);
    let (id, left) = psp.transfer(&request, &order("north", "bob-account", 250), at(10)).unwrap();
    assert_eq!(left.minor(), DEPOSIT - 250);
    assert_eq!(psp.transfer(&request, &order("north", "bob-account", 250), at(11)).unwrap(), (id, left));
    let conflict = psp.transfer(&world.device.asks(FIRST, 2), &order("north", "bob-account", 251), at(11));
    assert!(matches!(conflict, Err(TransferError::Conflict(_))), "{conflict:?}");
    let history = psp.statement(&world.public(), at(11)).unwrap().history;
    assert_eq!(
        (history[0].kind, history[0].amount, history[0].reference.as_str()),
        (MovementKind::Payment, amount(250), "bread")
    );
    assert_eq!(psp.books().unwrap().customers.minor(), DEPOSIT);
    assert!(world.bank.state().transfers.is_empty());
    world.check_at_rest();
}

#[test]
fn a_payment_to_another_psp_leaves_the_reserve_once() {
    let world = World::new();
    let psp = world.psp();
    let request = world.device.asks(FIRST, 1);
    let first = psp.transfer(&request, &order("south", "carol", 250), at(10)).unwrap();
    assert_eq!(psp.transfer(&request, &order("south", "carol", 250), at(11)).unwrap(), first);
    assert_eq!(world.bank.state().reserve, 50_000 - 250);
    assert_eq!(world.balance(), DEPOSIT - 250);
    world.check_at_rest();
}

#[test]
fn a_payment_that_the_bank_refuses_comes_back() {
    let world = World::new();
    let psp = world.psp();
    for _ in 0..2 {
        let refused = psp.transfer(&world.device.asks(FIRST, 1), &order("nowhere", "carol", 250), at(10));
        assert!(matches!(refused, Err(TransferError::Refused)), "{refused:?}");
        assert_eq!(world.balance(), DEPOSIT);
        world.check_at_rest();
    }
}

#[test]
fn rejects_payments_that_cannot_be() {
    let world = World::new();
    let psp = world.psp();
    let pay = |order: &TransferOrder| psp.transfer(&world.device.asks(FIRST, 1), order, at(10)).map(drop);
    assert!(matches!(pay(&order("north", "bob-account", 0)), Err(TransferError::Nothing)));
    assert!(matches!(pay(&order("north", "alice-account", 1)), Err(TransferError::Nothing)));
    assert!(matches!(pay(&order("north", "carol", 1)), Err(TransferError::UnknownAccount(_))));
    assert!(matches!(pay(&order("north", "bob-account", DEPOSIT + 1)), Err(TransferError::Balance)));
    assert!(matches!(pay(&order("south", "carol", DEPOSIT + 1)), Err(TransferError::Balance)));
    let euros = TransferOrder { currency: Currency::new("EUR").unwrap(), ..order("north", "bob-account", 1) };
    assert!(matches!(pay(&euros), Err(TransferError::Currency(_))));
    assert!(pay(&order("north", "bob-account", DEPOSIT)).is_ok());
    world.check_at_rest();
}

#[test]
fn a_payment_waits_while_the_reserve_is_too_low() {
    let world = World::new();
    let psp = world.psp();
    let reserve = std::mem::replace(&mut world.bank.state().reserve, 249);
    let waiting = psp.transfer(&world.device.asks(FIRST, 1), &order("south", "carol", 250), at(10));
    assert!(matches!(waiting, Err(TransferError::Bank(_))), "{waiting:?}");
    assert_eq!(world.balance(), DEPOSIT - 250);
    world.check_books();
    world.bank.state().reserve = reserve;
    assert_eq!(psp.reconcile(at(11)).unwrap().transfers, 1);
    world.check_at_rest();
}
