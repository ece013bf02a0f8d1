//! What the bank publishes: signed, chained, complete, and nothing that is not its own.

use specie_bank::manifest::{EpochPlan, ManifestError};
use specie_bank::storage::{Storage, StorageError};
use specie_bank::supervision::SupervisionRecord;
use specie_core::class::{Class, Info, Kind};
use specie_core::disclosure::{Supervision, SupervisoryKey};
use specie_core::encoding::{Decode, Encode, Writer};
use specie_core::group::RistrettoPoint;
use specie_core::issuance::IssuingKey;
use specie_core::manifest::{Entry, Manifest, ManifestHeader, write_manifest};
use specie_core::merkle;
use specie_core::signature::SigningKey;
use specie_core::text::Currency;

use crate::world::{DAY, START, World, amount, at, name};

/// Signs a manifest of these entries on top of the newest.
fn signed(world: &World, entries: &[Vec<u8>], change: impl Fn(&mut ManifestHeader), root: &SigningKey) -> Vec<u8> {
    let mut header = *world.bank().draft_manifest(&[], world.now).unwrap().header();
    header.entries_root = merkle::root(entries.len(), &|index| merkle::leaf(&entries[index]));
    header.entry_count = entries.len() as u32;
    change(&mut header);
    let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    let mut w = Writer::new(Vec::new());
    write_manifest(&header.sign(root), &entries, &mut w).unwrap();
    w.into_inner()
}

fn entries(world: &World) -> Vec<Vec<u8>> {
    world.bank().draft_manifest(&[], world.now).unwrap().entries().to_vec()
}

fn newest(world: &World) -> Vec<u8> {
    world.bank().storage().read(|view| view.newest_manifest()).unwrap().unwrap()
}

#[test]
fn manifests_are_chained_and_complete() {
    let mut world = World::new(80);
    let first = newest(&world);
    world.register_psp("gamma");
    world.now = at(START + DAY);
    world.new_epoch(2, START + DAY, START + 100 * DAY, START + 200 * DAY);
    let second = newest(&world);
    let (first, second) = (Manifest::decode(&first).unwrap(), Manifest::decode(&second).unwrap());
    second.verify(&world.root.public()).unwrap();
    assert!(second.signed.header.follows(&first.signed.header));
    // Ten faces and two caps of each epoch, three PSPs, the ledger.
    assert_eq!((first.entry_count(), second.entry_count()), (12 + 2 + 1, 24 + 3 + 1));
    // An epoch that is redeemed no more goes; the other stays.
    world.now = at(START + 180 * DAY + 1);
    let draft = world.bank().draft_manifest(&[], world.now).unwrap();
    world.bank().publish_manifest(&draft.sign(&world.root), world.now).unwrap();
    let third = newest(&world);
    let third = Manifest::decode(&third).unwrap();
    let epochs = third.entries().filter_map(|(entry, _)| match entry {
        Entry::Class(class) => Some(class.info().epoch),
        _ => None,
    });
    assert!(epochs.eq([2; 12]));
    // Publishing the newest again changes nothing.
    let bytes = newest(&world);
    assert_eq!(world.bank().publish_manifest(&bytes, world.now).unwrap().sequence, 3);
    let sequence = world.bank().storage().read(|view| view.manifest_sequence());
    assert_eq!(sequence.unwrap(), 3);
}

#[test]
fn what_was_published_in_a_transaction_that_was_undone_is_not_remembered() {
    let mut world = World::new(84);
    let draft = world.bank().draft_manifest(&[], world.now).unwrap().sign(&world.root);
    let undone = Manifest::decode(&draft).unwrap().signed;
    let other = world.another_process();
    let seen = other.storage().transact(|tx| {
        assert!(tx.insert_manifest(&undone, &draft)?);
        let seen = other.class_table(tx)?.sequence();
        Err::<(), _>(StorageError::Failed(format!("saw {seen}")))
    });
    assert!(seen.unwrap_err().to_string().ends_with("saw 2"));
    world.now = at(START + DAY);
    // Another process publishes another second one.
    world.new_epoch(2, START + DAY, START + 100 * DAY, START + 200 * DAY);
    let classes = other.storage().read(|view| other.class_table(view)).unwrap();
    assert_eq!((classes.sequence(), classes.issuing_epoch(world.now)), (2, Some(2)));
}

