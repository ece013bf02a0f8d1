//! Epochs as time passes: each state has its rule to the second, nobody is surprised, and what is done is done once.

use specie_audit::{Decision, Kind as Decided, Line};
use specie_bank::classes::{NOTICE_SECONDS, State};
use specie_bank::epochs::{Rotation, Warning};
use specie_bank::issuance::{IssuanceError, LIFETIME_SECONDS};
use specie_bank::manifest::{EpochPlan, ManifestError};
use specie_bank::redemption::{Redeemed, Refusal};
use specie_bank::storage::Storage;
use specie_core::Timestamp;
use specie_core::chain::ChainError;
use specie_core::class::{Class, Kind};
use specie_core::transfer::Input;

use crate::world::{Asset, DAY, START, World, account, amount, at};

/// Epoch 1 is issued until then, and epoch 2 from then on.
const CHANGE: u64 = START + 40 * DAY;

/// A world whose epoch 2 is published at once and begins at [`CHANGE`].
fn changing(seed: u64) -> World {
    let mut world = World::new(seed);
    world.new_epoch(2, CHANGE, CHANGE + 90 * DAY, CHANGE + 180 * DAY);
    world
}

fn decisions(world: &World, kind: Decided) -> Vec<Decision> {
    let lines = world.bank().audit_page(0, u64::MAX).unwrap();
    let decision = |line| if let Line::Record(record) = line { Some(record.decision) } else { None };
    lines.into_iter().filter_map(decision).filter(|decision| decision.kind == kind).collect()
}

fn state(world: &World, class: &Class) -> State {
    let table = world.bank().storage().read(|view| world.bank().class_table(view)).unwrap();
    table.state(class.info(), world.now)
}

/// An epoch with two classes of these dates, published with notice, or at once for a reason.
fn publish(world: &mut World, epoch: u32, dates: [u64; 3], reason: Option<&str>) -> Result<(), ManifestError> {
    let [issue_from, spend_until, redeem_until] = dates.map(at);
    let (faces, caps) = (vec![amount(10)], vec![amount(100)]);
    let made = world.make_keys(&EpochPlan { epoch, issue_from, spend_until, redeem_until, max_hops: 4, faces, caps });
    let manifest = world.bank().draft_manifest(&made, world.now).unwrap().sign(&world.root);
    match reason {
        None => world.bank().publish_manifest(&manifest, world.now),
        Some(reason) => world.bank().publish_at_once(&manifest, reason, world.now),
    }?;
    world.classes.extend(made);
    Ok(())
}

#[test]
fn a_class_moves_on_at_the_second_of_its_dates() {
    let mut world = changing(300);
    let (new, old) = (world.class(Kind::Value, 10), world.classes[0].clone());
    let last = |class: &Class| (class.info().spend_until.seconds(), class.info().redeem_until.seconds());
    let ((old_spend, old_redeem), (spend, redeem)) = (last(&old), last(&new));
    for (moment, of_old, of_new) in [
        (START, State::Issuing, State::Pending),
        (CHANGE - 1, State::Issuing, State::Pending),
        (CHANGE, State::SpendOnly, State::Issuing),
        (old_spend, State::SpendOnly, State::Issuing),
        (old_spend + 1, State::RedeemOnly, State::Issuing),
        (spend, State::RedeemOnly, State::Issuing),
        (spend + 1, State::RedeemOnly, State::RedeemOnly),
        (old_redeem, State::RedeemOnly, State::RedeemOnly),
        (old_redeem + 1, State::Expired, State::RedeemOnly),
        (redeem + 1, State::Expired, State::Expired),
    ] {
        world.now = at(moment);
        assert_eq!((state(&world, &old), state(&world, &new)), (of_old, of_new), "at START + {}", moment - START);
    }
    // What is said to come next comes then.
    let table = world.bank().storage().read(|view| world.bank().class_table(view)).unwrap();
    // With no epoch after it, a class is issued until it is spent no more.
    for (class, states) in [(&old, 5), (&new, 4)] {
        let (mut now, mut seen) = (at(START - 1), vec![table.state(class.info(), at(START - 1))]);
        while let Some((next, moment)) = table.next_state(class.info(), now) {
            let before = Timestamp::new(moment.seconds() - 1).unwrap();
            assert_eq!(
                (table.state(class.info(), before), table.state(class.info(), moment)),
                (seen[seen.len() - 1], next)
            );
            (now, seen) = (moment, [seen, vec![next]].concat());
        }
        assert!(seen.is_sorted() && seen.last() == Some(&State::Expired));
        assert_eq!(seen.len(), states);
    }
}

