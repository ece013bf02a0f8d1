//! Settings: what devices show before they get new limits, shown wrongly in every way.

use specie_aml::case::{Decision, Step};
use specie_audit::Actor;
use specie_core::encoding::Decode;
use specie_core::group::{Generators, RistrettoPoint, Scalar, encode_point};
use specie_core::limits::Limits;
use specie_core::text::Currency;
use specie_core::{hash, label};
use specie_psp::device::DeviceRefusal;
use specie_psp::document::DocumentError;
use specie_psp::setting::{Direction, Setting, UploadedPayment};
use specie_psp::totals::{ShowError, Shown};
use specie_totals::{Bounds, Opening, RangeProof, Statement, TotalsError};

use crate::faults::{Cut, Fuse};
use crate::world::{DAY, TestDevice, TestPsp, World, amount, at, name};

/// What an element says, and how it opens.
pub struct Said {
    pub statement: Statement,
    held: Opening,
    spent: Opening,
}

pub fn say(device: &TestDevice, nonce: &[u8; 32], limits_sequence: u64, held: u64, spent: u64) -> Said {
    let open = |which: u8, total: u64| {
        let r = hash::hs("specie/v1/test", &[nonce, &[which], &total.to_be_bytes()]);
        let C = Scalar::from(total) * Generators::new().H + RistrettoPoint::mul_base(&r);
        (Opening { total, blinding: r.to_bytes() }, encode_point(&C))
    };
    let ((held, held_point), (spent, spent_point)) = (open(0, held), open(1, spent));
    let parts = [&nonce[..], &limits_sequence.to_be_bytes(), &held_point, &spent_point];
    let signature = device.key.sign(label::TOTALS, &parts);
    let statement = Statement { nonce: *nonce, limits_sequence, held: held_point, spent: spent_point, signature };
    Said { statement, held, spent }
}

impl Said {
    pub fn proof(&self, device: &TestDevice, max_holding: u64, max_cumulative: u64) -> Shown {
        let bounds = Bounds { max_holding: amount(max_holding), max_cumulative: amount(max_cumulative) };
        let openings = [&self.held, &self.spent];
        Shown::Proof(Box::new(
            RangeProof::prove(&self.statement, &device.key.public(), &bounds, openings, &[5; 32]).unwrap(),
        ))
    }

    pub fn opened(&self) -> Shown {
        Shown::Opened { held: self.held.clone(), spent: self.spent.clone() }
    }
}

/// A PSP with alice in the tier that is named like this setting.
fn world_in(setting: Setting) -> World {
    let world = World::new();
    world.psp().set_tier(&name("alice"), &name(setting.as_str()), at(0)).unwrap();
    world
}

fn nonce(world: &World, psp: &TestPsp, key: &str, seconds: u64) -> [u8; 32] {
    psp.totals_nonce(&world.device.asks(key, 1), &hash::h32("specie/v1/test", &[key.as_bytes()]), at(seconds))
        .unwrap()
        .nonce
}

/// Nonce, proof and limits, each under a key with this number in it.
fn renew(world: &World, psp: &TestPsp, number: u64, sequence: u64, seconds: u64) -> Option<u64> {
    let key = |what: &str| format!("{what}-{number:013}");
    let device = &world.device;
    let seed = hash::h32("specie/v1/test", &[&number.to_be_bytes()]);
    let nonce = psp.totals_nonce(&device.asks(&key("n"), 1), &seed, at(seconds)).ok()?.nonce;
    let said = say(device, &nonce, sequence, 8_000, 15_000);
    psp.accept_totals(&device.asks(&key("t"), 1), &said.statement, &said.proof(device, 8_000, 15_000), at(seconds))
        .ok()?;
    let document = psp.limits(&device.asks(&key("l"), 1), at(seconds)).ok()?;
    Some(Limits::decode(&document).unwrap().body.sequence)
}

fn needs_totals(result: Result<Vec<u8>, DocumentError>) {
    assert!(matches!(result, Err(DocumentError::TotalsNeeded { .. })), "{result:?}");
}

