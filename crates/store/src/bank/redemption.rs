//! What redemption keeps, many rows to a statement.

use specie_bank::credit::CreditRecord;
use specie_bank::payout::{Destination, PayoutRecord};
use specie_bank::pending::PendingRedemption;
use specie_bank::spent::TransferRecord;
use specie_bank::storage::{Allotment, Claim, MovementRow, PostingRow, StorageError};
use specie_core::bytes::{ClassId, NoteId, TransferId};
use specie_core::{Amount, Timestamp};

use super::{Tables, rows, stored};
use crate::parts::{change_all, list, query_all, values};
use crate::sql::{Row, SqlError, whole};

type Stored<T> = Result<T, StorageError>;

/// Redemptions under way, by transfer, and what is allotted within the faces of issued notes, by note.
pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE bank_redemption (transfer_id BYTEA NOT NULL PRIMARY KEY, psp TEXT NOT NULL, account TEXT NOT NULL, \
     chain BYTEA NOT NULL, at BIGINT NOT NULL, deadline BIGINT NOT NULL)",
    "CREATE INDEX bank_redemption_deadline ON bank_redemption (deadline)",
    "CREATE TABLE bank_allotment (root BYTEA NOT NULL, transfer_id BYTEA NOT NULL, \
     amount BIGINT NOT NULL CHECK (amount >= 0), PRIMARY KEY (root, transfer_id))",
];

impl Tables<'_> {
    /// Questions about many keys, in parts.
    fn among<K, T>(
        &mut self,
        keys: &[K],
        sql: impl Fn(&str) -> String,
        read: impl Fn(&Row) -> Result<T, SqlError>,
    ) -> Stored<Vec<T>>
    where
        for<'k> &'k K: Into<crate::sql::Param<'k>>,
    {
        query_all(self.0, keys, |count| sql(&list(count)), |key, params| params.add([key.into()]), read).map_err(stored)
    }
}

pub(super) fn shown_among(tables: &mut Tables<'_>, notes: &[NoteId]) -> Stored<Vec<(NoteId, TransferId)>> {
    let sql = |list: &str| format!("SELECT note_id, transfer_id FROM bank_shown WHERE note_id IN ({list})");
    tables.among(notes, sql, |row| Ok((row.column(0)?, row.column(1)?)))
}

pub(super) fn swept_among(tables: &mut Tables<'_>, transfers: &[TransferId]) -> Stored<Vec<TransferId>> {
    let sql = |list: &str| format!("SELECT transfer_id FROM bank_transfer WHERE transfer_id IN ({list}) AND swept = 1");
    tables.among(transfers, sql, |row| row.column(0))
}

pub(super) fn claims_on(tables: &mut Tables<'_>, transfers: &[TransferId]) -> Stored<Vec<Claim>> {
    let sql = |list: &str| {
        format!(
            "SELECT transfer_id, position, by_transfer FROM bank_claim WHERE transfer_id IN ({list}) \
             ORDER BY transfer_id, position"
        )
    };
    let read = |row: &Row| Ok(Claim { transfer: row.column(0)?, index: row.column(1)?, by: row.column(2)? });
    tables.among(transfers, sql, read)
}

pub(super) fn restituted_among(tables: &mut Tables<'_>, notes: &[NoteId]) -> Stored<Vec<NoteId>> {
    let sql = |list: &str| format!("SELECT note_id FROM bank_restitution WHERE note_id IN ({list}) AND state = 'paid'");
    tables.among(notes, sql, |row| row.column(0))
}

pub(super) fn payouts(tables: &mut Tables<'_>, transfers: &[TransferId]) -> Stored<Vec<PayoutRecord>> {
    let sql = |list: &str| {
        format!(
            "SELECT transfer_id, kind, root, root_class, amount, from_class, psp, account, at FROM bank_payout \
             WHERE transfer_id IN ({list})"
        )
    };
    tables.among(transfers, sql, rows::payout)
}

pub(super) fn allotments(tables: &mut Tables<'_>, roots: &[NoteId]) -> Stored<Vec<Allotment>> {
    let sql = |list: &str| format!("SELECT root, transfer_id, amount FROM bank_allotment WHERE root IN ({list})");
    let read = |row: &Row| Ok(Allotment { root: row.column(0)?, transfer: row.column(1)?, amount: row.column(2)? });
    tables.among(roots, sql, read)
}

