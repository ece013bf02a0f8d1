//! One round: the same number of like batches, verified alone, written alone, and redeemed over HTTP.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use curve25519_dalek::{RistrettoPoint, Scalar};
use rustix::time::{ClockId, clock_gettime};
use specie_bank::redemption::Redeemed;

use crate::town::{BATCH, TRANSFERS, Town};

/// Batches of a round, and the threads that bring them.
const BATCHES: usize = 16;
const ASKERS: usize = 4;

/// Multiplications that are measured together.
const MULTIPLICATIONS: u32 = 2_048;

/// What a round found. Rates are coins in a second.
pub(crate) struct Round {
    /// Verification alone, on all cores.
    pub(crate) verified: f64,
    /// What comes after verification, alone.
    pub(crate) written: f64,
    /// Requests over HTTP.
    pub(crate) redeemed: f64,
    /// Processor time of the server for one transfer, without the database, in multiplications.
    pub(crate) processor: f64,
    /// Of the database within the server's process, for one transfer, in multiplications.
    pub(crate) database: f64,
    /// Statements of one batch.
    pub(crate) statements: f64,
    /// Commits of one batch: transactions that write, which share them.
    pub(crate) writes: f64,
}

impl Round {
    pub(crate) fn measure(town: &mut Town) -> Self {
        let batches =
            |town: &mut Town| town.coins(BATCH * BATCHES).chunks(BATCH).map(<[_]>::to_vec).collect::<Vec<_>>();
        let (alone, whole) = (batches(town), batches(town));
        let coins = (BATCH * BATCHES) as f64;
        let transfers = coins * TRANSFERS as f64;

        let begun = Instant::now();
        let check = |batch: &Vec<_>| town.central.bank.check_redemption(Town::to(), batch, town.now, &[7; 32]).unwrap();
        let checked: Vec<_> = alone.iter().map(check).collect();
        let verified = coins / begun.elapsed().as_secs_f64();

        let begun = Instant::now();
        shared(&checked, |checked| {
            let redeemed = town.central.bank.redeem(checked, town.now).unwrap();
            assert!(redeemed.iter().all(|redeemed| matches!(redeemed, Redeemed::Credited(_))));
        });
        let written = coins / begun.elapsed().as_secs_f64();

        let multiplication = multiplication().as_secs_f64();
        let (cost, begun, processor) = (town.cost(), Instant::now(), process_time());
        let askers = shared(&whole, |batch| town.asker().redeem(batch));
        let (elapsed, processor) = (begun.elapsed(), process_time() - processor);
        let after = town.cost();
        let database = after.processor - cost.processor;
        let each = |time: Duration| time.as_secs_f64() / transfers / multiplication;
        Self {
            verified,
            written,
            redeemed: coins / elapsed.as_secs_f64(),
            processor: each(processor.saturating_sub(askers + database)),
            database: each(database),
            statements: (after.statements - cost.statements) as f64 / BATCHES as f64,
            writes: (after.writes - cost.writes) as f64 / BATCHES as f64,
        }
    }

    /// What of the slower of both alone is reached together.
    pub(crate) fn share(&self) -> f64 {
        self.redeemed / self.verified.min(self.written)
    }
}

/// Has askers work on the items, and gives what processor time their threads took.
fn shared<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) -> Duration {
    let work = &work;
    thread::scope(|scope| {
        let ask = |asker| {
            scope.spawn(move || {
                items.iter().skip(asker).step_by(ASKERS).for_each(work);
                thread_time()
            })
        };
        let asking: Vec<_> = (0..ASKERS).map(ask).collect();
        asking.into_iter().map(|asker| asker.join().unwrap()).sum()
    })
}

/// Processor time of one constant-time multiplication of a point by a scalar.
fn multiplication() -> Duration {
    let (mut point, scalar) = (RistrettoPoint::mul_base(&Scalar::from(7_u8)), Scalar::from_bytes_mod_order([0x5a; 32]));
    let before = thread_time();
    for _ in 0..MULTIPLICATIONS {
        point = black_box(point) * black_box(scalar);
    }
    black_box(point);
    (thread_time() - before) / MULTIPLICATIONS
}

fn thread_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

fn process_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}