#[test]
fn limits_cost_a_proof_each() {
    let world = world_in(Setting::Proofs);
    let psp = world.psp();
    let asks = |key| world.device.asks(key, 1);
    needs_totals(psp.limits(&asks("limits-0000000001"), at(1)));
    assert_eq!(renew(&world, &psp, 1, 0, 2), Some(1));
    needs_totals(psp.limits(&asks("limits-0000000002"), at(3)));
    assert_eq!(renew(&world, &psp, 2, 1, 4), Some(2));
    // The same requests again change nothing: same answers, no further document.
    assert_eq!(renew(&world, &psp, 2, 1, 5), None, "its nonce is used");
    assert_eq!(
        psp.limits(&asks("l-0000000000002"), at(6))
            .map(|document| Limits::decode(&document).unwrap().body.sequence)
            .unwrap(),
        2
    );
    needs_totals(psp.limits(&asks("limits-0000000003"), at(7)));
    // All that is kept: that they held.
    let kept: Vec<_> =
        psp.verdicts(&world.public()).unwrap().iter().map(|kept| (kept.limits_sequence, kept.at)).collect();
    assert_eq!(kept, [(0, at(2)), (1, at(4))]);
    // A verdict is for now: who proves, spends for a while and then asks, has to prove again.
    let nonce = nonce(&world, &psp, "nonce-00000000001", 10);
    let said = say(&world.device, &nonce, 2, 0, 0);
    let proof = said.proof(&world.device, 8_000, 15_000);
    psp.accept_totals(&asks("totals-0000000001"), &said.statement, &proof, at(10)).unwrap();
    needs_totals(psp.limits(&asks("limits-0000000004"), at(10 + 601)));
    psp.limits(&asks("limits-0000000005"), at(10 + 600)).unwrap();
}

/// A host that keeps documents back to load them offline, one after the other: of one sequence its element takes one.
#[test]
fn documents_that_are_kept_back_are_not_several() {
    let world = world_in(Setting::Proofs);
    let psp = world.psp();
    for number in 1..=3 {
        assert_eq!(renew(&world, &psp, number, 0, number), Some(1), "{number}");
    }
    assert_eq!(renew(&world, &psp, 4, 1, 10), Some(2), "its element holds the first");
    assert_eq!(renew(&world, &psp, 5, 1, 11), Some(2));
    // Other limits have the same number: to and fro gives no second one.
    let second = TestDevice::new(51);
    world.enrol(&psp, &second, "enrol-2222222222").unwrap();
    for (weight, number) in [(1, 20), (0, 21), (1, 22), (0, 23)] {
        psp.set_weights(&name("alice"), &[(second.key.public(), weight)], at(12)).unwrap();
        assert_eq!(renew(&world, &psp, number, 1, number), Some(2), "{number}");
    }
    // What was signed again counts until the later date, so nobody else gets it meanwhile; also when the PSP's clock goes back.
    assert_eq!(renew(&world, &psp, 24, 1, 9), Some(2), "signed again with an earlier end");
    psp.set_weights(&name("alice"), &[(second.key.public(), 1)], at(24)).unwrap();
    psp.set_tier(&name("alice"), &name("basic"), at(24)).unwrap();
    let shared = psp.limits(&second.asks("limits-0000000001", 1), at(23 + 14 * DAY));
    assert!(matches!(shared, Err(DocumentError::Shared { .. })), "{shared:?}");
    psp.limits(&second.asks("limits-0000000001", 1), at(24 + 14 * DAY)).unwrap();
}

/// The same where nothing is shown: the element says which document it holds, and that is all that is asked.
#[test]
fn offline_a_hundred_requests_give_one_document_until_the_element_holds_it() {
    for tier in ["prepaid", "basic"] {
        let world = World::new();
        let psp = world.psp();
        let device = &world.device;
        psp.set_tier(&name("alice"), &name(tier), at(0)).unwrap();
        let sequence = |document: &[u8]| Limits::decode(document).unwrap().body.sequence;
        let collect = |from: u64, said: Option<u64>| -> Vec<u64> {
            let one = |number: u64| {
                let key = format!("limits-{number:010}");
                let request = device.asks(&key, 1);
                match said {
                    None => psp.limits(&request, at(number)).unwrap(),
                    Some(held) => {
                        let nonce = nonce(&world, &psp, &format!("nonce-{number:011}"), number);
                        let statement = say(device, &nonce, held, 8_000, 15_000).statement;
                        psp.next_limits(&request, &statement, at(number)).unwrap()
                    }
                }
            };
            let mut numbers: Vec<u64> = (from..from + 100).map(|number| sequence(&one(number))).collect();
            numbers.dedup();
            numbers
        };
        assert_eq!(collect(1_000, None), [1], "{tier}");
        assert_eq!(collect(2_000, Some(0)), [1], "{tier}: lost on the way");
        assert_eq!(collect(3_000, Some(1)), [2], "{tier}");
        assert_eq!(collect(4_000, None), [2], "{tier}: it does not say that it holds the second");
        assert_eq!(collect(5_000, Some(1)), [2], "{tier}");
        assert_eq!(collect(6_000, Some(2)), [3], "{tier}");
        // Other limits too come one after the other.
        let second = TestDevice::new(51);
        if tier == "basic" {
            world.enrol(&psp, &second, "enrol-2222222222").unwrap();
            assert_eq!(collect(7_000, Some(2)), [3]);
            assert_eq!(collect(8_000, None), [3]);
            assert_eq!(collect(9_000, Some(3)), [4]);
        }
        assert!(psp.verdicts(&world.public()).unwrap().is_empty(), "that it held something is not kept");
    }
}

