//! Devices that are a microcontroller each: real bank and PSP, production terminals and elements, simulated flash and lines.

use specie_core::encoding::Decode;
use specie_core::limits::Limits;
use specie_embedded::device::Terms;
use specie_embedded::owner::{Command, Event, Reply};
use specie_psp::request::Request;

use crate::street::{
    Seeded, Shared, Street, keep, let_pass, now, owner, power_up, psp, status, synchronise, tell_time, wait,
};
use crate::town::{Town, amount, currency};

fn terms(minor: u64) -> Terms {
    Terms { currency: currency(), amount: amount(minor), valid_seconds: 120, notes_max: 3, memo: None }
}

/// Asks house `to` to be paid `minor` by house `from`, and tells that one to pay.
fn begin_payment(street: &Shared, from: usize, to: usize, minor: u64) {
    let reply = owner(street, to).command(&Command::Request(terms(minor))).unwrap();
    assert!(matches!(reply, Reply::Made(_)), "{reply:?}");
    assert_eq!(
        owner(street, from).command(&Command::PayNext { currency: currency(), limit: amount(minor) }).unwrap(),
        Reply::Done
    );
}

fn total(street: &Shared, count: usize) -> u64 {
    let now = now(street);
    (0..count).map(|house| street.borrow_mut().holding(house, now)).sum()
}

/// All that customers have is in their accounts or in their devices.
fn check_accounts(town: &Town, street: &Shared, count: usize) {
    for house in 0..count {
        let summary = synchronise(street, town, house, keep(0, 0));
        assert!(summary.failures.is_empty(), "{summary:?}");
    }
    let accounts: u64 = (0..count)
        .map(|house| {
            let device = {
                let mut street = street.borrow_mut();
                street.device_key(house)
            };
            town.provider.psp.statement(&device, town.provider.clock.now()).unwrap().balance.minor()
        })
        .sum();
    assert_eq!(accounts + total(street, count), 10_000 * count as u64);
    town.check_books();
}

pub(crate) fn they_pay_each_other_on_lines() {
    let town = Town::new();
    let street = Street::new(&town, 2, keep(500, 12));
    let before = status(&street, 0);
    assert_eq!((before.spendable, before.blanks), (500, 12), "{before:?}");
    // Several hops: what was received is paid on, in both directions.
    for (from, to, minor) in [(0, 1, 120), (1, 0, 120), (0, 1, 250), (1, 0, 70)] {
        begin_payment(&street, from, to, minor);
        let paid = wait(&mut owner(&street, from), None);
        assert!(matches!(paid, Event::Paid { amount, .. } if amount == minor), "{paid:?}");
        let received = wait(&mut owner(&street, to), None);
        assert!(matches!(received, Event::Received { amount, .. } if amount == minor), "{received:?}");
        let delivered = wait(&mut owner(&street, from), None);
        assert!(matches!(delivered, Event::Delivered { .. }), "{delivered:?}");
        assert_eq!(total(&street, 2), 1_000);
        assert_eq!(status(&street, from).undelivered, 0);
    }
    check_accounts(&town, &street, 2);
}

/// The element says which limits it holds: so it gets the next ones each time, also after it paid, and a request that says nothing
/// gets no other number.
pub(crate) fn they_say_which_limits_they_hold_and_get_the_next() {
    let town = Town::new();
    let street = Street::new(&town, 2, keep(500, 12));
    assert_eq!(status(&street, 0).limits, 1);
    begin_payment(&street, 0, 1, 30);
    let paid = wait(&mut owner(&street, 0), None);
    assert!(matches!(paid, Event::Paid { amount: 30, .. }), "{paid:?}");
    for limits in 2..=3 {
        let summary = synchronise(&street, &town, 0, keep(500, 12));
        assert!(summary.failures.is_empty(), "{summary:?}");
        assert_eq!(status(&street, 0).limits, limits);
    }
    let device = street.borrow_mut().device_key(0);
    let request = Request { who: device.0, key: "limits-0000000001", fingerprint: [1; 32] };
    let document = town.provider.psp.limits(&request, town.provider.clock.now()).unwrap();
    assert_eq!(Limits::decode(&document).unwrap().body.sequence, 3);
    assert!(town.provider.psp.verdicts(&device).unwrap().is_empty(), "nothing is kept of what was said");
}

pub(crate) fn they_pay_over_lines_that_lose_bytes() {
    let town = Town::new();
    let street = Street::new(&town, 2, keep(400, 6));
    street.borrow_mut().trouble(2_500);
    for (from, to) in [(0, 1), (1, 0), (0, 1)] {
        begin_payment(&street, from, to, 77);
        let mut patience = 0;
        while status(&street, from).undelivered > 0 || total(&street, 2) != 800 || patience == 0 {
            let_pass(&street, 1_000);
            patience += 1;
            assert!(patience < 100, "it never arrived");
        }
        let_pass(&street, 3_000);
    }
    street.borrow_mut().trouble(0);
    check_accounts(&town, &street, 2);
}

