//! `specie inspect`: accepts what is good, and names the reason for what is not.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use specie_core::encoding::Encode;
use specie_core::transfer::Transfer;
use specie_core::{Context, OwnerTag};

use crate::coins::{self, Bank, VALUE};
use crate::running::{Run, repository, specie, specie_with_input};

/// Files of a bank and what it knows of.
struct Desk {
    folder: tempfile::TempDir,
    bank: Bank,
}

impl Desk {
    fn new(bank: Bank) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap(), bank };
        fs::write(desk.path("manifest"), desk.bank.manifest()).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Inspects `bytes`, with the manifest and the root key.
    fn inspect(&self, bytes: &[u8], others: &[&[u8]]) -> Run {
        let root = self.bank.root.public().to_string();
        let mut arguments: Vec<String> = ["--json", "inspect", "--root", &root, "--manifest"].map(str::to_owned).into();
        arguments.push(self.path("manifest").to_str().unwrap().to_owned());
        for (index, bytes) in std::iter::once(&bytes).chain(others).enumerate() {
            let path = self.path(&index.to_string());
            fs::write(&path, bytes).unwrap();
            arguments.push(path.to_str().unwrap().to_owned());
        }
        specie(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[track_caller]
    fn accepts(&self, bytes: &[u8], others: &[&[u8]]) -> Value {
        let json = self.inspect(bytes, others).exits(0).json();
        assert_eq!(json["verdict"], json!("good"), "{json:#}");
        json["inputs"][0].clone()
    }

    #[track_caller]
    fn refuses(&self, bytes: &[u8], others: &[&[u8]], code: &str) {
        let json = self.inspect(bytes, others).exits(1).json();
        assert_eq!(json["inputs"][0]["code"], json!(code), "{json:#}");
        assert!(!json["inputs"][0]["reason"].as_str().unwrap().is_empty());
    }
}

const CONTEXT: Context = Context([7; 32]);

/// Device 1 pays device 2, which pays part of it to device 3.
fn two_hops(bank: &Bank) -> [Transfer; 2] {
    let (note, change, blank, third) = (bank.note(1, 1), bank.blank(1, 2), bank.blank(2, 1), bank.blank(3, 1));
    let first = note.spend(&[(370, blank.owner()), (VALUE - 370, change.owner())], CONTEXT);
    let second = blank.spend_output(&first, 0, &[(120, third.owner()), (250, change.owner())], CONTEXT);
    [first, second]
}

#[test]
fn accepts_a_chain_in_both_forms_and_gives_every_value() {
    let desk = Desk::new(Bank::new());
    let [first, second] = two_hops(&desk.bank);
    let extended = desk.accepts(&coins::chain(&[first, second]), &[]);
    let compact = desk.accepts(&coins::chain(&[first.compact(), second.compact()]), &[]);
    for (index, transfer) in [first, second].iter().enumerate() {
        for report in [&extended, &compact] {
            let values = &report["transfers"][index];
            assert_eq!(values["preimage"], json!(hex::encode(transfer.preimage.to_bytes().as_slice())));
            assert_eq!(values["d"], json!(hex::encode(transfer.d().as_bytes())));
            assert_eq!(values["z3"], json!(hex::encode(transfer.show.z3.as_bytes())));
            assert_eq!(values["note"], json!(hex::encode(transfer.preimage.note.0)));
            assert_eq!(values["transfer_id"], json!(transfer.id().to_string()));
        }
    }
    assert_eq!(extended["transfers"][0]["note_id"], json!(desk.bank.note(1, 1).issued.id.to_string()));
    assert_eq!(extended["transfers"][1]["Y"], json!(hex::encode(desk.bank.classes[1].Y_bytes())));
    assert_eq!(extended["transfers"][1]["info"], json!(hex::encode(desk.bank.classes[1].info_bytes())));
    assert!(compact["transfers"][0].get("points").is_none() && extended["transfers"][0].get("points").is_some());
}

/// What `--json` prints is itself something to inspect.
#[test]
fn accepts_its_own_output() {
    let desk = Desk::new(Bank::new());
    let report = desk.accepts(&coins::chain(&two_hops(&desk.bank)), &[]);
    let json = desk.inspect(report.to_string().as_bytes(), &[]).exits(0).json();
    assert_eq!(json["inputs"].as_array().unwrap().len(), 2);
    let mut changed = report;
    changed["transfers"][1]["transfer_id"] = changed["transfers"][0]["transfer_id"].clone();
    let json = desk.inspect(changed.to_string().as_bytes(), &[]).exits(1).json();
    assert_eq!(json["inputs"][1]["code"], json!("other-value"));
}

#[test]
fn accepts_a_payment_with_the_request_it_answers() {
    let desk = Desk::new(Bank::new());
    let (blank, other, change) = (desk.bank.blank(2, 1), desk.bank.blank(2, 2), desk.bank.blank(1, 9));
    let request = coins::request(700, &[blank.owner(), other.owner()]);
    let pay = |amount: u64, note: u8, owner: OwnerTag, context: Context| {
        let note = desk.bank.note(1, note);
        coins::chain(&[note.spend(&[(amount, owner), (VALUE - amount, change.owner())], context).compact()])
    };
    let (context, encoded) = (request.context(), request.to_vec());
    let first = pay(400, 1, blank.owner(), context);
    let payment = coins::payment(&[first.clone(), pay(300, 2, other.owner(), context)]);
    desk.accepts(&payment, &[&encoded]);
    desk.accepts(&coins::receipt(&request).to_vec(), &[&encoded]);
    let alone = desk.inspect(&payment, &[]).exits(0).json();
    assert_eq!(alone["verdict"], json!("incomplete"));

    let less = coins::payment(&[first.clone(), pay(299, 2, other.owner(), context)]);
    desk.refuses(&less, &[&encoded], "wrong-amount");
    let twice = coins::payment(&[first.clone(), pay(300, 2, blank.owner(), context)]);
    desk.refuses(&twice, &[&encoded], "tag-twice");
    let elsewhere = coins::payment(&[first, pay(300, 2, other.owner(), CONTEXT)]);
    desk.refuses(&elsewhere, &[&encoded], "wrong-context");
}

#[test]
fn names_the_rule_that_a_chain_breaks() {
    let desk = Desk::new(Bank::new());
    let bank = &desk.bank;
    let [first, second] = two_hops(bank);
    let (note, blank, third) = (bank.note(1, 1), bank.blank(2, 1), bank.blank(3, 1));
    let refuse = |transfers: &[Transfer], code: &str| desk.refuses(&coins::chain(transfers), &[], code);
    refuse(&[second], "broken-link");
    refuse(&[first, first], "wrong-kind");
    refuse(&[note.spend(&[(VALUE - 1, blank.owner())], CONTEXT)], "wrong-amount");
    refuse(&[first, blank.spend_output(&first, 5, &[(370, third.owner())], CONTEXT)], "broken-link");
    refuse(&[first, third.spend_output(&first, 0, &[(370, blank.owner())], CONTEXT)], "wrong-owner");
    refuse(&[first, blank.spend_output(&first, 0, &[], CONTEXT), second], "wrong-end");
    let hop = third.spend_output(&second, 0, &[(120, blank.owner())], CONTEXT);
    refuse(&[first, second, hop], "too-many-hops");
    let mut forged = first;
    forged.show.z1 += forged.show.z0;
    refuse(&[forged], "forged");
    refuse(&[forged.compact()], "forged");
    let mut pointless = first;
    pointless.points.as_mut().unwrap().eta = [8; 32];
    refuse(&[pointless], "forged");
    let mut degenerate = first;
    degenerate.preimage.note.0[..32].fill(0);
    refuse(&[degenerate], "degenerate");
    let redeemed = coins::chain(&[first, blank.spend_output(&first, 0, &[], CONTEXT)]);
    desk.accepts(&redeemed, &[]);
}

#[test]
fn names_classes_that_are_unknown_or_past_their_date() {
    let chain = coins::chain(&[Bank::until(1_000).note(1, 1).spend(&[(VALUE, OwnerTag([1; 32]))], CONTEXT)]);
    Desk::new(Bank::until(1_000)).refuses(&chain, &[], "expired");
    Desk::new(Bank::new()).refuses(&chain, &[], "unknown-class");
}

#[test]
fn evidence_names_the_culprit() {
    let desk = Desk::new(Bank::new());
    let (note, other) = (desk.bank.note(1, 1), desk.bank.note(1, 2));
    let spend = |coin: &coins::Coin, tag: u8| coin.spend(&[(VALUE, OwnerTag([tag; 32]))], CONTEXT);
    let report = desk.accepts(&coins::evidence(&note, spend(&note, 1), spend(&note, 2).compact()), &[]);
    assert_eq!(report["facts"]["culprit_U"], json!(hex::encode(coins::identity(1))));
    desk.refuses(&coins::evidence(&note, spend(&note, 1), spend(&note, 1)), &[], "convicts-nobody");
    desk.refuses(&coins::evidence(&note, spend(&note, 1), spend(&other, 2)), &[], "convicts-nobody");
    let stranger = desk.bank.blank(1, 1);
    desk.refuses(&coins::evidence(&stranger, spend(&note, 1), spend(&note, 2)), &[], "other-class");
    // Evidence needs nothing but itself.
    let path = desk.path("evidence");
    fs::write(&path, coins::evidence(&note, spend(&note, 1), spend(&note, 2))).unwrap();
    let run = specie(&["inspect", path.to_str().unwrap()]).exits(0);
    assert!(run.stdout.contains("verdict: good") && run.stdout.contains(&hex::encode(coins::identity(1))));
}

#[test]
fn a_manifest_must_be_signed_by_the_root_key_given() {
    let desk = Desk::new(Bank::new());
    let manifest = desk.bank.manifest();
    desk.accepts(&manifest, &[]);
    let path = desk.path("manifest");
    let path = path.to_str().unwrap();
    let other = specie_core::signature::SigningKey::from_seed(&[4; 32]).public().to_string();
    specie(&["inspect", "--root", &other, path]).exits(1);
    let run = specie(&["inspect", "--root", &other, "--manifest", path, path]).exits(1);
    assert!(run.stderr.contains("bad-signature"), "{run:?}");
    let unsigned = specie(&["--json", "inspect", path]).exits(0).json();
    assert_eq!(unsigned["verdict"], json!("incomplete"));
    let mut moved = manifest;
    let last = moved.len() - 60;
    moved[last] ^= 1;
    specie_with_input(&["inspect", "-"], &moved).exits(1);
}

#[test]
fn a_manifest_beside_the_message_is_used_where_none_is_given() {
    let desk = Desk::new(Bank::new());
    let chain = desk.path("chain");
    fs::write(&chain, coins::chain(&two_hops(&desk.bank))).unwrap();
    let chain = chain.to_str().unwrap();
    assert_eq!(specie(&["--json", "inspect", chain]).exits(0).json()["verdict"], json!("incomplete"));
    fs::write(desk.path("manifest.cbor"), desk.bank.manifest()).unwrap();
    let run = specie(&["inspect", chain]).exits(0);
    assert!(run.stdout.contains("whose signature nobody checked"), "{run:?}");
    assert_eq!(specie(&["--json", "inspect", chain]).exits(0).json()["verdict"], json!("good"));
    // One that the root key given did not sign is not used.
    let other = specie_core::signature::SigningKey::from_seed(&[4; 32]).public().to_string();
    let report = specie(&["--json", "inspect", "--root", &other, chain]).exits(0).json();
    assert_eq!(report["verdict"], json!("incomplete"));
}

#[test]
fn reads_every_form_from_a_pipe() {
    let desk = Desk::new(Bank::new());
    let chain = coins::chain(&two_hops(&desk.bank));
    for form in [chain.clone(), hex::encode(&chain).into_bytes()] {
        let run = specie_with_input(&["inspect", "-"], &form).exits(0);
        assert!(run.stdout.contains("no manifest is given"), "{run:?}");
    }
}

/// Every cut and every changed byte of a message is refused, and says why.
#[test]
fn names_a_reason_for_every_damage() {
    let desk = Desk::new(Bank::new());
    let note = desk.bank.note(1, 1);
    let spend = |tag: u8| note.spend(&[(VALUE, OwnerTag([tag; 32]))], CONTEXT).compact();
    let good = coins::evidence(&note, spend(1), spend(2));
    let mut damaged: Vec<Vec<u8>> = (1..good.len()).step_by(101).map(|length| good[..length].to_vec()).collect();
    damaged.push([&good[..], &[0]].concat());
    damaged.extend((0..good.len()).step_by(37).map(|index| {
        let mut bytes = good.clone();
        bytes[index] ^= 1;
        bytes
    }));
    let (first, others) = damaged.split_first().unwrap();
    let others: Vec<&[u8]> = others.iter().map(Vec::as_slice).collect();
    let json = desk.inspect(first, &others).exits(1).json();
    for (index, input) in json["inputs"].as_array().unwrap().iter().enumerate() {
        assert_eq!(input["verdict"], json!("bad"), "damage {index}: {input:#}");
        assert!(input["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{input:#}");
    }
}

#[test]
fn names_the_reason_for_every_bad_entry_of_the_vectors() {
    specie(&["inspect", &repository("vectors/core.json")]).exits(0);
    let json = specie(&["--json", "inspect", &repository("vectors/reject.json")]).exits(1).json();
    let file: Value = serde_json::from_str(&fs::read_to_string(repository("vectors/reject.json")).unwrap()).unwrap();
    for (entry, report) in file["vectors"].as_array().unwrap().iter().zip(json["inputs"].as_array().unwrap()) {
        let why = entry["why"].as_str().unwrap();
        assert_eq!(report["verdict"] == json!("good"), entry["accept"].as_bool().unwrap(), "{why}");
        let code = match why {
            "valid" => Value::Null,
            why if why.contains("not canonical") => json!("not-canonical"),
            why if why.contains("identity") => json!("degenerate"),
            _ => json!("forged"),
        };
        assert_eq!(report["code"], code, "{why}");
    }
}

#[test]
fn refuses_what_is_nothing() {
    for nothing in
        [&b""[..], b"hello, world", b"{", b"{}", b"\x83\x02\x01\x00", b"\x83\x01\x0c\x00", b"\x98\x03\x01\x02\x03"]
    {
        let run = specie_with_input(&["inspect", "-"], nothing).exits(1);
        assert!(run.stdout.contains("BAD"), "{run:?}");
    }
    specie(&["inspect", "no/such/file"]).exits(2);
    specie(&["inspect", "--root", "zz", "x"]).exits(2);
    specie(&["inspect"]).exits(2);
}
