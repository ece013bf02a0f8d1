//! Paying: as few notes as possible, change to oneself, the same bytes again, and a reason when it cannot be done.

use specie_core::class::Kind;
use specie_core::encoding::Decode;
use specie_core::encoding::Encode;
use specie_core::limits::Limits;
use specie_core::payment::Payment;
use specie_core::request::Request;
use specie_core::text::{Currency, Memo};
use specie_element::client;
use specie_wallet::history::{Event, Progress};
use specie_wallet::payment::{Form, Payee};
use specie_wallet::request::{RequestState, Terms};
use specie_wallet::settings::Settings;
use specie_wallet::withdrawal::Item;

use crate::bank::{Bank, CAP, MAX_HOPS, NOW, SPEND_UNTIL, amount, at, name, xts};
use crate::device::{Device, Halt};

/// A device with these notes and so many blanks.
pub(crate) fn holding(bank: &mut Bank, label: &str, faces: &[u64], blanks: u16) -> Device {
    let mut device = Device::new(bank, label);
    let mut items: Vec<Item> =
        faces.iter().map(|face| Item { class_id: bank.class_of(Kind::Value, *face).id(), count: 1 }).collect();
    items.push(Item { class_id: bank.class_of(Kind::Blank, CAP).id(), count: blanks.max(1) });
    device.withdraw_items(bank, &items).unwrap();
    device
}

/// Pays, receives and files the receipt.
pub(crate) fn hand_over(payer: &mut Device, payee: &mut Device, minor: u64) -> Result<Vec<u8>, Halt> {
    let (_, request) = payee.request(minor)?;
    let payment = payer.pay(&request)?;
    let received = payee.receive(&payment)?;
    assert!(!received.repeated);
    payer.settle(&received.receipt)?;
    Ok(payment)
}

fn preview_coins(device: &mut Device, request: &[u8]) -> Vec<u64> {
    let preview = device.wallet.preview_payment(request, at(NOW), &mut device.port).unwrap();
    preview.coins.iter().map(|coin| coin.minor()).collect()
}

#[test]
fn one_note_with_the_least_change() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50, 10, 20, 200], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let (_, request) = ben.request(13).unwrap();
    assert_eq!(preview_coins(&mut anna, &request), [20]);
    let payment = anna.pay(&request).unwrap();
    let balance = anna.balance();
    assert_eq!((balance.notes, balance.change_kept, balance.undelivered), (amount(260), amount(7), amount(13)));
    let received = ben.receive(&payment).unwrap();
    assert_eq!((received.amount, ben.balance().received), (amount(13), amount(13)));
    anna.settle(&received.receipt).unwrap();
    assert_eq!(anna.balance().undelivered, amount(0));
    assert_eq!(anna.total(), 267);
    anna.reload();
    ben.reload();
    assert_eq!((anna.total(), ben.total()), (267, 13));
}

#[test]
fn the_size_of_a_payment_is_bounded() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20], 2);
    let mut ben = holding(&mut bank, "ben", &[], 2);
    let (_, request) = ben.request(13).unwrap();
    let extended = anna.pay(&request).unwrap();
    let id = Request::decode(&request).unwrap().context();
    let compact = anna.wallet.payment_message(&id, Form::Compact).unwrap();
    assert!(extended.len() <= 900, "{}", extended.len());
    assert!(compact.len() <= 700, "{}", compact.len());
}

#[test]
fn several_notes_and_a_residual_owner_for_each() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50, 10, 20, 20], 6);
    let mut ben = holding(&mut bank, "ben", &[], 16);
    let (_, request) = ben.request(75).unwrap();
    assert_eq!(preview_coins(&mut anna, &request), [50, 20, 10]);
    let payment = anna.pay(&request).unwrap();
    let decoded = Payment::decode(&payment).unwrap();
    let outputs: Vec<Vec<u64>> = decoded
        .chains()
        .map(|chain| chain.last().preimage.outputs.as_slice().iter().map(|output| output.amount.minor()).collect())
        .collect();
    assert_eq!(outputs, [[50, 0], [20, 0], [5, 5]]);
    let received = ben.receive(&payment).unwrap();
    // Blanks that own nothing come back with the receipt.
    assert_eq!(anna.wallet.blanks(xts(), at(NOW)).free, 3);
    anna.settle(&received.receipt).unwrap();
    assert_eq!(anna.wallet.blanks(xts(), at(NOW)).free, 5);
    assert_eq!((anna.total(), ben.spendable()), (25, 75));
}

