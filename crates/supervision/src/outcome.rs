//! The outcome of a ceremony: the supervisory key, the public share of every officer, and that all of them agree.

use minicbor::encode::Write;
use specie_core::disclosure::SupervisoryKey;
use specie_core::encoding::{Decode, DecodeError, Encode, Reader, Writer};
use specie_core::group::{RistrettoPoint, Scalar, encode_point};
use specie_core::{hash, label};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::dealing::{Dealing, DealingError, ordered};
use crate::form::{self, kind};
use crate::invitation::{Invitation, OFFICERS_MAX};
use crate::officer::Officer;
use crate::polynomial::{committed_at, decode_all};

/// All that was sent in a ceremony, checked. Everything public follows from it, so nothing else is ever read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transcript {
    invitation: Invitation,
    dealings: Vec<Dealing>,
    key: RistrettoPoint,
    shares: Vec<RistrettoPoint>,
    hash: [u8; 32],
}

/// An officer has checked its shares and agrees with a transcript.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Approval {
    transcript: [u8; 32],
    officer: u8,
    signature: [u8; 64],
}

/// A transcript that every officer has approved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    transcript: Transcript,
    approvals: Vec<Approval>,
}

/// Why there is no outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum OutcomeError {
    /// About a dealing.
    #[error(transparent)]
    Dealing(#[from] DealingError),
    /// The secrets shared cancel each other out.
    #[error("the key would be nothing: begin anew")]
    NoKey,
    /// The approval is of another transcript: somebody was sent other dealings.
    #[error("officer {0} approved of other dealings: compare them, and begin anew without whoever dealt twice")]
    OtherTranscript(u8),
    /// The approval is not the officer's.
    #[error("the approval is not signed by officer {0}: ask for it again")]
    Forged(u8),
    /// One approval twice, or one missing.
    #[error("there must be one approval of every officer: that of officer {0} is missing or there twice")]
    NotOneEach(u8),
}

impl Transcript {
    /// The dealings of all officers, in any order.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(invitation: Invitation, dealings: &[Dealing]) -> Result<Self, OutcomeError> {
        let dealings = ordered(&invitation, dealings)?;
        let commitments = dealings.iter().map(|dealing| {
            decode_all(&dealing.commitments).map_err(|_| OutcomeError::Dealing(DealingError::Shape(dealing.dealer)))
        });
        let commitments = commitments.collect::<Result<Vec<_>, _>>()?;
        let sum_at = |x| commitments.iter().map(|one| committed_at(one, x)).sum::<RistrettoPoint>();
        let (key, shares) = (sum_at(0), invitation.numbers().map(sum_at).collect());
        if key == RistrettoPoint::default() {
            return Err(OutcomeError::NoKey);
        }
        let encoded: Vec<Vec<u8>> =
            [invitation.to_vec()].into_iter().chain(dealings.iter().map(Dealing::to_vec)).collect();
        let parts: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
        let hash = hash::h32(label::SUPERVISION_TRANSCRIPT, &parts);
        Ok(Self { invitation, dealings, key, shares, hash })
    }

    /// The ceremony.
    pub fn invitation(&self) -> &Invitation {
        &self.invitation
    }

    /// `S`.
    pub fn key(&self) -> SupervisoryKey {
        SupervisoryKey(encode_point(&self.key))
    }

    /// The hash that officers read to each other before they trust the outcome.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Checks every share that `officer` was dealt, and approves.
    ///
    /// # Errors
    /// The first share that is wrong: file a complaint.
    pub fn approve(&self, officer: &Officer) -> Result<Approval, OutcomeError> {
        let (number, _) = self.share_of(officer)?;
        let signature = officer.signing().sign(label::SUPERVISION_TRANSCRIPT, &[&self.hash, &[number]]);
        Ok(Approval { transcript: self.hash, officer: number, signature })
    }

    /// `s_j`, with the officer's number `j`.
    pub(crate) fn share_of(&self, officer: &Officer) -> Result<(u8, Zeroizing<Scalar>), DealingError> {
        let number = self.invitation.number_of(officer).ok_or(DealingError::NotInvited)?;
        let mut sum = Zeroizing::new(Scalar::ZERO);
        for dealing in &self.dealings {
            *sum += *dealing.share(officer, number)?;
        }
        Ok((number, sum))
    }

    /// `S_j = s_j·G`.
    pub(crate) fn public_share(&self, officer: u8) -> Option<&RistrettoPoint> {
        self.shares.get(usize::from(officer).checked_sub(1)?)
    }
}

