//! Rows as the bank's records.

use specie_bank::credit::{CreditKind, CreditRecord};
use specie_bank::detection::DoubleSpendRecord;
use specie_bank::device::DeviceRecord;
use specie_bank::issuance::{BatchKey, BatchRecord, BatchState, SessionRecord};
use specie_bank::payout::{Destination, ExpiryRecord, PayoutKind, PayoutRecord};
use specie_bank::psp::PspRecord;
use specie_bank::restitution::{RestitutionRecord, RestitutionState};
use specie_bank::revocation::{RevocableRecord, RevocationRecord};
use specie_bank::settings::Settings;
use specie_bank::spent::TransferRecord;
use specie_bank::transfer::TransferOrder;
use specie_core::bytes::TransferId;
use specie_core::disclosure::SupervisoryKey;
use specie_core::encoding::Decode;
use specie_core::manifest::{ManifestHeader, SignedHeader};
use specie_core::signature::PublicKey;
use specie_core::text::Memo;
use specie_core::{Amount, Timestamp};
use zeroize::Zeroizing;

use crate::sql::{Row, SqlError};

type Read<T> = Result<T, SqlError>;

pub(super) fn settings(row: &Row) -> Read<Settings> {
    Ok(Settings {
        issuer: row.column(0)?,
        currency: row.column(1)?,
        root_key: PublicKey(row.column(2)?),
        ledger_key: PublicKey(row.column(3)?),
    })
}

pub(super) fn header(row: &Row) -> Read<SignedHeader> {
    let bytes: Vec<u8> = row.column(0)?;
    let header = ManifestHeader::decode(&bytes);
    let header = header.map_err(|_| SqlError::Damaged { column: 0, expected: "a manifest's header" })?;
    Ok(SignedHeader { header, signature: row.column(1)? })
}

pub(super) fn psp(row: &Row) -> Read<PspRecord> {
    Ok(PspRecord { name: row.column(0)?, key: PublicKey(row.column(1)?) })
}

pub(super) fn supervisor(row: &Row) -> Read<(Amount, SupervisoryKey)> {
    Ok((row.column(0)?, SupervisoryKey(row.column(1)?)))
}

pub(super) fn revocable(row: &Row) -> Read<RevocableRecord> {
    Ok(RevocableRecord { note_id: row.column(0)?, worth: row.column(1)?, revoke_until: row.column(2)? })
}

pub(super) fn revocation(row: &Row) -> Read<RevocationRecord> {
    let (page, sequence) = (row.column(0)?, row.column(1)?);
    Ok(RevocationRecord { page, sequence, revoke_until: row.column(2)?, content: row.column(3)? })
}

pub(super) const DEVICE: &str = "identity, psp, registered_at, struck_off_at, struck_off_by";

pub(super) fn device(row: &Row) -> Read<DeviceRecord> {
    let (at, by): (Option<Timestamp>, Option<u64>) = (row.column(3)?, row.column(4)?);
    Ok(DeviceRecord {
        identity: row.column(0)?,
        psp: row.column(1)?,
        registered_at: row.column(2)?,
        struck_off: at.zip(by),
    })
}

pub(super) fn batch(row: &Row) -> Read<BatchRecord> {
    Ok(BatchRecord {
        key: BatchKey { psp: row.column(0)?, id: row.column(1)? },
        device: row.column(2)?,
        request_hash: row.column(3)?,
        opened_at: row.column(4)?,
        valid_until: row.column(5)?,
        erase_after: row.column(6)?,
        value: row.column(7)?,
        state: named(row, 8, BatchState::ALL.map(|state| (state.name(), state)), "the state of a batch")?,
    })
}

pub(super) fn batch_key(row: &Row) -> Read<BatchKey> {
    Ok(BatchKey { psp: row.column(0)?, id: row.column(1)? })
}

pub(super) fn session(row: &Row) -> Read<SessionRecord> {
    let secrets: Option<Vec<u8>> = row.column(2)?;
    Ok(SessionRecord {
        class_id: row.column(0)?,
        commitment: row.column(1)?,
        secrets: secrets.map(Zeroizing::new),
        challenge_hash: row.column(3)?,
    })
}