#[test]
fn says_why_it_cannot_be_done() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50, 10, 5, 2], 1);
    let mut ben = holding(&mut bank, "ben", &[], 40);
    let mut refusal = |anna: &mut Device, terms: &Terms| {
        let (_, request) = ben.request_on(terms).unwrap();
        let (store, total) = (anna.store.clone(), anna.balance().total());
        let halt = anna.pay(&request).unwrap_err();
        let preview = anna.wallet.preview_payment(&request, at(NOW), &mut anna.port).unwrap_err();
        anna.assert_unchanged(&store, total);
        assert_eq!(halt, crate::device::refused(&preview));
        preview.to_string()
    };
    let terms = Device::terms;
    assert_eq!(refusal(&mut anna, &terms(100)), "not enough money: 33 is missing");
    let one = Terms { notes_max: 1, ..terms(60) };
    assert_eq!(refusal(&mut anna, &one), "enough money, but in more notes than the request takes (1)");
    assert_eq!(refusal(&mut anna, &terms(60)), "no free blank may own the change");

    let limits = Limits::sign(
        specie_core::limits::LimitsBody {
            max_payment: amount(40),
            max_cumulative: amount(30),
            ..bank.limits_body(anna.wallet.device())
        },
        &bank.psp,
    );
    let step = anna.wallet.accept_limits(&limits.to_vec(), &mut anna.port).unwrap();
    anna.commit(step).unwrap();
    assert_eq!(refusal(&mut anna, &terms(41)), "over the limit per payment (40)");
    assert_eq!(refusal(&mut anna, &terms(31)), "over the limit until the next synchronisation (30 is left)");
}

#[test]
fn change_is_kept_unless_the_settings_allow_it() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    hand_over(&mut anna, &mut ben, 10).unwrap();
    assert_eq!(hand_over(&mut anna, &mut ben, 30).unwrap_err(), Halt::Refused("change-kept"));
    let settings = Settings { spend_change_offline: true, ..anna.wallet.settings() };
    let step = anna.wallet.change_settings(settings);
    anna.commit(step).unwrap();
    anna.reload();
    assert_eq!(anna.balance().change_spendable, amount(40));
    hand_over(&mut anna, &mut ben, 30).unwrap();
    assert_eq!((anna.total(), ben.spendable()), (10, 40));
}

#[test]
fn a_request_is_paid_once_and_always_with_the_same_bytes() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50, 50], 4);
    let mut ben = holding(&mut bank, "ben", &[], 4);
    let (_, request) = ben.request(20).unwrap();
    let payment = anna.pay(&request).unwrap();
    assert!(anna.wallet.preview_payment(&request, at(NOW), &mut anna.port).unwrap().repeated);
    assert_eq!(anna.pay(&request).unwrap(), payment);
    anna.restart();
    assert_eq!(anna.pay(&request).unwrap(), payment);
    let receipt = ben.receive(&payment).unwrap().receipt;
    let again = ben.receive(&payment).unwrap();
    assert!(again.repeated);
    assert_eq!(again.receipt, receipt);
    // Confirmed, it is not handed over again, and still not paid twice: now and after a restart.
    for _ in 0..2 {
        anna.settle(&receipt).unwrap();
        assert_eq!(anna.pay(&request).unwrap_err(), Halt::Refused("paid-already"));
        assert_eq!((anna.total(), ben.spendable()), (80, 20));
        anna.restart();
    }
}

