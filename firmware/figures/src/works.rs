//! What is measured.

use core::hint::black_box;

use specie_core::chain::{Batched, Deadline, End, Immediately, verify_chain};
use specie_core::class::Kind;
use specie_core::encoding::Decode;
use specie_core::group::Generators;
use specie_core::payment::Payment;
use specie_core::show::Batch;
use specie_mps2::Nor;
use specie_wallet::payment::Form;
use specie_wallet::reception::Reception;
use specie_wallet::withdrawal::Item;

use crate::bank::{Bank, CAP, NOW, at};
use crate::device::Device;
use crate::flash::{MemoryFlash, PAGE, PAGES};
use crate::meter::Meter;

/// What is paid on and on.
const AMOUNT: u64 = 37;

/// Measures everything.
pub(crate) fn measure(meter: &'static Meter, flash: Nor<PAGE, PAGES>) {
    let mut bank = Bank::new();
    let mut payer = Device::new(&bank, meter, "payer", flash);
    let blanks = |bank: &Bank, count| Item { class_id: bank.class(Kind::Blank, CAP).id(), count };
    let values = |bank: &Bank, face| Item { class_id: bank.class(Kind::Value, face).id(), count: 2 };
    for face in [10, 20, 100, 200] {
        let items = [values(&bank, face)];
        payer.withdraw(&mut bank, &items, None);
    }
    let items = [blanks(&bank, 4)];
    payer.withdraw(&mut bank, &items, None);
    let items = [Item { count: 6, ..values(&bank, 50) }];
    payer.withdraw(&mut bank, &items, None);
    // As many as a device withdraws at once.
    let items = [values(&bank, 50)];
    payer.withdraw(&mut bank, &items, Some("withdraw"));

    let mut payees = ["first", "second", "third", "fourth"].map(|label| {
        let mut payee = Device::new(&bank, meter, label, MemoryFlash::new());
        let items = [blanks(&bank, 4)];
        payee.withdraw(&mut bank, &items, None);
        payee
    });
    let request = payees[0].request(AMOUNT);
    let seed = payer.seed();
    let (id, extended) = meter.measure("pay", || payer.pay(black_box(&request), &seed));
    let compact = payer.wallet.payment_message(&id, Form::Compact).expect("paid");
    verify(meter, &bank, "verify one transfer", &extended, &compact);
    receive(meter, &mut payees[0], "receive, extended", &extended);

    let (request, seed) = (payees[0].request(AMOUNT), payer.seed());
    let (id, _) = payer.pay(&request, &seed);
    let compact = payer.wallet.payment_message(&id, Form::Compact).expect("paid");
    receive(meter, &mut payees[0], "receive, compact", &compact);

    // On from hand to hand.
    for hop in 1..payees.len() {
        let [.., payer, payee] = &mut payees[..=hop] else { return };
        let (request, seed) = (payee.request(AMOUNT), payer.seed());
        let (id, extended) = payer.pay(&request, &seed);
        if hop + 1 < 4 {
            assert!(matches!(payee.receive(&extended).committed(), Reception::Accepted(_)));
        } else {
            let compact = payer.wallet.payment_message(&id, Form::Compact).expect("paid");
            verify(meter, &bank, "verify a chain of four", &extended, &compact);
            receive(meter, payee, "receive a chain of four, extended", &extended);
        }
    }
}

/// As a payee verifies: an extended chain in a batch.
fn verify(meter: &Meter, bank: &Bank, name: &str, extended: &[u8], compact: &[u8]) {
    let generators = Generators::new();
    let check = |message: &[u8], form: &str| {
        let named = alloc::format!("{name}, {form}");
        meter.measure(&named, || {
            let payment = Payment::decode(black_box(message)).expect("a payment");
            let chain = payment.chains().next().expect("of one chain");
            let mut shows = Batched { generators: &generators, batch: Batch::new(generators, [7; 32]) };
            let summary =
                verify_chain(&bank.classes[..], &chain, Deadline::Spend(at(NOW)), End::Outputs, &mut shows, |_| {});
            assert!(summary.is_ok() && shows.batch.verify_vartime().is_ok());
        });
    };
    check(extended, "extended");
    check(compact, "compact");
    if name.ends_with("one transfer") {
        specie_counting::within(8 << 10, || check(extended, "extended, in 8 kB"));
        meter.measure("verify one transfer by itself, extended", || {
            let payment = Payment::decode(black_box(extended)).expect("a payment");
            let chain = payment.chains().next().expect("of one chain");
            let mut shows = Immediately(&generators);
            let deadline = Deadline::Spend(at(NOW));
            assert!(verify_chain(&bank.classes[..], &chain, deadline, End::Outputs, &mut shows, |_| {}).is_ok());
        });
    }
}

fn receive(meter: &Meter, payee: &mut Device<MemoryFlash>, name: &str, payment: &[u8]) {
    let step = meter.measure(name, || payee.receive(black_box(payment)));
    assert!(matches!(step.committed(), Reception::Accepted(_)));
}
