//! Who makes a request: signatures over everything in it that has a meaning.
//!
//! A device's element signs a digest of the request with `A`; a PSP signs with its own key, which the manifest names.
//! Time is an argument here: the caller has the clock.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use specie_core::Timestamp;
use specie_core::hash;
use specie_core::label;
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::Name;

use crate::hexadecimal::{Hex, HexArray};

/// Names the device, by `A` in hexadecimal.
pub const DEVICE_HEADER: &str = "specie-device";
/// Names the PSP: its name in hexadecimal of UTF-8, since headers are ASCII.
pub const PSP_HEADER: &str = "specie-psp";
/// Unix seconds at which the request was signed.
pub const TIME_HEADER: &str = "specie-time";
/// The Ed25519 signature, in hexadecimal.
pub const SIGNATURE_HEADER: &str = "specie-signature";

/// How far the time of a request may be from the server's, in seconds, either way.
pub const TIME_WINDOW_SECONDS: u64 = 600;

/// A request as it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// Path and query, as sent.
    pub target: &'a str,
    /// The idempotency key, empty without one.
    pub key: &'a str,
    /// The body, empty without one.
    pub body: &'a [u8],
}

/// What the headers of a signed request say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signed<W> {
    /// Who says so: a device's [`PublicKey`] or a PSP's [`Name`].
    pub who: W,
    /// When it was signed.
    pub time: Timestamp,
    /// The signature.
    pub signature: [u8; 64],
}

/// Why a request is not taken as signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// A header is missing or malformed.
    #[error("header `{0}` is missing or malformed")]
    Header(&'static str),
    /// The time is too far from the server's.
    #[error("the request's time is more than {TIME_WINDOW_SECONDS} seconds from the server's")]
    Time,
    /// The signature is not by the one named.
    #[error("the signature does not verify")]
    Signature,
}

/// Why a request could not be signed: what the element, or whoever signs, says.
pub type SigningError = Box<dyn core::error::Error + Send + Sync>;

/// Names and values of headers to add to a request.
pub type Headers = Vec<(&'static str, String)>;

/// Whoever can make requests in its own name.
pub trait Authorize {
    /// The headers that make `request` its own.
    ///
    /// # Errors
    /// When whoever signs does not.
    fn authorize(&mut self, request: &Unsigned<'_>) -> Result<Headers, SigningError>;
}

/// Nobody: for what is public.
#[derive(Clone, Copy, Debug)]
pub struct Anonymous;

/// A device, whose element signs: `sign` gets the digest and answers the element's signature (SIGN REQUEST, purpose
/// device request).
pub struct Device<F> {
    /// `A`.
    pub key: PublicKey,
    /// The device's time.
    pub now: Timestamp,
    /// Has the element sign.
    pub sign: F,
}

/// A PSP.
pub struct Psp<'a> {
    /// Its name in the manifest.
    pub name: Name,
    /// Its key.
    pub key: &'a SigningKey,
    /// Its time.
    pub now: Timestamp,
}

impl Unsigned<'_> {
    /// What a device's element signs: `H32("specie/v1/http", method, target, key, time, body)`.
    pub fn device_digest(&self, time: Timestamp) -> [u8; 32] {
        hash::h32(label::HTTP, &self.parts(&time.seconds().to_be_bytes()))
    }

    /// What a server remembers a request by: `H32("specie/v1/http", method, target, key, "", body)`. The same request signed
    /// at another time has the same; an empty time is never signed.
    pub fn fingerprint(&self) -> [u8; 32] {
        hash::h32(label::HTTP, &self.parts(&[]))
    }

    fn parts<'a>(&'a self, time: &'a [u8]) -> [&'a [u8]; 5] {
        [self.method.as_bytes(), self.target.as_bytes(), self.key.as_bytes(), time, self.body]
    }
}

impl Authorize for Anonymous {
    fn authorize(&mut self, _request: &Unsigned<'_>) -> Result<Headers, SigningError> {
        Ok(Headers::new())
    }
}

impl<F: FnMut(&[u8; 32]) -> Result<[u8; 64], SigningError>> Authorize for Device<F> {
    fn authorize(&mut self, request: &Unsigned<'_>) -> Result<Headers, SigningError> {
        let signature = (self.sign)(&request.device_digest(self.now))?;
        Ok(headers(DEVICE_HEADER, HexArray(self.key.0).to_string(), self.now, &signature))
    }
}

