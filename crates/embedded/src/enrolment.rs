//! Enrolment (§4) through whoever has a network: the PSP gets to know the element, and ties it to a customer.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_api::idempotency::Key;
use specie_api::psp::{self, path};
use specie_core::encoding::{DecodeError, Reader, Writer};
use specie_core::text::Name;
use specie_wallet::Change;
use specie_wallet::element::Element;
use specie_wallet::identity::Account;
use zeroize::Zeroizing;

use crate::answers::{Enrolled, Nonce};
use crate::device::{Device, Done, OWN_RECORDS, Random};
use crate::errand::{Answer, Errand};
use crate::failure::Failure;
use crate::json::Object;

/// What the device tells of itself.
const DEVICE_INFO: &[u8] = b"specie microcontroller";

/// Where the request is kept from before it is sent until it is answered.
const RECORD: [u8; 2] = [OWN_RECORDS, 1];

/// An enrolment under way: take [`Enrolment::next`]'s errand to the PSP and its answer to [`Enrolment::answer`], until it is
/// done or fails.
pub struct Enrolment {
    customer: String,
    claim_code: String,
    stage: Stage,
    /// The request was sent before a break, or may have been.
    repeats: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nonce,
    Request,
    Done,
}

/// A request with its key, as it is stored.
struct Stored {
    key: Key,
    customer: String,
    claim_code: String,
    enrolment: Vec<u8>,
}

impl Enrolment {
    /// Enrols the device for `customer` with the claim code that the PSP gave out. After a break, the same again.
    ///
    /// # Errors
    /// The device is enrolled already, or its records cannot be read.
    pub fn new<F: NorFlash, E: Element, R: Random>(
        device: &mut Device<F, E, R>,
        customer: &str,
        claim_code: &str,
    ) -> Done<Self> {
        if device.wallet().account().is_some() {
            return Err(Failure::new(
                "enrolled-already",
                "the device is enrolled already",
                "use it, or make a new one",
            ));
        }
        let stored = Stored::load(device)?;
        let repeats = stored.is_some_and(|stored| stored.customer == customer && stored.claim_code == claim_code);
        let stage = if repeats { Stage::Request } else { Stage::Nonce };
        Ok(Self { customer: customer.into(), claim_code: claim_code.into(), stage, repeats })
    }

    /// What to take to the PSP; `None` when it is done.
    ///
    /// # Errors
    /// The records or the element fail.
    #[inline(never)]
    pub fn next<F: NorFlash, E: Element, R: Random>(&mut self, device: &mut Device<F, E, R>) -> Done<Option<Errand>> {
        match self.stage {
            Stage::Nonce => Ok(Some(Errand::post(path::ENROLMENT_NONCE, &device.fresh_key()?, Object::new()))),
            Stage::Request => match Stored::load(device)? {
                Some(stored) => Ok(Some(Errand::post(path::ENROLMENTS, &stored.key, stored.request()))),
                // It cannot be read any more: from the beginning.
                None => {
                    self.stage = Stage::Nonce;
                    self.next(device)
                }
            },
            Stage::Done => Ok(None),
        }
    }

    /// Takes the answer.
    ///
    /// # Errors
    /// The PSP refuses or was not reached: the same enrolment again goes on.
    pub fn answer<F: NorFlash, E: Element, R: Random>(
        &mut self,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
    ) -> Done<()> {
        match self.stage {
            Stage::Nonce => self.take_nonce(device, answer),
            Stage::Request => self.take_enrolled(device, answer),
            Stage::Done => Ok(()),
        }
    }

    #[inline(never)]
    fn take_nonce<F: NorFlash, E: Element, R: Random>(
        &mut self,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
    ) -> Done<()> {
        let nonce = answer.read::<Nonce>()?.0;
        let enrolment = device.wallet.enrolment(&nonce, DEVICE_INFO, &mut device.element)?;
        let (customer, claim_code) = (self.customer.clone(), self.claim_code.clone());
        let stored = Stored { key: device.fresh_key()?, customer, claim_code, enrolment };
        device.records.apply(&[Change::Put { key: RECORD.to_vec(), value: Zeroizing::new(stored.encode()) }])?;
        self.stage = Stage::Request;
        Ok(())
    }

    #[inline(never)]
    fn take_enrolled<F: NorFlash, E: Element, R: Random>(
        &mut self,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
    ) -> Done<()> {
        let enrolled: Enrolled = match answer.read() {
            Ok(enrolled) => enrolled,
            Err(refusal) if refusal.is(&psp::NONCE) && core::mem::take(&mut self.repeats) => {
                // The nonce ran out while the device was away.
                self.stage = Stage::Nonce;
                return Ok(());
            }
            Err(refusal) => {
                if refusal.is_final() {
                    forget(device)?;
                }
                return Err(refusal.into());
            }
        };
        let (Some(psp), Some(account)) = (Name::new(&enrolled.psp), Name::new(&enrolled.account)) else {
            return Err(Failure::new("wrong-answer", "the PSP named an account that cannot be", "ask the PSP"));
        };
        let step = device.wallet.enrolled(Account { psp, account });
        device.commit(step)?;
        forget(device)?;
        self.stage = Stage::Done;
        Ok(())
    }
}

impl Stored {
    fn load<F: NorFlash, E: Element, R: Random>(device: &mut Device<F, E, R>) -> Done<Option<Self>> {
        let Some(record) = device.records.get(&RECORD)? else { return Ok(None) };
        // What cannot be read is made anew.
        Ok(Self::decode(&record).ok())
    }

    fn request(&self) -> Object {
        Object::new()
            .text("customer", &self.customer)
            .text("claim_code", &self.claim_code)
            .hex("enrolment", &self.enrolment)
    }

    fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new(vec![]);
        let written = w
            .array(4)
            .and_then(|()| w.text(self.key.as_str()))
            .and_then(|()| w.text(&self.customer))
            .and_then(|()| w.text(&self.claim_code))
            .and_then(|()| w.bytes(&self.enrolment));
        match written {
            Ok(()) => w.into_inner(),
            Err(never) => match never {},
        }
    }

    fn decode(record: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(record);
        r.array_of(4)?;
        let key = Key::new(r.text()?).map_err(|_| DecodeError::OutOfRange)?;
        let (customer, claim_code) = (r.text()?.into(), r.text()?.into());
        let enrolment = r.bytes()?.to_vec();
        r.finish()?;
        Ok(Self { key, customer, claim_code, enrolment })
    }
}

fn forget<F: NorFlash, E: Element, R: Random>(device: &mut Device<F, E, R>) -> Done<()> {
    Ok(device.records.apply(&[Change::Delete { key: RECORD.to_vec() }])?)
}
