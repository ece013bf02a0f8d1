//! `specie device mandate`: what a device may pay by itself.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use specie_core::encoding::Encode;
use specie_core::mandate::{self, MandateBody, PayeeRule, Payees, Terms};
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::transfer::redemption_context;
use specie_core::{Amount, Timestamp};
use specie_device::device::MandateUse;
use specie_device::link::file::{self, Place};
use specie_server::clock::random_seed;
use specie_server::key_file::{create_key, read_key};
use specie_wallet::publication::Update;

use super::{InCurrency, Which, parse_amount};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::{moment, money};

/// Name of the owner's key in the folder of a main wallet.
const OWNER_KEY: &str = "owner.key";

/// Let a device pay by itself, inside what its owner signed
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  # without a PIN it pays whatever it is asked to
  specie device pin meter
  specie device mandate owner-key alice
  specie device mandate make alice --for 3d40… --per-payment 5 \\
      --per-period 20 --in-all 200 --until 2027-12-31 --anyone \\
      --redeem-to meter-account --out meter.mandate
  SPECIE_PIN=2468 specie device mandate give meter meter.mandate
  # the main wallet funds it, with no network
  specie device request meter 30 --out fund
  specie device pay alice fund --yes --out funds && specie device receive meter funds
  specie device pay meter shop.request --mandated --out shop.payment")]
pub(super) struct Mandate {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    OwnerKey(OwnerKey),
    Make(Box<Make>),
    Give(Give),
    Show(Show),
}

impl Mandate {
    pub(super) fn run(&self, json: bool) -> Result<Answer, Failure> {
        match &self.command {
            Command::OwnerKey(key) => key.run(),
            Command::Make(make) => make.run(json),
            Command::Give(give) => give.run(),
            Command::Show(show) => show.run(),
        }
    }
}

/// Make the key with which the owner of this main wallet signs mandates
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device mandate owner-key alice

It is written to `owner.key` in the device's folder, once; keep a copy. Whoever has it can let the devices pay that obey it.")]
struct OwnerKey {
    #[command(flatten)]
    which: Which,
}

impl OwnerKey {
    fn run(&self) -> Result<Answer, Failure> {
        // There must be a wallet.
        drop(self.which.look()?);
        let path = self.which.folder.join(OWNER_KEY);
        let seed = random_seed()
            .map_err(|error| Failure::refused("no-randomness", error.to_string(), "try again on another computer"))?;
        let key = create_key(&path, seed).map_err(|error| {
            Failure::refused("owner-key", error.to_string(), "use the key that is there, or move it away first")
        })?;
        let key = key.public().to_string();
        let human = format!("The owner's key is {key}.\nIt is in {}: keep a copy.\n", path.display());
        Ok(Answer::new(human, json!({ "owner": key })))
    }
}

/// Sign a mandate for a device
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device mandate make alice --for 3d40… --per-payment 5 \\
      --per-period 20 --days 7 --in-all 200 --until 2027-12-31 \\
      --category 5541 --out meter.mandate
  specie device mandate make alice --for 3d40… --per-payment 5 \\
      --per-period 20 --in-all 200 --until 2027-12-31 --anyone \\
      --person-above 2 --redeem-to alice-account --out meter.mandate
  # ends the mandate before
  specie device mandate make alice --for 3d40… --per-payment 0 \\
      --per-period 0 --in-all 0 --until 2027-12-31 --anyone --out end.mandate

