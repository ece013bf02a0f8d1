//! Whoever spends twice is named, in whatever order the two come; whoever was paid is paid.

use specie_bank::issuance::IssuanceError;
use specie_bank::redemption::{Redeemed, Refusal};
use specie_bank::storage::{Storage, StorageError};
use specie_core::bytes::{NoteId, RevokedNote};
use specie_core::class::Kind;
use specie_core::encoding::Decode;
use specie_core::evidence::Evidence;
use specie_core::revocation::RevocationPage;

use crate::world::{Asset, Device, Tag, World, account, amount, context, ledger_key};

/// A device that has spent a note of 100 twice, and those whom it paid.
struct Fraud {
    world: World,
    culprit: Device,
    honest: Device,
    note: Asset,
    /// Owned by `honest`.
    first: Asset,
    /// Owned by `honest` too, which does not know.
    second: Asset,
}

fn fraud(seed: u64) -> Fraud {
    let mut world = World::new(seed);
    let (culprit, honest) = (world.device("alpha"), world.device("beta"));
    let note = world.note(&culprit, 100);
    let tags = world.tags(&honest, 2);
    let first = note.pay(&[(100, &tags[0])], context(1)).remove(0);
    let second = note.pay(&[(100, &tags[1])], context(2)).remove(0);
    Fraud { world, culprit, honest, note, first, second }
}

impl Fraud {
    /// The culprit is named, by evidence that holds, struck off and revoked; nobody else is; the books hold.
    #[track_caller]
    fn assert_convicted(&self, note: NoteId, loss: u64) {
        let Self { world, culprit, honest, .. } = self;
        let bank = world.bank();
        let found = bank
            .storage()
            .read(|view| {
                let all = view.double_spends_after(0, 10)?;
                let struck_off = view.device(&culprit.identity)?.unwrap().struck_off;
                let innocent = view.device(&honest.identity)?.unwrap().struck_off;
                let page = view.newest_revocation()?.unwrap().content;
                Ok::<_, StorageError>((all, struck_off, innocent, page, view.alarm_count()?))
            })
            .unwrap();
        let (all, struck_off, innocent, page, alarms) = found;
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].note_id, all[0].culprit, all[0].registered), (note, Some(culprit.identity), true));
        let evidence = Evidence::decode(&all[0].evidence).unwrap();
        assert_eq!(evidence.verify_vartime(&world.generators).unwrap().U, culprit.identity);
        assert!(struck_off.is_some() && innocent.is_none());
        let page = RevocationPage::decode(&page).unwrap();
        page.verify(&ledger_key(world)).unwrap();
        assert_eq!(page.notes().collect::<Vec<_>>(), [RevokedNote::of(&note)]);
        assert_eq!(alarms, 0);
        world.assert_conserved();
        assert_eq!(world.balance("fraud-loss"), -i64::try_from(loss).unwrap());
    }

    #[track_caller]
    fn assert_unsuspected(&self) {
        let count = self.world.bank().storage().read(|view| view.double_spend_sequence());
        assert_eq!(count.unwrap(), 0);
    }
}

const PAID: Redeemed = Redeemed::Refused(Refusal::DoubleSpent);

fn credited(minor: u64) -> Redeemed {
    Redeemed::Credited(amount(minor))
}

#[test]
fn both_payees_one_after_the_other() {
    let mut fraud = fraud(20);
    let to = account("beta", "bob");
    assert_eq!(fraud.world.redeem_asset(&fraud.first, to), credited(100));
    fraud.assert_unsuspected();
    fraud.world.restart();
    assert_eq!(fraud.world.redeem_asset(&fraud.second, to), credited(100));
    fraud.assert_convicted(fraud.note.held.id, 100);
    // A repeat of either changes nothing, nor does a third payee add evidence.
    assert_eq!(fraud.world.redeem_asset(&fraud.first, to), credited(100));
    assert_eq!(fraud.world.redeem_asset(&fraud.second, to), credited(100));
    let tag = fraud.world.tags(&fraud.honest.clone(), 1).remove(0);
    let third = fraud.note.pay(&[(100, &tag)], context(3)).remove(0);
    assert_eq!(fraud.world.redeem_asset(&third, to), credited(100));
    fraud.assert_convicted(fraud.note.held.id, 200);
}

