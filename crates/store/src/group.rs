//! One commit for the work of many: whoever comes while another one works joins its transaction.
//!
//! A commit waits for a disk, or for a standby; what is committed costs far less. So the one connection of a process that writes
//! goes from hand to hand: each works in its own thread, behind a savepoint, and only when nobody waits for the connection, or the
//! group is full, is everything committed at once. Nobody is answered before that commit, the refused neither: what they were
//! refused for may be another one's work of the same group. When the group is undone each runs again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::retry::Retry;
use crate::sql::{Session, SqlError};

/// The most that are committed together. More would not make the commit cheaper, and would be more to run again.
const MEMBERS_MAX: usize = 32;

/// Takes back what was done since the savepoint.
pub(crate) const RETURN_TO_SAVEPOINT: &str = "ROLLBACK TO SAVEPOINT member";

/// Sets a savepoint, in place of the one before if there is one.
pub(crate) const fn savepoint(replaces: bool) -> &'static str {
    if replaces { "RELEASE SAVEPOINT member; SAVEPOINT member" } else { "SAVEPOINT member" }
}

/// A connection that writes, one transaction at a time.
pub(crate) trait Writer {
    /// Begins a transaction.
    ///
    /// # Errors
    /// The outcome for whoever wanted it.
    fn begin(&mut self) -> Result<(), Outcome>;

    /// Sets a savepoint in the open transaction, in place of the one before.
    ///
    /// # Errors
    /// The outcome for the group.
    fn set_savepoint(&mut self, replaces: bool) -> Result<(), Outcome>;

    /// Takes back what was done since the savepoint.
    ///
    /// # Errors
    /// The outcome for the group.
    fn return_to_savepoint(&mut self) -> Result<(), Outcome>;

    /// Runs statements of the open transaction.
    fn run(&mut self, work: &mut dyn FnMut(&mut dyn Session)) -> Ran;

    /// Commits.
    fn commit(&mut self) -> Outcome;

    /// Takes back the whole transaction, whatever its state.
    fn roll_back(&mut self);
}

/// What became of the statements of one piece of work.
pub(crate) enum Ran {
    /// The transaction is as good as before.
    Fine,
    /// One was refused; nothing since the savepoint can be committed.
    Refused(SqlError),
    /// The transaction is gone, with everything in it.
    Gone(Outcome),
}

/// How a transaction ended, for everybody in it.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It is on disk.
    Committed,
    /// It did not happen, and may be run again.
    Undone,
    /// It failed.
    Failed(SqlError),
}

/// The connection of a process that writes, and who waits for it.
pub(crate) struct Group<W> {
    open: Mutex<Open<W>>,
    queued: AtomicUsize,
}

struct Open<W> {
    writer: W,
    transaction: Option<Transaction>,
}

/// An open transaction.
struct Transaction {
    ended: Arc<Ended>,
    /// How many have worked in it, or do now.
    members: usize,
}

/// Where the members of a group wait for its end.
#[derive(Default)]
struct Ended {
    outcome: Mutex<Option<Outcome>>,
    told: Condvar,
}

/// The connection in one thread's hand. Dropped by a panic it takes the whole group back.
struct Turn<'g, W: Writer> {
    open: MutexGuard<'g, Open<W>>,
    passed_on: bool,
}

impl<W: Writer> Group<W> {
    pub(crate) const fn new(writer: W) -> Self {
        Self { open: Mutex::new(Open { writer, transaction: None }), queued: AtomicUsize::new(0) }
    }

    /// Runs `work` in a transaction, and returns when that is committed. `work` may run more than once.
    ///
    /// # Errors
    /// Those of `work`, and of the database.
    pub(crate) fn transact<T, E: From<SqlError>>(
        &self,
        mut work: impl FnMut(&mut dyn Session) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut retry = Retry::new();
        loop {
            let (done, outcome) = self.attempt(&mut work);
            match outcome {
                Outcome::Committed => return done.unwrap_or_else(|| Err(nothing_ran().into())),
                Outcome::Failed(error) => return Err(error.into()),
                Outcome::Undone => {}
            }
            if !retry.pause()? {
                return Err(SqlError::Busy.into());
            }
        }
    }

    /// The connection by itself, between transactions.
    pub(crate) fn alone<T>(&self, work: impl FnOnce(&mut W) -> T) -> T {
        let mut turn = self.turn();
        turn.commit();
        let done = work(&mut turn.open.writer);
        turn.passed_on = true;
        done
    }

