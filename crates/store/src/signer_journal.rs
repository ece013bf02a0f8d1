//! What a signer remembers of its own: which batch it answered for which challenges.
//!
//! It lies in a file beside the bank's database and is not restored with it. A bank whose database was set back to an
//! older state would answer a batch again, and with other challenges give a key away: the journal refuses.

use specie_bank::issuance::BatchKey;
use specie_core::Timestamp;

use crate::migration::Schema;
use crate::sql::{Database, SqlError};

/// The tables of the journal, for [`Sqlite::open`](crate::Sqlite::open).
pub const SCHEMA: Schema = Schema {
    component: "signer",
    migrations: &[&[
        "CREATE TABLE signer_answer (psp TEXT NOT NULL, batch_id BYTEA NOT NULL, challenges BYTEA NOT NULL, \
         at BIGINT NOT NULL, PRIMARY KEY (psp, batch_id))",
        "CREATE INDEX signer_answer_at ON signer_answer (at)",
    ]],
};

/// A journal in a database that has [`SCHEMA`].
pub struct SignerJournal<D>(pub D);

impl<D: Database> SignerJournal<D> {
    /// Records that `batch` is answered for `challenges` (a hash of them), on disk before this returns; `at` is when it can be
    /// answered no more. Tells whether that may be: not if it was answered for others before.
    ///
    /// # Errors
    /// When the database fails; nothing may be answered then.
    pub fn record(&self, batch: &BatchKey, challenges: &[u8; 32], at: Timestamp) -> Result<bool, SqlError> {
        self.0.transact(|session| {
            let insert = "INSERT INTO signer_answer (psp, batch_id, challenges, at) VALUES (?1, ?2, ?3, ?4) \
                          ON CONFLICT (psp, batch_id) DO NOTHING";
            let (psp, id) = ((&batch.psp).into(), (&batch.id).into());
            session.execute(insert, &[psp, id, challenges.into(), at.into()])?;
            let select = "SELECT challenges FROM signer_answer WHERE psp = ?1 AND batch_id = ?2";
            Ok(session.query_one(select, &[psp, id])?.column::<[u8; 32]>(0)? == *challenges)
        })
    }

    /// Forgets the batches that could be answered until before `before`: they are void by their dates.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget(&self, before: Timestamp) -> Result<u64, SqlError> {
        self.0.transact(|session| session.execute("DELETE FROM signer_answer WHERE at < ?1", &[before.into()]))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use specie_core::text::Name;

    use super::*;
    use crate::Sqlite;

    #[test]
    fn a_batch_is_answered_for_one_set_of_challenges_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("signer.db");
        let open = || SignerJournal(Sqlite::open(&path, &[SCHEMA]).unwrap());
        let batch = BatchKey { psp: Name::new("alpha").unwrap(), id: [1; 16] };
        let at = |seconds| Timestamp::new(seconds).unwrap();
        assert!(open().record(&batch, &[1; 32], at(10)).unwrap());
        let journal = open();
        assert!(journal.record(&batch, &[1; 32], at(11)).unwrap());
        assert!(!journal.record(&batch, &[2; 32], at(12)).unwrap());
        let other = BatchKey { psp: Name::new("beta").unwrap(), ..batch };
        assert!(journal.record(&other, &[2; 32], at(12)).unwrap());
        assert_eq!(journal.forget(at(10)).unwrap(), 0);
        assert_eq!(journal.forget(at(11)).unwrap(), 1);
    }
}