#[test]
fn both_payees_in_one_batch() {
    let mut fraud = fraud(21);
    let to = account("beta", "bob");
    let chains = [fraud.first.redeem(to), fraud.second.redeem(to)];
    assert_eq!(fraud.world.redeem(to, &chains).unwrap(), [credited(100), credited(100)]);
    fraud.assert_convicted(fraud.note.held.id, 100);
}

#[test]
fn the_culprit_redeems_first() {
    let mut fraud = fraud(22);
    assert_eq!(fraud.world.redeem_asset(&fraud.note, account("alpha", "mallory")), credited(100));
    assert_eq!(fraud.world.redeem_asset(&fraud.first, account("beta", "bob")), credited(100));
    fraud.assert_convicted(fraud.note.held.id, 100);
}

#[test]
fn the_payee_comes_first_and_the_culprit_gets_nothing() {
    let mut fraud = fraud(23);
    assert_eq!(fraud.world.redeem_asset(&fraud.first, account("beta", "bob")), credited(100));
    assert_eq!(fraud.world.redeem_asset(&fraud.note, account("alpha", "mallory")), PAID);
    fraud.assert_convicted(fraud.note.held.id, 0);
    // Not to another account either.
    assert_eq!(fraud.world.redeem_asset(&fraud.note, account("beta", "mallory")), PAID);
    fraud.assert_convicted(fraud.note.held.id, 0);
}

#[test]
fn redeemed_to_two_accounts() {
    let mut fraud = fraud(24);
    assert_eq!(fraud.world.redeem_asset(&fraud.note, account("alpha", "one")), credited(100));
    assert_eq!(fraud.world.redeem_asset(&fraud.note, account("alpha", "two")), PAID);
    fraud.assert_convicted(fraud.note.held.id, 0);
}

#[test]
fn an_upload_is_enough() {
    let mut fraud = fraud(25);
    for payment in [fraud.first.payment(), fraud.second.payment()] {
        fraud.assert_unsuspected();
        let (seed, now) = (fraud.world.random.bytes(), fraud.world.now);
        let checked = fraud.world.bank().check_payment(&payment, now, &seed).unwrap();
        fraud.world.transact(|tx| fraud.world.bank().keep_payment(tx, &checked, now)).unwrap();
    }
    fraud.assert_convicted(fraud.note.held.id, 0);
    let to = account("beta", "bob");
    let chains = [fraud.second.redeem(to), fraud.first.redeem(to)];
    assert_eq!(fraud.world.redeem(to, &chains).unwrap(), [credited(100), credited(100)]);
    fraud.assert_convicted(fraud.note.held.id, 100);
}

/// What the culprit received, it spends twice; the transfers before and after are honest.
fn at_a_middle_link(seed: u64, order: [usize; 3]) {
    let mut world = World::new(seed);
    let (alice, culprit, honest) = (world.device("alpha"), world.device("alpha"), world.device("beta"));
    let tag = world.tags(&culprit, 1).remove(0);
    let tags: Vec<Tag> = world.tags(&honest, 4);
    let change = world.tags(&alice, 1).remove(0);
    let received = world.note(&alice, 200).pay(&[(150, &tag), (50, &change)], context(1));
    let twice = [0, 1].map(|i| {
        let hop = received[0].pay(&[(150, &tags[i])], context(2 + i as u8)).remove(0);
        // And one hop on, honestly.
        hop.pay(&[(150, &tags[2 + i])], context(9)).remove(0)
    });
    let assets = [&twice[0], &twice[1], &received[1]];
    let values = [150, 150, 50];
    let accounts = [account("beta", "one"), account("beta", "two"), account("alpha", "alice")];
    for index in order {
        world.restart();
        assert_eq!(world.redeem_asset(assets[index], accounts[index]), credited(values[index]), "{order:?}");
        world.assert_conserved();
    }
    let note = received[0].held.id;
    let first = twice[0].clone();
    let fraud = Fraud { world, culprit, honest, note: received[0].clone(), first: first.clone(), second: first };
    fraud.assert_convicted(note, 150);
}

#[test]
fn at_a_middle_link_in_every_order() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (seed, order) in (30..).zip(orders) {
        at_a_middle_link(seed, order);
    }
}