pub(super) fn transfer(row: &Row) -> Read<TransferRecord> {
    Ok(TransferRecord {
        id: row.column(0)?,
        note_id: row.column(1)?,
        class_id: row.column(2)?,
        root: row.column(3)?,
        root_class: row.column(4)?,
        deadline: row.column(5)?,
        swept: row.column(6)?,
        transfer: row.column(7)?,
    })
}

pub(super) fn payout(row: &Row) -> Read<PayoutRecord> {
    Ok(PayoutRecord {
        transfer: row.column(0)?,
        kind: named(row, 1, PayoutKind::ALL.map(|kind| (kind.name(), kind)), "the kind of a payout")?,
        root: row.column(2)?,
        root_class: row.column(3)?,
        amount: row.column(4)?,
        from_class: row.column(5)?,
        to: Destination { psp: row.column(6)?, account: row.column(7)? },
        at: row.column(8)?,
    })
}

pub(super) const RESTITUTION: &str =
    "note_id, identity, transfer_id, position, root, root_class, amount, deadline, psp, account, state";

pub(super) fn restitution(row: &Row) -> Read<RestitutionRecord> {
    let (transfer, position): (Option<TransferId>, Option<u64>) = (row.column(2)?, row.column(3)?);
    let index = position.map(u8::try_from).transpose();
    let index = index.map_err(|_| SqlError::Damaged { column: 3, expected: "an output" })?;
    let states = RestitutionState::ALL.map(|state| (state.name(), state));
    Ok(RestitutionRecord {
        note_id: row.column(0)?,
        identity: row.column(1)?,
        output: transfer.zip(index),
        root: row.column(4)?,
        root_class: row.column(5)?,
        amount: row.column(6)?,
        deadline: row.column(7)?,
        to: Destination { psp: row.column(8)?, account: row.column(9)? },
        state: named(row, 10, states, "the state of a claim")?,
    })
}

pub(super) fn expiry(row: &Row) -> Read<ExpiryRecord> {
    Ok(ExpiryRecord { class_id: row.column(0)?, amount: row.column(1)?, at: row.column(2)? })
}

pub(super) const DOUBLE_SPEND: &str = "sequence, note_id, class_id, root, first_transfer, second_transfer, culprit, \
     registered, evidence, revoke_until, at";

pub(super) fn double_spend(row: &Row) -> Read<DoubleSpendRecord> {
    Ok(DoubleSpendRecord {
        sequence: row.column(0)?,
        note_id: row.column(1)?,
        class_id: row.column(2)?,
        root: row.column(3)?,
        first: row.column(4)?,
        second: row.column(5)?,
        culprit: row.column(6)?,
        registered: row.column(7)?,
        evidence: row.column(8)?,
        revoke_until: row.column(9)?,
        at: row.column(10)?,
    })
}

pub(super) fn order(row: &Row) -> Read<TransferOrder> {
    let reference: Option<String> = row.column(6)?;
    let memo = |text: String| Memo::new(&text).ok_or(SqlError::Damaged { column: 6, expected: "a memo" });
    Ok(TransferOrder {
        psp: row.column(0)?,
        id: row.column(1)?,
        from_account: row.column(2)?,
        to: Destination { psp: row.column(3)?, account: row.column(4)? },
        amount: row.column::<Amount>(5)?,
        reference: reference.map(memo).transpose()?,
    })
}

pub(super) fn credit(row: &Row) -> Read<CreditRecord> {
    Ok(CreditRecord {
        psp: row.column(0)?,
        sequence: row.column(1)?,
        account: row.column(2)?,
        amount: row.column(3)?,
        kind: named(row, 4, CreditKind::ALL.map(|kind| (kind.name(), kind)), "the kind of a credit")?,
        reference: row.column(5)?,
        at: row.column(6)?,
    })
}

/// A value stored by its name.
fn named<T: Copy, const N: usize>(row: &Row, column: usize, names: [(&str, T); N], expected: &'static str) -> Read<T> {
    let name: String = row.column(column)?;
    let found = names.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    found.ok_or(SqlError::Damaged { column, expected })
}
