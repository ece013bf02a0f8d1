//! What the owner of a device is told when something did not happen.

use std::borrow::Cow;
use std::fmt;

use specie_api::client::{BadAddress, CallError};
use specie_element::client::ElementError;
use specie_wallet::WalletError;
use specie_wallet::element::ElementFault;

use crate::element::{DeviceElementError, ElementProcessError, FlashFileError};
use crate::entropy::EntropyError;
use crate::folder::FolderError;
use crate::maker::PersonaliseError;
use crate::wallet_file::WalletFileError;

/// Something that did not happen: a stable code for machines, what happened, whether money moved, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    code: Cow<'static, str>,
    what: String,
    advice: Cow<'static, str>,
    reach: Reach,
    in_doubt: bool,
}

/// Code of a request that may have arrived, and of which no answer came.
const NO_ANSWER: &str = "no-answer";
/// Code of a request that was not sent.
const UNREACHABLE: &str = "psp-unreachable";

/// How much a failure makes impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The operation.
    Operation,
    /// Everything that needs the PSP.
    Network,
    /// Everything that changes the wallet.
    Storage,
}

impl Failure {
    /// A failure of `code`, with `what` happened and `advice` on what to do.
    pub fn new(code: &'static str, what: impl Into<String>, advice: &'static str) -> Self {
        Self { code: code.into(), what: what.into(), advice: advice.into(), reach: Reach::Operation, in_doubt: false }
    }

    /// A stable code, in lower case with hyphens.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What happened.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it.
    pub fn advice(&self) -> &str {
        &self.advice
    }

    /// Whether money moved: it did not, or (`None`) nobody knows yet; the same again finds out, and moves nothing twice.
    pub const fn money_moved(&self) -> Option<bool> {
        if self.in_doubt { None } else { Some(false) }
    }

    /// Whether the PSP heard nothing of what was to be done, this time.
    pub(crate) fn nothing_was_sent(&self) -> bool {
        self.code == UNREACHABLE
    }

    /// Of something that moves money: once it was sent, nobody knows without an answer whether it moved.
    pub(crate) fn of_money(self) -> Self {
        if self.nothing_was_sent() { self } else { self.halfway() }
    }

    /// Of something that was sent before, or of which a part may be done.
    pub(crate) fn halfway(self) -> Self {
        let in_doubt = self.in_doubt || self.ends_everything();
        Self { in_doubt, ..self }
    }

    /// Of making a device: its chip is of no use to another one now.
    pub(crate) fn with_spent_chip(self) -> Self {
        let what = format!("the chip was personalised, which cannot be undone, but {}", self.what);
        Self { what, advice: "make the chip fresh as in the factory, or use another one".into(), ..self }
    }

    /// Whether the PSP could not be reached: everything that is possible offline still is.
    pub const fn is_offline(&self) -> bool {
        matches!(self.reach, Reach::Network)
    }

    /// Whether the next part of what was begun cannot work either.
    pub(crate) const fn ends_everything(&self) -> bool {
        !matches!(self.reach, Reach::Operation)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let money = if self.in_doubt { "whether money moved is not known yet" } else { "no money moved" };
        write!(f, "{} ({}); {money}; {}", self.what, self.code, self.advice)
    }
}

impl std::error::Error for Failure {}

/// Failures of the wallet say themselves what is to be told.
macro_rules! from_wallet_errors {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.code(), error.to_string(), error.advice())
            }
        }
    )*};
}

from_wallet_errors!(
    specie_wallet::element::ElementFault,
    specie_wallet::mandate::MandateError,
    specie_wallet::mandate::MandatedPaymentError,
    specie_wallet::payment::PaymentError,
    specie_wallet::payment::ReceiptError,
    specie_wallet::publication::PublicationError,
    specie_wallet::reception::ReceptionError,
    specie_wallet::request::RequestError,
    specie_wallet::synchronisation::RedemptionError,
    specie_wallet::wallet::LoadError,
    specie_wallet::withdrawal::WithdrawalError,
);

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(problem) => Self {
                code: problem.code.into(),
                what: format!("{}: {}", problem.title, problem.detail),
                // Devices keep their keys themselves.
                advice: problem.advice.replace(" with the same idempotency key", "").into(),
                reach: Reach::Operation,
                in_doubt: problem.money_moved,
            },
            CallError::NoAnswer { reason } => Self {
                reach: Reach::Network,
                ..Self::new(
                    NO_ANSWER,
                    format!("the PSP did not answer ({reason})"),
                    "do the same again: it is done once; if it goes on, check the PSP's address in device.toml",
                )
            },
            CallError::Unreachable { reason } => Self {
                reach: Reach::Network,
                ..Self::new(
                    UNREACHABLE,
                    format!("the PSP cannot be reached ({reason})"),
                    "try again when there is a network; paying and receiving work without",
                )
            },
            CallError::Unsigned(error) => match error.downcast::<ElementFault>() {
                Ok(fault) => (*fault).into(),
                Err(error) => Self::new("not-signed", error.to_string(), "do the same again"),
            },
            other => Self::new("call-failed", other.to_string(), "do the same again"),
        }
    }
}

