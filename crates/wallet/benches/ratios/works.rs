//! What is measured of wallet and element.

use std::hint::black_box;
use std::time::Duration;

use specie_core::class::Kind;
use specie_element::client::Link;
use specie_wallet::payment::Execution;
use specie_wallet::reception::{Reception, Route};
use specie_wallet::withdrawal::{Action, Item, WithdrawalId};

use crate::bank::{Bank, NOW, at};
use crate::device::{Device, Image, Port};
use crate::work::{Stopwatch, Work};
use crate::world::{NOTES_AT_ONCE, World};

/// Which part of a run counts.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    /// What passes between a command to the element and its answer.
    Element,
}

/// The element, with a watch on it.
struct Watched<'p> {
    port: &'p mut Port,
    spent: Duration,
}

impl Link for Watched<'_> {
    type Error = <Port as Link>::Error;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        let start = Stopwatch::start();
        let answer = self.port.transmit(command, response);
        self.spent += start.elapsed();
        answer
    }
}

impl Part {
    /// Times what is done with the element.
    fn of<T>(self, port: &mut Port, run: impl FnOnce(&mut Watched<'_>) -> T) -> (Duration, T) {
        let mut element = Watched { port, spent: Duration::ZERO };
        let start = Stopwatch::start();
        let done = run(&mut element);
        let whole = start.elapsed();
        match self {
            Self::Whole => (whole, done),
            Self::Element => (element.spent, done),
        }
    }
}

/// Everything that is measured next to a multiplication.
pub(crate) fn all(world: &World) -> Vec<Work<'_>> {
    let World { purse_of_10, requests, named_requests, payments, compact_payments, .. } = world;
    vec![
        Work::timed("pay: plan, show, message; wallet and element together", Some(1), 1, |times| {
            pay(purse_of_10, requests, Part::Whole, times)
        }),
        Work::timed("— the element's share: STATUS and SPEND", None, 1, |times| {
            pay(purse_of_10, requests, Part::Element, times)
        }),
        Work::timed("pay a payee with a name: two signatures more", None, 1, |times| {
            pay(purse_of_10, named_requests, Part::Whole, times)
        }),
        Work::timed("pay, disclosed: seven multiplications more (§7.1)", Some(12), 1, |times| {
            pay(&world.disclosing.purse_of_10, &world.disclosing.requests, Part::Whole, times)
        }),
        Work::timed("receive, extended: verify, records, receipt", Some(6), 1, |times| {
            receive(&world.payee, payments, times)
        }),
        Work::timed("receive, compact: verify, records, receipt", Some(9), 1, |times| {
            receive(&world.payee, compact_payments, times)
        }),
        Work::timed("receive, extended and disclosed: five multiplications more", Some(14), 1, |times| {
            receive(&world.disclosing.payee, &world.disclosing.payments, times)
        }),
        Work::timed("withdrawal of 100 notes, wallet, element and bank, per note", Some(30), 100, withdraw),
        Work::timed("— the element's share of registration: REGISTER", None, NOTES_AT_ONCE.into(), |times| {
            register(&world.registering, &world.withdrawal, times)
        }),
    ]
}

/// Paying with 10, 100 and 1,000 notes in the wallet.
pub(crate) fn sizes(world: &World) -> [Work<'_>; 3] {
    let of = |name, bar, image| Work::timed(name, bar, 1, move |times| pay(image, &world.requests, Part::Whole, times));
    [
        of("pay, 10 notes in the wallet", None, &world.purse_of_10),
        of("pay, 100 notes in the wallet", None, &world.purse_of_100),
        of("pay, 1,000 notes in the wallet", Some(2), &world.purse_of_1000),
    ]
}

/// The same for the first payment after the device was started, of which nothing is in the processor's caches.
pub(crate) fn first_of_sizes(world: &World) -> [Work<'_>; 3] {
    let of = |name, image| {
        let first = &world.requests[..1];
        Work::timed(name, None, 1, move |times| {
            on_each(image, first, times, |device, request| pay_one(device, request, Part::Whole))
        })
    };
    [
        of("pay first after a start, 10 notes in the wallet", &world.purse_of_10),
        of("pay first after a start, 100 notes in the wallet", &world.purse_of_100),
        of("pay first after a start, 1,000 notes in the wallet", &world.purse_of_1000),
    ]
}

/// Runs `each` on one of `items` after the other and starts the device anew when all were used, until it was done
/// `times` times.
fn on_each<I>(image: &Image, items: &[I], times: u64, each: impl Fn(&mut Device, &I) -> Duration) -> Duration {
    let mut left = usize::try_from(times).expect("as many as one waits for");
    let mut spent = Duration::ZERO;
    while left > 0 {
        let mut device = image.boot();
        spent += items.iter().take(left).map(|item| each(&mut device, item)).sum::<Duration>();
        left = left.saturating_sub(items.len());
    }
    spent
}

/// Pays each request for the first time. Nobody pays who did not see what, so the preview goes before.
fn pay(image: &Image, requests: &[Vec<u8>], part: Part, times: u64) -> Duration {
    on_each(image, requests, times, |device, request| {
        let preview = device.wallet.preview_payment(request, at(NOW), &mut device.port).unwrap();
        assert!(!preview.repeated && preview.coins.len() == 1);
        pay_one(device, request, part)
    })
}

/// From the request to the message.
fn pay_one(device: &mut Device, request: &[u8], part: Part) -> Duration {
    let (wallet, port) = (&mut device.wallet, &mut device.port);
    let (spent, step) = part.of(port, |element| {
        let step = wallet.plan_payment(black_box(request), at(NOW), &[1; 32], element).unwrap();
        let id = black_box(step).committed();
        black_box(wallet.execute_payment(&id, at(NOW), element).unwrap())
    });
    assert!(matches!(step.committed(), Execution::Paid(_)));
    spent
}

fn receive(image: &Image, payments: &[Vec<u8>], times: u64) -> Duration {
    on_each(image, payments, times, |device, payment| {
        let start = Stopwatch::start();
        let step = black_box(device.wallet.receive(black_box(payment), Route::Payer, at(NOW)).unwrap());
        let spent = start.elapsed();
        assert!(matches!(step.committed(), Reception::Accepted(_)));
        spent
    })
}

/// Each time a new device at a new bank, which knows nothing of it yet.
fn withdraw(times: u64) -> Duration {
    let once = |_| {
        let mut bank = Bank::new();
        let mut device = Device::new(&mut bank, "device");
        let items = [Item { class_id: bank.class_of(Kind::Value, 100).id(), count: 100 }];
        let start = Stopwatch::start();
        device.withdraw_items(&mut bank, &items).unwrap();
        start.elapsed()
    };
    (0..times).map(once).sum()
}

/// Notes that are checked and stored, for the element to know.
fn register(image: &Image, withdrawal: &WithdrawalId, times: u64) -> Duration {
    on_each(image, &[()], times, |device, ()| {
        let (wallet, port) = (&mut device.wallet, &mut device.port);
        let register = |element: &mut Watched<'_>| wallet.withdraw_with_element(withdrawal, at(NOW), element).unwrap();
        let (spent, step) = Part::Element.of(port, register);
        step.committed();
        assert!(matches!(device.wallet.withdrawal_action(withdrawal), Action::Acknowledge { .. }));
        spent
    })
}
