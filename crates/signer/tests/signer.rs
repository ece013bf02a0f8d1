//! A signer from outside: one answer for each session, within its limits, whatever is killed, raced or replayed.
#![allow(clippy::unwrap_used, reason = "a test may unwrap: its panic is the report")]
#![allow(non_snake_case, reason = "the letters of the specification")]

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use specie_bank::issuance::BatchKey;
use specie_bank::signer::{Answering, Committing, Sealed, Signer, SignerError};
use specie_core::bytes::ClassId;
use specie_core::class::{Class, Info, Kind};
use specie_core::group::{RistrettoPoint, Scalar};
use specie_core::issuance::Response;
use specie_core::signature::SigningKey;
use specie_core::text::{Currency, Name};
use specie_core::{Amount, Timestamp};
use specie_signer::service::{ListenError, listen};
use specie_signer::{Client, Folder, FolderError, Keeper, KeeperError};
use tempfile::TempDir;

const START: u64 = 1_000_000;
const DAY: u64 = 86_400;

struct World {
    directory: TempDir,
    now: Arc<AtomicU64>,
    class: Class,
}

/// Sessions of one batch, and the challenges for them.
struct Batch {
    key: BatchKey,
    sessions: Vec<(ClassId, Sealed)>,
    valid_until: Timestamp,
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).unwrap()
}

fn info(minor: u64) -> Info {
    Info {
        issuer: Name::new("central-bank").unwrap(),
        currency: Currency::new("XTS").unwrap(),
        kind: Kind::Value,
        amount: Amount::new(minor).unwrap(),
        epoch: 1,
        issue_from: at(START),
        spend_until: at(START + 90 * DAY),
        redeem_until: at(START + 180 * DAY),
        max_hops: 4,
    }
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicU64::new(START));
        let folder = Folder(directory.path().join("signer"));
        let clock = Arc::clone(&now);
        let keeper = folder.create(SigningKey::from_seed(&[1; 32]), move || at(clock.load(Ordering::SeqCst))).unwrap();
        let class = keeper.make_classes(&[info(10)]).unwrap().remove(0);
        Self { directory, now, class }
    }

    fn folder(&self) -> Folder {
        Folder(self.path(""))
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join("signer").join(file)
    }

    fn open(&self) -> Keeper {
        let now = Arc::clone(&self.now);
        self.folder().open(None, move || at(now.load(Ordering::SeqCst))).unwrap()
    }

    fn set_clock(&self, seconds: u64) {
        self.now.store(seconds, Ordering::SeqCst);
    }

    fn limit(&self, limits: &str) {
        std::fs::write(self.path("limits.toml"), limits).unwrap();
    }

    /// A batch of so many sessions, made by `signer`.
    fn batch(&self, signer: &impl Signer, id: u8, sessions: usize) -> Batch {
        let key = BatchKey { psp: Name::new("alpha").unwrap(), id: [id; 16] };
        let classes = vec![self.class.id(); sessions];
        let valid_until = at(START + 7 * DAY);
        let device = RistrettoPoint::mul_base(&Scalar::from(5_u8));
        let committed = signer.commit(&Committing { batch: &key, device: &device, classes: &classes, valid_until });
        let sealed = committed.unwrap().into_iter().map(|(_, sealed)| sealed);
        Batch { key, sessions: classes.into_iter().zip(sealed).collect(), valid_until }
    }
}

impl Batch {
    /// Answers of `signer` for the challenges `e`, `e + 1` and so on.
    fn answer(&self, signer: &impl Signer, e: u64) -> Result<Vec<Response>, SignerError> {
        let challenges: Vec<_> = (0..self.sessions.len() as u64).map(|i| Scalar::from(e + i)).collect();
        let (sessions, valid_until) = (self.sessions.clone(), self.valid_until);
        signer.answer(&Answering { batch: &self.key, sessions, challenges: &challenges, valid_until })
    }
}

fn bytes(responses: &[Response]) -> Vec<[u8; 128]> {
    responses.iter().map(Response::to_bytes).collect()
}

