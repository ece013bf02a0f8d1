//! Errands: requests to the PSP that whoever has a network carries there, and the answers that it brings back.
//!
//! The device makes and signs the whole HTTP request; who carries it can lose, repeat or withhold it, and read what the PSP
//! reads, but change nothing.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_api::authorization::{Authorize, Device as Signer, Headers, SigningError, Unsigned};
use specie_api::idempotency::{self, Key};
use specie_api::problem::Code;
use specie_api::psp;
use specie_core::Timestamp;
use specie_wallet::element::Element;

use crate::answers::{FromJson, Problem};
use crate::device::{Device, Done, Random};
use crate::failure::Failure;
use crate::json::{Json, NotJson, Object};
use crate::owner::ANSWER_TOO_LONG;

/// A request to the PSP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// Names and values of headers.
    pub headers: Headers,
    /// JSON; empty for `GET`.
    pub body: Vec<u8>,
}

/// What came of an errand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// HTTP status; 0 where the PSP was not reached, or did not answer.
    pub status: u16,
    /// What the PSP answered.
    pub body: &'a [u8],
}

/// Why an errand has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The PSP was not reached, or what came back is no answer of a PSP.
    NoAnswer(Failure),
    /// The PSP says no.
    Problem(Box<Problem>),
}

impl Errand {
    /// Reads what anybody may read.
    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self { method: "GET", target: target.into(), headers: Headers::new(), body: Vec::new() }
    }

    /// Asks for something to be done, once for each `key`, unsigned.
    pub(crate) fn post(target: impl Into<String>, key: &Key, body: Object) -> Self {
        let body = body.done();
        let headers = alloc::vec![
            ("content-type", "application/json".to_owned()),
            (idempotency::HEADER, key.as_str().to_owned()),
        ];
        Self { method: "POST", target: target.into(), headers, body }
    }

    /// Has the element sign it, at the PSP's time.
    pub(crate) fn signed<F: NorFlash, E: Element, R: Random>(
        mut self,
        device: &mut Device<F, E, R>,
        now: Timestamp,
    ) -> Done<Self> {
        let key = self.headers.iter().find(|(name, _)| *name == idempotency::HEADER);
        let key = key.map(|(_, key)| key.clone()).unwrap_or_default();
        let unsigned = Unsigned { method: self.method, target: &self.target, key: &key, body: &self.body };
        let (name, wallet, element) = (device.wallet.device(), &device.wallet, &mut device.element);
        let mut fault = None;
        let sign = |digest: &[u8; 32]| {
            wallet.sign_device_request(digest, &mut *element).map_err(|error| {
                fault = Some(error.clone());
                SigningError::from(error)
            })
        };
        match (Signer { key: name, now, sign }).authorize(&unsigned) {
            Ok(headers) => self.headers.extend(headers),
            Err(error) => {
                return Err(
                    fault.map_or_else(|| Failure::new("unsigned", &error.to_string(), "try again"), Failure::from)
                );
            }
        }
        Ok(self)
    }
}

impl Answer<'_> {
    /// The result, read.
    pub(crate) fn read<A: FromJson>(&self) -> Result<A, Refusal> {
        if self.status == 0 {
            return Err(Refusal::NoAnswer(unreachable_psp()));
        }
        if self.status == ANSWER_TOO_LONG {
            let what = "the PSP answered more than this device can take in at once";
            let advice = "the rest of the synchronisation was done; a bank with fewer living classes suits this device";
            return Err(Refusal::NoAnswer(Failure::new("answer-too-long", what, advice)));
        }
        if (200..300).contains(&self.status) {
            return Json::read(self.body, A::read).map_err(|NotJson| Refusal::NoAnswer(garbled()));
        }
        match Json::read(self.body, Problem::read) {
            Ok(problem) => Err(Refusal::Problem(Box::new(problem))),
            Err(NotJson) => Err(Refusal::NoAnswer(garbled())),
        }
    }
}

impl Refusal {
    /// Whether the PSP says no for this reason.
    pub(crate) fn is(&self, code: &Code) -> bool {
        matches!(self, Self::Problem(problem) if problem.code == code.name)
    }

    /// Whether the PSP says no for good.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Problem(problem) if !problem.retry)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let problem = match refusal {
            Refusal::NoAnswer(failure) => return failure,
            Refusal::Problem(problem) => problem,
        };
        let known = NAMES.iter().find(|name| **name == problem.code);
        Self {
            code: known.copied().unwrap_or("psp-refused"),
            what: problem.detail,
            advice: if problem.retry { "try again later" } else { "ask the PSP" },
            money_moved: problem.money_moved,
        }
    }
}

/// Codes that a PSP may give.
const NAMES: [&str; psp::CODES.len()] = {
    let mut names = [""; psp::CODES.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = psp::CODES[at].name;
        at += 1;
    }
    names
};

/// Whether nothing else can work either.
pub(crate) fn ends_everything(failure: &Failure) -> bool {
    ["psp-unreachable", "storage-failed", "element-unreachable", "another-element", "device-unknown", "device-blocked"]
        .contains(&failure.code)
}

fn unreachable_psp() -> Failure {
    Failure::new("psp-unreachable", "the PSP cannot be reached", "do the same again later: what was begun goes on then")
}

pub(crate) fn garbled() -> Failure {
    Failure::new("wrong-answer", "the PSP's answer makes no sense", "try again, or ask the PSP")
}
