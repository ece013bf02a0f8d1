//! Errands and their answers: `[number, method, target, [[name, value], …], body]` and `[number, status, body]`.

use alloc::string::String;
use alloc::vec::Vec;

use specie_core::encoding::{DecodeError, Reader};

use super::{array, write, write_to};
use crate::errand::{Answer, Errand};

/// An errand as whoever has a network reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedErrand {
    /// By which the answer names it.
    pub number: u32,
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names and values of headers.
    pub headers: Vec<(String, String)>,
    /// The body; empty for `GET`.
    pub body: Vec<u8>,
}

impl CarriedErrand {
    /// Reads an errand.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(errand: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(errand);
        r.array_of(5)?;
        let (number, method, target) = (r.uint_as()?, r.text()?.into(), r.text()?.into());
        let header = |r: &mut Reader<'_>| {
            r.array_of(2)?;
            Ok((r.text()?.into(), r.text()?.into()))
        };
        let headers = (0..r.array()?).map(|_| header(&mut r)).collect::<Result<_, _>>()?;
        let body = r.bytes()?.to_vec();
        r.finish()?;
        Ok(Self { number, method, target, headers, body })
    }
}

/// Instead of an HTTP status: the PSP answered more than fits into a frame.
pub const ANSWER_TOO_LONG: u16 = 507;

/// The answer to errand `number`, as it travels: HTTP status, 0 where the PSP was not reached, and body.
pub fn encode_answer(number: u32, status: u16, body: &[u8]) -> Vec<u8> {
    write(|w| {
        array(w, 3, number.into())?;
        w.uint(status.into())?;
        w.bytes(body)
    })
}

pub(crate) fn encode_errand(number: u32, errand: &Errand) -> Vec<u8> {
    // It is among the longest that a device says, and memory is short: in one piece, with room for lengths.
    let headers = errand.headers.iter().map(|(name, value)| name.len() + value.len() + 8);
    let room = errand.body.len() + errand.target.len() + headers.sum::<usize>() + 32;
    write_to(Vec::with_capacity(room), |w| {
        array(w, 5, number.into())?;
        w.text(errand.method)?;
        w.text(&errand.target)?;
        w.array(errand.headers.len())?;
        for (name, value) in &errand.headers {
            w.array(2)?;
            w.text(name)?;
            w.text(value)?;
        }
        w.bytes(&errand.body)
    })
}

pub(crate) fn decode_answer(bytes: &[u8]) -> Result<(u32, Answer<'_>), DecodeError> {
    let mut r = Reader::new(bytes);
    r.array_of(3)?;
    let answer = (r.uint_as()?, Answer { status: r.uint_as()?, body: r.bytes()? });
    r.finish()?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errands_and_answers_come_out_as_they_went_in() {
        let errand = Errand::get("/v1/time");
        let carried = CarriedErrand::decode(&encode_errand(7, &errand)).unwrap();
        assert_eq!((carried.number, &*carried.method, &*carried.target), (7, "GET", "/v1/time"));
        assert!(carried.headers.is_empty() && carried.body.is_empty());
        let answer = encode_answer(7, 200, b"{}");
        assert_eq!(decode_answer(&answer), Ok((7, Answer { status: 200, body: b"{}" })));
        for end in 0..answer.len() {
            assert!(decode_answer(&answer[..end]).is_err());
        }
    }
}
