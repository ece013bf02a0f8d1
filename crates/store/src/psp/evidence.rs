//! What was seen of customers.

use specie_core::text::Name;
use specie_psp::evidence::{EvidenceKind, EvidenceRecord};

use super::{Rows, Stored, column, damaged, execute, query};

pub(super) fn put(session: Rows<'_>, customer: &Name, evidence: &EvidenceRecord) -> Stored<()> {
    let sql = "INSERT INTO psp_evidence (customer, kind, reference, valid_until, seen_by, seen_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (customer, kind, reference) DO UPDATE SET \
               valid_until = excluded.valid_until, seen_by = excluded.seen_by, seen_at = excluded.seen_at";
    let params = [
        customer.into(),
        evidence.kind.as_str().into(),
        evidence.reference.as_str().into(),
        evidence.valid_until.into(),
        (&evidence.by).into(),
        evidence.at.into(),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn of_customer(session: Rows<'_>, customer: &Name) -> Stored<Vec<EvidenceRecord>> {
    let sql = "SELECT kind, reference, valid_until, seen_by, seen_at FROM psp_evidence WHERE customer = ?1 \
               ORDER BY seen_at, kind, reference";
    query(session, sql, &[customer.into()], |row| {
        let kind: String = column(row, 0)?;
        Ok(EvidenceRecord {
            kind: EvidenceKind::parse(&kind).ok_or_else(|| damaged("kind", &kind))?,
            reference: column(row, 1)?,
            valid_until: column(row, 2)?,
            by: column(row, 3)?,
            at: column(row, 4)?,
        })
    })
}
