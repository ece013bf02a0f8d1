//! The books.

use std::collections::BTreeMap;

use specie_core::text::Name;
use specie_core::{Amount, Timestamp};
use specie_psp::ledger::{LedgerAccount, Movement, MovementKind, Totals};
use specie_psp::store::{Posted, StoreError};

use super::{Rows, Stored, column, damaged, execute, query, query_optional};
use crate::sql::{Param, Row, whole};

/// What comes before a customer's account.
const CUSTOMER: &str = "customer:";

/// Accounts of which there is one each.
const SINGLE: [(LedgerAccount, &str); 5] = [
    (LedgerAccount::WithdrawalsInProgress, "withdrawals-in-progress"),
    (LedgerAccount::TransfersInProgress, "transfers-in-progress"),
    (LedgerAccount::Unclaimed, "unclaimed"),
    (LedgerAccount::Reserve, "reserve"),
    (LedgerAccount::Settlement, "settlement"),
];

pub(super) fn post(session: Rows<'_>, movement: &Movement) -> Stored<Posted> {
    let (debit, credit) = (name(&movement.debit), name(&movement.credit));
    let before = query_optional(
        session,
        "SELECT debit, credit, amount FROM psp_movement WHERE id = ?1",
        &[(&movement.id).into()],
        |row| Ok((column::<String>(row, 0)?, column::<String>(row, 1)?, column::<Amount>(row, 2)?)),
    )?;
    if let Some(before) = before {
        let same = before == (debit, credit, movement.amount);
        return Ok(if same { Posted::Before } else { Posted::NameTaken });
    }
    if totals(session, &movement.credit)?.credits.checked_add(movement.amount).is_none() {
        return Ok(Posted::Insufficient);
    }
    for account in [&debit, &credit] {
        let sql =
            "INSERT INTO psp_ledger_account (name, debits, credits) VALUES (?1, 0, 0) ON CONFLICT (name) DO NOTHING";
        execute(session, sql, &[account.into()])?;
    }
    let guarded: Param<'_> = movement.debit.stays_in_credit().into();
    let sql = "UPDATE psp_ledger_account SET debits = debits + CAST(?2 AS BIGINT) \
               WHERE name = ?1 AND debits <= CAST(?4 AS BIGINT) - CAST(?2 AS BIGINT) AND (?3 = 0 OR debits + CAST(?2 AS BIGINT) <= credits)";
    let params = [(&debit).into(), movement.amount.into(), guarded, Amount::MAX.into()];
    if execute(session, sql, &params)? == 0 {
        return Ok(Posted::Insufficient);
    }
    let sql = "UPDATE psp_ledger_account SET credits = credits + ?2 WHERE name = ?1";
    execute(session, sql, &[(&credit).into(), movement.amount.into()])?;
    let sql = "INSERT INTO psp_movement (id, ordinal, kind, debit, credit, amount, reference, at) \
               SELECT ?1, COALESCE(MAX(ordinal), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM psp_movement";
    let params = [
        (&movement.id).into(),
        movement.kind.as_str().into(),
        (&debit).into(),
        (&credit).into(),
        movement.amount.into(),
        (&movement.reference).into(),
        movement.at.into(),
    ];
    execute(session, sql, &params)?;
    Ok(Posted::Made)
}

pub(super) fn totals(session: Rows<'_>, account: &LedgerAccount) -> Stored<Totals> {
    let sql = "SELECT debits, credits FROM psp_ledger_account WHERE name = ?1";
    let read = |row: &Row| Ok(Totals { debits: column(row, 0)?, credits: column(row, 1)? });
    Ok(query_optional(session, sql, &[(&name(account)).into()], read)?.unwrap_or_default())
}

