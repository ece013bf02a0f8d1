//! What a database costs whoever asks it: how often, how long, and how much of this process's processor time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::sql::{Param, Row, Session, SqlError};

/// What a database has cost since it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Transactions that were to write, ended in any way.
    pub writes: u64,
    /// Transactions that only read.
    pub reads: u64,
    /// How often one of either was run again.
    pub reruns: u64,
    /// Commits whose outcome the database had to be asked for, because the connection was lost.
    pub unknown: u64,
    /// Statements.
    pub statements: u64,
    /// Time on the clock spent on statements, commits, and waiting for one's turn; summed over threads.
    pub elapsed: Duration,
    /// Processor time of this process spent on the same. That of a database's own process is not in it.
    pub processor: Duration,
}

/// Adds up what a database costs.
#[derive(Default)]
pub(crate) struct Meter {
    writes: AtomicU64,
    reads: AtomicU64,
    reruns: AtomicU64,
    statements: AtomicU64,
    elapsed: AtomicU64,
    processor: AtomicU64,
}

/// Time of this thread.
#[derive(Clone, Copy, Default)]
struct Time {
    elapsed: Duration,
    processor: Duration,
}

struct Stopwatch {
    begun: Instant,
    processor: Duration,
}

/// One transaction while it runs.
pub(crate) struct Metering<'m> {
    meter: &'m Meter,
    whole: Stopwatch,
    runs: u64,
    statements: u64,
    /// Spent on other things than the database.
    elsewhere: Time,
}

/// A session whose statements are counted.
struct Metered<'s> {
    session: &'s mut dyn Session,
    asked: Time,
    statements: u64,
}

impl Meter {
    /// What it cost, with so many unknown outcomes.
    pub(crate) fn cost(&self, unknown: u64) -> Cost {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Cost {
            writes: of(&self.writes),
            reads: of(&self.reads),
            reruns: of(&self.reruns),
            unknown,
            statements: of(&self.statements),
            elapsed: Duration::from_nanos(of(&self.elapsed)),
            processor: Duration::from_nanos(of(&self.processor)),
        }
    }

    /// A transaction that is to write.
    pub(crate) fn write(&self) -> Metering<'_> {
        self.begin(&self.writes)
    }

    /// One that only reads.
    pub(crate) fn read(&self) -> Metering<'_> {
        self.begin(&self.reads)
    }

    fn begin(&self, of: &AtomicU64) -> Metering<'_> {
        of.fetch_add(1, Ordering::Relaxed);
        Metering { meter: self, whole: Stopwatch::start(), runs: 0, statements: 0, elsewhere: Time::default() }
    }
}

impl Metering<'_> {
    /// Runs `work`, and knows what of its time the database took.
    pub(crate) fn run<T>(&mut self, session: &mut dyn Session, work: impl FnOnce(&mut dyn Session) -> T) -> T {
        let watch = Stopwatch::start();
        let mut metered = Metered { session, asked: Time::default(), statements: 0 };
        let done = work(&mut metered);
        let Metered { asked, statements, .. } = metered;
        self.runs += 1;
        self.statements += statements;
        self.elsewhere.add(watch.read().less(asked));
        done
    }
}

impl Drop for Metering<'_> {
    fn drop(&mut self) {
        let spent = self.whole.read().less(self.elsewhere);
        let add = |counter: &AtomicU64, number| counter.fetch_add(number, Ordering::Relaxed);
        add(&self.meter.reruns, self.runs.saturating_sub(1));
        add(&self.meter.statements, self.statements);
        add(&self.meter.elapsed, nanoseconds(spent.elapsed));
        add(&self.meter.processor, nanoseconds(spent.processor));
    }
}

impl Metered<'_> {
    fn ask<T>(&mut self, question: impl FnOnce(&mut dyn Session) -> T) -> T {
        let watch = Stopwatch::start();
        let answer = question(self.session);
        self.statements += 1;
        self.asked.add(watch.read());
        answer
    }
}

impl Session for Metered<'_> {
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlError> {
        self.ask(|session| session.execute(sql, params))
    }

    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, SqlError> {
        self.ask(|session| session.query(sql, params))
    }
}

impl Time {
    fn add(&mut self, other: Self) {
        self.elapsed += other.elapsed;
        self.processor += other.processor;
    }

    fn less(self, other: Self) -> Self {
        Self {
            elapsed: self.elapsed.saturating_sub(other.elapsed),
            processor: self.processor.saturating_sub(other.processor),
        }
    }
}

impl Stopwatch {
    fn start() -> Self {
        Self { begun: Instant::now(), processor: thread_time() }
    }

    fn read(&self) -> Time {
        Time { elapsed: self.begun.elapsed(), processor: thread_time().saturating_sub(self.processor) }
    }
}

/// Processor time that this thread has taken.
fn thread_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