#[test]
fn either_form_is_accepted_and_known_again() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20, 10], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let (_, request) = ben.request(25).unwrap();
    let extended = anna.pay(&request).unwrap();
    let id = Request::decode(&request).unwrap().context();
    let compact = anna.wallet.payment_message(&id, Form::Compact).unwrap();
    let received = ben.receive(&compact).unwrap();
    assert_eq!(ben.receive(&extended).unwrap().receipt, received.receipt);
    // What was received compact is passed on extended.
    let mut cora = holding(&mut bank, "cora", &[], 4);
    let passed_on = hand_over(&mut ben, &mut cora, 25).unwrap();
    let decoded = Payment::decode(&passed_on).unwrap();
    assert!(decoded.chains().all(|chain| chain.transfers().all(|transfer| transfer.points.is_some())));
}

#[test]
fn money_is_passed_on_until_its_hops_are_used_up() {
    let mut bank = Bank::new();
    let mut devices: Vec<Device> = vec![holding(&mut bank, "payer 0", &[100], 4)];
    for hop in 1..=MAX_HOPS {
        let mut payee = holding(&mut bank, &format!("payer {hop}"), &[], 4);
        hand_over(&mut devices[usize::from(hop) - 1], &mut payee, 100).unwrap();
        devices.push(payee);
    }
    let mut last = devices.pop().unwrap();
    let mut stranger = holding(&mut bank, "stranger", &[], 4);
    assert_eq!(last.balance().redeem_only, amount(100));
    assert_eq!(hand_over(&mut last, &mut stranger, 100).unwrap_err(), Halt::Refused("redeem-only"));
    last.redeem(&mut bank, NOW).unwrap();
    assert_eq!(bank.credited[&name("payer 3")], 100);
    assert_eq!(last.total(), 0);
}

#[test]
fn a_named_payee_is_shown_and_a_forged_one_is_not_paid() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let descriptor = bank.descriptor(ben.wallet.device(), "Ben's bakery");
    let step = ben.wallet.accept_descriptor(&descriptor, at(NOW)).unwrap();
    ben.commit(step).unwrap();
    let memo = Memo::new("two loaves");
    let (_, request) = ben.request_on(&Terms { memo, ..Device::terms(13) }).unwrap();

    let mut stolen = Request::decode(&request).unwrap();
    stolen.body.amount = amount(20);
    let halt = anna.pay(&stolen.to_vec()).unwrap_err();
    assert_eq!(halt, Halt::Refused("forged-payee"));
    let mut descriptor = stolen.body.descriptor.unwrap();
    descriptor.body.payee = name("Somebody else");
    stolen.body.descriptor = Some(descriptor);
    assert_eq!(anna.pay(&stolen.to_vec()).unwrap_err(), Halt::Refused("forged-payee"));

    let preview = anna.wallet.preview_payment(&request, at(NOW), &mut anna.port).unwrap();
    let Payee::Verified { name: payee, .. } = preview.payee else { panic!("{:?}", preview.payee) };
    assert_eq!(payee.as_str(), "Ben's bakery");
    let payment = anna.pay(&request).unwrap();
    let entry = anna.wallet.history().next().unwrap();
    assert_eq!((entry.event, entry.progress, entry.memo), (Event::Paid, Progress::Undelivered, memo));
    assert_eq!(entry.counterparty, Some(payee));
    let receipt = ben.receive(&payment).unwrap().receipt;
    anna.settle(&receipt).unwrap();
    let entry = anna.wallet.history().next().unwrap();
    assert_eq!(entry.progress, Progress::Complete);
    assert!(entry.receipt.is_some());
}

#[test]
fn expired_and_own_requests_are_not_paid() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let (_, own) = anna.request(5).unwrap();
    assert_eq!(anna.pay(&own).unwrap_err(), Halt::Refused("own-request"));
    let (id, request) = ben.request(5).unwrap();
    let late = at(NOW + 601);
    let error = anna.wallet.preview_payment(&request, late, &mut anna.port).unwrap_err();
    assert_eq!(crate::device::refused(&error), Halt::Refused("request-expired"));
    assert_eq!(ben.wallet.request_state(&id, late), Some(RequestState::Lapsed));
    let mut unknown = Request::decode(&request).unwrap();
    unknown.body.currency = Currency::new("EUR").unwrap();
    assert_eq!(anna.pay(&unknown.to_vec()).unwrap_err(), Halt::Refused("not-enough-money"));
}

