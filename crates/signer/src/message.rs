//! What goes over the signer's socket, in its one canonical encoding (`docs/spec/signer.md`).

use minicbor::encode::Write;
use specie_audit::Head;
use specie_bank::issuance::{BatchKey, SESSIONS_MAX};
use specie_bank::signer::{Sealed, SignerError};
use specie_core::Timestamp;
use specie_core::bytes::{ClassId, RevokedNote};
use specie_core::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use specie_core::group::{RistrettoPoint, Scalar, decode_point, decode_scalar, encode_point};
use specie_core::issuance::{Commitment, Response};
use specie_core::signature::PublicKey;
use specie_core::text::Name;

use crate::field::{moment, name};

/// More infos than one epoch has.
const INFOS_MAX: usize = 256;

/// The signer's public keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keys {
    /// That of the ledger.
    pub ledger: PublicKey,
    /// `Y` of every class.
    pub issuing: Vec<(ClassId, [u8; 32])>,
}

/// A batch and its last moment.
#[derive(Clone, Copy)]
pub(crate) struct Batch {
    pub(crate) key: BatchKey,
    pub(crate) valid_until: Timestamp,
}

/// A page of the revocation list to be signed.
pub(crate) struct Page {
    pub(crate) issuer: Name,
    pub(crate) page: u64,
    pub(crate) sequence: u64,
    pub(crate) previous: [u8; 32],
    pub(crate) oldest: u64,
    pub(crate) issued_at: Timestamp,
    pub(crate) notes: Vec<RevokedNote>,
}

/// What a server asks.
pub(crate) enum Request {
    Keys,
    Commit {
        batch: Batch,
        device: RistrettoPoint,
        classes: Vec<ClassId>,
    },
    Answer {
        batch: Batch,
        sessions: Vec<(ClassId, Sealed)>,
        challenges: Vec<Scalar>,
    },
    Revocations(Page),
    AuditHead(Head),
    /// The infos, encoded.
    Classes(Vec<Vec<u8>>),
    /// Whose keys are to be destroyed.
    Destroy(Vec<ClassId>),
}

/// What the signer answers.
pub(crate) enum Reply {
    Keys(Keys),
    Committed(Vec<(Commitment, Sealed)>),
    Answered(Vec<Response>),
    /// A page or a head, signed and encoded.
    Signed(Vec<u8>),
    /// Key and info of each class.
    Classes(Vec<([u8; 32], Vec<u8>)>),
    Refused(SignerError),
    /// Whose keys were destroyed.
    Destroyed(Vec<ClassId>),
}

impl Encode for Batch {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(3)?;
        w.text(self.key.psp.as_str())?;
        w.bytes(&self.key.id)?;
        w.uint(self.valid_until.seconds())
    }
}

impl Decode<'_> for Batch {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(3)?;
        let key = BatchKey { psp: name(r)?, id: r.bytes_of()? };
        Ok(Self { key, valid_until: moment(r)? })
    }
}

/// Version, kind and as many fields as follow.
fn begin<W: Write>(w: &mut Writer<W>, kind: u64, fields: usize) -> Result<(), W::Error> {
    w.array(2 + fields)?;
    w.uint(VERSION)?;
    w.uint(kind)
}

impl Encode for Request {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        match self {
            Self::Keys => begin(w, 0, 0),
            Self::Commit { batch, device, classes } => {
                begin(w, 1, 3)?;
                batch.write(w)?;
                w.bytes(&encode_point(device))?;
                names(w, classes)
            }
            Self::Answer { batch, sessions, challenges } => {
                begin(w, 2, 2)?;
                batch.write(w)?;
                w.array(sessions.len())?;
                sessions.iter().zip(challenges).try_for_each(|((class, sealed), e)| {
                    w.array(3)?;
                    w.bytes(&class.0)?;
                    w.bytes(&sealed.0)?;
                    w.bytes(e.as_bytes())
                })
            }
            Self::Revocations(page) => {
                begin(w, 3, 7)?;
                w.text(page.issuer.as_str())?;
                w.uint(page.page)?;
                w.uint(page.sequence)?;
                w.bytes(&page.previous)?;
                w.uint(page.oldest)?;
                w.uint(page.issued_at.seconds())?;
                w.array(page.notes.len())?;
                page.notes.iter().try_for_each(|note| w.bytes(&note.0))
            }
            Self::AuditHead(head) => {
                begin(w, 4, 1)?;
                head.write(w)
            }
            Self::Classes(infos) => {
                begin(w, 5, 1)?;
                w.array(infos.len())?;
                infos.iter().try_for_each(|info| w.bytes(info))
            }
            Self::Destroy(classes) => {
                begin(w, 6, 1)?;
                names(w, classes)
            }
        }
    }
}

