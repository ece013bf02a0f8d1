//! Problems (RFC 9457): why a server said no, in a form for machines and for people.

use alloc::format;
use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

/// The media type of problems.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What comes before a code in a problem's `type`.
pub const TYPE_PREFIX: &str = "urn:specie:problem:";

/// A kind of problem. Codes never change their meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// The stable name, such as `idempotency-conflict`.
    pub name: &'static str,
    /// The HTTP status that it comes with.
    pub status: u16,
    /// What happened, in general.
    pub title: &'static str,
    /// What the one who asked can do about it.
    pub advice: &'static str,
    /// Whether the same request, with the same idempotency key, may succeed later.
    pub retry: bool,
}

/// Why a request was not fulfilled. Whatever the problem, no money moved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// [`TYPE_PREFIX`] and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, in general.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened in this case.
    pub detail: String,
    /// The name of the [`Code`].
    pub code: String,
    /// What to do.
    pub advice: String,
    /// Whether money moved: never, on a problem.
    pub money_moved: bool,
    /// Whether the same request, with the same idempotency key, may succeed later.
    pub retry: bool,
}

/// Makes a constant for each code, and `CODES`, the table of all of them.
#[macro_export]
macro_rules! problem_codes {
    ($($(#[$doc:meta])* $constant:ident = $status:literal $name:literal, $title:literal, $advice:literal, retry: $retry:literal;)*) => {
        $($(#[$doc])* pub const $constant: $crate::problem::Code = $crate::problem::Code {
            name: $name,
            status: $status,
            title: $title,
            advice: $advice,
            retry: $retry,
        };)*

        /// All codes of this module.
        pub const CODES: &[$crate::problem::Code] = &[$($constant),*];
    };
}

problem_codes! {
    /// The body or a parameter is not what the interface describes.
    MALFORMED = 400 "malformed-request", "The request is malformed", "correct the request", retry: false;
    /// A mutating request without a usable idempotency key.
    IDEMPOTENCY_KEY = 400 "idempotency-key-missing", "The idempotency key is missing or malformed",
        "send Idempotency-Key with 16 to 64 visible ASCII characters", retry: false;
    /// The signature of the request is missing or wrong.
    UNAUTHENTICATED = 401 "unauthenticated", "The request is not signed by whom it names",
        "sign the request with the key that is enrolled here", retry: false;
    /// The request was signed too long ago, or in the future.
    REQUEST_TIME = 401 "request-time", "The request's time is too far from the server's",
        "set the clock, sign again and repeat with the same idempotency key", retry: true;
    /// Nothing is known under this path or name.
    NOT_FOUND = 404 "not-found", "There is no such thing", "check the address", retry: false;
    /// The path exists, the method does not.
    METHOD = 405 "method-not-allowed", "This path does not take this method", "use the method that the interface describes",
        retry: false;
    /// The request did not come in time.
    TOO_SLOW = 408 "too-slow", "The request came too slowly", "repeat with the same idempotency key", retry: true;
    /// The body is larger than this path takes.
    TOO_LARGE = 413 "too-large", "The request is too large", "send less at once", retry: false;
    /// The body is neither JSON nor CBOR.
    MEDIA_TYPE_UNSUPPORTED = 415 "unsupported-media-type", "The body is neither JSON nor CBOR",
        "send application/json or application/cbor", retry: false;
    /// The idempotency key came before with another request.
    IDEMPOTENCY_CONFLICT = 422 "idempotency-conflict", "The idempotency key was used for another request",
        "use a new key for a new request", retry: false;
    /// Who asks has sent more than it may in this time.
    RATE_LIMITED = 429 "rate-limited", "More requests came than are agreed",
        "repeat the same request with the same idempotency key after the time in Retry-After", retry: true;
    /// The server failed.
    INTERNAL = 500 "internal", "The server failed", "repeat with the same idempotency key later", retry: true;
    /// The server, or one behind it, cannot answer now.
    UNAVAILABLE = 503 "unavailable", "The service is not available now", "repeat with the same idempotency key later",
        retry: true;
    /// The server has more to do than it can; the request was not worked on.
    OVERLOADED = 503 "overloaded", "The service has more to do than it can",
        "repeat the same request with the same idempotency key after the time in Retry-After", retry: true;
    /// A part that the server needs does not answer, or it is stopping: it should be sent nothing now.
    NOT_READY = 503 "not-ready", "The service is not ready", "send requests to another server of the same service", retry: true;
    /// The server did not finish in time; whether the request took effect is found out by repeating it.
    TIMEOUT = 504 "timeout", "The answer took too long", "repeat with the same idempotency key", retry: true;
}

impl Problem {
    /// A problem of kind `code`; `detail` says what happened in this case, without secrets.
    pub fn new(code: &Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("{TYPE_PREFIX}{}", code.name),
            title: code.title.into(),
            status: code.status,
            detail: detail.into(),
            code: code.name.into(),
            advice: code.advice.into(),
            money_moved: false,
            retry: code.retry,
        }
    }

    /// Whether this is a problem of kind `code`.
    pub fn is(&self, code: &Code) -> bool {
        self.code == code.name
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, detail, advice, code, .. } = self;
        let money = if self.money_moved { "money moved" } else { "no money moved" };
        write!(f, "{title}: {detail} ({code}); {money}; {advice}")
    }
}

impl core::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn travels_as_rfc_9457_says() {
        let problem = Problem::new(&NOT_FOUND, "no withdrawal has this name");
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["type"], "urn:specie:problem:not-found");
        assert_eq!(json["status"], 404);
        assert_eq!(json["money_moved"], false);
        assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), problem);
    }
}