#[test]
fn forged_receipts_change_nothing() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let (_, request) = ben.request(5).unwrap();
    let payment = anna.pay(&request).unwrap();
    let receipt = ben.receive(&payment).unwrap().receipt;
    let mut forged = receipt.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(anna.settle(&forged).unwrap_err(), Halt::Refused("forged-receipt"));
    let mut other = receipt.clone();
    other[8] ^= 1;
    assert_eq!(anna.settle(&other).unwrap_err(), Halt::Refused("unknown-payment"));
    assert_eq!(anna.wallet.undelivered_payments().count(), 1);
    anna.settle(&receipt).unwrap();
    assert_eq!(anna.wallet.undelivered_payments().count(), 0);
}

#[test]
fn the_element_forgets_what_was_delivered() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20, 10], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let used = client::status(&mut anna.port).unwrap().records_used;
    hand_over(&mut anna, &mut ben, 20).unwrap();
    anna.resume(NOW).unwrap();
    assert_eq!(client::status(&mut anna.port).unwrap().records_used, used - 1);
    assert_eq!(anna.held_by_element(), 10);
    ben.resume(NOW).unwrap();
    assert_eq!(ben.held_by_element(), 20);
}

#[test]
fn notes_past_their_date_are_not_paid_with() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let terms = Terms { expiry: at(SPEND_UNTIL), ..Device::terms(5) };
    let (_, request) = ben.request_on(&terms).unwrap();
    assert!(anna.wallet.preview_payment(&request, at(SPEND_UNTIL), &mut anna.port).is_ok());
    let balance = anna.wallet.balance(xts(), at(SPEND_UNTIL + 1));
    assert_eq!((balance.spendable(), balance.redeem_only, balance.expiring), (amount(0), amount(20), amount(20)));
}

#[test]
fn the_pin_is_asked_for_before_anything_is_spent() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    client::change_pin(&mut anna.port, b"", b"1234").unwrap();
    anna.restart();
    let (_, request) = ben.request(5).unwrap();
    assert_eq!(anna.pay(&request).unwrap_err(), Halt::Refused("pin-needed"));
    // Nothing is planned that a later start would pay by surprise.
    assert_eq!((anna.spendable(), anna.wallet.pending()), (20, vec![]));
    client::verify(&mut anna.port, b"1234").unwrap();
    let payment = anna.pay(&request).unwrap();
    ben.receive(&payment).unwrap();
}

#[test]
fn a_plan_is_cancelled_until_something_is_spent() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20, 10], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let (_, request) = ben.request(25).unwrap();
    for reload in [false, true] {
        let step = anna.wallet.plan_payment(&request, at(NOW), &[1; 32], &mut anna.port).unwrap();
        let id = anna.commit(step).unwrap();
        assert_eq!((anna.spendable(), anna.balance().in_planned_payments), (0, amount(30)));
        if reload {
            anna.reload();
        }
        let step = anna.wallet.cancel_payment(&id, &mut anna.port).unwrap();
        anna.commit(step).unwrap();
        assert_eq!(
            (anna.spendable(), anna.wallet.history().filter(|entry| entry.event == Event::Paid).count()),
            (30, 0)
        );
    }
    let step = anna.wallet.plan_payment(&request, at(NOW), &[1; 32], &mut anna.port).unwrap();
    let id = anna.commit(step).unwrap();
    // The answer to the first show is lost.
    anna.port.fuel = Some(1);
    assert!(anna.wallet.execute_payment(&id, at(NOW), &mut anna.port).is_err());
    anna.restart();
    let error = anna.wallet.cancel_payment(&id, &mut anna.port).err().unwrap();
    assert_eq!(crate::device::refused(&error), Halt::Refused("too-late-to-cancel"));
    anna.execute(&id).unwrap();
    assert_eq!(anna.total(), 5);
}