impl Decode<'_> for Request {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = r.array()?;
        r.version()?;
        let (request, fields) = match r.uint()? {
            0 => (Self::Keys, 0),
            1 => {
                let (batch, device) = (Batch::read(r)?, decode_point(&r.bytes_of()?)?);
                (
                    Self::Commit {
                        batch,
                        device,
                        classes: many(r, SESSIONS_MAX as usize, |r| r.bytes_of().map(ClassId))?,
                    },
                    3,
                )
            }
            2 => {
                let batch = Batch::read(r)?;
                let session = |r: &mut Reader<'_>| {
                    r.array_of(3)?;
                    let (class, sealed) = (ClassId(r.bytes_of()?), Sealed(r.bytes()?.to_vec()));
                    Ok(((class, sealed), decode_scalar(&r.bytes_of()?)?))
                };
                let (sessions, challenges) = many(r, SESSIONS_MAX as usize, session)?.into_iter().unzip();
                (Self::Answer { batch, sessions, challenges }, 2)
            }
            3 => {
                let (issuer, page, sequence, previous) = (name(r)?, r.uint()?, r.uint()?, r.bytes_of()?);
                let (oldest, issued_at) = (r.uint()?, moment(r)?);
                let notes = many(r, specie_core::revocation::NOTES_PER_PAGE, |r| r.bytes_of().map(RevokedNote))?;
                (Self::Revocations(Page { issuer, page, sequence, previous, oldest, issued_at, notes }), 7)
            }
            4 => (Self::AuditHead(Head::read(r)?), 1),
            5 => (Self::Classes(many(r, INFOS_MAX, |r| r.bytes().map(<[u8]>::to_vec))?), 1),
            6 => (Self::Destroy(many(r, INFOS_MAX, |r| r.bytes_of().map(ClassId))?), 1),
            _ => return Err(DecodeError::UnexpectedMessage),
        };
        if length == 2 + fields { Ok(request) } else { Err(DecodeError::WrongLength) }
    }
}

impl Encode for Reply {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        match self {
            Self::Keys(keys) => {
                begin(w, 0, 2)?;
                w.bytes(&keys.ledger.0)?;
                pairs(w, &keys.issuing, |w, class| w.bytes(&class.0), |w, key| w.bytes(key))
            }
            Self::Committed(sessions) => {
                begin(w, 1, 1)?;
                pairs(w, sessions, |w, commitment| w.bytes(&commitment.to_bytes()), |w, sealed| w.bytes(&sealed.0))
            }
            Self::Answered(responses) => {
                begin(w, 2, 1)?;
                w.array(responses.len())?;
                responses.iter().try_for_each(|response| w.bytes(&response.to_bytes()))
            }
            Self::Signed(bytes) => {
                begin(w, 3, 1)?;
                w.bytes(bytes)
            }
            Self::Classes(classes) => {
                begin(w, 4, 1)?;
                pairs(w, classes, |w, key| w.bytes(key), |w, info| w.bytes(info))
            }
            Self::Refused(error) => {
                begin(w, 5, 3)?;
                let (code, class, text) = refusal(error);
                w.uint(code)?;
                w.bytes(&class.0)?;
                w.text(&text)
            }
            Self::Destroyed(classes) => {
                begin(w, 6, 1)?;
                names(w, classes)
            }
        }
    }
}

impl Decode<'_> for Reply {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = r.array()?;
        r.version()?;
        let (reply, fields) = match r.uint()? {
            0 => {
                let ledger = PublicKey(r.bytes_of()?);
                let issuing = many(r, usize::MAX, |r| pair(r, |r| r.bytes_of().map(ClassId), |r| r.bytes_of()))?;
                (Self::Keys(Keys { ledger, issuing }), 2)
            }
            1 => {
                let commitment = |r: &mut Reader<'_>| Ok(Commitment::from_bytes(&r.bytes_of()?));
                let sealed = |r: &mut Reader<'_>| Ok(Sealed(r.bytes()?.to_vec()));
                (Self::Committed(many(r, usize::MAX, |r| pair(r, commitment, sealed))?), 1)
            }
            2 => (Self::Answered(many(r, usize::MAX, |r| Response::from_bytes(&r.bytes_of()?))?), 1),
            3 => (Self::Signed(r.bytes()?.to_vec()), 1),
            4 => {
                let info = |r: &mut Reader<'_>| r.bytes().map(<[u8]>::to_vec);
                (Self::Classes(many(r, usize::MAX, |r| pair(r, |r| r.bytes_of(), info))?), 1)
            }
            5 => {
                let (code, class, text) = (r.uint()?, ClassId(r.bytes_of()?), r.text()?);
                (Self::Refused(refused(code, class, text)), 3)
            }
            6 => (Self::Destroyed(many(r, usize::MAX, |r| r.bytes_of().map(ClassId))?), 1),
            _ => return Err(DecodeError::UnexpectedMessage),
        };
        if length == 2 + fields { Ok(reply) } else { Err(DecodeError::WrongLength) }
    }
}

fn names<W: Write>(w: &mut Writer<W>, classes: &[ClassId]) -> Result<(), W::Error> {
    w.array(classes.len())?;
    classes.iter().try_for_each(|class| w.bytes(&class.0))
}

