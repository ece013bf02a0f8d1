//! The four settings: who can see what, looked for in all that banks and PSPs keep and in all that passes on their wires, and
//! compared with the table of `docs/compliance.md`.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use specie_device::Device;
use specie_device::device::{SyncReport, Terms};
use specie_psp::customer::{Customer, Merchant};
use specie_psp::evidence::{EvidenceKind, EvidenceRecord};
use specie_psp::store::Store;
use specie_server::psp::PspConfig;
use specie_store::Sqlite;
use specie_store::sql::Value;
use specie_wallet::history::Event;

use crate::street::{Street, keep, status, synchronise as synchronise_microcontroller};
use crate::town::{Town, amount, currency, holding, name};
use crate::wire::{Loss, Wire};

const SETTINGS: [&str; 4] = ["offline-anonymous", "offline-known", "proofs", "uploads"];

/// Names that occur nowhere by themselves.
const PAYER: &str = "payer-7f3a91";
const PAYEE: &str = "payee-c20b58";
/// Somebody else who is paid, and keeps it.
const OTHER: &str = "other-1d94e7";
const SHOP: &str = "Shop 5e61d4";
const EVIDENCE: &str = "passport 83d2c6";

/// Paid, twice, each with notes that the payer has, without change; and held after that. Numbers that no note or limit has.
const PAID: [u64; 2] = [70_000, 500];
const SPENT: u64 = PAID[0] + PAID[1];
const HELD: u64 = 76_250;

/// Who sees something, in the order of the table's columns.
const OBSERVERS: [&str; 5] = [
    "payee, and who reads their link",
    "PSP's records",
    "bank's records",
    "who reads the line device–PSP",
    "who reads the line PSP–bank",
];

/// Something to look for.
struct Secret {
    what: &'static str,
    /// Any of these.
    forms: Vec<Form>,
}

enum Form {
    Bytes(Vec<u8>),
    Number(u64),
}

/// What an observer has: messages or rows, each with its numbers apart from its bytes.
#[derive(Default)]
struct Item {
    bytes: Vec<u8>,
    numbers: Vec<i64>,
}

impl Form {
    fn text(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }

    fn is_in(&self, item: &Item) -> bool {
        let contains = |needle: &[u8]| item.bytes.windows(needle.len()).any(|window| window == needle);
        match self {
            Self::Bytes(bytes) => contains(bytes) || contains(hex::encode(bytes).as_bytes()),
            // As a column, in CBOR, in CBOR in hexadecimal, in JSON.
            Self::Number(number) => {
                let cbor = [&[0x1A][..], &u32::try_from(*number).unwrap().to_be_bytes()].concat();
                item.numbers.contains(&i64::try_from(*number).unwrap())
                    || contains(&cbor)
                    || contains(hex::encode(&cbor).as_bytes())
                    || [",", "}"].iter().any(|end| contains(format!(":{number}{end}").as_bytes()))
            }
        }
    }
}

impl Secret {
    fn is_in(&self, items: &[Item]) -> bool {
        items.iter().any(|item| self.is_in_one(item))
    }

    fn is_in_one(&self, item: &Item) -> bool {
        self.forms.iter().any(|form| form.is_in(item))
    }
}

/// A town with a tier for each setting.
struct Scene {
    town: Town,
    to_bank: Wire,
    to_psp: Wire,
    /// What passed between the two devices.
    link: Vec<Vec<u8>>,
}

impl Scene {
    fn new() -> Self {
        let mut to_bank = None;
        let town = Town::with(amount(100_000), |folder: &Path, config: &mut PspConfig| {
            let bank: SocketAddr = config.bank.address.trim_start_matches("http://").parse().unwrap();
            let wire = Wire::to(bank);
            config.bank.address = wire.address();
            to_bank = Some(wire);
            std::fs::write(folder.join("tiers/1.toml"), tiers()).unwrap();
        });
        let to_psp = Wire::to(town.psp_address());
        Self { town, to_bank: to_bank.unwrap(), to_psp, link: Vec::new() }
    }