pub(super) fn paid_of_roots(tables: &mut Tables<'_>, roots: &[NoteId]) -> Stored<Vec<(NoteId, Amount)>> {
    let sql = |list: &str| format!("SELECT root, paid FROM bank_root WHERE root IN ({list})");
    tables.among(roots, sql, |row| Ok((row.column(0)?, row.column(1)?)))
}

pub(super) fn after(tables: &mut Tables<'_>, after: Option<&TransferId>, limit: u32) -> Stored<Vec<PendingRedemption>> {
    let sql = "SELECT transfer_id, psp, account, chain, at, deadline FROM bank_redemption WHERE transfer_id > ?1 \
               ORDER BY transfer_id LIMIT ?2";
    let read = |row: &Row| {
        Ok(PendingRedemption {
            transfer: row.column(0)?,
            to: Destination { psp: row.column(1)?, account: row.column(2)? },
            chain: row.column(3)?,
            at: row.column(4)?,
            deadline: row.column(5)?,
        })
    };
    let after = after.map_or(&[][..], |id| &id.0);
    let rows = tables.0.query(sql, &[after.into(), limit.into()]).map_err(stored)?;
    rows.iter().map(read).collect::<Result<_, _>>().map_err(stored)
}

pub(super) fn is_overdue(tables: &mut Tables<'_>, now: Timestamp) -> Stored<bool> {
    let sql = "SELECT 1 FROM bank_redemption WHERE deadline < ?1 LIMIT 1";
    Ok(tables.0.query_optional(sql, &[now.into()]).map_err(stored)?.is_some())
}

pub(super) fn insert_pending(tables: &mut Tables<'_>, pending: &[PendingRedemption]) -> Stored<()> {
    change_all(
        tables.0,
        pending,
        |count| {
            format!(
                "INSERT INTO bank_redemption (transfer_id, psp, account, chain, at, deadline) VALUES {} \
                 ON CONFLICT (transfer_id) DO NOTHING",
                values(count, 6)
            )
        },
        |row: &PendingRedemption, params| {
            let PendingRedemption { transfer, to, chain, at, deadline } = row;
            params.add([transfer.into(), (&to.psp).into(), (&to.account).into(), chain.into()]);
            params.add([(*at).into(), (*deadline).into()]);
        },
    )
    .map(drop)
    .map_err(stored)
}

pub(super) fn delete_pending(tables: &mut Tables<'_>, transfers: &[TransferId]) -> Stored<()> {
    change_all(
        tables.0,
        transfers,
        |count| format!("DELETE FROM bank_redemption WHERE transfer_id IN ({})", list(count)),
        |id: &TransferId, params| params.add([id.into()]),
    )
    .map(drop)
    .map_err(stored)
}

pub(super) fn insert_shows(tables: &mut Tables<'_>, shows: &[(NoteId, TransferId)]) -> Stored<Vec<NoteId>> {
    query_all(
        tables.0,
        shows,
        |count| {
            format!(
                "INSERT INTO bank_shown (note_id, transfer_id) VALUES {} ON CONFLICT (note_id) DO NOTHING \
                 RETURNING note_id",
                values(count, 2)
            )
        },
        |(note, transfer): &(NoteId, TransferId), params| params.add([note.into(), transfer.into()]),
        |row| row.column(0),
    )
    .map_err(stored)
}

pub(super) fn insert_transfers(tables: &mut Tables<'_>, transfers: &[TransferRecord]) -> Stored<Vec<TransferId>> {
    query_all(tables.0, transfers, |count| {
            format!(
                "INSERT INTO bank_transfer (transfer_id, note_id, class_id, root, root_class, deadline, swept, transfer) \
                 VALUES {} ON CONFLICT (transfer_id) DO NOTHING RETURNING transfer_id",
                values(count, 8)
            )
        }, |row: &TransferRecord, params| {
            let TransferRecord { id, note_id, class_id, root, root_class, deadline, swept, transfer } = row;
            params.add([id.into(), note_id.into(), class_id.into(), root.into(), root_class.into()]);
            params.add([(*deadline).into(), (*swept).into(), transfer.into()]);
        }, |row| row.column(0)).map_err(stored)
}

