//! A blocking HTTP client that tells "the server said no" from "no answer": only after the second may something have
//! happened, and the same request with the same key finds out.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::{Request, Response};

use crate::authorization::{Authorize, SigningError, Unsigned};
use crate::idempotency::{self, Key};
use crate::media::Media;
use crate::problem::{self, Problem};

/// The largest answer that a client reads, in bytes.
pub const ANSWER_LENGTH_MAX: u64 = 16 << 20;

/// How long a client waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For everything, from the connection to the last byte of the answer.
    pub total: Duration,
    /// For a server that says that it has too much to do and when to come again: all pauses together.
    pub pauses: Duration,
}

/// Talks to one server.
#[derive(Clone, Debug)]
pub struct Http {
    agent: Agent,
    origin: String,
    pauses: Duration,
    media: Media,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The server said no: the request had no effect, and, unless the problem says `retry`, never will have one.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// There is no answer that makes sense. The request may have had its effect: repeat it with the same key.
    #[error("no answer ({reason}); repeat the same request with the same idempotency key to learn whether it was done")]
    NoAnswer {
        /// What went wrong, for people.
        reason: String,
    },
    /// The connection was not made: nothing was sent.
    #[error("the server cannot be reached ({reason}); nothing was sent and no money moved; try again when it can be")]
    Unreachable {
        /// What went wrong, for people.
        reason: String,
    },
    /// Whoever should sign did not: nothing was sent.
    #[error("the request could not be signed; nothing was sent and no money moved: {0}")]
    Unsigned(#[source] SigningError),
}

/// An address is not one of a server that this client can speak to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadAddress {
    /// It is no address.
    #[error("`{0}` is not the address of a server; give one such as http://127.0.0.1:7001")]
    Malformed(String),
    /// It asks for TLS.
    #[error("`{0}`: this program speaks no TLS of its own; give the http address of a tunnel that does (stunnel, ssh)")]
    Tls(String),
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(30), pauses: Duration::from_secs(10) }
    }
}

impl CallError {
    /// The problem, when the server said no.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether the server said no for this reason.
    pub fn is(&self, code: &problem::Code) -> bool {
        self.problem().is_some_and(|problem| problem.is(code))
    }

    /// Whether the same request, with the same key, is worth sending again.
    pub fn may_retry(&self) -> bool {
        match self {
            Self::Refused(problem) => problem.retry,
            Self::NoAnswer { .. } | Self::Unreachable { .. } => true,
            Self::Unsigned(_) => false,
        }
    }
}

