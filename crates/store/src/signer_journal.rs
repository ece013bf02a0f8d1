//! What a signer remembers of its own: which batch it answered for which challenges, how many notes of which class, and a
//! chain of records of both.
//!
//! It lies in the signer's folder, apart from the bank's database, and is not restored with it. A bank whose database was set
//! back to an older state would answer a batch again, and with other challenges give a key away: the journal refuses. What
//! the records say is the signer's matter; here they are bytes.

use specie_bank::issuance::BatchKey;
use specie_core::Timestamp;
use specie_core::bytes::ClassId;

use crate::migration::Schema;
use crate::sql::{Database, Param, Row, Session, SqlError};

/// The tables of the journal, for [`Sqlite::open`](crate::Sqlite::open).
pub const SCHEMA: Schema = Schema {
    component: "signer",
    migrations: &[
        &[
            "CREATE TABLE signer_answer (psp TEXT NOT NULL, batch_id BYTEA NOT NULL, challenges BYTEA NOT NULL, \
             at BIGINT NOT NULL, PRIMARY KEY (psp, batch_id))",
            "CREATE INDEX signer_answer_at ON signer_answer (at)",
        ],
        &[
            "CREATE TABLE signer_record (sequence BIGINT NOT NULL, body BYTEA NOT NULL, hash BYTEA NOT NULL, \
             PRIMARY KEY (sequence))",
            "CREATE TABLE signer_count (class_id BYTEA NOT NULL, period BIGINT NOT NULL, notes BIGINT NOT NULL, \
             PRIMARY KEY (class_id, period))",
            "CREATE TABLE signer_class (class_id BYTEA NOT NULL, info BYTEA NOT NULL, PRIMARY KEY (class_id))",
        ],
    ],
};

/// The period of counts that are not of one period.
const IN_ALL: i64 = -1;

/// A journal in a database that has [`SCHEMA`].
pub struct SignerJournal<D>(pub D);

/// The journal within a transaction.
pub struct Journal<'s>(&'s mut dyn Session);

/// A record of the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Counts records from 1.
    pub sequence: u64,
    /// What it says.
    pub body: Vec<u8>,
    /// The chain's hash with it.
    pub hash: [u8; 32],
}

