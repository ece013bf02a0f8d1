//! Opening a disclosed transfer: `k` officers together read who paid, this once, for a case that they name.

use minicbor::encode::Write;
use specie_core::bytes::TransferId;
use specie_core::disclosure::DisclosedTransfer;
use specie_core::encoding::{Decode, DecodeError, Encode, Reader, Writer};
use specie_core::group::{Generators, RistrettoPoint, decode_point, decode_scalar, encode_point};
use specie_core::text::Memo;
use thiserror::Error;

use crate::dealing::DealingError;
use crate::dleq::Dleq;
use crate::form::{self, kind};
use crate::invitation::OFFICERS_MAX;
use crate::officer::Officer;
use crate::outcome::{Outcome, Transcript};
use crate::polynomial::lagrange;

/// One officer's part: `D = s_j·E1`, and a proof that it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partial {
    case: Memo,
    transfer: TransferId,
    officer: u8,
    D: [u8; 32],
    proof: Dleq,
}

/// The parts of `k` officers, which anybody can check and put together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    case: Memo,
    transfer: TransferId,
    partials: Vec<Partial>,
}

/// Who paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payer {
    /// `U`, encoded: the PSP that registered it knows the customer.
    pub U: [u8; 32],
}

/// Why nothing is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// It is disclosed to another key.
    #[error("the transfer is disclosed to another supervisory key than that of this ceremony")]
    OtherKey,
    /// It names nobody.
    #[error("the transfer does not hold, or does not name its payer: there is nothing to open")]
    NotDisclosed,
    /// The officer is not one, or its shares are wrong.
    #[error(transparent)]
    Share(#[from] DealingError),
    /// Not as many officers as it takes.
    #[error("{got} officers: it takes exactly {needed}")]
    Count {
        /// How many there are.
        got: usize,
        /// How many it takes.
        needed: u8,
    },
    /// One officer twice.
    #[error("the part of officer {0} is there twice")]
    Twice(u8),
    /// A part of another case.
    #[error("the part of officer {0} is for another case")]
    OtherCase(u8),
    /// A part of another transfer.
    #[error("the part of officer {0} is for another transfer")]
    OtherTransfer(u8),
    /// A part that is not what it says.
    #[error("the part of officer {0} is forged: ask for it again")]
    Forged(u8),
}

impl Partial {
    /// The part of `officer` in opening `disclosed` for `case`. Nothing is computed for a transfer that does not hold.
    ///
    /// # Errors
    /// Why there is none.
    pub fn new(
        officer: &Officer,
        outcome: &Outcome,
        case: Memo,
        disclosed: &DisclosedTransfer,
    ) -> Result<Self, OpeningError> {
        let transcript = outcome.transcript();
        let [E1, _] = check(transcript, disclosed)?;
        let (number, share) = transcript.share_of(officer)?;
        let transfer = disclosed.transfer.id();
        let proof = Dleq::prove(&share, &E1, &about(&transcript.hash(), &case, &transfer, &[number]));
        Ok(Self { case, transfer, officer: number, D: encode_point(&(*share * E1)), proof })
    }

    /// Whose it is.
    pub fn officer(&self) -> u8 {
        self.officer
    }

    /// `D`, if it is what it says.
    fn verify(&self, transcript: &Transcript, E1: &RistrettoPoint) -> Result<RistrettoPoint, OpeningError> {
        let forged = OpeningError::Forged(self.officer);
        let share = transcript.public_share(self.officer).ok_or(forged)?;
        let D = decode_point(&self.D).map_err(|_| forged)?;
        let (ceremony, number) = (transcript.hash(), [self.officer]);
        let about = about(&ceremony, &self.case, &self.transfer, &number);
        if self.proof.holds(share, E1, &D, &about) { Ok(D) } else { Err(forged) }
    }
}

impl Opening {
    /// Puts the parts of exactly `k` officers together, in any order.
    ///
    /// # Errors
    /// Which part does not fit.
    pub fn new(outcome: &Outcome, disclosed: &DisclosedTransfer, partials: &[Partial]) -> Result<Self, OpeningError> {
        let needed = outcome.transcript().invitation().threshold();
        let count = OpeningError::Count { got: partials.len(), needed };
        let first = partials.first().ok_or(count)?;
        let mut opening = Self { case: first.case, transfer: first.transfer, partials: partials.to_vec() };
        opening.partials.sort_by_key(|partial| partial.officer);
        opening.verify(outcome, disclosed)?;
        Ok(opening)
    }