impl Http {
    /// A client of the server at `address`, such as `http://127.0.0.1:7001`, perhaps with a path that comes before all
    /// others.
    ///
    /// # Errors
    /// When `address` is no such thing.
    pub fn new(address: &str, timeouts: Timeouts) -> Result<Self, BadAddress> {
        let origin = address.trim_end_matches('/');
        if origin.starts_with("https://") {
            return Err(BadAddress::Tls(address.into()));
        }
        let rest = origin.strip_prefix("http://").unwrap_or_default();
        let host = rest.split('/').next().unwrap_or_default();
        let plain = origin.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@".contains(&byte));
        if host.is_empty() || !plain {
            return Err(BadAddress::Malformed(address.into()));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(timeouts.connect))
            .timeout_global(Some(timeouts.total))
            .user_agent(concat!("specie/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { agent: config.into(), origin: origin.into(), pauses: timeouts.pauses, media: Media::Json })
    }

    /// The same, with bodies written as `media`.
    #[must_use]
    pub fn speaking(self, media: Media) -> Self {
        Self { media, ..self }
    }

    /// The address of the server.
    pub fn address(&self) -> &str {
        &self.origin
    }

    /// Reads what is at `target`, which is path and query.
    ///
    /// # Errors
    /// When the server says no or nothing.
    pub fn get<A: DeserializeOwned>(&self, target: &str, who: &mut dyn Authorize) -> Result<A, CallError> {
        self.call(&Unsigned { method: "GET", target, key: "", body: b"" }, who)
    }

    /// Asks for something to be done, once for each `key`.
    ///
    /// # Errors
    /// When the server says no or nothing.
    pub fn post<A: DeserializeOwned>(
        &self,
        target: &str,
        key: &Key,
        body: &impl Serialize,
        who: &mut dyn Authorize,
    ) -> Result<A, CallError> {
        let body = self.media.write(body).expect("the types of this crate can be written");
        self.call(&Unsigned { method: "POST", target, key: key.as_str(), body: &body }, who)
    }

    /// Carries a request that somebody else made and signed; gives status and body of the answer, `None` where there is none.
    pub fn relay<'h>(
        &self,
        method: &str,
        target: &str,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
        body: &[u8],
    ) -> Option<(u16, Vec<u8>)> {
        // Whoever made it must not choose another server.
        if !target.starts_with('/') || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let target = format!("{}{target}", self.origin);
        let mut request = Request::builder().method(method).uri(target).header("accept", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = match method {
            "GET" => self.agent.run(request.body(()).ok()?),
            _ => self.agent.run(request.body(body).ok()?),
        };
        let mut response = response.ok()?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(ANSWER_LENGTH_MAX).read_to_vec().ok()?;
        Some((status, body))
    }

    /// Sends what the caller made, and again, with the same key, when the server says that it has too much to do: as often as its
    /// pauses fit into the client's.
    fn call<A: DeserializeOwned>(&self, unsigned: &Unsigned<'_>, who: &mut dyn Authorize) -> Result<A, CallError> {
        let headers = who.authorize(unsigned).map_err(CallError::Unsigned)?;
        let mut left = self.pauses;
        loop {
            let response = self.deliver(unsigned, &headers)?;
            let pause = pause(&response).map(|pause| pause + jitter());
            let Some(still_left) = pause.and_then(|pause| left.checked_sub(pause)) else { return read(response) };
            std::thread::sleep(left - still_left);
            left = still_left;
        }
    }

    /// Sends the request, and once more if the first connection failed after it was made: a server closes idle
    /// connections at any time.
    fn deliver(
        &self,
        unsigned: &Unsigned<'_>,
        headers: &[(&'static str, String)],
    ) -> Result<Response<ureq::Body>, CallError> {
        let send = || self.send(unsigned, headers);
        match send() {
            // The first may have arrived: whatever becomes of the second, it is not known that nothing was sent.
            Err(ureq::Error::Io(error)) if error.kind() != std::io::ErrorKind::ConnectionRefused => {
                send().map_err(|error| CallError::NoAnswer { reason: error.to_string() })
            }
            first => first.map_err(unanswered),
        }
    }

    fn send(
        &self,
        unsigned: &Unsigned<'_>,
        headers: &[(&'static str, String)],
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let target = format!("{}{}", self.origin, unsigned.target);
        let mut request = Request::builder().method(unsigned.method).uri(target).header("accept", self.media.name());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if unsigned.method == "GET" {
            return self.agent.run(request.body(())?);
        }
        let request = request.header("content-type", self.media.name()).header(idempotency::HEADER, unsigned.key);
        self.agent.run(request.body(unsigned.body)?)
    }
}

/// When to come again, where the server did nothing and says so.
fn pause(response: &Response<ureq::Body>) -> Option<Duration> {
    if ![problem::OVERLOADED.status, problem::RATE_LIMITED.status].contains(&response.status().as_u16()) {
        return None;
    }
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Up to a second, so that those who were sent away together do not come together.
fn jitter() -> Duration {
    Duration::from_millis(u64::from(getrandom::u32().unwrap_or_default()) % 1_000)
}

fn read<A: DeserializeOwned>(mut response: Response<ureq::Body>) -> Result<A, CallError> {
    let status = response.status();
    let garbled = |reason: String| CallError::NoAnswer { reason };
    let body = response.body_mut().with_config().limit(ANSWER_LENGTH_MAX).read_to_vec();
    let body = body.map_err(|error| garbled(error.to_string()))?;
    if status.is_success() {
        let said = response.headers().get("content-type").and_then(|said| said.to_str().ok());
        let media = said.and_then(Media::of).unwrap_or_default();
        return media.read(&body).map_err(|error| garbled(format!("the answer makes no sense: {error}")));
    }
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Err(CallError::Refused(Box::new(problem))),
        Err(_) => Err(garbled(format!("status {status} without a problem; is this a Specie server?"))),
    }
}

fn unanswered(error: ureq::Error) -> CallError {
    let reason = error.to_string();
    let before_sending = match &error {
        ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        ureq::Error::Timeout(timeout) => matches!(timeout, ureq::Timeout::Connect | ureq::Timeout::Resolve),
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::BadUri(_) | ureq::Error::Tls(_) => {
            true
        }
        _ => false,
    };
    if before_sending { CallError::Unreachable { reason } } else { CallError::NoAnswer { reason } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_is_no_address() {
        for wrong in
            ["", "localhost", "ftp://x", "http://", "http:///v1", "http://a b", "http://user@host", "http://h?q"]
        {
            assert!(Http::new(wrong, Timeouts::default()).is_err(), "{wrong}");
        }
        assert!(matches!(Http::new("https://psp.example", Timeouts::default()), Err(BadAddress::Tls(_))));
        let http = Http::new("http://127.0.0.1:1/", Timeouts::default()).unwrap();
        assert_eq!(http.address(), "http://127.0.0.1:1");
    }
}
