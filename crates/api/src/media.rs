//! How bodies are written: JSON for people and most programs, CBOR (RFC 8949) where there is much of it, for bytes are bytes there.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use minicbor::data::Type;
use minicbor::decode::Decoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How deep arrays and maps may be in each other. The types of the interfaces are half as deep.
const DEPTH_MAX: usize = 8;

/// How a body is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Media {
    /// `application/json`.
    #[default]
    Json,
    /// `application/cbor`, the same members, byte strings for what is hexadecimal in JSON.
    Cbor,
}

/// A body does not say what it should.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotReadable(String);

impl Media {
    /// Its name in `Content-Type` and `Accept`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Cbor => "application/cbor",
        }
    }

    /// The one that a `Content-Type` names.
    pub fn of(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        [Self::Json, Self::Cbor].into_iter().find(|media| essence.eq_ignore_ascii_case(media.name()))
    }

    /// The one in which whoever sent this `Accept` is answered: CBOR if it is named, or else JSON.
    pub fn accepted(accept: &str) -> Self {
        let is_named = accept.split(',').any(|range| Self::of(range) == Some(Self::Cbor));
        if is_named { Self::Cbor } else { Self::Json }
    }

    /// `value` as a body.
    ///
    /// # Errors
    /// When it cannot be written so: none of the types of the interfaces.
    pub fn write(self, value: &impl Serialize) -> Result<Vec<u8>, NotReadable> {
        match self {
            Self::Json => serde_json::to_vec(value).map_err(not_readable),
            Self::Cbor => minicbor_serde::to_vec(value).map_err(not_readable),
        }
    }

    /// What `body` says.
    ///
    /// # Errors
    /// When it is not one whole `T` and nothing else.
    pub fn read<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, NotReadable> {
        match self {
            Self::Json => serde_json::from_slice(body).map_err(not_readable),
            Self::Cbor => {
                check_shape(body)?;
                minicbor_serde::from_slice(body).map_err(not_readable)
            }
        }
    }
}

fn not_readable(error: impl ToString) -> NotReadable {
    NotReadable(error.to_string())
}

/// One item and nothing after it, of what the interfaces use: no indefinite lengths, no tags, no floating point, and not deep,
/// so that reading it needs little stack.
fn check_shape(body: &[u8]) -> Result<(), NotReadable> {
    let mut decoder = Decoder::new(body);
    let (mut open, mut depth) = ([0_u64; DEPTH_MAX + 1], 0);
    open[0] = 1;
    loop {
        while open[depth] == 0 {
            if depth == 0 {
                let is_whole = decoder.position() == body.len();
                return if is_whole { Ok(()) } else { Err(NotReadable("there is more after the item".into())) };
            }
            depth -= 1;
        }
        open[depth] -= 1;
        let inside = match decoder.datatype().map_err(not_readable)? {
            Type::Array => decoder.array().map_err(not_readable)?,
            Type::Map => decoder.map().map_err(not_readable)?.map(|pairs| pairs.saturating_mul(2)),
            Type::Bytes => decoder.bytes().map(|_| None).map_err(not_readable)?,
            Type::String => decoder.str().map(|_| None).map_err(not_readable)?,
            Type::Bool | Type::Null | Type::U8 | Type::U16 | Type::U32 | Type::U64 => {
                decoder.skip().map(|()| None).map_err(not_readable)?
            }
            other => return Err(NotReadable(alloc::format!("{other} is not used here"))),
        };
        if let Some(inside) = inside {
            depth += 1;
            *open.get_mut(depth).ok_or_else(|| NotReadable("arrays or maps are too deep in each other".into()))? =
                inside;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use serde::Deserialize;

    use super::*;
    use crate::hexadecimal::{Hex, HexArray};

    #[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        id: HexArray<2>,
        chains: Vec<Hex>,
        amount: u64,
        memo: Option<alloc::string::String>,
    }

    fn asked() -> Asked {
        Asked { id: HexArray([0xab, 1]), chains: vec![Hex(vec![1, 2, 3])], amount: u64::MAX, memo: None }
    }

    /// The one way, and changes to it.
    fn cbor(members: &[&[u8]]) -> Vec<u8> {
        let mut body = vec![0xa0 + u8::try_from(members.len()).unwrap()];
        members.iter().for_each(|member| body.extend_from_slice(member));
        body
    }

    #[test]
    fn says_the_same_in_both_and_bytes_are_bytes() {
        for media in [Media::Json, Media::Cbor] {
            let body = media.write(&asked()).unwrap();
            assert_eq!(media.read::<Asked>(&body), Ok(asked()));
        }
        let body = Media::Cbor.write(&asked()).unwrap();
        assert!(body.windows(5).any(|part| part == [0x81, 0x43, 1, 2, 3]), "{body:02x?}");
        assert!(Media::Cbor.read::<Asked>(&Media::Json.write(&asked()).unwrap()).is_err());
    }

    #[test]
    fn rejects_cbor_that_says_more_less_or_otherwise() {
        let (id, chains, amount, memo) = (b"\x62id\x42\xab\x01", b"\x66chains\x80", b"\x66amount\x05", b"\x64memo\xf6");
        let good = cbor(&[id, chains, amount, memo]);
        Media::Cbor.read::<Asked>(&good).unwrap();
        let after = [good.as_slice(), &[0]].concat();
        let wrong: [(&str, Vec<u8>); 13] = [
            ("more after it", after),
            ("cut short", good[..good.len() - 1].to_vec()),
            ("nothing", vec![]),
            ("an unknown member", cbor(&[id, chains, amount, memo, b"\x61x\x00"])),
            ("a member twice", cbor(&[id, chains, amount, amount])),
            ("a member missing", cbor(&[id, chains, memo])),
            ("hexadecimal in place of bytes", cbor(&[b"\x62id\x64ab01", chains, amount, memo])),
            ("too few bytes", cbor(&[b"\x62id\x41\xab", chains, amount, memo])),
            ("no end named", cbor(&[id, b"\x66chains\x9f\xff", amount, memo])),
            ("a negative number", cbor(&[id, chains, b"\x66amount\x20", memo])),
            ("a tag", cbor(&[id, chains, b"\x66amount\xc1\x05", memo])),
            ("floating point", cbor(&[id, chains, b"\x66amount\xfa\x40\xa0\x00\x00", memo])),
            ("a length of nearly everything", cbor(&[id, b"\x66chains\x9b\xff\xff\xff\xff\xff\xff\xff\xff", amount])),
        ];
        for (what, body) in wrong {
            assert!(Media::Cbor.read::<Asked>(&body).is_err(), "{what}");
        }
        let deep = vec![0x81; 1 << 20];
        assert_eq!(
            Media::Cbor.read::<Asked>(&deep).unwrap_err().to_string(),
            "arrays or maps are too deep in each other"
        );
    }

    #[test]
    fn names_are_known_whatever_stands_beside_them() {
        assert_eq!(Media::of("Application/CBOR"), Some(Media::Cbor));
        assert_eq!(Media::of("application/json; charset=utf-8"), Some(Media::Json));
        assert_eq!((Media::of("text/plain"), Media::of("")), (None, None));
        assert_eq!(Media::accepted("application/json, application/cbor;q=0.5"), Media::Cbor);
        assert_eq!((Media::accepted("*/*"), Media::accepted("")), (Media::Json, Media::Json));
    }
}
