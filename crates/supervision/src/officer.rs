//! Officers: a secret of 32 bytes, and the card that others know them by.

use core::fmt;

use minicbor::encode::Write;
use specie_core::encoding::{Decode, DecodeError, Encode, Reader, Writer};
use specie_core::group::{RistrettoPoint, Scalar, decode_point, encode_point};
use specie_core::signature::{BadSignature, PublicKey, SigningKey};
use specie_core::text::Name;
use specie_core::{hash, label};
use zeroize::Zeroizing;

use crate::form::{self, kind};

/// What an officer keeps secret. Everything else of a ceremony follows from it and from what was sent, so it is all that has to be
/// backed up.
pub struct Officer {
    seed: Zeroizing<[u8; 32]>,
}

/// What others know an officer by, signed by itself. That it is really theirs, the officers have to tell each other face to face.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Card {
    /// The officer's name.
    pub name: Name,
    /// Signs what the officer sends.
    pub signing: PublicKey,
    /// `E = e·G`, encoded: shares are hidden for it.
    pub encryption: [u8; 32],
    signature: [u8; 64],
}

impl Officer {
    /// An officer from 32 secret random bytes that are used for nothing else.
    pub fn new(seed: Zeroizing<[u8; 32]>) -> Self {
        Self { seed }
    }

    /// The officer's card, under the name by which the others know it.
    pub fn card(&self, name: Name) -> Card {
        let (signing, encryption) = (self.signing().public(), encode_point(&RistrettoPoint::mul_base(&self.e())));
        let signature = self.signing().sign(label::SUPERVISION_CARD, &[name.as_str().as_bytes(), &encryption]);
        Card { name, signing, encryption, signature }
    }

    pub(crate) fn signing(&self) -> SigningKey {
        SigningKey::from_seed(&Zeroizing::new(hash::h32(label::SUPERVISION_OFFICER, &[b"signing", &*self.seed])))
    }

    /// `e`.
    pub(crate) fn e(&self) -> Zeroizing<Scalar> {
        Zeroizing::new(hash::hs(label::SUPERVISION_OFFICER, &[b"encryption", &*self.seed]))
    }

    /// A scalar for one purpose in one ceremony.
    pub(crate) fn draw(&self, purpose: &[u8], ceremony: &[u8; 32], number: u8) -> Scalar {
        hash::hs(label::SUPERVISION_OFFICER, &[purpose, &*self.seed, ceremony, &[number]])
    }
}

impl Card {
    /// `E`.
    pub(crate) fn E(&self) -> Result<RistrettoPoint, DecodeError> {
        decode_point(&self.encryption)
    }

    fn verify(&self) -> Result<(), BadSignature> {
        let parts = [self.name.as_str().as_bytes(), &self.encryption];
        self.signing.verify(label::SUPERVISION_CARD, &parts, &self.signature)
    }
}

impl fmt::Debug for Officer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Officer(..)")
    }
}

impl Encode for Card {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        form::begin(w, 6, kind::CARD)?;
        w.text(self.name.as_str())?;
        w.bytes(&self.signing.0)?;
        w.bytes(&self.encryption)?;
        w.bytes(&self.signature)
    }
}

impl Decode<'_> for Card {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        form::expect(r, 6, kind::CARD)?;
        let (name, signing, encryption) = (form::read_name(r)?, PublicKey(r.bytes_of()?), r.bytes_of()?);
        let card = Self { name, signing, encryption, signature: r.bytes_of()? };
        let point = card.E()?;
        // The identity hides nothing; a card that its key did not sign is nobody's.
        let good = point != RistrettoPoint::default() && card.verify().is_ok();
        if good { Ok(card) } else { Err(DecodeError::OutOfRange) }
    }
}
