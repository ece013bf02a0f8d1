//! All rows of a PSP behind one trait.

use specie_audit::{Kind, Record, SignedHead, Tree};
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};
use specie_psp::bank::SignedHeader;
use specie_psp::credential::{CredentialRecord, DemandRecord};
use specie_psp::customer::Customer;
use specie_psp::device::{Device, DeviceState};
use specie_psp::evidence::{EvidenceKind, EvidenceRecord};
use specie_psp::ledger::{LedgerAccount, Movement, Totals};
use specie_psp::loss::Backup;
use specie_psp::person::Person;
use specie_psp::registry::Registration;
use specie_psp::request::{OperationId, Remembered};
use specie_psp::screening::{HitRecord, Ruling, ScreeningRecord};
use specie_psp::setting::{IssuedLimits, UploadedPayment, Verdict};
use specie_psp::share::Allowance;
use specie_psp::store::{Feed, Posted, Records};
use specie_psp::transfer::{Transfer, TransferState};
use specie_psp::withdrawal::{Withdrawal, WithdrawalState};

use super::{
    Stored, customer, device, evidence, identification, ledger, loss, person, publication, registry, request, share,
    stored, totals, transfer, upload, withdrawal,
};
use crate::audit;
use crate::sql::Session;

/// The rows seen within one transaction.
pub(super) struct Rows<'s>(pub(super) &'s mut dyn Session);

macro_rules! delegate {
    ($($method:ident($($argument:ident: $type:ty),*) -> $result:ty = $function:path;)*) => {
        impl Records for Rows<'_> {
            $(fn $method(&mut self, $($argument: $type),*) -> Stored<$result> {
                $function(self.0, $($argument),*)
            })*

            fn audit_newest(&mut self) -> Stored<Option<Record>> {
                audit::PSP.newest(self.0).map_err(stored)
            }

            fn audit_newest_about(&mut self, kind: Kind, subject: &str) -> Stored<Option<Record>> {
                audit::PSP.newest_about(self.0, kind, subject).map_err(stored)
            }

            fn audit_after(&mut self, sequence: u64, limit: u32) -> Stored<Vec<Record>> {
                audit::PSP.after(self.0, sequence, limit).map_err(stored)
            }

            fn audit_heads(&mut self, after: u64, until: u64) -> Stored<Vec<SignedHead>> {
                audit::PSP.heads(self.0, after, until).map_err(stored)
            }

            fn insert_audit(&mut self, record: &Record) -> Stored<bool> {
                audit::PSP.insert(self.0, record).map_err(stored)
            }

            fn audit_tree(&mut self) -> Stored<Tree> {
                audit::PSP.tree(self.0).map_err(stored)
            }

            fn insert_audit_head(&mut self, head: &SignedHead, tree: &Tree) -> Stored<bool> {
                audit::PSP.insert_head(self.0, head, tree).map_err(stored)
            }

            fn manifest(&mut self) -> Stored<Option<Vec<u8>>> {
                publication::content(self.0, publication::MANIFEST)
            }

            fn set_manifest(&mut self, manifest: &[u8]) -> Stored<()> {
                publication::set_content(self.0, publication::MANIFEST, manifest)
            }
        }
    };
}

