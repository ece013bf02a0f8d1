//! Dealings: every officer shares a secret of its own among all.

use minicbor::encode::Write;
use specie_core::encoding::{Decode, DecodeError, Encode, Reader, Writer};
use specie_core::group::{RistrettoPoint, Scalar, decode_point, decode_scalar, encode_point};
use specie_core::signature::PublicKey;
use specie_core::{hash, label};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::form::{self, kind};
use crate::invitation::{Invitation, OFFICERS_MAX};
use crate::officer::Officer;
use crate::polynomial::{Polynomial, committed_at, decode_all};

/// What one officer sends to all: commitments `C_m = f_m·G`, a proof that it knows `f_0`, and for each officer `j` its share
/// `f(j) + Hs(r·E_j)`, with `R = r·G`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dealing {
    pub(crate) ceremony: [u8; 32],
    pub(crate) dealer: u8,
    pub(crate) commitments: Vec<[u8; 32]>,
    proof: (Scalar, Scalar),
    pub(crate) hidden: Vec<HiddenShare>,
    signature: [u8; 64],
}

/// A share for one officer's eyes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct HiddenShare {
    /// `R`, of this share alone.
    pub(crate) R: [u8; 32],
    pub(crate) masked: Scalar,
}

/// Why a dealing is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum DealingError {
    /// The officer was not invited.
    #[error("this officer is not among those invited: use the secret of one who is")]
    NotInvited,
    /// Of another ceremony.
    #[error("the dealing of officer {0} is of another ceremony: ask for the one of this")]
    OtherCeremony(u8),
    /// By nobody who was invited.
    #[error("there is no officer {0} in this ceremony")]
    UnknownDealer(u8),
    /// Not as many commitments or shares as there should be, or ones that are none.
    #[error("the dealing of officer {0} is not of the right shape: ask for it again")]
    Shape(u8),
    /// Not by the officer.
    #[error("the dealing is not signed by officer {0}: ask for it again, by another way")]
    Forged(u8),
    /// The dealer does not know the secret it shares: it could cancel out the others' keys.
    #[error("officer {0} does not prove that it knows what it shares: leave it out and begin anew")]
    NoPossession(u8),
    /// The own share is not the one committed to.
    #[error("the share from officer {0} is wrong: file a complaint, leave the officer out and begin anew")]
    WrongShare(u8),
    /// One dealing twice, or one missing.
    #[error("there must be one dealing of every officer: that of officer {0} is missing or there twice")]
    NotOneEach(u8),
}

impl Dealing {
    /// The dealing of `officer`; the same again for the same ceremony.
    ///
    /// # Errors
    /// When the officer is not invited.
    pub fn new(officer: &Officer, invitation: &Invitation) -> Result<Self, DealingError> {
        let dealer = invitation.number_of(officer).ok_or(DealingError::NotInvited)?;
        let ceremony = invitation.id();
        let draw = |number| officer.draw(b"coefficient", &ceremony, number);
        let polynomial = Polynomial((0..invitation.threshold()).map(draw).collect());
        let commitments: Vec<[u8; 32]> = polynomial.commitments().iter().map(encode_point).collect();
        let hide = |(j, E): (u8, RistrettoPoint)| {
            let r = Zeroizing::new(officer.draw(b"hide", &ceremony, j));
            let mask = mask(&ceremony, dealer, j, &(*r * E));
            HiddenShare { R: encode_point(&RistrettoPoint::mul_base(&r)), masked: polynomial.at(j) + *mask }
        };
        // Cards were decoded, with their points.
        let cards = invitation.cards().iter().filter_map(|card| card.E().ok());
        let hidden = (1..).zip(cards).map(hide).collect();
        let w = Zeroizing::new(officer.draw(b"possession", &ceremony, 0));
        let c = possession(&ceremony, dealer, &commitments[0], &RistrettoPoint::mul_base(&w));
        let proof = (c, *w + c * polynomial.0[0]);
        let mut dealing = Self { ceremony, dealer, commitments, proof, hidden, signature: [0; 64] };
        dealing.signature = officer.signing().sign(label::SUPERVISION_DEALING, &[&dealing.signed_bytes()]);
        Ok(dealing)
    }

    /// The dealer's number.
    pub fn dealer(&self) -> u8 {
        self.dealer
    }

    /// Whether everything that anybody can check of it holds: all but the shares.
    ///
    /// # Errors
    /// What does not.
    pub fn verify(&self, invitation: &Invitation) -> Result<(), DealingError> {
        let dealer = self.dealer;
        if self.ceremony != invitation.id() {
            return Err(DealingError::OtherCeremony(dealer));
        }
        let card = invitation.card(dealer).ok_or(DealingError::UnknownDealer(dealer))?;
        self.verify_signature(&card.signing)?;
        let fits = self.commitments.len() == usize::from(invitation.threshold())
            && self.hidden.len() == invitation.cards().len()
            && self.hidden.iter().all(|share| decode_point(&share.R).is_ok());
        let commitments = decode_all(&self.commitments).ok().filter(|_| fits).ok_or(DealingError::Shape(dealer))?;
        let (c, s) = self.proof;
        let commitment = RistrettoPoint::mul_base(&s) - c * commitments[0];
        let known = possession(&self.ceremony, dealer, &self.commitments[0], &commitment) == c;
        // A constant term of 0 adds nothing, and a dealer of nothing is none.
        if known && commitments[0] != RistrettoPoint::default() {
            Ok(())
        } else {
            Err(DealingError::NoPossession(dealer))
        }
    }