pub(super) fn trial_balance(session: Rows<'_>) -> Stored<Vec<(LedgerAccount, Totals, Totals)>> {
    let sums = |session: Rows<'_>, sql: &str| -> Stored<BTreeMap<String, Amount>> {
        Ok(query(session, sql, &[], |row| Ok((column(row, 0)?, column(row, 1)?)))?.into_iter().collect())
    };
    let sql = "SELECT debit, CAST(SUM(amount) AS BIGINT) FROM psp_movement GROUP BY debit";
    let mut debits = sums(session, sql)?;
    let sql = "SELECT credit, CAST(SUM(amount) AS BIGINT) FROM psp_movement GROUP BY credit";
    let mut credits = sums(session, sql)?;
    let sql = "SELECT name, debits, credits FROM psp_ledger_account ORDER BY name";
    let accounts = query(session, sql, &[], |row| {
        Ok((column::<String>(row, 0)?, Totals { debits: column(row, 1)?, credits: column(row, 2)? }))
    })?;
    let mut balance = Vec::with_capacity(accounts.len());
    for (name, stored) in accounts {
        let moved = Totals {
            debits: debits.remove(&name).unwrap_or_default(),
            credits: credits.remove(&name).unwrap_or_default(),
        };
        balance.push((account(&name)?, stored, moved));
    }
    match debits.into_keys().chain(credits.into_keys()).next() {
        None => Ok(balance),
        Some(name) => Err(StoreError::Damaged(format!("movements of account `{name}`, which is not in the books"))),
    }
}

pub(super) fn movements(session: Rows<'_>, account: &LedgerAccount, count_max: u64) -> Stored<Vec<Movement>> {
    let sql = "SELECT id, kind, debit, credit, amount, reference, at FROM psp_movement \
               WHERE debit = ?1 OR credit = ?1 ORDER BY ordinal DESC LIMIT ?2";
    query(session, sql, &[(&name(account)).into(), whole(count_max)], read)
}

pub(super) fn after(session: Rows<'_>, ordinal: u64, count_max: u64) -> Stored<Vec<(u64, Movement)>> {
    let sql = "SELECT id, kind, debit, credit, amount, reference, at, ordinal FROM psp_movement \
               WHERE ordinal > ?1 ORDER BY ordinal LIMIT ?2";
    query(session, sql, &[whole(ordinal), whole(count_max)], |row| Ok((column(row, 7)?, read(row)?)))
}

pub(super) fn between(
    session: Rows<'_>,
    account: &LedgerAccount,
    from: Timestamp,
    to: Timestamp,
) -> Stored<Vec<Movement>> {
    let sql = "SELECT id, kind, debit, credit, amount, reference, at FROM psp_movement \
               WHERE (debit = ?1 OR credit = ?1) AND at >= ?2 AND at <= ?3 ORDER BY ordinal";
    query(session, sql, &[(&name(account)).into(), from.into(), to.into()], read)
}

pub(super) fn totals_until(
    session: Rows<'_>,
    account: &LedgerAccount,
    until: Timestamp,
    included: bool,
) -> Stored<Totals> {
    let mut sum = |side: &str| {
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM psp_movement \
             WHERE {side} = ?1 AND (at < ?2 OR (?3 = 1 AND at = ?2))"
        );
        let name = name(account);
        let params = [(&name).into(), until.into(), included.into()];
        session.query_one(&sql, &params).and_then(|row| row.column(0)).map_err(super::stored)
    };
    Ok(Totals { debits: sum("debit")?, credits: sum("credit")? })
}

fn read(row: &Row) -> Stored<Movement> {
    let kind: String = column(row, 1)?;
    Ok(Movement {
        id: column(row, 0)?,
        kind: MovementKind::parse(&kind).ok_or_else(|| damaged("kind", &kind))?,
        debit: account(&column::<String>(row, 2)?)?,
        credit: account(&column::<String>(row, 3)?)?,
        amount: column(row, 4)?,
        reference: column(row, 5)?,
        at: column(row, 6)?,
    })
}

fn name(account: &LedgerAccount) -> String {
    match account {
        LedgerAccount::Customer(name) => format!("{CUSTOMER}{name}"),
        single => SINGLE.iter().find(|(known, _)| known == single).map_or("", |(_, name)| name).to_owned(),
    }
}

fn account(text: &str) -> Stored<LedgerAccount> {
    let single = || SINGLE.iter().find(|(_, name)| *name == text).map(|(account, _)| *account);
    let customer = || text.strip_prefix(CUSTOMER).and_then(Name::new).map(LedgerAccount::Customer);
    customer().or_else(single).ok_or_else(|| damaged("account", text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn accounts_have_names_of_their_own() {
        // A customer cannot choose the name of another account.
        let accounts = SINGLE.map(|(account, _)| account);
        let like = SINGLE.map(|(_, name)| LedgerAccount::Customer(Name::new(name).unwrap()));
        for one in accounts.into_iter().chain(like) {
            assert_eq!(account(&name(&one)).unwrap(), one);
        }
        assert!(account("").is_err());
    }
}
