//! Flash and element without room: nothing is begun.

use specie_core::NoteId;
use specie_core::bytes::RevokedNote;
use specie_core::encoding::Decode;
use specie_core::revocation::{PAGE_LENGTH_MAX, RevocationPage};
use specie_embedded::owner::{ANSWER_TOO_LONG, CarriedErrand, Command, Event, Reply, encode_answer, kind as owners};
use specie_embedded::peer::kind;
use specie_embedded::synchronisation::Keep;

use specie_embedded::frame::Frame;

use crate::bank::{Bank, NOW, amount};
use crate::houses::{House, VALUE, images, terms};
use crate::ledger::Ledger;

#[test]
fn nothing_is_begun_where_the_flash_is_full() {
    let [payer, payee] = images().each_ref().map(|image| image.full());
    let (mut payer, mut payee) = (payer.open(), payee.open());
    let before = (payer.stored(), payee.stored());
    assert_eq!(payee.refusal(&Command::Request(terms(7))), "storage-full");
    let request = images()[1].open().request(7);
    payer.pay_next(7);
    payer.peer_frame(kind::MESSAGE, &request);
    // The device's own trouble: the payee is told nothing, and may ask again.
    assert_eq!(payer.peer_frames(), []);
    let told = payer.events();
    assert!(matches!(&told[..], [Event::Failed(told)] if told.code == "storage-full" && !told.money_moved), "{told:?}");
    assert_eq!((payer.total(), payee.total()), (VALUE, VALUE));
    assert_eq!((payer.stored(), payee.stored()), before);
    // No withdrawal is begun either; the rest of a synchronisation is done.
    let summary = synchronise(&mut payer, 1_000, 20);
    assert!(summary.iter().any(|code| code == "storage-full"), "{summary:?}");
    assert_eq!((payer.total(), payer.stored()), (VALUE, before.0));
}

#[test]
fn what_was_begun_before_the_flash_was_full_is_completed() {
    let [mut payer, mut payee] = images().each_ref().map(|image| image.open());
    let request = payee.request(7);
    payer.pay_next(7);
    payer.peer_frame(kind::MESSAGE, &request);
    let payment = payer.peer_frames().pop().unwrap().message;
    let mut payee = payee.image().full().open();
    payee.peer_frame(kind::MESSAGE, &payment);
    assert_eq!(payee.total(), VALUE + 7, "the reserve is for what was begun");
}

/// What a synchronisation asks for and does not get holds places in the element, until there are none left.
#[test]
fn nothing_is_withdrawn_that_the_element_has_no_room_for() {
    let mut house = images()[0].open();
    let mut last = Vec::new();
    for _ in 0..30 {
        let codes = synchronise(&mut house, 0, 100);
        assert!(codes.len() < 5, "the same is told once: {codes:?}");
        last = codes;
        if last.iter().any(|code| code == "element-full") {
            break;
        }
    }
    assert!(last.iter().any(|code| code == "element-full"), "{last:?}");
    assert_eq!(house.total(), VALUE);
    assert!(matches!(house.tell(&Command::Status), Reply::Status(status) if status.spendable == VALUE));
    let again = house.image().open();
    assert_eq!(again.stored(), house.stored());
}

/// A part of which the PSP's answer does not fit fails alone.
#[test]
fn an_answer_that_is_too_long_stops_nothing_else() {
    let mut house = images()[0].open();
    let codes = synchronise_with(&mut house, 0, 0, |target| {
        if target.starts_with("/v1/manifests") { (ANSWER_TOO_LONG, String::new()) } else { answer(target) }
    });
    assert!(codes.iter().any(|code| code == "answer-too-long"), "{codes:?}");
    // Later parts were asked for, and failed for reasons of their own.
    assert!(codes.iter().any(|code| code == "wrong-answer"), "{codes:?}");
    assert_eq!(house.total(), VALUE);
}