/// Code, class (zeros where it is about none) and text.
fn refusal(error: &SignerError) -> (u64, ClassId, String) {
    let none = ClassId([0; 16]);
    match error {
        SignerError::NoKey(class) => (0, *class, String::new()),
        SignerError::OtherChallenges => (1, none, String::new()),
        SignerError::NotIssued(class) => (2, *class, String::new()),
        SignerError::Expired => (3, none, String::new()),
        SignerError::Limit { class, limit } => (4, *class, limit.clone()),
        SignerError::Unreachable(text) => (5, none, text.clone()),
        SignerError::Failed(text) => (6, none, text.clone()),
        other => (6, none, other.to_string()),
    }
}

fn refused(code: u64, class: ClassId, text: &str) -> SignerError {
    match code {
        0 => SignerError::NoKey(class),
        1 => SignerError::OtherChallenges,
        2 => SignerError::NotIssued(class),
        3 => SignerError::Expired,
        4 => SignerError::Limit { class, limit: text.into() },
        5 => SignerError::Unreachable(text.into()),
        _ => SignerError::Failed(text.into()),
    }
}

/// An array of at most `limit` items. Memory is taken item by item: a frame bounds them all.
fn many<'b, T>(
    r: &mut Reader<'b>,
    limit: usize,
    mut read: impl FnMut(&mut Reader<'b>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let length = r.array()?;
    if length > limit {
        return Err(DecodeError::WrongLength);
    }
    let mut items = Vec::new();
    for _ in 0..length {
        items.push(read(r)?);
    }
    Ok(items)
}

fn pair<'b, A, B>(
    r: &mut Reader<'b>,
    first: impl FnOnce(&mut Reader<'b>) -> Result<A, DecodeError>,
    second: impl FnOnce(&mut Reader<'b>) -> Result<B, DecodeError>,
) -> Result<(A, B), DecodeError> {
    r.array_of(2)?;
    Ok((first(r)?, second(r)?))
}

fn pairs<W: Write, A, B>(
    w: &mut Writer<W>,
    items: &[(A, B)],
    first: impl Fn(&mut Writer<W>, &A) -> Result<(), W::Error>,
    second: impl Fn(&mut Writer<W>, &B) -> Result<(), W::Error>,
) -> Result<(), W::Error> {
    w.array(items.len())?;
    items.iter().try_for_each(|(one, other)| {
        w.array(2)?;
        first(w, one)?;
        second(w, other)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn requests() -> Vec<Request> {
        let key = BatchKey { psp: Name::new("alpha").unwrap(), id: [1; 16] };
        let batch = Batch { key, valid_until: Timestamp::new(7).unwrap() };
        let page = Page {
            issuer: Name::new("central-bank").unwrap(),
            page: 2,
            sequence: 3,
            previous: [4; 32],
            oldest: 1,
            issued_at: Timestamp::new(5).unwrap(),
            notes: vec![RevokedNote([6; 16])],
        };
        let log = specie_audit::head::bank_log(&page.issuer);
        let head = Head { log, sequence: 1, hash: [2; 32], root: Some([3; 32]), at: Timestamp::new(3).unwrap() };
        vec![
            Request::Keys,
            Request::Commit { batch, device: RistrettoPoint::default(), classes: vec![ClassId([8; 16]); 2] },
            Request::Answer {
                batch,
                sessions: vec![(ClassId([9; 16]), Sealed(vec![1; 168]))],
                challenges: vec![Scalar::ONE],
            },
            Request::Revocations(page),
            Request::AuditHead(head),
            Request::Classes(vec![vec![1, 2], vec![3]]),
            Request::Destroy(vec![ClassId([7; 16]); 2]),
        ]
    }

    #[test]
    fn requests_have_one_form() {
        for request in requests() {
            let bytes = request.to_vec();
            assert_eq!(Request::decode(&bytes).unwrap().to_vec(), bytes);
            for end in 0..bytes.len() {
                assert!(Request::decode(&bytes[..end]).is_err(), "cut at {end}");
            }
            assert!(Request::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
        }
    }

    #[test]
    fn refusals_arrive_as_they_were_meant() {
        let class = ClassId([3; 16]);
        for error in [
            SignerError::NoKey(class),
            SignerError::OtherChallenges,
            SignerError::NotIssued(class),
            SignerError::Expired,
            SignerError::Limit { class, limit: "the limit of 3 notes".into() },
            SignerError::Unreachable("gone".into()),
            SignerError::Failed("disk".into()),
        ] {
            let said = error.to_string();
            let Reply::Refused(heard) = Reply::decode(&Reply::Refused(error).to_vec()).unwrap() else { panic!() };
            assert_eq!(heard.to_string(), said);
        }
    }

    #[test]
    fn more_sessions_than_a_batch_has_are_refused() {
        let mut requests = requests();
        let Request::Commit { classes, .. } = &mut requests[1] else { panic!() };
        *classes = vec![ClassId([8; 16]); 257];
        assert!(matches!(Request::decode(&requests[1].to_vec()), Err(DecodeError::WrongLength)));
    }
}
