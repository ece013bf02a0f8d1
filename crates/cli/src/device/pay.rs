//! `specie device pay`.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use specie_core::descriptor::DescriptorBody;
use specie_core::encoding::Decode;
use specie_core::message::Message;
use specie_core::request::Request;
use specie_device::Device;
use specie_device::device::Delivered;
use specie_device::link::file::{self, Place};
use specie_wallet::payment::{Payee, PaymentPreview};

use super::Which;
use super::carry::{self, Carry};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::printable::printable;
use crate::{moment, money};

/// Pay a request
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device pay alice bob.request --out bob.payment
  specie device pay alice photo-of-request.png --qr
  specie device pay alice --to 192.168.1.20:7100
  specie device pay alice shop.request --online
  specie device pay alice bob.request --yes --out bob.payment   # for machines
  # by itself, without the PIN, inside its mandate
  specie device pay meter shop.request --mandated --out shop.payment

Amount, payee, and whether it is paid offline from the device or online from the account, are shown before anything is \
paid. The same request paid again gives the same payment.")]
pub(super) struct Pay {
    #[command(flatten)]
    which: Which,
    /// The request: a file, images of its QR codes, `-` for standard input
    #[arg(value_name = "REQUEST", required_unless_present = "to", conflicts_with = "to")]
    request: Vec<PathBuf>,
    /// Pay the payee that waits at this address
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "online")]
    to: Option<String>,
    /// Pay online, from account to account
    #[arg(long)]
    online: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Pay by itself: without the PIN and without asking, if the device's mandate allows it
    #[arg(long, conflicts_with = "online")]
    mandated: bool,
    #[command(flatten)]
    carry: Carry,
}

impl Pay {
    pub(super) fn run(&self, json: bool) -> Result<Answer, Failure> {
        self.carry.check(json)?;
        if !self.asks_nobody() && (json || self.request.iter().any(|path| path == Path::new("-"))) {
            return Err(Failure::usage("nobody can be asked for confirmation", "add --yes"));
        }
        if let Some(address) = &self.to {
            return self.pay_over_tcp(&mut self.which.open()?, address);
        }
        // Before the device is opened: whoever writes to the pipe may need it until then.
        let request = carry::read(&self.request)?;
        let mut device = self.which.open()?;
        if self.online { self.pay_online(&mut device, &request) } else { self.pay_offline(&mut device, &request, json) }
    }

    fn pay_offline(&self, device: &mut Device, request: &[u8], json: bool) -> Result<Answer, Failure> {
        device.resume()?;
        let preview = device.preview(request)?;
        if !self.confirm(&preview, "OFFLINE, from this device") {
            return Err(not_confirmed());
        }
        let paid = if self.mandated { device.pay_by_itself(request)? } else { device.pay(request)? };
        // It is paid from here on, whether the message gets out or not.
        let amount = money::show(preview.amount, preview.currency);
        let unsent = |failure: Failure| failure.after(&format!("{amount} is paid, once"));
        let carried = self.carry.send(&paid.message, json).map_err(unsent)?;
        let publications = self.send_publications(&paid.publications).map_err(unsent)?;
        let mut human = format!("Paid {amount} offline.\n");
        for publication in &publications {
            human.push_str(&format!("The payee may not know this yet, send it along: {publication}\n"));
        }
        let publications: Vec<String> = paid.publications.iter().map(hex::encode).collect();
        let mut machine = describe(&preview, "offline");
        machine["payment"] = json!(paid.id.to_string());
        machine["publications"] = json!(publications);
        Ok(carried.answer(&human, machine))
    }

    /// Newer publications than the payee knows go beside the payment.
    fn send_publications(&self, publications: &[Vec<u8>]) -> Result<Vec<String>, Failure> {
        let Some(out) = self.carry.out.as_deref().filter(|out| *out != Path::new("-")) else {
            return Ok(Vec::new());
        };
        publications
            .iter()
            .enumerate()
            .map(|(number, message)| {
                let suffix = match Message::peek(message) {
                    Ok(Message::Manifest) => "manifest".to_owned(),
                    _ => format!("revocations-{number}"),
                };
                let path = PathBuf::from(format!("{}.{suffix}", out.display()));
                file::write(&Place::File(path.clone()), message).map_err(carry::not_written)?;
                Ok(path.display().to_string())
            })
            .collect()
    }

    fn pay_over_tcp(&self, device: &mut Device, address: &str) -> Result<Answer, Failure> {
        device.resume()?;
        let mut shown = None;
        let mut show = |preview: &PaymentPreview| {
            shown = Some(preview.clone());
            self.confirm(preview, "OFFLINE, from this device, over the connection to the payee")
        };
        let delivered = if self.mandated {
            let mut look = |preview: &PaymentPreview| {
                show(preview);
            };
            device.pay_over_tcp_by_itself(address, &mut look)?
        } else {
            device.pay_over_tcp(address, &mut show)?
        };
        let preview = shown.expect("what is paid was shown before");
        let amount = money::show(preview.amount, preview.currency);
        let mut machine = describe(&preview, "offline");
        let (holds, human, state) = match &delivered {
            Delivered::Confirmed(_) => (true, format!("Paid {amount}; the payee gave a receipt.\n"), "confirmed"),
            Delivered::Refused(_, code) => {
                machine["refusal"] = json!(code);
                let text = "what was set aside comes back to you after the request's expiry";
                (false, format!("The payee does not accept the payment of {amount} [{code}]; {text}.\n"), "refused")
            }
            Delivered::Unconfirmed(_, why) => {
                machine["doubt"] = json!(why);
                let text = "connect again with the same command, or synchronise: it is paid once";
                (false, format!("Paid {amount}, but no receipt came ({why}); {text}.\n"), "unconfirmed")
            }
        };
        let (Delivered::Confirmed(id) | Delivered::Refused(id, _) | Delivered::Unconfirmed(id, _)) = &delivered;
        machine["payment"] = json!(id.to_string());
        machine["delivery"] = json!(state);
        Ok(Answer::verdict(holds, human, machine))
    }