#[test]
fn what_the_root_key_did_not_sign_is_not_published() {
    let world = World::new(81);
    let draft = world.bank().draft_manifest(&[], world.now).unwrap();
    let forged = draft.sign(&SigningKey::from_seed(&[66; 32]));
    assert!(matches!(world.bank().publish_manifest(&forged, world.now), Err(ManifestError::Signature(_))));
    let mut changed = draft.sign(&world.root);
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert!(matches!(world.bank().publish_manifest(&changed, world.now), Err(ManifestError::Signature(_))));
    assert!(matches!(world.bank().publish_manifest(&[0x80], world.now), Err(ManifestError::Malformed(_))));
}

#[test]
fn what_does_not_follow_is_not_published() {
    let world = World::new(82);
    let all = entries(&world);
    let changes: [fn(&mut ManifestHeader); 5] = [
        |header| header.sequence += 1,
        |header| header.sequence -= 1,
        |header| header.previous.0[0] ^= 1,
        |header| header.issuer = name("other-bank"),
        |header| header.issued_at = at(1),
    ];
    for change in changes {
        let manifest = signed(&world, &all, change, &world.root);
        assert!(matches!(world.bank().publish_manifest(&manifest, world.now), Err(ManifestError::NotNext)));
    }
    let manifest = signed(&world, &all, |_| (), &world.root);
    world.bank().publish_manifest(&manifest, world.now).unwrap();
}

#[test]
fn entries_that_are_not_the_banks_are_not_published() {
    let mut world = World::new(83);
    let good = entries(&world);
    let key = IssuingKey::derive(&[5; 32]);
    let old = *world.class(Kind::Value, 10).info();
    let info = |epoch| Info { epoch, issue_from: at(START + 30 * DAY), ..old };
    let class = |info| Entry::Class(Class::new(key.public(), info).unwrap()).to_vec();
    let with = |entry: Vec<u8>| [good.clone(), vec![entry]].concat();
    let publish =
        |entries: &[Vec<u8>]| world.bank().publish_manifest(&signed(&world, entries, |_| (), &world.root), world.now);

    assert!(matches!(publish(&good[1..]), Err(ManifestError::DroppedClass(_))));
    assert!(matches!(publish(&good[..good.len() - 1]), Err(ManifestError::OtherEntries)));
    assert!(matches!(publish(&good[..good.len() - 2]), Err(ManifestError::OtherEntries)));
    let stranger = Entry::Psp { name: name("gamma"), key: SigningKey::from_seed(&[3; 32]).public() }.to_vec();
    assert!(matches!(publish(&with(stranger)), Err(ManifestError::OtherEntries)));
    let ledger = Entry::Ledger { key: SigningKey::from_seed(&[3; 32]).public() }.to_vec();
    assert!(matches!(publish(&with(ledger)), Err(ManifestError::OtherEntries)));
    let supervision = Supervision {
        currency: Currency::new("XTS").unwrap(),
        threshold: amount(5),
        key: SupervisoryKey(*world.class(Kind::Value, 10).Y_bytes()),
    };
    assert!(matches!(publish(&with(Entry::Supervision(supervision).to_vec())), Err(ManifestError::OtherEntries)));
    let foreign = Info { currency: Currency::new("EUR").unwrap(), ..info(2) };
    assert!(matches!(publish(&with(class(foreign))), Err(ManifestError::ForeignClass(_))));
    let foreign = Info { issuer: name("other-bank"), ..info(2) };
    assert!(matches!(publish(&with(class(foreign))), Err(ManifestError::ForeignClass(_))));
    // A key slipped into an epoch that is out already, and one that the signer does not hold.
    assert!(matches!(publish(&with(class(info(1)))), Err(ManifestError::OldEpoch(1))));
    // Wallets would go on asking for the older class, which the bank issues no more.
    let before = |time: specie_core::Timestamp| specie_core::Timestamp::new(time.seconds() - 1).unwrap();
    let ends_early = Info { spend_until: before(info(2).spend_until), ..info(2) };
    assert!(matches!(publish(&with(class(ends_early))), Err(ManifestError::EarlyEnd(_))));
    let begins_early = Info { issue_from: before(old.issue_from), ..info(2) };
    assert!(matches!(publish(&with(class(begins_early))), Err(ManifestError::EarlyEnd(_))));
    assert!(matches!(publish(&with(class(info(2)))), Err(ManifestError::NoKey(_))));
    // A PSP registered since the draft: the draft is stale.
    let stale = world.bank().draft_manifest(&[], world.now).unwrap().sign(&world.root);
    world.register_psp("gamma");
    assert!(matches!(world.bank().publish_manifest(&stale, world.now), Err(ManifestError::OtherEntries)));
}

