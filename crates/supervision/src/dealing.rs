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

/// What one officer sends to all: commitments `C_m = f_m·G`, `R = r·G`, a proof that it knows `f_0` and `r`, and for each officer `j` its
/// share `f(j) + Hs(r·E_j)`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dealing {
    pub(crate) ceremony: [u8; 32],
    pub(crate) dealer: u8,
    pub(crate) commitments: Vec<[u8; 32]>,
    /// Of this dealing alone.
    pub(crate) R: [u8; 32],
    possession: Possession,
    /// Shares, each for one officer's eyes.
    masked: Vec<Scalar>,
    signature: [u8; 64],
}

/// Proof that a dealer knows `f_0`, else it could cancel out the others' keys, and `r`: else its `R` could be another dealing's, and whoever
/// complained would open the share there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Possession {
    c: Scalar,
    /// `w + c·f_0`.
    s: Scalar,
    /// `w' + c·r`.
    t: Scalar,
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
    /// The dealer does not know the secret it shares, or what hides it.
    #[error("officer {0} does not prove that it knows what it shares and hides: leave it out and begin anew")]
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
        let r = Zeroizing::new(officer.draw(b"hide", &ceremony, 0));
        let R = encode_point(&RistrettoPoint::mul_base(&r));
        let hide = |(j, E): (u8, RistrettoPoint)| polynomial.at(j) + *mask(&ceremony, dealer, j, &(*r * E));
        // Cards were decoded, with their points.
        let cards = invitation.cards().iter().filter_map(|card| card.E().ok());
        let masked = (1..).zip(cards).map(hide).collect();
        let w = [0, 1].map(|number| Zeroizing::new(officer.draw(b"possession", &ceremony, number)));
        let c = challenge(&ceremony, dealer, [&commitments[0], &R], w.each_ref().map(|w| RistrettoPoint::mul_base(w)));
        let possession = Possession { c, s: *w[0] + c * polynomial.0[0], t: *w[1] + c * *r };
        let mut dealing = Self { ceremony, dealer, commitments, R, possession, masked, signature: [0; 64] };
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
            && self.masked.len() == invitation.cards().len();
        let shape = DealingError::Shape(dealer);
        let commitments = decode_all(&self.commitments).ok().filter(|_| fits).ok_or(shape)?;
        let R = decode_point(&self.R).map_err(|_| shape)?;
        let Possession { c, s, t } = self.possession;
        let of = |answer: &Scalar, point: RistrettoPoint| RistrettoPoint::mul_base(answer) - c * point;
        let known = [of(&s, commitments[0]), of(&t, R)];
        let known = challenge(&self.ceremony, dealer, [&self.commitments[0], &self.R], known) == c;
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
        let R = decode_point(&self.R).map_err(|_| wrong)?;
        let share = self.unmask(number, &(*officer.e() * R)).ok_or(wrong)?;
        if self.is_share(number, &share) { Ok(share) } else { Err(wrong) }
    }

    /// The share of officer `number` under the Diffie-Hellman point.
    pub(crate) fn unmask(&self, number: u8, shared: &RistrettoPoint) -> Option<Zeroizing<Scalar>> {
        let masked = self.masked.get(usize::from(number).checked_sub(1)?)?;
        Some(Zeroizing::new(masked - *mask(&self.ceremony, self.dealer, number, shared)))
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

/// Of the proof that the logarithms of two points are known; `nonces` are its commitments.
fn challenge(ceremony: &[u8; 32], dealer: u8, points: [&[u8; 32]; 2], nonces: [RistrettoPoint; 2]) -> Scalar {
    let ([constant, R], nonces) = (points, nonces.map(|nonce| encode_point(&nonce)));
    hash::hs(label::SUPERVISION_POSSESSION, &[ceremony, &[dealer], constant, R, &nonces[0], &nonces[1]])
}

#[cfg(test)]
impl Dealing {
    /// The same with a wrong share for officer `number`, signed by its dealer.
    pub(crate) fn cheat(mut self, dealer: &Officer, number: u8) -> Self {
        self.masked[usize::from(number) - 1] += Scalar::ONE;
        self.signed_again(dealer)
    }

    /// The same without knowing what it shares: somebody else's commitment is added to the own one.
    pub(crate) fn cancel(mut self, dealer: &Officer, other: &Self) -> Self {
        let [own, others] = [&self, other].map(|one| decode_point(&one.commitments[0]).expect("a point"));
        self.commitments[0] = encode_point(&(own - others));
        self.signed_again(dealer)
    }

    /// The same with what hides the shares of another dealing.
    pub(crate) fn hide_as(mut self, dealer: &Officer, other: &Self) -> Self {
        self.R = other.R;
        self.signed_again(dealer)
    }

    fn signed_again(mut self, dealer: &Officer) -> Self {
        self.signature = dealer.signing().sign(label::SUPERVISION_DEALING, &[&self.signed_bytes()]);
        self
    }
}

impl Encode for Dealing {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        form::begin(w, 9, kind::DEALING)?;
        w.bytes(&self.ceremony)?;
        w.uint(self.dealer.into())?;
        form::points(w, &self.commitments)?;
        w.bytes(&self.R)?;
        w.array(3)?;
        let Possession { c, s, t } = &self.possession;
        [c, s, t].into_iter().try_for_each(|scalar| w.bytes(scalar.as_bytes()))?;
        w.array(self.masked.len())?;
        self.masked.iter().try_for_each(|masked| w.bytes(masked.as_bytes()))?;
        w.bytes(&self.signature)
    }
}

impl Decode<'_> for Dealing {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        form::expect(r, 9, kind::DEALING)?;
        let (ceremony, dealer) = (r.bytes_of()?, r.uint_as()?);
        let (commitments, R) = (form::read_points(r, OFFICERS_MAX)?, r.bytes_of()?);
        r.array_of(3)?;
        let scalar = |r: &mut Reader<'_>| decode_scalar(&r.bytes_of()?);
        let possession = Possession { c: scalar(r)?, s: scalar(r)?, t: scalar(r)? };
        let length = r.array()?;
        if length > OFFICERS_MAX {
            return Err(DecodeError::WrongLength);
        }
        let masked = (0..length).map(|_| scalar(r)).collect::<Result<_, DecodeError>>()?;
        Ok(Self { ceremony, dealer, commitments, R, possession, masked, signature: r.bytes_of()? })
    }
}
