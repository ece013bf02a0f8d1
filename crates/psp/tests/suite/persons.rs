//! Limits bind persons: whatever devices and accounts somebody collects, and in whatever order they synchronise, all together
//! allow no more than the tier. Hosts are hostile: a document that was issued may be loaded at any time until it runs out.

use std::collections::BTreeMap;

use specie_aml::case::Step;
use specie_audit::Actor;
use specie_core::encoding::Decode;
use specie_core::limits::{Limits, LimitsBody};
use specie_core::text::Name;
use specie_psp::bank::Redemption;
use specie_psp::customer::{Customer, CustomerError};
use specie_psp::device::DeviceRefusal;
use specie_psp::document::DocumentError;
use specie_psp::enrolment::EnrolmentError;
use specie_psp::evidence::EvidenceKind;
use specie_psp::identification::IdentificationError;
use specie_psp::person::{Person, PersonKind};
use specie_psp::redemption::RedemptionError;
use specie_psp::screening::HitRecord;
use specie_psp::share::WEIGHT_MAX;
use specie_psp::store::Store;
use specie_psp::withdrawal::WithdrawalError;

use crate::totals::say;
use crate::world::{DAY, DEPOSIT, TestDevice, TestPsp, World, amount, at, enrol_for, name, seen};

/// How long documents count in the tests' tiers.
const VALID: u64 = 14 * DAY;

fn synchronise(psp: &TestPsp, device: &TestDevice, seconds: u64) -> Result<LimitsBody, DocumentError> {
    let key = format!("limits-{seconds:012}");
    psp.limits(&device.asks(&key, 1), at(seconds)).map(|document| Limits::decode(&document).unwrap().body)
}

/// The next document for an element that says which one it holds.
fn says(psp: &TestPsp, device: &TestDevice, held: u64, seconds: u64) -> LimitsBody {
    let key = format!("nonce-{seconds:012}");
    let nonce = psp.totals_nonce(&device.asks(&key, 1), &device.identity(), at(seconds)).unwrap().nonce;
    let statement = say(device, &nonce, held, 0, 0).statement;
    let key = format!("says-{seconds:012}");
    let document = psp.next_limits(&device.asks(&key, 1), &statement, at(seconds)).unwrap();
    Limits::decode(&document).unwrap().body
}

/// Cumulative limit and holding limit of a document, 0 where there is none because others have it all.
fn granted(psp: &TestPsp, device: &TestDevice, seconds: u64) -> (u64, u64) {
    match synchronise(psp, device, seconds) {
        Ok(body) => (body.max_cumulative.minor(), body.max_holding.minor()),
        Err(DocumentError::Shared { .. }) => (0, 0),
        Err(error) => panic!("{error}"),
    }
}

/// Alice with two devices; `basic` allows 15,000 until the next synchronisation, and 8,000 to hold.
fn two_devices() -> (World, TestPsp, TestDevice) {
    let world = World::new();
    let psp = world.psp();
    let second = TestDevice::new(51);
    world.enrol(&psp, &second, "enrol-2222222222").unwrap();
    (world, psp, second)
}

#[test]
fn a_second_device_gets_what_the_first_can_no_longer_use_and_not_one_unit_more() {
    let world = World::new();
    let psp = world.psp();
    // The only device has it all.
    assert_eq!(granted(&psp, &world.device, 0), (15_000, 8_000));
    let second = TestDevice::new(51);
    world.enrol(&psp, &second, "enrol-2222222222").unwrap();
    let Err(DocumentError::Shared { free_at }) = synchronise(&psp, &second, 1) else { panic!("shared twice") };
    assert_eq!(free_at, Some(at(VALID)));
    // The first gets its half from now on, but its host may keep that back and load the old document, whose number it has.
    assert_eq!(granted(&psp, &world.device, 2), (7_500, 4_000));
    assert_eq!(granted(&psp, &second, VALID), (0, 0));
    assert_eq!(granted(&psp, &second, VALID + 1), (7_500, 4_000));
    // Had the first not synchronised again, the second would get its half and no more all the same.
    assert_eq!(granted(&psp, &world.device, VALID + 3), (7_500, 4_000));
}

#[test]
fn what_an_element_says_that_it_holds_frees_the_rest_at_once() {
    let world = World::new();
    let psp = world.psp();
    granted(&psp, &world.device, 0);
    let second = TestDevice::new(51);
    world.enrol(&psp, &second, "enrol-2222222222").unwrap();
    // That it holds the old document frees nothing.
    assert_eq!(says(&psp, &world.device, 1, 1).max_cumulative, amount(7_500));
    assert_eq!(granted(&psp, &second, 2), (0, 0));
    says(&psp, &world.device, 2, 3);
    assert_eq!(granted(&psp, &second, 20), (7_500, 4_000));
}

