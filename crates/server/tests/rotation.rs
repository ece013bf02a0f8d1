//! Epochs as an operator and a server have them: published once ahead of time, and begun and buried by the date.
#![allow(clippy::unwrap_used, reason = "a test may unwrap: its panic is the report")]

use std::sync::Arc;
use std::time::Duration;

use specie_audit::{Actor, Decision, Kind, Line};
use specie_bank::classes::{NOTICE_SECONDS, State};
use specie_bank::manifest::ManifestError;
use specie_bank::signer::Signer;
use specie_core::class::Class;
use specie_core::signature::SigningKey;
use specie_core::text::{Currency, Name};
use specie_core::{Amount, Timestamp};
use specie_server::bank::{
    BankConfig, CentralBank, EpochTerms, NewBank, NextEpoch, Notice, OperationError, SignerFolder, init_bank,
    open_bank, serve_bank,
};
use specie_server::clock::Clock;
use specie_server::key_file::read_key;
use tempfile::TempDir;

/// Not at midnight.
const START: u64 = 20_000 * DAY + 12_345;
const DAY: u64 = 86_400;
/// The first midnight that gives notice.
const CHANGE: u64 = 20_031 * DAY;

struct World {
    directory: TempDir,
    root: SigningKey,
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).unwrap()
}

fn terms() -> EpochTerms {
    EpochTerms { largest_face: Amount::new(2).unwrap(), ..EpochTerms::default() }
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let new = NewBank {
            issuer: Name::new("central-bank").unwrap(),
            currency: Currency::new("XTS").unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            database: specie_testbed::place(&directory.path().join("bank.db")).unwrap(),
            epoch: terms(),
        };
        init_bank(directory.path(), &new, Actor::service(), Clock::new(|| at(START))).unwrap();
        let root = read_key(&directory.path().join("root.key")).unwrap();
        Self { directory, root }
    }

    fn config(&self) -> BankConfig {
        BankConfig::read(&self.directory.path().join("bank.toml")).unwrap()
    }

    /// The bank as one process has it at that time.
    fn at(&self, seconds: u64) -> Arc<CentralBank> {
        open_bank(&self.config(), Clock::new(move || at(seconds))).unwrap()
    }

    fn rotate(&self, seconds: u64) -> NextEpoch {
        self.at(seconds).rotate(&self.root, &terms(), Notice::default()).unwrap()
    }

    /// Sequence of the newest manifest, and of how many classes the signer ever made keys.
    fn made(&self) -> (u64, usize) {
        let (standing, _) = SignerFolder(self.config().signer).standing(at(START)).unwrap();
        (self.at(START).class_table().unwrap().sequence(), standing.classes.len())
    }

    fn decisions(&self, kind: Kind) -> Vec<Decision> {
        let lines = self.at(START).bank.audit_page(0, u64::MAX).unwrap();
        let decision = |line| if let Line::Record(record) = line { Some(record.decision) } else { None };
        lines.into_iter().filter_map(decision).filter(|decision| decision.kind == kind).collect()
    }
}

fn of_epoch(bank: &CentralBank, epoch: u32) -> Vec<Class> {
    bank.class_table().unwrap().iter().filter(|class| class.info().epoch == epoch).cloned().collect()
}

#[test]
fn the_next_epoch_is_published_once_and_begins_at_a_midnight_with_notice() {
    let world = World::new();
    assert_eq!(world.made(), (1, 4));
    let next = world.rotate(START);
    let expected = NextEpoch { epoch: 2, issue_from: at(CHANGE), manifest_sequence: 2, is_new: true };
    assert_eq!(next, expected);
    // Asked again, on the same day, on the last one, and with other terms: it is published already.
    for seconds in [START, START + DAY, CHANGE - 1] {
        assert_eq!(world.rotate(seconds), NextEpoch { is_new: false, ..expected });
    }
    assert_eq!(world.made(), (2, 8));
    // From its date on the one after it is due to come.
    let third = world.rotate(CHANGE);
    assert_eq!((third.epoch, third.issue_from, third.is_new), (3, at(CHANGE + NOTICE_SECONDS), true));
}

