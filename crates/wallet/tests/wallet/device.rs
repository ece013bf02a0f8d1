//! A device: a wallet, its store and its element, all of which stop at a given point and start again.

use std::collections::BTreeMap;

use specie_core::encoding::Encode;
use specie_core::enrolment::{Certificate, CertificateBody};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::{Amount, hash};
use specie_element::client::{self, Link};
use specie_element::entropy::EntropyFailure;
use specie_element::sim::SimFlash;
use specie_element::status::StatusWord;
use specie_element::{Element, Platform};
use specie_wallet::identity::Account;
use specie_wallet::payment::{Execution, Form, PaymentId};
use specie_wallet::reception::{Received, Reception, Route};
use specie_wallet::request::{RequestId, Terms};
use specie_wallet::synchronisation::RedemptionResult;
use specie_wallet::withdrawal::{Action, Item, WithdrawalId};
use specie_wallet::{Step, Wallet, WalletError};

use crate::bank::{Bank, NOW, Refusal, amount, at, name, xts};

const FIRMWARE: [u8; 32] = [0xF1; 32];
/// Records in an element, and pages of its flash.
const RECORDS: usize = crate::RECORDS;
const PAGES: usize = RECORDS / 8;

type Flash = SimFlash<8, 4096>;

#[derive(Clone)]
pub(crate) struct Chip([u8; 32]);

impl Platform for Chip {
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        *out = self.0;
        Ok(())
    }

    fn firmware(&self) -> [u8; 32] {
        FIRMWARE
    }
}

/// Why a device does not go on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The power is off: restart it.
    Crash,
    /// The wallet refused, with this code.
    Refused(&'static str),
}

pub(crate) fn refused(error: &impl WalletError) -> Halt {
    assert!(!error.money_moved());
    assert!(!error.to_string().is_empty() && !error.advice().is_empty());
    // A dead link is a crash of the whole device here.
    if error.code() == "element-unreachable" || error.to_string().contains("power off") {
        return Halt::Crash;
    }
    Halt::Refused(error.code())
}

/// The way to the element, which counts every point at which the power may go.
pub(crate) struct Port {
    element: Option<Element<Flash, Chip, RECORDS>>,
    chip: Chip,
    /// Points that are still passed; none: for ever.
    pub(crate) fuel: Option<u32>,
    pub(crate) off: bool,
    /// Commands until the flash fails once when what was written is read back: it is done, and the element does not know.
    pub(crate) flash_fails_in: Option<u32>,
}

impl Port {
    /// Passes a point at which the power may go.
    fn burn(&mut self) -> Result<(), &'static str> {
        if self.off {
            return Err("power off");
        }
        match &mut self.fuel {
            None => Ok(()),
            Some(0) => {
                self.off = true;
                Err("power off")
            }
            Some(fuel) => {
                *fuel -= 1;
                Ok(())
            }
        }
    }
}

impl Link for Port {
    type Error = &'static str;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, &'static str> {
        self.burn()?;
        let length = self.element.as_mut().unwrap().process(command, response);
        self.burn()?;
        match &mut self.flash_fails_in {
            Some(0) => {
                self.flash_fails_in = None;
                response[..2].copy_from_slice(&StatusWord::FLASH_FAILED.to_bytes());
                return Ok(2);
            }
            Some(commands) => *commands -= 1,
            None => {}
        }
        Ok(length)
    }
}

/// A device without power.
pub(crate) struct Image {
    store: BTreeMap<Vec<u8>, Vec<u8>>,
    flash: Flash,
    chip: Chip,
    account: Account,
    seeds: u64,
}

impl Image {
    /// A device that starts from a copy of this image.
    pub(crate) fn boot(&self) -> Device {
        let element = Element::new(self.flash.clone(), self.chip.clone()).unwrap();
        let mut port =
            Port { element: Some(element), chip: self.chip.clone(), fuel: None, off: false, flash_fails_in: None };
        client::status(&mut port).unwrap();
        let wallet = Wallet::load(self.store.clone()).unwrap();
        let (store, account, seeds) = (self.store.clone(), self.account, self.seeds);
        Device { store, wallet, port, account, seeds, said: BTreeMap::new() }
    }
}