#[test]
fn what_another_element_said_or_at_another_time_gives_no_document() {
    let world = World::new();
    let psp = world.psp();
    let device = &world.device;
    psp.limits(&device.asks("limits-0000000001", 1), at(1)).unwrap();
    let given = nonce(&world, &psp, "nonce-00000000001", 10);
    let good = say(device, &given, 1, 8_000, 15_000).statement;
    let ask = |key: &str, said: &Statement, seconds| psp.next_limits(&device.asks(key, 1), said, at(seconds));
    let refused = |what: &str, result: Result<Vec<u8>, DocumentError>, is_nonce: bool| match result {
        Err(DocumentError::Nonce) if is_nonce => {}
        Err(DocumentError::Said(TotalsError::Signature)) if !is_nonce => {}
        other => panic!("{what}: {other:?}"),
    };
    refused("another nonce", ask("k-00000000000001", &say(device, &[9; 32], 1, 0, 0).statement, 10), true);
    refused("run out", ask("k-00000000000002", &good, 10 + 601), true);
    let borrowed = say(&TestDevice::new(77), &given, 1, 8_000, 15_000).statement;
    refused("another device's", ask("k-00000000000003", &borrowed, 10), false);
    let forged = Statement { limits_sequence: 2, ..good };
    refused("another number", ask("k-00000000000004", &forged, 10), false);
    // The nonce is still good for the truth, once; the same request has the same answer.
    let document = ask("k-00000000000005", &good, 11).unwrap();
    assert_eq!(Limits::decode(&document).unwrap().body.sequence, 2);
    assert_eq!(ask("k-00000000000005", &good, 12).unwrap(), document);
    refused("replayed", ask("k-00000000000006", &good, 12), true);
    // Where totals are asked for, saying is not enough.
    psp.set_tier(&name("alice"), &name("proofs"), at(13)).unwrap();
    let said = say(device, &nonce(&world, &psp, "nonce-00000000002", 14), 2, 8_000, 15_000).statement;
    needs_totals(ask("k-00000000000007", &said, 14));
}

#[test]
fn settings_that_ask_for_nothing_take_nothing() {
    let world = World::new();
    let psp = world.psp();
    let (device, public) = (&world.device, world.public());
    psp.limits(&device.asks("limits-0000000001", 1), at(1)).unwrap();
    let differs =
        |result: Result<(), ShowError>| assert!(matches!(result, Err(ShowError::Setting { .. })), "{result:?}");
    let given = nonce(&world, &psp, "nonce-00000000001", 2);
    let said = say(device, &given, 1, 10, 10);
    let proof = said.proof(device, 8_000, 15_000);
    differs(psp.accept_totals(&device.asks("totals-0000000001", 1), &said.statement, &proof, at(2)));
    differs(psp.accept_totals(&device.asks("totals-0000000001", 1), &said.statement, &said.opened(), at(2)));
    differs(psp.upload(&device.asks("upload-0000000001", 1), 1, &[paid(1, 10)], at(2)));
    // Which document the element holds is all that is taken, and nothing is kept of it.
    psp.next_limits(&device.asks("limits-0000000002", 1), &said.statement, at(2)).unwrap();
    assert!(psp.verdicts(&public).unwrap().is_empty());
    // Nor is anything opened or uploaded where a proof will do, or proven where it is to be opened.
    psp.set_tier(&name("alice"), &name("proofs"), at(3)).unwrap();
    let nonce = nonce(&world, &psp, "nonce-00000000002", 3);
    let said = say(device, &nonce, 1, 10, 10);
    differs(psp.accept_totals(&device.asks("totals-0000000002", 1), &said.statement, &said.opened(), at(3)));
    differs(psp.upload(&device.asks("upload-0000000002", 1), 1, &[paid(1, 10)], at(3)));
    psp.set_tier(&name("alice"), &name("uploads"), at(4)).unwrap();
    let proof = said.proof(device, 8_000, 15_000);
    differs(psp.accept_totals(&device.asks("totals-0000000003", 1), &said.statement, &proof, at(4)));
    assert!(psp.uploaded(&public).unwrap().is_empty() && psp.verdicts(&public).unwrap().is_empty());
}

