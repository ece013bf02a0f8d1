//! Whatever statement fails, and whatever commit's answer is lost: the same again, or the next sweep, brings everything to where
//! it would have been.
//!
//! Every place is tried on files; on a server, where a world cannot be copied, some, drawn by a seed that is printed.

use std::sync::atomic::{AtomicI64, Ordering};

use specie_bank::Bank;
use specie_bank::issuance::BatchKey;
use specie_bank::redemption::{Redeemed, Refusal};
use specie_bank::signer::KeyRing;
use specie_bank::storage::Storage;
use specie_bank::transfer::{TransferOrder, carry_out};
use specie_core::class::Kind;
use specie_core::group::Scalar;
use specie_store::AnyDatabase;
use specie_store::bank::BankStore;
use specie_store::sql::{Database, Param, Row, Session, SqlError};

use crate::crashes::{look, said};
use crate::world::{DAY, Random, START, World, account, amount, at, context, name};

const LATE: u64 = START + 181 * DAY;

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// A statement, and the transaction is undone.
    Statement,
    /// The answer to a commit, which happened.
    Answer,
}

/// A database in which something goes wrong once, after so many statements or commits.
struct Faulty {
    database: AnyDatabase,
    fault: Fault,
    left: AtomicI64,
}

struct FaultySession<'s> {
    session: &'s mut dyn Session,
    faulty: &'s Faulty,
}

impl Faulty {
    /// One more of those that may go wrong.
    fn pass(&self, error: SqlError) -> Result<(), SqlError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 { Err(error) } else { Ok(()) }
    }
}

impl Database for Faulty {
    fn transact<T, E: From<SqlError>>(&self, mut work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        let done = self.database.transact(|session| work(&mut FaultySession { session, faulty: self }))?;
        if matches!(self.fault, Fault::Answer) {
            self.pass(SqlError::Unknown)?;
        }
        Ok(done)
    }

    fn read<T, E: From<SqlError>>(&self, work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E> {
        self.database.read(work)
    }
}

impl FaultySession<'_> {
    fn pass(&self) -> Result<(), SqlError> {
        let cut = SqlError::Failed("the power is cut".into());
        if matches!(self.faulty.fault, Fault::Statement) { self.faulty.pass(cut) } else { Ok(()) }
    }
}

