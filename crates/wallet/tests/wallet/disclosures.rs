//! Payments above the threshold of the manifest (§7.1): the payer names itself to the supervisors, or is not accepted.

use specie_core::disclosure::{Supervision, SupervisoryKey};
use specie_core::encoding::{Decode, Encode};
use specie_core::group::{RistrettoPoint, Scalar, decode_point, encode_point};
use specie_core::hash;
use specie_core::payment::Payment;
use specie_core::request::Request;
use specie_core::transfer::{Input, Transfer};
use specie_wallet::reception::Route;

use crate::bank::{Bank, NOW, amount, at, xts};
use crate::device::{Device, Halt};
use crate::payments::holding;
use crate::raw::{Raw, payment};

const THRESHOLD: u64 = 20;

fn secret(number: u64) -> Scalar {
    hash::hs("test/supervisor", &[&number.to_be_bytes()])
}

pub(crate) fn key(number: u64) -> SupervisoryKey {
    SupervisoryKey(encode_point(&RistrettoPoint::mul_base(&secret(number))))
}

/// The manifest's entry for supervisor `number`.
pub(crate) fn above(threshold: u64, number: u64) -> Supervision {
    Supervision { currency: xts(), threshold: amount(threshold), key: key(number) }
}

fn supervised() -> Bank {
    let mut bank = Bank::new();
    bank.supervision = vec![above(THRESHOLD, 0)];
    bank
}

fn last_transfers(payment: &[u8]) -> Vec<Transfer> {
    Payment::decode(payment).unwrap().chains().map(|chain| chain.last()).collect()
}

/// Whom a transfer names to supervisor `number`.
fn named(transfer: &Transfer, number: u64) -> RistrettoPoint {
    let disclosure = transfer.disclosure.unwrap();
    decode_point(&disclosure.E2).unwrap() - secret(number) * decode_point(&disclosure.E1).unwrap()
}

#[test]
fn a_payment_above_the_threshold_names_its_payer_and_one_at_it_does_not() {
    let mut bank = supervised();
    let mut ann = holding(&mut bank, "ann", &[50, 20, 20], 8);
    let mut ben = holding(&mut bank, "ben", &[], 16);
    for (minor, discloses) in [(THRESHOLD, false), (THRESHOLD + 1, true)] {
        let (_, request) = ben.request(minor).unwrap();
        assert_eq!(Request::decode(&request).unwrap().body.disclose_to, discloses.then(|| key(0)));
        let preview = ann.wallet.preview_payment(&request, at(NOW), &mut ann.port).unwrap();
        assert_eq!(preview.disclosed, discloses);
        let payment = ann.pay(&request).unwrap();
        let transfers = last_transfers(&payment);
        assert!(transfers.iter().all(|transfer| transfer.disclosure.is_some() == discloses));
        if discloses {
            let own = ann.U();
            assert!(transfers.iter().all(|transfer| named(transfer, 0) == own));
        }
        assert_eq!(ben.receive(&payment).unwrap().amount, amount(minor));
    }
    // The bank takes it like any other.
    ben.redeem_everything(&mut bank, NOW).unwrap();
    assert_eq!(ben.total(), 0);
}

/// A payment of several notes names the payer in each of them, each time otherwise.
#[test]
fn every_note_of_a_payment_is_disclosed() {
    let mut bank = supervised();
    let mut ann = holding(&mut bank, "ann", &[10, 10, 10], 8);
    let mut ben = holding(&mut bank, "ben", &[], 16);
    let (_, request) = ben.request(30).unwrap();
    let payment = ann.pay(&request).unwrap();
    let transfers = last_transfers(&payment);
    assert_eq!(transfers.len(), 3);
    let own = ann.U();
    assert!(transfers.iter().all(|transfer| named(transfer, 0) == own));
    let E1 = |index: usize| transfers[index].disclosure.unwrap().E1;
    assert!(E1(0) != E1(1) && E1(1) != E1(2));
    ben.receive(&payment).unwrap();
}

#[test]
fn rejects_a_large_payment_that_names_nobody_or_somebody_else() {
    let mut bank = supervised();
    let mut ben = holding(&mut bank, "ben", &[], 16);
    let (_, request) = ben.request(30).unwrap();
    let request = Request::decode(&request).unwrap();
    let (mut mallory, carol) = (Raw::new("mallory"), Raw::new("carol"));
    let note = mallory.value(&mut bank, 50);
    let plain = mallory.spend(&note, Input::Issued, &Raw::outputs(&note, &request), request.context());
    let (own, others) = (mallory.U(&bank), carol.U(&bank));
    let disclosed = |named, to| mallory.disclose(&note, &plain, named, &key(to));
    let honest = disclosed(&own, 0);
    let mut cut = honest;
    cut.disclosure = Some(specie_core::disclosure::Disclosure { z4: Scalar::ONE, ..honest.disclosure.unwrap() });
    for (transfer, code) in [
        (plain, "disclosure-missing"),
        (disclosed(&others, 0), "disclosure-wrong"),
        (disclosed(&own, 1), "disclosure-wrong"),
        (cut, "disclosure-wrong"),
    ] {
        let (store, total) = (ben.store.clone(), ben.balance().total());
        let halt = ben.receive_by(&payment(&[&[transfer]]), Route::Payer, NOW).unwrap_err();
        assert_eq!(halt, Halt::Refused(code));
        ben.assert_unchanged(&store, total);
    }
    ben.receive(&payment(&[&[honest]])).unwrap();
}