#[test]
fn replayed_forged_and_borrowed_proofs_are_refused_and_change_nothing() {
    let world = world_in(Setting::Proofs);
    let psp = world.psp();
    let device = &world.device;
    assert_eq!(renew(&world, &psp, 1, 0, 1), Some(1));
    let nonce = nonce(&world, &psp, "nonce-00000000001", 10);
    let good = say(device, &nonce, 1, 8_000, 15_000);
    let show = |key: &str, statement: &Statement, shown: &Shown, seconds: u64| {
        psp.accept_totals(&device.asks(key, 1), statement, shown, at(seconds))
    };
    let proof = || good.proof(device, 8_000, 15_000);
    let refused = |what: &str, result: Result<(), ShowError>, why: fn(&ShowError) -> bool| {
        assert!(matches!(&result, Err(error) if why(error)), "{what}: {result:?}");
        needs_totals(psp.limits(&device.asks("limits-0000000009", 1), at(10)));
    };
    let is_nonce = |error: &ShowError| matches!(error, ShowError::Nonce);
    let is_proof = |error: &ShowError| matches!(error, ShowError::Totals(TotalsError::Proof));
    let is_signature = |error: &ShowError| matches!(error, ShowError::Totals(TotalsError::Signature));
    let other = say(device, &[9; 32], 1, 8_000, 15_000);
    refused(
        "another nonce",
        show("k-00000000000001", &other.statement, &other.proof(device, 8_000, 15_000), 10),
        is_nonce,
    );
    refused("run out", show("k-00000000000002", &good.statement, &proof(), 10 + 601), is_nonce);
    let unknown = say(device, &nonce, 7, 8_000, 15_000);
    let unknown_proof = unknown.proof(device, 8_000, 15_000);
    refused(
        "a document that was never issued",
        show("k-00000000000003", &unknown.statement, &unknown_proof, 10),
        |error| matches!(error, ShowError::Limits(7)),
    );
    for (held, spent) in [(8_001, 15_000), (8_000, 15_001)] {
        let over = say(device, &nonce, 1, held, spent);
        let wide = over.proof(device, 100_000, 100_000);
        refused("one unit over", show("k-00000000000004", &over.statement, &wide, 10), is_proof);
    }
    let borrowed = say(&TestDevice::new(77), &nonce, 1, 0, 0);
    let borrowed_proof = borrowed.proof(&TestDevice::new(77), 8_000, 15_000);
    refused("another device's", show("k-00000000000005", &borrowed.statement, &borrowed_proof, 10), is_signature);
    let Statement { held, spent, .. } = good.statement;
    let swapped = Statement { held: spent, spent: held, ..good.statement };
    refused("swapped", show("k-00000000000006", &swapped, &proof(), 10), is_signature);
    let moved = Statement { limits_sequence: 0, ..good.statement };
    refused("for other limits", show("k-00000000000007", &moved, &proof(), 10), is_signature);
    assert_eq!(psp.verdicts(&world.public()).unwrap().len(), 1);
    // The nonce is still good for the truth, once.
    show("k-00000000000008", &good.statement, &proof(), 11).unwrap();
    show("k-00000000000008", &good.statement, &proof(), 12).unwrap();
    psp.limits(&device.asks("limits-0000000009", 1), at(12)).unwrap();
    assert!(matches!(show("k-00000000000010", &good.statement, &proof(), 13), Err(ShowError::Nonce)));
    needs_totals(psp.limits(&device.asks("limits-0000000010", 1), at(13)));
}

fn paid(request: u8, minor: u64) -> UploadedPayment {
    UploadedPayment {
        direction: Direction::Paid,
        request: [request; 32],
        at: at(5),
        amount: amount(minor),
        currency: Currency::new("XTS").unwrap(),
        counterparty: Some(name("Bob's Bakery")),
    }
}