    fn attempt<T, E: From<SqlError>>(
        &self,
        work: &mut impl FnMut(&mut dyn Session) -> Result<T, E>,
    ) -> (Option<Result<T, E>>, Outcome) {
        let mut turn = self.turn();
        let ended = match turn.join() {
            Ok(ended) => ended,
            Err(outcome) => {
                turn.passed_on = true;
                return (None, outcome);
            }
        };
        let mut done = None;
        let ran = turn.open.writer.run(&mut |session| done = Some(work(session)));
        let done = match (done, ran) {
            (Some(Ok(value)), Ran::Fine) => Ok(value),
            (Some(Err(error)), Ran::Fine | Ran::Refused(_)) => {
                turn.take_back();
                Err(error)
            }
            (_, Ran::Refused(error)) => {
                turn.take_back();
                Err(error.into())
            }
            (None, Ran::Fine) => {
                turn.take_back();
                Err(nothing_ran().into())
            }
            (_, Ran::Gone(outcome)) => {
                turn.lose(outcome);
                turn.passed_on = true;
                return (None, ended.wait());
            }
        };
        turn.pass_on(self.queued.load(Ordering::SeqCst));
        (Some(done), ended.wait())
    }

    fn turn(&self) -> Turn<'_, W> {
        self.queued.fetch_add(1, Ordering::SeqCst);
        // A panic in another one's turn has taken its transaction back.
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        self.queued.fetch_sub(1, Ordering::SeqCst);
        Turn { open, passed_on: false }
    }
}

impl<W: Writer> Turn<'_, W> {
    /// Enters the open transaction behind a savepoint, or begins one.
    fn join(&mut self) -> Result<Arc<Ended>, Outcome> {
        let Open { writer, transaction } = &mut *self.open;
        if let Some(open) = transaction {
            let ended = Arc::clone(&open.ended);
            open.members += 1;
            if let Err(outcome) = writer.set_savepoint(open.members > 2) {
                self.lose(outcome.clone());
                return Err(outcome);
            }
            return Ok(ended);
        }
        writer.begin()?;
        let ended = Arc::<Ended>::default();
        *transaction = Some(Transaction { ended: Arc::clone(&ended), members: 1 });
        Ok(ended)
    }

    /// Takes back what this member did, and leaves what the others did.
    fn take_back(&mut self) {
        let Open { writer, transaction } = &mut *self.open;
        if transaction.as_ref().is_some_and(|open| open.members > 1) {
            if let Err(outcome) = writer.return_to_savepoint() {
                self.lose(outcome);
            }
        } else if let Some(alone) = transaction.take() {
            // It saw nothing but what is committed: there is nothing to wait for.
            writer.roll_back();
            alone.ended.tell(Outcome::Committed);
        }
    }

    /// Leaves the connection to the next, who joins, or commits for all.
    fn pass_on(mut self, queued: usize) {
        if queued == 0 || self.open.transaction.as_ref().is_some_and(|open| open.members >= MEMBERS_MAX) {
            self.commit();
        }
        self.passed_on = true;
    }

    fn commit(&mut self) {
        let Open { writer, transaction } = &mut *self.open;
        if let Some(open) = transaction.take() {
            let outcome = writer.commit();
            open.ended.tell(outcome);
        }
    }

    /// The transaction is gone.
    fn lose(&mut self, outcome: Outcome) {
        let Open { writer, transaction } = &mut *self.open;
        writer.roll_back();
        if let Some(open) = transaction.take() {
            open.ended.tell(outcome);
        }
    }
}

impl<W: Writer> Drop for Turn<'_, W> {
    fn drop(&mut self) {
        if !self.passed_on {
            self.lose(Outcome::Undone);
        }
    }
}

impl Ended {
    fn tell(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        self.told.notify_all();
    }

