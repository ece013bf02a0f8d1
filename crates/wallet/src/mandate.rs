//! Mandates (§7.2): what the device may pay by itself. The element enforces amounts and the end, the wallet the rest; the wallet asks
//! for the amounts too, before anything is spent.

use specie_core::amount::{Amount, Timestamp};
use specie_core::encoding::{Decode, DecodeError, Encode};
use specie_core::label;
use specie_core::mandate::{Mandate, MandateBody, OtherPayee};
use specie_core::request::Request;
use specie_core::signature::SigningKey;
use specie_core::text::Currency;
use specie_element::client::{self, MandateUse};
use specie_element::instruction::Purpose;
use specie_element::status::StatusWord;
use thiserror::Error;

use crate::element::{Element, ElementFault};
use crate::error::WalletError;
use crate::payment::{Payee, PaymentError};
use crate::publication::Update;
use crate::record::{Changes, Document, Table};
use crate::step::Step;
use crate::wallet::Wallet;

/// Why a mandate is refused. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MandateError {
    /// Not a well-formed mandate.
    #[error("the mandate is malformed: {0}")]
    Malformed(DecodeError),
    /// Its owner did not sign it.
    #[error("the mandate is not by the owner whom it names")]
    BadSignature,
    /// For another device.
    #[error("the mandate is for another device")]
    OtherDevice,
    /// The element has no PIN: it lets everything be paid anyhow.
    #[error("the secure element has no PIN: it lets anything be paid, and knows no owner")]
    NoPin,
    /// The element does not take it.
    #[error(transparent)]
    Element(#[from] ElementFault),
}

impl WalletError for MandateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::BadSignature => "bad-signature",
            Self::OtherDevice => "other-device",
            Self::NoPin => "no-pin",
            Self::Element(fault) => fault.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::BadSignature => "ask the owner for the mandate again",
            Self::OtherDevice => "give it to the device whose key it names",
            Self::NoPin => "set a PIN first, then give the mandate again",
            Self::Element(fault) => fault.advice(),
        }
    }
}

/// The rule of the mandate by which nothing is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OutsideMandate {
    /// There is none.
    #[error("the device has no mandate")]
    Missing,
    /// Past its end.
    #[error("the mandate has ended")]
    Ended,
    /// In another currency.
    #[error("the mandate is for payments in {0} only")]
    Currency(Currency),
    /// The payee is not named, and its category does not help.
    #[error("the mandate does not name this payee")]
    Payee,
    /// Of a category that is not mandated.
    #[error("the mandate does not name payees of category {0:04}")]
    Category(u16),
    /// Over the amount that a person has to confirm.
    #[error("a person has to confirm payments above {0}")]
    PersonNeeded(Amount),
    /// Over the amount for one payment.
    #[error("over what the mandate allows for one payment ({0})")]
    PerPayment(Amount),
    /// Over the amount for a period.
    #[error("over what the mandate allows in a period ({left} is left)")]
    PerPeriod {
        /// What may still be paid in this one.
        left: Amount,
    },
    /// Over the amount in all.
    #[error("over what the mandate allows in all ({left} is left)")]
    Total {
        /// What may still be paid.
        left: Amount,
    },
}

impl WalletError for OutsideMandate {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "no-mandate",
            Self::Ended => "mandate-expired",
            Self::Currency(_) => "mandate-currency",
            Self::Payee => "mandate-payee",
            Self::Category(_) => "mandate-category",
            Self::PersonNeeded(_) => "person-needed",
            Self::PerPayment(_) => "mandate-per-payment",
            Self::PerPeriod { .. } => "mandate-per-period",
            Self::Total { .. } => "mandate-total",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::PersonNeeded(_) => "let a person pay it, with the PIN",
            Self::PerPeriod { .. } => "wait for the next period, or let a person pay it, with the PIN",
            _ => "let a person pay it, with the PIN, or ask the owner for another mandate",
        }
    }
}

/// Why the device pays nothing by itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MandatedPaymentError {
    /// The mandate does not allow it.
    #[error(transparent)]
    Outside(#[from] OutsideMandate),
    /// It cannot be paid at all.
    #[error(transparent)]
    Payment(#[from] PaymentError),
}

impl WalletError for MandatedPaymentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Outside(rule) => rule.code(),
            Self::Payment(error) => error.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Outside(rule) => rule.advice(),
            Self::Payment(error) => error.advice(),
        }
    }
}

impl Wallet {
    /// The mandate held.
    pub fn mandate(&self) -> Option<Mandate> {
        // It was read before it was stored.
        self.mandate.as_deref().and_then(|mandate| Mandate::decode(mandate).ok())
    }

    /// The mandate held, as it travels.
    pub fn mandate_message(&self) -> Option<&[u8]> {
        self.mandate.as_deref()
    }

    /// Takes a mandate and hands it to the element. The first one of an owner takes the PIN; a newer one of the same owner does not.
    ///
    /// # Errors
    /// When it is not its owner's or for another device, or the element refuses it.
    #[inline(never)]
    pub fn accept_mandate(&mut self, mandate: &[u8], element: &mut impl Element) -> Result<Step<Update>, MandateError> {
        let offered = Mandate::decode(mandate).map_err(MandateError::Malformed)?;
        offered.verify().map_err(|_| MandateError::BadSignature)?;
        if offered.body.device != self.device() {
            return Err(MandateError::OtherDevice);
        }
        if client::status(element).map_err(ElementFault::from)?.pin_tries_left.is_none() {
            return Err(MandateError::NoPin);
        }
        // The element takes the same one again, and may have lost the answer to it last time.
        client::mandate(element, &offered.body.to_vec(), &offered.signature).map_err(ElementFault::from)?;
        let newer = self.mandate.as_deref() != Some(mandate);
        let mut changes = Changes::default();
        changes.put_open(Table::Document, &[Document::Mandate as u8], mandate.to_vec());
        self.mandate = Some(mandate.to_vec());
        Ok(changes.step(if newer { Update::Newer } else { Update::NotNewer }))
    }

