//! What bytes are, told from how they begin, and where they stop being it.

use specie_core::encoding::{Decode, DecodeError, Reader};
use specie_core::group::decode_scalar;
use specie_core::message::Message;

/// Anything of `docs/spec/specie.cddl` that may lie in a file of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Message(Message),
    Chain,
    Transfer,
    Preimage,
    Info,
    Certificate,
    ManifestHeader,
}

impl Kind {
    /// What `bytes` begin like.
    ///
    /// # Errors
    /// When they begin like nothing of the schema.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let length = r.array()?;
        let mut inner = r.clone();
        if let Ok(inner_length) = inner.array() {
            return Ok(match (length, inner_length, inner.clone().array(), inner.text()) {
                (2, 5, _, Ok(_)) => Self::Certificate,
                (_, _, Ok(_), _) => Self::Chain,
                _ => Self::Transfer,
            });
        }
        if r.clone().text().is_ok() {
            return Ok(Self::ManifestHeader);
        }
        r.version()?;
        if r.clone().bytes().is_ok() {
            return Ok(Self::Preimage);
        }
        if r.clone().text().is_ok() {
            return Ok(Self::Info);
        }
        Message::peek(bytes).map(Self::Message)
    }

    /// Its name.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Message(message) => message.to_string(),
            Self::Chain => "chain".to_owned(),
            Self::Transfer => "transfer".to_owned(),
            Self::Preimage => "preimage of a transfer".to_owned(),
            Self::Info => "info of a class".to_owned(),
            Self::Certificate => "certificate of an element".to_owned(),
            Self::ManifestHeader => "header of a manifest".to_owned(),
        }
    }
}

/// Decodes all of `bytes`, or says what is wrong and where.
pub(crate) fn decode<'b, T: Decode<'b>>(bytes: &'b [u8]) -> Result<T, (&'static str, String)> {
    let mut r = Reader::new(bytes);
    let read = T::read(&mut r);
    let position = r.position();
    let at = |error: DecodeError| (code(error), format!("{error}, before byte {position} of {}", bytes.len()));
    match read {
        Ok(value) => r.finish().map(|()| value).map_err(at),
        Err(DecodeError::BadScalar) => Err((code(DecodeError::BadScalar), bad_response(&bytes[..position]))),
        Err(error) => Err(at(error)),
    }
}

/// Which of `z0`, `z1`, `z3`, just read, is not canonical: no other scalar is decoded with the form.
fn bad_response(read: &[u8]) -> String {
    let position = read.len();
    let bad = read.len().checked_sub(96).and_then(|start| {
        let scalars = read[start..].chunks_exact(32).zip(["z0", "z1", "z3"]);
        scalars.into_iter().find(|(bytes, _)| decode_scalar(&(*bytes).try_into().expect("32 bytes")).is_err())
    });
    let name = bad.map_or("a scalar", |(_, name)| name);
    format!("{name}, which ends before byte {position}, is not the canonical encoding of a scalar")
}

fn code(error: DecodeError) -> &'static str {
    match error {
        DecodeError::NotCanonical => "not-canonical",
        DecodeError::TrailingBytes => "trailing-bytes",
        DecodeError::UnknownVersion => "unknown-version",
        DecodeError::UnexpectedMessage => "unexpected-message",
        DecodeError::WrongLength => "wrong-length",
        DecodeError::OutOfRange => "out-of-range",
        DecodeError::BadScalar => "bad-scalar",
        DecodeError::BadPoint => "bad-point",
        _ => "malformed",
    }
}

/// Code and reason of bytes that begin like nothing.
pub(crate) fn unknown(error: DecodeError) -> (&'static str, String) {
    (code(error), format!("begins like nothing of the schema: {error}"))
}
