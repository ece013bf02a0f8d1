//! What functions return, and why.

use specie_embedded::failure::Failure;

/// What a function returns. A number never changes its meaning; a later version may add some.
///
/// From `SPECIE_ERROR_NO_WALLET` on it is the wallet that says no, and `specie_failure` has the reason in full. Below,
/// the library was called wrongly or cannot be called now. Whatever is returned, no money moved, unless
/// `specie_money_moved` says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Error {
    /// It was done.
    Ok = 0,
    /// A pointer is null, or not aligned for what it points to.
    Pointer = 1,
    /// An argument is out of its range, or text is not UTF-8.
    Argument = 2,
    /// The buffer is too small: nothing was written to it, and the length that is needed to where the length goes.
    Capacity = 3,
    /// The device or chip is in the middle of a call: it was called from one of its own callbacks, or by two threads at
    /// once.
    Busy = 4,
    /// The library has a defect, and stopped in the middle of a call. The handle can only be closed; what the device
    /// stored is there when it is opened again.
    Broken = 5,
    /// `specie_start` was not called, or its arena is of no use.
    NotStarted = 6,
    /// A synchronisation or an enrolment is under way.
    UnderWay = 7,
    /// There is nothing there: an index behind the end, no errand, no event, no report.
    Nothing = 8,
    /// There is no wallet in the flash: `specie_create` makes one.
    NoWallet = 16,
    /// The flash failed, is full, unfit or damaged.
    Storage = 17,
    /// The secure element could not be reached, or refused.
    Element = 18,
    /// The secure element wants the PIN first, or has blocked it.
    Pin = 19,
    /// The noise source failed its test.
    Randomness = 20,
    /// A message is not what was expected, or of no known version.
    Message = 21,
    /// The PSP could not be reached, or its answer makes no sense.
    Psp = 22,
    /// A rule of the money, or the other side, says no.
    Refused = 23,
}

/// Why an operation did not happen.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It was called wrongly.
    Border(Error),
    /// The wallet says no.
    Failure(Failure),
}

/// Codes of failures with a number of their own; every other one is [`Error::Refused`].
const CLASSES: &[(Error, &[&str])] = &[
    (Error::NoWallet, &["no-wallet"]),
    (
        Error::Storage,
        &["storage-full", "storage-unfit", "storage-failed", "memory-full", "damaged-wallet", "unknown-wallet-version"],
    ),
    (
        Error::Element,
        &[
            "another-element",
            "element-unreachable",
            "element-nonsense",
            "element-refused",
            "element-refused-proof",
            "element-full",
            "element-flash-failed",
            "element-entropy-failed",
            "element-manifest-ahead",
            "element-holds-newer",
            "element-does-not-know-note",
        ],
    ),
    (Error::Pin, &["pin-needed", "pin-blocked"]),
    (Error::Randomness, &["no-entropy"]),
    (Error::Message, &["malformed", "unexpected-message"]),
    (Error::UnderWay, &["busy"]),
    (Error::Psp, &["psp-unreachable", "wrong-answer", "redemption-undecided"]),
];

impl Error {
    /// All of them.
    pub(crate) const ALL: &[Self] = &[
        Self::Ok,
        Self::Pointer,
        Self::Argument,
        Self::Capacity,
        Self::Busy,
        Self::Broken,
        Self::NotStarted,
        Self::UnderWay,
        Self::Nothing,
        Self::NoWallet,
        Self::Storage,
        Self::Element,
        Self::Pin,
        Self::Randomness,
        Self::Message,
        Self::Psp,
        Self::Refused,
    ];

    /// A stable code for machines, in lower case with hyphens.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pointer => "bad-pointer",
            Self::Argument => "bad-argument",
            Self::Capacity => "buffer-too-small",
            Self::Busy => "called-within-a-call",
            Self::Broken => "defect",
            Self::NotStarted => "not-started",
            Self::UnderWay => "busy",
            Self::Nothing => "nothing-there",
            Self::NoWallet => "no-wallet",
            Self::Storage => "storage-failed",
            Self::Element => "element-refused",
            Self::Pin => "pin-needed",
            Self::Randomness => "no-entropy",
            Self::Message => "malformed",
            Self::Psp => "psp-unreachable",
            Self::Refused => "refused",
        }
    }

    /// What happened.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Ok => "it was done",
            Self::Pointer => "a pointer is null or not aligned",
            Self::Argument => "an argument is out of its range",
            Self::Capacity => "the buffer is too small",
            Self::Busy => "a function was called from a callback, or by two threads at once",
            Self::Broken => "the library has a defect and stopped in the middle of a call",
            Self::NotStarted => "the library was not given its memory",
            Self::UnderWay => "a synchronisation or an enrolment is under way",
            Self::Nothing => "there is nothing there",
            Self::NoWallet => "there is no wallet",
            Self::Storage => "the flash failed or is full",
            Self::Element => "the secure element could not be reached, or refused",
            Self::Pin => "the secure element wants the PIN",
            Self::Randomness => "the noise source failed its test",
            Self::Message => "the message is not what was expected",
            Self::Psp => "the PSP could not be reached, or its answer makes no sense",
            Self::Refused => "it was refused",
        }
    }

    /// What to do about it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Ok => "go on",
            Self::Pointer | Self::Argument => "correct the program that calls",
            Self::Capacity => "do the same with a buffer of the length that was told",
            Self::Busy => "call when the function before has returned",
            Self::Broken => "close the device and open it again: what it stored is kept",
            Self::NotStarted => "call specie_start once, first of all, with an arena",
            Self::UnderWay => "wait until it is done, or give it up",
            Self::Nothing => "ask for something that is there",
            Self::NoWallet => "make a wallet first",
            _ => "ask specie_failure for the reason",
        }
    }
}

impl Fault {
    /// The number by which it is returned.
    pub(crate) fn number(&self) -> Error {
        match self {
            Self::Border(error) => *error,
            Self::Failure(failure) => {
                let class = CLASSES.iter().find(|(_, codes)| codes.contains(&failure.code));
                class.map_or(Error::Refused, |(error, _)| *error)
            }
        }
    }

    /// The reason in full.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Border(error) => error.into(),
            Self::Failure(failure) => failure,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { code: error.code(), what: error.what().into(), advice: error.advice(), money_moved: false }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Border(error)
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(code: &'static str) -> Error {
        Fault::Failure(Failure { code, what: "".into(), advice: "", money_moved: true }).number()
    }

    #[test]
    fn failures_have_the_number_of_their_class() {
        assert_eq!(number("no-wallet"), Error::NoWallet);
        assert_eq!(number("storage-full"), Error::Storage);
        assert_eq!(number("pin-blocked"), Error::Pin);
        assert_eq!(number("over-payment-limit"), Error::Refused);
        assert_eq!(number("something-new"), Error::Refused);
    }

    #[test]
    fn no_code_is_in_two_classes() {
        let mut codes: std::vec::Vec<_> = CLASSES.iter().flat_map(|(_, codes)| codes.iter()).collect();
        let length = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), length);
    }
}