    /// The numbers of the officers who opened it.
    pub fn officers(&self) -> impl Iterator<Item = u8> {
        self.partials.iter().map(|partial| partial.officer)
    }

    /// The case that it was opened for.
    pub fn case(&self) -> Memo {
        self.case
    }

    /// Checks every part, and who paid.
    ///
    /// # Errors
    /// What does not hold.
    pub fn verify(&self, outcome: &Outcome, disclosed: &DisclosedTransfer) -> Result<Payer, OpeningError> {
        let transcript = outcome.transcript();
        let needed = transcript.invitation().threshold();
        if self.partials.len() != usize::from(needed) {
            return Err(OpeningError::Count { got: self.partials.len(), needed });
        }
        let [E1, E2] = check(transcript, disclosed)?;
        let officers: Vec<u8> = self.partials.iter().map(|partial| partial.officer).collect();
        let mut sum = RistrettoPoint::default();
        for (index, partial) in self.partials.iter().enumerate() {
            let officer = partial.officer;
            if officers[..index].contains(&officer) {
                return Err(OpeningError::Twice(officer));
            }
            if partial.case != self.case {
                return Err(OpeningError::OtherCase(officer));
            }
            if partial.transfer != self.transfer || self.transfer != disclosed.transfer.id() {
                return Err(OpeningError::OtherTransfer(officer));
            }
            sum += lagrange(&officers, officer) * partial.verify(transcript, &E1)?;
        }
        Ok(Payer { U: encode_point(&(E2 - sum)) })
    }
}

/// `E1` and `E2` of a transfer that is disclosed to this key.
fn check(transcript: &Transcript, disclosed: &DisclosedTransfer) -> Result<[RistrettoPoint; 2], OpeningError> {
    if disclosed.key != transcript.key() {
        return Err(OpeningError::OtherKey);
    }
    disclosed.verify_vartime(&Generators::new()).map_err(|_| OpeningError::NotDisclosed)?;
    let disclosure = disclosed.transfer.disclosure.ok_or(OpeningError::NotDisclosed)?;
    match [&disclosure.E1, &disclosure.E2].map(decode_point) {
        [Ok(E1), Ok(E2)] => Ok([E1, E2]),
        _ => Err(OpeningError::NotDisclosed),
    }
}

/// What an officer's proof is about: nothing of it serves another case or transfer.
fn about<'a>(ceremony: &'a [u8; 32], case: &'a Memo, transfer: &'a TransferId, officer: &'a [u8; 1]) -> [&'a [u8]; 4] {
    [ceremony, case.as_str().as_bytes(), &transfer.0, officer]
}

impl Encode for Partial {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        form::begin(w, 8, kind::PARTIAL)?;
        w.text(self.case.as_str())?;
        w.bytes(&self.transfer.0)?;
        w.uint(self.officer.into())?;
        w.bytes(&self.D)?;
        w.bytes(self.proof.c.as_bytes())?;
        w.bytes(self.proof.s.as_bytes())
    }
}

impl Decode<'_> for Partial {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        form::expect(r, 8, kind::PARTIAL)?;
        Ok(Self {
            case: Memo::new(r.text()?).ok_or(DecodeError::WrongLength)?,
            transfer: TransferId(r.bytes_of()?),
            officer: r.uint_as()?,
            D: r.bytes_of()?,
            proof: Dleq { c: decode_scalar(&r.bytes_of()?)?, s: decode_scalar(&r.bytes_of()?)? },
        })
    }
}

impl Encode for Opening {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        form::begin(w, 3, kind::OPENING)?;
        w.array(self.partials.len())?;
        self.partials.iter().try_for_each(|partial| partial.write(w))
    }
}

impl Decode<'_> for Opening {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        form::expect(r, 3, kind::OPENING)?;
        let length = r.array()?;
        if !(1..=OFFICERS_MAX).contains(&length) {
            return Err(DecodeError::WrongLength);
        }
        let partials = (0..length).map(|_| Partial::read(r)).collect::<Result<Vec<_>, _>>()?;
        if !partials.is_sorted_by(|a, b| a.officer < b.officer) {
            return Err(DecodeError::OutOfRange);
        }
        Ok(Self { case: partials[0].case, transfer: partials[0].transfer, partials })
    }
}