pub(crate) struct Device {
    pub(crate) store: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) wallet: Wallet,
    pub(crate) port: Port,
    pub(crate) account: Account,
    seeds: u64,
    /// Everything said, by what it is: the same must be said again.
    said: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Device {
    /// A device enrolled at the PSP, with manifest and limits.
    pub(crate) fn new(bank: &mut Bank, label: &str) -> Self {
        let chip = Chip(hash::h32("test/chip", &[label.as_bytes()]));
        let element = Element::new(Flash::new(PAGES, 1), chip.clone()).unwrap();
        let mut port = Port { element: Some(element), chip, fuel: None, off: false, flash_fails_in: None };
        let keys = client::generate(&mut port).unwrap();
        let body = CertificateBody {
            maker: name("maker"),
            series: name("series"),
            firmware: FIRMWARE,
            U: keys.identity,
            A: PublicKey(keys.authentication),
        };
        let certificate = Certificate::sign(body, &SigningKey::from_seed(&[9; 32])).to_vec();
        client::personalise(&mut port, &bank.root.public().0, b"87654321", &certificate).unwrap();
        let step = Wallet::create(bank.root.public(), &mut port).unwrap();
        let mut store = BTreeMap::new();
        apply(&mut store, &step);
        let account = Account { psp: name("psp"), account: name(label) };
        let said = BTreeMap::new();
        let mut device = Self { store, wallet: step.committed(), port, account, seeds: 0, said };
        let step = device.wallet.enrolled(account);
        device.commit(step).unwrap();
        device.update(bank).unwrap();
        device
    }

    /// Newest manifest and limits.
    pub(crate) fn update(&mut self, bank: &mut Bank) -> Result<(), Halt> {
        if bank.headers.is_empty() {
            bank.publish(NOW);
        }
        let newest = bank.headers.last().unwrap();
        let manifest = bank.manifest_under(newest);
        let after = self.wallet.manifest_followed() as usize;
        let step = self.wallet.accept_manifest(&bank.headers[after..], &manifest).map_err(|error| refused(&error))?;
        self.commit(step)?;
        let limits = bank.limits(self.wallet.device());
        let step = self.wallet.accept_limits(&limits, &mut self.port).map_err(|error| refused(&error))?;
        self.commit(step)?;
        Ok(())
    }

    /// Commits; the power may go before and after.
    pub(crate) fn commit<T>(&mut self, step: Step<T>) -> Result<T, Halt> {
        self.port.burn().map_err(|_| Halt::Crash)?;
        apply(&mut self.store, &step);
        self.port.burn().map_err(|_| Halt::Crash)?;
        Ok(step.committed())
    }

    /// Power off and on: what was in memory is gone.
    pub(crate) fn restart(&mut self) {
        let flash = self.port.element.take().unwrap().into_flash();
        self.port.element = Some(Element::new(flash, self.port.chip.clone()).unwrap());
        (self.port.off, self.port.fuel) = (false, None);
        self.reload();
    }

    /// All that outlives a power cut, to be copied.
    pub(crate) fn image(self) -> Image {
        let Self { store, port, account, seeds, .. } = self;
        Image { store, flash: port.element.unwrap().into_flash(), chip: port.chip, account, seeds }
    }

    /// The wallet as it is stored.
    pub(crate) fn reload(&mut self) {
        let records = self.store.iter().map(|(key, value)| (key.clone(), value.clone()));
        self.wallet = Wallet::load(records).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Does what can be done without the PSP.
    pub(crate) fn resume(&mut self, now: u64) -> Result<(), Halt> {
        while let Some(step) = self.wallet.resume(at(now), &mut self.port).map_err(|error| refused(&error))? {
            self.commit(step)?;
        }
        Ok(())
    }

    pub(crate) fn seed(&mut self) -> [u8; 32] {
        self.seeds += 1;
        hash::h32("test/seed", &[self.account.account.as_str().as_bytes(), &self.seeds.to_be_bytes()])
    }

    fn say(&mut self, kind: &str, id: &[u8], message: &[u8]) {
        let before = self.said.insert([kind.as_bytes(), id].concat(), message.to_vec());
        assert!(before.is_none_or(|before| before == message), "said otherwise than before: {kind}");
    }

    pub(crate) fn withdraw(&mut self, bank: &mut Bank, value: u64, blanks: u16) -> Result<(), Halt> {
        let mut items = Vec::new();
        if value > 0 {
            items.extend(self.wallet.value_items(xts(), amount(value), at(NOW)).map_err(|error| refused(&error))?);
        }
        items.extend(
            self.wallet
                .blank_items(xts(), blanks, amount(crate::bank::CAP), at(NOW))
                .map_err(|error| refused(&error))?,
        );
        self.withdraw_items(bank, &items)
    }

    pub(crate) fn withdraw_items(&mut self, bank: &mut Bank, items: &[Item]) -> Result<(), Halt> {
        let seed = self.seed();
        let step = self.wallet.plan_withdrawal(items, at(NOW), &seed).map_err(|error| refused(&error))?;
        let id = self.commit(step)?;
        self.finish_withdrawal(bank, &id)
    }

    pub(crate) fn finish_withdrawal(&mut self, bank: &mut Bank, id: &WithdrawalId) -> Result<(), Halt> {
        while self.wallet.withdrawal_action(id) != Action::Done {
            self.advance_withdrawal(bank, id)?;
        }
        Ok(())
    }

    /// Does what a withdrawal that is not done needs next.
    pub(crate) fn advance_withdrawal(&mut self, bank: &mut Bank, id: &WithdrawalId) -> Result<(), Halt> {
        let step = match self.wallet.withdrawal_action(id) {
            Action::UseElement => self.wallet.withdraw_with_element(id, at(NOW), &mut self.port),
            Action::Open { items } => {
                let remote = format!("{id:?}");
                self.say("open", &id.0, format!("{items:?}").as_bytes());
                let U = client::identity(&mut self.port).map_err(|_| Halt::Crash)?;
                let U = <Certificate as specie_core::encoding::Decode>::decode(U.as_bytes()).unwrap().body.U;
                let sessions = bank.open(&remote, &items, &U);
                self.wallet.withdrawal_opened(id, &remote, &sessions)
            }
            Action::Challenge { remote, challenges } => {
                self.say("challenge", &id.0, &challenges.concat());
                let responses = bank.answer(&remote, &challenges);
                self.wallet.withdrawal_answered(id, &responses)
            }
            Action::Acknowledge { .. } => self.wallet.withdrawal_acknowledged(id),
            action => panic!("{action:?}"),
        };
        self.commit(step.map_err(|error| refused(&error))?)
    }

    pub(crate) fn terms(minor: u64) -> Terms {
        Terms { currency: xts(), amount: amount(minor), expiry: at(NOW + 600), notes_max: 8, memo: None }
    }

    pub(crate) fn request(&mut self, minor: u64) -> Result<(RequestId, Vec<u8>), Halt> {
        self.request_on(&Self::terms(minor))
    }

    pub(crate) fn request_on(&mut self, terms: &Terms) -> Result<(RequestId, Vec<u8>), Halt> {
        let seed = self.seed();
        let step = self.wallet.plan_request(terms, at(NOW), &seed).map_err(|error| refused(&error))?;
        let id = self.commit(step)?;
        Ok((id, self.open(&id)?))
    }

    pub(crate) fn open(&mut self, id: &RequestId) -> Result<Vec<u8>, Halt> {
        let step = self.wallet.open_request(id, &mut self.port).map_err(|error| refused(&error))?;
        let message = self.commit(step)?.map_err(|error| refused(&error))?;
        self.say("request", &id.0, &message);
        Ok(message)
    }

    pub(crate) fn pay(&mut self, request: &[u8]) -> Result<Vec<u8>, Halt> {
        let seed = self.seed();
        let step =
            self.wallet.plan_payment(request, at(NOW), &seed, &mut self.port).map_err(|error| refused(&error))?;
        let id = self.commit(step)?;
        self.execute(&id)
    }

    pub(crate) fn execute(&mut self, id: &PaymentId) -> Result<Vec<u8>, Halt> {
        let step = self.wallet.execute_payment(id, at(NOW), &mut self.port).map_err(|error| refused(&error))?;
        match self.commit(step)? {
            Execution::Paid(ready) => {
                self.say("payment", &id.0, &ready.message);
                assert_eq!(self.wallet.payment_message(id, Form::Extended).unwrap(), ready.message);
                Ok(ready.message)
            }
            Execution::Refused(error) => Err(refused(&error)),
        }
    }

    pub(crate) fn receive(&mut self, payment: &[u8]) -> Result<Received, Halt> {
        self.receive_by(payment, Route::Payer, NOW)
    }

    pub(crate) fn receive_by(&mut self, payment: &[u8], route: Route, now: u64) -> Result<Received, Halt> {
        let step = self.wallet.receive(payment, route, at(now)).map_err(|error| refused(&error))?;
        match self.commit(step)? {
            Reception::Accepted(received) => {
                self.say("receipt", &received.request.0, &received.receipt);
                Ok(received)
            }
            Reception::DoubleSpend { .. } => Err(Halt::Refused("double-spend")),
        }
    }

    pub(crate) fn settle(&mut self, receipt: &[u8]) -> Result<(), Halt> {
        let step = self.wallet.accept_receipt(receipt).map_err(|error| refused(&error))?;
        self.commit(step).map(drop)
    }

    /// The money part of a synchronisation.
    pub(crate) fn redeem(&mut self, bank: &mut Bank, now: u64) -> Result<(), Halt> {
        let step = self.wallet.plan_redemptions(at(now)).map_err(|error| refused(&error))?;
        self.commit(step)?;
        self.send_redemptions(bank, now)
    }

    pub(crate) fn redeem_everything(&mut self, bank: &mut Bank, now: u64) -> Result<(), Halt> {
        let step = self.wallet.plan_redemption_of_everything(at(now)).map_err(|error| refused(&error))?;
        self.commit(step)?;
        self.send_redemptions(bank, now)
    }

    pub(crate) fn send_redemptions(&mut self, bank: &mut Bank, now: u64) -> Result<(), Halt> {
        loop {
            let step = self.wallet.execute_redemptions(2, &mut self.port).map_err(|error| refused(&error))?;
            if self.commit(step)? == 0 {
                break;
            }
        }
        while let Some(batch) = self.wallet.redemption_batch(3) {
            let mut results = Vec::new();
            for (coin, chain) in batch.coins {
                self.say("redemption", &coin.0.to_be_bytes(), &chain);
                results.push((
                    coin,
                    match bank.redeem(&chain, batch.destination.account, now) {
                        Ok(credited) => RedemptionResult::Credited(amount(credited)),
                        Err(Refusal::Invalid(code)) => RedemptionResult::Refused(code.to_string()),
                        Err(Refusal::DoubleSpend) => RedemptionResult::Refused("double-spend".to_string()),
                    },
                ));
            }
            let step = self.wallet.apply_redemptions(&results, at(now)).map_err(|error| refused(&error))?;
            self.commit(step)?;
        }
        for (id, message) in self.wallet.uploads().collect::<Vec<_>>() {
            bank.upload(&message);
            let step = self.wallet.uploaded(&id);
            self.commit(step)?;
        }
        Ok(())
    }

    pub(crate) fn balance(&self) -> specie_wallet::balance::Balance {
        self.wallet.balance(xts(), at(NOW))
    }

    pub(crate) fn total(&self) -> u64 {
        self.balance().total().minor()
    }

    pub(crate) fn spendable(&self) -> u64 {
        self.balance().spendable().minor()
    }

    pub(crate) fn held_by_element(&mut self) -> u64 {
        client::status(&mut self.port).unwrap().held
    }

    /// Asserts that nothing changed in the wallet: what is stored loads to what is in memory.
    #[track_caller]
    pub(crate) fn assert_unchanged(&self, before: &BTreeMap<Vec<u8>, Vec<u8>>, balance: Amount) {
        assert_eq!(&self.store, before);
        assert_eq!(self.balance().total(), balance);
    }
}

fn apply<T>(store: &mut BTreeMap<Vec<u8>, Vec<u8>>, step: &Step<T>) {
    for change in step.changes() {
        match change.value() {
            Some(value) => store.insert(change.key().to_vec(), value.to_vec()),
            None => store.remove(change.key()),
        };
    }
}
