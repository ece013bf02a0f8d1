//! Totals of devices, proven or opened (`docs/spec/totals.md`).
//!
//! A device fetches a nonce, shows its totals for it as its tier's setting says, and gets one new limits document for that. Where the
//! setting asks for none, its element only says which document it holds ([`Psp::next_limits`]).
//! What is checked is forgotten; that it held is kept.

use specie_aml::{calendar, money};
use specie_audit::Kind;
use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Name};
use specie_core::{Amount, Timestamp};
use specie_totals::{Bounds, Opening, RangeProof, Statement, TotalsError};
use thiserror::Error;

use crate::device::{Device, DeviceError, DeviceRefusal};
use crate::enrolment::Nonce;
use crate::request::{KeyConflict, RecallError, Request};
use crate::service::Psp;
use crate::setting::{IssuedLimits, Setting, Verdict};
use crate::share;
use crate::store::{Records, Store, StoreError};
use crate::tier::Tier;
use crate::upload::{UPLOAD_MAX, check_agreed};

/// How a device shows its totals.
pub enum Shown {
    /// It proves that they are within its limits.
    Proof(Box<RangeProof>),
    /// It opens them.
    Opened {
        /// What it holds.
        held: Opening,
        /// What it let go since its limits came.
        spent: Opening,
    },
}

/// Why totals, or payments, are not accepted. Nothing changes then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShowError {
    /// The device may not have new limits.
    #[error(transparent)]
    Device(DeviceRefusal),
    /// The tier's setting does not ask for it.
    #[error("tier `{tier}` is in the setting `{}`, which asks for something else", setting.as_str())]
    Setting {
        /// Which tier.
        tier: Name,
        /// Its setting.
        setting: Setting,
    },
    /// The nonce is not the one that this device got, is used, or ran out.
    #[error("the nonce is unknown, used or run out")]
    Nonce,
    /// The totals are compared with limits that nobody remembers.
    #[error("no limits of sequence {0} are known for this device")]
    Limits(u64),
    /// They do not hold, or are not within the limits.
    #[error("{0}")]
    Totals(TotalsError),
    /// Payments are missing.
    #[error("the device spent {} more than the payments that it uploaded come to", money::show(*missing, *currency))]
    Incomplete {
        /// How much they leave unexplained.
        missing: Amount,
        /// In this currency.
        currency: Currency,
    },
    /// The owner does not agree that payments are uploaded.
    #[error("the owner of this device withdrew its consent to uploads at {}", calendar::show(*.0))]
    NotAgreed(Timestamp),
    /// Too many payments at once.
    #[error("an upload has at most {UPLOAD_MAX} payments")]
    TooMany,
    /// The key came before with another request.
    #[error(transparent)]
    Conflict(#[from] KeyConflict),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DeviceError> for ShowError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(refusal) => Self::Device(refusal),
            DeviceError::Store(error) => error.into(),
        }
    }
}

impl From<RecallError> for ShowError {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Conflict(conflict) => conflict.into(),
            RecallError::Store(error) => error.into(),
        }
    }
}

impl Shown {
    fn is_for(&self, setting: Setting) -> bool {
        matches!((self, setting), (Self::Proof(_), Setting::Proofs) | (Self::Opened { .. }, Setting::Uploads))
    }