    fn enrol(&self, who: &str, setting: &str) -> Device {
        let psp = &self.town.provider.psp;
        let now = self.town.provider.clock.now();
        let merchant = (who == PAYEE).then(|| Merchant { payee: name(SHOP), category: 5411 });
        let customer = Customer { name: name(who), account: name(who), tier: name(setting), merchant };
        let (kind, valid_until) = (EvidenceKind::Document, None);
        let reference = if who == PAYER { EVIDENCE } else { "another document" };
        let seen = EvidenceRecord { kind, reference: reference.into(), valid_until, by: name("counter"), at: now };
        let seen = if setting == SETTINGS[0] { vec![] } else { vec![seen] };
        psp.add_customer(&customer, &seen, now).unwrap();
        if who == PAYER {
            psp.deposit(&customer.name, amount(SPENT + HELD), "deposit", now).unwrap();
        }
        let mut device = self.town.device(who, &self.to_psp.address());
        device.enrol(who, &self.town.claim_code(&customer.name)).unwrap();
        device
    }

    /// One payment, without change.
    fn pay(&mut self, payer: &mut Device, payee: &mut Device, minor: u64) {
        let terms = Terms { currency: currency(), amount: amount(minor), valid_seconds: 600, notes_max: 8, memo: None };
        let asked = payee.request(&terms).unwrap();
        let preview = payer.preview(&asked.message).unwrap();
        assert!(preview.change.is_zero(), "{preview:?}");
        let paid = payer.pay(&asked.message).unwrap();
        let received = payee.receive(&paid.message).unwrap();
        payer.take_receipt(&received.receipt).unwrap();
        self.link.extend([asked.message, paid.message, received.receipt]);
    }

    /// What each of [`OBSERVERS`] has.
    fn seen(&self) -> [Vec<Item>; 5] {
        let heard =
            |messages: Vec<Vec<u8>>| messages.into_iter().map(|bytes| Item { bytes, numbers: vec![] }).collect();
        [
            heard(self.link.clone()),
            records(&self.town.path("psp/psp.db")),
            records(&self.town.path("bank/bank.db")),
            heard(self.to_psp.heard()),
            heard(self.to_bank.heard()),
        ]
    }
}

fn tiers() -> String {
    let tiers: String = SETTINGS.iter().map(|setting| tier(setting)).collect();
    format!("version = 1\nin_force_from = 2023-01-01\n{tiers}")
}

fn tier(setting: &str) -> String {
    let (evidence, devices) = if setting == SETTINGS[0] { ("none", 1) } else { ("document", 3) };
    format!(
        "[[tiers]]\nname = \"{setting}\"\nsource = \"a test\"\nevidence = [{{ kind = \"{evidence}\" }}]\n\
         setting = \"{setting}\"\nmax_payment = 100001\nmax_cumulative = 200003\nmax_holding = 300007\n\
         limits_validity_seconds = 86400\nmax_withdrawal_per_day = 900000\nmax_withdrawal_per_month = 900000\n\
         blanks_per_epoch = 100\nblank_cap_max = 100000\ndevices_max = {devices}\n"
    )
}

/// Every row of every table.
fn records(path: &Path) -> Vec<Item> {
    let mut items = Vec::new();
    for (_, rows) in Sqlite::open(path, &[]).unwrap().everything().unwrap() {
        items.extend(rows.into_iter().map(|row| {
            let mut item = Item::default();
            for value in row.0 {
                match value {
                    Value::Null => {}
                    Value::Integer(number) => item.numbers.push(number),
                    Value::Bytes(bytes) => item.bytes.extend([&[0][..], &bytes].concat()),
                    Value::Text(text) => item.bytes.extend([&[0][..], text.as_bytes()].concat()),
                }
            }
            item
        }));
    }
    items
}

fn synchronise(device: &mut Device) -> SyncReport {
    let report = device.synchronise(&mut |_| {}).unwrap();
    assert!(report.failures.is_empty() && report.coins_refused.is_empty(), "{report:?}");
    report
}

/// The first note in a payment: what follows the head of its 256 bytes.
fn first_note(payment: &[u8]) -> Vec<u8> {
    let start = payment.windows(3).position(|window| window == [0x59, 0x01, 0x00]).unwrap() + 3;
    payment[start..start + 32].to_vec()
}