The device's key is `key A` in `specie device status`. A later mandate takes the place of an earlier one, and is counted from \
nothing.")]
struct Make {
    #[command(flatten)]
    which: Which,
    /// The device that may pay: its key A in hexadecimal
    #[arg(long = "for", value_name = "KEY", value_parser = parse_key)]
    device: PublicKey,
    /// The most for one payment
    #[arg(long, value_name = "AMOUNT")]
    per_payment: String,
    /// The most in a period
    #[arg(long, value_name = "AMOUNT")]
    per_period: String,
    /// Length of a period, which begins with the first payment after the last one ended
    #[arg(long, value_name = "DAYS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=36_500))]
    days: u64,
    /// The most under this mandate
    #[arg(long, value_name = "AMOUNT")]
    in_all: String,
    /// The last day
    #[arg(long, value_name = "DAY", value_parser = moment::parse_last_of)]
    until: Timestamp,
    /// A person has to confirm payments above this
    #[arg(long, value_name = "AMOUNT")]
    person_above: Option<String>,
    /// Anyone may be paid
    #[arg(long, conflicts_with_all = ["category", "payee"], required_unless_present_any = ["category", "payee"])]
    anyone: bool,
    /// Payees of this ISO 18245 category may be paid
    #[arg(long, value_name = "CODE")]
    category: Vec<u16>,
    /// The payee of this key may be paid
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    payee: Vec<PublicKey>,
    /// The account to which the device may redeem by itself
    #[arg(long, value_name = "ACCOUNT", value_parser = parse_name)]
    redeem_to: Option<Name>,
    /// PSP of that account; this wallet's without it
    #[arg(long, value_name = "PSP", value_parser = parse_name, requires = "redeem_to")]
    redeem_psp: Option<Name>,
    /// Number of the mandate, higher than that of the one before; the seconds of the clock without it
    #[arg(long, value_name = "NUMBER")]
    sequence: Option<u64>,
    #[command(flatten)]
    currency: InCurrency,
    /// Where to write it; `-` is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Make {
    fn run(&self, json: bool) -> Result<Answer, Failure> {
        let place = Place::named(&self.out);
        if json && place == Place::Pipe {
            return Err(Failure::usage("--json and --out - both want standard output", "name a file"));
        }
        let device = self.which.look()?;
        let owner = read_key(&self.which.folder.join(OWNER_KEY)).map_err(|error| {
            let advice = "make the owner's key first: specie device mandate owner-key";
            Failure::refused("owner-key", error.to_string(), advice)
        })?;
        if self.until < device.now() {
            return Err(Failure::usage("the mandate would be over already", "give a later day with --until"));
        }
        let currency = self.currency.of(&device)?;
        let amount = |text: &str| parse_amount(text, currency);
        let psp = self.redeem_psp.or(device.wallet().account().map(|account| account.psp));
        let redeem_to = match (self.redeem_to, psp) {
            (None, _) => None,
            (Some(account), Some(psp)) => Some(redemption_context(&psp, &account)),
            (Some(_), None) => return Err(Failure::usage("this wallet has no PSP", "add --redeem-psp")),
        };
        let max_payment = amount(&self.per_payment)?;
        let (max_per_period, max_total) = (amount(&self.per_period)?, amount(&self.in_all)?);
        for (more, less, what, advice) in [
            (
                max_payment,
                max_per_period,
                "one payment may be more than all of a period",
                "--per-payment or --per-period",
            ),
            (max_per_period, max_total, "a period may have more than all periods together", "--per-period or --in-all"),
        ] {
            if more > less {
                let what = format!("{what}: {} and {}", money::show(more, currency), money::show(less, currency));
                return Err(Failure::usage(what, format!("correct {advice}")));
            }
        }
        let body = MandateBody {
            owner: owner.public(),
            device: self.device,
            sequence: self.sequence.unwrap_or(device.now().seconds()),
            valid_until: self.until,
            max_payment,
            period_seconds: 86_400 * self.days,
            max_per_period,
            max_total,
            redeem_to,
            terms: [0; 32],
        };
        let person_above = self.person_above.as_deref().map_or(Ok(max_payment), amount)?;
        let signed = mandate::Mandate::sign(body, Terms { currency, person_above, payees: self.payees()? }, &owner);
        file::write(&place, &signed.to_vec()).map_err(super::carry::not_written)?;
        let human = format!("{}Written to {place}: give it to the device.\n", lines(&signed, None));
        let answer = Answer::new(human, describe(&signed, None));
        Ok(if place == Place::Pipe { answer.aside() } else { answer })
    }

    fn payees(&self) -> Result<Payees, Failure> {
        let anyone = self.anyone.then_some(PayeeRule::Anyone);
        let categories = self.category.iter().map(|category| PayeeRule::Category(*category));
        let keys = self.payee.iter().map(|key| PayeeRule::Key(*key));
        let mut rules: Vec<PayeeRule> = anyone.into_iter().chain(categories).chain(keys).collect();
        rules.sort();
        rules.dedup();
        Payees::new(&rules).ok_or_else(|| {
            let what = format!("a mandate names at most {} payees and categories", mandate::PAYEES_MAX);
            Failure::usage(what, "name fewer")
        })
    }
}

