//! A request as the handlers get it: read whole, so that its signature can be checked over every byte.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use specie_api::authorization::{AuthorizationError, Signed, Unsigned};
use specie_api::idempotency::{self, Key};
use specie_api::media::Media;
use specie_api::problem;
use specie_api::psp;
use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_core::text::Name;

use crate::reply::Refusal;

/// The largest body of a request, in bytes.
pub const BODY_LENGTH_MAX: usize = 4 << 20;

/// A whole request.
#[derive(Clone, Debug)]
pub struct Call {
    method: String,
    target: String,
    headers: HeaderMap,
    body: Bytes,
}

/// The name of one thing in a path, as text.
#[derive(Clone, Debug)]
pub struct Named(pub String);

impl Call {
    /// The request of these parts.
    pub(crate) fn new(parts: &Parts, body: Bytes) -> Self {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        Self { method: parts.method.as_str().to_owned(), target, headers: parts.headers.clone(), body }
    }

    /// The body as a `T`.
    ///
    /// # Errors
    /// When it is neither JSON nor CBOR, as its content type says, or not of a `T`.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let media = Media::of(self.header(header::CONTENT_TYPE.as_str()).unwrap_or_default());
        let unsupported = || {
            let what = "the content type is neither application/json nor application/cbor";
            Refusal::new(&problem::MEDIA_TYPE_UNSUPPORTED, what)
        };
        let read = media.ok_or_else(unsupported)?.read(&self.body);
        read.map_err(|error| Refusal::new(&problem::MALFORMED, error.to_string()))
    }

    /// The idempotency key.
    ///
    /// # Errors
    /// When it is missing, there twice, or malformed.
    pub fn key(&self) -> Result<Key, Refusal> {
        let refusal = || Refusal::new(&problem::IDEMPOTENCY_KEY, idempotency::NotAKey.to_string());
        self.header(idempotency::HEADER).and_then(|text| Key::new(text).ok()).ok_or_else(refusal)
    }

    /// The device that signed this request, within the window of time around `now`, with its owner there. This is for what a device
    /// may not do by itself: where money of an account goes to others.
    ///
    /// # Errors
    /// When none did.
    pub fn attended_device(&self, now: Timestamp) -> Result<PublicKey, Refusal> {
        let signed = Signed::device(|name| self.header(name))?;
        if signed.verify_mandated(&self.unsigned()).is_ok() {
            let what = "the request is signed under the device's mandate, with nobody there";
            return Err(Refusal::new(&psp::PERSON_NEEDED, what));
        }
        self.device(now)
    }

    /// The device that signed this request, within the window of time around `now`, be it under its mandate.
    ///
    /// # Errors
    /// When none did.
    pub fn device(&self, now: Timestamp) -> Result<PublicKey, Refusal> {
        let (signed, unsigned) = (Signed::device(|name| self.header(name))?, self.unsigned());
        signed.verify(&unsigned).or_else(|refusal| signed.verify_mandated(&unsigned).map_err(|_| refusal))?;
        in_time(&signed, now)?;
        Ok(signed.who)
    }

    /// Who this request says to be from, for [`Call::verify_psp`].
    ///
    /// # Errors
    /// When it does not say.
    pub fn psp(&self) -> Result<Signed<Name>, Refusal> {
        Ok(Signed::psp(|name| self.header(name))?)
    }

    /// Whether the PSP of key `key` signed this request, within the window of time around `now`.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify_psp(&self, signed: &Signed<Name>, key: &PublicKey, now: Timestamp) -> Result<(), Refusal> {
        signed.verify(&self.unsigned(), key)?;
        in_time(signed, now)
    }

    /// A hash of what the request asks for, of which `body` is what [`Call::body`] gave: the same for the same request, signed anew
    /// or not, in JSON or CBOR.
    ///
    /// # Errors
    /// When `body` cannot be written.
    pub fn fingerprint(&self, body: &impl Serialize) -> Result<[u8; 32], Refusal> {
        let body = Media::Cbor.write(body).map_err(Refusal::internal)?;
        Ok(Unsigned { body: &body, ..self.unsigned() }.fingerprint())
    }

    /// Path and query, as sent.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The value of a header that is there once, if it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        if values.next().is_some() { None } else { first.to_str().ok() }
    }

    fn unsigned(&self) -> Unsigned<'_> {
        let key = self.header(idempotency::HEADER).unwrap_or_default();
        Unsigned { method: &self.method, target: &self.target, key, body: &self.body }
    }
}

impl From<AuthorizationError> for Refusal {
    fn from(error: AuthorizationError) -> Self {
        let code = match error {
            AuthorizationError::Time => &problem::REQUEST_TIME,
            _ => &problem::UNAUTHENTICATED,
        };
        Self::new(code, error.to_string())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let name = Path::from_request_parts(parts, state).await;
        let nothing = || Refusal::new(&problem::NOT_FOUND, "the name in the path is no text");
        name.map(|Path(name)| Self(name)).map_err(|_| nothing())
    }
}

impl<S: Sync> FromRequest<S> for Call {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        // Read already, within bounds of size and time: see `edge`.
        let body = axum::body::to_bytes(body, BODY_LENGTH_MAX).await.map_err(|_| too_large())?;
        Ok(Self::new(&parts, body))
    }
}

/// Whoever has a wrong clock learns by how much.
fn in_time<W>(signed: &Signed<W>, now: Timestamp) -> Result<(), Refusal> {
    let refused =
        |error| Refusal::new(&problem::REQUEST_TIME, format!("{error}, by which it is {} now", now.seconds()));
    signed.check_time(now).map_err(refused)
}

/// A body is larger than is read.
pub(crate) fn too_large() -> Refusal {
    Refusal::new(&problem::TOO_LARGE, format!("at most {BODY_LENGTH_MAX} bytes are read"))
}