#[test]
fn each_state_has_its_rule_to_the_second() {
    let mut world = changing(301);
    let (alice, to) = (world.device("alpha"), account("alpha", "alice"));
    let new = world.class(Kind::Value, 10);
    let of_old = |class: &&Class| class.info().epoch == 1 && class.info().amount == amount(10);
    let old = world.classes.iter().find(of_old).unwrap().clone();
    let issue = |world: &mut World, class: &Class, moment: u64| {
        world.now = at(moment);
        match world.withdraw(&alice, &[(class.id(), 1)]) {
            Ok(mut held) => {
                Some(Asset { chain: Vec::new(), input: Input::Issued, held: held.remove(0), value: amount(10) })
            }
            Err(IssuanceError::NotIssued(_)) => None,
            Err(error) => panic!("{error}"),
        }
    };
    // Pending is not issued, issuing is, spend-only is not; what a payee accepts is `wallet/tests/wallet/reception.rs`.
    assert!(issue(&mut world, &new, CHANGE - 1).is_none());
    let (last, other) = (issue(&mut world, &old, CHANGE - 1).unwrap(), issue(&mut world, &old, CHANGE - 1).unwrap());
    assert!(issue(&mut world, &old, CHANGE).is_none());
    assert!(issue(&mut world, &new, CHANGE).is_some());
    let spend_until = new.info().spend_until.seconds();
    let end = issue(&mut world, &new, spend_until).unwrap();
    assert!(issue(&mut world, &new, spend_until + 1).is_none(), "with no epoch after it, too");
    // Redeem-only is redeemed, expired is not.
    world.now = old.info().redeem_until;
    assert_eq!(world.redeem_asset(&last, to), Redeemed::Credited(amount(10)));
    world.now = old.info().redeem_until.saturating_add(1);
    assert!(matches!(world.redeem_asset(&other, to), Redeemed::Refused(Refusal::Chain(ChainError::Expired(_)))));
    assert_eq!(world.redeem_asset(&end, to), Redeemed::Credited(amount(10)));
    world.assert_conserved();
}

#[test]
fn an_epoch_is_published_with_notice_to_the_second() {
    let mut world = World::new(302);
    let begin = START + NOTICE_SECONDS;
    let good = [begin, begin + 90 * DAY, begin + 120 * DAY];
    let [issue, spend, redeem] = good;
    let too_soon = publish(&mut world, 2, [issue - 1, spend, redeem], None);
    assert!(matches!(too_soon, Err(ManifestError::NoNotice(2))));
    let short_spending = publish(&mut world, 2, [spend - NOTICE_SECONDS + 1, spend, redeem], None);
    assert!(matches!(short_spending, Err(ManifestError::ShortLife(2))));
    let short_redemption = publish(&mut world, 2, [issue, spend, spend + NOTICE_SECONDS - 1], None);
    assert!(matches!(short_redemption, Err(ManifestError::ShortLife(2))));
    // Signed in time and published late: nobody has heard of it.
    let made = world.make_keys(&EpochPlan {
        epoch: 2,
        issue_from: at(issue),
        spend_until: at(spend),
        redeem_until: at(redeem),
        max_hops: 4,
        faces: vec![amount(10)],
        caps: vec![amount(100)],
    });
    let manifest = world.bank().draft_manifest(&made, world.now).unwrap().sign(&world.root);
    let late = world.bank().publish_manifest(&manifest, at(START + 1));
    assert!(matches!(late, Err(ManifestError::NoNotice(2))));
    assert_eq!(world.bank().storage().read(|view| view.manifest_sequence()).unwrap(), 1, "nothing was published");
    publish(&mut world, 2, good, None).unwrap();
    assert!(decisions(&world, Decided::NoticeWaived).is_empty());
    // The first epoch of all surprises nobody, and has to last all the same.
    let mut first = World::empty(303);
    let short = publish(&mut first, 1, [START, START + NOTICE_SECONDS - 1, START + 90 * DAY], None);
    assert!(matches!(short, Err(ManifestError::ShortLife(1))));
    publish(&mut first, 1, [START, START + NOTICE_SECONDS, START + 2 * NOTICE_SECONDS], None).unwrap();
}

