//! Lost devices (§8.1): a device leaves what it holds with its PSP, encrypted; when it is reported lost nothing that it signs is
//! obeyed any more, and another device of the same customer claims with the backup what nobody redeems.
//!
//! The PSP cannot read a backup, and keeps the newest of each of the last days: a finder who overwrites it before the loss is reported
//! destroys one day's, not all.

use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use thiserror::Error;

use crate::bank::{Bank, BankError, Restitution, RestitutionResult, RestitutionState};
use crate::customer::CustomerError;
use crate::device::{Device, DeviceError, DeviceRefusal, DeviceState};
use crate::request::{KeyConflict, OperationId, RecallError, Request};
use crate::service::Psp;
use crate::store::{Records, Store, StoreError};

/// The longest backup, in bytes.
pub const BACKUP_LENGTH_MAX: usize = 1 << 20;

/// Of how many days backups are kept.
pub const BACKUP_DAYS: u64 = 7;

/// The most holdings in one claim.
pub const HOLDINGS_MAX: usize = 100;

const DAY_SECONDS: u64 = 86_400;

/// What a device left, encrypted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    /// When it came.
    pub kept_at: Timestamp,
    /// What only its owner can read.
    pub content: Vec<u8>,
}

/// Why something about a lost device was not done. Nothing changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LossError {
    /// The device that asks may not.
    #[error(transparent)]
    Device(DeviceRefusal),
    /// The customer has no such device.
    #[error("this customer has no device {0}")]
    Unknown(PublicKey),
    /// Nobody reported the device lost.
    #[error("device {0} is not reported lost")]
    NotLost(PublicKey),
    /// The backup is empty or too long.
    #[error("a backup has 1 to {BACKUP_LENGTH_MAX} bytes")]
    BackupLength,
    /// There is nothing to claim, or too much at once.
    #[error("a claim has 1 to {HOLDINGS_MAX} holdings")]
    Holdings,
    /// The key came before with another request.
    #[error(transparent)]
    Conflict(#[from] KeyConflict),
    /// The bank refuses the whole, or cannot be reached.
    #[error(transparent)]
    Bank(BankError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DeviceError> for LossError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(refusal) => Self::Device(refusal),
            DeviceError::Store(error) => error.into(),
        }
    }
}

impl From<RecallError> for LossError {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Conflict(conflict) => conflict.into(),
            RecallError::Store(error) => error.into(),
        }
    }
}

impl<S: Store, B> Psp<S, B> {
    /// Takes a customer's word that a device is lost: nothing that it signs is obeyed any more. Gives whether this is new.
    ///
    /// # Errors
    /// When there is no such device.
    pub fn report_lost(&self, device: &PublicKey, now: Timestamp) -> Result<bool, CustomerError> {
        self.store().write(|records| {
            let found = records.device(device)?.filter(|device| device.state != DeviceState::Pending);
            let found = found.ok_or(CustomerError::UnknownDevice(*device))?;
            let is_new = records.insert_loss(device, now)?;
            if is_new {
                let details = [("customer", found.customer.as_str())];
                self.audit(records, now, Kind::DeviceLost, &device.to_string(), &details)?;
            }
            Ok(is_new)
        })
    }

    /// Keeps what a device left, in place of what it left before on the same day. The same request again changes nothing.
    ///
    /// # Errors
    /// When the device may not, or the length is wrong.
    pub fn keep_backup(&self, request: &Request<'_>, content: &[u8], now: Timestamp) -> Result<(), LossError> {
        if content.is_empty() || content.len() > BACKUP_LENGTH_MAX {
            return Err(LossError::BackupLength);
        }
        let key = PublicKey(request.who);
        self.store().write(|records| {
            self.enrolled(records, &key)?;
            if request.recall(records)?.is_some() {
                return Ok(());
            }
            let day = now.seconds() / DAY_SECONDS;
            records.set_backup(&key, day, &Backup { kept_at: now, content: content.to_vec() })?;
            records.delete_backups(&key, day.saturating_sub(BACKUP_DAYS - 1))?;
            Ok(request.remember(records, &[], now)?)
        })
    }

    /// What a lost device left, newest first, for another device of its customer.
    ///
    /// # Errors
    /// When the device that asks may not, or the other is none of its customer's, or not lost.
    pub fn backups(&self, asking: &PublicKey, lost: &PublicKey) -> Result<Vec<Backup>, LossError> {
        self.store().read(|records| {
            self.lost_by(records, asking, lost)?;
            Ok(records.backups(lost)?)
        })
    }

