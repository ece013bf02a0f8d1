//! A batch is answered once; what was answered is never answered otherwise; what is over is erased.

use specie_bank::device::DeviceError;
use specie_bank::issuance::{BatchState, IssuanceError, LIFETIME_SECONDS};
use specie_bank::ledger::LedgerError;
use specie_bank::storage::{Storage, StorageError};
use specie_core::class::Kind;
use specie_core::group::Scalar;

use crate::world::{DAY, Device, START, World, at, name};

struct Open {
    world: World,
    device: Device,
    request: specie_bank::issuance::IssuanceRequest,
    withdrawal: crate::world::Withdrawal,
}

fn open(seed: u64) -> Open {
    let mut world = World::new(seed);
    let device = world.device("alpha");
    let items = [(world.class(Kind::Value, 20).id(), 2), (world.class(Kind::Blank, 100).id(), 1)];
    let request = world.request(&device, &items);
    let withdrawal = world.start(&device, &request).unwrap();
    Open { world, device, request, withdrawal }
}

impl Open {
    fn answer(&self, challenges: &[Scalar]) -> Result<specie_bank::issuance::AnsweredBatch, IssuanceError> {
        let (world, now) = (&self.world, self.world.now);
        world.transact(|tx| world.bank().answer_batch(tx, &self.request.batch, challenges, now))
    }

    fn state(&self) -> BatchState {
        let world = &self.world;
        world.bank().storage().read(|view| world.bank().batch(view, &self.request.batch)).unwrap().state
    }

    /// Whether any session holds a commitment, and whether any holds secrets or an answer.
    fn holds(&self) -> (bool, bool) {
        let read = |view: &mut dyn specie_bank::storage::View| {
            let sessions = view.sessions(&self.request.batch)?;
            assert_eq!(sessions.len(), 3, "a tombstone stays");
            let held = sessions.iter().map(|session| (session.commitment.is_some(), session.secrets.is_some()));
            Ok::<_, StorageError>(held.fold((false, false), |all, one| (all.0 || one.0, all.1 || one.1)))
        };
        self.world.bank().storage().read(read).unwrap()
    }
}

#[test]
fn the_same_challenges_get_the_same_answer_and_others_none_for_ever() {
    let mut open = open(60);
    let challenges = open.withdrawal.challenges.clone();
    let mut others = challenges.clone();
    others[1] += Scalar::ONE;
    let first = open.answer(&challenges).unwrap();
    assert_eq!(open.world.reserve("alpha"), 1_000_000 - 40);
    for _ in 0..2 {
        assert_eq!(open.answer(&challenges).unwrap(), first);
        assert!(matches!(open.answer(&others), Err(IssuanceError::OtherChallenges)));
        open.world.restart();
    }
    assert_eq!(open.world.reserve("alpha"), 1_000_000 - 40, "debited once");
    assert_eq!(open.withdrawal.finish(&open.world, &open.device, &first.responses).len(), 3);
    assert!(matches!(open.answer(&challenges[..2]), Err(IssuanceError::Challenges)));
    // Even when all is erased, it is known which challenges were answered.
    open.world.transact(|tx| open.world.bank().acknowledge_batch(tx, &open.request.batch)).unwrap();
    assert_eq!((open.state(), open.holds()), (BatchState::Erased, (false, false)));
    assert!(matches!(open.answer(&challenges), Err(IssuanceError::Erased)));
    assert!(matches!(open.answer(&others), Err(IssuanceError::OtherChallenges)));
    let again = open.world.transact(|tx| open.world.bank().acknowledge_batch(tx, &open.request.batch)).unwrap();
    assert_eq!(again.state, BatchState::Erased);
    open.world.assert_conserved();
}