/// A cell for each observer of each secret: `–`, or `yes`, or when.
type Column = Vec<[&'static str; 5]>;

/// Plays the payer in one setting; tells for each secret who saw it.
fn play(setting: &str) -> (Vec<&'static str>, Column) {
    let mut scene = Scene::new();
    let mut payee = scene.enrol(PAYEE, "offline-known");
    let mut payer = scene.enrol(PAYER, setting);
    if setting == "uploads" {
        payer.accept_uploads().unwrap();
    }
    let mut other = scene.enrol(OTHER, "offline-known");
    for device in [&mut payee, &mut payer, &mut other] {
        synchronise(device);
    }
    payee.withdraw_blanks(currency(), 8, amount(100_000), &mut |_| {}).unwrap();
    payer.withdraw(currency(), amount(SPENT + HELD), &mut |_| {}).unwrap();
    scene.pay(&mut payer, &mut payee, PAID[0]);
    scene.pay(&mut payer, &mut other, PAID[1]);
    let status = payer.element_status().unwrap();
    assert_eq!((status.spent, status.held, holding(&payer)), (SPENT, HELD, HELD), "change was given");

    let sequence = status.limits_sequence;
    assert_eq!(synchronise(&mut payer).redeemed, 0);
    let status = payer.element_status().unwrap();
    assert!(status.limits_sequence > sequence && status.spent == 0, "the limits were not renewed");
    let after_payer = scene.seen();
    assert_eq!(synchronise(&mut payee).redeemed, PAID[0]);
    let after_payee = scene.seen();
    scene.town.check_books();

    let payment =
        payer.history().into_iter().find(|entry| entry.event == Event::Paid && entry.amount == amount(PAID[0]));
    let request = payment.unwrap().request.unwrap().0.to_vec();
    let identity = payer.wallet().certificate().body.U.to_vec();
    let secrets = vec![
        Secret { what: "evidence of who the payer is", forms: vec![Form::text(EVIDENCE)] },
        Secret { what: "the payer's account", forms: vec![Form::text(PAYER)] },
        Secret { what: "the payer's `U`", forms: vec![Form::Bytes(identity)] },
        Secret { what: "the payer's `A`", forms: vec![Form::Bytes(payer.wallet().device().0.to_vec())] },
        Secret { what: "the payee's name", forms: vec![Form::text(SHOP)] },
        Secret { what: "the amount paid", forms: vec![Form::Number(PAID[0])] },
        Secret { what: "a note that was paid", forms: vec![Form::Bytes(first_note(&scene.link[1]))] },
        Secret { what: "which request was paid", forms: vec![Form::Bytes(request)] },
        Secret { what: "what the payer holds", forms: vec![Form::Number(HELD)] },
        Secret { what: "what the payer spent since its limits", forms: vec![Form::Number(SPENT)] },
    ];
    let when = |seen: &dyn Fn(&[Item]) -> bool, observer: usize| match (
        seen(&after_payer[observer]),
        seen(&after_payee[observer]),
    ) {
        (false, false) => "–",
        (false, true) => "once redeemed",
        (true, _) => "yes",
    };
    let cells = |seen: &dyn Fn(&[Item]) -> bool| std::array::from_fn(|observer| when(seen, observer));
    let mut names: Vec<_> = secrets.iter().map(|secret| secret.what).collect();
    let mut column: Column = secrets.iter().map(|secret| cells(&|items| secret.is_in(items))).collect();
    // In one message, or one row.
    let (payer_is, payment_is) = (&secrets[1..4], [&secrets[6], &secrets[7]]);
    names.push("who paid this payment, in one record or message");
    column.push(cells(&|items| {
        let is = |item: &Item| {
            payer_is.iter().any(|secret| secret.is_in_one(item))
                && payment_is.iter().any(|secret| secret.is_in_one(item))
        };
        items.iter().any(is)
    }));
    (names, column)
}

pub(crate) fn each_setting_shows_what_the_document_says() {
    let columns: Vec<(Vec<&str>, Column)> = SETTINGS.iter().map(|setting| play(setting)).collect();
    let mut table = format!("| | {} |\n|---|{}\n", OBSERVERS.join(" | "), "---|".repeat(OBSERVERS.len()));
    for (row, what) in columns[0].0.iter().enumerate() {
        write!(table, "| {what} |").unwrap();
        for observer in 0..OBSERVERS.len() {
            let cells: Vec<&str> = columns.iter().map(|(_, column)| column[row][observer]).collect();
            write!(table, " {} |", cell(&cells)).unwrap();
        }
        table.push('\n');
    }
    let document = include_str!("../../../../docs/compliance.md");
    assert!(document.contains(&table), "what was seen is:\n{table}");
}

/// What most settings have in common, and those that differ.
fn cell(cells: &[&str]) -> String {
    let count = |cell: &&&str| cells.iter().filter(|other| **other == **cell).count();
    let common = cells.iter().max_by_key(count).unwrap();
    let others = SETTINGS.iter().zip(cells).filter(|(_, cell)| *cell != common);
    others.fold((*common).to_owned(), |cell, (setting, other)| format!("{cell}; `{setting}`: {other}"))
}

pub(crate) fn nothing_is_uploaded_without_consent() {
    let scene = Scene::new();
    let mut device = scene.enrol(PAYER, "uploads");
    let report = device.synchronise(&mut |_| {}).unwrap();
    let codes: Vec<&str> = report.failures.iter().map(|failure| failure.code()).collect();
    assert_eq!(codes, ["uploads-not-accepted"]);
    let status = device.element_status().unwrap();
    assert_eq!(status.limits_sequence, 0);
    let heard = scene.to_psp.heard();
    assert!(
        !heard
            .iter()
            .any(|message| message.starts_with(b"POST /v1/uploads") || message.starts_with(b"POST /v1/totals"))
    );
    device.accept_uploads().unwrap();
    synchronise(&mut device);
    assert_eq!(device.element_status().unwrap().limits_sequence, 1);
    // Withdrawn, once while the PSP cannot be reached: nothing is uploaded from then on, and the PSP hears of it as soon as it can.
    let codes = |device: &mut Device| -> Vec<String> {
        let report = device.synchronise(&mut |_| {}).unwrap();
        report.failures.iter().map(|failure| failure.code().to_owned()).collect()
    };
    for told in [true, false] {
        device.accept_uploads().unwrap();
        synchronise(&mut device);
        let uploads =
            |heard: &[Vec<u8>]| heard.iter().filter(|message| message.starts_with(b"POST /v1/totals ")).count();
        let before = uploads(&scene.to_psp.heard());
        if !told {
            scene.to_psp.cut_after(0, Loss::Request);
        }
        assert_eq!(device.withdraw_consent().unwrap(), told);
        scene.to_psp.mend();
        assert_eq!(codes(&mut device), ["uploads-not-accepted"]);
        assert_eq!(uploads(&scene.to_psp.heard()), before);
        let key = device.wallet().device();
        let again = scene.town.provider.psp.store().read(|records| records.uploads_refused(&key)).unwrap();
        assert!(again.is_some(), "the PSP was told");
    }
}

/// Somebody withdraws more than may be held: there is nothing to prove until some of it is redeemed, and then there is.
pub(crate) fn a_device_over_its_limits_redeems_and_proves_again() {
    let scene = Scene::new();
    let mut payee = scene.enrol(PAYEE, "proofs");
    let mut payer = scene.enrol(PAYER, "proofs");
    synchronise(&mut payee);
    synchronise(&mut payer);
    let psp = &scene.town.provider.psp;
    let now = scene.town.provider.clock.now();
    psp.deposit(&name(PAYEE), amount(310_000), "more", now).unwrap();
    payer.withdraw(currency(), amount(PAID[0]), &mut |_| {}).unwrap();
    payee.withdraw(currency(), amount(280_000), &mut |_| {}).unwrap();
    // 280,000 and 10,000 in notes, and 20,000 received, are more than 300,007.
    let before = payee.element_status().unwrap();
    let asked = payee.request(&Terms {
        currency: currency(),
        amount: amount(20_000),
        valid_seconds: 600,
        notes_max: 8,
        memo: None,
    });
    let paid = payer.pay(&asked.unwrap().message).unwrap();
    payee.receive(&paid.message).unwrap();
    payee.withdraw(currency(), amount(10_000), &mut |_| {}).unwrap();
    assert!(payee.element_status().unwrap().held > before.max_holding);
    // What was received is redeemed on the way, and then the proof holds.
    let report = synchronise(&mut payee);
    assert_eq!(report.redeemed, 20_000);
    assert_eq!(payee.element_status().unwrap().limits_sequence, before.limits_sequence + 1);
    // Notes in excess are not redeemed by themselves: the owner is told, and nothing is sent.
    payee.withdraw(currency(), amount(20_000), &mut |_| {}).unwrap();
    let report = payee.synchronise(&mut |_| {}).unwrap();
    let codes: Vec<&str> = report.failures.iter().map(|failure| failure.code()).collect();
    assert_eq!(codes, ["over-limit"], "{report:?}");
    payee.redeem_everything(&mut |_| {}).unwrap();
    synchronise(&mut payee);
    assert_eq!(payee.element_status().unwrap().limits_sequence, before.limits_sequence + 2);
    scene.town.check_books();
}

/// Where nothing is shown, the element refuses limits below what it holds: what was received is redeemed on the way, and of notes the owner
/// is told.
pub(crate) fn a_device_gets_no_smaller_limits_before_it_holds_less() {
    let town = Town::new();
    let mut alice = town.enrol("alice", 40_000, "standard");
    let mut bob = town.enrol("bob", 40_000, "standard");
    synchronise(&mut alice);
    synchronise(&mut bob);
    alice.withdraw(currency(), amount(10_000), &mut |_| {}).unwrap();
    bob.withdraw(currency(), amount(14_000), &mut |_| {}).unwrap();
    let asked = bob.request(&Terms { amount: amount(2_000), ..crate::town::terms(2_000) }).unwrap();
    bob.receive(&alice.pay(&asked.message).unwrap().message).unwrap();
    let before = bob.element_status().unwrap();
    let now = || town.provider.clock.now();
    // At most 15,000.
    town.provider.psp.set_tier(&name("bob"), &name("prepaid"), now()).unwrap();
    let report = synchronise(&mut bob);
    let after = bob.element_status().unwrap();
    assert_eq!((report.redeemed, after.max_holding), (2_000, 15_000), "{report:?}");
    assert!(after.limits_sequence > before.limits_sequence && after.held <= 15_000);
    // Alice has 8,000 in notes, and gives her share away: nothing is taken from her, and she is told.
    let key = alice.wallet().device();
    let mut second = town.device("watch", &format!("http://{}", town.psp_address()));
    second.enrol("alice", &town.claim_code(&name("alice"))).unwrap();
    let weights = [(key, 0), (second.wallet().device(), 1)];
    town.provider.psp.set_weights(&name("alice"), &weights, now()).unwrap();
    let before = alice.element_status().unwrap();
    for _ in 0..2 {
        let report = alice.synchronise(&mut |_| {}).unwrap();
        let codes: Vec<&str> = report.failures.iter().map(|failure| failure.code()).collect();
        assert_eq!(codes, ["over-holding-limit"], "{report:?}");
        let codes: Vec<_> =
            second.synchronise(&mut |_| {}).unwrap().failures.iter().map(|f| f.code().to_owned()).collect();
        assert_eq!(codes, ["limits-shared-out"]);
    }
    assert_eq!(alice.element_status().unwrap().limits_sequence, before.limits_sequence);
    alice.redeem_everything(&mut |_| {}).unwrap();
    for _ in 0..2 {
        drop(alice.synchronise(&mut |_| {}).unwrap());
    }
    synchronise(&mut second);
    assert_eq!(
        (alice.element_status().unwrap().max_holding, second.element_status().unwrap().max_holding),
        (0, 300_000)
    );
    town.check_books();
}

/// A microcontroller proves nothing: it hears why it gets no limits, keeps those that it has, and synchronises all the rest.
pub(crate) fn a_microcontroller_is_refused_limits_where_proofs_are_asked_for() {
    let town = Town::with(amount(10_000), |folder, _| {
        let file = folder.join("tiers/1.toml");
        let examples = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{examples}\n{}", tier("proofs"))).unwrap();
    });
    let street = Street::new(&town, 1, keep(100, 4));
    let before = status(&street, 0).limits;
    town.provider.psp.set_tier(&name("m0"), &name("proofs"), town.provider.clock.now()).unwrap();
    let summary = synchronise_microcontroller(&street, &town, 0, keep(300, 4));
    let codes: Vec<&str> = summary.failures.iter().map(|told| told.code.as_str()).collect();
    assert_eq!(codes, ["totals-needed"]);
    assert!(summary.withdrawn > 0);
    assert_eq!(status(&street, 0).limits, before);
}
