//! What the bank changes.

use specie_audit::{Record, SignedHead, Tree};
use specie_bank::credit::CreditRecord;
use specie_bank::detection::DoubleSpendRecord;
use specie_bank::device::DeviceRecord;
use specie_bank::issuance::{BatchKey, BatchRecord, BatchState, SessionRecord};
use specie_bank::payout::{ExpiryRecord, PayoutRecord};
use specie_bank::pending::PendingRedemption;
use specie_bank::person::PersonRecord;
use specie_bank::psp::PspRecord;
use specie_bank::restitution::{RestitutionRecord, RestitutionState};
use specie_bank::revocation::{RevocableRecord, RevocationRecord};
use specie_bank::settings::Settings;
use specie_bank::spent::TransferRecord;
use specie_bank::storage::{Allotment, Answered, Claim, MovementRow, PostingRow, StorageError, Tx};
use specie_bank::supervision::SupervisionRecord;
use specie_bank::transfer::TransferOrder;
use specie_core::bytes::{ClassId, Context, NoteId, TransferId};
use specie_core::encoding::Encode;
use specie_core::manifest::SignedHeader;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};

use super::{Tables, persons, redemption, stored};
use crate::audit;
use crate::sql::{Param, whole};

type Stored<T> = Result<T, StorageError>;

