//! Money comes back once, to whom it was meant for, whatever else is in the batch.

use specie_bank::issuance::IssuanceError;
use specie_bank::redemption::{Redeemed, RedemptionError, Refusal};
use specie_core::chain::ChainError;
use specie_core::class::Kind;

use crate::world::{Asset, DAY, START, World, account, amount, at, context, encode_chain};

fn refused(world: &mut World, asset: &Asset) -> Refusal {
    match world.redeem_asset(asset, account("alpha", "bob")) {
        Redeemed::Refused(refusal) => refusal,
        Redeemed::Credited(amount) => panic!("credited {amount}"),
    }
}

#[test]
fn a_payment_and_its_change_come_back_once() {
    let mut world = World::new(1);
    let (alice, bob) = (world.device("alpha"), world.device("beta"));
    let note = world.note(&alice, 500);
    assert_eq!(world.reserve("alpha"), 1_000_000 - 500);
    let (bobs, alices) = (world.tags(&bob, 1), world.tags(&alice, 1));
    let paid = note.pay(&[(123, &bobs[0]), (377, &alices[0])], context(1));
    world.restart();
    assert_eq!(world.redeem_asset(&paid[0], account("beta", "bob")), Redeemed::Credited(amount(123)));
    world.assert_conserved();
    world.restart();
    assert_eq!(world.redeem_asset(&paid[1], account("alpha", "alice")), Redeemed::Credited(amount(377)));
    world.assert_conserved();
    // The same again, in one batch, after a restart: the same answer, no more money.
    world.restart();
    let again = paid[0].redeem(account("beta", "bob"));
    let both = world.redeem(account("beta", "bob"), &[again.clone(), again]).unwrap();
    assert_eq!(both, [Redeemed::Credited(amount(123)), Redeemed::Credited(amount(123))]);
    assert_eq!((world.reserve("alpha"), world.reserve("beta")), (1_000_000 - 123, 1_000_000 + 123));
    let line = world.conservation().classes.into_iter().find(|line| line.face == amount(500)).unwrap();
    assert_eq!((line.issued, line.redeemed, line.expired, line.outstanding(), line.ledger), (500, 500, 0, 0, 0));
}

#[test]
fn what_was_received_is_spent_on_and_comes_back() {
    let mut world = World::new(2);
    let devices: Vec<_> = (0..4).map(|_| world.device("alpha")).collect();
    let mut asset = world.note(&devices[0], 200);
    for device in &devices[1..] {
        let tag = world.tags(device, 1).remove(0);
        asset = asset.pay(&[(200, &tag)], context(9)).remove(0);
    }
    assert_eq!(world.redeem_asset(&asset, account("alpha", "dora")), Redeemed::Credited(amount(200)));
    world.assert_conserved();
}

#[test]
fn mixed_classes_and_a_partly_bad_batch() {
    let mut world = World::new(3);
    let alice = world.device("alpha");
    let to = account("alpha", "alice");
    let notes: Vec<_> = [1, 50, 1_000, 20].into_iter().map(|face| world.note(&alice, face)).collect();
    let mut chains: Vec<_> = notes.iter().map(|note| note.redeem(to)).collect();
    // A forged show: everything is in order but the equations.
    let mut forged = notes[1].held.show(notes[1].input, &[], to.context());
    forged.show.z0 += specie_core::group::Scalar::ONE;
    chains[1] = encode_chain(&[forged]);
    chains.insert(2, vec![0x80]);
    chains.push(notes[0].redeem(account("alpha", "mallory")));
    let results = world.redeem(to, &chains).unwrap();
    let forged = Refusal::Chain(ChainError::Forged(specie_core::VerificationFailure));
    assert_eq!(
        results,
        [
            Redeemed::Credited(amount(1)),
            Redeemed::Refused(forged),
            Redeemed::Refused(Refusal::Malformed),
            Redeemed::Credited(amount(1_000)),
            Redeemed::Credited(amount(20)),
            Redeemed::Refused(Refusal::WrongDestination),
        ]
    );
    world.assert_conserved();
    // The forger's attempt has cost the owner nothing.
    assert_eq!(world.redeem_asset(&notes[1], to), Redeemed::Credited(amount(50)));
    let size = |result| matches!(result, Err(RedemptionError::Size));
    assert!(size(world.redeem(to, &[])));
    assert!(size(world.redeem(to, &vec![vec![0x80]; 257])));
}

