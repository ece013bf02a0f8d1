//! Mandates (§7.2): what a device may pay by itself, as its owner says.
//!
//! A mandate has two parts. The secure element enforces the [`MandateBody`]: amounts, and until when. The wallet enforces the
//! [`Terms`]: which payees, and what needs a person. The body names the terms by their hash, so that the element need not read them.

use minicbor::encode::Write;

use crate::amount::{Amount, Timestamp};
use crate::bytes::Context;
use crate::descriptor::DescriptorBody;
use crate::encoding::{Decode, DecodeError, Encode, Reader, VERSION, Writer};
use crate::message::Message;
use crate::signature::{BadSignature, PublicKey, SigningKey};
use crate::text::Currency;
use crate::{hash, label};

/// The most payees that a mandate names.
pub const PAYEES_MAX: usize = 16;

/// The longest encoding of a [`Mandate`].
pub const MANDATE_LENGTH_MAX: usize = BODY_LENGTH_MAX + TERMS_LENGTH_MAX + 80;

const BODY_LENGTH_MAX: usize = 208;
const TERMS_LENGTH_MAX: usize = 16 + 37 * PAYEES_MAX;

/// What the secure element enforces of a mandate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MandateBody {
    /// The owner's key, which signs.
    pub owner: PublicKey,
    /// `A` of the device's element.
    pub device: PublicKey,
    /// Counts the owner's mandates for this device.
    pub sequence: u64,
    /// Last moment at which the device may pay by itself.
    pub valid_until: Timestamp,
    /// The most that may leave in one transfer.
    pub max_payment: Amount,
    /// Length of a period, in seconds; more than zero. One begins with the first payment after the last one ended.
    pub period_seconds: u64,
    /// The most that may leave in a period.
    pub max_per_period: Amount,
    /// The most that may leave under this mandate.
    pub max_total: Amount,
    /// Where the device may redeem to by itself: the context of redemptions to an account (§8).
    pub redeem_to: Option<Context>,
    /// Hash of the [`Terms`].
    pub terms: [u8; 32],
}

/// What the wallet enforces of a mandate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The currency of all amounts of the mandate.
    pub currency: Currency,
    /// Above it a person has to confirm.
    pub person_above: Amount,
    /// Who may be paid.
    pub payees: Payees,
}

/// One to [`PAYEES_MAX`] rules, of which one has to fit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Payees {
    rules: [PayeeRule; PAYEES_MAX],
    length: usize,
}

/// Somebody who may be paid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PayeeRule {
    /// Whoever asks, named or not.
    Anyone,
    /// Payees of this ISO 18245 merchant category code, by a descriptor that verifies.
    Category(u16),
    /// The payee of this key, by a descriptor that verifies.
    Key(PublicKey),
}

/// A mandate with its owner's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mandate {
    /// What the element enforces.
    pub body: MandateBody,
    /// What the wallet enforces; the body names it.
    pub terms: Terms,
    /// By the owner, over the body.
    pub signature: [u8; 64],
}

/// Why a payee is not one of a mandate's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OtherPayee {
    /// Nobody of that key, and no category is mandated, or the payee's is not known.
    Key,
    /// Its category is another than those mandated.
    Category(u16),
}

impl Payees {
    /// `rules`, if they are one to [`PAYEES_MAX`], in rising order.
    pub fn new(rules: &[PayeeRule]) -> Option<Self> {
        let mut all = Self { rules: [PayeeRule::Anyone; PAYEES_MAX], length: rules.len() };
        all.rules.get_mut(..rules.len())?.copy_from_slice(rules);
        (!rules.is_empty() && rules.is_sorted_by(|before, after| before < after)).then_some(all)
    }

    /// The rules.
    pub fn as_slice(&self) -> &[PayeeRule] {
        &self.rules[..self.length]
    }

    /// Whether a payee may be paid. `payee` is what was verified of it; `None` where it names itself in no way that verifies.
    ///
    /// # Errors
    /// Which rule forbids it.
    pub fn check(&self, payee: Option<&DescriptorBody>) -> Result<(), OtherPayee> {
        let fits = |rule: &PayeeRule| match (rule, payee) {
            (PayeeRule::Anyone, _) => true,
            (PayeeRule::Category(category), Some(payee)) => payee.category == *category,
            (PayeeRule::Key(key), Some(payee)) => payee.key == *key,
            (_, None) => false,
        };
        let by_category = || self.as_slice().iter().any(|rule| matches!(rule, PayeeRule::Category(_)));
        match payee {
            _ if self.as_slice().iter().any(fits) => Ok(()),
            Some(payee) if by_category() => Err(OtherPayee::Category(payee.category)),
            _ => Err(OtherPayee::Key),
        }
    }
}

