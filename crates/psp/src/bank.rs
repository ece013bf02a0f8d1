//! The bank, as a PSP needs it. Everything may be asked again under the same name: the bank does it once.

use specie_core::{Amount, ClassId, Timestamp};
use thiserror::Error;

use crate::request::OperationId;

/// A connection to the bank.
pub trait Bank: Send + Sync {
    /// Registers a device's identity `U`.
    ///
    /// # Errors
    /// [`Refusal::DeviceKnown`] when any PSP has registered it under another name.
    fn register_device(&self, operation: &OperationId, identity: &[u8; 32]) -> Result<(), BankError>;

    /// The name of the pepper under which the bank keeps a registry of persons; `None` when it keeps none.
    ///
    /// # Errors
    /// When the bank cannot be asked.
    fn registry(&self) -> Result<Option<[u8; 32]>, BankError>;

    /// Claims a person under all these pseudonyms, made with the pepper of that name.
    ///
    /// # Errors
    /// [`Refusal::PersonElsewhere`] when another PSP has it.
    fn claim_person(
        &self,
        operation: &OperationId,
        pepper: &[u8; 32],
        pseudonyms: &[[u8; 32]],
    ) -> Result<(), BankError>;

    /// Gives a person back: what this PSP gave it counts until `until`.
    ///
    /// # Errors
    /// [`Refusal::PersonElsewhere`] when another PSP has it.
    fn release_person(&self, operation: &OperationId, pseudonym: &[u8; 32], until: Timestamp) -> Result<(), BankError>;

    /// Opens a batch of issuance sessions (W1), and gives their commitments (W2) in the order of the items.
    ///
    /// # Errors
    /// When the bank refuses to issue.
    fn open_batch(
        &self,
        batch: &OperationId,
        identity: &[u8; 32],
        items: &[(ClassId, u64)],
    ) -> Result<Vec<Session>, BankError>;

    /// Has a batch answered (W3, W4). The reserve is debited in the same step.
    ///
    /// # Errors
    /// When the batch is void, or was answered for other challenges.
    fn answer_batch(&self, batch: &OperationId, challenges: &[[u8; 32]]) -> Result<Vec<[u8; 128]>, BankError>;

    /// Says that the device keeps the notes of a batch.
    ///
    /// # Errors
    /// When the batch was not answered.
    fn acknowledge_batch(&self, batch: &OperationId) -> Result<(), BankError>;

    /// Makes a batch void, if it was not answered.
    ///
    /// # Errors
    /// [`Refusal::BatchAnswered`] when it was.
    fn cancel_batch(&self, batch: &OperationId) -> Result<(), BankError>;

    /// Where a batch stands.
    ///
    /// # Errors
    /// When the bank cannot be asked.
    fn batch_standing(&self, batch: &OperationId) -> Result<BatchStanding, BankError>;

    /// Redeems chains to an account.
    ///
    /// # Errors
    /// When the bank refuses the whole.
    fn redeem(&self, operation: &OperationId, redemption: &Redemption) -> Result<Vec<RedemptionResult>, BankError>;

    /// Claims for an account here what the lost device `identity` held, and nobody else will have redeemed; holdings are CBOR.
    ///
    /// # Errors
    /// When the bank refuses the whole.
    fn claim_restitution(
        &self,
        operation: &OperationId,
        identity: &[u8; 32],
        account: &str,
        holdings: &[Vec<u8>],
    ) -> Result<Vec<RestitutionResult>, BankError>;

    /// What is claimed of what a device held.
    ///
    /// # Errors
    /// When the bank cannot be asked.
    fn restitutions(&self, identity: &[u8; 32]) -> Result<Vec<Restitution>, BankError>;

    /// Gives up what is claimed of what a device holds.
    ///
    /// # Errors
    /// When the bank cannot be told.
    fn give_up_restitutions(&self, operation: &OperationId, identity: &[u8; 32]) -> Result<(), BankError>;

    /// Pays an account at another PSP out of the reserve.
    ///
    /// # Errors
    /// When the bank refuses.
    fn transfer(&self, transfer: &ReserveTransfer<'_>) -> Result<(), BankError>;

    /// Leaves a payment (CBOR) for its payee.
    ///
    /// # Errors
    /// When the bank refuses it.
    fn upload_payment(&self, operation: &OperationId, payment: &[u8]) -> Result<(), BankError>;

    /// The payment (CBOR) that was left for a request (CBOR).
    ///
    /// # Errors
    /// [`Refusal::PaymentNotFound`] when there is none.
    fn claim_payment(&self, operation: &OperationId, request: &[u8]) -> Result<Vec<u8>, BankError>;

    /// Credits after sequence `after`, oldest first; empty when there are none.
    ///
    /// # Errors
    /// When the bank cannot be asked.
    fn credits(&self, after: u64) -> Result<Vec<Credit>, BankError>;

    /// Devices of this PSP that the bank struck off, after sequence `after`, oldest first; empty when there are none.
    ///
    /// # Errors
    /// When the bank cannot be asked.
    fn struck_off(&self, after: u64) -> Result<Vec<StruckOff>, BankError>;

    /// Headers after sequence `after`, and the newest manifest.
    ///
    /// # Errors
    /// When the bank cannot be asked.
    fn manifests(&self, after: u64) -> Result<Manifests, BankError>;

    /// Pages of the revocation list (CBOR) signed after sequence `after`, oldest first.
    ///
    /// # Errors
    /// When the bank cannot be asked.
    fn revocations(&self, after: u64) -> Result<Vec<Vec<u8>>, BankError>;

    /// What the PSP's reserve holds.
    ///
    /// # Errors
    /// When the bank cannot be asked.
    fn reserve(&self) -> Result<Amount, BankError>;
}

/// Why the bank did not do what it was asked.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum BankError {
    /// The bank said no, and nothing happened.
    #[error("the bank refused: {detail}")]
    Refused {
        /// Why.
        refusal: Refusal,
        /// The bank's words.
        detail: String,
    },
    /// There is no answer, or none that lasts: what happened is not known. Ask again under the same name.
    #[error("the bank cannot be reached: {0}")]
    Unavailable(String),
}