impl Authorize for Psp<'_> {
    fn authorize(&mut self, request: &Unsigned<'_>) -> Result<Headers, SigningError> {
        let time = self.now.seconds().to_be_bytes();
        let signature = self.key.sign(label::PSP_REQUEST, &request.parts(&time));
        Ok(headers(PSP_HEADER, Hex::from(self.name.as_str().as_bytes()).to_string(), self.now, &signature))
    }
}

impl Signed<PublicKey> {
    /// What a device's headers say; `header` gives the value of a header, if it is there once.
    ///
    /// # Errors
    /// When a header is missing or malformed.
    pub fn device<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Result<Self, AuthorizationError> {
        let who = header(DEVICE_HEADER).and_then(|text| HexArray::parse(text).ok());
        signed(who.map(|key| PublicKey(key.0)), DEVICE_HEADER, header)
    }

    /// Whether the device signed `request`, with its owner there or without a PIN. The time is for [`Signed::check_time`].
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, request: &Unsigned<'_>) -> Result<(), AuthorizationError> {
        self.verify_under(label::DEVICE_REQUEST, request)
    }

    /// Whether the device signed `request` under its mandate, with nobody there (protocol §7.2).
    ///
    /// # Errors
    /// When it did not.
    pub fn verify_mandated(&self, request: &Unsigned<'_>) -> Result<(), AuthorizationError> {
        self.verify_under(label::MANDATED_REQUEST, request)
    }

    fn verify_under(&self, label: &str, request: &Unsigned<'_>) -> Result<(), AuthorizationError> {
        let digest = request.device_digest(self.time);
        let verified = self.who.verify(label, &[&digest], &self.signature);
        verified.map_err(|_| AuthorizationError::Signature)
    }
}

impl Signed<Name> {
    /// What a PSP's headers say; `header` gives the value of a header, if it is there once.
    ///
    /// # Errors
    /// When a header is missing or malformed.
    pub fn psp<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Result<Self, AuthorizationError> {
        let name = header(PSP_HEADER).and_then(|text| Hex::parse(text).ok());
        let name = name.and_then(|name| Name::new(core::str::from_utf8(&name.0).ok()?));
        signed(name, PSP_HEADER, header)
    }

    /// Whether the PSP of key `key` signed `request`. The time is for [`Signed::check_time`].
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, request: &Unsigned<'_>, key: &PublicKey) -> Result<(), AuthorizationError> {
        let time = self.time.seconds().to_be_bytes();
        let verified = key.verify(label::PSP_REQUEST, &request.parts(&time), &self.signature);
        verified.map_err(|_| AuthorizationError::Signature)
    }
}

impl<W> Signed<W> {
    /// Whether the request was signed about `now`.
    ///
    /// # Errors
    /// When it was not.
    pub fn check_time(&self, now: Timestamp) -> Result<(), AuthorizationError> {
        if self.time.seconds().abs_diff(now.seconds()) <= TIME_WINDOW_SECONDS {
            Ok(())
        } else {
            Err(AuthorizationError::Time)
        }
    }
}

fn headers(who: &'static str, name: String, time: Timestamp, signature: &[u8; 64]) -> Headers {
    vec![(who, name), (TIME_HEADER, time.to_string()), (SIGNATURE_HEADER, HexArray(*signature).to_string())]
}