    /// The first of the documents that may be held under which the totals hold: the element holds one of them, and all count for it.
    fn check_any(
        &self,
        statement: &Statement,
        device: &PublicKey,
        issued: &[IssuedLimits],
    ) -> Result<IssuedLimits, TotalsError> {
        let mut why = TotalsError::Proof;
        for candidate in issued.iter().rev() {
            match self.check(statement, device, &candidate.bounds) {
                Ok(()) => return Ok(*candidate),
                // Of all refusals the one under the newest is told.
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    fn check(&self, statement: &Statement, device: &PublicKey, bounds: &Bounds) -> Result<(), TotalsError> {
        match self {
            Self::Proof(proof) => proof.verify(statement, device, bounds),
            Self::Opened { held, spent } => statement.verify_opened(device, bounds, held, spent),
        }
    }
}

impl<S: Store, B> Psp<S, B> {
    /// A nonce for what the element of a device says of its totals and limits, made of 32 random bytes; the same again for the
    /// same request. The one before it is void.
    ///
    /// # Errors
    /// When the device may not have new limits.
    pub fn totals_nonce(&self, request: &Request<'_>, seed: &[u8; 32], now: Timestamp) -> Result<Nonce, ShowError> {
        let device = PublicKey(request.who);
        self.store().write(|records| {
            self.active(records, &device, now)?;
            let valid_until = now.saturating_add(self.policy().periods().nonce_seconds);
            match request.recall(records)? {
                // What is left of it may be less than it was.
                Some(_) => match records.totals_nonce(&device)? {
                    Some((nonce, valid_until)) => Ok(Nonce { nonce, valid_until }),
                    None => Err(ShowError::Nonce),
                },
                None => {
                    records.set_totals_nonce(&device, seed, valid_until)?;
                    request.remember(records, &[], now)?;
                    Ok(Nonce { nonce: *seed, valid_until })
                }
            }
        })
    }

    /// Takes the totals of a device: it may have new limits for them.
    ///
    /// # Errors
    /// When they do not hold, or are shown in another way than the tier asks for. The nonce stays good then.
    pub fn accept_totals(
        &self,
        request: &Request<'_>,
        statement: &Statement,
        shown: &Shown,
        now: Timestamp,
    ) -> Result<(), ShowError> {
        let result = self.try_totals(request, statement, shown, now);
        let why = match &result {
            Err(ShowError::Totals(error)) => error.to_string(),
            Err(ShowError::Incomplete { .. }) => "payments are missing".to_owned(),
            _ => return result,
        };
        let device = PublicKey(request.who);
        self.store().write(|records| self.audit_verdict(records, &device, statement, shown, Err(&why), now))?;
        result
    }

    fn try_totals(
        &self,
        request: &Request<'_>,
        statement: &Statement,
        shown: &Shown,
        now: Timestamp,
    ) -> Result<(), ShowError> {
        let device = PublicKey(request.who);
        let before = self.store().read(|records| {
            self.asking(records, &device, now, |setting| shown.is_for(setting))?;
            if request.recall(records)?.is_some() {
                return Ok(None);
            }
            check_nonce(records, &device, &statement.nonce, now)?;
            self.compared_with(records, &device, statement.limits_sequence, now).map(Some)
        })?;
        let Some(candidates) = before else { return Ok(()) };
        let issued = shown.check_any(statement, &device, &candidates).map_err(ShowError::Totals)?;
        self.store().write(|records| {
            if request.recall(records)?.is_some() {
                return Ok(());
            }
            check_nonce(records, &device, &statement.nonce, now)?;
            if let Shown::Opened { spent, .. } = shown {
                check_agreed(records, &device)?;
                check_explained(records, &device, &issued, spent, self.identity().currency)?;
            }
            records.remove_totals_nonce(&device)?;
            let verdict = Verdict { limits_sequence: issued.sequence, at: now };
            records.insert_verdict(&request.operation(), &device, &verdict)?;
            self.audit_verdict(records, &device, statement, shown, Ok(()), now)?;
            // Its element said which document it holds: what older ones allowed is free for other devices.
            share::note_held(records, &device, issued.sequence)?;
            request.remember(records, &[], now)?;
            Ok(())
        })
    }

    /// Writes into the audit log whether totals held, and else why not, if that is other than what was found of the device before.
    fn audit_verdict(
        &self,
        records: &mut dyn Records,
        device: &PublicKey,
        statement: &Statement,
        shown: &Shown,
        verdict: Result<(), &str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(Device { customer, .. }) = records.device(device)? else { return Ok(()) };
        let setting = match shown {
            Shown::Proof(_) => Setting::Proofs,
            Shown::Opened { .. } => Setting::Uploads,
        };
        let found = if verdict.is_ok() { "within-limits" } else { "refused" };
        let details = [("customer", customer.as_str()), ("setting", setting.as_str()), ("verdict", found)];
        let limits = statement.limits_sequence.to_string();
        let also = [("limits", limits.as_str()), ("why", verdict.err().unwrap_or_default())];
        let also = &also[..if verdict.is_ok() { 1 } else { 2 }];
        self.audit_news(records, now, Kind::TotalsJudged, &device.to_string(), &details, also)
    }

    /// Whether the tier of a device that may have new limits is in a setting that asks for this.
    pub(crate) fn asking(
        &self,
        records: &mut dyn Records,
        device: &PublicKey,
        now: Timestamp,
        asks: impl Fn(Setting) -> bool,
    ) -> Result<&Tier, ShowError> {
        let party = self.active(records, device, now)?;
        let tier = self.tier_of(&party.customer, now)?;
        if asks(tier.setting) { Ok(tier) } else { Err(ShowError::Setting { tier: tier.name, setting: tier.setting }) }
    }

    /// The limits that the totals of a device are compared with: what its element may hold, newest first; the tier's, before it holds any.
    fn compared_with(
        &self,
        records: &mut dyn Records,
        device: &PublicKey,
        sequence: u64,
        now: Timestamp,
    ) -> Result<Vec<IssuedLimits>, ShowError> {
        if sequence == 0 {
            let party = self.active(records, device, now)?;
            return Ok(vec![IssuedLimits { sequence, bounds: self.tier_of(&party.customer, now)?.bounds() }]);
        }
        let issued = records.issued_limits(device, sequence)?;
        if issued.is_empty() { Err(ShowError::Limits(sequence)) } else { Ok(issued) }
    }
}

fn check_nonce(
    records: &mut dyn Records,
    device: &PublicKey,
    nonce: &[u8; 32],
    now: Timestamp,
) -> Result<(), ShowError> {
    if is_good_nonce(records, device, nonce, now)? { Ok(()) } else { Err(ShowError::Nonce) }
}

/// Whether the device got this nonce last, and may use it now.
pub(crate) fn is_good_nonce(
    records: &mut dyn Records,
    device: &PublicKey,
    nonce: &[u8; 32],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let given = records.totals_nonce(device)?;
    Ok(given.is_some_and(|(given, valid_until)| given == *nonce && now <= valid_until))
}

/// Whether the payments that were uploaded come to what was spent.
fn check_explained(
    records: &mut dyn Records,
    device: &PublicKey,
    issued: &IssuedLimits,
    spent: &Opening,
    currency: Currency,
) -> Result<(), ShowError> {
    let uploaded = records.paid_under(device, issued.sequence)?;
    match spent.total.checked_sub(uploaded.minor()) {
        None | Some(0) => Ok(()),
        Some(missing) => {
            let missing = Amount::new(missing).unwrap_or(Amount::MAX);
            Err(ShowError::Incomplete { missing, currency })
        }
    }
}
