//! Paying online, from account to account, for devices that are connected.

use specie_api::client::CallError;
use specie_api::psp::TransferRequest;
use specie_core::Context;
use specie_core::descriptor::DescriptorBody;
use specie_core::encoding::Decode;
use specie_core::manifest::{Entry, Manifest};
use specie_core::message::Message;
use specie_core::request::Request;
use specie_core::signature::PublicKey;
use specie_core::text::{Memo, Name};
use specie_wallet::payment::{Form, PaymentError, PaymentId};
use specie_wallet::recovery::Pending;

use super::errand::{Errand, OnlinePayment};
use super::pay::expect;
use super::{Device, Done, beginning};
use crate::failure::Failure;

/// Bytes of the longest reference.
const REFERENCE_MAX: usize = 140;

/// Where online payments are noted, by request: a request is paid once, online or offline.
const PREFIX: &str = "online/";

impl Device {
    /// Pays a request from the account of the device's customer to the payee's. After a break, the same again: it is paid
    /// once.
    ///
    /// # Errors
    /// The request names no account that can be relied on, it was paid offline, or the PSP refuses. Where the PSP does not
    /// answer, whether it was paid is found out by the same call.
    pub fn pay_online(&mut self, request: &[u8]) -> Done<OnlinePayment> {
        self.resume()?;
        expect(request, Message::Request)?;
        let request = Request::decode(request).map_err(|error| {
            Failure::new("malformed", format!("the request is malformed: {error}"), "ask the payee for a new request")
        })?;
        let id = request.context();
        if let Some(errand) = self.errand::<Errand<OnlinePayment>>(&name(&id))? {
            return self.run_transfer(&id, errand).map_err(Failure::halfway);
        }
        if request.body.expiry < self.now() {
            return Err(PaymentError::RequestExpired.into());
        }
        // Planned or made: the element may have shown notes for it.
        if self.wallet.pending().contains(&Pending::Payment(id))
            || !matches!(self.wallet.payment_message(&id, Form::Compact), Err(PaymentError::Unknown))
        {
            return Err(Failure::new(
                "paid-already",
                "this request was paid offline, or is about to be",
                "hand the payment over, or synchronise to have it delivered",
            ));
        }
        let payee = self.payee(&request)?;
        let order = TransferRequest {
            to_psp: payee.psp.as_str().to_owned(),
            to_account: payee.account.as_str().to_owned(),
            amount: request.body.amount.minor(),
            currency: request.body.currency.as_str().to_owned(),
            reference: reference(&id, request.body.memo.as_ref()),
        };
        let errand = Errand::new(OnlinePayment { order, transfer: None })?;
        self.note_errand(&name(&id), &errand)?;
        match self.run_transfer(&id, errand) {
            // The PSP never heard of it: it can be paid offline as well.
            Err(failure) if failure.nothing_was_sent() => {
                self.forget_errand(&name(&id))?;
                Err(failure)
            }
            done => done.map_err(Failure::of_money),
        }
    }

    /// Who asks to be paid, if a PSP of the manifest vouches for it.
    ///
    /// # Errors
    /// Nobody does, or the request is not by whom it names.
    pub fn payee(&self, request: &Request) -> Done<DescriptorBody> {
        let Some(descriptor) = request.body.descriptor else {
            return Err(Failure::new(
                "no-account",
                "the payee does not say to which account it can be paid",
                "pay offline, or ask a payee with a merchant's name",
            ));
        };
        request.verify_signature().map_err(|_| PaymentError::ForgedPayee)?;
        let key = self.wallet.manifest().and_then(|manifest| psp_key(manifest, &descriptor.body.psp));
        let Some(key) = key.filter(|_| self.now() <= descriptor.body.valid_until) else {
            return Err(Failure::new(
                "unverifiable-payee",
                "the payee's account cannot be verified: its PSP is not known here, or its descriptor is past its date",
                "synchronise to learn about new PSPs, or pay offline",
            ));
        };
        descriptor.verify(&key).map_err(|_| PaymentError::ForgedPayee)?;
        Ok(descriptor.body)
    }

    fn run_transfer(&mut self, id: &PaymentId, mut errand: Errand<OnlinePayment>) -> Done<OnlinePayment> {
        if errand.request.transfer.is_some() {
            return Ok(errand.request);
        }
        let key = errand.key()?;
        match self.signed_call(|psp, device| psp.transfer(device, &key, &errand.request.order)) {
            Ok(transfer) => {
                errand.request.transfer = Some(transfer.transfer_id.to_string());
                self.note_errand(&name(id), &errand)?;
                Ok(errand.request)
            }
            Err(error) => {
                if matches!(error, CallError::Refused(_)) && !error.may_retry() {
                    self.forget_errand(&name(id))?;
                }
                Err(error.into())
            }
        }
    }

    /// Repeats online payments of which no answer is known; gives how many were made.
    pub(super) fn finish_transfers(&mut self) -> Done<usize> {
        let mut made = 0;
        for (name, _) in self.file.errands(PREFIX)? {
            let Some(errand) = self.errand::<Errand<OnlinePayment>>(&name)? else {
                continue;
            };
            let bytes = name.strip_prefix(PREFIX).and_then(|digits| hex::decode(digits).ok());
            let id = bytes.and_then(|bytes| Context::try_from(&bytes[..]).ok());
            if let Some(id) = id.filter(|_| errand.request.transfer.is_none()) {
                self.run_transfer(&id, errand)?;
                made += 1;
            }
        }
        Ok(made)
    }

    /// A request that was paid online, or may have been, is not paid offline too.
    pub(super) fn refuse_paid_online(&self, request: &[u8]) -> Done<()> {
        let Ok(request) = Request::decode(request) else {
            return Ok(());
        };
        match self.errand::<Errand<OnlinePayment>>(&name(&request.context()))? {
            None => Ok(()),
            Some(Errand { request: OnlinePayment { transfer: Some(transfer), .. }, .. }) => Err(Failure::new(
                "paid-already",
                format!("this request was paid online, by transfer {transfer}"),
                "show the payee the movement of the account",
            )),
            Some(_) => Err(Failure::new(
                "payment-under-way",
                "this request is being paid online, and the PSP has not answered yet",
                "synchronise, or pay it online again: it is paid once",
            )),
        }
    }
}

/// The key of a PSP in a manifest, which the wallet verified when it took it.
fn psp_key(manifest: &[u8], psp: &Name) -> Option<PublicKey> {
    Manifest::decode(manifest).ok()?.entries().find_map(|(entry, _)| match entry {
        Entry::Psp { name, key } if name == *psp => Some(key),
        _ => None,
    })
}

fn name(id: &PaymentId) -> String {
    format!("{PREFIX}{}", hex::encode(id.as_bytes()))
}

/// What both accounts show: the request, and what it is for.
fn reference(id: &PaymentId, memo: Option<&Memo>) -> String {
    let memo = memo.map(|memo| format!(" {memo}")).unwrap_or_default();
    let reference = hex::encode(&id.as_bytes()[..8]) + &memo;
    beginning(&reference, REFERENCE_MAX).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_fit_and_begin_with_the_request() {
        let id = Context([0xAB; 32]);
        assert_eq!(reference(&id, None), "ab".repeat(8));
        let memo = Memo::new(&"ü".repeat(70)).unwrap();
        let reference = reference(&id, Some(&memo));
        assert!(reference.len() <= REFERENCE_MAX && reference.starts_with("abab") && Memo::new(&reference).is_some());
    }
}
