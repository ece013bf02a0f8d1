//! An element that loses its power, and another one in its place.

use specie_element::client;
use specie_element::instruction as ins;
use specie_embedded::device::Terms;
use specie_embedded::owner::{Command, Event, Reply};
use specie_embedded::peer::kind;

use crate::houses::{House, VALUE, images, terms};
use crate::room::synchronise;

const PIN: &[u8] = b"2468";

fn pair() -> [House; 2] {
    images().each_ref().map(|image| image.open())
}

fn pay(payer: &mut House, payee: &mut House) {
    let payments = payer.peer_frames();
    let payment = payments.iter().find(|frame| frame.kind == kind::MESSAGE).expect("a payment");
    payee.peer_frame(kind::MESSAGE, &payment.message);
}

/// It shows a note and loses its power before it answers; after that it wants its PIN again.
#[test]
fn a_note_that_was_shown_without_an_answer_is_not_lost() {
    let [mut payer, mut payee] = pair();
    client::change_pin(payer.terminal.device().unwrap().element(), &[], PIN).ok().unwrap();
    let request = payee.request(7);
    payer.pay_next(7);
    payer.break_after(ins::SPEND.ins);
    payer.peer_frame(kind::MESSAGE, &request);
    let told = payer.events();
    assert!(matches!(&told[..], [Event::Failed(_)]), "{told:?}");
    assert_eq!(payer.heard().iter().filter(|instruction| **instruction == ins::SPEND.ins).count(), 1);
    // Whatever is tried without the PIN, the plan stays.
    payer.peer_frame(kind::MESSAGE, &request);
    payer.events();
    assert_eq!(payer.tell(&Command::Pin(PIN.to_vec())), Reply::Done);
    payer.peer_frames();
    payer.peer_frame(kind::MESSAGE, &request);
    pay(&mut payer, &mut payee);
    assert_eq!((payer.total(), payee.total()), (VALUE - 7, VALUE + 7));
    let status = client::status(payer.terminal.device().unwrap().element()).ok().unwrap();
    assert_eq!(status.held, VALUE - 7, "the element and the wallet agree");
}

/// A synchronisation with another element in the socket neither redeems with it nor tells it to forget.
#[test]
fn another_element_is_not_asked_to_redeem() {
    let [mut payer, mut payee] = pair();
    let request = payee.request(7);
    payer.pay_next(7);
    payer.peer_frame(kind::MESSAGE, &request);
    pay(&mut payer, &mut payee);
    assert_eq!(payee.total(), VALUE + 7);
    // Power goes off, and the payer's element comes into the payee's socket.
    let mut payee = payee.image().open();
    let own = payee.take_element();
    payee.put_element(payer.take_element());
    // Nobody notices at first: what it does not know is not given up all the same.
    for noticed in [false, true] {
        payee.heard();
        let failures = synchronise(&mut payee, 0, 0);
        assert_eq!(payee.total(), VALUE + 7, "{failures:?}");
        let heard = payee.heard();
        if noticed {
            assert!(failures.iter().any(|code| code == "another-element"), "{failures:?}");
            assert!(heard.iter().all(|instruction| *instruction == ins::IDENTITY.ins), "{heard:x?}");
            assert_eq!(payee.refusal(&Command::Pin(PIN.to_vec())), "another-element");
        }
    }
    payee.put_element(own);
    synchronise(&mut payee, 0, 0);
    assert_eq!(payee.total(), VALUE + 7);
}

/// An element that was pulled out may come back as another one, which knows nothing of what the wallet holds.
#[test]
fn another_element_in_the_socket_costs_nothing() {
    let [mut payer, mut payee] = pair();
    let small = Terms { notes_max: 1, ..terms(1) };
    let own = payer.take_element();
    assert_eq!(payer.refusal(&Command::Request(small)), "element-unreachable");
    payer.put_element(payee.take_element());
    assert_eq!(payer.refusal(&Command::Request(small)), "another-element");
    payee.put_element(payer.take_element());
    // Nor does one that comes in without anybody having noticed that its own was gone.
    payer.put_element(own);
    assert!(matches!(payer.tell(&Command::Request(small)), Reply::Made(_)));
    let own = payer.take_element();
    payer.put_element(payee.take_element());
    payer.fail_next();
    assert_eq!(payer.refusal(&Command::Request(small)), "element-unreachable");
    assert_eq!(payer.refusal(&Command::Request(small)), "another-element");
    payee.put_element(payer.take_element());
    payer.put_element(own);
    // And one that does not understand at first, since it lost its power, is asked again.
    for fails in [false, true] {
        if fails {
            payer.fail_next();
        }
        assert!(matches!(payer.tell(&Command::Request(small)), Reply::Made(_)));
    }
    assert_eq!(payer.total(), VALUE);
    // With its own it goes on.
    let request = payee.request(7);
    payer.pay_next(7);
    payer.peer_frame(kind::MESSAGE, &request);
    pay(&mut payer, &mut payee);
    assert_eq!((payer.total(), payee.total()), (VALUE - 7, VALUE + 7));
}