impl From<BadAddress> for Failure {
    fn from(error: BadAddress) -> Self {
        Self::new("bad-address", error.to_string(), "correct the address of the PSP (--psp, later in device.toml)")
    }
}

impl From<WalletFileError> for Failure {
    fn from(error: WalletFileError) -> Self {
        let (code, advice) = match &error {
            WalletFileError::InUse(_) => ("wallet-in-use", "wait until the other process ends, or end it"),
            WalletFileError::NotOpened { .. } => ("wallet-not-opened", "check the path, or restore the file"),
            WalletFileError::Failed { .. } => ("wallet-not-stored", "make room on the disk and do the same again"),
            WalletFileError::Behind(_) => ("wallet-behind", "start the program again"),
        };
        Self { reach: Reach::Storage, ..Self::new(code, error.to_string(), advice) }
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let (code, advice) = match &error {
            FolderError::Exists(_) => ("folder-exists", "choose another folder, or use the device in it"),
            FolderError::Missing(_) => ("no-device", "make a device first, or name its folder"),
            FolderError::Config { .. } => ("bad-configuration", "correct the file"),
            FolderError::Io { .. } => ("folder-not-accessible", "check path and permissions"),
        };
        Self::new(code, error.to_string(), advice)
    }
}

impl From<FlashFileError> for Failure {
    fn from(error: FlashFileError) -> Self {
        Self::new("flash-not-opened", error.to_string(), "check path and permissions")
    }
}

impl From<EntropyError> for Failure {
    fn from(error: EntropyError) -> Self {
        Self::new("no-randomness", error.to_string(), "repair the operating system")
    }
}

impl From<ElementProcessError> for Failure {
    fn from(error: ElementProcessError) -> Self {
        ElementFault::Unreachable(error.to_string()).into()
    }
}

impl From<DeviceElementError> for Failure {
    fn from(error: DeviceElementError) -> Self {
        ElementFault::Unreachable(error.to_string()).into()
    }
}

impl<E: fmt::Display> From<ElementError<E>> for Failure {
    fn from(error: ElementError<E>) -> Self {
        ElementFault::from(error).into()
    }
}

impl<E: fmt::Display> From<PersonaliseError<E>> for Failure {
    fn from(error: PersonaliseError<E>) -> Self {
        match error {
            PersonaliseError::Element(error) => error.into(),
            PersonaliseError::Entropy(error) => error.into(),
            PersonaliseError::NotFresh => Self::new(
                "element-not-fresh",
                "the element was personalised before or wiped, and stays as it is",
                "take one that is fresh from the factory; if this one belongs to a device, use that device",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use specie_api::problem::Problem;
    use specie_api::psp;

    use super::*;

    #[test]
    fn a_refusal_keeps_the_servers_code_and_advice() {
        let problem = Problem::new(&psp::BALANCE, "12.00 asked, 3.00 there");
        let failure = Failure::from(CallError::Refused(Box::new(problem)));
        assert_eq!(failure.code(), "insufficient-balance");
        assert_eq!(failure.advice(), psp::BALANCE.advice);
        assert!(failure.what().contains("3.00 there") && !failure.is_offline());
        assert_eq!(failure.of_money().money_moved(), Some(false));
        let busy = Failure::from(CallError::Refused(Box::new(Problem::new(&specie_api::problem::INTERNAL, "x"))));
        assert!(!busy.advice().contains("key"), "{busy}");
    }

    #[test]
    fn what_the_element_says_when_signing_is_not_lost() {
        let fault = ElementFault::Refused(specie_element::status::StatusWord::PIN_NEEDED);
        let failure = Failure::from(CallError::Unsigned(Box::new(fault)));
        assert_eq!(failure.code(), "pin-needed");
        assert!(Failure::from(CallError::NoAnswer { reason: "x".into() }).is_offline());
    }

    #[test]
    fn nobody_is_told_that_no_money_moved_while_nobody_knows() {
        let unanswered = Failure::from(CallError::NoAnswer { reason: "x".into() });
        assert_eq!(unanswered.money_moved(), Some(false), "a question moves nothing");
        let unanswered = unanswered.of_money();
        assert_eq!(unanswered.money_moved(), None);
        assert!(unanswered.to_string().contains("not known"), "{unanswered}");
        let unreachable = Failure::from(CallError::Unreachable { reason: "x".into() });
        assert_eq!(unreachable.clone().of_money().money_moved(), Some(false));
        assert_eq!(unreachable.halfway().money_moved(), None);
    }
}