fn signed<'h, W>(
    who: Option<W>,
    who_header: &'static str,
    header: impl Fn(&str) -> Option<&'h str>,
) -> Result<Signed<W>, AuthorizationError> {
    let who = who.ok_or(AuthorizationError::Header(who_header))?;
    let time = header(TIME_HEADER).and_then(|text| Timestamp::new(text.parse().ok()?));
    let time = time.ok_or(AuthorizationError::Header(TIME_HEADER))?;
    let signature = header(SIGNATURE_HEADER).and_then(|text| HexArray::parse(text).ok());
    let signature = signature.ok_or(AuthorizationError::Header(SIGNATURE_HEADER))?.0;
    Ok(Signed { who, time, signature })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Unsigned<'_> =
        Unsigned { method: "POST", target: "/v1/x?y=1", key: "0123456789abcdef", body: b"{}" };

    fn lookup<'h>(headers: &'h Headers) -> impl Fn(&str) -> Option<&'h str> {
        |name| headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str())
    }

    /// `REQUEST` with one thing changed each.
    fn others() -> [Unsigned<'static>; 5] {
        [
            Unsigned { method: "GET", ..REQUEST },
            Unsigned { target: "/v1/x?y=2", ..REQUEST },
            Unsigned { key: "0123456789abcdeg", ..REQUEST },
            Unsigned { body: b"[]", ..REQUEST },
            Unsigned { body: b"", ..REQUEST },
        ]
    }

    #[test]
    fn a_devices_signature_is_for_one_request() {
        let key = SigningKey::from_seed(&[3; 32]);
        let now = Timestamp::new(1_000).unwrap();
        let sign = |digest: &[u8; 32]| Ok(key.sign(label::DEVICE_REQUEST, &[digest]));
        let headers = Device { key: key.public(), now, sign }.authorize(&REQUEST).unwrap();
        let signed = Signed::device(lookup(&headers)).unwrap();
        assert_eq!(signed.verify(&REQUEST), Ok(()));
        for other in others() {
            assert_eq!(signed.verify(&other), Err(AuthorizationError::Signature), "{other:?}");
        }
        let later = Signed { time: now.saturating_add(1), ..signed };
        assert_eq!(later.verify(&REQUEST), Err(AuthorizationError::Signature));
        let stranger = Signed { who: SigningKey::from_seed(&[4; 32]).public(), ..signed };
        assert_eq!(stranger.verify(&REQUEST), Err(AuthorizationError::Signature));
        // A machine's signature is not its owner's, nor the other way round.
        assert_eq!(signed.verify_mandated(&REQUEST), Err(AuthorizationError::Signature));
        let sign = |digest: &[u8; 32]| Ok(key.sign(label::MANDATED_REQUEST, &[digest]));
        let headers = Device { key: key.public(), now, sign }.authorize(&REQUEST).unwrap();
        let machine = Signed::device(lookup(&headers)).unwrap();
        assert_eq!(machine.verify_mandated(&REQUEST), Ok(()));
        assert_eq!(machine.verify(&REQUEST), Err(AuthorizationError::Signature));
    }

    #[test]
    fn a_psps_signature_is_for_one_request() {
        let key = SigningKey::from_seed(&[3; 32]);
        let (name, now) = (Name::new("Zahlungsdienst Süd").unwrap(), Timestamp::new(1_000).unwrap());
        let headers = Psp { name, key: &key, now }.authorize(&REQUEST).unwrap();
        let signed = Signed::psp(lookup(&headers)).unwrap();
        assert_eq!(signed.who, name);
        assert_eq!(signed.verify(&REQUEST, &key.public()), Ok(()));
        for other in others() {
            assert_eq!(signed.verify(&other, &key.public()), Err(AuthorizationError::Signature), "{other:?}");
        }
        // The two kinds of requests have different labels.
        let device = Signed { who: key.public(), time: signed.time, signature: signed.signature };
        assert_eq!(device.verify(&REQUEST), Err(AuthorizationError::Signature));
    }

    #[test]
    fn the_window_of_time_has_two_ends() {
        let signed = Signed { who: (), time: Timestamp::new(10_000).unwrap(), signature: [0; 64] };
        for (now, inside) in [(9_400, true), (9_399, false), (10_600, true), (10_601, false)] {
            assert_eq!(signed.check_time(Timestamp::new(now).unwrap()).is_ok(), inside, "{now}");
        }
    }

    #[test]
    fn rejects_each_missing_or_malformed_header() {
        let key = SigningKey::from_seed(&[3; 32]);
        let sign = |digest: &[u8; 32]| Ok(key.sign(label::DEVICE_REQUEST, &[digest]));
        let headers = Device { key: key.public(), now: Timestamp::EPOCH, sign }.authorize(&REQUEST).unwrap();
        for (name, value) in &headers {
            for wrong in [None, Some(""), Some("zz"), Some("-1"), Some(&value[1..])] {
                let header = |asked: &str| if asked == *name { wrong } else { lookup(&headers)(asked) };
                let expected =
                    if *name == TIME_HEADER && wrong == Some("") && value.len() > 1 { continue } else { *name };
                assert_eq!(Signed::device(header), Err(AuthorizationError::Header(expected)), "{wrong:?}");
            }
        }
    }
}