#[test]
fn the_secret_that_could_give_the_key_away_is_gone_with_the_answer() {
    let open = open(61);
    let secrets = |open: &Open| {
        let sessions = open.world.bank().storage().read(|view| view.sessions(&open.request.batch));
        sessions.unwrap().into_iter().map(|session| session.secrets.unwrap().to_vec()).collect::<Vec<_>>()
    };
    let before = secrets(&open);
    let answered = open.answer(&open.withdrawal.challenges).unwrap();
    let after = secrets(&open);
    for ((before, after), response) in before.iter().zip(&after).zip(&answered.responses) {
        assert_eq!(after, &response.to_bytes());
        // 24 bytes of nonce, 128 sealed, 16 of tag: nothing that the answer has in common with the secrets shows in them.
        assert_eq!(before.len(), 24 + 128 + 16);
        assert!(!before.windows(8).any(|window| after[32..].windows(8).any(|secret| secret == window)));
    }
}

#[test]
fn a_repeated_request_gets_the_same_commitments_another_one_none() {
    let mut open = open(62);
    let sessions = |open: &mut Open| {
        let (request, now) = (open.request.clone(), open.world.now);
        let bank = open.world.bank();
        let prepared = bank.prepare_batch(&request, now)?;
        open.world.transact(|tx| bank.open_batch(tx, &prepared))
    };
    let first = sessions(&mut open).unwrap();
    open.world.restart();
    assert_eq!(sessions(&mut open).unwrap(), first);
    let challenges = open.withdrawal.challenges.clone();
    open.answer(&challenges).unwrap();
    assert_eq!(sessions(&mut open).unwrap(), first);
    open.request.items[0].1 = 1;
    assert!(matches!(sessions(&mut open), Err(IssuanceError::Known)));
}

#[test]
fn a_cancelled_batch_is_never_answered_and_an_answered_one_not_cancelled() {
    let open = open(63);
    let cancel =
        |open: &Open| open.world.transact(|tx| open.world.bank().cancel_batch(tx, &open.request.batch)).unwrap().state;
    let acknowledge =
        |open: &Open| open.world.transact(|tx| open.world.bank().acknowledge_batch(tx, &open.request.batch));
    assert!(matches!(acknowledge(&open), Err(IssuanceError::Open)));
    assert_eq!(cancel(&open), BatchState::Void);
    assert_eq!(open.holds(), (false, false));
    assert_eq!(cancel(&open), BatchState::Void);
    assert!(matches!(open.answer(&open.withdrawal.challenges), Err(IssuanceError::Void)));
    assert!(matches!(acknowledge(&open), Err(IssuanceError::Void)));
    assert_eq!(open.world.reserve("alpha"), 1_000_000);

    let open = self::open(64);
    open.answer(&open.withdrawal.challenges).unwrap();
    assert_eq!(cancel(&open), BatchState::Answered);
    assert!(open.answer(&open.withdrawal.challenges).is_ok());
}

#[test]
fn a_batch_runs_out_and_is_swept() {
    let mut open = open(65);
    let challenges = open.withdrawal.challenges.clone();
    open.world.now = at(START + LIFETIME_SECONDS + 1);
    assert!(matches!(open.answer(&challenges), Err(IssuanceError::Void)));
    assert_eq!(open.state(), BatchState::Open);
    let swept = open.world.bank().sweep(open.world.now).unwrap();
    assert_eq!((swept.voided, open.state(), open.holds()), (1, BatchState::Void, (false, false)));
    // A clock put back does not bring it back.
    open.world.now = at(START);
    assert!(matches!(open.answer(&challenges), Err(IssuanceError::Void)));

    let mut open = self::open(66);
    open.world.now = at(START + LIFETIME_SECONDS);
    assert_eq!(open.world.bank().sweep(open.world.now).unwrap().voided, 0);
    assert!(open.answer(&open.withdrawal.challenges).is_ok(), "the last moment counts");
    // Never acknowledged: erased when the notes are worthless.
    let swept = open.world.bank().sweep(at(START + 180 * DAY)).unwrap();
    assert_eq!((swept.erased, open.state()), (0, BatchState::Answered));
    let swept = open.world.bank().sweep(at(START + 180 * DAY + 1)).unwrap();
    assert_eq!((swept.erased, open.state(), open.holds()), (1, BatchState::Erased, (false, false)));
}