impl Approval {
    /// Whose it is.
    pub fn officer(&self) -> u8 {
        self.officer
    }

    fn verify(&self, transcript: &Transcript) -> Result<(), OutcomeError> {
        let card = transcript.invitation.card(self.officer).ok_or(OutcomeError::Forged(self.officer))?;
        let parts: [&[u8]; 2] = [&self.transcript, &[self.officer]];
        let signed = card.signing.verify(label::SUPERVISION_TRANSCRIPT, &parts, &self.signature);
        signed.map_err(|_| OutcomeError::Forged(self.officer))?;
        if self.transcript == transcript.hash { Ok(()) } else { Err(OutcomeError::OtherTranscript(self.officer)) }
    }
}

impl Outcome {
    /// What all officers approved of; approvals in any order.
    ///
    /// # Errors
    /// Whose approval is missing or wrong.
    pub fn new(transcript: Transcript, approvals: &[Approval]) -> Result<Self, OutcomeError> {
        approvals.iter().try_for_each(|approval| approval.verify(&transcript))?;
        let one = |number| {
            let mut found = approvals.iter().filter(|approval| approval.officer == number);
            match (found.next(), found.next()) {
                (Some(approval), None) => Ok(*approval),
                _ => Err(OutcomeError::NotOneEach(number)),
            }
        };
        let approvals = transcript.invitation.numbers().map(one).collect::<Result<_, _>>()?;
        Ok(Self { transcript, approvals })
    }

    /// What they approved of.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }
}

impl Encode for Approval {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        form::begin(w, 5, kind::SIGNATURE)?;
        w.bytes(&self.transcript)?;
        w.uint(self.officer.into())?;
        w.bytes(&self.signature)
    }
}

impl Decode<'_> for Approval {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        form::expect(r, 5, kind::SIGNATURE)?;
        Ok(Self { transcript: r.bytes_of()?, officer: r.uint_as()?, signature: r.bytes_of()? })
    }
}

impl Encode for Outcome {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        form::begin(w, 5, kind::OUTCOME)?;
        self.transcript.invitation.write(w)?;
        w.array(self.transcript.dealings.len())?;
        self.transcript.dealings.iter().try_for_each(|dealing| dealing.write(w))?;
        w.array(self.approvals.len())?;
        self.approvals.iter().try_for_each(|approval| approval.write(w))
    }
}

impl Decode<'_> for Outcome {
    /// Checks everything: what is decoded was approved by all officers.
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        form::expect(r, 5, kind::OUTCOME)?;
        let invitation = Invitation::read(r)?;
        let dealings = list(r, Dealing::read)?;
        let approvals = list(r, Approval::read)?;
        let transcript = Transcript::new(invitation, &dealings).map_err(|_| DecodeError::OutOfRange)?;
        let outcome = Self::new(transcript, &approvals).map_err(|_| DecodeError::OutOfRange)?;
        // In their order, so that there is one encoding.
        let ordered = outcome.transcript.dealings == dealings && outcome.approvals == approvals;
        if ordered { Ok(outcome) } else { Err(DecodeError::NotCanonical) }
    }
}

fn list<'b, T>(
    r: &mut Reader<'b>,
    read: impl Fn(&mut Reader<'b>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let length = r.array()?;
    if length > OFFICERS_MAX { Err(DecodeError::WrongLength) } else { (0..length).map(|_| read(r)).collect() }
}