delegate! {
    insert_customer(customer: &Customer) -> bool = customer::insert;
    customer(name: &Name) -> Option<Customer> = customer::find;
    customers() -> Vec<Customer> = customer::all;
    account_exists(account: &Name) -> bool = customer::account_exists;
    set_tier(customer: &Name, tier: &Name) -> () = customer::set_tier;
    put_evidence(customer: &Name, evidence: &EvidenceRecord) -> () = evidence::put;
    evidence(customer: &Name) -> Vec<EvidenceRecord> = evidence::of_customer;
    customers_of_evidence(kind: EvidenceKind, reference: &str) -> Vec<Name> = identification::customers_of_evidence;
    put_demand(demand: &DemandRecord) -> () = identification::put_demand;
    demand(customer: &Name) -> Option<DemandRecord> = identification::demand;
    answer_demand(customer: &Name, nonce: &str, answer: &[u8; 32]) -> bool = identification::answer_demand;
    put_credential(credential: &CredentialRecord) -> () = identification::put_credential;
    credentials(customer: &Name) -> Vec<CredentialRecord> = identification::credentials;
    customer_of_person(person: &[u8; 32]) -> Option<Name> = identification::customer_of_person;
    put_screening(screening: &ScreeningRecord) -> () = identification::put_screening;
    screening(customer: &Name) -> Option<ScreeningRecord> = identification::screening;
    put_hit(hit: &HitRecord) -> () = identification::put_hit;
    hits(customer: Option<&Name>) -> Vec<HitRecord> = identification::hits;
    set_ruling(customer: &Name, reference: &str, ruling: &Ruling) -> () = identification::set_ruling;
    erase_identity(customer: &Name) -> bool = identification::erase;
    person(customer: &Name) -> Option<Person> = person::of_customer;
    bind_person(customer: &Name, person: &Person) -> () = person::bind;
    customers_of_person(tag: &[u8; 32]) -> Vec<Name> = person::customers;
    registry() -> Option<[u8; 32]> = registry::pepper;
    set_registry(pepper: Option<&[u8; 32]>) -> () = registry::set_pepper;
    own_pepper() -> Option<[u8; 32]> = registry::own_pepper;
    set_own_pepper(pepper: &[u8; 32]) -> () = registry::set_own_pepper;
    knows_somebody() -> bool = registry::knows_somebody;
    registration(pseudonym: &[u8; 32]) -> Option<Registration> = registry::find;
    registrations_of(customer: &Name) -> Vec<Registration> = registry::of_customer;
    releasing() -> Vec<Registration> = registry::releasing;
    put_registration(registration: &Registration) -> () = registry::put;
    insert_claim_code(hash: &[u8; 32], valid_until: Timestamp) -> () = customer::insert_claim_code;
    use_claim_code(hash: &[u8; 32], now: Timestamp) -> bool = customer::use_claim_code;
    restore_claim_code(hash: &[u8; 32]) -> () = customer::restore_claim_code;
    insert_nonce(operation: &OperationId, nonce: &[u8; 32], valid_until: Timestamp) -> () = device::insert_nonce;
    nonce(operation: &OperationId) -> Option<([u8; 32], Timestamp)> = device::nonce;
    nonce_count() -> u64 = device::nonce_count;
    use_nonce(nonce: &[u8; 32], now: Timestamp) -> bool = device::use_nonce;
    insert_device(device: &Device) -> bool = device::insert;
    device(key: &PublicKey) -> Option<Device> = device::find;
    device_by_identity(identity: &[u8; 32]) -> Option<Device> = device::find_by_identity;
    devices_of(customer: &Name) -> Vec<Device> = device::of_customer;
    pending_devices() -> Vec<Device> = device::pending;
    set_weight(key: &PublicKey, weight: u32) -> () = device::set_weight;
    set_label(key: &PublicKey, label: Option<&Name>) -> () = device::set_label;
    set_released(key: &PublicKey, at: Timestamp) -> () = device::set_released;
    hand_over(device: &Device) -> () = device::hand_over;
    has_unfinished_withdrawal(key: &PublicKey) -> bool = withdrawal::is_unfinished;
    set_device_state(key: &PublicKey, state: DeviceState) -> () = device::set_state;
    remove_pending_device(key: &PublicKey) -> () = device::remove_pending;
    next_limits_sequence(key: &PublicKey) -> u64 = device::next_limits_sequence;
    insert_loss(device: &PublicKey, reported_at: Timestamp) -> bool = loss::insert;
    delete_loss(device: &PublicKey) -> bool = loss::delete;
    set_backup(device: &PublicKey, day: u64, backup: &Backup) -> () = loss::set_backup;
    backups(device: &PublicKey) -> Vec<Backup> = loss::backups;
    delete_backups(device: &PublicKey, day: u64) -> () = loss::delete_backups;
    issued_limits(device: &PublicKey, sequence: u64) -> Vec<IssuedLimits> = share::issued;
    totals_nonce(device: &PublicKey) -> Option<([u8; 32], Timestamp)> = totals::nonce;
    set_totals_nonce(device: &PublicKey, nonce: &[u8; 32], valid_until: Timestamp) -> () = totals::set_nonce;
    remove_totals_nonce(device: &PublicKey) -> () = totals::remove_nonce;
    insert_verdict(operation: &OperationId, device: &PublicKey, verdict: &Verdict) -> () = totals::insert_verdict;
    unused_verdict(device: &PublicKey, since: Timestamp) -> Option<(OperationId, u64)> = totals::unused_verdict;
    use_verdict(operation: &OperationId, document: u64) -> () = totals::use_verdict;
    newest_issued(device: &PublicKey) -> u64 = share::newest_issued;
    verdicts(device: &PublicKey) -> Vec<Verdict> = totals::verdicts;
    insert_uploaded(device: &PublicKey, limits_sequence: u64, payment: &UploadedPayment, now: Timestamp, keep_until: Timestamp)
        -> () = upload::insert;
    devices_with_old_uploads(now: Timestamp) -> Vec<PublicKey> = upload::devices_with_old;
    delete_uploads(device: &PublicKey, kept_until_before: Timestamp) -> () = upload::delete;
    uploads_refused(device: &PublicKey) -> Option<Timestamp> = upload::refused;
    set_uploads_refused(device: &PublicKey, at: Option<Timestamp>) -> () = upload::set_refused;
    uploaded(device: &PublicKey) -> Vec<UploadedPayment> = upload::of_device;
    paid_under(device: &PublicKey, limits_sequence: u64) -> Amount = upload::paid_under;
    request(operation: &OperationId) -> Option<Remembered> = request::find;
    insert_request(operation: &OperationId, request: &Remembered, now: Timestamp) -> () = request::insert;
    forget(now: Timestamp, requests_before: Timestamp) -> () = request::forget;
    post(movement: &Movement) -> Posted = ledger::post;
    totals(account: &LedgerAccount) -> Totals = ledger::totals;
    trial_balance() -> Vec<(LedgerAccount, Totals, Totals)> = ledger::trial_balance;
    movements(account: &LedgerAccount, count_max: u64) -> Vec<Movement> = ledger::movements;
    insert_withdrawal(withdrawal: &Withdrawal) -> () = withdrawal::insert;
    withdrawal(id: &OperationId) -> Option<Withdrawal> = withdrawal::find;
    set_withdrawal_state(id: &OperationId, state: WithdrawalState) -> () = withdrawal::set_state;
    unsettled_withdrawals() -> Vec<Withdrawal> = withdrawal::unsettled;
    last_withdrawn(customer: &Name) -> Option<Timestamp> = withdrawal::last_withdrawn;
    withdrawn_since(customer: &Name, since: Timestamp) -> Amount = withdrawal::withdrawn_since;
    blanks(device: &PublicKey, epoch: u32) -> u64 = share::blanks;
    blanks_of_customer(customer: &Name, epoch: u32) -> u64 = share::blanks_of_customer;
    take_blanks(device: &PublicKey, customer: &Name, epoch: u32, blanks: u64) -> () = share::take_blanks;
    return_blanks(device: &PublicKey, customer: &Name, epoch: u32, blanks: u64) -> () = share::return_blanks;
    move_blanks(device: &PublicKey, to: &Name) -> () = share::move_blanks;
    insert_limits(customer: &Name, limits: &Allowance) -> () = share::insert_limits;
    allowances(customer: &Name) -> Vec<(Allowance, Timestamp)> = share::allowances;
    forget_limits(device: &PublicKey, from: u64, before: u64) -> () = share::forget_limits;
    add_withdrawn(device: &PublicKey, customer: &Name, value: Amount, now: Timestamp) -> () = share::add_withdrawn;
    return_withdrawn(device: &PublicKey, value: Amount) -> () = share::return_withdrawn;
    move_limits(device: &PublicKey, to: &Name) -> () = share::move_limits;
    note_redeemable(device: &PublicKey, until: Timestamp) -> () = share::note_redeemable;
    insert_transfer(transfer: &Transfer) -> () = transfer::insert;
    transfer(id: &OperationId) -> Option<Transfer> = transfer::find;
    set_transfer_state(id: &OperationId, state: TransferState) -> () = transfer::set_state;
    pending_transfers() -> Vec<Transfer> = transfer::pending;
    feed_position(feed: Feed) -> u64 = publication::feed_position;
    set_feed_position(feed: Feed, sequence: u64) -> () = publication::set_feed_position;
    insert_header(sequence: u64, header: &SignedHeader) -> () = publication::insert_header;
    newest_revocation() -> Option<Vec<u8>> = publication::newest_revocation;
    revocations_after(after: u64, pages: u32) -> Vec<Vec<u8>> = publication::revocations_after;
    put_revocation(page: u64, sequence: u64, content: &[u8]) -> () = publication::put_revocation;
    delete_revocations_before(page: u64) -> () = publication::delete_revocations_before;
    headers_after(sequence: u64) -> Vec<SignedHeader> = publication::headers_after;
    newest_sequence() -> u64 = publication::newest_sequence;
}
