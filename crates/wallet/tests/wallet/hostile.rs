//! Hostile messages: whatever arrives, nothing panics, nothing false is believed, and what is refused changes nothing.

use proptest::prelude::*;
use specie_core::encoding::Decode;
use specie_core::request::Request;
use specie_wallet::payment::Form;
use specie_wallet::reception::{Reception, Route};

use crate::bank::{Bank, NOW, at};
use crate::device::Device;
use crate::ledger::Ledger;
use crate::payments::holding;

struct Scene {
    bank: Bank,
    anna: Device,
    ben: Device,
    request: Vec<u8>,
    extended: Vec<u8>,
    compact: Vec<u8>,
}

fn scene() -> Scene {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[20, 10], 6);
    let mut ben = holding(&mut bank, "ben", &[], 16);
    let descriptor = bank.descriptor(ben.wallet.device(), "ben");
    let step = ben.wallet.accept_descriptor(&descriptor, at(NOW)).unwrap();
    ben.commit(step).unwrap();
    let (_, request) = ben.request(25).unwrap();
    let extended = anna.pay(&request).unwrap();
    let id = Request::decode(&request).unwrap().context();
    let compact = anna.wallet.payment_message(&id, Form::Compact).unwrap();
    Scene { bank, anna, ben, request, extended, compact }
}

/// Another message: bits flipped, bytes dropped, bytes doubled.
fn mutated(message: &[u8], kind: u8, place: usize, bit: u8) -> Vec<u8> {
    let mut message = message.to_vec();
    let place = place % message.len();
    match kind % 4 {
        0 | 1 => message[place] ^= 1 << (bit % 8),
        2 => drop(message.remove(place)),
        _ => message.truncate(place),
    }
    message
}

#[test]
fn mutated_payments_are_never_accepted() {
    let mut scene = scene();
    let (store, total) = (scene.ben.store.clone(), scene.ben.balance().total());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(600));
    let wallet = std::cell::RefCell::new(&mut scene.ben.wallet);
    let strategy = (any::<bool>(), any::<u8>(), any::<usize>(), any::<u8>());
    runner
        .run(&strategy, |(extended, kind, place, bit)| {
            let message = mutated(if extended { &scene.extended } else { &scene.compact }, kind, place, bit);
            let outcome = wallet.borrow_mut().receive(&message, Route::Payer, at(NOW));
            prop_assert!(outcome.is_err());
            Ok(())
        })
        .unwrap();
    scene.ben.assert_unchanged(&store, total);
    // Nothing was spoilt for the real one.
    scene.ben.receive(&scene.extended).unwrap();
    // Once it is paid, a mutation does not even get the receipt.
    let mut other = scene.compact.clone();
    *other.last_mut().unwrap() ^= 1;
    assert!(scene.ben.wallet.receive(&other, Route::Payer, at(NOW)).is_err());
}

#[test]
fn every_byte_of_a_payment_counts() {
    let mut scene = scene();
    for (message, step) in [(&scene.extended, 7), (&scene.compact, 5)] {
        for place in (0..message.len()).step_by(step) {
            let changed = mutated(message, 0, place, (place % 8) as u8);
            assert!(scene.ben.wallet.receive(&changed, Route::Payer, at(NOW)).is_err(), "byte {place}");
        }
    }
}

#[test]
fn mutated_requests_receipts_and_documents_change_nothing() {
    let mut scene = scene();
    let Reception::Accepted(received) =
        scene.ben.wallet.receive(&scene.extended, Route::Payer, at(NOW)).unwrap().committed()
    else {
        panic!("refused")
    };
    let manifest = scene.bank.publish(NOW + 5);
    let mut ledger = Ledger::of(&scene.bank);
    ledger.sign(NOW, &[]);
    let page = ledger.newest().to_vec();
    let (store, total) = (scene.anna.store.clone(), scene.anna.balance().total());
    let limits = scene.bank.limits(scene.anna.wallet.device());
    for place in 0..2_000usize {
        let (kind, bit) = ((place / 7) as u8, (place % 8) as u8);
        let wallet = &mut scene.anna.wallet;
        let changed = |message: &[u8]| mutated(message, kind, place.wrapping_mul(31), bit);
        if place % 10 == 0 {
            assert!(wallet.accept_manifest(&[], &changed(&manifest)).is_err());
        }
        assert!(wallet.accept_revocations(&[&page, &changed(&page)], 3).is_err());
        assert!(wallet.accept_limits(&changed(&limits), &mut scene.anna.port).is_err());
        assert!(wallet.accept_receipt(&changed(&received.receipt)).is_err());
        // A request whose payee is named cannot be changed at all.
        let request = changed(&scene.request);
        assert!(wallet.preview_payment(&request, at(NOW), &mut scene.anna.port).is_err());
        assert!(wallet.plan_payment(&request, at(NOW), &[1; 32], &mut scene.anna.port).is_err());
    }
    scene.anna.assert_unchanged(&store, total);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn noise_is_no_message(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bank = Bank::new();
        let mut anna = Device::new(&mut bank, "anna");
        prop_assert!(anna.wallet.receive(&noise, Route::Payer, at(NOW)).is_err());
        prop_assert!(anna.wallet.accept_receipt(&noise).is_err());
        prop_assert!(anna.wallet.accept_manifest(&[], &noise).is_err());
        prop_assert!(anna.wallet.accept_revocations(&[&noise], 3).is_err());
        prop_assert!(anna.wallet.accept_limits(&noise, &mut anna.port).is_err());
        prop_assert!(anna.wallet.accept_descriptor(&noise, at(NOW)).is_err());
        prop_assert!(anna.wallet.preview_payment(&noise, at(NOW), &mut anna.port).is_err());
    }
}
