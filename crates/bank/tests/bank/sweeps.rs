//! What nobody asked for: it falls to whom it should, once, or expires.

use specie_bank::redemption::{Redeemed, Refusal};
use specie_core::chain::ChainError;

use crate::world::{Asset, DAY, Device, START, World, account, amount, at, context};

const LATE: u64 = START + 180 * DAY + 1;

struct Paid {
    world: World,
    alice: Device,
    bob: Device,
    /// 60 to Bob, 40 back to Alice.
    outputs: Vec<Asset>,
}

fn paid(seed: u64) -> Paid {
    let mut world = World::new(seed);
    let (alice, bob) = (world.device("alpha"), world.device("beta"));
    let (tag, change) = (world.tags(&bob, 1).remove(0), world.tags(&alice, 1).remove(0));
    let outputs = world.note(&alice, 100).pay(&[(60, &tag), (40, &change)], context(1));
    Paid { world, alice, bob, outputs }
}

impl Paid {
    /// (redeemed, expired, outstanding) of the class of 100.
    fn line(&self) -> (u128, u128, i64) {
        self.world.assert_conserved();
        let line = self.world.conservation().classes.into_iter().find(|line| line.face == amount(100)).unwrap();
        (line.redeemed, line.expired, line.ledger)
    }

    fn sweep(&mut self, seconds: u64) -> specie_bank::sweep::Swept {
        self.world.restart();
        self.world.now = at(seconds);
        self.world.bank().sweep(at(seconds)).unwrap()
    }

    #[track_caller]
    fn redeem(&mut self, index: usize, to: (&str, &str), expected: Redeemed) {
        let asset = self.outputs[index].clone();
        assert_eq!(self.world.redeem_asset(&asset, account(to.0, to.1)), expected);
    }
}

#[test]
fn what_the_payee_never_claims_follows_the_change() {
    let mut paid = paid(100);
    paid.redeem(1, ("beta", "alices-savings"), Redeemed::Credited(amount(40)));
    assert_eq!(paid.sweep(START + 180 * DAY).leftovers, amount(0));
    assert_eq!(paid.line(), (40, 0, 60));
    let swept = paid.sweep(LATE);
    assert_eq!((swept.transfers, swept.leftovers, swept.closed, swept.expired), (1, amount(60), 10, amount(0)));
    assert_eq!((paid.line(), paid.world.reserve("beta")), ((100, 0, 0), 1_000_100));
    let credits = paid.world.transact(|tx| tx.credits_after(&crate::world::name("beta"), 1, 9)).unwrap();
    assert_eq!((credits.len(), credits[0].amount, credits[0].account.as_str()), (1, amount(60), "alices-savings"));
    // Once is enough, and it is too late for Bob, whatever his clock says.
    assert_eq!(paid.sweep(LATE + DAY), specie_bank::sweep::Swept::default());
    paid.redeem(
        0,
        ("beta", "bob"),
        Redeemed::Refused(Refusal::Chain(ChainError::Expired(paid.outputs[0].chain[0].preimage.class_id))),
    );
    paid.world.now = at(START);
    paid.redeem(0, ("beta", "bob"), Redeemed::Refused(Refusal::Lapsed));
    assert_eq!(paid.world.reserve("beta"), 1_000_100);
    // The answer of the first time is still given.
    paid.redeem(1, ("beta", "alices-savings"), Redeemed::Credited(amount(40)));
    assert_eq!(paid.line(), (100, 0, 0));
}

#[test]
fn what_nobody_names_a_destination_for_expires() {
    let mut paid = paid(101);
    paid.redeem(0, ("beta", "bob"), Redeemed::Credited(amount(60)));
    let swept = paid.sweep(LATE);
    assert_eq!((swept.leftovers, swept.expired), (amount(0), amount(40)));
    assert_eq!((paid.line(), paid.world.balance("expired")), ((60, 40, 0), 40));
}

#[test]
fn a_note_that_was_never_shown_expires() {
    let mut paid = paid(102);
    let swept = paid.sweep(LATE);
    assert_eq!((swept.transfers, swept.expired), (0, amount(100)));
    assert_eq!(paid.line(), (0, 100, 0));
    paid.world.now = at(START);
    paid.redeem(0, ("beta", "bob"), Redeemed::Refused(Refusal::Lapsed));
}

#[test]
fn change_of_nothing_names_a_destination() {
    let mut world = World::new(103);
    let (alice, bob) = (world.device("alpha"), world.device("beta"));
    let (tag, change) = (world.tags(&bob, 1).remove(0), world.tags(&alice, 1).remove(0));
    let outputs = world.note(&alice, 100).pay(&[(100, &tag), (0, &change)], context(1));
    let mut paid = Paid { world, alice, bob, outputs };
    paid.redeem(1, ("alpha", "alice"), Redeemed::Credited(amount(0)));
    assert_eq!(paid.sweep(LATE).leftovers, amount(100));
    assert_eq!((paid.line(), paid.world.reserve("alpha")), ((100, 0, 0), 1_000_000));
}