#[test]
fn the_reserve_must_cover_it_and_may_be_funded_later() {
    let mut open = open(67);
    let spend = |open: &Open, amount: u64, reference: &[u8]| {
        let (psp, now) = (name("alpha"), open.world.now);
        open.world
            .transact(|tx| specie_bank::psp::defund(tx, &psp, crate::world::amount(amount), reference, now))
            .unwrap();
    };
    spend(&open, 1_000_000 - 39, b"out");
    let challenges = open.withdrawal.challenges.clone();
    let overdrawn = open.answer(&challenges);
    assert!(matches!(overdrawn, Err(IssuanceError::Ledger(LedgerError::Overdrawn(_)))));
    assert_eq!((open.state(), open.world.reserve("alpha")), (BatchState::Open, 39));
    let (psp, now) = (name("alpha"), open.world.now);
    open.world.transact(|tx| specie_bank::psp::fund(tx, &psp, crate::world::amount(1), b"in", now)).unwrap();
    open.world.restart();
    assert!(open.answer(&challenges).is_ok());
    assert_eq!(open.world.reserve("alpha"), 0);
    open.world.assert_conserved();
}

#[test]
fn sizes_classes_dates_and_devices_are_checked() {
    let mut world = World::new(68);
    let (device, stranger) = (world.device("alpha"), world.device("beta"));
    let value = world.class(Kind::Value, 20).id();
    let size = |result: Result<_, IssuanceError>| matches!(result, Err(IssuanceError::Size));
    assert!(size(world.withdraw(&device, &[]).map(drop)));
    assert!(size(world.withdraw(&device, &[(value, 0)]).map(drop)));
    assert!(size(world.withdraw(&device, &[(value, 257)]).map(drop)));
    assert!(size(world.withdraw(&device, &[(value, u64::MAX), (world_class(&world), 1)]).map(drop)));
    assert!(size(world.withdraw(&device, &[(value, 1), (value, 1)]).map(drop)));
    let unknown = specie_core::ClassId([9; 16]);
    assert!(matches!(world.withdraw(&device, &[(unknown, 1)]), Err(IssuanceError::NotIssued(id)) if id == unknown));
    // The device of another PSP, one that nobody knows, and a registration twice.
    let foreign = Device { psp: name("alpha"), ..stranger.clone() };
    let unregistered = |result| matches!(result, Err(IssuanceError::Device(DeviceError::Unregistered)));
    assert!(unregistered(world.withdraw(&foreign, &[(value, 1)]).map(drop)));
    let now = world.now;
    for psp in ["alpha", "beta"] {
        let twice = world.transact(|tx| specie_bank::device::register(tx, &name(psp), &device.identity, now));
        assert!(matches!(twice, Err(DeviceError::Known)));
    }
    for identity in [[0; 32], [0xff; 32]] {
        let invalid = world.transact(|tx| specie_bank::device::register(tx, &name("alpha"), &identity, now));
        assert!(matches!(invalid, Err(DeviceError::Invalid)));
    }
    // Dates, at the opening and at the answer.
    let request = world.request(&device, &[(value, 1)]);
    world.now = at(START + 90 * DAY);
    let started = world.start(&device, &request).unwrap();
    world.now = at(START + 90 * DAY + 1);
    let late = world.transact(|tx| world.bank().answer_batch(tx, &request.batch, &started.challenges, world.now));
    assert!(matches!(late, Err(IssuanceError::NotIssued(_))));
    assert!(matches!(world.withdraw(&device, &[(value, 1)]), Err(IssuanceError::NotIssued(_))));
    world.now = at(START - 1);
    assert!(matches!(world.withdraw(&device, &[(value, 1)]), Err(IssuanceError::NotIssued(_))));
}

fn world_class(world: &World) -> specie_core::ClassId {
    world.class(Kind::Value, 10).id()
}