#[test]
fn dates_that_are_published_never_move() {
    let mut world = changing(304);
    let info = *world.class(Kind::Value, 10).info();
    let table = |world: &World| world.bank().storage().read(|view| world.bank().class_table(view)).unwrap();
    let dates = |world: &World| -> Vec<_> { table(world).iter().map(|class| (class.id(), *class.info())).collect() };
    let before = dates(&world);
    // A class with another date is another class, and its epoch is out; without the old one it is no manifest of this bank.
    let earlier = [info.issue_from, info.spend_until, info.redeem_until].map(|date| date.seconds() - DAY);
    assert!(matches!(publish(&mut world, 2, earlier, None), Err(ManifestError::OldEpoch(2))));
    assert!(matches!(publish(&mut world, 2, earlier, Some("a key is lost")), Err(ManifestError::OldEpoch(2))));
    // A newer one does not end before it, in an emergency either.
    let [issue, spend, redeem] = [info.issue_from, info.spend_until, info.redeem_until].map(Timestamp::seconds);
    for reason in [None, Some("a key is lost")] {
        let shorter = publish(&mut world, 3, [issue, spend - 1, redeem], reason);
        assert!(matches!(shorter, Err(ManifestError::EarlyEnd(_))));
    }
    assert_eq!(dates(&world), before);
    // Published beside it, epoch 3 leaves all states in their order.
    publish(&mut world, 3, [issue + DAY, spend + DAY, redeem + DAY], None).unwrap();
    assert!(before.iter().all(|one| dates(&world).contains(one)));
}

/// Somebody has the issuing keys of epoch 1, or is thought to have them.
#[test]
fn in_an_emergency_an_epoch_begins_at_once_and_nothing_before_it_is_issued() {
    let mut world = changing(305);
    let (alice, to) = (world.device("alpha"), account("alpha", "alice"));
    let pending = world.class(Kind::Value, 10);
    let old = world.classes.iter().find(|class| class.info().amount == amount(10)).unwrap().clone();
    let held = world.withdraw(&alice, &[(old.id(), 1)]).unwrap().remove(0);
    let note = Asset { chain: Vec::new(), input: Input::Issued, held, value: amount(10) };
    let ends = [pending.info().spend_until, pending.info().redeem_until].map(Timestamp::seconds);
    let now = START + DAY;
    world.now = at(now);
    let short = publish(&mut world, 3, [now, ends[0], ends[0] + NOTICE_SECONDS - 1], Some("ticket 21"));
    assert!(matches!(short, Err(ManifestError::ShortLife(3))));
    publish(&mut world, 3, [now, ends[0], ends[1]], Some("ticket 21")).unwrap();
    let new = world.class(Kind::Value, 10);
    assert_eq!((state(&world, &old), state(&world, &new)), (State::SpendOnly, State::Issuing));
    assert!(world.withdraw(&alice, &[(old.id(), 1)]).is_err() && world.withdraw(&alice, &[(new.id(), 1)]).is_ok());
    // The epoch that was announced is never issued.
    world.now = at(CHANGE);
    assert_eq!(state(&world, &pending), State::SpendOnly);
    assert!(world.withdraw(&alice, &[(pending.id(), 1)]).is_err() && world.withdraw(&alice, &[(new.id(), 1)]).is_ok());
    // Who holds honest notes loses nothing.
    assert_eq!(world.redeem_asset(&note, to), Redeemed::Credited(amount(10)));
    let said = decisions(&world, Decided::NoticeWaived);
    assert_eq!((said.len(), said[0].subject.as_str(), said[0].details["reason"].as_str()), (1, "3", "ticket 21"));
    assert_eq!(world.bank().record_begun_epochs(world.now).unwrap(), [1, 3]);
}