/// What is said of disclosures stands in the next manifest, the current key first, and cannot be left out or turned round.
#[test]
fn supervisory_keys_are_published_as_decided() {
    let world = World::new(85);
    let keys = [50, 10].map(|face| SupervisoryKey(*world.class(Kind::Value, face).Y_bytes()));
    let record = SupervisionRecord::new(amount(500), keys.to_vec()).unwrap();
    let set = |record: Option<&SupervisionRecord>| {
        let done = world.bank().storage().transact::<_, StorageError>(|tx| tx.set_supervision(record));
        done.unwrap();
    };
    let draft = || world.bank().draft_manifest(&[], world.now).unwrap();
    let said = |manifest: &[u8]| -> Vec<(u64, SupervisoryKey)> {
        let entries = Manifest::decode(manifest).unwrap().entries().map(|(entry, _)| entry).collect::<Vec<_>>();
        let said = entries.into_iter().filter_map(|entry| match entry {
            Entry::Supervision(one) => Some((one.threshold.minor(), one.key)),
            _ => None,
        });
        said.collect()
    };
    let before = draft().sign(&world.root);
    set(Some(&record));
    assert!(matches!(world.bank().publish_manifest(&before, world.now), Err(ManifestError::OtherEntries)));
    let mut turned = draft().entries().to_vec();
    let last = turned.len() - 1;
    turned.swap(last, last - 1);
    let turned = signed(&world, &turned, |_| (), &world.root);
    assert!(matches!(world.bank().publish_manifest(&turned, world.now), Err(ManifestError::OtherEntries)));
    let manifest = draft().sign(&world.root);
    world.bank().publish_manifest(&manifest, world.now).unwrap();
    assert_eq!(said(&manifest), [(500, keys[0]), (500, keys[1])]);
    set(None);
    let manifest = draft().sign(&world.root);
    world.bank().publish_manifest(&manifest, world.now).unwrap();
    assert_eq!(said(&manifest), []);
}

#[test]
fn a_plan_that_contradicts_itself_is_none() {
    let world = World::empty(84);
    let plan = EpochPlan {
        epoch: 1,
        issue_from: at(10),
        spend_until: at(20),
        redeem_until: at(30),
        max_hops: 1,
        faces: vec![amount(1)],
        caps: vec![amount(1)],
    };
    let infos = |plan: &EpochPlan| plan.infos(world.bank().settings());
    let made = world.keys().make(&infos(&plan).unwrap(), &[1; 32]).unwrap();
    assert_eq!(made.len(), 2);
    assert!(made.iter().all(|class| *class.Y() != RistrettoPoint::default()));
    assert_ne!(made[0].Y(), made[1].Y());
    for wrong in [
        EpochPlan { max_hops: 0, ..plan.clone() },
        EpochPlan { spend_until: at(9), ..plan.clone() },
        EpochPlan { redeem_until: at(19), ..plan.clone() },
        EpochPlan { faces: vec![amount(0)], ..plan.clone() },
    ] {
        assert!(infos(&wrong).is_err());
    }
}

#[test]
fn an_epoch_announced_ahead_is_issued_from_its_date_on() {
    let mut world = World::new(85);
    let device = world.device("alpha");
    let old = world.class(Kind::Value, 10).id();
    world.new_epoch(2, START + 5 * DAY, START + 100 * DAY, START + 200 * DAY);
    let new = world.class(Kind::Value, 10).id();
    assert_ne!(old, new);
    assert!(world.withdraw(&device, &[(old, 1)]).is_ok() && world.withdraw(&device, &[(new, 1)]).is_err());
    // A batch of the old epoch that is open when the new one begins is still answered.
    let request = world.request(&device, &[(old, 1)]);
    let started = world.start(&device, &request).unwrap();
    world.now = at(START + 5 * DAY);
    assert!(world.withdraw(&device, &[(old, 1)]).is_err() && world.withdraw(&device, &[(new, 1)]).is_ok());
    let answered = world.transact(|tx| world.bank().answer_batch(tx, &request.batch, &started.challenges, world.now));
    assert!(answered.is_ok());
    world.assert_conserved();
}
