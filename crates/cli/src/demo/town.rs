//! Who takes part: a central bank, a PSP, and people with devices. Everything is asked of the program itself.

use std::path::PathBuf;

use serde_json::Value;
use specie_core::Amount;
use specie_core::text::Currency;

use crate::money;
use crate::stage::{Mishap, Outcome, Refusal, Server, Stage, number};

/// Everyone, with the two servers while they run.
pub(super) struct Town {
    pub(super) stage: Stage,
    /// The central bank's root key, in hex.
    pub(super) root: String,
    pub(super) bank: Option<Server>,
    pub(super) psp: Option<Server>,
    bank_address: String,
    psp_address: String,
}

/// Files in which the bank keeps what it knows.
const BANK_FILES: [&str; 5] =
    ["bank/bank.db", "bank/bank.db-wal", "bank/signer/journal.db", "bank/signer/journal.db-wal", "bank.log"];

/// A payment as it was made.
pub(super) struct Paid {
    /// The message, on the stage.
    pub(super) file: String,
    pub(super) bytes: Vec<u8>,
    /// Length of its compact form.
    pub(super) compact: u64,
}

/// The messages of one payment, as files on the stage.
pub(super) struct Files {
    pub(super) request: String,
    pub(super) payment: String,
    pub(super) receipt: String,
}

/// The manifest, as a file on the stage beside the messages, where `inspect` finds it.
pub(super) const MANIFEST: &str = "messages/manifest.cbor";

impl Files {
    /// Those of the payment called `name`.
    pub(super) fn of(name: &str) -> Self {
        let file = |what: &str| format!("messages/{name}.{what}");
        Self { request: file("request"), payment: file("payment"), receipt: file("receipt") }
    }
}

/// What a device holds, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Holding {
    pub(super) spendable: u64,
    pub(super) total: u64,
}

/// The one currency of the demonstration.
pub(super) fn currency() -> Currency {
    Currency::new("XTS").expect("three capital letters")
}

/// An amount for people.
pub(super) fn show(minor: u64) -> String {
    Amount::new(minor).map_or_else(|| minor.to_string(), |amount| money::show(amount, currency()))
}

/// An amount for commands.
pub(super) fn decimal(minor: u64) -> String {
    Amount::new(minor).map_or_else(|| minor.to_string(), |amount| money::decimal(amount, currency()))
}

/// Long names cut to their beginning, as a reader needs them.
pub(super) fn shorten(text: &str) -> String {
    const KEPT: usize = 8;
    let cut = |word: &str| {
        let long = word.len() > 4 * KEPT && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if long { format!("{}…", &word[..KEPT]) } else { word.to_owned() }
    };
    text.split(' ').map(cut).collect::<Vec<_>>().join(" ")
}

impl Town {
    /// A town whose servers run for the first time.
    pub(super) fn new(stage: Stage, root: String, bank: Server, psp: Server) -> Self {
        let (bank_address, psp_address) = (bank.address.clone(), psp.address.clone());
        Self { stage, root, bank: Some(bank), psp: Some(psp), bank_address, psp_address }
    }

    /// Pulls the plug of both servers.
    pub(super) fn stop_servers(&mut self) -> Result<(), Mishap> {
        for server in [self.psp.take(), self.bank.take()].into_iter().flatten() {
            server.kill()?;
        }
        Ok(())
    }

    /// Starts both servers again, where they were, on the databases that they left.
    pub(super) fn start_servers(&mut self) -> Result<(), Mishap> {
        let listen = |address: &str| address.trim_start_matches("http://").to_owned();
        self.bank = Some(self.stage.serve(&["bank", "serve", "bank", "--listen", &listen(&self.bank_address)])?);
        self.psp = Some(self.stage.serve(&["psp", "serve", "psp", "--listen", &listen(&self.psp_address)])?);
        Ok(())
    }

    /// Whether anybody answers at the PSP's address.
    pub(super) fn psp_answers(&self) -> bool {
        let address = self.psp_address.trim_start_matches("http://");
        std::net::TcpStream::connect(address).is_ok()
    }