impl core::fmt::Debug for Payees {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

impl Terms {
    /// What a body names them by: `H32("specie/v1/mandate-terms", terms)`.
    pub fn id(&self) -> [u8; 32] {
        let mut buffer = [0; TERMS_LENGTH_MAX];
        terms_id(self.encode(&mut buffer).expect("the buffer holds the longest terms"))
    }
}

fn terms_id(terms: &[u8]) -> [u8; 32] {
    hash::h32(label::MANDATE_TERMS, &[terms])
}

impl MandateBody {
    /// Whether its owner signed it.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self, signature: &[u8; 64]) -> Result<(), BadSignature> {
        let mut buffer = [0; BODY_LENGTH_MAX];
        self.owner.verify(label::MANDATE, &[self.encoded(&mut buffer)], signature)
    }

    /// A name for it: `H32("specie/v1/mandate", body)`.
    pub fn id(&self) -> [u8; 32] {
        let mut buffer = [0; BODY_LENGTH_MAX];
        hash::h32(label::MANDATE, &[self.encoded(&mut buffer)])
    }

    fn encoded<'b>(&self, buffer: &'b mut [u8; BODY_LENGTH_MAX]) -> &'b [u8] {
        self.encode(buffer).expect("the buffer holds the longest body")
    }
}

impl Mandate {
    /// The owner signs `body`, which names `terms` and the owner from then on.
    pub fn sign(mut body: MandateBody, terms: Terms, owner: &SigningKey) -> Self {
        body.owner = owner.public();
        body.terms = terms.id();
        let mut buffer = [0; BODY_LENGTH_MAX];
        let signature = owner.sign(label::MANDATE, &[body.encoded(&mut buffer)]);
        Self { body, terms, signature }
    }

    /// Whether its owner signed it.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(&self) -> Result<(), BadSignature> {
        self.body.verify(&self.signature)
    }
}

impl Encode for MandateBody {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(10)?;
        w.bytes(&self.owner.0)?;
        w.bytes(&self.device.0)?;
        w.uint(self.sequence)?;
        self.valid_until.write(w)?;
        self.max_payment.write(w)?;
        w.uint(self.period_seconds)?;
        self.max_per_period.write(w)?;
        self.max_total.write(w)?;
        match &self.redeem_to {
            Some(context) => context.write(w)?,
            None => w.null()?,
        }
        w.bytes(&self.terms)
    }
}

impl Decode<'_> for MandateBody {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(10)?;
        Ok(Self {
            owner: PublicKey(r.bytes_of()?),
            device: PublicKey(r.bytes_of()?),
            sequence: r.uint()?,
            valid_until: Timestamp::read(r)?,
            max_payment: Amount::read(r)?,
            period_seconds: Some(r.uint()?).filter(|seconds| *seconds > 0).ok_or(DecodeError::OutOfRange)?,
            max_per_period: Amount::read(r)?,
            max_total: Amount::read(r)?,
            redeem_to: r.optional(Context::read)?,
            terms: r.bytes_of()?,
        })
    }
}

impl Encode for PayeeRule {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        match self {
            Self::Anyone => {
                w.array(1)?;
                w.uint(0)
            }
            Self::Category(category) => {
                w.array(2)?;
                w.uint(1)?;
                w.uint((*category).into())
            }
            Self::Key(key) => {
                w.array(2)?;
                w.uint(2)?;
                w.bytes(&key.0)
            }
        }
    }
}

impl Decode<'_> for PayeeRule {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match (r.array()?, r.uint()?) {
            (1, 0) => Ok(Self::Anyone),
            (2, 1) => r.uint_as().map(Self::Category),
            (2, 2) => Ok(Self::Key(PublicKey(r.bytes_of()?))),
            _ => Err(DecodeError::OutOfRange),
        }
    }
}

impl Encode for Terms {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(3)?;
        self.currency.write(w)?;
        self.person_above.write(w)?;
        w.array(self.payees.length)?;
        self.payees.as_slice().iter().try_for_each(|rule| rule.write(w))
    }
}

impl Decode<'_> for Terms {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(3)?;
        let (currency, person_above, length) = (Currency::read(r)?, Amount::read(r)?, r.array()?);
        let mut rules = [PayeeRule::Anyone; PAYEES_MAX];
        for rule in rules.get_mut(..length).ok_or(DecodeError::WrongLength)? {
            *rule = PayeeRule::read(r)?;
        }
        let payees = Payees::new(&rules[..length]).ok_or(DecodeError::NotCanonical)?;
        Ok(Self { currency, person_above, payees })
    }
}

impl Encode for Mandate {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        w.array(5)?;
        w.uint(VERSION)?;
        w.uint(Message::Mandate.number())?;
        self.body.write(w)?;
        self.terms.write(w)?;
        w.bytes(&self.signature)
    }
}