impl Session for FaultySession<'_> {
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlError> {
        self.pass()?;
        self.session.execute(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, SqlError> {
        self.pass()?;
        self.session.query(sql, params)
    }
}

type FaultyBank = Bank<BankStore<Faulty>, KeyRing>;

fn faulty(world: &World, fault: Fault, left: i64) -> FaultyBank {
    let database = world.database();
    Bank::open(BankStore(Faulty { database, fault, left: AtomicI64::new(left) }), world.keys()).unwrap()
}

/// An operation, in a world that is always made the same.
struct Trial<M, O> {
    seed: u64,
    make: M,
    batches: Vec<BatchKey>,
    operation: O,
    /// Whether its answer tells what was done by this very call.
    answers_what_it_did: bool,
}

impl<M: Fn() -> World, O: Fn(&FaultyBank) -> Result<String, String>> Trial<M, O> {
    /// Faults everywhere: repeated after each, and finished by the sweeper before it is repeated, the operation comes to the same.
    fn run(&self) {
        let original = (self.make)();
        let again = || if specie_testbed::on_server() { (self.make)() } else { original.copy() };
        let world = again();
        let untouched = faulty(&world, Fault::Statement, i64::MAX);
        let expected = (self.operation)(&untouched).unwrap();
        let seen = look(&world, &self.batches);
        world.assert_conserved();
        for fault in [Fault::Statement, Fault::Answer] {
            for place in self.places(&again(), fault) {
                for sweeper_first in [false, true] {
                    let world = again();
                    let failed = (self.operation)(&faulty(&world, fault, place));
                    let here = format!("{fault:?} {place}, sweeper first: {sweeper_first}, {failed:?}");
                    assert!(failed.is_err(), "{here}");
                    world.assert_conserved();
                    let bank = faulty(&world, fault, i64::MAX);
                    if sweeper_first {
                        bank.finish_redemptions(world.now).expect(&here);
                        world.assert_conserved();
                        assert_eq!(look(&world, &self.batches).pending(), 0, "{here}");
                    }
                    let repeated = (self.operation)(&bank).expect(&here);
                    assert!(self.answers_what_it_did || repeated == expected, "{here}: {repeated}");
                    assert_eq!(look(&world, &self.batches), seen, "{here}");
                    world.assert_conserved();
                }
            }
        }
    }

    /// Where the fault can come.
    fn places(&self, world: &World, fault: Fault) -> Vec<i64> {
        let counting = faulty(world, fault, i64::MAX);
        (self.operation)(&counting).unwrap();
        let count = i64::MAX - counting.storage().0.left.load(Ordering::SeqCst);
        println!("{count} × {fault:?}");
        assert!(count > 0);
        if !specie_testbed::on_server() {
            return (0..count).collect();
        }
        let mut random = Random::new(self.seed);
        (0..3).map(|_| random.below(usize::try_from(count).unwrap()) as i64).collect()
    }
}

#[test]
fn redemption_of_a_batch_that_has_everything_in_it() {
    let made = |seed| {
        let mut world = World::new(seed);
        let (culprit, honest) = (world.device("alpha"), world.device("beta"));
        let to = account("beta", "bob");
        let (note, own, plain) = (world.note(&culprit, 100), world.note(&honest, 50), world.note(&honest, 20));
        let tags = world.tags(&honest, 4);
        let paid = |tag: usize, byte| note.pay(&[(100, &tags[tag])], context(byte)).remove(0).redeem(to);
        let parts = world.note(&culprit, 200).pay(&[(120, &tags[2]), (80, &tags[3])], context(3));
        let chains = vec![
            plain.redeem(to),
            paid(0, 1),
            paid(1, 2),
            own.redeem(to),
            own.pay(&[(50, &tags[0])], context(4)).remove(0).redeem(to),
            parts[0].redeem(to),
            parts[1].redeem(to),
            vec![0x80],
            plain.redeem(to),
        ];
        // Who comes first is settled before: a sweep takes what is pending in another order.
        world.redeem(to, &[chains[1].clone(), chains[3].clone()]).unwrap();
        (world, chains)
    };
    let (_, chains) = made(60);
    let to = account("beta", "bob");
    let operation = |bank: &FaultyBank| {
        let checked = bank.check_redemption(to, &chains, at(START), &[1; 32]).unwrap();
        said(bank.redeem(&checked, at(START))).map(|answers| format!("{answers:?}"))
    };
    let credited = |minor| Redeemed::Credited(amount(minor));
    // The tag of the fifth is owned by a blank that was spent in the second: its own device is to blame.
    let expected = [
        credited(20),
        credited(100),
        credited(100),
        credited(50),
        Redeemed::Refused(Refusal::DoubleSpent),
        credited(120),
        credited(80),
        Redeemed::Refused(Refusal::Malformed),
        credited(20),
    ];
    let world = made(60).0;
    assert_eq!(operation(&faulty(&world, Fault::Statement, i64::MAX)), Ok(format!("{expected:?}")));
    Trial { seed: 60, make: || made(60).0, batches: Vec::new(), operation, answers_what_it_did: false }.run();
}

#[test]
fn every_step_of_a_withdrawal() {
    type Step = fn(&FaultyBank, &specie_bank::issuance::IssuanceRequest) -> Result<String, String>;
    let steps: [Step; 3] = [
        |bank, request| {
            let prepared = said(bank.prepare_batch(request, at(START)))?;
            let opened = said(bank.storage().transact(|tx| bank.open_batch(tx, &prepared)))?;
            Ok(format!("{:?}", opened.sessions.iter().map(|(_, commitment)| commitment.to_bytes()).collect::<Vec<_>>()))
        },
        |bank, request| {
            let challenges = [Scalar::from(5_u64), Scalar::from(6_u64)];
            let answer =
                |tx: &mut dyn specie_bank::storage::Tx| bank.answer_batch(tx, &request.batch, &challenges, at(START));
            let answered = said(bank.storage().transact(answer))?;
            let bytes: Vec<_> = answered.responses.iter().map(specie_core::issuance::Response::to_bytes).collect();
            Ok(format!("{bytes:?}"))
        },
        |bank, request| {
            said(bank.storage().transact(|tx| bank.acknowledge_batch(tx, &request.batch)))
                .map(|batch| format!("{batch:?}"))
        },
    ];
    let made = |before: usize| {
        let mut world = World::new(61);
        let device = world.device("alpha");
        let class = world.class(Kind::Value, 100).id();
        let request = world.request(&device, &[(class, 2)]);
        let bank = faulty(&world, Fault::Statement, i64::MAX);
        steps[..before].iter().for_each(|step| drop(step(&bank, &request).unwrap()));
        (world, request)
    };
    for (before, step) in steps.iter().enumerate() {
        let (_, request) = made(before);
        let operation = |bank: &FaultyBank| step(bank, &request);
        let (make, batches) = (|| made(before).0, vec![request.batch]);
        // What a session is made of is random: one that was undone, or of another world, is another one.
        let answers_what_it_did = before == 0 || specie_testbed::on_server();
        Trial { seed: 61, make, batches, operation, answers_what_it_did }.run();
    }
}

#[test]
fn orders_claims_and_sweeps() {
    let order = TransferOrder {
        psp: name("alpha"),
        id: [1; 16],
        from_account: name("alice"),
        to: account("beta", "bob"),
        amount: amount(70),
        reference: None,
    };
    let operation = |bank: &FaultyBank| {
        said(bank.storage().transact(|tx| carry_out(tx, &order, at(START)))).map(|()| String::new())
    };
    Trial { seed: 62, make: || World::new(62), batches: Vec::new(), operation, answers_what_it_did: false }.run();

    let lost = || {
        let mut world = World::new(63);
        let (owner, payer) = (world.device("alpha"), world.device("beta"));
        let (tag, change) = (world.tags(&owner, 1).remove(0), world.tags(&payer, 1).remove(0));
        let received = world.note(&payer, 100).pay(&[(60, &tag), (40, &change)], context(1));
        let holdings = vec![world.note(&owner, 200).holding(), received[0].holding()];
        (world, owner, holdings, received)
    };
    let (_, owner, holdings, received) = lost();
    let claim = |bank: &FaultyBank| {
        let to = account("alpha", "owner");
        let checked = bank.check_restitution(&owner.identity, to, &holdings, at(START), &[1; 32]).unwrap();
        said(bank.storage().transact(|tx| bank.claim(tx, &checked, at(START)))).map(|claims| format!("{claims:?}"))
    };
    Trial { seed: 63, make: || lost().0, batches: Vec::new(), operation: claim, answers_what_it_did: false }.run();

    // The sweep pays both claims, the leftover, and finishes a redemption that a crash left after its first step.
    let due = || {
        let mut world = lost().0;
        claim(&faulty(&world, Fault::Answer, i64::MAX)).unwrap();
        let to = account("beta", "payer");
        let crashed = faulty(&world, Fault::Answer, 0);
        let checked = crashed.check_redemption(to, &[received[1].redeem(to)], at(START), &[1; 32]).unwrap();
        crashed.redeem(&checked, at(START)).unwrap_err();
        world.now = at(LATE);
        world
    };
    let sweep = |bank: &FaultyBank| said(bank.sweep(at(LATE))).map(|swept| format!("{swept:?}"));
    Trial { seed: 64, make: due, batches: Vec::new(), operation: sweep, answers_what_it_did: true }.run();
    let world = due();
    world.bank().sweep(at(LATE)).unwrap();
    assert_eq!((world.reserve("alpha"), world.reserve("beta")), (1_000_000 - 200 + 260, 1_000_000 - 100 + 40));
}