/// Why the bank said no.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The identity is registered already.
    DeviceKnown,
    /// The identity is none.
    DeviceInvalid,
    /// The device is struck off.
    DeviceStruckOff,
    /// Another PSP has the person.
    PersonElsewhere,
    /// The registry of persons is not kept under this pepper.
    PepperDiffers,
    /// A class is not issued now.
    ClassNotIssued,
    /// There is no such batch.
    BatchUnknown,
    /// The batch is void.
    BatchVoid,
    /// The batch was answered.
    BatchAnswered,
    /// The batch was answered for other challenges.
    OtherChallenges,
    /// The challenges are not canonical, or not one for each session.
    ChallengesInvalid,
    /// The batch was answered and acknowledged.
    BatchErased,
    /// The batch was not answered yet.
    BatchOpen,
    /// The reserve does not cover it.
    ReserveTooLow,
    /// There is no such PSP.
    PspUnknown,
    /// Nothing was left for this request.
    PaymentNotFound,
    /// The payment breaks a rule.
    PaymentInvalid,
    /// Anything else.
    Other,
}

impl BankError {
    /// Why the bank said no, if it did.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            Self::Unavailable(_) => None,
        }
    }
}

/// The bank's commitment for one note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// The class of the note.
    pub class_id: ClassId,
    /// `rnd ‖ a ‖ b1 ‖ b2`.
    pub commitment: [u8; 128],
}

/// Where a batch stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchStanding {
    /// The bank never heard of it.
    Unknown,
    /// Not answered.
    Open,
    /// Answered; the reserve was debited.
    Answered,
    /// Never answered, and never will be.
    Void,
}

/// What is to be redeemed, and to where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redemption {
    /// The PSP of the account.
    pub psp: String,
    /// The account.
    pub account: String,
    /// Chains (CBOR), each with its redeeming transfer last.
    pub chains: Vec<Vec<u8>>,
}

/// What became of one chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RedemptionResult {
    /// The amount credited.
    Credited(Amount),
    /// Nothing was credited.
    Refused {
        /// A stable code.
        code: String,
        /// What happened.
        detail: String,
    },
}

/// A claim on something that a lost device held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restitution {
    /// The note, or the blank that owns the output.
    pub note_id: [u8; 32],
    /// What it is worth.
    pub amount: Amount,
    /// Last moment at which others may redeem it.
    pub deadline: Timestamp,
    /// The account that is paid then.
    pub account: String,
    /// What became of it.
    pub state: RestitutionState,
}

/// What became of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestitutionState {
    /// Nobody has redeemed it so far, and somebody still may.
    Open,
    /// It was paid.
    Paid,
    /// Somebody else redeemed it, or paid with it.
    Void,
}

/// What became of one holding of a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RestitutionResult {
    /// It is claimed.
    Claimed(Restitution),
    /// It is not.
    Refused {
        /// A stable code.
        code: String,
        /// What happened.
        detail: String,
    },
}

/// A payment to an account at another PSP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReserveTransfer<'a> {
    /// Names it.
    pub id: OperationId,
    /// The payer's account.
    pub from_account: &'a str,
    /// The payee's PSP.
    pub to_psp: &'a str,
    /// The payee's account.
    pub to_account: &'a str,
    /// So much.
    pub amount: Amount,
    /// What it is for.
    pub reference: &'a str,
}

/// Money that the bank put into the reserve for an account of this PSP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credit {
    /// Counts the credits of this PSP.
    pub sequence: u64,
    /// The account; it may not exist.
    pub account: String,
    /// So much.
    pub amount: Amount,
    /// Where it comes from.
    pub origin: CreditOrigin,
    /// What it is for.
    pub reference: String,
}

/// Where a credit comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CreditOrigin {
    /// Notes were redeemed, or something unclaimed fell back.
    Redemption,
    /// Nobody redeemed what a lost device held.
    Restitution,
    /// A payment from another PSP.
    Transfer,
}

/// A device struck off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StruckOff {
    /// Counts evidence.
    pub sequence: u64,
    /// `U`.
    pub identity: [u8; 32],
}

/// What the bank publishes of its manifests.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Manifests {
    /// Signed headers, oldest first.
    pub headers: Vec<SignedHeader>,
    /// The newest manifest (CBOR).
    pub manifest: Option<Vec<u8>>,
}

/// A header and its signature, as published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedHeader {
    /// `manifest-header` (CBOR).
    pub header: Vec<u8>,
    /// By the root key.
    pub signature: [u8; 64],
}