impl Decode<'_> for Mandate {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array_of(5)?;
        r.message(Message::Mandate.number())?;
        let body = MandateBody::read(r)?;
        let start = r.position();
        let terms = Terms::read(r)?;
        if terms_id(r.since(start)) != body.terms {
            return Err(DecodeError::OutOfRange);
        }
        Ok(Self { body, terms, signature: r.bytes_of()? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::encoding::Buffer;
    use crate::text::Name;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    fn amount(minor: u64) -> Amount {
        Amount::new(minor).unwrap()
    }

    fn mandate(rules: &[PayeeRule]) -> Mandate {
        let body = MandateBody {
            owner: key(9).public(),
            device: key(2).public(),
            sequence: u64::MAX,
            valid_until: Timestamp::new((1 << 63) - 1).unwrap(),
            max_payment: Amount::MAX,
            period_seconds: u64::MAX,
            max_per_period: Amount::MAX,
            max_total: Amount::MAX,
            redeem_to: Some(Context([7; 32])),
            terms: [0; 32],
        };
        let terms = Terms {
            currency: Currency::new("XTS").unwrap(),
            person_above: Amount::MAX,
            payees: Payees::new(rules).unwrap(),
        };
        Mandate::sign(body, terms, &key(1))
    }

    fn payee(category: u16, seed: u8) -> DescriptorBody {
        let name = |text| Name::new(text).unwrap();
        let (psp, payee, account) = (name("psp"), name("payee"), name("account"));
        DescriptorBody { psp, payee, account, category, key: key(seed).public(), valid_until: Timestamp::EPOCH }
    }

    #[test]
    fn the_longest_fits_its_buffers_and_comes_back() {
        let mut keys: [PayeeRule; PAYEES_MAX] = core::array::from_fn(|i| PayeeRule::Key(key(i as u8).public()));
        keys.sort();
        let mandate = mandate(&keys);
        let encoded = Buffer::<MANDATE_LENGTH_MAX>::of(&mandate);
        assert_eq!(Mandate::decode(encoded.as_slice()), Ok(mandate));
        assert_eq!(mandate.body.owner, key(1).public(), "whoever signs it owns it");
        assert_eq!(mandate.verify(), Ok(()));
    }

    #[test]
    fn a_signature_holds_every_field_and_the_terms() {
        let good = mandate(&[PayeeRule::Category(5411)]);
        let other = |change: fn(&mut MandateBody)| {
            let mut body = good.body;
            change(&mut body);
            body.verify(&good.signature)
        };
        for change in [
            (|body| body.owner = key(3).public()) as fn(&mut MandateBody),
            |body| body.device = key(3).public(),
            |body| body.sequence -= 1,
            |body| body.valid_until = Timestamp::EPOCH,
            |body| body.max_payment = amount(1),
            |body| body.period_seconds = 1,
            |body| body.max_per_period = amount(1),
            |body| body.max_total = amount(1),
            |body| body.redeem_to = None,
            |body| body.terms = [0; 32],
        ] {
            assert_eq!(other(change), Err(BadSignature));
        }
        // Other terms than the body names are no mandate at all.
        let swapped = Mandate { terms: mandate(&[PayeeRule::Anyone]).terms, ..good };
        let encoded = Buffer::<MANDATE_LENGTH_MAX>::of(&swapped);
        assert_eq!(Mandate::decode(encoded.as_slice()), Err(DecodeError::OutOfRange));
    }

    #[test]
    fn refuses_periods_of_nothing_and_rules_out_of_order() {
        let good = mandate(&[PayeeRule::Anyone]);
        let endless = MandateBody { period_seconds: 0, ..good.body };
        assert_eq!(MandateBody::decode(Buffer::<256>::of(&endless).as_slice()), Err(DecodeError::OutOfRange));
        let (shop, fuel) = (PayeeRule::Category(5411), PayeeRule::Category(5541));
        assert!(
            Payees::new(&[]).is_none() && Payees::new(&[shop; 2]).is_none() && Payees::new(&[fuel, shop]).is_none()
        );
        assert!(Payees::new(&[PayeeRule::Anyone, shop, fuel]).is_some());
    }

    #[test]
    fn payees_are_known_by_what_was_verified_of_them() {
        let rules = |rules: &[PayeeRule]| Payees::new(rules).unwrap();
        let (shop, friend) = (PayeeRule::Category(5411), PayeeRule::Key(key(4).public()));
        assert_eq!(rules(&[PayeeRule::Anyone]).check(None), Ok(()));
        assert_eq!(rules(&[shop]).check(Some(&payee(5411, 5))), Ok(()));
        assert_eq!(rules(&[shop]).check(Some(&payee(5412, 4))), Err(OtherPayee::Category(5412)));
        assert_eq!(rules(&[shop, friend]).check(Some(&payee(5412, 4))), Ok(()));
        assert_eq!(rules(&[friend]).check(Some(&payee(5411, 5))), Err(OtherPayee::Key));
        assert_eq!(rules(&[shop, friend]).check(None), Err(OtherPayee::Key));
    }
}