#[test]
fn the_holding_limit_bounds_a_request() {
    let mut bank = Bank::new();
    let mut ben = holding(&mut bank, "ben", &[], 16);
    let body = specie_core::limits::LimitsBody { max_holding: amount(100), ..bank.limits_body(ben.wallet.device()) };
    let limits = Limits::sign(body, &bank.psp).to_vec();
    let step = ben.wallet.accept_limits(&limits, &mut ben.port).unwrap();
    ben.commit(step).unwrap();
    // Each tag may be paid in full: three of them fit the limit, and the other blanks are free again.
    let (id, request) = ben.request(30).unwrap();
    assert_eq!(Request::decode(&request).unwrap().body.owner_tags.as_slice().len(), 3);
    assert_eq!(ben.wallet.blanks(xts(), at(NOW)).free, 13);
    assert_eq!(ben.request(30).unwrap_err(), Halt::Refused("over-holding-limit"));
    assert_eq!(ben.wallet.blanks(xts(), at(NOW)).free, 13);
    let step = ben.wallet.cancel_request(&id).unwrap();
    ben.commit(step).unwrap();
    ben.resume(NOW).unwrap();
    assert_eq!((ben.held_by_element(), ben.wallet.blanks(xts(), at(NOW)).free), (0, 16));
}

#[test]
fn what_is_complete_is_forgotten_when_it_can_matter_no_more() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20, 20], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let payment = hand_over(&mut anna, &mut ben, 5).unwrap();
    let (_, request) = ben.request(6).unwrap();
    anna.pay(&request).unwrap();
    let prune = |device: &mut Device, now: u64| {
        let step = device.wallet.prune(at(u64::from(u32::MAX)), at(now));
        device.commit(step).unwrap();
        device.reload();
        device.store.len()
    };
    let before = (anna.store.len(), ben.store.len());
    // The line of history that says what was withdrawn is all that may go.
    assert_eq!((prune(&mut anna, NOW), prune(&mut ben, NOW)), before);
    assert!(ben.receive(&payment).unwrap().repeated);
    let after = (prune(&mut anna, NOW + 601), prune(&mut ben, NOW + 601));
    // One record says until when payments were forgotten.
    assert_eq!(after, (before.0 - 3 + 1, before.1 - 2));
    assert_eq!(anna.wallet.undelivered_payments().count(), 1);
    assert_eq!((anna.total(), ben.total()), (29, 5));
    let halt = ben.receive_by(&payment, specie_wallet::reception::Route::Bank, NOW + 601).unwrap_err();
    assert_eq!(halt, Halt::Refused("unknown-request"));
}

/// A clock that is behind, as after a power cut without one, must not make a request payable whose payment was forgotten.
#[test]
fn a_request_whose_payment_was_forgotten_is_not_paid_again() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20, 20], 4);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let (_, request) = ben.request(5).unwrap();
    let payment = anna.pay(&request).unwrap();
    let receipt = ben.receive(&payment).unwrap().receipt;
    anna.settle(&receipt).unwrap();
    let (_, later) = ben.request_on(&Terms { expiry: at(NOW + 3_600), ..Device::terms(6) }).unwrap();
    let step = anna.wallet.prune_exchanges(at(NOW + 601));
    anna.commit(step).unwrap();
    for _ in 0..2 {
        assert_eq!(anna.pay(&request).unwrap_err(), Halt::Refused("request-expired"));
        assert_eq!(anna.total(), 35);
        anna.reload();
    }
    anna.pay(&later).unwrap();
    assert_eq!(anna.total(), 29);
}

#[test]
fn a_blank_in_a_new_request_is_not_released_for_an_old_one() {
    let mut bank = Bank::new();
    let mut ben = holding(&mut bank, "ben", &[], 1);
    let (id, _) = ben.request(30).unwrap();
    let step = ben.wallet.cancel_request(&id).unwrap();
    ben.commit(step).unwrap();
    assert_eq!(ben.wallet.housekeeping(), 1);
    ben.request(40).unwrap();
    ben.resume(NOW).unwrap();
    assert_eq!(ben.held_by_element(), 40);
}