    /// The lost device, and the account of its customer, which the device that asks belongs to. What the PSP knows of the customer does not
    /// matter: this is the customer's own money.
    fn lost_by(
        &self,
        records: &mut dyn Records,
        asking: &PublicKey,
        lost: &PublicKey,
    ) -> Result<(Device, Name), LossError> {
        let party = self.enrolled(records, asking)?;
        party.device.check_active().map_err(LossError::Device)?;
        let device = records.device(lost)?.filter(|device| device.customer == party.customer.name);
        let device = device.ok_or(LossError::Unknown(*lost))?;
        if device.lost_at.is_none() {
            return Err(LossError::NotLost(*lost));
        }
        Ok((device, party.customer.account))
    }
}

impl<S: Store, B: Bank> Psp<S, B> {
    /// Claims what a lost device held, for the account of its customer, in the name of another of the customer's devices.
    ///
    /// # Errors
    /// When that device may not, the other is not lost or none of its customer's, or the bank refuses the whole.
    pub fn claim(
        &self,
        request: &Request<'_>,
        lost: &PublicKey,
        holdings: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<Vec<RestitutionResult>, LossError> {
        if holdings.is_empty() || holdings.len() > HOLDINGS_MAX {
            return Err(LossError::Holdings);
        }
        let (device, account) = self.store().write(|records| {
            let lost = self.lost_by(records, &PublicKey(request.who), lost)?;
            if request.recall(records)?.is_none() {
                request.remember(records, &[], now)?;
            }
            Ok::<_, LossError>(lost)
        })?;
        let claimed = self.bank().claim_restitution(&request.operation(), &device.identity, account.as_str(), holdings);
        let claimed = claimed.map_err(LossError::Bank)?;
        if claimed.iter().any(|result| matches!(result, RestitutionResult::Claimed(_))) {
            let all = self.bank().restitutions(&device.identity).map_err(LossError::Bank)?;
            self.store().write(|records| self.audit_claims(records, &device, &PublicKey(request.who), &all, now))?;
        }
        Ok(claimed)
    }

    /// Writes into the audit log how much is claimed for a device, if that is more than it says since the device was lost: the same claim again,
    /// however often, is no news, and what the bank refuses is none.
    fn audit_claims(
        &self,
        records: &mut dyn Records,
        device: &Device,
        by: &PublicKey,
        claims: &[Restitution],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = device.key.to_string();
        let lost = records.audit_newest_about(Kind::DeviceLost, &key)?.map_or(0, |record| record.sequence);
        let before = records.audit_newest_about(Kind::RestitutionClaimed, &key)?;
        let before = before.filter(|record| record.sequence > lost);
        let said = |name: &str| {
            let said = before.as_ref().and_then(|record| record.decision.details.get(name)?.parse::<usize>().ok());
            said.unwrap_or(0)
        };
        let standing = claims.iter().filter(|claim| claim.state != RestitutionState::Void).count();
        if standing <= said("holdings") && claims.len() <= said("ever") {
            return Ok(());
        }
        let details = [
            ("customer", device.customer.to_string()),
            ("claimed_by", by.to_string()),
            ("holdings", standing.to_string()),
            ("ever", claims.len().to_string()),
        ];
        self.audit(records, now, Kind::RestitutionClaimed, &key, &details)
    }

    /// What is claimed of what a lost device held, for another device of its customer.
    ///
    /// # Errors
    /// As for [`Psp::backups`], or when the bank cannot be asked.
    pub fn claims(&self, asking: &PublicKey, lost: &PublicKey) -> Result<Vec<Restitution>, LossError> {
        let (device, _) = self.store().read(|records| self.lost_by(records, asking, lost))?;
        self.bank().restitutions(&device.identity).map_err(LossError::Bank)
    }

    /// The same for the PSP's operator, lost or not.
    ///
    /// # Errors
    /// When there is no such device, or the bank cannot be asked.
    pub fn claims_on(&self, device: &PublicKey) -> Result<Vec<Restitution>, LossError> {
        let device = self.store().read(|records| records.device(device)?.ok_or(LossError::Unknown(*device)))?;
        self.bank().restitutions(&device.identity).map_err(LossError::Bank)
    }

    /// Takes a customer's word that a lost device was found: claims on what it holds are given up, then it is what it was before.
    /// `operation` names this at the bank: 16 random bytes. Gives whether it was lost.
    ///
    /// # Errors
    /// When there is no such device, or the bank cannot be told: it stays lost then.
    pub fn report_found(&self, device: &PublicKey, operation: &OperationId, now: Timestamp) -> Result<bool, LossError> {
        let found = self.store().read(|records| records.device(device)?.ok_or(LossError::Unknown(*device)))?;
        if found.lost_at.is_none() {
            return Ok(false);
        }
        self.bank().give_up_restitutions(operation, &found.identity).map_err(LossError::Bank)?;
        Ok(self.store().write(|records| {
            let was_lost = records.delete_loss(device)?;
            if was_lost {
                let details = [("customer", found.customer.as_str())];
                self.audit(records, now, Kind::DeviceFound, &device.to_string(), &details)?;
            }
            Ok::<_, StoreError>(was_lost)
        })?)
    }
}