#[test]
fn uploads_have_to_explain_what_was_spent() {
    let world = world_in(Setting::Uploads);
    let psp = world.psp();
    let device = &world.device;
    let show = |key: &str, nonce_key: &str, sequence, spent, seconds| {
        let said = say(device, &nonce(&world, &psp, nonce_key, seconds), sequence, 100, spent);
        psp.accept_totals(&device.asks(key, 1), &said.statement, &said.opened(), at(seconds))
    };
    show("t-00000000000001", "n-00000000000001", 0, 0, 1).unwrap();
    psp.limits(&device.asks("limits-0000000001", 1), at(1)).unwrap();
    // Nothing uploaded, too little, and the same payment over and over.
    let missing = |result: Result<(), ShowError>, by: u64| {
        assert!(matches!(result, Err(ShowError::Incomplete { missing, .. }) if missing == amount(by)), "{result:?}");
    };
    missing(show("t-00000000000002", "n-00000000000002", 1, 700, 2), 700);
    psp.upload(&device.asks("u-00000000000001", 1), 1, &[paid(1, 300), paid(1, 400)], at(3)).unwrap();
    psp.upload(&device.asks("u-00000000000001", 1), 1, &[paid(1, 300), paid(1, 400)], at(3)).unwrap();
    psp.upload(&device.asks("u-00000000000002", 1), 1, &[paid(1, 400)], at(3)).unwrap();
    let received = UploadedPayment { direction: Direction::Received, ..paid(2, 400) };
    psp.upload(&device.asks("u-00000000000003", 1), 1, &[received], at(3)).unwrap();
    missing(show("t-00000000000003", "n-00000000000003", 1, 700, 4), 400);
    needs_totals(psp.limits(&device.asks("limits-0000000002", 1), at(4)));
    psp.upload(&device.asks("u-00000000000004", 1), 1, &[paid(3, 400)], at(5)).unwrap();
    show("t-00000000000004", "n-00000000000004", 1, 700, 6).unwrap();
    psp.limits(&device.asks("limits-0000000002", 1), at(6)).unwrap();
    // What explained the old limits explains nothing of the new ones, told again or not.
    psp.upload(&device.asks("u-00000000000005", 1), 2, &[paid(3, 400)], at(7)).unwrap();
    missing(show("t-00000000000005", "n-00000000000005", 2, 1, 8), 1);
    // Sums beyond all bounds are still sums.
    let most = specie_core::Amount::MAX.minor();
    psp.upload(&device.asks("u-00000000000006", 1), 2, &[paid(4, most), paid(5, most)], at(9)).unwrap();
    show("t-00000000000006", "n-00000000000006", 2, 1, 10).unwrap();
    // Opened to less than was committed to, or over the limit.
    let nonce = nonce(&world, &psp, "n-00000000000007", 11);
    let mut lie = say(device, &nonce, 2, 100, 700);
    lie.spent.total = 1;
    let result = psp.accept_totals(&device.asks("t-00000000000007", 1), &lie.statement, &lie.opened(), at(11));
    assert!(matches!(result, Err(ShowError::Totals(TotalsError::Opening(_)))), "{result:?}");
    let over = say(device, &nonce, 2, 8_001, 1);
    let result = psp.accept_totals(&device.asks("t-00000000000008", 1), &over.statement, &over.opened(), at(11));
    assert!(matches!(result, Err(ShowError::Totals(TotalsError::OverLimit(_)))), "{result:?}");
    assert_eq!(psp.uploaded(&world.public()).unwrap().len(), 5);
    let many: Vec<_> = (0..=200).map(|number| paid(number as u8, 1)).collect();
    let result = psp.upload(&device.asks("u-00000000000007", 1), 2, &many, at(12));
    assert!(matches!(result, Err(ShowError::TooMany)), "{result:?}");
}