#[test]
fn owners_split_their_limits_as_they_wish() {
    let (world, psp, second) = two_devices();
    let (alice, first) = (name("alice"), world.public());
    let weigh = |weights: &[_]| psp.set_weights(&alice, weights, at(0));
    weigh(&[(first, 2), (second.key.public(), 1)]).unwrap();
    assert_eq!(granted(&psp, &world.device, 0), (10_000, 5_333));
    assert_eq!(granted(&psp, &second, 1), (5_000, 2_666));
    // All to the second: the first gets nothing any more, the second waits until the first's document has run out.
    weigh(&[(first, 0)]).unwrap();
    assert_eq!(granted(&psp, &world.device, 2), (0, 0));
    assert_eq!(granted(&psp, &second, 3), (5_000, 2_667));
    assert_eq!(granted(&psp, &second, VALID + 1), (15_000, 8_000));
    // One payment is never more than either.
    assert_eq!(synchronise(&psp, &second, VALID + 2).unwrap().max_payment, amount(5_000));
    for wrong in [&[(second.key.public(), 0)][..], &[(first, WEIGHT_MAX + 1)]] {
        assert!(matches!(weigh(wrong), Err(CustomerError::Weight)), "{wrong:?}");
    }
    let stranger = psp.set_weights(&name("bob"), &[(first, 1)], at(0));
    assert!(matches!(stranger, Err(CustomerError::UnknownDevice(_))), "{stranger:?}");
    let fleet = psp.fleet(&alice, at(VALID + 2)).unwrap();
    let of = |key| fleet.iter().find(|device| device.device.key == key).unwrap();
    assert_eq!((of(first).device.weight, of(first).grant, of(first).limits_until), (0, None, Some(at(VALID + 2))));
    assert_eq!(of(second.key.public()).device.weight, 1);
    assert_eq!(of(second.key.public()).limits_until, Some(at(2 * VALID + 2)));
}

/// Elements that load whatever their hosts have, in random histories of synchronising, changing weights and tiers, and waiting.
#[test]
fn no_history_gives_all_devices_together_more_than_the_tier() {
    for seed in 0..12_u64 {
        println!("seed {seed}");
        let world = World::new();
        let psp = world.psp();
        let devices = [world.device.key.clone(), TestDevice::new(51).key, TestDevice::new(52).key];
        let devices = devices.map(|key| TestDevice { u: TestDevice::new(key.public().0[0]).u, key });
        psp.set_tier(&name("alice"), &name("standard"), at(0)).unwrap();
        for (index, device) in [TestDevice::new(51), TestDevice::new(52)].iter().enumerate() {
            world.enrol(&psp, device, &format!("enrol-{index}222222222")).unwrap();
        }
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut draw = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let (mut now, mut largest) = (0, 150_000_u64);
        // What each host has been given: (valid until, cumulative, holding).
        let mut given: BTreeMap<usize, Vec<(u64, u64, u64)>> = BTreeMap::new();
        for _ in 0..80 {
            now += 1 + draw(3 * DAY);
            match draw(8) {
                0 => {
                    let tier = ["basic", "standard"][draw(2) as usize];
                    psp.set_tier(&name("alice"), &name(tier), at(now)).unwrap();
                }
                1 => {
                    let which = devices[draw(3) as usize].key.public();
                    drop(psp.set_weights(&name("alice"), &[(which, draw(4) as u32)], at(now)));
                }
                _ => {
                    let which = draw(3) as usize;
                    let (cumulative, holding) = granted(&psp, &devices[which], now);
                    given.entry(which).or_default().push((now + VALID, cumulative, holding));
                }
            }
            let sum = |of: fn(&(u64, u64, u64)) -> u64| -> u64 {
                let most = |documents: &Vec<(u64, u64, u64)>| {
                    documents.iter().filter(|document| document.0 >= now).map(of).max().unwrap_or(0)
                };
                given.values().map(most).sum()
            };
            let tier = psp.customers().unwrap().iter().find(|customer| customer.name == name("alice")).unwrap().tier;
            let limit = if tier == name("basic") { 15_000 } else { 150_000 };
            // A smaller tier counts from the next document on, and until then nothing is added.
            let (cumulative, holding) = (sum(|document| document.1), sum(|document| document.2));
            assert!(cumulative <= limit.max(largest), "seed {seed}: {cumulative} at {now}");
            assert!(holding <= 80_000, "seed {seed}: {holding} at {now}");
            largest = cumulative;
        }
    }
}

