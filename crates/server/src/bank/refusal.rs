//! What the bank's domain refuses, as problems.

use specie_api::bank as api;
use specie_api::problem::{self, Code};
use specie_bank::detection::DetectionError;
use specie_bank::device::DeviceError;
use specie_bank::issuance::IssuanceError;
use specie_bank::ledger::{Account, LedgerError};
use specie_bank::once::KeyReused;
use specie_bank::payment::PaymentError;
use specie_bank::person::PersonError;
use specie_bank::psp::PspError;
use specie_bank::redemption::RedemptionError;
use specie_bank::restitution::RestitutionError;
use specie_bank::signer::SignerError;
use specie_bank::storage::StorageError;
use specie_bank::transfer::TransferError;

use crate::reply::Refusal;

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Busy | StorageError::Unknown => Self::new(&problem::UNAVAILABLE, error.to_string()),
            error => Self::internal(error),
        }
    }
}

impl From<KeyReused> for Refusal {
    fn from(error: KeyReused) -> Self {
        Self::new(&problem::IDEMPOTENCY_CONFLICT, error.to_string())
    }
}

impl From<SignerError> for Refusal {
    fn from(error: SignerError) -> Self {
        match error {
            SignerError::OtherChallenges => Self::new(&api::OTHER_CHALLENGES, error.to_string()),
            SignerError::NotIssued(_) => Self::new(&api::CLASS_NOT_ISSUED, error.to_string()),
            SignerError::Limit { .. } => Self::new(&api::SIGNING_LIMIT, error.to_string()),
            SignerError::Unreachable(_) | SignerError::Expired => Self::new(&problem::UNAVAILABLE, error.to_string()),
            error => Self::internal(error),
        }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Overdrawn(Account::Reserve(psp)) => {
                Self::new(&api::RESERVE_TOO_LOW, format!("the reserve of {psp} does not hold enough"))
            }
            LedgerError::Storage(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<PspError> for Refusal {
    fn from(error: PspError) -> Self {
        match error {
            PspError::Unknown(_) => Self::new(&api::PSP_UNKNOWN, error.to_string()),
            PspError::Ledger(error) => error.into(),
            PspError::Storage(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<DeviceError> for Refusal {
    fn from(error: DeviceError) -> Self {
        let code = match error {
            DeviceError::Psp(error) => return error.into(),
            DeviceError::Storage(error) => return error.into(),
            DeviceError::Invalid => &api::DEVICE_INVALID,
            DeviceError::Known => &api::DEVICE_KNOWN,
            DeviceError::Unregistered => &api::DEVICE_UNREGISTERED,
            DeviceError::StruckOff => &api::DEVICE_STRUCK_OFF,
            error => return Self::internal(error),
        };
        Self::new(code, error.to_string())
    }
}

impl From<PersonError> for Refusal {
    fn from(error: PersonError) -> Self {
        let code = match error {
            PersonError::Psp(error) => return error.into(),
            PersonError::Storage(error) => return error.into(),
            PersonError::Elsewhere(_) => &api::PERSON_ELSEWHERE,
            PersonError::Pepper => &api::PEPPER_DIFFERS,
            PersonError::Size => &api::PSEUDONYMS,
            error => return Self::internal(error),
        };
        Self::new(code, error.to_string())
    }
}

impl From<IssuanceError> for Refusal {
    fn from(error: IssuanceError) -> Self {
        let code: &Code = match error {
            IssuanceError::Device(error) => return error.into(),
            IssuanceError::Ledger(error) => return error.into(),
            IssuanceError::Signer(error) => return error.into(),
            IssuanceError::Storage(error) => return error.into(),
            IssuanceError::Size => &api::BATCH_SIZE,
            IssuanceError::NotIssued(_) => &api::CLASS_NOT_ISSUED,
            IssuanceError::Halted => &api::ISSUANCE_HALTED,
            IssuanceError::Known => &api::BATCH_KNOWN,
            IssuanceError::Unknown => &api::BATCH_UNKNOWN,
            IssuanceError::Open => &api::BATCH_OPEN,
            IssuanceError::Void => &api::BATCH_VOID,
            IssuanceError::Erased => &api::BATCH_ERASED,
            IssuanceError::Challenges => &api::CHALLENGES_INVALID,
            IssuanceError::OtherChallenges => &api::OTHER_CHALLENGES,
            error => return Self::internal(error),
        };
        Self::new(code, error.to_string())
    }
}

impl From<DetectionError> for Refusal {
    fn from(error: DetectionError) -> Self {
        match error {
            DetectionError::Signer(error) => error.into(),
            DetectionError::Storage(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<RedemptionError> for Refusal {
    fn from(error: RedemptionError) -> Self {
        match error {
            RedemptionError::Size => Self::new(&api::REDEMPTION_SIZE, error.to_string()),
            RedemptionError::Psp(error) => error.into(),
            RedemptionError::Detection(error) => error.into(),
            RedemptionError::Ledger(error) => error.into(),
            RedemptionError::Storage(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<RestitutionError> for Refusal {
    fn from(error: RestitutionError) -> Self {
        match error {
            RestitutionError::Size => Self::new(&api::CLAIM_SIZE, error.to_string()),
            RestitutionError::Device(error) => error.into(),
            RestitutionError::Detection(error) => error.into(),
            RestitutionError::Storage(error) => error.into(),
            error => Self::internal(error),
        }
    }
}

impl From<PaymentError> for Refusal {
    fn from(error: PaymentError) -> Self {
        let code = match error {
            PaymentError::Detection(error) => return error.into(),
            PaymentError::Storage(error) => return error.into(),
            PaymentError::NotFound => &api::PAYMENT_NOT_FOUND,
            _ => &api::PAYMENT_INVALID,
        };
        Self::new(code, error.to_string())
    }
}

impl From<TransferError> for Refusal {
    fn from(error: TransferError) -> Self {
        let code = match error {
            TransferError::Psp(error) => return error.into(),
            TransferError::Ledger(error) => return error.into(),
            TransferError::Storage(error) => return error.into(),
            TransferError::Empty => &api::TRANSFER_EMPTY,
            TransferError::Known => &api::TRANSFER_KNOWN,
            error => return Self::internal(error),
        };
        Self::new(code, error.to_string())
    }
}
