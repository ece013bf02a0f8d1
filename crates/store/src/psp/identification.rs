//! Demands, credentials, screenings and hits.

use specie_core::Timestamp;
use specie_core::text::Name;
use specie_psp::credential::{CredentialRecord, DemandRecord};
use specie_psp::evidence::EvidenceKind;
use specie_psp::screening::{HitRecord, Ruling, ScreeningRecord};

use super::{Rows, Stored, column, damaged, execute, query, query_optional};
use crate::sql::{Param, Row};

pub(super) fn put_demand(session: Rows<'_>, demand: &DemandRecord) -> Stored<()> {
    let sql = "INSERT INTO psp_demand (customer, nonce, claims, asked_at, valid_until, answer) VALUES (?1, ?2, ?3, ?4, ?5, NULL) \
               ON CONFLICT (customer) DO UPDATE SET nonce = excluded.nonce, claims = excluded.claims, \
               asked_at = excluded.asked_at, valid_until = excluded.valid_until, answer = NULL";
    let params = [
        (&demand.customer).into(),
        (&demand.nonce).into(),
        (&demand.claims).into(),
        demand.asked_at.into(),
        demand.valid_until.into(),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn demand(session: Rows<'_>, customer: &Name) -> Stored<Option<DemandRecord>> {
    let sql = "SELECT nonce, claims, asked_at, valid_until, answer FROM psp_demand WHERE customer = ?1";
    query_optional(session, sql, &[customer.into()], |row| {
        Ok(DemandRecord {
            customer: *customer,
            nonce: column(row, 0)?,
            claims: column(row, 1)?,
            asked_at: column(row, 2)?,
            valid_until: column(row, 3)?,
            answer: column(row, 4)?,
        })
    })
}

pub(super) fn answer_demand(session: Rows<'_>, customer: &Name, nonce: &str, answer: &[u8; 32]) -> Stored<bool> {
    let sql = "UPDATE psp_demand SET answer = ?3 WHERE customer = ?1 AND nonce = ?2 AND answer IS NULL";
    Ok(execute(session, sql, &[customer.into(), nonce.into(), answer.into()])? == 1)
}

pub(super) fn put_credential(session: Rows<'_>, credential: &CredentialRecord) -> Stored<()> {
    let sql = "INSERT INTO psp_credential (customer, hash, issuer, vct, person, claims, expires, answer, accepted_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (customer, hash) DO UPDATE SET \
               claims = excluded.claims, answer = excluded.answer, accepted_at = excluded.accepted_at";
    let params = [
        (&credential.customer).into(),
        (&credential.hash).into(),
        (&credential.issuer).into(),
        (&credential.vct).into(),
        (&credential.person).into(),
        (&credential.claims).into(),
        credential.expires.into(),
        (&credential.answer).into(),
        credential.at.into(),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn credentials(session: Rows<'_>, customer: &Name) -> Stored<Vec<CredentialRecord>> {
    let sql = "SELECT hash, issuer, vct, person, claims, expires, answer, accepted_at FROM psp_credential \
               WHERE customer = ?1 ORDER BY accepted_at, hash";
    query(session, sql, &[customer.into()], |row| {
        Ok(CredentialRecord {
            customer: *customer,
            hash: column(row, 0)?,
            issuer: column(row, 1)?,
            vct: column(row, 2)?,
            person: column(row, 3)?,
            claims: column(row, 4)?,
            expires: column(row, 5)?,
            answer: column(row, 6)?,
            at: column(row, 7)?,
        })
    })
}

pub(super) fn customer_of_person(session: Rows<'_>, person: &[u8; 32]) -> Stored<Option<Name>> {
    let sql = "SELECT customer FROM psp_credential WHERE person = ?1 ORDER BY customer LIMIT 1";
    query_optional(session, sql, &[person.into()], |row| column(row, 0))
}

pub(super) fn customers_of_evidence(session: Rows<'_>, kind: EvidenceKind, reference: &str) -> Stored<Vec<Name>> {
    let sql = "SELECT customer FROM psp_evidence WHERE kind = ?1 AND reference = ?2 ORDER BY customer";
    query(session, sql, &[kind.as_str().into(), reference.into()], |row| column(row, 0))
}

pub(super) fn put_screening(session: Rows<'_>, screening: &ScreeningRecord) -> Stored<()> {
    let sql = "INSERT INTO psp_screening (customer, list, published, screened_by, screened_at) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (customer) DO UPDATE SET list = excluded.list, published = excluded.published, \
               screened_by = excluded.screened_by, screened_at = excluded.screened_at";
    let params = [
        (&screening.customer).into(),
        (&screening.list).into(),
        (&screening.published).into(),
        (&screening.by).into(),
        screening.at.into(),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn screening(session: Rows<'_>, customer: &Name) -> Stored<Option<ScreeningRecord>> {
    let sql = "SELECT list, published, screened_by, screened_at FROM psp_screening WHERE customer = ?1";
    query_optional(session, sql, &[customer.into()], |row| {
        Ok(ScreeningRecord {
            customer: *customer,
            list: column(row, 0)?,
            published: column(row, 1)?,
            by: column(row, 2)?,
            at: column(row, 3)?,
        })
    })
}

pub(super) fn put_hit(session: Rows<'_>, hit: &HitRecord) -> Stored<()> {
    execute(
        session,
        "DELETE FROM psp_hit WHERE customer = ?1 AND reference = ?2",
        &[(&hit.customer).into(), (&hit.reference).into()],
    )?;
    let sql = "INSERT INTO psp_hit (customer, reference, listed, score, birth, list, found_at, same, reason, ruled_by, ruled_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, NULL, NULL, NULL)";
    let params = [
        (&hit.customer).into(),
        (&hit.reference).into(),
        (&hit.listed).into(),
        u32::from(hit.score).into(),
        hit.birth.into(),
        (&hit.list).into(),
        hit.at.into(),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn hits(session: Rows<'_>, customer: Option<&Name>) -> Stored<Vec<HitRecord>> {
    let sql = "SELECT customer, reference, listed, score, birth, list, found_at, same, reason, ruled_by, ruled_at FROM psp_hit \
               WHERE customer = COALESCE(?1, customer) ORDER BY customer, score DESC, reference";
    query(session, sql, &[customer.map_or(Param::Null, Into::into)], read_hit)
}

pub(super) fn set_ruling(session: Rows<'_>, customer: &Name, reference: &str, ruling: &Ruling) -> Stored<()> {
    let sql = "UPDATE psp_hit SET same = ?3, reason = ?4, ruled_by = ?5, ruled_at = ?6 WHERE customer = ?1 AND reference = ?2";
    let params = [
        customer.into(),
        reference.into(),
        ruling.same.into(),
        (&ruling.reason).into(),
        (&ruling.by).into(),
        ruling.at.into(),
    ];
    execute(session, sql, &params).map(drop)
}

pub(super) fn erase(session: Rows<'_>, customer: &Name) -> Stored<bool> {
    let mut erased = 0;
    for sql in [
        "DELETE FROM psp_demand WHERE customer = ?1",
        "DELETE FROM psp_credential WHERE customer = ?1",
        "DELETE FROM psp_evidence WHERE customer = ?1",
        "DELETE FROM psp_screening WHERE customer = ?1",
        "DELETE FROM psp_hit WHERE customer = ?1",
    ] {
        erased += execute(session, sql, &[customer.into()])?;
    }
    Ok(erased > 0)
}

fn read_hit(row: &Row) -> Stored<HitRecord> {
    let score: u32 = column(row, 3)?;
    let ruling = match (
        column::<Option<bool>>(row, 7)?,
        column::<Option<String>>(row, 8)?,
        column::<Option<Name>>(row, 9)?,
        column::<Option<Timestamp>>(row, 10)?,
    ) {
        (None, None, None, None) => None,
        (Some(same), Some(reason), Some(by), Some(at)) => Some(Ruling { same, reason, by, at }),
        _ => return Err(damaged("ruled_by", "half a decision")),
    };
    Ok(HitRecord {
        customer: column(row, 0)?,
        reference: column(row, 1)?,
        listed: column(row, 2)?,
        score: u16::try_from(score).map_err(|_| damaged("score", &score.to_string()))?,
        birth: column(row, 4)?,
        list: column(row, 5)?,
        at: column(row, 6)?,
        ruling,
    })
}
