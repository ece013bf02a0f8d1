//! What officers agree on before a ceremony: its name, who takes part, and how many can open.

use minicbor::encode::Write;
use specie_core::encoding::{Decode, DecodeError, Encode, Reader, Writer};
use specie_core::text::Name;
use specie_core::{hash, label};
use thiserror::Error;

use crate::form::{self, kind};
use crate::officer::{Card, Officer};

/// The most officers of one ceremony.
pub const OFFICERS_MAX: usize = 16;

/// A ceremony to be held. Officers are numbered from 1, in the order of their cards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    name: Name,
    threshold: u8,
    cards: Vec<Card>,
}

/// An invitation that makes no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum InvitationError {
    /// Too few officers or too many.
    #[error("{0} officers: invite 2 to {OFFICERS_MAX}")]
    Officers(usize),
    /// One could open alone, or not even all together.
    #[error("{threshold} of {officers} officers cannot be: at least 2, at most all of them")]
    Threshold {
        /// How many were to open.
        threshold: u8,
        /// Of how many.
        officers: usize,
    },
    /// One officer twice.
    #[error("officer {0} is invited twice, by name or by key")]
    Twice(Name),
}

impl Invitation {
    /// A ceremony in which `threshold` of the officers with these cards can open.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn new(name: Name, threshold: u8, cards: Vec<Card>) -> Result<Self, InvitationError> {
        if !(2..=OFFICERS_MAX).contains(&cards.len()) {
            return Err(InvitationError::Officers(cards.len()));
        }
        if !(2..=cards.len()).contains(&usize::from(threshold)) {
            return Err(InvitationError::Threshold { threshold, officers: cards.len() });
        }
        for (index, card) in cards.iter().enumerate() {
            let same = |other: &Card| {
                other.name == card.name || other.signing == card.signing || other.encryption == card.encryption
            };
            if cards[..index].iter().any(same) {
                return Err(InvitationError::Twice(card.name));
            }
        }
        Ok(Self { name, threshold, cards })
    }

    /// The ceremony's name.
    pub fn name(&self) -> Name {
        self.name
    }

    /// How many officers can open.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The officers' cards; officer 1 comes first.
    pub fn cards(&self) -> &[Card] {
        &self.cards
    }

    /// The hash that names this ceremony; officers read it to each other.
    pub fn id(&self) -> [u8; 32] {
        hash::h32(label::SUPERVISION_CEREMONY, &[&self.to_vec()])
    }

    /// The number of this officer, if it is invited.
    pub fn number_of(&self, officer: &Officer) -> Option<u8> {
        let own = |card: &Card| officer.card(card.name) == *card;
        (1..).zip(&self.cards).find(|(_, card)| own(card)).map(|(number, _)| number)
    }

    /// The card of officer `number`.
    pub(crate) fn card(&self, number: u8) -> Option<&Card> {
        self.cards.get(usize::from(number).checked_sub(1)?)
    }

    /// The officers' numbers.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u8> + use<> {
        // At most OFFICERS_MAX.
        1..=self.cards.len() as u8
    }
}

impl Encode for Invitation {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        form::begin(w, 5, kind::INVITATION)?;
        w.text(self.name.as_str())?;
        w.uint(self.threshold.into())?;
        w.array(self.cards.len())?;
        self.cards.iter().try_for_each(|card| card.write(w))
    }
}

impl Decode<'_> for Invitation {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        form::expect(r, 5, kind::INVITATION)?;
        let (name, threshold, length) = (form::read_name(r)?, r.uint_as()?, r.array()?);
        if length > OFFICERS_MAX {
            return Err(DecodeError::WrongLength);
        }
        let cards = (0..length).map(|_| Card::read(r)).collect::<Result<_, _>>()?;
        Self::new(name, threshold, cards).map_err(|_| DecodeError::OutOfRange)
    }
}