    /// The share of `officer`, after [`Dealing::verify`].
    ///
    /// # Errors
    /// When it is not the one that the dealer committed to.
    pub(crate) fn share(&self, officer: &Officer, number: u8) -> Result<Zeroizing<Scalar>, DealingError> {
        let wrong = DealingError::WrongShare(self.dealer);
        let hidden = self.hidden.get(usize::from(number) - 1).ok_or(wrong)?;
        let R = decode_point(&hidden.R).map_err(|_| wrong)?;
        let share = self.unmask(number, &(*officer.e() * R)).ok_or(wrong)?;
        if self.is_share(number, &share) { Ok(share) } else { Err(wrong) }
    }

    /// The share of officer `number` under the Diffie-Hellman point.
    pub(crate) fn unmask(&self, number: u8, shared: &RistrettoPoint) -> Option<Zeroizing<Scalar>> {
        let hidden = self.hidden.get(usize::from(number).checked_sub(1)?)?;
        Some(Zeroizing::new(hidden.masked - *mask(&self.ceremony, self.dealer, number, shared)))
    }

    /// Whether the dealer committed to this share.
    pub(crate) fn is_share(&self, number: u8, share: &Scalar) -> bool {
        decode_all(&self.commitments)
            .is_ok_and(|commitments| RistrettoPoint::mul_base(share) == committed_at(&commitments, number))
    }

    fn verify_signature(&self, signer: &PublicKey) -> Result<(), DealingError> {
        let signed = signer.verify(label::SUPERVISION_DEALING, &[&self.signed_bytes()], &self.signature);
        signed.map_err(|_| DealingError::Forged(self.dealer))
    }

    fn signed_bytes(&self) -> Vec<u8> {
        Self { signature: [0; 64], ..self.clone() }.to_vec()
    }
}

/// One dealing of every officer, checked and in order.
///
/// # Errors
/// The first that is missing, there twice, or wrong.
pub(crate) fn ordered(invitation: &Invitation, dealings: &[Dealing]) -> Result<Vec<Dealing>, DealingError> {
    dealings.iter().try_for_each(|dealing| dealing.verify(invitation))?;
    let one = |number| {
        let mut found = dealings.iter().filter(|dealing| dealing.dealer == number);
        match (found.next(), found.next()) {
            (Some(dealing), None) => Ok(dealing.clone()),
            _ => Err(DealingError::NotOneEach(number)),
        }
    };
    invitation.numbers().map(one).collect()
}

/// What hides a share: the Diffie-Hellman point serves for nothing else.
fn mask(ceremony: &[u8; 32], dealer: u8, receiver: u8, shared: &RistrettoPoint) -> Zeroizing<Scalar> {
    let shared = Zeroizing::new(encode_point(shared));
    Zeroizing::new(hash::hs(label::SUPERVISION_SHARE, &[ceremony, &[dealer, receiver], &*shared]))
}

fn possession(ceremony: &[u8; 32], dealer: u8, constant: &[u8; 32], commitment: &RistrettoPoint) -> Scalar {
    hash::hs(label::SUPERVISION_POSSESSION, &[ceremony, &[dealer], constant, &encode_point(commitment)])
}

#[cfg(test)]
impl Dealing {
    /// The same with a wrong share for officer `number`, signed by its dealer.
    pub(crate) fn cheat(mut self, dealer: &Officer, number: u8) -> Self {
        self.hidden[usize::from(number) - 1].masked += Scalar::ONE;
        self.signature = dealer.signing().sign(label::SUPERVISION_DEALING, &[&self.signed_bytes()]);
        self
    }

    /// The same without knowing what it shares: somebody else's commitment is added to the own one.
    pub(crate) fn cancel(mut self, dealer: &Officer, other: &Self) -> Self {
        let [own, others] = [&self, other].map(|one| decode_point(&one.commitments[0]).expect("a point"));
        self.commitments[0] = encode_point(&(own - others));
        self.signature = dealer.signing().sign(label::SUPERVISION_DEALING, &[&self.signed_bytes()]);
        self
    }
}

impl Encode for Dealing {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        form::begin(w, 8, kind::DEALING)?;
        w.bytes(&self.ceremony)?;
        w.uint(self.dealer.into())?;
        form::points(w, &self.commitments)?;
        w.array(2)?;
        w.bytes(self.proof.0.as_bytes())?;
        w.bytes(self.proof.1.as_bytes())?;
        w.array(self.hidden.len())?;
        for share in &self.hidden {
            w.array(2)?;
            w.bytes(&share.R)?;
            w.bytes(share.masked.as_bytes())?;
        }
        w.bytes(&self.signature)
    }
}

impl Decode<'_> for Dealing {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        form::expect(r, 8, kind::DEALING)?;
        let (ceremony, dealer) = (r.bytes_of()?, r.uint_as()?);
        let commitments = form::read_points(r, OFFICERS_MAX)?;
        r.array_of(2)?;
        let proof = (decode_scalar(&r.bytes_of()?)?, decode_scalar(&r.bytes_of()?)?);
        let length = r.array()?;
        if length > OFFICERS_MAX {
            return Err(DecodeError::WrongLength);
        }
        let read_hidden = |r: &mut Reader<'_>| {
            r.array_of(2)?;
            Ok(HiddenShare { R: r.bytes_of()?, masked: decode_scalar(&r.bytes_of()?)? })
        };
        let hidden = (0..length).map(|_| read_hidden(r)).collect::<Result<_, DecodeError>>()?;
        Ok(Self { ceremony, dealer, commitments, proof, hidden, signature: r.bytes_of()? })
    }
}