impl<D: Database> SignerJournal<D> {
    /// Runs `work` in one transaction, on disk before this returns.
    ///
    /// # Errors
    /// Those of `work`, and of the database; the journal is as it was then.
    pub fn transact<T, E: From<SqlError>>(
        &self,
        mut work: impl FnMut(&mut Journal<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.0.transact(|session| work(&mut Journal(session)))
    }

    /// Runs `work` on one state of the journal.
    ///
    /// # Errors
    /// Those of `work`, and of the database.
    pub fn read<T, E: From<SqlError>>(&self, mut work: impl FnMut(&mut Journal<'_>) -> Result<T, E>) -> Result<T, E> {
        self.0.read(|session| work(&mut Journal(session)))
    }
}

/// What each returns fails when the database does.
#[allow(clippy::missing_errors_doc)]
impl Journal<'_> {
    /// The newest record.
    pub fn newest(&mut self) -> Result<Option<Entry>, SqlError> {
        let select = "SELECT sequence, body, hash FROM signer_record ORDER BY sequence DESC LIMIT 1";
        self.0.query_optional(select, &[])?.map(|row| entry(&row)).transpose()
    }

    /// Records after `sequence`, at most `limit`, in order.
    pub fn after(&mut self, sequence: u64, limit: u32) -> Result<Vec<Entry>, SqlError> {
        let select = "SELECT sequence, body, hash FROM signer_record WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";
        let rows = self.0.query(select, &[integer(sequence), Param::Integer(limit.into())])?;
        rows.iter().map(entry).collect()
    }

    /// Appends a record.
    pub fn append(&mut self, entry: &Entry) -> Result<(), SqlError> {
        let insert = "INSERT INTO signer_record (sequence, body, hash) VALUES (?1, ?2, ?3)";
        let params = [integer(entry.sequence), Param::Bytes(&entry.body), (&entry.hash).into()];
        self.0.execute(insert, &params).map(drop)
    }

    /// For which challenges (a hash of them) the batch was answered.
    pub fn answer(&mut self, batch: &BatchKey) -> Result<Option<[u8; 32]>, SqlError> {
        let select = "SELECT challenges FROM signer_answer WHERE psp = ?1 AND batch_id = ?2";
        let row = self.0.query_optional(select, &[(&batch.psp).into(), (&batch.id).into()])?;
        row.map(|row| row.column(0)).transpose()
    }

    /// Keeps that the batch is answered for `challenges`; `at` is when it can be answered no more.
    pub fn insert_answer(&mut self, batch: &BatchKey, challenges: &[u8; 32], at: Timestamp) -> Result<(), SqlError> {
        let insert = "INSERT INTO signer_answer (psp, batch_id, challenges, at) VALUES (?1, ?2, ?3, ?4)";
        let params = [(&batch.psp).into(), (&batch.id).into(), challenges.into(), at.into()];
        self.0.execute(insert, &params).map(drop)
    }

    /// Forgets the batches that could be answered until before `before`: they are void by their dates.
    pub fn forget(&mut self, before: Timestamp) -> Result<u64, SqlError> {
        self.0.execute("DELETE FROM signer_answer WHERE at < ?1", &[before.into()])
    }

    /// Notes signed of a class, in one period or in all.
    pub fn notes(&mut self, class: &ClassId, period: Option<u64>) -> Result<u64, SqlError> {
        let select = "SELECT notes FROM signer_count WHERE class_id = ?1 AND period = ?2";
        let row = self.0.query_optional(select, &[class.into(), period.map_or(Param::Integer(IN_ALL), integer)])?;
        row.map_or(Ok(0), |row| row.column(0))
    }

    /// Counts notes of a class, in `period` and in all; what was counted of the class in earlier periods is dropped.
    pub fn count(&mut self, class: &ClassId, period: u64, notes: u64) -> Result<(), SqlError> {
        let drop = "DELETE FROM signer_count WHERE class_id = ?1 AND period >= 0 AND period < ?2";
        self.0.execute(drop, &[class.into(), integer(period)])?;
        for period in [Param::Integer(IN_ALL), integer(period)] {
            let insert = "INSERT INTO signer_count (class_id, period, notes) VALUES (?1, ?2, 0) \
                          ON CONFLICT (class_id, period) DO NOTHING";
            self.0.execute(insert, &[class.into(), period])?;
            let add = "UPDATE signer_count SET notes = notes + ?3 WHERE class_id = ?1 AND period = ?2";
            self.0.execute(add, &[class.into(), period, integer(notes)])?;
        }
        Ok(())
    }

    /// Keeps what a class is for, encoded.
    pub fn insert_class(&mut self, class: &ClassId, info: &[u8]) -> Result<(), SqlError> {
        let insert = "INSERT INTO signer_class (class_id, info) VALUES (?1, ?2)";
        self.0.execute(insert, &[class.into(), info.into()]).map(drop)
    }

    /// Every class that was ever inserted, in order of their names.
    pub fn classes(&mut self) -> Result<Vec<(ClassId, Vec<u8>)>, SqlError> {
        let rows = self.0.query("SELECT class_id, info FROM signer_class ORDER BY class_id", &[])?;
        rows.iter().map(|row| Ok((row.column(0)?, row.column(1)?))).collect()
    }
}

fn entry(row: &Row) -> Result<Entry, SqlError> {
    Ok(Entry { sequence: row.column(0)?, body: row.column(1)?, hash: row.column(2)? })
}

fn integer(value: u64) -> Param<'static> {
    Param::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use specie_core::text::Name;

    use super::*;
    use crate::Sqlite;

    #[test]
    fn what_a_journal_was_told_it_knows_when_it_is_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.db");
        let open = || SignerJournal(Sqlite::open(&path, &[SCHEMA]).unwrap());
        let batch = BatchKey { psp: Name::new("alpha").unwrap(), id: [1; 16] };
        let (class, at) = (ClassId([7; 16]), |seconds| Timestamp::new(seconds).unwrap());
        let entry = |sequence, hash| Entry { sequence, body: vec![1, 2], hash: [hash; 32] };
        let told = open().transact(|journal| {
            journal.append(&entry(1, 1))?;
            journal.append(&entry(2, 2))?;
            journal.insert_answer(&batch, &[3; 32], at(10))?;
            journal.insert_class(&class, &[9])?;
            journal.count(&class, 5, 2)?;
            journal.count(&class, 5, 3)?;
            journal.count(&class, 6, 1)
        });
        told.unwrap();
        let refused = open().transact(|journal| journal.insert_answer(&batch, &[4; 32], at(10)));
        assert!(matches!(refused, Err(SqlError::Constraint(_))));
        assert!(matches!(open().transact(|journal| journal.append(&entry(2, 3))), Err(SqlError::Constraint(_))));
        let known = open().read(|journal| {
            assert_eq!(journal.newest()?, Some(entry(2, 2)));
            assert_eq!(journal.after(0, 1)?, [entry(1, 1)]);
            assert_eq!((journal.notes(&class, None)?, journal.notes(&class, Some(6))?), (6, 1));
            assert_eq!(journal.notes(&class, Some(5))?, 0, "an earlier period");
            assert_eq!(journal.classes()?, [(class, vec![9])]);
            let other = BatchKey { psp: Name::new("beta").unwrap(), ..batch };
            Ok::<_, SqlError>((journal.answer(&batch)?, journal.answer(&other)?))
        });
        assert_eq!(known.unwrap(), (Some([3; 32]), None));
        let forget = |before| open().transact(|journal| journal.forget(at(before))).unwrap();
        assert_eq!((forget(10), forget(11)), (0, 1));
    }
}