/// Somebody after a payer's name asks for it under a key of its own.
#[test]
fn a_payer_discloses_itself_to_no_key_but_those_of_its_manifest() {
    let mut bank = supervised();
    let mut ann = holding(&mut bank, "ann", &[50], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let (_, request) = ben.request(30).unwrap();
    let mut request = Request::decode(&request).unwrap();
    let store = ann.store.clone();
    request.body.disclose_to = Some(key(7));
    assert_eq!(ann.pay(&request.to_vec()).unwrap_err(), Halt::Refused("unknown-supervisor"));
    assert_eq!(ann.store, store);
    // Nor does it leave the authorities out because the payee does not ask.
    request.body.disclose_to = None;
    let payment = ann.pay(&request.to_vec()).unwrap();
    assert_eq!(named(&last_transfers(&payment)[0], 0), ann.U());
}

/// While keys change, payer and payee hold different manifests; whoever knows both keys helps the other.
#[test]
fn keys_change_while_devices_are_away() {
    let mut bank = supervised();
    let mut ann = holding(&mut bank, "ann", &[50, 50, 50], 8);
    let mut ben = holding(&mut bank, "ben", &[], 16);
    bank.supervision = vec![above(THRESHOLD, 1), above(THRESHOLD, 0)];
    bank.publish(NOW);
    // Ann is away; Ben wants the new key, which she does not know.
    ben.update(&mut bank).unwrap();
    let (_, wants_new) = ben.request(30).unwrap();
    assert_eq!(Request::decode(&wants_new).unwrap().body.disclose_to, Some(key(1)));
    assert_eq!(ann.pay(&wants_new).unwrap_err(), Halt::Refused("unknown-supervisor"));
    ann.update(&mut bank).unwrap();
    let payment = ann.pay(&wants_new).unwrap();
    assert_eq!(named(&last_transfers(&payment)[0], 1), ann.U());
    ben.receive(&payment).unwrap();
    // A payee who is away wants the old one.
    let mut cid = holding(&mut bank, "cid", &[], 8);
    let (_, request) = cid.request(30).unwrap();
    let mut request = Request::decode(&request).unwrap();
    request.body.disclose_to = Some(key(0));
    let payment = ann.pay(&request.to_vec()).unwrap();
    assert_eq!(named(&last_transfers(&payment)[0], 0), ann.U());
}

/// The plan says to whom, whatever the manifest says later: the element answers one preimage only.
#[test]
fn a_planned_payment_is_disclosed_as_planned() {
    let mut bank = supervised();
    let mut ann = holding(&mut bank, "ann", &[50], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let (_, request) = ben.request(30).unwrap();
    let step = ann.wallet.plan_payment(&request, at(NOW), &[5; 32], &mut ann.port).unwrap();
    let id = ann.commit(step).unwrap();
    bank.supervision = vec![above(THRESHOLD, 1)];
    bank.publish(NOW);
    ann.update(&mut bank).unwrap();
    ann.restart();
    let payment = ann.execute(&id).unwrap();
    assert_eq!(named(&last_transfers(&payment)[0], 0), ann.U());
    ben.receive(&payment).unwrap();
}

/// Handing over, passing on and redeeming keep the disclosure where it is: with the transfer.
#[test]
fn later_holders_pass_a_disclosure_on_and_do_not_become_part_of_it() {
    let mut bank = supervised();
    let mut ann = holding(&mut bank, "ann", &[50], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let mut cid = holding(&mut bank, "cid", &[], 8);
    let (_, request) = ben.request(50).unwrap();
    ben.receive(&ann.pay(&request).unwrap()).unwrap();
    let (_, request) = cid.request(10).unwrap();
    let payment = ben.pay(&request).unwrap();
    cid.receive(&payment).unwrap();
    let message = Payment::decode(&payment).unwrap();
    let transfers: Vec<Transfer> = message.chains().next().unwrap().transfers().collect();
    assert_eq!(named(&transfers[0], 0), ann.U());
    assert_eq!(transfers[1].disclosure, None);
}

impl Device {
    pub(crate) fn U(&mut self) -> RistrettoPoint {
        let certificate = specie_element::client::identity(&mut self.port).unwrap();
        let certificate = specie_core::enrolment::Certificate::decode(certificate.as_bytes()).unwrap();
        decode_point(&certificate.body.U).unwrap()
    }
}