/// Give a mandate to the device that it names
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  SPECIE_PIN=2468 specie device mandate give meter meter.mandate   # an owner's first one
  specie device mandate give meter newer.mandate                   # the same owner's next one

The device needs a PIN: without one it pays whatever it is asked to.")]
struct Give {
    #[command(flatten)]
    which: Which,
    /// The mandate
    #[arg(value_name = "FILE")]
    mandate: PathBuf,
}

impl Give {
    fn run(&self) -> Result<Answer, Failure> {
        let name = self.mandate.display().to_string();
        let bytes = fs::read(&self.mandate).map_err(|error| Failure::file(&name, &error))?;
        let mut device = self.which.open()?;
        let newer = device.take_mandate(&bytes)? == Update::Newer;
        let human = if newer {
            "The device pays by itself inside this mandate from now on.\n"
        } else {
            "It holds this mandate already.\n"
        };
        Ok(Answer::new(human, json!({ "newer": newer })))
    }
}

/// Show what a device may pay by itself, and what was used of it
#[derive(Args, Debug)]
#[command(after_help = "EXAMPLES:\n  specie device mandate show meter")]
struct Show {
    #[command(flatten)]
    which: Which,
}

impl Show {
    fn run(&self) -> Result<Answer, Failure> {
        let held = self.which.look()?.mandate()?;
        let Some((mandate, used)) = held else {
            return Ok(Answer::new("This device has no mandate.\n", json!({ "mandate": null })));
        };
        Ok(Answer::new(lines(&mandate, used), json!({ "mandate": describe(&mandate, used) })))
    }
}

pub(crate) fn lines(mandate: &mandate::Mandate, used: Option<MandateUse>) -> String {
    let (body, terms) = (&mandate.body, &mandate.terms);
    let amount = |amount: Amount| money::show(amount, terms.currency);
    let so_far = |minor: fn(&MandateUse) -> u64| {
        let used = used.as_ref().map(|used| Amount::new(minor(used)).unwrap_or(Amount::MAX));
        used.map(|used| format!(", {} used", amount(used))).unwrap_or_default()
    };
    let payees: Vec<String> = terms.payees.as_slice().iter().map(rule).collect();
    format!(
        "Mandate {} for device {}\n  of owner     {}\n  payees       {}\n  per payment  {}, above {} a person has to confirm\n  \
         in {}{}{}\n  in all       {}{}\n  until        {}\n",
        body.sequence,
        body.device,
        body.owner,
        payees.join(", "),
        amount(body.max_payment),
        amount(terms.person_above),
        format_args!("{:<10}", period(body.period_seconds)),
        amount(body.max_per_period),
        so_far(|used| used.in_period),
        amount(body.max_total),
        so_far(|used| used.spent),
        moment::show(body.valid_until),
    )
}

fn period(seconds: u64) -> String {
    if seconds.is_multiple_of(86_400) { format!("{} days", seconds / 86_400) } else { format!("{seconds} s") }
}

fn rule(rule: &PayeeRule) -> String {
    match rule {
        PayeeRule::Anyone => "anyone".to_owned(),
        PayeeRule::Category(category) => format!("category {category:04}"),
        PayeeRule::Key(key) => format!("key {key}"),
    }
}

pub(crate) fn describe(mandate: &mandate::Mandate, used: Option<MandateUse>) -> Value {
    let (body, terms) = (&mandate.body, &mandate.terms);
    json!({
        "owner": body.owner.to_string(),
        "device": body.device.to_string(),
        "sequence": body.sequence,
        "valid_until": body.valid_until.seconds(),
        "currency": terms.currency.as_str(),
        "max_payment": body.max_payment.minor(),
        "period_seconds": body.period_seconds,
        "max_per_period": body.max_per_period.minor(),
        "max_total": body.max_total.minor(),
        "person_above": terms.person_above.minor(),
        "payees": terms.payees.as_slice().iter().map(rule).collect::<Vec<_>>(),
        "redeems": body.redeem_to.is_some(),
        "used": used.map(|used| json!({ "in_period": used.in_period, "in_all": used.spent })),
    })
}

fn parse_key(text: &str) -> Result<PublicKey, String> {
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key).map_err(|_| "a key is 64 hexadecimal digits".to_owned())?;
    Ok(PublicKey(key))
}

fn parse_name(text: &str) -> Result<Name, String> {
    Name::new(text).ok_or_else(|| "a name has 1 to 32 bytes".to_owned())
}