#[test]
fn whoever_withdraws_consent_has_nothing_taken_and_gets_no_limits() {
    let world = world_in(Setting::Uploads);
    let psp = world.psp();
    let device = &world.device;
    let show = |key: &str, sequence, seconds| {
        let said = say(device, &nonce(&world, &psp, &format!("n-{key}"), seconds), sequence, 100, 0);
        psp.accept_totals(&device.asks(key, 1), &said.statement, &said.opened(), at(seconds))
    };
    show("t-00000000000001", 0, 1).unwrap();
    psp.limits(&device.asks("limits-0000000001", 1), at(1)).unwrap();
    psp.upload(&device.asks("u-00000000000001", 1), 1, &[paid(1, 300)], at(2)).unwrap();
    let agree = |key: &str, agrees| psp.agree_to_uploads(&device.asks(key, 1), agrees, at(3));
    let not_agreed =
        |result: Result<(), ShowError>| assert!(matches!(result, Err(ShowError::NotAgreed(_))), "{result:?}");
    for key in ["consent-000000001", "consent-000000001", "consent-000000002"] {
        agree(key, false).unwrap();
        not_agreed(psp.upload(&device.asks("u-00000000000002", 1), 1, &[paid(2, 300)], at(4)));
    }
    not_agreed(show("t-00000000000002", 1, 5));
    needs_totals(psp.limits(&device.asks("limits-0000000002", 1), at(5)));
    // It can be moved to a setting that shows less, and what was said once is not heard again later.
    psp.set_tier(&name("alice"), &name("basic"), at(6)).unwrap();
    psp.limits(&device.asks("limits-0000000003", 1), at(6)).unwrap();
    psp.set_tier(&name("alice"), &name("uploads"), at(7)).unwrap();
    agree("consent-000000003", true).unwrap();
    agree("consent-000000001", false).unwrap();
    psp.upload(&device.asks("u-00000000000002", 1), 1, &[paid(2, 300)], at(8)).unwrap();
    show("t-00000000000003", 1, 9).unwrap();
    let stranger = psp.agree_to_uploads(&TestDevice::new(77).asks("consent-000000001", 1), false, at(9));
    assert!(matches!(stranger, Err(ShowError::Device(DeviceRefusal::Unknown))), "{stranger:?}");
}

/// The tier says 30 days.
#[test]
fn uploaded_payments_are_deleted_when_their_time_is_over() {
    let world = world_in(Setting::Uploads);
    let psp = world.psp();
    let device = &world.device;
    psp.upload(&device.asks("u-00000000000001", 1), 0, &[paid(1, 300), paid(2, 300)], at(0)).unwrap();
    psp.upload(&device.asks("u-00000000000002", 1), 0, &[paid(3, 300)], at(DAY)).unwrap();
    psp.set_tier(&name("alice"), &name("proofs"), at(2 * DAY)).unwrap();
    let swept = |seconds| {
        psp.reconcile(at(seconds)).unwrap();
        let kept = psp.uploaded(&world.public()).unwrap().len();
        assert!(world.rows("psp_uploaded").is_none_or(|rows| rows == kept));
        kept
    };
    assert_eq!(swept(30 * DAY), 3);
    assert_eq!(swept(30 * DAY + 1), 1);
    // Of a person about whom a case is open they are kept, and deleted when it is closed and nothing was reported.
    let anna = world.psp().acting_for(Actor::operator("anna").unwrap());
    let case = anna.open_case(&name("alice"), &[], "an order", at(31 * DAY)).unwrap().number();
    assert_eq!(swept(40 * DAY), 1);
    let ben = world.psp().acting_for(Actor::operator("ben").unwrap());
    for (by, step) in [
        (&anna, Step::Assign(name("anna"))),
        (&anna, Step::Propose(Decision::Close, "nothing in it".into())),
        (&ben, Step::Agree("nothing in it".into())),
    ] {
        by.take_step(case, &step, at(41 * DAY)).unwrap();
    }
    assert_eq!(swept(42 * DAY), 0);
}

/// A crash at every step: the device does the same again, or all of it under other keys, and gets one document for one
/// proof.
#[test]
fn a_crash_at_any_step_costs_no_document_and_gives_none_away() {
    for cut in [Cut::Before, Cut::After] {
        for step in 0.. {
            let world = world_in(Setting::Proofs);
            let fuse = Fuse::new(step, cut);
            let through = renew(&world, &world.psp_with(&fuse), 1, 0, 1);
            if !fuse.is_broken() {
                assert_eq!(through, Some(1));
                assert!(step >= 3, "{step}");
                break;
            }
            let psp = world.psp();
            let again = renew(&world, &psp, 1, 0, 2);
            let sequence = again.or_else(|| renew(&world, &psp, 2, 0, 3)).unwrap();
            assert!(sequence <= 2, "{cut:?} {step}: {sequence}");
            let verdicts = psp.verdicts(&world.public()).unwrap().len() as u64;
            assert!(verdicts >= sequence, "{cut:?} {step}: {sequence} documents for {verdicts} proofs");
        }
    }
}