#[test]
fn a_smaller_tier_binds_from_the_next_document_on_and_adds_nothing_until_then() {
    let world = World::new();
    let psp = world.psp();
    psp.set_tier(&name("alice"), &name("standard"), at(0)).unwrap();
    let second = TestDevice::new(51);
    assert_eq!(granted(&psp, &world.device, 0), (150_000, 80_000));
    psp.set_tier(&name("alice"), &name("basic"), at(1)).unwrap();
    world.enrol(&psp, &second, "enrol-2222222222").unwrap();
    assert_eq!(granted(&psp, &world.device, 2), (7_500, 4_000));
    assert_eq!(granted(&psp, &second, VALID), (0, 0));
    assert_eq!(granted(&psp, &second, VALID + 1), (7_500, 4_000));
}

/// A second customer who is the same person as alice, with a device.
fn second_account(world: &World, psp: &TestPsp) -> TestDevice {
    let person = Person { tag: [9; 32], kind: PersonKind::Natural };
    psp.set_person(&name("alice"), &person, at(0)).unwrap();
    let again = Customer { name: name("alice-2"), account: name("alice-2"), tier: name("basic"), merchant: None };
    psp.add_customer(&again, &[seen(EvidenceKind::Document)], at(0)).unwrap();
    psp.set_person(&again.name, &person, at(0)).unwrap();
    psp.deposit(&again.name, amount(DEPOSIT), "second account", at(0)).unwrap();
    let device = TestDevice::new(51);
    enrol_for(world, psp, &again.name, &device, "enrol-2222222222", at(0)).unwrap();
    device
}

#[test]
fn two_accounts_of_one_person_have_one_set_of_limits() {
    let world = World::new();
    let psp = world.psp();
    let second = second_account(&world, &psp);
    // The devices of both accounts count.
    let third = enrol_for(&world, &psp, &name("alice-2"), &TestDevice::new(52), "enrol-3333333333", at(0));
    assert!(matches!(third, Err(EnrolmentError::TooManyDevices(_))), "{third:?}");
    assert_eq!(granted(&psp, &world.device, 0), (7_500, 4_000));
    assert_eq!(granted(&psp, &second, 0), (7_500, 4_000));
    // 2,000 a day from both accounts together; 10 blanks an epoch, 5 for each device.
    let take =
        |device: &TestDevice, key: &str, items: &[_]| psp.withdraw(&device.asks(key, 1), items, at(10)).map(drop);
    take(&world.device, "withdraw-00000001", &[(world.coin, 19), (world.blank, 5)]).unwrap();
    let more = take(&second, "withdraw-00000002", &[(world.coin, 2)]);
    assert!(matches!(more, Err(WithdrawalError::TierLimit { allowed, .. }) if allowed == amount(100)), "{more:?}");
    let more = take(&second, "withdraw-00000003", &[(world.blank, 6)]);
    assert!(matches!(more, Err(WithdrawalError::Ration { left: 5, asked: 6, .. })), "{more:?}");
    take(&second, "withdraw-00000004", &[(world.coin, 1), (world.blank, 5)]).unwrap();
    world.check_books();
}

/// Who is frozen, or may be on a sanctions list, does not go on under its other name.
#[test]
fn what_stops_one_customer_of_a_person_stops_all() {
    let world = World::new();
    let second = second_account(&world, &world.psp());
    let by = |operator| world.psp().acting_for(Actor::operator(operator).unwrap());
    let (anna, ben, alice) = (by("anna"), by("ben"), name("alice"));
    let case = anna.open_case(&alice, &[], "an order", at(1)).unwrap().number();
    anna.take_step(case, &Step::Freeze("an order".into()), at(1)).unwrap();
    let psp = world.psp();
    let limits = |seconds| synchronise(&psp, &second, seconds).map(drop);
    let refused = |result: Result<(), DocumentError>, why: DeviceRefusal| {
        assert!(matches!(&result, Err(DocumentError::Device(refusal)) if *refusal == why), "{result:?}");
    };
    refused(limits(2), DeviceRefusal::Frozen);
    let redeem = |account: &str, key| {
        let redemption = Redemption { psp: "north".into(), account: account.into(), chains: vec![vec![20, 1]] };
        psp.redeem(&second.asks(key, 1), &redemption, at(2)).map(drop)
    };
    assert!(matches!(redeem("bob-account", "redemption-000001"), Err(RedemptionError::Frozen(_))));
    redeem("alice-2", "redemption-000002").unwrap();
    let deposit = psp.deposit(&name("alice-2"), amount(1), "later", at(2));
    assert!(matches!(deposit, Err(CustomerError::Frozen { case: by, .. }) if by == case), "{deposit:?}");
    let erased = psp.erase_identity(&name("alice-2"), at(2));
    assert!(matches!(erased, Err(IdentificationError::InCase { case: by, .. }) if by == case), "{erased:?}");
    let given = psp.release_device(&second.key.public(), at(2));
    assert!(matches!(given, Err(CustomerError::Frozen { .. })), "{given:?}");
    ben.take_step(case, &Step::Release("it was lifted".into()), at(3)).unwrap();
    limits(4).unwrap();
    let hit = HitRecord {
        customer: alice,
        reference: "QDi.1".into(),
        listed: "Alice".into(),
        score: 900,
        birth: None,
        list: [1; 32],
        at: at(5),
        ruling: None,
    };
    psp.store().write(|records| records.put_hit(&hit)).unwrap();
    refused(limits(6), DeviceRefusal::Evidence);
    psp.decide_hit(&alice, &hit.reference, false, "born elsewhere", at(7)).unwrap();
    limits(8).unwrap();
    // Nobody else was ever stopped.
    psp.deposit(&name("bob"), amount(1), "bob's", at(2)).unwrap();
}

