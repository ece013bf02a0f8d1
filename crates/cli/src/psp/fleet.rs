//! `specie psp fleet`: the devices of one person or organisation, and how its limits are split over them.

use clap::Subcommand;
use serde_json::json;
use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_server::psp::{FleetDevice, Provider};

use super::{Which, parse_name};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::inspect::parse_key;
use crate::printable::printable;
use crate::{moment, money};

#[derive(Subcommand, Debug)]
pub(crate) enum Fleet {
    /// List all devices of a person or organisation, with what each gets of the limits
    #[command(after_help = "EXAMPLES:\n  specie psp fleet show psp bakery\n  specie --json psp fleet show psp bakery")]
    Show {
        #[command(flatten)]
        which: Which,
        /// One of its customers
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
    },
    /// Change how the limits are split over the devices
    #[command(after_help = "\
EXAMPLES:
  specie psp fleet share psp alice 5f0c…=2 77a1…=1
  specie psp fleet share psp alice 5f0c…=0

The limits of the tier are one person's. They are split in proportion to the weights, 1 for each device at first, and 0 for nothing. \
Devices learn it when they synchronise. What a device had before is free for others when that document has run out.")]
    Share {
        #[command(flatten)]
        which: Which,
        /// One of the person's customers
        #[arg(value_name = "CUSTOMER", value_parser = parse_name)]
        name: Name,
        /// Key A of a device, in hex, and its weight
        #[arg(value_name = "KEY=WEIGHT", value_parser = parse_weight, required = true)]
        weights: Vec<(PublicKey, u32)>,
    },
    /// Give a device a name within its fleet
    #[command(
        after_help = "EXAMPLES:\n  specie psp fleet label psp 5f0c… 'till 3'\n  specie psp fleet label psp 5f0c…"
    )]
    Label {
        #[command(flatten)]
        which: Which,
        /// Key A of the device, in hex: `specie psp customer show` has it
        #[arg(value_name = "KEY", value_parser = parse_key)]
        device: PublicKey,
        /// Its name; none takes the name away
        #[arg(value_name = "NAME", value_parser = parse_name)]
        label: Option<Name>,
    },
    /// Give a device up for its owner, so that somebody else can enrol it
    #[command(after_help = "\
EXAMPLES:
  specie psp fleet release psp 5f0c…

Have the device synchronise and redeem what it holds first: whoever has it then has what is in it. It gets nothing more from now on. When \
the limits that it has have run out, its new owner enrols it with a claim code of its own (`specie psp customer claim`).")]
    Release {
        #[command(flatten)]
        which: Which,
        /// Key A of the device, in hex: `specie psp customer show` has it
        #[arg(value_name = "KEY", value_parser = parse_key)]
        device: PublicKey,
    },
}

impl Fleet {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        match self {
            Self::Show { which, name } => show(&*which.open()?, name),
            Self::Share { which, name, weights } => {
                let provider = which.open()?;
                provider.psp.set_weights(name, weights, provider.clock.now())?;
                show(&provider, name)
            }
            Self::Label { which, device, label } => {
                which.open()?.psp.set_label(device, label.as_ref())?;
                let human =
                    label.map_or_else(|| "It has no name now.\n".to_owned(), |label| format!("It is {label}.\n"));
                let label = label.map(|label| label.to_string());
                Ok(Answer::new(human, json!({ "device": device.to_string(), "label": label })))
            }
            Self::Release { which, device } => {
                let provider = which.open()?;
                provider.psp.release_device(device, provider.clock.now())?;
                let human = "Released. Its new owner can enrol it when its limits have run out. What it may hold counts for its former \
                             owner until then, as `specie psp fleet show` says.\n";
                Ok(Answer::new(human, json!({ "device": device.to_string(), "released": true })))
            }
        }
    }
}

fn show(provider: &Provider, name: &Name) -> Result<Answer, Failure> {
    let currency = provider.psp.identity().currency;
    let mut human = String::new();
    let mut listed = Vec::new();
    for shown in provider.psp.fleet(name, provider.clock.now())? {
        let FleetDevice { device, grant, limits_until, counts_as_holding, holding_until } = shown;
        let state = if device.released_at.is_some() { "released" } else { device.state.as_str() };
        let label = device.label.map(|label| label.to_string());
        let named = label.as_deref().map_or_else(String::new, |label| format!(" ({})", printable(label)));
        let shares = match &grant {
            None => "nothing".to_owned(),
            Some(grant) => format!(
                "holds up to {}, pays up to {} until it synchronises",
                money::show(grant.max_holding, currency),
                money::show(grant.max_cumulative, currency)
            ),
        };
        let until = limits_until
            .map_or_else(|| "has no limits".to_owned(), |at| format!("has limits until {}", moment::show(at)));
        let counts = holding_until.map_or_else(String::new, |until| {
            let held = money::show(counts_as_holding, currency);
            format!(
                "\n            counts as holding {held} until it synchronises with less, at the latest {}",
                moment::show(until)
            )
        });
        human.push_str(&format!(
            "{state:<10}  {}{named}, of {}, weight {}\n            {until}; now it would get: {shares}{counts}\n",
            device.key, device.customer, device.weight
        ));
        listed.push(json!({
            "key": device.key.to_string(),
            "customer": device.customer.as_str(),
            "state": state,
            "label": label,
            "weight": device.weight,
            "limits_until": limits_until.map(Timestamp::seconds),
            "max_cumulative": grant.map_or(0, |grant| grant.max_cumulative.minor()),
            "max_holding": grant.map_or(0, |grant| grant.max_holding.minor()),
            "counts_as_holding": counts_as_holding.minor(),
            "holding_until": holding_until.map(Timestamp::seconds),
            "series": device.made.map(|made| made.series.to_string()),
            "firmware": device.made.map(|made| hex::encode(made.firmware)),
        }));
    }
    if human.is_empty() {
        human = format!("{name} has no devices.\n");
    }
    Ok(Answer::new(human, json!({ "customer": name.as_str(), "currency": currency.as_str(), "devices": listed })))
}

fn parse_weight(text: &str) -> Result<(PublicKey, u32), String> {
    let (key, weight) = text.split_once('=').ok_or_else(|| "write KEY=WEIGHT".to_owned())?;
    let weight = weight.parse().map_err(|_| "a weight is a whole number".to_owned())?;
    Ok((parse_key(key)?, weight))
}
