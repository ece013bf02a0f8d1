//! `specie device new`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use specie_core::signature::PublicKey;
use specie_core::text::Currency;
use specie_device::device::NewDevice;
use specie_device::element::ElementAddress;
use specie_device::folder::Keep;
use specie_device::maker::Maker;

use super::{Which, parse_amount, parse_currency};
use crate::answer::Answer;
use crate::failure::Failure;
use crate::inspect::parse_key;
use crate::progress::Progress;

/// Make a device: a fresh secure element and an empty wallet
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie device new alice --maker maker.toml --root 5f0c… --psp http://127.0.0.1:7002
  specie device new bob --element serial:/dev/ttyACM0 --maker maker.toml \\
      --root 5f0c… --psp http://127.0.0.1:7002 --keep-value 50.00 --currency EUR

A chip must be fresh from the factory. It is personalised for this device, and for ever.
The PUK that is printed unblocks a blocked PIN; it is told once.")]
pub(super) struct New {
    #[command(flatten)]
    which: Which,
    /// File of the maker that personalises the element
    #[arg(long, value_name = "FILE")]
    maker: PathBuf,
    /// Root key of the central bank that the device obeys, in hex
    #[arg(long, value_name = "KEY", value_parser = parse_key)]
    root: PublicKey,
    /// Address of the PSP
    #[arg(long, value_name = "URL")]
    psp: String,
    /// Name of the device, for its owner; the folder's name without it
    #[arg(long)]
    name: Option<String>,
    /// What every synchronisation leaves in the device, as far as account and limits allow; nothing without it
    #[arg(long, value_name = "AMOUNT", requires = "currency")]
    keep_value: Option<String>,
    /// The currency of that amount
    #[arg(long, value_name = "CODE", value_parser = parse_currency)]
    currency: Option<Currency>,
    /// How many free blanks every synchronisation leaves in the device
    #[arg(long, value_name = "COUNT", default_value_t = 16)]
    keep_blanks: u16,
    /// The secure element: `serial:PATH` or `socket:PATH` of a chip, or the path of a program; this program without it
    #[arg(long, value_name = "ELEMENT")]
    element: Option<ElementAddress>,
}

impl New {
    pub(super) fn run(&self) -> Result<Answer, Failure> {
        let maker = Maker::open(&self.maker).map_err(crate::maker::failure)?;
        let folder = &self.which.folder;
        let name = self.name.clone().or_else(|| folder.file_name().map(|name| name.to_string_lossy().into_owned()));
        let value = match (&self.keep_value, self.currency) {
            (Some(value), Some(currency)) => parse_amount(value, currency)?.minor(),
            _ => 0,
        };
        let keep = Keep { value, blanks: self.keep_blanks, ..Keep::default() };
        // What is typed begins where it is typed; what is in device.toml, at the folder.
        let element = match &self.element {
            Some(element) => {
                let here = std::env::current_dir().map_err(|error| Failure::file(".", &error))?;
                Some(element.within(&here))
            }
            None => None,
        };
        let new = NewDevice {
            name: name.unwrap_or_else(|| "device".to_owned()),
            psp: self.psp.clone(),
            root: self.root,
            element,
            keep,
        };
        let progress = Progress::begin("making the secure element");
        let puk = specie_device::Device::create(folder, &new, &maker)?;
        drop(progress);
        let device = specie_device::Device::open(folder)?;
        let certificate = device.wallet().certificate().body;
        let (identity, key) = (hex::encode(certificate.U), certificate.A.to_string());
        let puk = puk.expose_secret_digits();
        let human = format!(
            "Made {}.\n  identity U      {identity}\n  key A           {key}\n  PUK             {puk} (write it down: \
             it is not told again)\nNext: enrol it with the claim code that the PSP gave you.\n",
            folder.display()
        );
        let machine = json!({ "folder": folder.display().to_string(), "identity": identity, "key": key, "puk": puk });
        Ok(Answer::new(human, machine))
    }
}