#[test]
fn that_an_epoch_began_and_its_keys_are_gone_is_in_the_log_once() {
    let mut world = changing(306);
    let other = world.another_process();
    assert_eq!(world.bank().record_begun_epochs(world.now).unwrap(), [1]);
    assert!(other.record_begun_epochs(at(CHANGE - 1)).unwrap().is_empty());
    // Two servers that look at the same moment.
    let began = std::thread::scope(|scope| {
        let looking = [world.bank(), &other].map(|bank| scope.spawn(|| bank.record_begun_epochs(at(CHANGE)).unwrap()));
        looking.map(|one| one.join().unwrap())
    });
    assert_eq!(began.concat(), [2]);
    let said = decisions(&world, Decided::EpochBegun);
    let said: Vec<_> =
        said.iter().map(|one| (one.subject.as_str(), one.details["issue_from"].parse().unwrap())).collect();
    assert_eq!(said, [("1", START), ("2", CHANGE)]);
    // A batch that was opened in the last second of issue is answered until it is void; then nobody needs the keys.
    let due = |now: u64| world.bank().keys_to_destroy(at(now)).unwrap();
    assert!(due(CHANGE + LIFETIME_SECONDS).is_empty());
    let found = due(CHANGE + LIFETIME_SECONDS + 1);
    assert_eq!((found.len(), found[0].0, found[0].1.len()), (1, 1, 12));
    for bank in [world.bank(), &other] {
        bank.record_destroyed_keys(1, 12, at(CHANGE + 8 * DAY)).unwrap();
    }
    assert!(due(CHANGE + LIFETIME_SECONDS + 1).is_empty());
    assert_eq!(decisions(&world, Decided::KeysDestroyed).len(), 1);
    // With no epoch after it, an epoch is issued until it is spent no more.
    let spend_until = CHANGE + 90 * DAY;
    assert!(due(spend_until + LIFETIME_SECONDS + 1).is_empty());
    assert_eq!(due(spend_until + LIFETIME_SECONDS + 2)[0].0, 2);
    world.now = at(CHANGE);
}

#[test]
fn whoever_has_to_publish_the_next_epoch_hears_of_it_in_time() {
    let mut world = World::new(307);
    let (end, notice) = (START + 90 * DAY, NOTICE_SECONDS);
    let by = end - 2 * notice;
    let warning = |world: &World, now: u64| world.bank().rotation(at(now)).unwrap().warning(at(now));
    assert_eq!(
        world.bank().rotation(at(START)).unwrap(),
        Rotation { issuing: Some((1, at(end))), next: None, publish_by: Some(at(by)) }
    );
    assert_eq!(warning(&world, by - notice), None);
    assert_eq!(warning(&world, by - notice + 1), Some(Warning::Soon(at(by))));
    assert_eq!(warning(&world, by), Some(Warning::Soon(at(by))));
    assert_eq!(warning(&world, by + 1), Some(Warning::Late(at(by))));
    assert_eq!(warning(&world, end), Some(Warning::Late(at(by))));
    assert_eq!(warning(&world, end + 1), Some(Warning::NothingIssued(None)));
    // Published at the last moment, its notes are there when wallets begin to renew those of the epoch before.
    world.now = at(by);
    publish(&mut world, 2, [by + notice, by + 6 * notice, by + 7 * notice], None).unwrap();
    assert_eq!(by + notice, end - notice);
    for now in [by, end - notice, end] {
        assert_eq!(warning(&world, now), None);
    }
    // A gap is said to be one.
    let mut late = World::new(308);
    late.now = at(end);
    publish(&mut late, 2, [end + notice, end + 6 * notice, end + 7 * notice], None).unwrap();
    assert_eq!(warning(&late, end + 1), Some(Warning::NothingIssued(Some(at(end + notice)))));
    assert_eq!(warning(&late, end + notice), None);
}
