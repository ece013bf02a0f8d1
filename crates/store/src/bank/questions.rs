//! What the bank asks.

use specie_audit::{Kind, Record, SignedHead, Tree};
use specie_bank::credit::CreditRecord;
use specie_bank::detection::DoubleSpendRecord;
use specie_bank::device::DeviceRecord;
use specie_bank::issuance::{BatchKey, BatchRecord, SessionRecord};
use specie_bank::payout::{ExpiryRecord, PayoutRecord};
use specie_bank::pending::PendingRedemption;
use specie_bank::person::PersonRecord;
use specie_bank::psp::PspRecord;
use specie_bank::restitution::RestitutionRecord;
use specie_bank::revocation::{RevocableRecord, RevocationRecord};
use specie_bank::settings::Settings;
use specie_bank::spent::TransferRecord;
use specie_bank::storage::{Allotment, Answered, Claim, DeviceCounts, PaidSum, StorageError, View};
use specie_bank::supervision::SupervisionRecord;
use specie_bank::transfer::TransferOrder;
use specie_core::bytes::{ClassId, Context, NoteId, TransferId};
use specie_core::manifest::SignedHeader;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};

use super::{Tables, persons, redemption, rows, stored};
use crate::audit;
use crate::sql::{Param, Row, SqlError, whole};

type Stored<T> = Result<T, StorageError>;

impl Tables<'_> {
    fn one<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl Fn(&Row) -> Result<T, SqlError>,
    ) -> Stored<Option<T>> {
        let row = self.0.query_optional(sql, params).map_err(stored)?;
        row.as_ref().map(read).transpose().map_err(stored)
    }

    fn all<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl Fn(&Row) -> Result<T, SqlError>,
    ) -> Stored<Vec<T>> {
        let rows = self.0.query(sql, params).map_err(stored)?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(stored)
    }

    fn number(&mut self, sql: &str, params: &[Param<'_>]) -> Stored<u64> {
        Ok(self.one(sql, params, |row| row.column(0))?.unwrap_or(0))
    }
}