impl Tables<'_> {
    /// Runs a change and tells how many rows it touched.
    fn change(&mut self, sql: &str, params: &[Param<'_>]) -> Stored<u64> {
        self.0.execute(sql, params).map_err(stored)
    }

    /// Runs a change of at most one row and tells whether there was one.
    fn changed(&mut self, sql: &str, params: &[Param<'_>]) -> Stored<bool> {
        Ok(self.change(sql, params)? == 1)
    }
}

impl Tx for Tables<'_> {
    fn insert_settings(&mut self, settings: &Settings) -> Stored<bool> {
        let sql = "INSERT INTO bank_settings (only_row, issuer, currency, root_key, ledger_key) VALUES (1, ?1, ?2, ?3, ?4) \
                   ON CONFLICT (only_row) DO NOTHING";
        let Settings { issuer, currency, root_key, ledger_key } = settings;
        self.changed(sql, &[issuer.into(), currency.into(), (&root_key.0).into(), (&ledger_key.0).into()])
    }

    fn insert_answer(&mut self, scope: &str, key: &str, answered: &Answered, at: Timestamp) -> Stored<bool> {
        let sql = "INSERT INTO bank_answer (scope, idempotency_key, request_hash, response, at) \
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (scope, idempotency_key) DO NOTHING";
        let Answered { request_hash, response } = answered;
        self.changed(sql, &[scope.into(), key.into(), request_hash.into(), response.into(), at.into()])
    }

    fn delete_answers(&mut self, before: Timestamp) -> Stored<u64> {
        self.change("DELETE FROM bank_answer WHERE at < ?1", &[before.into()])
    }

    fn insert_audit(&mut self, record: &Record) -> Stored<bool> {
        audit::BANK.insert(self.0, record).map_err(stored)
    }

    fn insert_audit_head(&mut self, head: &SignedHead, tree: &Tree) -> Stored<bool> {
        audit::BANK.insert_head(self.0, head, tree).map_err(stored)
    }

    fn insert_manifest(&mut self, signed: &SignedHeader, manifest: &[u8]) -> Stored<bool> {
        let sql = "INSERT INTO bank_manifest (sequence, header, signature, manifest) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (sequence) DO NOTHING";
        let header = signed.header.to_vec();
        let sequence = whole(signed.header.sequence);
        self.changed(sql, &[sequence, (&header).into(), (&signed.signature).into(), manifest.into()])
    }

    fn insert_class(&mut self, id: &ClassId, key: &[u8; 32], info: &[u8]) -> Stored<bool> {
        let sql = "INSERT INTO bank_class (class_id, issuing_key, info) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (class_id) DO NOTHING";
        self.changed(sql, &[id.into(), key.into(), info.into()])
    }

    fn insert_psp(&mut self, psp: &PspRecord) -> Stored<bool> {
        let sql = "INSERT INTO bank_psp (name, verifying_key, credit_sequence) VALUES (?1, ?2, 0) \
                   ON CONFLICT (name) DO NOTHING";
        self.changed(sql, &[(&psp.name).into(), (&psp.key.0).into()])
    }

    fn set_supervision(&mut self, supervision: Option<&SupervisionRecord>) -> Stored<()> {
        self.change("DELETE FROM bank_supervision", &[])?;
        let Some(SupervisionRecord { threshold, keys }) = supervision else { return Ok(()) };
        for (position, key) in (0u64..).zip(keys) {
            let sql = "INSERT INTO bank_supervision (position, threshold, key) VALUES (?1, ?2, ?3)";
            self.change(sql, &[whole(position), (*threshold).into(), (&key.0).into()])?;
        }
        Ok(())
    }

    fn set_registry(&mut self, pepper: Option<&[u8; 32]>) -> Stored<()> {
        persons::set_registry(self.0, pepper).map_err(stored)
    }

    fn insert_person(&mut self, person: &PersonRecord) -> Stored<bool> {
        persons::insert(self.0, person).map_err(stored)
    }

    fn replace_person_if(&mut self, from: &PersonRecord, to: &PersonRecord) -> Stored<bool> {
        persons::replace_if(self.0, from, to).map_err(stored)
    }

    fn insert_device(&mut self, device: &DeviceRecord) -> Stored<bool> {
        let sql = "INSERT INTO bank_device (identity, psp, registered_at, struck_off_at, struck_off_by) \
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (identity) DO NOTHING";
        let DeviceRecord { identity, psp, registered_at, struck_off } = device;
        let (at, by) = (struck_off.map(|(at, _)| at), struck_off.map(|(_, by)| whole(by)));
        self.changed(sql, &[identity.into(), psp.into(), (*registered_at).into(), at.into(), by.into()])
    }

    fn strike_off_if_registered(&mut self, identity: &[u8; 32], at: Timestamp, sequence: u64) -> Stored<bool> {
        let sql = "UPDATE bank_device SET struck_off_at = ?2, struck_off_by = ?3 \
                   WHERE identity = ?1 AND struck_off_at IS NULL";
        self.changed(sql, &[identity.into(), at.into(), whole(sequence)])
    }

    fn insert_batch(&mut self, batch: &BatchRecord) -> Stored<bool> {
        let sql = "INSERT INTO bank_batch (psp, batch_id, device, request_hash, opened_at, valid_until, erase_after, value, \
                   state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (psp, batch_id) DO NOTHING";
        let BatchRecord { key, device, request_hash, opened_at, valid_until, erase_after, value, state } = batch;
        self.changed(
            sql,
            &[
                (&key.psp).into(),
                (&key.id).into(),
                device.into(),
                request_hash.into(),
                (*opened_at).into(),
                (*valid_until).into(),
                (*erase_after).into(),
                (*value).into(),
                state.name().into(),
            ],
        )
    }

    fn insert_session(&mut self, key: &BatchKey, index: u32, session: &SessionRecord) -> Stored<bool> {
        let sql = "INSERT INTO bank_session (psp, batch_id, position, class_id, commitment, secrets, challenge_hash) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (psp, batch_id, position) DO NOTHING";
        let SessionRecord { class_id, commitment, secrets, challenge_hash } = session;
        self.changed(
            sql,
            &[
                (&key.psp).into(),
                (&key.id).into(),
                index.into(),
                class_id.into(),
                commitment.as_ref().into(),
                secrets.as_deref().map(Vec::as_slice).into(),
                challenge_hash.as_ref().into(),
            ],
        )
    }

    fn answer_session_if_open(
        &mut self,
        key: &BatchKey,
        index: u32,
        challenge_hash: &[u8; 32],
        response: &[u8; 128],
    ) -> Stored<bool> {
        let sql = "UPDATE bank_session SET challenge_hash = ?4, secrets = ?5 \
                   WHERE psp = ?1 AND batch_id = ?2 AND position = ?3 AND challenge_hash IS NULL AND secrets IS NOT NULL";
        let (psp, id) = ((&key.psp).into(), (&key.id).into());
        self.changed(sql, &[psp, id, index.into(), challenge_hash.into(), response.into()])
    }

    fn move_batch_if(&mut self, key: &BatchKey, from: BatchState, to: BatchState) -> Stored<bool> {
        let sql = "UPDATE bank_batch SET state = ?4 WHERE psp = ?1 AND batch_id = ?2 AND state = ?3";
        self.changed(sql, &[(&key.psp).into(), (&key.id).into(), from.name().into(), to.name().into()])
    }

    fn erase_sessions(&mut self, key: &BatchKey) -> Stored<u64> {
        let sql = "UPDATE bank_session SET commitment = NULL, secrets = NULL WHERE psp = ?1 AND batch_id = ?2";
        self.change(sql, &[(&key.psp).into(), (&key.id).into()])
    }

    fn insert_shows(&mut self, shows: &[(NoteId, TransferId)]) -> Stored<Vec<NoteId>> {
        redemption::insert_shows(self, shows)
    }

    fn insert_transfers(&mut self, transfers: &[TransferRecord]) -> Stored<Vec<TransferId>> {
        redemption::insert_transfers(self, transfers)
    }

    fn replace_transfer(&mut self, id: &TransferId, transfer: &[u8]) -> Stored<()> {
        self.change("UPDATE bank_transfer SET transfer = ?2 WHERE transfer_id = ?1", &[id.into(), transfer.into()])?;
        Ok(())
    }

    fn insert_claims(&mut self, claims: &[Claim]) -> Stored<Vec<(TransferId, u8)>> {
        redemption::insert_claims(self, claims)
    }

    fn mark_swept_if_due(&mut self, transfer: &TransferId) -> Stored<bool> {
        self.changed("UPDATE bank_transfer SET swept = 1 WHERE transfer_id = ?1 AND swept = 0", &[transfer.into()])
    }

    fn insert_redemptions(&mut self, pending: &[PendingRedemption]) -> Stored<()> {
        redemption::insert_pending(self, pending)
    }

    fn delete_redemptions(&mut self, transfers: &[TransferId]) -> Stored<()> {
        redemption::delete_pending(self, transfers)
    }

    fn insert_allotments(&mut self, allotments: &[Allotment]) -> Stored<u64> {
        redemption::insert_allotments(self, allotments)
    }

    fn add_to_roots(&mut self, amounts: &[(NoteId, ClassId, Amount)]) -> Stored<Vec<(NoteId, Amount)>> {
        redemption::add_to_roots(self, amounts)
    }

    fn insert_payouts(&mut self, payouts: &[PayoutRecord]) -> Stored<u64> {
        redemption::insert_payouts(self, payouts)
    }

    fn insert_expiry(&mut self, expiry: &ExpiryRecord) -> Stored<bool> {
        let sql =
            "INSERT INTO bank_expiry (class_id, amount, at) VALUES (?1, ?2, ?3) ON CONFLICT (class_id) DO NOTHING";
        self.changed(sql, &[(&expiry.class_id).into(), expiry.amount.into(), expiry.at.into()])
    }

    fn insert_restitution(&mut self, claim: &RestitutionRecord) -> Stored<bool> {
        let sql = "INSERT INTO bank_restitution (note_id, identity, transfer_id, position, root, root_class, amount, \
                   deadline, psp, account, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
                   ON CONFLICT (note_id) DO NOTHING";
        let RestitutionRecord { note_id, identity, output, root, root_class, amount, deadline, to, state } = claim;
        let (transfer, position) = (output.map(|(id, _)| id), output.map(|(_, index)| whole(index.into())));
        self.changed(
            sql,
            &[
                note_id.into(),
                identity.into(),
                transfer.as_ref().into(),
                position.unwrap_or(Param::Null),
                root.into(),
                root_class.into(),
                (*amount).into(),
                (*deadline).into(),
                (&to.psp).into(),
                (&to.account).into(),
                state.name().into(),
            ],
        )
    }

    fn settle_restitution_if_open(&mut self, note: &NoteId, state: RestitutionState) -> Stored<bool> {
        let sql = "UPDATE bank_restitution SET state = ?2 WHERE note_id = ?1 AND state = 'open'";
        self.changed(sql, &[note.into(), state.name().into()])
    }

    fn delete_open_restitutions(&mut self, identity: &[u8; 32]) -> Stored<u64> {
        self.change("DELETE FROM bank_restitution WHERE identity = ?1 AND state = 'open'", &[identity.into()])
    }

    fn insert_double_spend(&mut self, double_spend: &DoubleSpendRecord) -> Stored<bool> {
        let sql = "INSERT INTO bank_double_spend (note_id, sequence, class_id, root, first_transfer, second_transfer, \
                   culprit, registered, evidence, revoke_until, at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (note_id) DO NOTHING";
        let record = double_spend;
        self.changed(
            sql,
            &[
                (&record.note_id).into(),
                whole(record.sequence),
                (&record.class_id).into(),
                (&record.root).into(),
                (&record.first).into(),
                (&record.second).into(),
                record.culprit.as_ref().into(),
                record.registered.into(),
                (&record.evidence).into(),
                record.revoke_until.into(),
                record.at.into(),
            ],
        )
    }

    fn insert_revocable(&mut self, note: &RevocableRecord) -> Stored<bool> {
        let sql = "INSERT INTO bank_revocable (note_id, worth, revoke_until) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (note_id) DO NOTHING";
        self.changed(sql, &[(&note.note_id).into(), note.worth.into(), note.revoke_until.into()])
    }

    fn mark_listed(&mut self, note: &NoteId, at: Timestamp) -> Stored<()> {
        let sql = "UPDATE bank_revocable SET listed_at = ?2 WHERE note_id = ?1 AND listed_at IS NULL";
        self.change(sql, &[note.into(), at.into()]).map(drop)
    }

    fn put_revocation(&mut self, page: &RevocationRecord) -> Stored<()> {
        let sql = "INSERT INTO bank_revocation_page (page, sequence, revoke_until, content) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (page) DO UPDATE SET sequence = excluded.sequence, \
                   revoke_until = excluded.revoke_until, content = excluded.content";
        let RevocationRecord { page, sequence, revoke_until, content } = page;
        self.change(sql, &[whole(*page), whole(*sequence), (*revoke_until).into(), content.into()]).map(drop)
    }

    fn delete_revocations_before(&mut self, page: u64) -> Stored<()> {
        self.change("DELETE FROM bank_revocation_page WHERE page < ?1", &[whole(page)]).map(drop)
    }

    fn insert_alarm(&mut self, kind: &str, subject: &[u8], at: Timestamp) -> Stored<bool> {
        let sql =
            "INSERT INTO bank_alarm (kind, subject, at) VALUES (?1, ?2, ?3) ON CONFLICT (kind, subject) DO NOTHING";
        self.changed(sql, &[kind.into(), subject.into(), at.into()])
    }

    fn insert_payment(
        &mut self,
        context: &Context,
        name: &TransferId,
        payment: &[u8],
        deadline: Timestamp,
    ) -> Stored<bool> {
        let sql = "INSERT INTO bank_payment (context, hash, payment, deadline) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (context, hash) DO NOTHING";
        self.changed(sql, &[context.into(), name.into(), payment.into(), deadline.into()])
    }

    fn replace_payment(&mut self, context: &Context, name: &TransferId, payment: &[u8]) -> Stored<()> {
        let sql = "UPDATE bank_payment SET payment = ?3 WHERE context = ?1 AND hash = ?2";
        self.change(sql, &[context.into(), name.into(), payment.into()])?;
        Ok(())
    }

    fn delete_payments(&mut self, now: Timestamp) -> Stored<u64> {
        self.change("DELETE FROM bank_payment WHERE deadline < ?1", &[now.into()])
    }

    fn insert_transfer_order(&mut self, order: &TransferOrder) -> Stored<bool> {
        let sql = "INSERT INTO bank_order (psp, order_id, from_account, to_psp, to_account, amount, reference) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (psp, order_id) DO NOTHING";
        let TransferOrder { psp, id, from_account, to, amount, reference } = order;
        let (to_psp, to_account) = ((&to.psp).into(), (&to.account).into());
        let reference = reference.as_ref().into();
        self.changed(
            sql,
            &[psp.into(), id.into(), from_account.into(), to_psp, to_account, (*amount).into(), reference],
        )
    }

    fn count_credits(&mut self, psp: &Name, count: u64) -> Stored<u64> {
        let sql = "UPDATE bank_psp SET credit_sequence = credit_sequence + CAST(?2 AS BIGINT) WHERE name = ?1 \
                   RETURNING credit_sequence";
        self.0.query_one(sql, &[psp.into(), whole(count)]).and_then(|row| row.column(0)).map_err(stored)
    }

    fn insert_credits(&mut self, credits: &[CreditRecord]) -> Stored<u64> {
        redemption::insert_credits(self, credits)
    }

    fn insert_movements(&mut self, movements: &[MovementRow]) -> Stored<u64> {
        redemption::insert_movements(self, movements)
    }

    fn insert_postings(&mut self, postings: &[PostingRow]) -> Stored<u64> {
        redemption::insert_postings(self, postings)
    }

    fn add_to_balance(&mut self, account: &str, amount: i64) -> Stored<i64> {
        let sql = "INSERT INTO bank_balance (account, balance) VALUES (?1, ?2) \
                   ON CONFLICT (account) DO UPDATE SET balance = bank_balance.balance + excluded.balance RETURNING balance";
        self.0.query_one(sql, &[account.into(), amount.into()]).and_then(|row| row.column(0)).map_err(stored)
    }
}
