//! A device: a wallet, what it stores, and its element.

use alloc::format;
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_core::encoding::Encode;
use specie_core::enrolment::{Certificate, CertificateBody};
use specie_core::hash;
use specie_core::signature::{PublicKey, SigningKey};
use specie_element::client::{self, Link};
use specie_element::entropy::EntropyFailure;
use specie_element::{Element, Platform};
use specie_wallet::identity::Account;
use specie_wallet::payment::{Execution, PaymentId};
use specie_wallet::reception::{Reception, Route};
use specie_wallet::request::Terms;
use specie_wallet::withdrawal::{Action, Item};
use specie_wallet::{Step, Wallet};

use crate::bank::{Bank, NOW, amount, at, currency, name};
use crate::meter::Meter;

/// Records in an element: as in the element's firmware.
const RECORDS: usize = 256;

/// A device enrolled at the PSP.
pub(crate) struct Device<F> {
    pub(crate) wallet: Wallet,
    pub(crate) element: Port<F>,
    label: &'static str,
    seeds: u64,
    U: [u8; 32],
}

/// The way to the element, with the meter on it.
pub(crate) struct Port<F> {
    element: Element<F, Chip, RECORDS>,
    meter: &'static Meter,
}

/// Makes the same keys every time.
struct Chip([u8; 32]);

impl Platform for Chip {
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        *out = self.0;
        Ok(())
    }

    fn firmware(&self) -> [u8; 32] {
        [0xF1; 32]
    }
}

impl<F: NorFlash> Link for Port<F> {
    type Error = &'static str;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, &'static str> {
        let instruction = *command.get(1).ok_or("no command")?;
        Ok(self.meter.command(instruction, || self.element.process(command, response)))
    }
}

impl<F: NorFlash> Device<F> {
    /// A device with manifest and limits, whose element journals in `flash`.
    pub(crate) fn new(bank: &Bank, meter: &'static Meter, label: &'static str, flash: F) -> Self {
        let chip = Chip(hash::h32("figures/chip", &[label.as_bytes()]));
        let element = Element::new(flash, chip).expect("the flash is large enough");
        let mut element = Port { element, meter };
        let keys = client::generate(&mut element).expect("a new element");
        let body = CertificateBody {
            maker: name("maker"),
            series: name("series"),
            firmware: [0xF1; 32],
            U: keys.identity,
            A: PublicKey(keys.authentication),
        };
        let certificate = Certificate::sign(body, &SigningKey::from_seed(&[9; 32])).to_vec();
        client::personalise(&mut element, &bank.root.public().0, b"87654321", &certificate).expect("a new element");
        let wallet = Wallet::create(bank.root.public(), &mut element).expect("a personalised element").committed();
        let mut device = Self { wallet, element, label, seeds: 0, U: keys.identity };
        device.wallet.enrolled(Account { psp: name("psp"), account: name(label) }).committed();
        device.wallet.accept_manifest(&[], &bank.manifest()).expect("the bank's").committed();
        let limits = bank.limits(device.wallet.device());
        device.wallet.accept_limits(&limits, &mut device.element).expect("the PSP's").committed();
        device
    }

    /// Withdraws; what the device does for it is measured under `name`, if there is one, in parts.
    pub(crate) fn withdraw(&mut self, bank: &mut Bank, items: &[Item], name: Option<&str>) {
        let (meter, seed) = (self.element.meter, self.seed());
        let (wallet, element) = (&mut self.wallet, &mut self.element);
        let measure = Parts { meter, name };
        let plan = || wallet.plan_withdrawal(items, at(NOW), &seed).expect("classes of the manifest");
        let id = measure.part("plan", plan).committed();
        let mut sessions = Vec::new();
        loop {
            match wallet.withdrawal_action(&id) {
                Action::UseElement => {
                    let step = || wallet.withdraw_with_element(&id, at(NOW), element).expect("an element with room");
                    measure.part("element", step).committed();
                }
                Action::Open { items } => {
                    let (secrets, opened) = bank.open(&items, &self.U);
                    sessions = secrets;
                    let step = || wallet.withdrawal_opened(&id, "1", &opened).expect("the bank's commitments");
                    measure.part("blind", step).committed();
                }
                Action::Challenge { challenges, .. } => {
                    let responses = bank.answer(core::mem::take(&mut sessions), &challenges);
                    let step = || wallet.withdrawal_answered(&id, &responses).expect("the bank's answers");
                    measure.part("unblind", step).committed();
                }
                Action::Acknowledge { .. } => {
                    let step = || wallet.withdrawal_acknowledged(&id).expect("all is registered");
                    measure.part("end", step).committed();
                }
                _ => return,
            }
        }
    }

    /// Asks for an amount.
    pub(crate) fn request(&mut self, minor: u64) -> Vec<u8> {
        let terms =
            Terms { currency: currency(), amount: amount(minor), expiry: at(NOW + 600), notes_max: 1, memo: None };
        let seed = self.seed();
        let id = self.wallet.plan_request(&terms, at(NOW), &seed).expect("a blank").committed();
        let opened = self.wallet.open_request(&id, &mut self.element).expect("an element that is there").committed();
        opened.expect("a blank")
    }

    /// Pays: plan, show, message.
    pub(crate) fn pay(&mut self, request: &[u8], seed: &[u8; 32]) -> (PaymentId, Vec<u8>) {
        let plan = self.wallet.plan_payment(request, at(NOW), seed, &mut self.element).expect("money");
        let id = plan.committed();
        match self.wallet.execute_payment(&id, at(NOW), &mut self.element).expect("an element").committed() {
            Execution::Paid(ready) => (id, ready.message),
            Execution::Refused(_) => panic!("not paid"),
        }
    }

    /// Takes what was asked for.
    pub(crate) fn receive(&mut self, payment: &[u8]) -> Step<Reception> {
        self.wallet.receive(payment, Route::Payer, at(NOW)).expect("what was asked for")
    }

    /// Random bytes for one call.
    pub(crate) fn seed(&mut self) -> [u8; 32] {
        self.seeds += 1;
        hash::h32("figures/seed", &[self.label.as_bytes(), &self.seeds.to_be_bytes()])
    }
}

/// The parts of what is measured under a name, if it has one.
struct Parts<'n> {
    meter: &'static Meter,
    name: Option<&'n str>,
}

impl Parts<'_> {
    fn part<T>(&self, part: &str, work: impl FnOnce() -> T) -> T {
        match self.name {
            Some(name) => self.meter.measure(&format!("{name}: {part}"), work),
            None => work(),
        }
    }
}