#[test]
fn change_redeemed_after_the_fraud_is_paid_all_the_same() {
    let mut world = World::new(40);
    let (culprit, honest) = (world.device("alpha"), world.device("beta"));
    let (tags, own) = (world.tags(&honest, 2), world.tags(&culprit, 2));
    let note = world.note(&culprit, 100);
    let first = note.pay(&[(70, &tags[0]), (30, &own[0])], context(1));
    let second = note.pay(&[(90, &tags[1]), (10, &own[1])], context(2));
    let (bob, mallory) = (account("beta", "bob"), account("alpha", "mallory"));
    assert_eq!(world.redeem_asset(&first[0], bob), credited(70));
    assert_eq!(world.redeem_asset(&second[0], bob), credited(90));
    // The bank cannot know whose the change is: blanks are nobody's.
    assert_eq!(world.redeem_asset(&first[1], mallory), credited(30));
    assert_eq!(world.redeem_asset(&second[1], mallory), credited(10));
    let fraud =
        Fraud { first: first[0].clone(), second: second[0].clone(), world, culprit, honest, note: note.clone() };
    fraud.assert_convicted(note.held.id, 100);
}

#[test]
fn a_device_struck_off_is_issued_nothing_more() {
    let mut fraud = fraud(41);
    let class = fraud.world.class(Kind::Value, 10);
    let culprit = fraud.culprit.clone();
    let request = fraud.world.request(&culprit, &[(class.id(), 1)]);
    let started = fraud.world.start(&culprit, &request).unwrap();
    let to = account("beta", "bob");
    let chains = [fraud.first.redeem(to), fraud.second.redeem(to)];
    fraud.world.redeem(to, &chains).unwrap();
    let now = fraud.world.now;
    let struck_off = |result| matches!(result, Err(IssuanceError::Device(specie_bank::device::DeviceError::StruckOff)));
    let bank = fraud.world.bank();
    assert!(struck_off(
        fraud.world.transact(|tx| bank.answer_batch(tx, &request.batch, &started.challenges, now)).map(drop)
    ));
    assert!(struck_off(fraud.world.withdraw(&culprit, &[(class.id(), 1)]).map(drop)));
    let (psp, other) = (culprit.psp, fraud.honest.psp);
    let pages = fraud
        .world
        .transact(|tx| Ok::<_, StorageError>((tx.struck_off_after(&psp, 0, 9)?, tx.struck_off_after(&other, 0, 9)?)));
    let (own, others) = pages.unwrap();
    assert_eq!(own.iter().map(|device| device.identity).collect::<Vec<_>>(), [culprit.identity]);
    assert!(others.is_empty());
}

#[test]
fn notes_that_were_never_issued_raise_alarms() {
    let mut world = World::new(42);
    let (alice, honest) = (world.device("alpha"), world.device("beta"));
    let real = world.note(&alice, 100);
    let tags = world.tags(&honest, 2);
    // Somebody has the issuing key, and a device that no PSP ever saw.
    let forged = world.forge(100);
    let bob = account("beta", "bob");
    for (tag, byte) in tags.iter().zip(1..) {
        let paid = forged.pay(&[(100, tag)], context(byte)).remove(0);
        assert_eq!(world.redeem_asset(&paid, bob), credited(100));
    }
    let found = world
        .bank()
        .storage()
        .read(|view| Ok::<_, StorageError>((view.alarm_count()?, view.double_spends_after(0, 2)?)))
        .unwrap();
    assert_eq!((found.0, found.1.len()), (1, 1));
    assert!(found.1[0].culprit.is_some() && !found.1[0].registered);
    // Nobody may register it now.
    let (identity, now) = (found.1[0].culprit.unwrap(), world.now);
    let late = world.transact(|tx| specie_bank::device::register(tx, &crate::world::name("alpha"), &identity, now));
    assert!(matches!(late, Err(specie_bank::device::DeviceError::StruckOff)));
    // As much came back of the class as was issued: the bank stops there, loudly.
    assert_eq!(world.redeem_asset(&real, account("alpha", "alice")), Redeemed::Refused(Refusal::ClassExhausted));
    let alarms = world.bank().storage().read(|view| view.alarm_count()).unwrap();
    assert_eq!(alarms, 2);
    world.assert_conserved();
}
