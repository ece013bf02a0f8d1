//! Whatever statement fails, in whatever operation: nothing of it stays, and the operation can be repeated.

use std::cell::RefCell;
use std::sync::atomic::{AtomicI64, Ordering};

use specie_bank::Bank;
use specie_bank::issuance::{BatchKey, BatchRecord};
use specie_bank::redemption::Redeemed;
use specie_bank::revocation::RevocationRecord;
use specie_bank::signer::KeyRing;
use specie_bank::storage::{PaidSum, Storage, StorageError};
use specie_bank::transfer::{TransferOrder, carry_out};
use specie_core::class::Kind;
use specie_store::AnyDatabase;
use specie_store::bank::BankStore;
use specie_store::sql::{Database, Param, Row, Session, SqlError};

use crate::world::{DAY, START, World, account, amount, at, context, name};

/// A database that fails after some statements, in the middle of a transaction.
struct Failing {
    database: AnyDatabase,
    left: AtomicI64,
}

struct FailingSession<'s> {
    session: &'s mut dyn Session,
    left: &'s AtomicI64,
}

impl Database for Failing {
    fn transact<T, E: From<SqlError>>(&self, mut work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        self.database.transact(|session| work(&mut FailingSession { session, left: &self.left }))
    }

    fn read<T, E: From<SqlError>>(&self, work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        self.database.read(work)
    }
}

impl FailingSession<'_> {
    fn count(&self) -> Result<(), SqlError> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left > 0 { Ok(()) } else { Err(SqlError::Failed("the power is cut".into())) }
    }
}

impl Session for FailingSession<'_> {
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlError> {
        self.count()?;
        self.session.execute(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, SqlError> {
        self.count()?;
        self.session.query(sql, params)
    }
}

/// Everything that the operations here change, as an outsider sees it.
#[derive(PartialEq, Debug)]
pub(crate) struct Seen {
    balances: Vec<(String, i64)>,
    postings: Vec<(String, i64)>,
    issued: usize,
    paid: Vec<PaidSum>,
    credits: usize,
    double_spends: u64,
    revocation: Option<RevocationRecord>,
    waiting: usize,
    struck_off: u64,
    expiries: usize,
    batches: Vec<Option<BatchRecord>>,
    answered: usize,
    manifest: u64,
    classes: usize,
    audited: u64,
    pending: usize,
}

impl Seen {
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }
}

pub(crate) fn look(world: &World, batches: &[BatchKey]) -> Seen {
    let look = world.bank().storage().read(|view| {
        let mut credits = 0;
        for psp in ["alpha", "beta"] {
            credits += view.credits_after(&name(psp), 0, 999)?.len();
        }
        let mut answered = 0;
        for key in batches {
            answered += view.sessions(key)?.iter().filter(|session| session.challenge_hash.is_some()).count();
        }
        Ok::<_, StorageError>(Seen {
            balances: view.balances()?,
            postings: view.posting_sums()?,
            issued: view.issued_counts()?.len(),
            paid: view.paid_sums()?,
            credits,
            double_spends: view.double_spend_sequence()?,
            revocation: view.newest_revocation()?,
            waiting: view.notes_to_list(world.now, 99)?.len(),
            struck_off: view.device_counts()?.struck_off,
            expiries: view.expiries()?.len(),
            batches: batches.iter().map(|key| view.batch(key)).collect::<Result<_, _>>()?,
            answered,
            manifest: view.manifest_sequence()?,
            classes: view.classes()?.len(),
            audited: view.audit_newest()?.map_or(0, |record| record.sequence),
            pending: view.redemptions_after(None, 99)?.len(),
        })
    });
    look.unwrap()
}

type FailingBank = Bank<BankStore<Failing>, KeyRing>;

/// Cuts the power at the first statement, the second, and so on, until the operation gets through.
fn cut_everywhere<T>(world: &World, batches: &[BatchKey], operation: impl Fn(&FailingBank) -> Result<T, String>) -> T {
    let database = world.database();
    let failing = Failing { database, left: AtomicI64::new(i64::MAX) };
    let bank = Bank::open(BankStore(failing), world.keys()).unwrap();
    let before = look(world, batches);
    for statements in 0..10_000 {
        bank.storage().0.left.store(statements, Ordering::SeqCst);
        match operation(&bank) {
            Ok(done) => {
                assert!(statements > 2, "an operation without statements");
                world.assert_conserved();
                return done;
            }
            Err(error) => {
                assert!(error.contains("power"), "{error}");
                assert_eq!(look(world, batches), before, "after {statements} statements");
            }
        }
    }
    panic!("never got through");
}

pub(crate) fn said<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

