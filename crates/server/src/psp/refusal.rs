//! What the PSP's domain refuses, as problems.

use specie_api::problem::{self, Code};
use specie_api::psp as api;
use specie_core::enrolment::EnrolmentError as ProofError;
use specie_psp::bank::{BankError, Refusal as BankRefusal};
use specie_psp::device::{DeviceError, DeviceRefusal};
use specie_psp::document::DocumentError;
use specie_psp::enrolment::EnrolmentError;
use specie_psp::loss::LossError;
use specie_psp::payment::PaymentError;
use specie_psp::redemption::RedemptionError;
use specie_psp::registry::RegistryError;
use specie_psp::request::KeyConflict;
use specie_psp::store::StoreError;
use specie_psp::totals::ShowError;
use specie_psp::transfer::TransferError;
use specie_psp::withdrawal::WithdrawalError;

use specie_totals::TotalsError;

use crate::reply::Refusal;

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Unknown => Self::new(&problem::UNAVAILABLE, error.to_string()),
            error => Self::internal(error),
        }
    }
}

impl From<KeyConflict> for Refusal {
    fn from(error: KeyConflict) -> Self {
        Self::new(&problem::IDEMPOTENCY_CONFLICT, error.to_string())
    }
}

impl From<DeviceRefusal> for Refusal {
    fn from(refusal: DeviceRefusal) -> Self {
        let code = match refusal {
            DeviceRefusal::Blocked | DeviceRefusal::StruckOff | DeviceRefusal::Frozen => &api::DEVICE_BLOCKED,
            DeviceRefusal::Evidence => &api::EVIDENCE,
            DeviceRefusal::Lost => &api::DEVICE_LOST,
            DeviceRefusal::Released => &api::RELEASED,
            DeviceRefusal::Withdrawn => &api::SERIES,
            _ => &api::DEVICE_UNKNOWN,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<DeviceError> for Refusal {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Refused(refusal) => refusal.into(),
            DeviceError::Store(error) => error.into(),
        }
    }
}

impl From<EnrolmentError> for Refusal {
    fn from(error: EnrolmentError) -> Self {
        let code = match &error {
            EnrolmentError::Crowded => &problem::UNAVAILABLE,
            EnrolmentError::ClaimCode => &api::CLAIM_CODE,
            EnrolmentError::Nonce | EnrolmentError::Proof(ProofError::Nonce) => &api::NONCE,
            EnrolmentError::UnknownMaker(_) | EnrolmentError::Proof(ProofError::Certificate) => &api::MAKER,
            EnrolmentError::WithdrawnSeries(_) | EnrolmentError::Firmware(_) => &api::SERIES,
            EnrolmentError::StillLimited(_) => &api::NOT_FREE,
            EnrolmentError::Proof(_) => &api::PROOF,
            EnrolmentError::TooManyDevices(_) => &api::TIER_LIMIT,
            EnrolmentError::AlreadyEnrolled => &api::ALREADY_ENROLLED,
            EnrolmentError::Conflict(conflict) => return (*conflict).into(),
            EnrolmentError::Bank(error) => return bank(error, &api::BANK_UNAVAILABLE),
            EnrolmentError::Store(error) => return error.clone().into(),
            _ => &problem::INTERNAL,
        };
        Self::new(code, error.to_string())
    }
}

impl From<DocumentError> for Refusal {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::Device(refusal) => refusal.into(),
            DocumentError::TotalsNeeded { .. } => Self::new(&api::TOTALS_NEEDED, error.to_string()),
            DocumentError::Nonce => Self::new(&api::NONCE, error.to_string()),
            DocumentError::Said(_) => Self::new(&api::TOTALS_INVALID, error.to_string()),
            DocumentError::Shared { .. } | DocumentError::Changes => Self::new(&api::SHARED, error.to_string()),
            DocumentError::Registry(error) => error.into(),
            DocumentError::NotAMerchant => Self::new(&api::NOT_A_MERCHANT, error.to_string()),
            DocumentError::Conflict(conflict) => conflict.into(),
            DocumentError::Store(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        registry(&error)
    }
}

/// What a device is told when its owner has its limits elsewhere, or that cannot be found out.
fn registry(error: &RegistryError) -> Refusal {
    let code = match error {
        RegistryError::Elsewhere(_) | RegistryError::Released(_) => &api::OWNER_ELSEWHERE,
        RegistryError::Unrecognisable => &api::EVIDENCE,
        RegistryError::Bank(_) | RegistryError::Pepper => &api::BANK_UNAVAILABLE,
        RegistryError::Store(error) => return error.clone().into(),
        _ => return Refusal::internal(error),
    };
    Refusal::new(code, error.to_string())
}

impl From<ShowError> for Refusal {
    fn from(error: ShowError) -> Self {
        let code = match &error {
            ShowError::Device(refusal) => return (*refusal).into(),
            ShowError::Setting { .. } => &api::SETTING_DIFFERS,
            ShowError::Nonce => &api::NONCE,
            ShowError::Totals(TotalsError::OverLimit(_)) => &api::TOTALS_OVER_LIMIT,
            ShowError::Limits(_) | ShowError::Totals(_) => &api::TOTALS_INVALID,
            ShowError::Incomplete { .. } => &api::UPLOADS_INCOMPLETE,
            ShowError::TooMany => &problem::MALFORMED,
            ShowError::Conflict(conflict) => return (*conflict).into(),
            ShowError::Store(error) => return error.clone().into(),
            _ => &problem::INTERNAL,
        };
        Self::new(code, error.to_string())
    }
}

impl From<WithdrawalError> for Refusal {
    fn from(error: WithdrawalError) -> Self {
        let code = match &error {
            WithdrawalError::Device(refusal) => return (*refusal).into(),
            WithdrawalError::Registry(error) => return registry(error),
            WithdrawalError::Items | WithdrawalError::Challenges => &problem::MALFORMED,
            WithdrawalError::Class(_) => &api::CLASS,
            WithdrawalError::Balance => &api::BALANCE,
            WithdrawalError::TierLimit { .. } | WithdrawalError::Holding { .. } => &api::TIER_LIMIT,
            WithdrawalError::Shared { .. } => &api::SHARED,
            WithdrawalError::Ration { .. } | WithdrawalError::Cap { .. } => &api::RATION,
            WithdrawalError::Unknown => &api::WITHDRAWAL_UNKNOWN,
            WithdrawalError::Void => &api::WITHDRAWAL_VOID,
            WithdrawalError::Answered => &api::WITHDRAWAL_ANSWERED,
            WithdrawalError::Closed => &api::WITHDRAWAL_CLOSED,
            WithdrawalError::Conflict(conflict) => return (*conflict).into(),
            WithdrawalError::Bank(error) => return bank(error, &api::ISSUE_REFUSED),
            WithdrawalError::Store(error) => return error.clone().into(),
            _ => return Self::internal(error),
        };
        Self::new(code, error.to_string())
    }
}

impl From<RedemptionError> for Refusal {
    fn from(error: RedemptionError) -> Self {
        let code = match &error {
            RedemptionError::Device(refusal) => return (*refusal).into(),
            RedemptionError::Chains => &problem::MALFORMED,
            RedemptionError::UnknownAccount(_) => &api::ACCOUNT_UNKNOWN,
            RedemptionError::Frozen(_) => &api::DEVICE_BLOCKED,
            RedemptionError::Conflict(conflict) => return (*conflict).into(),
            RedemptionError::Bank(error) => return bank(error, &api::REDEMPTION_REFUSED),
            RedemptionError::Store(error) => return error.clone().into(),
            _ => return Self::internal(error),
        };
        Self::new(code, error.to_string())
    }
}

impl From<LossError> for Refusal {
    fn from(error: LossError) -> Self {
        let code = match &error {
            LossError::Device(refusal) => return (*refusal).into(),
            LossError::Unknown(_) => &api::LOST_DEVICE_UNKNOWN,
            LossError::NotLost(_) => &api::DEVICE_NOT_LOST,
            LossError::BackupLength | LossError::Holdings => &problem::MALFORMED,
            LossError::Conflict(conflict) => return (*conflict).into(),
            LossError::Bank(error) => return bank(error, &api::CLAIM_REFUSED),
            LossError::Store(error) => return error.clone().into(),
            _ => return Self::internal(error),
        };
        Self::new(code, error.to_string())
    }
}

impl From<PaymentError> for Refusal {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::Device(refusal) => refusal.into(),
            PaymentError::Conflict(conflict) => conflict.into(),
            PaymentError::Bank(error) => bank(&error, &api::PAYMENT_REFUSED),
            PaymentError::Store(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<TransferError> for Refusal {
    fn from(error: TransferError) -> Self {
        let code = match &error {
            TransferError::Device(refusal) => return (*refusal).into(),
            TransferError::Nothing => &problem::MALFORMED,
            TransferError::Currency(_) => &api::CURRENCY,
            TransferError::UnknownAccount(_) => &api::ACCOUNT_UNKNOWN,
            TransferError::Balance => &api::BALANCE,
            TransferError::Refused => &api::TRANSFER_REFUSED,
            TransferError::Conflict(conflict) => return (*conflict).into(),
            TransferError::Bank(_) => &api::BANK_UNAVAILABLE,
            TransferError::Store(error) => return error.clone().into(),
            _ => return Self::internal(error),
        };
        Self::new(code, error.to_string())
    }
}

/// What a device is told when the bank did not do it: `otherwise` where nothing says it better.
fn bank(error: &BankError, otherwise: &Code) -> Refusal {
    let code = match error.refusal() {
        None | Some(BankRefusal::ReserveTooLow) => &api::BANK_UNAVAILABLE,
        Some(BankRefusal::DeviceStruckOff) => &api::DEVICE_BLOCKED,
        Some(BankRefusal::ClassNotIssued) => &api::CLASS,
        Some(BankRefusal::PaymentNotFound) => &api::PAYMENT_UNKNOWN,
        Some(BankRefusal::BatchVoid) => &api::WITHDRAWAL_VOID,
        Some(_) => otherwise,
    };
    Refusal::new(code, error.to_string())
}