    /// Ends whatever mandate the element holds, whoever its owner is, by one that allows nothing and whose owner is nobody: the key that `seed`
    /// gives is forgotten. Its former owner can give no other without the PIN then. It takes the PIN.
    ///
    /// # Errors
    /// When the element cannot be asked, or needs the PIN.
    pub fn end_mandate(&mut self, seed: &[u8; 32], element: &mut impl Element) -> Result<Step<()>, ElementFault> {
        // Without a PIN there never was a mandate.
        if client::status(element)?.pin_tries_left.is_some() {
            let nobody = SigningKey::from_seed(seed);
            let body = MandateBody {
                owner: nobody.public(),
                device: self.device(),
                sequence: u64::MAX,
                valid_until: Timestamp::EPOCH,
                max_payment: Amount::ZERO,
                period_seconds: 1,
                max_per_period: Amount::ZERO,
                max_total: Amount::ZERO,
                redeem_to: None,
                terms: [0; 32],
            };
            let body = body.to_vec();
            client::mandate(element, &body, &nobody.sign(label::MANDATE, &[&body]))?;
        }
        let mut changes = Changes::default();
        changes.delete(Table::Document, &[Document::Mandate as u8]);
        self.mandate = None;
        Ok(changes.step(()))
    }

    /// What was used of the mandate held; `None` without one, and where the element holds another.
    ///
    /// # Errors
    /// When the element cannot be asked.
    pub fn mandate_use(&self, element: &mut impl Element) -> Result<Option<MandateUse>, ElementFault> {
        let Some(mandate) = self.mandate() else { return Ok(None) };
        let used = client::mandate_use(element)?;
        Ok(Some(used).filter(|used| used.sequence == mandate.body.sequence))
    }

    /// The element's signature over a request to the PSP. With nobody there who verified the PIN, it is under the mandate, where there is one.
    ///
    /// # Errors
    /// When the element does not sign.
    #[inline(never)]
    pub fn sign_device_request(&self, digest: &[u8; 32], element: &mut impl Element) -> Result<[u8; 64], ElementFault> {
        let signed = client::sign_request(element, Purpose::DeviceRequest, digest).map_err(ElementFault::from);
        match signed {
            Err(ElementFault::Refused(StatusWord::PIN_NEEDED)) if self.mandate.is_some() => {
                Ok(client::sign_request(element, Purpose::MandatedRequest, digest)?)
            }
            signed => signed,
        }
    }

    /// Whether the device may pay `request` by itself. `payee` is what became of its descriptor.
    #[inline(never)]
    pub(crate) fn check_mandate(
        &self,
        request: &Request,
        payee: &Payee,
        now: Timestamp,
        element: &mut impl Element,
    ) -> Result<(), MandatedPaymentError> {
        let mandate = self.mandate().ok_or(OutsideMandate::Missing)?;
        check_terms(&mandate, request, payee)?;
        let used = self.mandate_use(element).map_err(PaymentError::from)?.ok_or(OutsideMandate::Missing)?;
        Ok(check_amounts(&mandate, &used, request.body.amount, self.not_before_floor(now))?)
    }
}

/// What only the wallet can check.
fn check_terms(mandate: &Mandate, request: &Request, payee: &Payee) -> Result<(), OutsideMandate> {
    let (terms, body) = (&mandate.terms, &request.body);
    if body.currency != terms.currency {
        return Err(OutsideMandate::Currency(terms.currency));
    }
    let verified = matches!(payee, Payee::Verified { .. });
    let descriptor = body.descriptor.as_ref().filter(|_| verified).map(|descriptor| &descriptor.body);
    terms.payees.check(descriptor).map_err(|other| match other {
        OtherPayee::Key => OutsideMandate::Payee,
        OtherPayee::Category(category) => OutsideMandate::Category(category),
    })?;
    if body.amount > terms.person_above { Err(OutsideMandate::PersonNeeded(terms.person_above)) } else { Ok(()) }
}

/// What the element is going to check, coin by coin: so that it does not stop between two of them.
fn check_amounts(mandate: &Mandate, used: &MandateUse, amount: Amount, now: Timestamp) -> Result<(), OutsideMandate> {
    let body = &mandate.body;
    let time = now.seconds().max(used.period_began);
    if time > body.valid_until.seconds() {
        return Err(OutsideMandate::Ended);
    }
    if amount > body.max_payment {
        return Err(OutsideMandate::PerPayment(body.max_payment));
    }
    let left = |most: Amount, used: u64| Amount::new(most.minor().saturating_sub(used)).unwrap_or_default();
    let in_period = if time - used.period_began >= body.period_seconds { 0 } else { used.in_period };
    let in_period = left(body.max_per_period, in_period);
    let in_all = left(body.max_total, used.spent);
    match amount {
        amount if amount > in_all => Err(OutsideMandate::Total { left: in_all }),
        amount if amount > in_period => Err(OutsideMandate::PerPeriod { left: in_period }),
        _ => Ok(()),
    }
}