    fn wait(&self) -> Outcome {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(outcome) = &*outcome {
                return outcome.clone();
            }
            outcome = self.told.wait(outcome).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn nothing_ran() -> SqlError {
    SqlError::Failed("a transaction came to nothing".into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::thread;

    use rusqlite::Connection;

    use super::*;

    /// A connection that counts its commits, and undoes the first ones of them instead.
    struct Counting {
        connection: Connection,
        commits: usize,
        to_undo: usize,
    }

    impl Writer for Counting {
        fn begin(&mut self) -> Result<(), Outcome> {
            self.connection.begin()
        }

        fn set_savepoint(&mut self, replaces: bool) -> Result<(), Outcome> {
            self.connection.set_savepoint(replaces)
        }

        fn return_to_savepoint(&mut self) -> Result<(), Outcome> {
            self.connection.return_to_savepoint()
        }

        fn run(&mut self, work: &mut dyn FnMut(&mut dyn Session)) -> Ran {
            self.connection.run(work)
        }

        fn commit(&mut self) -> Outcome {
            if self.to_undo > 0 {
                self.to_undo -= 1;
                self.connection.roll_back();
                return Outcome::Undone;
            }
            self.commits += 1;
            self.connection.commit()
        }

        fn roll_back(&mut self) {
            self.connection.roll_back();
        }
    }

    fn group(to_undo: usize) -> Group<Counting> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY)").unwrap();
        Group::new(Counting { connection, commits: 0, to_undo })
    }

    impl Group<Counting> {
        fn commits(&self) -> usize {
            self.alone(|writer| writer.commits)
        }

        fn things(&self) -> Vec<i64> {
            self.transact(|session| all(session)).unwrap()
        }

        /// Waits until somebody works in a transaction.
        fn await_turn(&self) {
            while self.open.try_lock().is_ok() {
                thread::yield_now();
            }
        }

        /// Waits until so many wait for the connection.
        fn await_queue(&self, length: usize) {
            while self.queued.load(Ordering::SeqCst) < length {
                thread::yield_now();
            }
        }
    }

    fn all(session: &mut dyn Session) -> Result<Vec<i64>, SqlError> {
        session.query("SELECT id FROM thing ORDER BY id", &[])?.iter().map(|row| row.column(0)).collect()
    }

    fn insert(session: &mut dyn Session, id: i64) -> Result<(), SqlError> {
        session.execute("INSERT INTO thing (id) VALUES (?1)", &[id.into()]).map(drop)
    }

    #[test]
    fn those_who_wait_are_committed_together_up_to_a_bound() {
        let (group, waiting) = (group(0), MEMBERS_MAX + 5);
        thread::scope(|scope| {
            for id in 0..=waiting {
                scope.spawn({
                    let group = &group;
                    move || {
                        let first = |session: &mut dyn Session| {
                            if all(session)?.is_empty() {
                                group.await_queue(waiting);
                            }
                            insert(session, i64::try_from(id).unwrap())
                        };
                        group.transact(first).unwrap();
                    }
                });
            }
        });
        assert_eq!(group.commits(), 2, "one full group, and the rest");
        assert_eq!(group.things().len(), waiting + 1);
    }

    #[test]
    fn what_one_is_refused_for_takes_nothing_from_the_others() {
        let group = group(0);
        let (one, two, three) = thread::scope(|scope| {
            let one = scope.spawn(|| {
                group.transact(|session| {
                    group.await_queue(2);
                    insert(session, 1)
                })
            });
            group.await_turn();
            let spawn = |id: i64, fails: bool| {
                let group = &group;
                scope.spawn(move || {
                    group.transact(|session| {
                        insert(session, id)?;
                        if fails { Err(SqlError::Failed("on purpose".into())) } else { Ok(()) }
                    })
                })
            };
            let (two, three) = (spawn(2, true), spawn(3, false));
            (one.join().unwrap(), two.join().unwrap(), three.join().unwrap())
        });
        assert!(one.is_ok() && two.is_err() && three.is_ok());
        assert_eq!((group.commits(), group.things()), (1, vec![1, 3]));
    }

    #[test]
    fn nobody_is_refused_for_what_did_not_happen() {
        // The first inserts, the second finds it and refuses; then both are undone, and the first thinks better of it.
        let group = group(1);
        let mut runs = 0;
        let (first, second) = thread::scope(|scope| {
            let first = scope.spawn(|| {
                group.transact(|session| {
                    runs += 1;
                    if runs == 1 {
                        group.await_queue(1);
                        return insert(session, 1);
                    }
                    Err(SqlError::Failed("not again".into()))
                })
            });
            group.await_turn();
            let second = scope.spawn(|| {
                group.transact(|session| {
                    if all(session)?.is_empty() { insert(session, 2) } else { Err(SqlError::Failed("taken".into())) }
                })
            });
            (first.join().unwrap(), second.join().unwrap())
        });
        assert_eq!(first.unwrap_err().to_string(), SqlError::Failed("not again".into()).to_string());
        second.unwrap();
        assert_eq!(group.things(), [2]);
    }

    #[test]
    fn a_panic_takes_the_group_back_and_the_others_run_again() {
        let group = group(0);
        let mut runs = 0;
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                group.transact(|session| {
                    runs += 1;
                    if runs == 1 {
                        group.await_queue(1);
                    }
                    insert(session, 1)
                })
            });
            group.await_turn();
            let second = scope.spawn(|| {
                group.transact(|session| -> Result<(), SqlError> {
                    insert(session, 2)?;
                    panic!("on purpose")
                })
            });
            first.join().unwrap().unwrap();
            assert!(second.join().is_err());
        });
        assert_eq!((runs, group.things()), (2, vec![1]));
    }

    #[test]
    fn what_a_full_database_took_back_by_itself_is_told_to_all() {
        let group = group(0);
        group.alone(|writer| {
            let pages: i64 = writer.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
            writer.connection.pragma_update(None, "max_page_count", pages).unwrap();
        });
        let fill = |session: &mut dyn Session| (10..10_000).try_for_each(|id| insert(session, id));
        let (first, second) = thread::scope(|scope| {
            let first = scope.spawn(|| {
                group.transact(|session| {
                    group.await_queue(1);
                    insert(session, 1)
                })
            });
            group.await_turn();
            let second = scope.spawn(|| group.transact(fill));
            (first.join().unwrap(), second.join().unwrap())
        });
        assert!(second.is_err());
        // Whether the statement or the transaction is taken back is the database's choice: what is said is what is so.
        assert_eq!(group.things(), if first.is_ok() { vec![1] } else { vec![] });
    }
}