/// The power is cut at random operations of either flash of either device, again and again.
pub(crate) fn they_survive_power_cuts() {
    let town = Town::new();
    let street = Street::new(&town, 2, keep(600, 8));
    let seed = std::env::var("SPECIE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("SPECIE_SEED={seed}");
    let mut random = Seeded(seed);
    let mut cuts = 0;
    for round in 0..24 {
        let from = (random.next() % 2) as usize;
        let minor = 1 + random.next() % 60;
        let victim = (random.next() % 2) as usize;
        begin_payment(&street, from, from ^ 1, minor);
        let (of_element, after) = (random.next().is_multiple_of(2), random.next() % 120);
        street.borrow_mut().cut_after(victim, of_element, after);
        for _ in 0..8 {
            let_pass(&street, 500);
            if street.borrow().is_dark(victim) {
                cuts += 1;
                power_up(&street, victim);
                tell_time(&street, victim);
            }
        }
        // A cut that did not come is off again.
        power_up(&street, victim);
        tell_time(&street, victim);
        let_pass(&street, 4_000);
        for house in 0..2 {
            let mut gateway = owner(&street, house);
            while let Ok(event) = gateway.wait(None, std::time::Duration::ZERO) {
                println!("round {round}, {from} pays {minor}, {victim} is cut off: {house} tells {event:?}");
            }
        }
        assert_eq!(status(&street, 0).undelivered + status(&street, 1).undelivered, 0, "seed {seed}, round {round}");
        assert_eq!(total(&street, 2), 1_200, "seed {seed}, round {round}");
        for house in 0..2 {
            // What was not paid, since the payer was off, is not asked for any more.
            let _ = owner(&street, house).command(&Command::Stop);
        }
        let_pass(&street, 121_000);
        if random.next().is_multiple_of(4) {
            for house in 0..2 {
                let summary = synchronise(&street, &town, house, keep(600, 8));
                assert!(summary.failures.is_empty(), "seed {seed}, round {round}: {summary:?}");
            }
        }
        for house in 0..2 {
            synchronise(&street, &town, house, keep(600, 8));
        }
    }
    assert!(cuts > 5, "the power was hardly ever cut: {cuts}");
    check_accounts(&town, &street, 2);
}

/// The errand carrier loses the answers; each synchronisation goes on where the last one was left.
pub(crate) fn a_network_that_fails_costs_nothing() {
    let town = Town::new();
    let street = Street::new(&town, 2, keep(200, 4));
    begin_payment(&street, 0, 1, 150);
    let_pass(&street, 3_000);
    let mut gateway = owner(&street, 1);
    assert_eq!(gateway.command(&Command::Synchronise(keep(300, 6))).unwrap(), Reply::Done);
    // Without a network it is over soon, and says so.
    let event = loop {
        match wait(&mut gateway, None) {
            Event::Synchronised(summary) => break summary,
            other => println!("{other:?}"),
        }
    };
    assert_eq!(event.failures.len(), 1, "{event:?}");
    assert_eq!(event.failures[0].code, "psp-unreachable");
    // Power fails after any number of errands.
    for errands in 1..14 {
        let mut gateway = owner(&street, 1);
        let _ = gateway.command(&Command::Synchronise(keep(300, 6))).unwrap();
        for _ in 0..errands {
            let_pass(&street, 1);
            let _ = gateway.wait(Some(&psp(&town)), std::time::Duration::ZERO);
        }
        power_up(&street, 1);
        tell_time(&street, 1);
    }
    let summary = synchronise(&street, &town, 1, keep(300, 6));
    assert!(summary.failures.is_empty(), "{summary:?}");
    assert_eq!(status(&street, 1).spendable, 300);
    check_accounts(&town, &street, 2);
}

/// Money is handed to and fro until the device that would get it could not hand it in any more.
pub(crate) fn they_refuse_what_they_could_not_redeem() {
    let town = Town::new();
    let street = Street::new(&town, 2, keep(1, 12));
    let mut last = None;
    for payment in 0..20 {
        let (from, to) = (payment % 2, (payment + 1) % 2);
        let terms = Terms { notes_max: 1, ..terms(1) };
        assert!(matches!(owner(&street, to).command(&Command::Request(terms)).unwrap(), Reply::Made(_)));
        let pay = Command::PayNext { currency: currency(), limit: amount(1) };
        assert_eq!(owner(&street, from).command(&pay).unwrap(), Reply::Done);
        wait(&mut owner(&street, from), None);
        last = Some(wait(&mut owner(&street, to), None));
        if !matches!(last, Some(Event::Received { .. })) {
            break;
        }
        let delivered = wait(&mut owner(&street, from), None);
        assert!(matches!(delivered, Event::Delivered { .. }), "{delivered:?}");
    }
    assert!(matches!(&last, Some(Event::Failed(told)) if told.code == "chain-too-long"), "{last:?}");
    // What was taken before is redeemed, to the last.
    for house in 0..2 {
        let summary = synchronise(&street, &town, house, keep(0, 0));
        assert!(summary.failures.iter().all(|told| told.code == "chain-too-long"), "{summary:?}");
    }
    town.check_books();
}

pub(crate) fn they_refuse_with_reasons() {
    let town = Town::new();
    let street = Street::new(&town, 2, keep(100, 4));
    let code = |house, command: Command| match owner(&street, house).command(&command).unwrap() {
        Reply::Failed(told) => told.code,
        other => format!("{other:?}"),
    };
    assert_eq!(code(0, Command::Create(town.root())), "wallet-exists");
    assert_eq!(code(0, Command::Request(terms(0))), "no-amount");
    assert_eq!(code(0, Command::Enrol { customer: "m0".into(), claim_code: "x".into() }), "enrolled-already");
    // A request of more than the payer is told to pay is not paid, and the payee hears it.
    let _ = owner(&street, 1).command(&Command::Request(terms(50))).unwrap();
    let _ = owner(&street, 0).command(&Command::PayNext { currency: currency(), limit: amount(49) }).unwrap();
    let heard = wait(&mut owner(&street, 1), None);
    assert_eq!(heard, Event::Refused(b"not-paid".to_vec()));
    assert_eq!(total(&street, 2), 200);
    // Garbage on the owner's line is answered, on the other line passed over.
    let before = (status(&street, 0), status(&street, 1));
    street.borrow_mut().babble(0, 5_000);
    assert_eq!((status(&street, 0), status(&street, 1)), before);
}