#[test]
fn a_person_is_in_one_tier_and_nobody_becomes_somebody_else() {
    let world = World::new();
    let psp = world.psp();
    second_account(&world, &psp);
    let person = psp.person(&name("alice")).unwrap().unwrap();
    psp.set_tier(&name("alice-2"), &name("standard"), at(1)).unwrap();
    let tiers: Vec<Name> = psp.customers().unwrap().iter().map(|customer| customer.tier).collect();
    assert_eq!(tiers, [name("standard"), name("standard"), name("basic")]);
    let elsewhere = psp.set_person(&name("bob"), &person, at(1));
    assert!(matches!(elsewhere, Err(CustomerError::PersonTier { .. })), "{elsewhere:?}");
    let other = psp.set_person(&name("alice"), &Person { tag: [8; 32], ..person }, at(1));
    assert!(matches!(other, Err(CustomerError::OtherPerson(_))), "{other:?}");
    assert_eq!(psp.customers().unwrap().len(), 3);
}

#[test]
fn going_up_and_down_through_tiers_gives_no_second_ration() {
    let world = World::new();
    let psp = world.psp();
    let alice = name("alice");
    let take = |key: &str, coins, seconds| {
        psp.withdraw(&world.device.asks(key, 1), &[(world.coin, coins)], at(seconds)).map(drop)
    };
    take("withdraw-00000001", 20, 10).unwrap();
    psp.set_tier(&alice, &name("standard"), at(11)).unwrap();
    take("withdraw-00000002", 30, 12).unwrap();
    psp.set_tier(&alice, &name("basic"), at(13)).unwrap();
    let more = take("withdraw-00000003", 1, DAY + 9);
    assert!(matches!(more, Err(WithdrawalError::TierLimit { .. })), "{more:?}");
    // The last hour of the day in the larger tier counts too.
    let more = take("withdraw-00000003", 1, DAY + 11);
    assert!(matches!(more, Err(WithdrawalError::TierLimit { .. })), "{more:?}");
    take("withdraw-00000003", 10, DAY + 12).unwrap();
    // 6,000 a month: 5,000 and 1,000 are gone.
    let more = take("withdraw-00000004", 1, 3 * DAY);
    assert!(matches!(more, Err(WithdrawalError::TierLimit { .. })), "{more:?}");
}

#[test]
fn a_clock_of_the_psp_that_is_wound_back_gives_nothing_twice() {
    let (world, psp, second) = two_devices();
    psp.set_weights(&name("alice"), &[(second.key.public(), 0)], at(0)).unwrap();
    let late = 10 * DAY;
    psp.withdraw(&world.device.asks("withdraw-00000001", 1), &[(world.coin, 20)], at(late)).unwrap();
    assert_eq!(granted(&psp, &world.device, late), (15_000, 8_000));
    psp.set_weights(&name("alice"), &[(second.key.public(), 1)], at(0)).unwrap();
    for seconds in [1, late - 1] {
        let key = format!("withdraw-{seconds:012}");
        let more = psp.withdraw(&world.device.asks(&key, 1), &[(world.coin, 1)], at(seconds));
        assert!(matches!(more, Err(WithdrawalError::TierLimit { .. })), "{:?}", more.map(drop));
        assert_eq!(granted(&psp, &second, seconds), (0, 0), "{seconds}");
    }
}