pub(super) fn insert_claims(tables: &mut Tables<'_>, claims: &[Claim]) -> Stored<Vec<(TransferId, u8)>> {
    query_all(
        tables.0,
        claims,
        |count| {
            format!(
                "INSERT INTO bank_claim (transfer_id, position, by_transfer) VALUES {} \
                 ON CONFLICT (transfer_id, position) DO NOTHING RETURNING transfer_id, position",
                values(count, 3)
            )
        },
        |Claim { transfer, index, by }: &Claim, params| {
            params.add([transfer.into(), u32::from(*index).into(), by.into()]);
        },
        |row| Ok((row.column(0)?, row.column(1)?)),
    )
    .map_err(stored)
}

pub(super) fn insert_allotments(tables: &mut Tables<'_>, allotments: &[Allotment]) -> Stored<u64> {
    change_all(
        tables.0,
        allotments,
        |count| {
            format!(
                "INSERT INTO bank_allotment (root, transfer_id, amount) VALUES {} \
                 ON CONFLICT (root, transfer_id) DO NOTHING",
                values(count, 3)
            )
        },
        |Allotment { root, transfer, amount }: &Allotment, params| {
            params.add([root.into(), transfer.into(), (*amount).into()]);
        },
    )
    .map_err(stored)
}

pub(super) fn add_to_roots(
    tables: &mut Tables<'_>,
    amounts: &[(NoteId, ClassId, Amount)],
) -> Stored<Vec<(NoteId, Amount)>> {
    query_all(
        tables.0,
        amounts,
        |count| {
            format!(
                "INSERT INTO bank_root (root, class_id, paid) VALUES {} \
                 ON CONFLICT (root) DO UPDATE SET paid = bank_root.paid + excluded.paid RETURNING root, paid",
                values(count, 3)
            )
        },
        |(root, class, amount): &(NoteId, ClassId, Amount), params| {
            params.add([root.into(), class.into(), (*amount).into()]);
        },
        |row| Ok((row.column(0)?, row.column(1)?)),
    )
    .map_err(stored)
}

pub(super) fn insert_payouts(tables: &mut Tables<'_>, payouts: &[PayoutRecord]) -> Stored<u64> {
    change_all(
        tables.0,
        payouts,
        |count| {
            format!(
                "INSERT INTO bank_payout (transfer_id, kind, root, root_class, amount, from_class, psp, account, at) \
                 VALUES {} ON CONFLICT (transfer_id) DO NOTHING",
                values(count, 9)
            )
        },
        |row: &PayoutRecord, params| {
            let PayoutRecord { transfer, kind, root, root_class, amount, from_class, to, at } = row;
            params.add([transfer.into(), kind.name().into(), root.into(), root_class.into(), (*amount).into()]);
            params.add([(*from_class).into(), (&to.psp).into(), (&to.account).into(), (*at).into()]);
        },
    )
    .map_err(stored)
}

pub(super) fn insert_credits(tables: &mut Tables<'_>, credits: &[CreditRecord]) -> Stored<u64> {
    change_all(
        tables.0,
        credits,
        |count| {
            format!(
                "INSERT INTO bank_credit (psp, sequence, account, amount, kind, reference, at) VALUES {} \
                 ON CONFLICT (psp, sequence) DO NOTHING",
                values(count, 7)
            )
        },
        |row: &CreditRecord, params| {
            let CreditRecord { psp, sequence, account, amount, kind, reference, at } = row;
            params.add([psp.into(), whole(*sequence), account.into(), (*amount).into()]);
            params.add([kind.name().into(), reference.into(), (*at).into()]);
        },
    )
    .map_err(stored)
}

pub(super) fn insert_movements(tables: &mut Tables<'_>, movements: &[MovementRow]) -> Stored<u64> {
    change_all(
        tables.0,
        movements,
        |count| {
            format!(
                "INSERT INTO bank_movement (movement_id, kind, at) VALUES {} ON CONFLICT (movement_id) DO NOTHING",
                values(count, 3)
            )
        },
        |MovementRow { id, kind, at }: &MovementRow, params| {
            params.add([id.into(), (*kind).into(), (*at).into()]);
        },
    )
    .map_err(stored)
}

pub(super) fn insert_postings(tables: &mut Tables<'_>, postings: &[PostingRow]) -> Stored<u64> {
    change_all(
        tables.0,
        postings,
        |count| {
            format!(
                "INSERT INTO bank_posting (movement_id, position, account, amount) VALUES {} \
                 ON CONFLICT (movement_id, position) DO NOTHING",
                values(count, 4)
            )
        },
        |PostingRow { movement, index, account, amount }: &PostingRow, params| {
            params.add([movement.into(), (*index).into(), account.into(), (*amount).into()]);
        },
    )
    .map_err(stored)
}
