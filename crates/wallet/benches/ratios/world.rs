//! Devices in the states in which they are measured.

use specie_core::class::Kind;
use specie_core::disclosure::{Supervision, SupervisoryKey};
use specie_core::encoding::Decode;
use specie_core::group::{RistrettoPoint, Scalar, encode_point};
use specie_core::request::Request;
use specie_wallet::payment::Form;
use specie_wallet::withdrawal::{Action, Item, WithdrawalId};

use crate::bank::{Bank, NOW, amount, at, xts};
use crate::device::{Device, Image};

/// Notes that the wallet registers in one go, so that one command to load their class goes with them.
pub(crate) const NOTES_AT_ONCE: u16 = 32;

/// Requests that a device pays before it is started anew.
const REQUESTS: usize = 4;

/// What is asked for in each: no face value, so that there is change; one note pays it.
const AMOUNT: u64 = 37;

/// Face values of the notes in a wallet, as many of each.
const FACES: [u64; 5] = [10, 20, 50, 100, 200];

/// Everything that is prepared once.
pub(crate) struct World {
    pub(crate) purse_of_10: Image,
    pub(crate) purse_of_100: Image,
    pub(crate) purse_of_1000: Image,
    /// Requests of somebody without a name.
    pub(crate) requests: Vec<Vec<u8>>,
    /// Requests with a signed description of the payee.
    pub(crate) named_requests: Vec<Vec<u8>>,
    /// Who made `requests`, and was not paid yet.
    pub(crate) payee: Image,
    /// What pays `requests`, in extended form.
    pub(crate) payments: Vec<Vec<u8>>,
    /// The same in compact form.
    pub(crate) compact_payments: Vec<Vec<u8>>,
    /// Of a bank whose manifest has every payment disclosed (§7.1).
    pub(crate) disclosing: Disclosing,
    /// A device with [`NOTES_AT_ONCE`] notes to be registered.
    pub(crate) registering: Image,
    pub(crate) withdrawal: WithdrawalId,
}

/// The same in a place where supervisors can read who pays.
pub(crate) struct Disclosing {
    pub(crate) purse_of_10: Image,
    pub(crate) requests: Vec<Vec<u8>>,
    pub(crate) payee: Image,
    pub(crate) payments: Vec<Vec<u8>>,
}

impl Disclosing {
    fn new() -> Self {
        let mut bank = Bank::new();
        let key = SupervisoryKey(encode_point(&RistrettoPoint::mul_base(&Scalar::from(7u64))));
        bank.supervision = vec![Supervision { currency: xts(), threshold: amount(AMOUNT - 1), key }];
        let purse_of_10 = purse(&mut bank, 10);
        let (payee, requests) = payee(&mut bank, "disclosed to", false);
        let (payments, _) = payments(&purse_of_10, &requests);
        Self { purse_of_10, requests, payee, payments }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let mut bank = Bank::new();
        let [purse_of_10, purse_of_100, purse_of_1000] = [10, 100, 1_000].map(|count| purse(&mut bank, count));
        let (payee, requests) = payee(&mut bank, "nobody", false);
        let (_, named_requests) = self::payee(&mut bank, "somebody", true);
        let (payments, compact_payments) = payments(&purse_of_10, &requests);
        let (registering, withdrawal) = registering(&mut bank);
        Self {
            purse_of_10,
            purse_of_100,
            purse_of_1000,
            requests,
            named_requests,
            payee,
            payments,
            compact_payments,
            disclosing: Disclosing::new(),
            registering,
            withdrawal,
        }
    }
}

/// A device with `count` notes, and blanks for change.
fn purse(bank: &mut Bank, count: u16) -> Image {
    let mut device = Device::new(bank, &format!("purse of {count}"));
    // A withdrawal has at most 256 notes.
    for face in FACES {
        let class_id = bank.class_of(Kind::Value, face).id();
        device.withdraw_items(bank, &[Item { class_id, count: count / FACES.len() as u16 }]).unwrap();
    }
    device.withdraw(bank, 0, REQUESTS as u16).unwrap();
    assert!(device.balance().spendable().minor() >= u64::from(count) * FACES[0]);
    device.image()
}

/// A device that asks to be paid.
fn payee(bank: &mut Bank, label: &str, named: bool) -> (Image, Vec<Vec<u8>>) {
    let mut device = Device::new(bank, label);
    let terms = Device::terms(AMOUNT);
    device.withdraw(bank, 0, REQUESTS as u16 * u16::from(terms.notes_max)).unwrap();
    if named {
        let descriptor = bank.descriptor(device.wallet.device(), label);
        let step = device.wallet.accept_descriptor(&descriptor, at(NOW)).unwrap();
        device.commit(step).unwrap();
    }
    let requests = (0..REQUESTS).map(|_| device.request_on(&terms).unwrap().1).collect();
    (device.image(), requests)
}

/// What pays `requests`, extended and compact.
fn payments(payer: &Image, requests: &[Vec<u8>]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut payer = payer.boot();
    let mut pay = |request: &Vec<u8>| {
        let extended = payer.pay(request).unwrap();
        let id = Request::decode(request).unwrap().context();
        (extended, payer.wallet.payment_message(&id, Form::Compact).unwrap())
    };
    requests.iter().map(&mut pay).unzip()
}

/// A device whose element has yet to be told of the notes that it withdrew.
fn registering(bank: &mut Bank) -> (Image, WithdrawalId) {
    let mut device = Device::new(bank, "registering");
    let items = [Item { class_id: bank.class_of(Kind::Value, 100).id(), count: NOTES_AT_ONCE }];
    let seed = device.seed();
    let step = device.wallet.plan_withdrawal(&items, at(NOW), &seed).unwrap();
    let id = device.commit(step).unwrap();
    let mut answered = false;
    while !answered {
        answered = matches!(device.wallet.withdrawal_action(&id), Action::Challenge { .. });
        device.advance_withdrawal(bank, &id).unwrap();
    }
    assert_eq!(device.wallet.withdrawal_action(&id), Action::UseElement);
    (device.image(), id)
}