impl View for Tables<'_> {
    fn settings(&mut self) -> Stored<Option<Settings>> {
        self.one("SELECT issuer, currency, root_key, ledger_key FROM bank_settings", &[], rows::settings)
    }

    fn answered(&mut self, scope: &str, key: &str) -> Stored<Option<Answered>> {
        let sql = "SELECT request_hash, response FROM bank_answer WHERE scope = ?1 AND idempotency_key = ?2";
        let read = |row: &Row| Ok(Answered { request_hash: row.column(0)?, response: row.column(1)? });
        self.one(sql, &[scope.into(), key.into()], read)
    }

    fn audit_newest(&mut self) -> Stored<Option<Record>> {
        audit::BANK.newest(self.0).map_err(stored)
    }

    fn audit_newest_about(&mut self, kind: Kind, subject: &str) -> Stored<Option<Record>> {
        audit::BANK.newest_about(self.0, kind, subject).map_err(stored)
    }

    fn audit_after(&mut self, sequence: u64, limit: u32) -> Stored<Vec<Record>> {
        audit::BANK.after(self.0, sequence, limit).map_err(stored)
    }

    fn audit_heads(&mut self, after: u64, until: u64) -> Stored<Vec<SignedHead>> {
        audit::BANK.heads(self.0, after, until).map_err(stored)
    }

    fn audit_tree(&mut self) -> Stored<Tree> {
        audit::BANK.tree(self.0).map_err(stored)
    }

    fn manifest_sequence(&mut self) -> Stored<u64> {
        self.number("SELECT COALESCE(MAX(sequence), 0) FROM bank_manifest", &[])
    }

    fn manifest_signature(&mut self) -> Stored<Option<[u8; 64]>> {
        let sql = "SELECT signature FROM bank_manifest ORDER BY sequence DESC LIMIT 1";
        self.one(sql, &[], |row| row.column(0))
    }

    fn newest_manifest(&mut self) -> Stored<Option<Vec<u8>>> {
        let sql = "SELECT manifest FROM bank_manifest ORDER BY sequence DESC LIMIT 1";
        self.one(sql, &[], |row| row.column(0))
    }

    fn headers_after(&mut self, sequence: u64) -> Stored<Vec<SignedHeader>> {
        let sql = "SELECT header, signature FROM bank_manifest WHERE sequence > ?1 ORDER BY sequence";
        self.all(sql, &[whole(sequence)], rows::header)
    }

    fn classes(&mut self) -> Stored<Vec<([u8; 32], Vec<u8>)>> {
        self.all("SELECT issuing_key, info FROM bank_class", &[], |row| Ok((row.column(0)?, row.column(1)?)))
    }

    fn psp(&mut self, name: &Name) -> Stored<Option<PspRecord>> {
        self.one("SELECT name, verifying_key FROM bank_psp WHERE name = ?1", &[name.into()], rows::psp)
    }

    fn psps(&mut self) -> Stored<Vec<PspRecord>> {
        self.all("SELECT name, verifying_key FROM bank_psp ORDER BY name", &[], rows::psp)
    }

    fn supervision(&mut self) -> Stored<Option<SupervisionRecord>> {
        let rows = self.all("SELECT threshold, key FROM bank_supervision ORDER BY position", &[], rows::supervisor)?;
        let Some((threshold, _)) = rows.first() else { return Ok(None) };
        let threshold = *threshold;
        Ok(Some(SupervisionRecord { threshold, keys: rows.into_iter().map(|(_, key)| key).collect() }))
    }

    fn registry(&mut self) -> Stored<Option<[u8; 32]>> {
        persons::registry(self.0).map_err(stored)
    }

    fn person(&mut self, pseudonym: &[u8; 32]) -> Stored<Option<PersonRecord>> {
        persons::find(self.0, pseudonym).map_err(stored)
    }

    fn person_counts(&mut self) -> Stored<Vec<(Name, u64)>> {
        persons::counts(self.0).map_err(stored)
    }

    fn device(&mut self, identity: &[u8; 32]) -> Stored<Option<DeviceRecord>> {
        let sql = format!("SELECT {} FROM bank_device WHERE identity = ?1", rows::DEVICE);
        self.one(&sql, &[identity.into()], rows::device)
    }

    fn struck_off_after(&mut self, psp: &Name, sequence: u64, limit: u32) -> Stored<Vec<DeviceRecord>> {
        let sql = format!(
            "SELECT {} FROM bank_device WHERE psp = ?1 AND struck_off_by > ?2 ORDER BY struck_off_by LIMIT ?3",
            rows::DEVICE
        );
        self.all(&sql, &[psp.into(), whole(sequence), limit.into()], rows::device)
    }

    fn device_counts(&mut self) -> Stored<DeviceCounts> {
        let sql = "SELECT COUNT(*), COUNT(struck_off_at) FROM bank_device";
        let read = |row: &Row| Ok(DeviceCounts { registered: row.column(0)?, struck_off: row.column(1)? });
        Ok(self.one(sql, &[], read)?.unwrap_or_default())
    }

    fn batch(&mut self, key: &BatchKey) -> Stored<Option<BatchRecord>> {
        let sql = "SELECT psp, batch_id, device, request_hash, opened_at, valid_until, erase_after, value, state \
                   FROM bank_batch WHERE psp = ?1 AND batch_id = ?2";
        self.one(sql, &[(&key.psp).into(), (&key.id).into()], rows::batch)
    }

    fn sessions(&mut self, key: &BatchKey) -> Stored<Vec<SessionRecord>> {
        let sql = "SELECT class_id, commitment, secrets, challenge_hash FROM bank_session \
                   WHERE psp = ?1 AND batch_id = ?2 ORDER BY position";
        self.all(sql, &[(&key.psp).into(), (&key.id).into()], rows::session)
    }

    fn batches_opened_before(&mut self, opened_before: Timestamp, limit: u32) -> Stored<Vec<BatchKey>> {
        let sql =
            "SELECT psp, batch_id FROM bank_batch WHERE state = 'open' AND opened_at < ?1 ORDER BY opened_at LIMIT ?2";
        self.all(sql, &[opened_before.into(), limit.into()], rows::batch_key)
    }

    fn batches_to_erase(&mut self, now: Timestamp, limit: u32) -> Stored<Vec<BatchKey>> {
        let sql = "SELECT psp, batch_id FROM bank_batch WHERE state = 'answered' AND erase_after < ?1 \
                   ORDER BY erase_after LIMIT ?2";
        self.all(sql, &[now.into(), limit.into()], rows::batch_key)
    }

    fn issued_counts(&mut self) -> Stored<Vec<(ClassId, u64)>> {
        let sql = "SELECT class_id, COUNT(*) FROM bank_session WHERE challenge_hash IS NOT NULL GROUP BY class_id";
        self.all(sql, &[], |row| Ok((row.column(0)?, row.column(1)?)))
    }

    fn shown(&mut self, note: &NoteId) -> Stored<Option<TransferId>> {
        let sql = "SELECT transfer_id FROM bank_shown WHERE note_id = ?1";
        self.one(sql, &[note.into()], |row| row.column(0))
    }

    fn transfer(&mut self, id: &TransferId) -> Stored<Option<TransferRecord>> {
        let sql = "SELECT transfer_id, note_id, class_id, root, root_class, deadline, swept, transfer \
                   FROM bank_transfer WHERE transfer_id = ?1";
        self.one(sql, &[id.into()], rows::transfer)
    }

    fn shown_among(&mut self, notes: &[NoteId]) -> Stored<Vec<(NoteId, TransferId)>> {
        redemption::shown_among(self, notes)
    }

    fn swept_among(&mut self, transfers: &[TransferId]) -> Stored<Vec<TransferId>> {
        redemption::swept_among(self, transfers)
    }

    fn claims_on(&mut self, transfers: &[TransferId]) -> Stored<Vec<Claim>> {
        redemption::claims_on(self, transfers)
    }

    fn due_transfers(&mut self, now: Timestamp, limit: u32) -> Stored<Vec<TransferId>> {
        let sql = "SELECT transfer_id FROM bank_transfer WHERE swept = 0 AND deadline < ?1 ORDER BY deadline LIMIT ?2";
        self.all(sql, &[now.into(), limit.into()], |row| row.column(0))
    }

    fn redemptions_after(&mut self, after: Option<&TransferId>, limit: u32) -> Stored<Vec<PendingRedemption>> {
        redemption::after(self, after, limit)
    }

    fn is_redemption_overdue(&mut self, now: Timestamp) -> Stored<bool> {
        redemption::is_overdue(self, now)
    }

    fn allotments(&mut self, roots: &[NoteId]) -> Stored<Vec<Allotment>> {
        redemption::allotments(self, roots)
    }

    fn paid_of_roots(&mut self, roots: &[NoteId]) -> Stored<Vec<(NoteId, Amount)>> {
        redemption::paid_of_roots(self, roots)
    }

    fn payouts(&mut self, transfers: &[TransferId]) -> Stored<Vec<PayoutRecord>> {
        redemption::payouts(self, transfers)
    }

    fn paid_sums(&mut self) -> Stored<Vec<PaidSum>> {
        let sql = "SELECT root_class, CAST(SUM(amount) AS BIGINT), CAST(SUM(from_class) AS BIGINT) FROM bank_payout \
                   GROUP BY root_class";
        let read =
            |row: &Row| Ok(PaidSum { class_id: row.column(0)?, amount: row.column(1)?, from_class: row.column(2)? });
        self.all(sql, &[], read)
    }

    fn expiry(&mut self, class: &ClassId) -> Stored<Option<ExpiryRecord>> {
        self.one("SELECT class_id, amount, at FROM bank_expiry WHERE class_id = ?1", &[class.into()], rows::expiry)
    }

    fn expiries(&mut self) -> Stored<Vec<ExpiryRecord>> {
        self.all("SELECT class_id, amount, at FROM bank_expiry", &[], rows::expiry)
    }

    fn restitution(&mut self, note: &NoteId) -> Stored<Option<RestitutionRecord>> {
        let sql = format!("SELECT {} FROM bank_restitution WHERE note_id = ?1", rows::RESTITUTION);
        self.one(&sql, &[note.into()], rows::restitution)
    }

    fn restituted_among(&mut self, notes: &[NoteId]) -> Stored<Vec<NoteId>> {
        redemption::restituted_among(self, notes)
    }

    fn restitutions_of(&mut self, identity: &[u8; 32]) -> Stored<Vec<RestitutionRecord>> {
        let columns = rows::RESTITUTION;
        let sql = format!("SELECT {columns} FROM bank_restitution WHERE identity = ?1 ORDER BY deadline, note_id");
        self.all(&sql, &[identity.into()], rows::restitution)
    }

    fn restitutions_on(&mut self, transfer: &TransferId) -> Stored<Vec<RestitutionRecord>> {
        let columns = rows::RESTITUTION;
        let sql = format!("SELECT {columns} FROM bank_restitution WHERE transfer_id = ?1 ORDER BY position, note_id");
        self.all(&sql, &[transfer.into()], rows::restitution)
    }

    fn due_restitutions(&mut self, now: Timestamp, limit: u32) -> Stored<Vec<RestitutionRecord>> {
        let sql = format!(
            "SELECT {} FROM bank_restitution WHERE state = 'open' AND transfer_id IS NULL AND deadline < ?1 \
             ORDER BY deadline LIMIT ?2",
            rows::RESTITUTION
        );
        self.all(&sql, &[now.into(), limit.into()], rows::restitution)
    }

    fn double_spend(&mut self, note: &NoteId) -> Stored<Option<DoubleSpendRecord>> {
        let sql = format!("SELECT {} FROM bank_double_spend WHERE note_id = ?1", rows::DOUBLE_SPEND);
        self.one(&sql, &[note.into()], rows::double_spend)
    }

    fn double_spends_after(&mut self, sequence: u64, limit: u32) -> Stored<Vec<DoubleSpendRecord>> {
        let sql = format!(
            "SELECT {} FROM bank_double_spend WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
            rows::DOUBLE_SPEND
        );
        self.all(&sql, &[whole(sequence), limit.into()], rows::double_spend)
    }

    fn root_is_double_spent(&mut self, root: &NoteId) -> Stored<bool> {
        let sql = "SELECT 1 FROM bank_double_spend WHERE root = ?1 LIMIT 1";
        Ok(self.one(sql, &[root.into()], |row| row.column::<i64>(0))?.is_some())
    }

    fn loss_of_root(&mut self, root: &NoteId) -> Stored<Amount> {
        let sql = "SELECT CAST(COALESCE(SUM(amount - from_class), 0) AS BIGINT) FROM bank_payout WHERE root = ?1";
        Ok(self.one(sql, &[root.into()], |row| row.column(0))?.unwrap_or(Amount::ZERO))
    }

    fn is_convicted(&mut self, identity: &[u8; 32]) -> Stored<bool> {
        let sql = "SELECT 1 FROM bank_double_spend WHERE culprit = ?1 LIMIT 1";
        Ok(self.one(sql, &[identity.into()], |row| row.column::<i64>(0))?.is_some())
    }

    fn double_spend_sequence(&mut self) -> Stored<u64> {
        self.number("SELECT COALESCE(MAX(sequence), 0) FROM bank_double_spend", &[])
    }

    fn notes_to_list(&mut self, now: Timestamp, limit: u32) -> Stored<Vec<RevocableRecord>> {
        let sql = "SELECT note_id, worth, revoke_until FROM bank_revocable \
                   WHERE listed_at IS NULL AND revoke_until >= ?1 ORDER BY worth DESC, note_id LIMIT ?2";
        self.all(sql, &[now.into(), limit.into()], rows::revocable)
    }

    fn notes_waiting(&mut self, now: Timestamp) -> Stored<u64> {
        let sql = "SELECT COUNT(*) FROM bank_revocable WHERE listed_at IS NULL AND revoke_until >= ?1";
        self.number(sql, &[now.into()])
    }

    fn notes_listed_after(&mut self, since: Timestamp) -> Stored<u64> {
        self.number("SELECT COUNT(*) FROM bank_revocable WHERE listed_at > ?1", &[since.into()])
    }

    fn newest_revocation(&mut self) -> Stored<Option<RevocationRecord>> {
        let sql = "SELECT page, sequence, revoke_until, content FROM bank_revocation_page ORDER BY page DESC LIMIT 1";
        self.one(sql, &[], rows::revocation)
    }

    fn oldest_revocation(&mut self, now: Timestamp) -> Stored<Option<u64>> {
        let sql = "SELECT page FROM bank_revocation_page WHERE revoke_until >= ?1 ORDER BY page LIMIT 1";
        self.one(sql, &[now.into()], |row| row.column(0))
    }

    fn revocations_after(&mut self, after: u64, pages: u32) -> Stored<Vec<Vec<u8>>> {
        let sql = "SELECT content FROM bank_revocation_page WHERE sequence > ?1 AND page > \
                   (SELECT COALESCE(MAX(page), 0) FROM bank_revocation_page) - ?2 ORDER BY page";
        self.all(sql, &[whole(after), pages.into()], |row| row.column(0))
    }

    fn alarm_count(&mut self) -> Stored<u64> {
        self.number("SELECT COUNT(*) FROM bank_alarm", &[])
    }

    fn payments(&mut self, context: &Context) -> Stored<Vec<Vec<u8>>> {
        let sql = "SELECT payment FROM bank_payment WHERE context = ?1 ORDER BY hash";
        self.all(sql, &[context.into()], |row| row.column(0))
    }

    fn transfer_order(&mut self, psp: &Name, id: &[u8; 16]) -> Stored<Option<TransferOrder>> {
        let sql = "SELECT psp, order_id, from_account, to_psp, to_account, amount, reference FROM bank_order \
                   WHERE psp = ?1 AND order_id = ?2";
        self.one(sql, &[psp.into(), id.into()], rows::order)
    }

    fn credits_after(&mut self, psp: &Name, sequence: u64, limit: u32) -> Stored<Vec<CreditRecord>> {
        let sql = "SELECT psp, sequence, account, amount, kind, reference, at FROM bank_credit \
                   WHERE psp = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3";
        self.all(sql, &[psp.into(), whole(sequence), limit.into()], rows::credit)
    }

    fn credit_sequence(&mut self, psp: &Name) -> Stored<u64> {
        self.number("SELECT credit_sequence FROM bank_psp WHERE name = ?1", &[psp.into()])
    }

    fn balance(&mut self, account: &str) -> Stored<i64> {
        let sql = "SELECT balance FROM bank_balance WHERE account = ?1";
        Ok(self.one(sql, &[account.into()], |row| row.column(0))?.unwrap_or(0))
    }

    fn balances(&mut self) -> Stored<Vec<(String, i64)>> {
        let sql = "SELECT account, balance FROM bank_balance ORDER BY account";
        self.all(sql, &[], |row| Ok((row.column(0)?, row.column(1)?)))
    }

    fn posting_sums(&mut self) -> Stored<Vec<(String, i64)>> {
        let sql = "SELECT account, CAST(SUM(amount) AS BIGINT) FROM bank_posting GROUP BY account ORDER BY account";
        self.all(sql, &[], |row| Ok((row.column(0)?, row.column(1)?)))
    }

    fn unbalanced_movements(&mut self) -> Stored<u64> {
        let sql = "SELECT COUNT(*) FROM (SELECT movement_id FROM bank_posting GROUP BY movement_id \
                   HAVING SUM(amount) <> 0) AS unbalanced";
        self.number(sql, &[])
    }
}
