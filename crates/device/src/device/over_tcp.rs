//! Paying and being paid over TCP: the device's part of the exchange in [`crate::link::tcp`].

use std::net::TcpListener;
use std::time::Duration;

use specie_wallet::payment::{PaymentId, PaymentPreview};
use specie_wallet::reception::Received;
use specie_wallet::request::RequestId;

use super::{Device, Done};
use crate::failure::Failure;
use crate::link::tcp::{self, Delivery, Doubt, Handover, PayError, PayeeSide, PayerSide, Refusal};

/// How a payment that was made over TCP got on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The payee has it, and gave the receipt.
    Confirmed(PaymentId),
    /// The payment is made, and the payee does not accept it: its code. It falls back to this wallet in the end.
    Refused(PaymentId, String),
    /// The payment is made, and no receipt came: why. Connect again, or synchronise, which uploads it.
    Unconfirmed(PaymentId, String),
}

impl Device {
    /// Waits on `listener` until somebody paid `request`, at most for `patience`.
    ///
    /// # Errors
    /// There is no such request, or nobody paid; the request stays open until it expires.
    pub fn receive_over_tcp(
        &mut self,
        listener: &TcpListener,
        request: &RequestId,
        patience: Duration,
    ) -> Done<Received> {
        let Some(message) = self.wallet.request_message(request).map(<[u8]>::to_vec) else {
            return Err(Failure::new("unknown-request", "there is no such request", "make a new request"));
        };
        let mut till = Till { device: self, received: None };
        let arrival = tcp::receive(listener, &message, &mut till, patience);
        match (till.received, arrival) {
            // It is in the wallet, whatever became of the connection.
            (Some(received), _) => Ok(received),
            (None, Err(tcp::ReceiveError::NobodyPaid(patience))) => Err(Failure::new(
                "nobody-paid",
                format!("nobody paid within {} s", patience.as_secs()),
                "wait again: the request stays open until it expires",
            )),
            (None, Err(error)) => Err(Failure::new("not-listening", error.to_string(), "wait again")),
            (None, Ok(_)) => Err(Failure::new("nobody-paid", "nobody paid", "wait again")),
        }
    }

    /// Connects to the payee at `address` (`host:port`), pays its request if `confirm` says so, and files the receipt.
    ///
    /// # Errors
    /// Nothing was paid.
    pub fn pay_over_tcp(&mut self, address: &str, confirm: &mut dyn FnMut(&PaymentPreview) -> bool) -> Done<Delivered> {
        self.pay_over_tcp_as(address, false, confirm)
    }

    /// The same under the mandate; `look` is shown what is going to be paid.
    ///
    /// # Errors
    /// Nothing was paid.
    pub fn pay_over_tcp_by_itself(&mut self, address: &str, look: &mut dyn FnMut(&PaymentPreview)) -> Done<Delivered> {
        let mut confirm = |preview: &PaymentPreview| {
            look(preview);
            true
        };
        self.pay_over_tcp_as(address, true, &mut confirm)
    }

    fn pay_over_tcp_as(
        &mut self,
        address: &str,
        by_itself: bool,
        confirm: &mut dyn FnMut(&PaymentPreview) -> bool,
    ) -> Done<Delivered> {
        let mut purse = Purse { device: self, by_itself, confirm, paid: None };
        let delivery = tcp::pay(address, &mut purse);
        let paid = purse.paid;
        match (delivery, paid) {
            (Ok(Delivery::Confirmed), Some(id)) => Ok(Delivered::Confirmed(id)),
            (Ok(Delivery::Refused(code)), Some(id)) => Ok(Delivered::Refused(id, code)),
            (Ok(Delivery::Unconfirmed(doubt)), Some(id)) => Ok(Delivered::Unconfirmed(id, doubt_text(&doubt))),
            (Err(PayError::NotPaid(failure)), _) => Err(failure),
            (Err(PayError::Unreachable { address, source }), _) => Err(Failure::new(
                "payee-unreachable",
                format!("the payee at {address} cannot be reached ({source})"),
                "check that it is waiting for payment",
            )),
            (Err(PayError::NoRequest(error)), _) => {
                Err(Failure::new("no-request", format!("{error}, before it sent a request"), "connect again"))
            }
            (Ok(_), None) => Err(Failure::new("no-request", "nothing was paid", "connect again")),
        }
    }
}

fn doubt_text(doubt: &Doubt<Failure>) -> String {
    match doubt {
        Doubt::Receipt(failure) => format!("the receipt is not good: {}", failure.what()),
        Doubt::Wire(error) => error.to_string(),
    }
}

struct Till<'a> {
    device: &'a mut Device,
    received: Option<Received>,
}

impl PayeeSide for Till<'_> {
    fn update(&mut self, message: &[u8]) {
        // The payer only means well: what is wrong or old changes nothing, and a fork of the bank's publications comes to
        // light at the next synchronisation too.
        let _ = self.device.take_publication(message);
    }

    fn payment(&mut self, payment: &[u8]) -> Result<Vec<u8>, Refusal> {
        let received = self.device.receive(payment).map_err(|failure| Refusal(failure.code().to_owned()))?;
        let receipt = received.receipt.clone();
        self.received = Some(received);
        Ok(receipt)
    }
}

struct Purse<'a> {
    device: &'a mut Device,
    /// Under the mandate.
    by_itself: bool,
    confirm: &'a mut dyn FnMut(&PaymentPreview) -> bool,
    paid: Option<PaymentId>,
}

impl PayerSide for Purse<'_> {
    type Error = Failure;

    fn pay(&mut self, request: &[u8]) -> Result<Handover, Failure> {
        let preview = self.device.preview(request)?;
        if !(self.confirm)(&preview) {
            return Err(Failure::new("not-confirmed", "the payment was not confirmed", "nothing: the payee was told"));
        }
        let paid = self.device.pay_as(request, self.by_itself)?;
        self.paid = Some(paid.id);
        Ok(Handover { updates: paid.publications, payment: paid.message })
    }

    fn receipt(&mut self, receipt: &[u8]) -> Result<(), Failure> {
        self.device.take_receipt(receipt).map(drop)
    }
}
