//! `specie device receive`.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use specie_core::message::Message;
use specie_device::Device;
use specie_device::link::file::{self, Place};
use specie_wallet::publication::Update;
use specie_wallet::reception::Received;
use specie_wallet::request::RequestId;

use super::Which;
use super::carry;
use super::request::listen;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::money;
use crate::progress::Progress;

/// Take what another device sent: a payment, a receipt, a manifest, a page of the revocation list
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device receive bob bob.payment --receipt bob.receipt
  specie device receive alice bob.receipt
  specie device receive bob photo-1.png photo-2.png
  specie device receive bob --listen 0.0.0.0:7100 --request 0f3a…   # wait again for a payer

A payment that was taken before gives the same receipt again.")]
pub(super) struct Receive {
    #[command(flatten)]
    which: Which,
    /// The message: a file, images of its QR codes, `-` for standard input
    #[arg(value_name = "MESSAGE", required_unless_present = "listen", conflicts_with = "listen")]
    message: Vec<PathBuf>,
    /// Write the receipt of a payment to this file
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Wait for the payer of an open request on this address
    #[arg(long, value_name = "HOST:PORT", requires = "request")]
    listen: Option<String>,
    /// The request to wait for, as `request` named it
    #[arg(long, value_name = "ID", value_parser = parse_request)]
    request: Option<RequestId>,
    /// How long to wait, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    wait: u64,
}

impl Receive {
    pub(super) fn run(&self, json: bool) -> Result<Answer, Failure> {
        let receipt = self.receipt.as_deref().map(Place::named);
        if json && receipt == Some(Place::Pipe) {
            let advice = "name a file, or take the receipt from the JSON document";
            return Err(Failure::usage("--json and --receipt - both want standard output", advice));
        }
        if let (Some(address), Some(request)) = (&self.listen, &self.request) {
            let listener = listen(address)?;
            return wait_on(&mut self.which.open()?, &listener, request, Duration::from_secs(self.wait));
        }
        // Before the device is opened: whoever writes to the pipe may need it until then.
        let message = carry::read(&self.message)?;
        let mut device = self.which.open()?;
        device.resume()?;
        match Message::peek(&message) {
            Ok(Message::Receipt) => {
                let id = device.take_receipt(&message)?.to_string();
                let human = format!("The payee has the payment {id}: delivered.\n");
                Ok(Answer::new(human, json!({ "kind": "receipt", "payment": id })))
            }
            Ok(Message::Manifest | Message::RevocationPage) => take_publication(&mut device, &message),
            _ => {
                let received = device.receive(&message)?;
                if let Some(place) = &receipt {
                    let amount = money::show(received.amount, received.currency);
                    file::write(place, &received.receipt)
                        .map_err(|error| carry::not_written(error).after(&format!("{amount} is received and yours")))?;
                }
                let answer = describe(&received);
                Ok(if receipt == Some(Place::Pipe) { answer.aside() } else { answer })
            }
        }
    }
}

/// Waits until somebody paid a request over TCP.
pub(super) fn wait_on(
    device: &mut Device,
    listener: &TcpListener,
    request: &RequestId,
    patience: Duration,
) -> Result<Answer, Failure> {
    if let Ok(address) = listener.local_addr() {
        eprintln!("waiting for the payer on {address}");
    }
    let progress = Progress::begin("waiting for the payer");
    let received = device.receive_over_tcp(listener, request, patience)?;
    drop(progress);
    Ok(describe(&received))
}

fn describe(received: &Received) -> Answer {
    let amount = money::show(received.amount, received.currency);
    let human = if received.repeated {
        format!("Received {amount} before, by this very payment; the receipt is the same.\n")
    } else {
        format!("Received {amount}. It is yours, and can be paid on at once.\n")
    };
    let machine = json!({
        "kind": "payment",
        "amount": received.amount.minor(),
        "currency": received.currency.as_str(),
        "id": hex::encode(received.request.0),
        "repeated": received.repeated,
        "receipt": hex::encode(&received.receipt),
    });
    Answer::new(human, machine)
}

fn take_publication(device: &mut Device, message: &[u8]) -> Result<Answer, Failure> {
    let news = device.take_publication(message)? == Update::Newer;
    let human = if news { "Taken: it is newer than what was known.\n" } else { "Known already.\n" };
    Ok(Answer::new(human, json!({ "kind": "publication", "newer": news })))
}

/// A request by its name.
pub(super) fn parse_request(text: &str) -> Result<RequestId, String> {
    let bytes = hex::decode(text).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    bytes.map(RequestId).ok_or_else(|| "a request's name is 32 hexadecimal digits".to_owned())
}