#[test]
fn of_operators_who_rotate_at_once_one_does_it() {
    let world = World::new();
    let published: Vec<NextEpoch> = std::thread::scope(|scope| {
        let rotating: Vec<_> = (0..10).map(|_| scope.spawn(|| world.rotate(START))).collect();
        rotating.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(published.iter().all(|next| (next.epoch, next.issue_from) == (2, at(CHANGE))), "{published:?}");
    let classes = world.at(START).class_table().unwrap();
    assert_eq!((classes.iter().count(), world.made().1), (8, 8), "one set of classes, one of keys");
}

#[test]
fn what_gives_too_little_notice_or_has_another_root_key_makes_no_keys() {
    let world = World::new();
    let bank = world.at(START);
    let (day, terms) = (24 * 3_600, terms());
    let rotate = |root: &SigningKey, terms: &EpochTerms, notice| bank.rotate(root, terms, notice).unwrap_err();
    let short = rotate(&world.root, &terms, Notice::Given(NOTICE_SECONDS - day));
    assert!(matches!(short, OperationError::Manifest(ManifestError::NoNotice(2))), "{short}");
    let spent = EpochTerms { spend_seconds: NOTICE_SECONDS - 1, ..terms };
    let redeemed = EpochTerms { redeem_seconds: terms.spend_seconds + NOTICE_SECONDS - 1, ..terms };
    let before = EpochTerms { spend_seconds: terms.spend_seconds - 60 * day, ..terms };
    for (terms, notice) in
        [(spent, Notice::Given(400 * day)), (redeemed, Notice::default()), (redeemed, Notice::Waived("ticket 21"))]
    {
        let refused = rotate(&world.root, &terms, notice);
        assert!(matches!(refused, OperationError::Manifest(ManifestError::ShortLife(2))), "{refused}");
    }
    let refused = rotate(&world.root, &before, Notice::default());
    assert!(matches!(refused, OperationError::Manifest(ManifestError::EarlyEnd(_))), "{refused}");
    let refused = rotate(&SigningKey::from_seed(&[3; 32]), &terms, Notice::default());
    assert!(matches!(refused, OperationError::Manifest(ManifestError::Signature(_))), "{refused}");
    assert!(matches!(rotate(&world.root, &terms, Notice::Waived(" ")), OperationError::NoReason));
    assert_eq!(world.made(), (1, 4));
    // A bank that would begin so is not made.
    for epoch in [spent, redeemed] {
        let directory = tempfile::tempdir().unwrap();
        let new = NewBank {
            issuer: Name::new("central-bank").unwrap(),
            currency: Currency::new("XTS").unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            database: specie_testbed::place(&directory.path().join("bank.db")).unwrap(),
            epoch,
        };
        let made = init_bank(&directory.path().join("bank"), &new, Actor::service(), Clock::new(|| at(START)));
        assert!(made.is_err() && !directory.path().join("bank").exists());
    }
}

#[test]
fn an_epoch_that_begins_at_once_takes_the_place_of_one_that_has_not_begun() {
    let world = World::new();
    world.rotate(START);
    let now = START + 5 * DAY;
    let next = world.at(now).rotate(&world.root, &terms(), Notice::Waived("ticket 21")).unwrap();
    assert_eq!((next.epoch, next.issue_from, next.is_new), (3, at(now), true));
    for (seconds, states) in [
        (now - 1, [State::Issuing, State::Pending, State::Pending]),
        (now, [State::SpendOnly, State::Pending, State::Issuing]),
        (CHANGE, [State::SpendOnly, State::SpendOnly, State::Issuing]),
    ] {
        let bank = world.at(seconds);
        let classes = bank.class_table().unwrap();
        let state = |epoch| classes.state(of_epoch(&bank, epoch)[0].info(), at(seconds));
        assert_eq!([1, 2, 3].map(state), states);
    }
    let said = world.decisions(Kind::NoticeWaived);
    assert_eq!((said.len(), said[0].subject.as_str(), said[0].details["reason"].as_str()), (1, "3", "ticket 21"));
}

#[test]
fn a_server_says_that_an_epoch_began_and_buries_the_keys_of_the_one_before() {
    let world = World::new();
    assert_eq!(world.at(START).keep_epochs().unwrap().begun, [1]);
    world.rotate(START);
    assert_eq!(world.at(CHANGE - 1).keep_epochs().unwrap(), specie_server::bank::Kept::default());
    assert_eq!(world.at(CHANGE).keep_epochs().unwrap().begun, [2]);
    let (last, first) = (CHANGE + 7 * DAY, CHANGE + 7 * DAY + 1);
    assert!(world.at(last).keep_epochs().unwrap().destroyed.is_empty());
    let held = |seconds: u64, epoch| {
        let bank = world.at(seconds);
        of_epoch(&bank, epoch)
            .iter()
            .filter(|class| bank.bank.signer().issuing_key(&class.id()).unwrap().is_some())
            .count()
    };
    assert_eq!((held(last, 1), held(last, 2)), (4, 4));
    // Two servers, each by itself.
    let servers = [1, 2].map(|_| serve_bank(&world.config(), Clock::new(move || at(first))).unwrap());
    let is_said = || !world.decisions(Kind::KeysDestroyed).is_empty();
    let waited = (0..1_000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        is_said()
    });
    drop(servers);
    assert!(waited, "no server did it");
    assert_eq!(world.decisions(Kind::KeysDestroyed).len(), 1);
    assert_eq!((held(first, 1), held(first, 2)), (0, 4));
    SignerFolder(world.config().signer).verify().unwrap();
    assert_eq!(world.at(first).keep_epochs().unwrap(), specie_server::bank::Kept::default());
    // The keys are gone and the notes are good: their classes are in every manifest until they are worth nothing.
    let bank = world.at(first);
    let manifest = bank.bank.draft_manifest(&[], at(first)).unwrap();
    bank.bank.publish_manifest(&manifest.sign(&world.root), at(first)).unwrap();
    assert_eq!(of_epoch(&bank, 1).len(), 4);
    // Nobody published the next one: it is said ahead of time.
    let end = of_epoch(&bank, 2)[0].info().spend_until.seconds();
    let warning = |seconds| world.at(seconds).keep_epochs().unwrap().warning;
    assert_eq!(warning(end - 3 * NOTICE_SECONDS), None);
    assert!(warning(end - 3 * NOTICE_SECONDS + 1).unwrap().contains("publish the next epoch by"));
    assert!(warning(end + 1).unwrap().contains("no class is issued"));
}