#[test]
fn every_rule_of_a_chain_is_checked() {
    let mut world = World::new(4);
    let (alice, bob) = (world.device("alpha"), world.device("alpha"));
    let note = world.note(&alice, 100);
    let tags = world.tags(&bob, 6);
    let to = account("alpha", "bob");
    let paid = note.pay(&[(100, &tags[0])], context(1)).remove(0);

    // A blank that does not own the output.
    let stolen = Asset { held: tags[1].blank.clone(), ..paid.clone() };
    assert_eq!(refused(&mut world, &stolen), Refusal::Chain(ChainError::WrongOwner));
    // An output that is not there, and a chain that begins in the middle.
    let specie_core::transfer::Input::Received { previous, blind, .. } = paid.input else { unreachable!() };
    let elsewhere =
        Asset { input: specie_core::transfer::Input::Received { previous, index: 1, blind }, ..paid.clone() };
    assert_eq!(refused(&mut world, &elsewhere), Refusal::Chain(ChainError::BrokenLink));
    let headless = Asset { chain: Vec::new(), ..paid.clone() };
    assert_eq!(refused(&mut world, &headless), Refusal::Chain(ChainError::BrokenLink));
    // A blank redeemed as if it were a note.
    let blank = Asset { input: specie_core::transfer::Input::Issued, chain: Vec::new(), ..paid.clone() };
    assert_eq!(refused(&mut world, &blank), Refusal::Chain(ChainError::WrongKind));
    // More comes out than went in.
    let inflated = note.pay(&[(101, &tags[2])], context(1)).remove(0);
    assert_eq!(refused(&mut world, &inflated), Refusal::Chain(ChainError::WrongAmount));
    // More than the blank's class allows.
    let small = world.class(Kind::Blank, 100);
    let small = world.withdraw(&bob, &[(small.id(), 1)]).unwrap().remove(0);
    let small = world.tag(small);
    let large = world.note(&alice, 200).pay(&[(200, &small)], context(1)).remove(0);
    assert_eq!(refused(&mut world, &large), Refusal::Chain(ChainError::OverCap));
    // A payment is no redemption.
    let chain = encode_chain(&paid.chain);
    assert_eq!(world.redeem(to, &[chain]).unwrap(), [Redeemed::Refused(Refusal::Chain(ChainError::WrongEnd))]);
    // More hops than the class allows.
    let mut long = note.clone();
    let hops = world.tags(&bob, 5);
    for tag in &hops {
        long = long.pay(&[(100, tag)], context(2)).remove(0);
    }
    assert_eq!(refused(&mut world, &long), Refusal::Chain(ChainError::TooManyHops));
    // None of this left a trace.
    world.assert_conserved();
    assert_eq!(world.redeem_asset(&paid, to), Redeemed::Credited(amount(100)));
    assert_eq!(world.bank().storage_counts(), (0, 0));
}

#[test]
fn dates_and_epochs_hold() {
    let mut world = World::new(5);
    let alice = world.device("alpha");
    let to = account("alpha", "alice");
    let (old, other) = (world.note(&alice, 10), world.note(&alice, 20));
    let old_class = world.class(Kind::Value, 10);
    world.now = at(START + 30 * DAY);
    world.new_epoch(2, START + 30 * DAY, START + 120 * DAY, START + 210 * DAY);
    // Only the newest epoch is issued; both are redeemed.
    let refused_issue = world.withdraw(&alice, &[(old_class.id(), 1)]);
    assert!(matches!(refused_issue, Err(IssuanceError::NotIssued(_))));
    let new = world.note(&alice, 10);
    assert_ne!(new.held.class.id(), old_class.id());
    let results = world.redeem(to, &[old.redeem(to), new.redeem(to)]).unwrap();
    assert_eq!(results, [Redeemed::Credited(amount(10)), Redeemed::Credited(amount(10))]);
    // The last moment counts, the one after it does not.
    world.now = at(START + 180 * DAY + 1);
    assert!(matches!(refused(&mut world, &other), Refusal::Chain(ChainError::Expired(_))));
    // Unless the answer was only lost.
    assert_eq!(world.redeem_asset(&old, to), Redeemed::Credited(amount(10)));
    world.now = at(START + 180 * DAY);
    assert_eq!(world.redeem_asset(&other, to), Redeemed::Credited(amount(20)));
    world.assert_conserved();
}

#[test]
fn an_unknown_destination_and_an_unknown_class_are_refused() {
    let mut world = World::new(6);
    let alice = world.device("alpha");
    let note = world.note(&alice, 10);
    let nowhere = account("gamma", "alice");
    let chain = note.redeem(nowhere);
    assert!(matches!(world.redeem(nowhere, &[chain]), Err(RedemptionError::Psp(_))));
    let mut other = World::new(7);
    let foreign = refused(&mut other, &note);
    assert!(matches!(foreign, Refusal::Chain(ChainError::UnknownClass(_))));
}

#[test]
fn credits_tell_the_psp_once_and_in_order() {
    let mut world = World::new(8);
    let (alice, bob) = (world.device("alpha"), world.device("beta"));
    let tags = world.tags(&bob, 2);
    let paid = world.note(&alice, 100).pay(&[(60, &tags[0]), (40, &tags[1])], context(1));
    for (asset, account_name) in [(&paid[0], "one"), (&paid[1], "two"), (&paid[0], "one")] {
        world.redeem_asset(asset, account("beta", account_name));
    }
    let psp = crate::world::name("beta");
    let credits = world.transact(|tx| tx.credits_after(&psp, 0, 10)).unwrap();
    let seen: Vec<_> = credits
        .iter()
        .map(|credit| (credit.sequence, credit.account.as_str().to_owned(), credit.amount.minor()))
        .collect();
    assert_eq!(seen, [(1, "one".to_owned(), 60), (2, "two".to_owned(), 40)]);
    assert_eq!(world.transact(|tx| tx.credits_after(&psp, 1, 10)).unwrap().len(), 1);
}

/// What the bank knows of double spends.
trait Counts {
    /// Double spends and alarms.
    fn storage_counts(&self) -> (u64, u64);
}

impl Counts for crate::world::TestBank {
    fn storage_counts(&self) -> (u64, u64) {
        use specie_bank::storage::{Storage, StorageError};
        self.storage().read(|view| Ok::<_, StorageError>((view.double_spend_sequence()?, view.alarm_count()?))).unwrap()
    }
}