#[test]
fn change_spent_onward_names_the_destination_of_its_own_change() {
    let mut paid = paid(104);
    let Paid { alice, bob, .. } = &paid;
    let (alice, bob) = (alice.clone(), bob.clone());
    let (tag, change) = (paid.world.tags(&bob, 1).remove(0), paid.world.tags(&alice, 1).remove(0));
    let onward = paid.outputs[1].pay(&[(15, &tag), (25, &change)], context(2));
    // Bob redeems the second payment, Alice her second change; the first payment is lost.
    assert_eq!(paid.world.redeem_asset(&onward[0], account("beta", "bob")), Redeemed::Credited(amount(15)));
    assert_eq!(paid.world.redeem_asset(&onward[1], account("alpha", "alice")), Redeemed::Credited(amount(25)));
    assert_eq!(paid.sweep(LATE).leftovers, amount(60));
    assert_eq!((paid.line(), paid.world.reserve("alpha")), ((100, 0, 0), 1_000_000 - 15));
}

#[test]
fn a_payee_that_pays_on_is_its_own_residual_owner() {
    let mut paid = paid(105);
    let bob = paid.bob.clone();
    let carol = paid.world.device("beta");
    let (tag, change) = (paid.world.tags(&carol, 1).remove(0), paid.world.tags(&bob, 1).remove(0));
    let onward = paid.outputs[0].pay(&[(50, &tag), (10, &change)], context(2));
    // Carol never comes. Bob redeems his change, Alice hers.
    assert_eq!(paid.world.redeem_asset(&onward[1], account("beta", "bob")), Redeemed::Credited(amount(10)));
    paid.redeem(1, ("alpha", "alice"), Redeemed::Credited(amount(40)));
    let swept = paid.sweep(LATE);
    assert_eq!((swept.transfers, swept.leftovers), (2, amount(50)));
    assert_eq!((paid.line(), paid.world.reserve("beta")), ((100, 0, 0), 1_000_060));
    assert_eq!(paid.world.reserve("alpha"), 1_000_000 - 60);
}

#[test]
fn double_spent_transfers_leave_nothing_over() {
    let mut world = World::new(106);
    let (culprit, bob) = (world.device("alpha"), world.device("beta"));
    let (tags, own) = (world.tags(&bob, 2), world.tags(&culprit, 1));
    let note = world.note(&culprit, 100);
    let first = note.pay(&[(60, &tags[0]), (40, &own[0])], context(1));
    let second = note.pay(&[(100, &tags[1])], context(2));
    // The culprit redeems its change and hopes for the rest; Bob redeems the other payment.
    assert_eq!(world.redeem_asset(&first[1], account("alpha", "mallory")), Redeemed::Credited(amount(40)));
    assert_eq!(world.redeem_asset(&second[0], account("beta", "bob")), Redeemed::Credited(amount(100)));
    let mut paid = Paid { world, alice: culprit, bob, outputs: first };
    assert_eq!(paid.sweep(LATE).leftovers, amount(0));
    assert_eq!((paid.line(), paid.world.balance("fraud-loss")), ((100, 0, 0), -40));
}

#[test]
fn change_spent_twice_names_nobody() {
    let mut paid = paid(107);
    let bob = paid.bob.clone();
    let change = paid.outputs[1].clone();
    let tag = paid.world.tags(&bob, 1).remove(0);
    assert_eq!(paid.world.redeem_asset(&change, account("alpha", "mallory")), Redeemed::Credited(amount(40)));
    let elsewhere = change.pay(&[(40, &tag)], context(5)).remove(0);
    assert_eq!(paid.world.redeem_asset(&elsewhere, account("beta", "bob")), Redeemed::Credited(amount(40)));
    // The 60 that nobody claimed cover the loss as far as they go.
    assert_eq!((paid.world.balance("fraud-loss"), paid.line()), (0, (80, 0, 20)));
    let swept = paid.sweep(LATE);
    assert_eq!((swept.leftovers, swept.expired), (amount(0), amount(20)));
    assert_eq!(paid.line(), (80, 20, 0));
}

#[test]
fn an_older_blank_ends_a_chain_before_its_note_does() {
    let mut world = World::new(108);
    let (alice, bob) = (world.device("alpha"), world.device("beta"));
    // Blanks of epoch 1, a note of epoch 2.
    let (old, other) = (world.tags(&bob, 1).remove(0), world.tags(&bob, 1).remove(0));
    world.now = at(START + 60 * DAY);
    world.new_epoch(2, START + 60 * DAY, START + 150 * DAY, START + 240 * DAY);
    let (young, change) = (world.tags(&bob, 1).remove(0), world.tags(&alice, 1).remove(0));
    let first = world.note(&alice, 100).pay(&[(60, &old), (40, &change)], context(1));
    let onward = first[0].pay(&[(10, &young), (50, &other)], context(2));
    let (seed, now) = (world.random.bytes(), world.now);
    let checked = world.bank().check_payment(&onward[0].payment(), now, &seed).unwrap();
    world.transact(|tx| world.bank().keep_payment(tx, &checked, now)).unwrap();
    assert_eq!(world.redeem_asset(&onward[1], account("beta", "bob")), Redeemed::Credited(amount(50)));
    // At the end of epoch 1 the transfer that shows its blank is settled; the note's own lives on.
    let mut paid = Paid { world, alice, bob, outputs: first };
    let swept = paid.sweep(LATE);
    assert_eq!((swept.transfers, swept.leftovers, swept.closed), (1, amount(10), 10));
    paid.redeem(1, ("alpha", "alice"), Redeemed::Credited(amount(40)));
    paid.world.assert_conserved();
    let swept = paid.sweep(START + 240 * DAY + 1);
    assert_eq!((swept.transfers, swept.leftovers, swept.closed, swept.expired), (1, amount(0), 10, amount(0)));
    assert_eq!(paid.world.reserve("beta"), 1_000_060);
    paid.world.assert_conserved();
}
