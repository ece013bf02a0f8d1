//! Customers and their claim codes.

use specie_core::Timestamp;
use specie_core::text::Name;
use specie_psp::customer::{Customer, Merchant};

use super::{Rows, Stored, column, damaged, execute, query, query_optional};
use crate::sql::{Param, Row};

const COLUMNS: &str = "name, account, tier, payee, category";

pub(super) fn insert(session: Rows<'_>, customer: &Customer) -> Stored<bool> {
    let merchant = customer.merchant.as_ref();
    let category = merchant.map(|merchant| u32::from(merchant.category));
    let params = [
        (&customer.name).into(),
        (&customer.account).into(),
        (&customer.tier).into(),
        merchant.map_or(Param::Null, |merchant| (&merchant.payee).into()),
        category.into(),
    ];
    let sql = "INSERT INTO psp_customer (name, account, tier, payee, category) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT DO NOTHING";
    Ok(execute(session, sql, &params)? == 1)
}

pub(super) fn find(session: Rows<'_>, name: &Name) -> Stored<Option<Customer>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_customer WHERE name = ?1");
    query_optional(session, &sql, &[name.into()], read)
}

pub(super) fn all(session: Rows<'_>) -> Stored<Vec<Customer>> {
    query(session, &format!("SELECT {COLUMNS} FROM psp_customer ORDER BY name"), &[], read)
}

pub(super) fn of_account(session: Rows<'_>, account: &Name) -> Stored<Option<Customer>> {
    let sql = format!("SELECT {COLUMNS} FROM psp_customer WHERE account = ?1");
    query_optional(session, &sql, &[account.into()], read)
}

pub(super) fn account_exists(session: Rows<'_>, account: &Name) -> Stored<bool> {
    let sql = "SELECT 1 FROM psp_customer WHERE account = ?1";
    Ok(query_optional(session, sql, &[account.into()], |_| Ok(()))?.is_some())
}

pub(super) fn set_tier(session: Rows<'_>, customer: &Name, tier: &Name) -> Stored<()> {
    let sql = "UPDATE psp_customer SET tier = ?2 WHERE name = ?1";
    execute(session, sql, &[customer.into(), tier.into()]).map(drop)
}

pub(super) fn insert_claim_code(session: Rows<'_>, hash: &[u8; 32], valid_until: Timestamp) -> Stored<()> {
    let sql = "INSERT INTO psp_claim_code (hash, valid_until, used) VALUES (?1, ?2, 0)";
    execute(session, sql, &[hash.into(), valid_until.into()]).map(drop)
}

pub(super) fn use_claim_code(session: Rows<'_>, hash: &[u8; 32], now: Timestamp) -> Stored<bool> {
    let sql = "UPDATE psp_claim_code SET used = 1 WHERE hash = ?1 AND used = 0 AND valid_until >= ?2";
    Ok(execute(session, sql, &[hash.into(), now.into()])? == 1)
}

pub(super) fn restore_claim_code(session: Rows<'_>, hash: &[u8; 32]) -> Stored<()> {
    execute(session, "UPDATE psp_claim_code SET used = 0 WHERE hash = ?1", &[hash.into()]).map(drop)
}

fn read(row: &Row) -> Stored<Customer> {
    let merchant = match (column::<Option<Name>>(row, 3)?, column::<Option<u32>>(row, 4)?) {
        (None, None) => None,
        (Some(payee), Some(category)) => {
            let category = u16::try_from(category).map_err(|_| damaged("category", &category.to_string()))?;
            Some(Merchant { payee, category })
        }
        _ => return Err(damaged("payee", "half a merchant")),
    };
    Ok(Customer { name: column(row, 0)?, account: column(row, 1)?, tier: column(row, 2)?, merchant })
}
