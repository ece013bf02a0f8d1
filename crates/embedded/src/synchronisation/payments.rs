//! Payments that did not reach their payees: uploaded by the payer, claimed by the payee.

use embedded_storage::nor_flash::NorFlash;
use specie_api::psp::{self, path};
use specie_core::Timestamp;
use specie_wallet::element::Element;
use specie_wallet::payment::{Form, PaymentId};
use specie_wallet::reception::Route;

use super::{Out, Synchronisation};
use crate::answers::{Document, Empty};
use crate::device::{Device, Done, Random};
use crate::errand::{Answer, Errand, garbled};
use crate::json::Object;

impl Synchronisation {
    #[inline(never)]
    pub(super) fn ask_upload<F: NorFlash, E: Element, R: Random>(
        &mut self,
        device: &mut Device<F, E, R>,
        now: Timestamp,
    ) -> Done<Option<(Out, Errand)>> {
        let waiting = device.wallet().undelivered_payments().filter(|payment| !payment.uploaded);
        let next = waiting.map(|payment| payment.id).find(|id| !self.not_uploaded.contains(id));
        let Some(id) = next else { return Ok(None) };
        // Compact, since memory is short; the bank takes either form.
        let upload = Object::new().hex("payment", &device.payment_again(&id, Form::Compact)?);
        let errand = Errand::post(path::PAYMENTS, &device.fresh_key()?, upload).signed(device, self.psp_time(now))?;
        Ok(Some((Out::Upload(id), errand)))
    }

    #[inline(never)]
    pub(super) fn take_uploaded<F: NorFlash, E: Element, R: Random>(
        &mut self,
        id: &PaymentId,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
    ) -> Done<()> {
        match answer.read::<Empty>() {
            Ok(Empty) => {
                let step = device.wallet.uploaded(id);
                device.commit(step)?;
                self.report.uploaded += 1;
            }
            Err(refusal) => {
                // The others may still get through.
                self.not_uploaded.insert(*id);
                return self.put_aside(refusal.into());
            }
        }
        Ok(())
    }

    #[inline(never)]
    pub(super) fn ask_claim<F: NorFlash, E: Element, R: Random>(
        &mut self,
        device: &mut Device<F, E, R>,
        now: Timestamp,
    ) -> Done<Option<(Out, Errand)>> {
        let claims = self.claims.get_or_insert_with(|| device.wallet().claimable_requests(now).collect());
        while let Some(id) = claims.pop_front() {
            let Some(request) = device.wallet().request_message(&id) else { continue };
            let claim = Object::new().hex("request", request);
            let key = device.fresh_key()?;
            let errand = Errand::post(path::CLAIM, &key, claim).signed(device, self.psp_time(now))?;
            return Ok(Some((Out::Claim, errand)));
        }
        Ok(None)
    }

    #[inline(never)]
    pub(super) fn take_claimed<F: NorFlash, E: Element, R: Random>(
        &mut self,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
        now: Timestamp,
    ) -> Done<()> {
        let payment = match answer.read() {
            Ok(Document(Some(payment))) => payment,
            Ok(Document(None)) => return self.put_aside(garbled()),
            Err(refusal) if refusal.is(&psp::PAYMENT_UNKNOWN) => return Ok(()),
            Err(refusal) => return self.put_aside(refusal.into()),
        };
        match device.receive(&payment, Route::Bank, now) {
            Ok(_) => {
                self.report.claimed += 1;
                Ok(())
            }
            Err(failure) => self.put_aside(failure),
        }
    }
}