/// However many notes are revoked, told by the PSP and by payers: the newest are held, in room that does not grow.
#[test]
fn a_flood_of_revocations_takes_bounded_room() {
    let mut house = images()[0].open();
    let mut ledger = Ledger::of(&Bank::new());
    let note = |number: usize| NoteId([[number as u8 + 1; 16], [0; 16]].concat().try_into().unwrap());
    for round in 0..15 {
        ledger.sign(NOW + round as u64, &(16 * round..16 * (round + 1)).map(note).collect::<Vec<_>>());
        let held = house.terminal.device().unwrap().wallet().revocation_sequence();
        if round % 3 == 0 {
            synchronise_with(&mut house, 0, 0, |target| match target.strip_prefix("/v1/revocations?after=") {
                Some(rest) => {
                    assert_eq!(rest, format!("{held}&pages=3"));
                    let pages: Vec<String> =
                        ledger.after(held, 3).iter().map(|page| format!("\"{}\"", hexadecimal(page))).collect();
                    (200, format!("{{\"pages\":[{}]}}", pages.join(",")))
                }
                None => answer(target),
            });
        } else {
            ledger.after(held, 8).iter().for_each(|page| house.peer_frame(kind::MESSAGE, page));
        }
        house = house.image().open();
        let wallet = house.terminal.device().unwrap().wallet();
        let newest = (0..16 * (round + 1)).rev().take(64);
        let held: Vec<RevokedNote> = wallet
            .revocation_pages(0)
            .flat_map(|page| RevocationPage::decode(page).unwrap().notes().collect::<Vec<_>>())
            .collect();
        assert!(newest.into_iter().all(|number| held.contains(&RevokedNote::of(&note(number)))));
        assert!(wallet.revocation_pages(0).map(<[u8]>::len).sum::<usize>() <= 3 * PAGE_LENGTH_MAX);
        let pages = house.stored().into_keys().filter(|key| key[..] > [3, 4][..] && key[..] < [3, 5][..]).count();
        assert!(pages <= 3, "{pages}");
    }
    assert!(!house.terminal.device().unwrap().wallet().revocations().unwrap().all);
    assert_eq!(house.total(), VALUE);
    house.request(7);
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Synchronises with a PSP that knows the time and an account and nothing else; gives what failed.
pub(crate) fn synchronise(house: &mut House, value: u64, blanks: u16) -> Vec<String> {
    synchronise_with(house, value, blanks, answer)
}

fn synchronise_with(house: &mut House, value: u64, blanks: u16, answer: impl Fn(&str) -> (u16, String)) -> Vec<String> {
    let keep = Keep { value: amount(value), blanks, blank_cap: None };
    assert_eq!(house.tell(&Command::Synchronise(keep)), Reply::Done);
    for _ in 0..100 {
        house.pass(1);
        for frame in house.owner_frames() {
            match frame.kind {
                owners::ERRAND => {
                    let errand = CarriedErrand::decode(&frame.message).unwrap();
                    let (status, body) = answer(&errand.target);
                    let answer = encode_answer(errand.number, status, body.as_bytes());
                    house.owner_bytes(&Frame::encode(owners::ANSWER, &answer).unwrap());
                }
                owners::EVENT => {
                    if let Event::Synchronised(summary) = Event::decode(&frame.message).unwrap() {
                        assert_eq!(summary.withdrawn, 0);
                        return summary.failures.into_iter().map(|told| told.code).collect();
                    }
                }
                _ => {}
            }
        }
    }
    panic!("it does not come to an end");
}

fn answer(target: &str) -> (u16, String) {
    match target {
        "/v1/time" => (200, format!("{{\"seconds\":{NOW}}}")),
        "/v1/account" => {
            let ration = "{\"kind\":0,\"remaining\":10000,\"blanks\":10000,\"cap_max\":1000}";
            (200, format!("{{\"balance\":5000,\"withdrawable\":5000,\"currency\":\"XTS\",\"rations\":[{ration}]}}"))
        }
        _ => (500, "no".to_owned()),
    }
}
