//! Complaints: an officer shows everybody that a dealer sent it a wrong share, or shows that it complains falsely.

use minicbor::encode::Write;
use specie_core::encoding::{Decode, DecodeError, Encode, Reader, Writer};
use specie_core::group::{decode_point, decode_scalar, encode_point};
use thiserror::Error;

use crate::dealing::Dealing;
use crate::dleq::Dleq;
use crate::form::{self, kind};
use crate::invitation::Invitation;
use crate::officer::Officer;

/// What hid the share, with a proof that it is that. It gives the one share away, which is of no use in a ceremony that begins anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    ceremony: [u8; 32],
    dealer: u8,
    officer: u8,
    shared: [u8; 32],
    proof: Dleq,
}

/// Who is to be left out when the ceremony begins anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The share is wrong: the dealer.
    Dealer(u8),
    /// The share is right: whoever complained.
    Complainer(u8),
}

/// Why nobody can be judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ComplaintError {
    /// The officer was not invited.
    #[error("this officer is not among those invited: use the secret of one who is")]
    NotInvited,
    /// It is not about this dealing of this ceremony.
    #[error("the complaint is about another dealing or ceremony: bring the ones that belong together")]
    Other,
    /// The dealing itself is not the dealer's, or refuted without a complaint.
    #[error("the dealing does not hold by itself: nobody needs to complain about it")]
    BadDealing,
    /// It does not show what it says.
    #[error("the complaint is not by the officer that it names, or shows nothing: ask for it again")]
    Forged,
}

impl Complaint {
    /// What `officer` can show about the share it got in `dealing`; whether that is wrong is for [`Complaint::judge`].
    ///
    /// # Errors
    /// When the dealing and the officer are not of this ceremony.
    pub fn new(officer: &Officer, invitation: &Invitation, dealing: &Dealing) -> Result<Self, ComplaintError> {
        let number = invitation.number_of(officer).ok_or(ComplaintError::NotInvited)?;
        dealing.verify(invitation).map_err(|_| ComplaintError::BadDealing)?;
        let R = decode_point(&dealing.R).map_err(|_| ComplaintError::BadDealing)?;
        let (ceremony, dealer, e) = (dealing.ceremony, dealing.dealer, officer.e());
        let proof = Dleq::prove(&e, &R, &[&ceremony, &[dealer, number]]);
        Ok(Self { ceremony, dealer, officer: number, shared: encode_point(&(*e * R)), proof })
    }

    /// Who is wrong.
    ///
    /// # Errors
    /// When it cannot be said.
    pub fn judge(&self, invitation: &Invitation, dealing: &Dealing) -> Result<Verdict, ComplaintError> {
        dealing.verify(invitation).map_err(|_| ComplaintError::BadDealing)?;
        if self.ceremony != dealing.ceremony || self.dealer != dealing.dealer {
            return Err(ComplaintError::Other);
        }
        let card = invitation.card(self.officer).ok_or(ComplaintError::Forged)?;
        let points = [&card.encryption, &dealing.R, &self.shared].map(decode_point);
        let [Ok(E), Ok(R), Ok(shared)] = points else { return Err(ComplaintError::Forged) };
        if !self.proof.holds(&E, &R, &shared, &[&self.ceremony, &[self.dealer, self.officer]]) {
            return Err(ComplaintError::Forged);
        }
        let share = dealing.unmask(self.officer, &shared).ok_or(ComplaintError::Forged)?;
        let right = dealing.is_share(self.officer, &share);
        Ok(if right { Verdict::Complainer(self.officer) } else { Verdict::Dealer(self.dealer) })
    }
}

impl Encode for Complaint {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        form::begin(w, 8, kind::COMPLAINT)?;
        w.bytes(&self.ceremony)?;
        w.uint(self.dealer.into())?;
        w.uint(self.officer.into())?;
        w.bytes(&self.shared)?;
        w.bytes(self.proof.c.as_bytes())?;
        w.bytes(self.proof.s.as_bytes())
    }
}

impl Decode<'_> for Complaint {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        form::expect(r, 8, kind::COMPLAINT)?;
        Ok(Self {
            ceremony: r.bytes_of()?,
            dealer: r.uint_as()?,
            officer: r.uint_as()?,
            shared: r.bytes_of()?,
            proof: Dleq { c: decode_scalar(&r.bytes_of()?)?, s: decode_scalar(&r.bytes_of()?)? },
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::dealing::DealingError;
    use crate::outcome::{OutcomeError, Transcript};
    use specie_core::text::Name;

    fn three() -> (Vec<Officer>, Invitation) {
        let officers: Vec<Officer> = (1..=3).map(|number| Officer::new([number; 32].into())).collect();
        let name = |number| Name::new(&format!("officer-{number}")).unwrap();
        let cards = (1..).zip(&officers).map(|(number, officer)| officer.card(name(number))).collect();
        (officers, Invitation::new(Name::new("ceremony").unwrap(), 2, cards).unwrap())
    }

    #[test]
    fn a_wrong_share_is_found_by_its_receiver_and_proven_to_all() {
        let (officers, invitation) = three();
        let deal = |officer| Dealing::new(officer, &invitation).unwrap();
        let cheated = deal(&officers[0]).cheat(&officers[0], 2);
        assert_eq!(cheated.verify(&invitation), Ok(()), "nobody else can see it");
        let dealings = [cheated.clone(), deal(&officers[1]), deal(&officers[2])];
        let transcript = Transcript::new(invitation.clone(), &dealings).unwrap();
        assert!(transcript.approve(&officers[0]).is_ok() && transcript.approve(&officers[2]).is_ok());
        let wrong = OutcomeError::Dealing(DealingError::WrongShare(1));
        assert_eq!(transcript.approve(&officers[1]).unwrap_err(), wrong);
        let complaint = Complaint::new(&officers[1], &invitation, &cheated).unwrap();
        assert_eq!(complaint.judge(&invitation, &cheated), Ok(Verdict::Dealer(1)));
        // Who got a right share in the same dealing cannot accuse it.
        let envious = Complaint::new(&officers[2], &invitation, &cheated).unwrap();
        assert_eq!(envious.judge(&invitation, &cheated), Ok(Verdict::Complainer(3)));
    }

    /// The last to speak could make the key its own by taking everybody else's away from it.
    #[test]
    fn rejects_a_dealer_who_cancels_the_others_out() {
        let (officers, invitation) = three();
        let [first, last] = [0, 2].map(|at| Dealing::new(&officers[at], &invitation).unwrap());
        let cancelled = last.cancel(&officers[2], &first);
        assert_eq!(cancelled.verify(&invitation), Err(DealingError::NoPossession(3)));
    }

    /// An officer who took part before is dealt a share under the `R` of that time. It would be wrong, and the complaint about it, for all to
    /// see, would open the one that the officer was dealt then.
    #[test]
    fn rejects_a_dealer_who_has_a_share_of_before_opened_by_a_complaint() {
        let (officers, before) = three();
        let honest = Dealing::new(&officers[0], &before).unwrap();
        let now = Invitation::new(Name::new("another").unwrap(), 2, before.cards().to_vec()).unwrap();
        for ceremony in [&before, &now] {
            let bait = Dealing::new(&officers[2], ceremony).unwrap().hide_as(&officers[2], &honest);
            assert_eq!(bait.verify(ceremony), Err(DealingError::NoPossession(3)));
            assert_eq!(Complaint::new(&officers[1], ceremony, &bait), Err(ComplaintError::BadDealing));
        }
    }
}