#[test]
fn a_batch_is_answered_for_one_set_of_challenges_whatever_is_opened_again() {
    let world = World::new();
    let batch = world.batch(&world.open(), 1, 3);
    let first = batch.answer(&world.open(), 5).unwrap();
    let again = world.open();
    assert_eq!(bytes(&batch.answer(&again, 5).unwrap()), bytes(&first));
    assert!(matches!(batch.answer(&again, 6), Err(SignerError::OtherChallenges)));
    // A database that was set back opens the batch again, at another time: other sessions under the old name.
    let mut reopened = world.batch(&again, 1, 3);
    reopened.valid_until = at(START + 8 * DAY);
    assert!(reopened.answer(&again, 5).is_err(), "sealed for another time");
    let fewer = world.batch(&again, 1, 2);
    assert!(matches!(fewer.answer(&again, 5), Err(SignerError::OtherChallenges)));
    assert_eq!(bytes(&batch.answer(&again, 5).unwrap()), bytes(&first));
    let chain = world.folder().verify().unwrap();
    assert_eq!((chain.sequence, chain.signed), (3, 3));
}

#[test]
fn of_two_servers_that_race_one_gets_its_answer() {
    let world = World::new();
    let batch = world.batch(&world.open(), 1, 2);
    let keepers: Vec<_> = (0..4).map(|_| world.open()).collect();
    let answered: Vec<_> = std::thread::scope(|scope| {
        let race = |(e, keeper)| {
            scope.spawn({
                let batch = &batch;
                move || batch.answer(keeper, e).is_ok()
            })
        };
        let racing: Vec<_> = (10..).step_by(5).zip(&keepers).map(race).collect();
        racing.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(answered.iter().filter(|answered| **answered).count(), 1, "{answered:?}");
    assert_eq!(world.folder().verify().unwrap().signed, 2);
}

#[test]
fn limits_hold_in_a_period_and_in_all() {
    let world = World::new();
    world.limit("period_seconds = 86400\n[every_class]\nnotes = 5\nvalue_per_period = 39\n");
    let keeper = world.open();
    let batch = |id, sessions| world.batch(&keeper, id, sessions);
    let limit = |answered: Result<_, _>| match answered {
        Err(SignerError::Limit { limit, .. }) => limit,
        other => panic!("{:?}", other.map(|_: Vec<Response>| ()).map_err(|error| error.to_string())),
    };
    batch(1, 3).answer(&keeper, 1).unwrap();
    assert_eq!(limit(batch(2, 1).answer(&keeper, 1)), "the limit of 39 minor units in a period");
    // What was answered is answered again, at the limit too.
    batch(1, 3).answer(&keeper, 1).unwrap();
    world.set_clock(START + DAY);
    batch(2, 2).answer(&keeper, 1).unwrap();
    assert_eq!(limit(batch(3, 1).answer(&keeper, 1)), "the limit of 5 notes in all");
    assert_eq!(world.folder().verify().unwrap().signed, 5, "what was refused is not counted");
    let (standing, _) = world.folder().standing(at(START + DAY)).unwrap();
    assert_eq!((standing.classes[0].notes, standing.classes[0].in_period), (5, 2));
    world.limit("period_seconds = 86400\n[every_class]\nsurprise = 5\n");
    assert!(matches!(world.folder().open(None, || at(START)), Err(FolderError::Limits { .. })));
}

#[test]
fn nothing_is_signed_outside_of_a_class_s_dates_or_after_its_batch_by_a_clock_that_never_goes_back() {
    let world = World::new();
    let keeper = world.open();
    world.set_clock(START - 1);
    let key = BatchKey { psp: Name::new("alpha").unwrap(), id: [9; 16] };
    let device = RistrettoPoint::mul_base(&Scalar::ONE);
    let classes = [world.class.id()];
    let committing = Committing { batch: &key, device: &device, classes: &classes, valid_until: at(START + DAY) };
    assert!(matches!(keeper.commit(&committing), Err(SignerError::NotIssued(_))));
    world.set_clock(START + 90 * DAY + 1);
    assert!(matches!(keeper.commit(&committing), Err(SignerError::NotIssued(_))));
    world.set_clock(START);
    let (batch, other) = (world.batch(&keeper, 1, 1), world.batch(&keeper, 2, 1));
    let late = world.batch(&keeper, 3, 1);
    world.set_clock(START + 7 * DAY);
    batch.answer(&keeper, 1).unwrap();
    world.set_clock(START + 7 * DAY + 1);
    assert!(matches!(other.answer(&keeper, 1), Err(SignerError::Expired)));
    // It was that late once: set back, the clock is not believed.
    let later = Batch { valid_until: at(START + 30 * DAY), ..world.batch(&keeper, 4, 1) };
    assert!(later.answer(&keeper, 1).is_err(), "sealed for another time");
    world.set_clock(START);
    let record = world.folder().verify().unwrap().at;
    assert_eq!(record, at(START + 7 * DAY));
    late.answer(&keeper, 1).unwrap();
    assert_eq!(world.folder().verify().unwrap().at, record);
}

#[test]
fn a_log_that_somebody_wrote_to_is_found() {
    use specie_store::signer_journal::{Entry, SCHEMA, SignerJournal};
    use specie_store::sql::SqlError;
    let world = World::new();
    let batch = world.batch(&world.open(), 1, 2);
    batch.answer(&world.open(), 1).unwrap();
    world.folder().verify().unwrap();
    let journal = SignerJournal(specie_store::Sqlite::open(&world.path("journal.db"), &[SCHEMA]).unwrap());
    journal.transact(|journal| journal.count(&world.class.id(), 7, 1)).unwrap();
    assert!(matches!(world.folder().verify(), Err(FolderError::Miscounted { counted: 3, logged: 2, .. })));
    journal
        .transact(|journal| {
            let newest = journal.newest()?.unwrap();
            journal.append(&Entry { sequence: newest.sequence + 1, ..newest })?;
            Ok::<_, SqlError>(())
        })
        .unwrap();
    assert!(matches!(world.folder().verify(), Err(FolderError::Broken(_))));
    // Without its journal a signer knows of no answer, and does not open.
    std::fs::remove_file(world.path("journal.db")).unwrap();
    assert!(matches!(world.folder().open(None, || at(START)), Err(FolderError::File { .. })));
}

#[test]
fn servers_reach_it_over_a_private_socket_and_what_is_no_request_ends_nothing() {
    let world = World::new();
    let folder = world.folder();
    assert!(matches!(Client::connect(&folder, None), Err(SignerError::Unreachable(_))));
    let listening = listen(&folder, &[]).unwrap();
    assert!(matches!(listen(&folder, &[]), Err(ListenError::Served(_))));
    let mode = std::fs::metadata(folder.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let keeper = world.open();
    // It ends with the test's process, as it may at any moment.
    std::thread::spawn(move || listening.run(keeper));
    let client = Client::connect(&folder, None).unwrap();
    let here = world.open();
    assert_eq!(client.ledger_key(), here.ledger_key());
    assert_eq!(client.issuing_key(&world.class.id()).unwrap(), Some(*world.class.Y_bytes()));
    assert_eq!(client.issuing_key(&ClassId([0; 16])).unwrap(), None);
    // The longest batch; sessions are the same from either side.
    let (batch, same) = (world.batch(&client, 1, 256), world.batch(&here, 1, 256));
    assert!(batch.sessions == same.sessions);
    let answered = batch.answer(&client, 1).unwrap();
    assert_eq!(bytes(&same.answer(&here, 1).unwrap()), bytes(&answered));
    assert!(matches!(batch.answer(&client, 2), Err(SignerError::OtherChallenges)));
    // New keys, made behind its back and by it.
    let made = here.make_classes(&[info(20)]).unwrap().remove(0);
    assert_eq!(client.issuing_key(&made.id()).unwrap(), None, "its process has not looked");
    let classes = [made.id()];
    let device = RistrettoPoint::mul_base(&Scalar::ONE);
    let committing =
        Committing { batch: &batch.key, device: &device, classes: &classes, valid_until: batch.valid_until };
    assert_eq!(client.commit(&committing).unwrap().len(), 1);
    assert_eq!(client.issuing_key(&made.id()).unwrap(), Some(*made.Y_bytes()));
    let made = client.make_classes(&[info(50)]).unwrap().remove(0);
    assert_eq!(here.issuing_key(&made.id()).unwrap(), Some(*made.Y_bytes()));
    // And destroyed by it, when it is time.
    assert!(matches!(client.destroy_keys(&[made.id()]), Err(SignerError::Failed(_))));
    let short = Info { spend_until: at(START), ..info(70) };
    let short = client.make_classes(&[short]).unwrap().remove(0).id();
    world.set_clock(START + 1);
    assert_eq!(client.destroy_keys(&[short]).unwrap(), [short]);
    assert_eq!(client.issuing_key(&short).unwrap(), None);
    // Rubbish, a frame that is too long, a frame cut short.
    for (sent, is_answered) in [(&[0, 0, 0, 1, 0xff][..], true), (&[0xff; 8], false), (&[0, 0, 0, 9, 1], false)] {
        let mut stream = UnixStream::connect(folder.socket()).unwrap();
        stream.write_all(sent).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut heard = Vec::new();
        // A connection that is closed with something unread is reset.
        drop(stream.read_to_end(&mut heard));
        assert_eq!(!heard.is_empty(), is_answered);
    }
    assert_eq!(bytes(&batch.answer(&client, 1).unwrap()), bytes(&answered));
}

/// Two operators, or one who asks again because no answer came: one set of keys.
#[test]
fn keys_are_made_once_for_what_they_are_for() {
    let world = World::new();
    let next = [20, 50].map(|minor| Info { epoch: 2, ..info(minor) });
    let (one, other) = (world.open(), world.open());
    let made = std::thread::scope(|scope| {
        [&one, &other, &one]
            .map(|keeper| scope.spawn(|| keeper.make_classes(&next).unwrap()))
            .map(|one| one.join().unwrap())
    });
    let ids = |classes: &[Class]| classes.iter().map(|class| (*class.info(), class.id())).collect::<Vec<_>>();
    assert!(made.iter().all(|classes| ids(classes) == ids(&made[0])), "another set");
    assert_eq!(made[0].iter().map(|class| *class.info()).collect::<Vec<_>>(), next, "in the order asked for");
    // Some that there are with one that there is not.
    let more = world.open().make_classes(&[next[1], Info { epoch: 2, ..info(100) }]).unwrap();
    assert_eq!(more[0].id(), made[0][1].id());
    let chain = world.folder().verify().unwrap();
    assert_eq!(chain.sequence, 4, "made once, and the one more");
    assert_eq!(world.folder().standing(at(START)).unwrap().0.classes.len(), 4);
}

#[test]
fn keys_are_destroyed_when_nobody_can_need_them_and_not_a_second_before() {
    let world = World::new();
    let (keeper, class) = (world.open(), world.class.id());
    let batch = world.batch(&keeper, 1, 1);
    let refused = |keeper: &Keeper, classes: &[ClassId]| {
        assert!(matches!(keeper.destroy_keys(classes), Err(KeeperError::Issued(_))));
    };
    refused(&keeper, &[class]);
    // An epoch after it that has begun: its last batches are void seven days later.
    let begin = START + 40 * DAY;
    let next = keeper.make_classes(&[Info { epoch: 2, issue_from: at(begin), ..info(10) }]).unwrap().remove(0).id();
    world.set_clock(begin + 7 * DAY);
    refused(&keeper, &[class]);
    refused(&keeper, &[class, next]);
    world.set_clock(begin + 7 * DAY + 1);
    refused(&keeper, &[class, next]);
    assert!(keeper.issuing_key(&class).unwrap().is_some(), "all or nothing");
    let before = std::fs::read(world.path("keys")).unwrap();
    assert_eq!(keeper.destroy_keys(&[class]).unwrap(), [class]);
    // Gone from this process, from the file, and for good; asked again, there is nothing left to do.
    for keeper in [keeper, world.open()] {
        assert_eq!(keeper.issuing_key(&class).unwrap(), None);
        assert!(matches!(batch.answer(&keeper, 1), Err(SignerError::NoKey(_))));
        assert!(keeper.destroy_keys(&[class, ClassId([9; 16])]).unwrap().is_empty());
        assert!(keeper.issuing_key(&next).unwrap().is_some());
    }
    let chain = world.folder().verify().unwrap();
    assert_eq!(chain.sequence, 4, "made, two sets of keys, one destruction");
    // An epoch with none after it: when its notes are spent no more.
    world.set_clock(START + 90 * DAY);
    refused(&world.open(), &[next]);
    world.set_clock(START + 90 * DAY + 1);
    assert_eq!(world.open().destroy_keys(&[next]).unwrap(), [next]);
    // What this cannot do: an older copy of the file still has the keys, and opens.
    std::fs::write(world.path("keys"), before).unwrap();
    assert!(world.open().issuing_key(&class).unwrap().is_some());
}