    fn pay_online(&self, device: &mut Device, request: &[u8]) -> Result<Answer, Failure> {
        let shown = online_preview(device, request)?;
        if !self.ask(&shown.lines("ONLINE, from the account at the PSP")) {
            return Err(not_confirmed());
        }
        let paid = device.pay_online(request)?;
        let human =
            format!("Paid {} online, transfer {}.\n", shown.amount, paid.transfer.as_deref().unwrap_or("unknown"));
        let machine = json!({
            "mode": "online",
            "amount": paid.order.amount,
            "currency": paid.order.currency,
            "to_psp": paid.order.to_psp,
            "to_account": paid.order.to_account,
            "transfer": paid.transfer,
        });
        Ok(Answer::new(human, machine))
    }

    /// Shows what would be paid and asks, unless told not to.
    fn confirm(&self, preview: &PaymentPreview, mode: &str) -> bool {
        self.ask(&Shown::of(preview).lines(mode))
    }

    fn asks_nobody(&self) -> bool {
        self.yes || self.mandated
    }

    fn ask(&self, shown: &str) -> bool {
        eprint!("{shown}");
        if self.asks_nobody() {
            return true;
        }
        eprint!("Pay? [y/N] ");
        let mut answer = String::new();
        let read = io::stderr().flush().and_then(|()| io::stdin().lock().read_line(&mut answer));
        read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
    }
}

/// What is shown before a payment.
struct Shown {
    amount: String,
    payee: String,
    memo: Option<String>,
    expiry: String,
    with: Option<String>,
    disclosed: bool,
    repeated: bool,
}

impl Shown {
    fn of(preview: &PaymentPreview) -> Self {
        let coins: Vec<String> = preview.coins.iter().map(|coin| money::decimal(*coin, preview.currency)).collect();
        let change = money::decimal(preview.change, preview.currency);
        Self {
            amount: money::show(preview.amount, preview.currency),
            payee: payee(&preview.payee),
            memo: preview.memo.map(|memo| memo.to_string()),
            expiry: moment::show(preview.expiry),
            with: Some(format!("{}, change {change}", coins.join(" + "))),
            disclosed: preview.disclosed,
            repeated: preview.repeated,
        }
    }

    fn lines(&self, mode: &str) -> String {
        let mut text = format!("Pay      {}\nto       {}\n", self.amount, printable(&self.payee));
        if let Some(memo) = &self.memo {
            text.push_str(&format!("for      {}\n", printable(memo)));
        }
        text.push_str(&format!("how      {mode}\nuntil    {}\n", self.expiry));
        if let Some(with) = &self.with {
            text.push_str(&format!("with     {with}\n"));
        }
        if self.disclosed {
            text.push_str(
                "note     above the threshold: the supervisory authorities together can read that you paid this\n",
            );
        }
        if self.repeated {
            text.push_str("note     paid already: this gives the same payment once more\n");
        }
        text
    }
}

/// What is shown before an online payment: only payees whom a PSP vouches for can be paid so.
fn online_preview(device: &Device, request: &[u8]) -> Result<Shown, Failure> {
    let request = Request::decode(request).map_err(|error| {
        Failure::refused("malformed", format!("the request is malformed: {error}"), "ask the payee for a new one")
    })?;
    let DescriptorBody { payee, psp, account, category, .. } = device.payee(&request)?;
    Ok(Shown {
        amount: money::show(request.body.amount, request.body.currency),
        payee: self::payee(&Payee::Verified { name: payee, psp, account, category }),
        memo: request.body.memo.map(|memo| memo.to_string()),
        expiry: moment::show(request.body.expiry),
        with: None,
        disclosed: false,
        repeated: false,
    })
}

fn payee(payee: &Payee) -> String {
    match payee {
        Payee::Unnamed => "whoever made this request (does not say who)".to_owned(),
        Payee::Verified { name, psp, account, category } => {
            format!("{name} (verified by {psp}, account {account}, category {category:04})")
        }
        Payee::Unverifiable { name, psp } => {
            format!("someone who claims to be {name} at {psp} (CANNOT BE VERIFIED: do not rely on it)")
        }
    }
}

fn describe(preview: &PaymentPreview, mode: &str) -> Value {
    let payee = match preview.payee {
        Payee::Unnamed => json!({ "verified": false }),
        Payee::Verified { name, psp, account, category } => json!({
            "verified": true, "name": name.as_str(), "psp": psp.as_str(), "account": account.as_str(), "category": category,
        }),
        Payee::Unverifiable { name, psp } => {
            json!({ "verified": false, "name": name.as_str(), "psp": psp.as_str() })
        }
    };
    json!({
        "mode": mode,
        "request": preview.id.to_string(),
        "amount": preview.amount.minor(),
        "currency": preview.currency.as_str(),
        "payee": payee,
        "coins": preview.coins.iter().map(|coin| coin.minor()).collect::<Vec<_>>(),
        "change": preview.change.minor(),
        "disclosed": preview.disclosed,
        "repeated": preview.repeated,
    })
}

fn not_confirmed() -> Failure {
    Failure::refused("not-confirmed", "the payment was not confirmed", "nothing: nothing was paid")
}
