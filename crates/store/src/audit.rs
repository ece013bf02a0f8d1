//! The audit logs of bank and PSP: the same two tables, under two names.
//!
//! Rows are only added: no statement here changes or removes one.

use specie_audit::{Kind, Record, SignedHead, Tree};
use specie_core::encoding::{Decode, Encode};

use crate::sql::{Row, Session, SqlError, whole};

type Rows<'s> = &'s mut dyn Session;

/// The tables of one log.
#[derive(Clone, Copy)]
pub(crate) struct Log {
    records: &'static str,
    heads: &'static str,
}

pub(crate) const BANK: Log = Log { records: "bank_audit", heads: "bank_audit_head" };
pub(crate) const PSP: Log = Log { records: "psp_audit", heads: "psp_audit_head" };

impl Log {
    pub(crate) fn newest(self, session: Rows<'_>) -> Result<Option<Record>, SqlError> {
        let sql = format!("SELECT record FROM {} ORDER BY sequence DESC LIMIT 1", self.records);
        session.query_optional(&sql, &[])?.as_ref().map(record).transpose()
    }

    pub(crate) fn newest_about(self, session: Rows<'_>, kind: Kind, subject: &str) -> Result<Option<Record>, SqlError> {
        let sql = format!(
            "SELECT record FROM {} WHERE subject = ?1 AND kind = ?2 ORDER BY sequence DESC LIMIT 1",
            self.records
        );
        session.query_optional(&sql, &[subject.into(), kind.as_str().into()])?.as_ref().map(record).transpose()
    }

    pub(crate) fn after(self, session: Rows<'_>, sequence: u64, limit: u32) -> Result<Vec<Record>, SqlError> {
        let sql = format!("SELECT record FROM {} WHERE sequence > ?1 ORDER BY sequence LIMIT ?2", self.records);
        session.query(&sql, &[whole(sequence), limit.into()])?.iter().map(record).collect()
    }

    pub(crate) fn insert(self, session: Rows<'_>, record: &Record) -> Result<bool, SqlError> {
        let sql = format!(
            "INSERT INTO {} (sequence, kind, subject, record) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (sequence) DO NOTHING",
            self.records
        );
        let (kind, subject, bytes) = (record.decision.kind.as_str(), &record.decision.subject, record.to_vec());
        Ok(session.execute(&sql, &[whole(record.sequence), kind.into(), subject.into(), (&bytes).into()])? == 1)
    }

    pub(crate) fn heads(self, session: Rows<'_>, after: u64, until: u64) -> Result<Vec<SignedHead>, SqlError> {
        let sql =
            format!("SELECT head FROM {} WHERE sequence > ?1 AND sequence <= ?2 ORDER BY sequence, at", self.heads);
        session.query(&sql, &[whole(after), whole(until)])?.iter().map(head).collect()
    }

    /// The tree under the newest head that has one; an empty one without.
    pub(crate) fn tree(self, session: Rows<'_>) -> Result<Tree, SqlError> {
        let sql = format!(
            "SELECT sequence, tree FROM {} WHERE tree IS NOT NULL ORDER BY sequence DESC, at DESC LIMIT 1",
            self.heads
        );
        session.query_optional(&sql, &[])?.as_ref().map_or(Ok(Tree::default()), tree)
    }

    pub(crate) fn insert_head(self, session: Rows<'_>, signed: &SignedHead, tree: &Tree) -> Result<bool, SqlError> {
        let sql = format!(
            "INSERT INTO {} (sequence, at, head, tree) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (sequence, at) DO NOTHING",
            self.heads
        );
        let (bytes, (_, tree)) = (signed.to_vec(), tree.to_parts());
        let params = [whole(signed.head.sequence), signed.head.at.into(), (&bytes).into(), (&tree).into()];
        Ok(session.execute(&sql, &params)? == 1)
    }
}

fn tree(row: &Row) -> Result<Tree, SqlError> {
    let parts: Vec<u8> = row.column(1)?;
    Tree::from_parts(row.column(0)?, &parts)
        .ok_or(SqlError::Damaged { column: 1, expected: "the tree over the audit log" })
}

fn record(row: &Row) -> Result<Record, SqlError> {
    let bytes: Vec<u8> = row.column(0)?;
    Record::decode(&bytes).map_err(|_| SqlError::Damaged { column: 0, expected: "a record of the audit log" })
}

fn head(row: &Row) -> Result<SignedHead, SqlError> {
    let bytes: Vec<u8> = row.column(0)?;
    SignedHead::decode(&bytes).map_err(|_| SqlError::Damaged { column: 0, expected: "a head of the audit log" })
}