#[test]
fn answering_is_all_or_nothing() {
    let mut world = World::new(50);
    let alice = world.device("alpha");
    let classes = [world.class(Kind::Value, 100).id(), world.class(Kind::Blank, 100).id()];
    let request = world.request(&alice, &[(classes[0], 2), (classes[1], 1)]);
    let started = world.start(&alice, &request).unwrap();
    let answered = cut_everywhere(&world, &[request.batch], |bank| {
        said(bank.storage().transact(|tx| bank.answer_batch(tx, &request.batch, &started.challenges, at(START))))
    });
    assert_eq!(started.finish(&world, &alice, &answered.responses).len(), 3);
    assert_eq!(world.reserve("alpha"), 1_000_000 - 200);
}

#[test]
fn a_transfer_between_reserves_is_all_or_nothing() {
    let world = World::new(52);
    let order = TransferOrder {
        psp: name("alpha"),
        id: [1; 16],
        from_account: name("alice"),
        to: account("beta", "bob"),
        amount: amount(70),
        reference: None,
    };
    cut_everywhere(&world, &[], |bank| said(bank.storage().transact(|tx| carry_out(tx, &order, at(START)))));
    assert_eq!((world.reserve("alpha"), world.reserve("beta")), (999_930, 1_000_070));
}

#[test]
fn a_claim_for_a_lost_device_is_all_or_nothing_and_paid_once_wherever_the_sweep_is_cut() {
    let mut world = World::new(55);
    let (owner, payer) = (world.device("alpha"), world.device("beta"));
    let (tag, change) = (world.tags(&owner, 1).remove(0), world.tags(&payer, 1).remove(0));
    let received = world.note(&payer, 100).pay(&[(60, &tag), (40, &change)], context(1)).remove(0);
    let holdings = [world.note(&owner, 200).holding(), received.holding(), world.note(&owner, 200).holding()];
    let claims = cut_everywhere(&world, &[], |bank| {
        let to = account("alpha", "owner");
        let checked = bank.check_restitution(&owner.identity, to, &holdings, at(START), &[1; 32]).unwrap();
        said(bank.storage().transact(|tx| bank.claim(tx, &checked, at(START))))
    });
    assert!(claims.iter().all(Result::is_ok));
    let database = world.database();
    let bank = Bank::open(BankStore(Failing { database, left: AtomicI64::new(i64::MAX) }), world.keys()).unwrap();
    let mut cuts = 0;
    for statements in 0.. {
        bank.storage().0.left.store(statements, Ordering::SeqCst);
        let swept = bank.sweep(at(START + 181 * DAY));
        world.assert_conserved();
        if swept.is_ok() {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 10);
    assert_eq!((world.reserve("alpha"), world.reserve("beta")), (1_000_060, 1_000_000 - 100));
}

#[test]
fn publishing_is_all_or_nothing() {
    let mut world = World::new(53);
    world.register_psp("gamma");
    let manifest = world.bank().draft_manifest(&[], world.now).unwrap().sign(&world.root);
    cut_everywhere(&world, &[], |bank| said(bank.publish_manifest(&manifest, world.now)));
}

#[test]
fn a_sweep_goes_on_where_it_was_cut() {
    let mut world = World::new(54);
    let (alice, bob) = (world.device("alpha"), world.device("beta"));
    let mut notes = Vec::new();
    for _ in 0..3 {
        let (tag, change) = (world.tags(&bob, 1).remove(0), world.tags(&alice, 1).remove(0));
        let paid = world.note(&alice, 100).pay(&[(60, &tag), (40, &change)], context(1));
        assert_eq!(world.redeem_asset(&paid[1], account("alpha", "alice")), Redeemed::Credited(amount(40)));
        notes.push(paid);
    }
    let now = at(START + 181 * DAY);
    let database = world.database();
    let failing = Failing { database, left: AtomicI64::new(i64::MAX) };
    let bank = Bank::open(BankStore(failing), world.keys()).unwrap();
    let errors = RefCell::new(0);
    let swept = (0..10_000).find_map(|statements| {
        bank.storage().0.left.store(statements, Ordering::SeqCst);
        let swept = bank.sweep(now);
        world.assert_conserved();
        swept.map_err(|_| *errors.borrow_mut() += 1).ok()
    });
    assert!(swept.is_some() && errors.into_inner() > 10);
    // Each leftover went to its payer once, and the class is empty.
    assert_eq!(world.reserve("alpha"), 1_000_000);
    let line = world.conservation().classes.into_iter().find(|line| line.face == amount(100)).unwrap();
    assert_eq!((line.issued, line.redeemed, line.expired, line.ledger), (300, 300, 0, 0));
}
