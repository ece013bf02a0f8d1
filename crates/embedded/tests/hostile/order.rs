//! Messages out of their order.

use specie_core::Amount;
use specie_core::text::Currency;
use specie_embedded::owner::{Command, Event, Reply};
use specie_embedded::peer::{REPEAT_MS, kind};

use crate::houses::{House, VALUE, images};

fn pair() -> [House; 2] {
    images().each_ref().map(|image| image.open())
}

/// The only message that it sends now.
fn only(house: &mut House) -> Vec<u8> {
    let mut frames = house.peer_frames();
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert_eq!(frames[0].kind, kind::MESSAGE);
    frames.remove(0).message
}

fn refusal(house: &mut House) -> String {
    let frames = house.peer_frames();
    assert_eq!(frames.iter().map(|frame| frame.kind).collect::<Vec<_>>(), [kind::REFUSAL]);
    String::from_utf8(frames[0].message.clone()).unwrap()
}

#[test]
fn each_message_in_its_order_moves_money_once() {
    let [mut payer, mut payee] = pair();
    let request = payee.request(7);
    payer.pay_next(7);
    payer.peer_frame(kind::MESSAGE, &request);
    let payment = only(&mut payer);
    // The request again: the same payment, nothing paid twice, whether or not it is to pay still more.
    payer.pay_next(VALUE);
    payer.peer_frame(kind::MESSAGE, &request);
    assert_eq!(only(&mut payer), payment);
    assert_eq!(payer.total(), VALUE - 7);
    payee.peer_frame(kind::MESSAGE, &payment);
    let receipt = only(&mut payee);
    // The payment again: the same receipt.
    payee.peer_frame(kind::MESSAGE, &payment);
    assert_eq!(only(&mut payee), receipt);
    assert_eq!(payee.total(), VALUE + 7);
    let received = payee.events();
    assert!(matches!(received[..], [Event::Received { amount: 7, .. }]), "{received:?}");
    // The receipt, twice: done each time.
    for _ in 0..2 {
        payer.peer_frame(kind::MESSAGE, &receipt);
        assert_eq!(payer.peer_frames().iter().map(|frame| frame.kind).collect::<Vec<_>>(), [kind::DONE]);
    }
    assert_eq!((payer.total(), payee.total()), (VALUE - 7, VALUE + 7));
}

#[test]
fn a_receipt_before_its_payment_files_nothing() {
    let [mut payer, mut payee] = pair();
    let request = payee.request(7);
    // Made elsewhere: the same payer, before it lost its memory of it.
    let receipt = {
        let [mut elsewhere, _] = pair();
        elsewhere.pay_next(7);
        elsewhere.peer_frame(kind::MESSAGE, &request);
        payee.peer_frame(kind::MESSAGE, &only(&mut elsewhere));
        only(&mut payee)
    };
    let before = payer.stored();
    payer.peer_frame(kind::MESSAGE, &receipt);
    assert_eq!(payer.peer_frames(), []);
    assert!(matches!(payer.events()[..], [Event::Failed(_)]));
    assert_eq!((payer.stored(), payer.total()), (before, VALUE));
}

#[test]
fn a_payment_without_a_request_is_refused() {
    let [mut payer, mut payee] = pair();
    let request = payee.request(7);
    payer.pay_next(7);
    payer.peer_frame(kind::MESSAGE, &request);
    let payment = only(&mut payer);
    // Another device, which made no request; and the payer itself.
    let [_, mut other] = pair();
    for house in [&mut other, &mut payer] {
        let before = (house.stored(), house.total());
        house.peer_frame(kind::MESSAGE, &payment);
        assert!(!refusal(house).is_empty());
        assert_eq!((house.stored(), house.total()), before);
    }
    payee.peer_frame(kind::MESSAGE, &payment);
    assert_eq!(payee.total(), VALUE + 7);
}

#[test]
fn done_and_refusals_that_nobody_asked_for_change_nothing() {
    let [mut payer, mut payee] = pair();
    let request = payee.request(7);
    let before = (payer.stored(), payee.stored());
    for house in [&mut payer, &mut payee] {
        for bytes in [&[][..], b"not-paid", &[0xFF; 100]] {
            house.peer_frame(kind::DONE, bytes);
            house.peer_frame(kind::REFUSAL, bytes);
            house.peer_frame(77, bytes);
        }
        assert_eq!(house.peer_frames(), []);
    }
    assert_eq!((payer.stored(), payee.stored()), before);
    // The payment is made and taken all the same.
    payer.pay_next(7);
    payer.peer_frame(kind::MESSAGE, &request);
    let payment = only(&mut payer);
    payer.peer_frame(kind::DONE, &[]);
    payer.pass(REPEAT_MS);
    assert_eq!(only(&mut payer), payment, "without a receipt it is not done");
    payee.peer_frame(kind::MESSAGE, &payment);
    assert_eq!(payee.total(), VALUE + 7);
}

#[test]
fn a_request_that_may_not_be_paid_is_refused_and_an_own_one_passed_over() {
    let [mut payer, mut payee] = pair();
    let request = payee.request(7);
    let before = payer.stored();
    // Nobody told it to pay.
    payer.peer_frame(kind::MESSAGE, &request);
    assert_eq!(payer.peer_frames(), []);
    // More than it was told to pay, in another currency than it was told to, and a request that is none.
    payer.pay_next(6);
    payer.peer_frame(kind::MESSAGE, &request);
    assert_eq!(refusal(&mut payer), "not-paid");
    let dearer = Command::PayNext { currency: Currency::new("XAU").unwrap(), limit: Amount::MAX };
    assert_eq!(payer.tell(&dearer), Reply::Done);
    payer.peer_frame(kind::MESSAGE, &request);
    assert_eq!(refusal(&mut payer), "not-paid");
    payer.peer_frame(kind::MESSAGE, &request[..request.len() - 1]);
    assert_eq!(refusal(&mut payer), "malformed");
    assert_eq!((payer.stored(), payer.total()), (before, VALUE));
}
