//! What the bank's operator does: registers and funds PSPs, publishes. The root key comes in for the one call.

use specie_audit::Kind;
use specie_bank::audit;
use specie_bank::ledger::LedgerError;
use specie_bank::manifest::{BadPlan, ManifestError};
use specie_bank::psp::{self, PspError, PspRecord};
use specie_bank::signer::SignerError;
use specie_bank::storage::{Storage, StorageError, Tx, View};
use specie_bank::supervision::SupervisionRecord;
use specie_core::Amount;
use specie_core::bytes::TransferId;
use specie_core::class::{Class, Classes};
use specie_core::disclosure::{DisclosedTransfer, SupervisoryKey};
use specie_core::group::Generators;
use specie_core::manifest::ManifestHeader;
use specie_core::signature::{BadSignature, PublicKey};
use specie_core::text::Name;
use thiserror::Error;

use super::setup::CentralBank;
use crate::root_key::RootKey;
use crate::token::TokenError;

/// Why the operator's wish was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The PSP is registered with another key.
    #[error("a PSP named {0} is registered with another key: choose another name")]
    OtherKey(Name),
    /// The key is another PSP's.
    #[error("this is the key of PSP {0}: every PSP has a key of its own")]
    KeyOfOther(Name),
    /// The bank has no such transfer.
    #[error("the bank was shown no transfer {0}")]
    UnknownTransfer(TransferId),
    /// It names nobody.
    #[error("transfer {0} does not disclose its payer to this supervisory key")]
    NotDisclosed(TransferId),
    /// It was handed out for other cases.
    #[error(
        "transfer {id} was handed out for `{cases}`, and opened for `{case}`: nothing was filed; have it opened for the case for which it was asked"
    )]
    OtherCase {
        /// Which.
        id: TransferId,
        /// For which case it was opened.
        case: String,
        /// For which cases it was handed out.
        cases: String,
    },
    /// The payment was booked before, or another one of its reference.
    #[error("a payment of reference `{reference}` was booked for {psp} before: nothing was booked now")]
    ReferenceUsed {
        /// Whose reserve.
        psp: Name,
        /// Which reference.
        reference: String,
    },
    /// About a PSP.
    #[error(transparent)]
    Psp(#[from] PspError),
    /// The terms contradict themselves.
    #[error(transparent)]
    Plan(#[from] BadPlan),
    /// An epoch is begun at once for a reason in words.
    #[error("an epoch begins without notice for a reason in words: nothing was changed")]
    NoReason,
    /// The signer makes no keys.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The root key's token does not sign.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The manifest is not published.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl CentralBank {
    /// Registers a PSP and publishes its key. The same again only publishes, where that is still to be done.
    ///
    /// # Errors
    /// When it is not the bank's root key: nothing is decided then. When the name is taken, or the key is another PSP's.
    pub fn register_psp(
        &self,
        root: &dyn RootKey,
        name: Name,
        key: PublicKey,
    ) -> Result<ManifestHeader, OperationError> {
        self.check_root(root)?;
        let psp = PspRecord { name, key };
        self.bank.storage().transact(|tx| match tx.psp(&name)? {
            Some(known) if known == psp => Ok(()),
            Some(_) => Err(OperationError::OtherKey(name)),
            None => {
                if let Some(other) = tx.psps()?.into_iter().find(|other| other.key == key) {
                    return Err(OperationError::KeyOfOther(other.name));
                }
                psp::register(tx, &psp)?;
                self.audit(tx, Kind::PspRegistered, name.as_str(), &[("key", key.to_string())])
            }
        })?;
        self.publish(root, &[])
    }

    /// Publishes from which amount on payers disclose themselves, and to whom; `None`: not any more.
    ///
    /// # Errors
    /// When the key is not the bank's root key: nothing is decided then. When the storage fails, or the manifest cannot be published.
    pub fn supervise(
        &self,
        root: &dyn RootKey,
        supervision: Option<&SupervisionRecord>,
    ) -> Result<ManifestHeader, OperationError> {
        self.check_root(root)?;
        self.bank.storage().transact(|tx| {
            if tx.supervision()?.as_ref() == supervision {
                return Ok(());
            }
            tx.set_supervision(supervision)?;
            let currency = self.bank.settings().currency;
            let Some(SupervisionRecord { threshold, keys }) = supervision else {
                return self.audit(tx, Kind::SupervisionEnded, currency.as_str(), &[] as &[(&str, &str)]);
            };
            let keys: Vec<_> = keys.iter().map(|key| PublicKey(key.0).to_string()).collect();
            let details = [("threshold", threshold.minor().to_string()), ("keys", keys.join(" "))];
            self.audit(tx, Kind::SupervisionSet, currency.as_str(), &details)
        })?;
        self.publish(root, &[])
    }

    /// A transfer that the bank was shown and that names its payer to `key`, for the officers who hold shares of it: the current key, or
    /// one that was published before. The audit log says for which `case`.
    ///
    /// # Errors
    /// When the bank has no such transfer, or it names nobody to that key.
    pub fn disclosed_transfer(
        &self,
        id: &TransferId,
        key: SupervisoryKey,
        case: &str,
    ) -> Result<DisclosedTransfer, OperationError> {
        self.bank.storage().transact(|tx| {
            let record = tx.transfer(id)?.ok_or(OperationError::UnknownTransfer(*id))?;
            let classes = self.bank.class_table(tx)?;
            let class = classes.class(&record.class_id).cloned();
            let class = class.ok_or_else(|| StorageError::Failed(format!("damaged: class {}", record.class_id)))?;
            let disclosed = DisclosedTransfer { class, key, transfer: record.decode()? };
            let verdict = disclosed.verify_vartime(&Generators::new());
            verdict.map_err(|_| OperationError::NotDisclosed(*id))?;
            let details = [("key", PublicKey(key.0).to_string()), ("case", case.to_owned())];
            self.audit(tx, Kind::DisclosureHandedOut, &id.to_string(), &details)?;
            Ok(disclosed)
        })
    }

    /// Writes into the audit log that `officers` opened a transfer disclosed to `key`, for `case`. Whoever calls this has verified the
    /// opening. The same again changes nothing.
    ///
    /// # Errors
    /// When the bank has no such transfer, or handed it out, and not for this case.
    pub fn file_opening(
        &self,
        id: &TransferId,
        key: SupervisoryKey,
        case: &str,
        officers: &[u8],
    ) -> Result<(), OperationError> {
        let (subject, key) = (id.to_string(), PublicKey(key.0).to_string());
        let officers: Vec<_> = officers.iter().map(u8::to_string).collect();
        self.bank.storage().transact(|tx| {
            tx.transfer(id)?.ok_or(OperationError::UnknownTransfer(*id))?;
            let cases = handed_out_for(tx, &subject)?;
            if !cases.is_empty() && !cases.iter().any(|other| other == case) {
                return Err(OperationError::OtherCase { id: *id, case: case.to_owned(), cases: cases.join("`, `") });
            }
            let details = [("key", key.clone()), ("case", case.to_owned()), ("officers", officers.join(" "))];
            let (by, now) = (self.bank.actor(), self.clock.now());
            audit::append_news(tx, by, now, Kind::DisclosureOpened, &subject, &details)?;
            Ok(())
        })
    }

    /// All registered PSPs with what their reserves hold, by name.
    ///
    /// # Errors
    /// When the storage fails.
    pub fn reserves(&self) -> Result<Vec<(Name, Amount)>, OperationError> {
        self.bank.storage().read(|view| {
            let mut reserves = Vec::new();
            for PspRecord { name, .. } in view.psps()? {
                reserves.push((name, psp::reserve(view, &name)?.balance));
            }
            reserves.sort();
            Ok(reserves)
        })
    }

    /// Books that `amount` was paid for the reserve of a PSP. `reference` names the payment: the same is booked once.
    ///
    /// # Errors
    /// When there is no such PSP, or the payment is booked already.
    pub fn fund_psp(&self, name: &Name, amount: Amount, reference: &[u8]) -> Result<(), OperationError> {
        let now = self.clock.now();
        self.bank.storage().transact(|tx| {
            psp::fund(tx, name, amount, reference, now).map_err(|error| not_booked(error, name, reference))?;
            self.audit(tx, Kind::ReservePaidIn, name.as_str(), &booked(amount, reference))
        })
    }

    /// Books that `amount` was paid out of the reserve of a PSP.
    ///
    /// # Errors
    /// When there is no such PSP, its reserve holds less, or the payment is booked already.
    pub fn defund_psp(&self, name: &Name, amount: Amount, reference: &[u8]) -> Result<(), OperationError> {
        let now = self.clock.now();
        self.bank.storage().transact(|tx| {
            psp::defund(tx, name, amount, reference, now).map_err(|error| not_booked(error, name, reference))?;
            self.audit(tx, Kind::ReservePaidOut, name.as_str(), &booked(amount, reference))
        })
    }

    pub(super) fn publish(&self, root: &dyn RootKey, classes: &[Class]) -> Result<ManifestHeader, OperationError> {
        let draft = self.bank.draft_manifest(classes, self.clock.now())?;
        let manifest = draft.under(&root.sign_header(draft.header())?);
        Ok(self.bank.publish_manifest(&manifest, self.clock.now())?)
    }

    /// Else something would be decided or made now, and published by whoever publishes next.
    pub(super) fn check_root(&self, root: &dyn RootKey) -> Result<(), OperationError> {
        if root.public() == self.bank.settings().root_key {
            Ok(())
        } else {
            Err(ManifestError::Signature(BadSignature).into())
        }
    }

    fn audit(
        &self,
        tx: &mut dyn Tx,
        kind: Kind,
        subject: &str,
        details: &[(&str, impl AsRef<str>)],
    ) -> Result<(), OperationError> {
        Ok(audit::append(tx, self.bank.actor(), self.clock.now(), kind, subject, details)?)
    }
}

fn not_booked(error: PspError, psp: &Name, reference: &[u8]) -> OperationError {
    match error {
        PspError::Ledger(LedgerError::Booked) => {
            OperationError::ReferenceUsed { psp: *psp, reference: String::from_utf8_lossy(reference).into_owned() }
        }
        other => other.into(),
    }
}

fn booked(amount: Amount, reference: &[u8]) -> [(&'static str, String); 2] {
    [("amount", amount.minor().to_string()), ("reference", String::from_utf8_lossy(reference).into_owned())]
}

/// The cases for which a transfer was handed out, as the audit log says.
fn handed_out_for(view: &mut (impl View + ?Sized), transfer: &str) -> Result<Vec<String>, StorageError> {
    const PAGE: u32 = 1_000;
    let mut cases = Vec::new();
    if view.audit_newest_about(Kind::DisclosureHandedOut, transfer)?.is_none() {
        return Ok(cases);
    }
    let mut after = 0;
    loop {
        let page = view.audit_after(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(cases) };
        after = last.sequence;
        let about = page.iter().map(|record| &record.decision);
        let about = about
            .filter(|decision| decision.kind == Kind::DisclosureHandedOut && decision.subject.as_str() == transfer);
        cases.extend(about.filter_map(|decision| decision.details.get("case").cloned()));
    }
}