    /// Where the PSP is.
    pub(super) fn psp_address(&self) -> &str {
        &self.psp_address
    }

    /// A file of the stage as the size that it has.
    pub(super) fn bytes(&self, file: &str) -> Result<Vec<u8>, Mishap> {
        let path: PathBuf = self.stage.path(file);
        std::fs::read(&path).map_err(|error| Mishap(format!("{}: {error}", path.display())))
    }

    /// Whether the bank has `bytes` written down anywhere.
    pub(super) fn bank_knows(&self, bytes: &[u8]) -> bool {
        let files = BANK_FILES.iter().filter_map(|file| self.bytes(file).ok());
        files.into_iter().any(|content| content.windows(bytes.len()).any(|window| window == bytes))
    }

    /// The notes and blanks that a payment shows.
    pub(super) fn notes_shown(&self, payment: &str) -> Result<Vec<Vec<u8>>, Mishap> {
        let report = self.stage.run(&["inspect", "--root", &self.root, "--manifest", MANIFEST, payment])?;
        let transfers = report["inputs"][0]["transfers"].as_array().map_or(&[][..], Vec::as_slice);
        let ids = transfers.iter().filter_map(|transfer| hex::decode(transfer["note_id"].as_str()?).ok());
        Ok(ids.collect())
    }

    /// What a device holds.
    pub(super) fn holding(&self, device: &str) -> Result<Holding, Mishap> {
        let balance = self.stage.run(&["device", "balance", device])?;
        let holding = &balance["holdings"][0];
        Ok(Holding { spendable: number(holding, "spendable")?, total: number(holding, "total")? })
    }

    /// What a customer has in the account.
    pub(super) fn account(&self, customer: &str) -> Result<u64, Mishap> {
        number(&self.stage.run(&["psp", "customer", "show", "psp", customer])?, "balance")
    }

    /// `payee` asks for money: a request in a file.
    pub(super) fn request(&self, payee: &str, minor: u64, file: &str) -> Result<Vec<u8>, Mishap> {
        self.stage.run(&["device", "request", payee, &decimal(minor), "--out", file])?;
        self.bytes(file)
    }

    /// `payer` pays the request in `request`: a payment in a file.
    pub(super) fn pay(&self, payer: &str, request: &str, file: &str) -> Result<Paid, Mishap> {
        let paid = self.stage.run(&["device", "pay", payer, request, "--yes", "--out", file])?;
        Ok(Paid { file: file.to_owned(), bytes: self.bytes(file)?, compact: number(&paid, "compact_bytes")? })
    }

    /// `device` takes what is in a file: a payment, a receipt.
    pub(super) fn receive(&self, device: &str, file: &str, receipt: Option<&str>) -> Result<Value, Mishap> {
        let mut arguments = vec!["device", "receive", device, file];
        if let Some(receipt) = receipt {
            arguments.extend(["--receipt", receipt]);
        }
        self.stage.run(&arguments)
    }

    /// Request, payment and receipt, handed over as files.
    pub(super) fn hand_over(&self, payer: &str, payee: &str, minor: u64, files: &Files) -> Result<Paid, Mishap> {
        self.request(payee, minor, &files.request)?;
        let paid = self.pay(payer, &files.request, &files.payment)?;
        self.receive(payee, &files.payment, Some(&files.receipt))?;
        self.receive(payer, &files.receipt, None)?;
        Ok(paid)
    }

    /// `device` synchronises, and it must work.
    pub(super) fn synchronise(&self, device: &str) -> Result<Value, Mishap> {
        self.stage.run(&["device", "sync", device])
    }

    /// `device` tries to synchronise; why not, if not.
    pub(super) fn refusal(&self, arguments: &[&str]) -> Result<Option<Refusal>, Mishap> {
        Ok(match self.stage.attempt(arguments)? {
            Outcome::Refused(refusal) => Some(refusal),
            Outcome::Done(_) => None,
        })
    }

    /// Whether the bank's books hold, with everything that they say.
    pub(super) fn books(&self) -> Result<Value, Mishap> {
        Ok(self.stage.run(&["bank", "status", "bank"])?["conservation"].clone())
    }
}
