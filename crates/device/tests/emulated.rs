//! Devices and elements as the firmware that is delivered, on emulated boards, against a real bank and PSP: a chip for each
//! device, a chip for each element, wires between them, and the power cut at random instructions.
//!
//! They run where `SPECIE_BOARD` names a board (`an386` or `an505`), as `cargo xtask test` does; without it there is nothing
//! to run them on, and they say so.
#![allow(clippy::unwrap_used, reason = "a panic is the report of a test")]

#[path = "emulated/houses.rs"]
mod houses;
#[path = "life/town.rs"]
#[allow(dead_code, reason = "half of the town is for devices on computers")]
mod town;

use std::time::Duration;

use specie_core::Timestamp;
use specie_core::encoding::Encode;
use specie_core::mandate::{self, Mandate, MandateBody, PayeeRule, Payees};
use specie_core::signature::SigningKey;
use specie_core::transfer::redemption_context;
use specie_embedded::device::Terms;
use specie_embedded::owner::{Command, Event, Reply};
use specie_emulation::Image;

use houses::{House, Random, board, keep};
use town::{Town, amount, currency, name};

/// The board, or none to run on.
macro_rules! board_or_return {
    () => {
        match board() {
            Some(board) => board,
            None => {
                println!("SPECIE_BOARD names no board: nothing was run");
                return;
            }
        }
    };
}

fn terms(minor: u64) -> Terms {
    Terms { currency: currency(), amount: amount(minor), valid_seconds: 600, notes_max: 2, memo: None }
}

/// House `to` asks for money, and house `from` is told to pay it.
fn begin_payment(houses: &mut [House; 2], from: usize, minor: u64) {
    houses[1 - from].ask_for(&terms(minor));
    assert_eq!(houses[from].command(&Command::PayNext { currency: currency(), limit: amount(minor) }), Reply::Done);
}

fn total(houses: &mut [House; 2]) -> u64 {
    houses.iter_mut().map(|house| house.status().total).sum()
}

/// Everything is redeemed or held, and the bank's books hold.
fn check_accounts(town: &Town, houses: &mut [House; 2]) {
    let mut all = 0;
    for house in houses.iter_mut() {
        let summary = house.synchronise(town, keep(0, 0));
        assert!(summary.failures.is_empty(), "{summary:?}");
        all += summary.account_balance.unwrap() + house.status().total;
    }
    assert_eq!(all, 20_000);
    town.check_books();
}

/// Enrols, withdraws, pays in both directions, pays on what was received, and redeems.
#[test]
fn two_boards_with_their_elements_pay_each_other() {
    let board = board_or_return!();
    let town = Town::new();
    pay_each_other(&town, House::pair(&town, board, keep(50, 4)));
}

/// One of the devices is `firmware/capi/examples/pay`, the same wallet for programs in C, and then both are.
#[test]
fn a_device_in_c_pays_another_one() {
    let board = board_or_return!();
    let Some(program) = std::env::var_os("SPECIE_C_DEVICE") else {
        println!("SPECIE_C_DEVICE names no program: nothing was run");
        return;
    };
    let in_c = Image::from_path(board, program);
    let name = format!("device-{}", board.name());
    let in_rust = Image::build(board, &format!("specie-{name}"), &name).unwrap();
    for other in [in_rust, in_c.clone()] {
        let town = Town::new();
        pay_each_other(&town, House::pair_of(&town, [in_c.clone(), other], keep(50, 4)));
    }
}

fn pay_each_other(town: &Town, mut houses: [House; 2]) {
    let status = houses[0].status();
    assert_eq!((status.spendable, status.blanks), (50, 4), "{status:?}");
    println!("after the first synchronisation: {status:?}");
    for (from, minor) in [(0, 20), (1, 20), (0, 10), (1, 5)] {
        begin_payment(&mut houses, from, minor);
        let paid = houses[from].wait_for(|event| matches!(event, Event::Paid { .. }));
        assert!(matches!(paid, Event::Paid { amount, .. } if amount == minor), "{paid:?}");
        let received = houses[1 - from].wait_for(|event| matches!(event, Event::Received { .. }));
        assert!(matches!(received, Event::Received { amount, .. } if amount == minor), "{received:?}");
        houses[from].wait_for(|event| matches!(event, Event::Delivered { .. }));
        assert_eq!(total(&mut houses), 100);
    }
    for house in &houses {
        let left = house.stack_left().unwrap();
        assert!(left >= 1_024, "of the stack no more than {left} bytes were never used");
    }
    check_accounts(town, &mut houses);
}

/// The power of any of the four chips is cut at random instructions while they pay; then it comes back.
#[test]
fn power_cuts_at_any_instruction_cost_nothing() {
    let board = board_or_return!();
    let seed = std::env::var("SPECIE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let rounds = std::env::var("SPECIE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(4);
    println!("SPECIE_SEED={seed} SPECIE_ROUNDS={rounds}");
    let mut random = Random(seed);
    let town = Town::new();
    let mut houses = House::pair(&town, board, keep(50, 4));
    let (mut cuts, mut held) = (0, 100);
    for round in 0..rounds {
        let from = (random.next() % 2) as usize;
        let minor = [1, 2, 5][(random.next() % 3) as usize];
        let victim = (random.next() % 2) as usize;
        houses[1 - from].ask_for(&terms(minor));
        let of_element = random.next().is_multiple_of(2);
        // An element's part of a payment takes some 100 thousand instructions, a device's some millions.
        let instructions = random.next() % if of_element { 250_000 } else { 16_000_000 };
        houses[victim].cut_after(of_element, instructions);
        // The victim may be dark already.
        houses[from].try_command(&Command::PayNext { currency: currency(), limit: amount(minor) });
        cuts += usize::from(houses[victim].await_cut(of_element, Duration::from_secs(6)));
        houses[victim].power_up();
        houses.iter_mut().for_each(House::tell_time);
        // For some seconds: what was planned when the power went off is paid when it comes back.
        let mut quiet = 0;
        let settled = (0..60).any(|_| {
            std::thread::sleep(Duration::from_secs(1));
            let undelivered: u64 = houses.iter_mut().map(|house| house.status().undelivered).sum();
            quiet = if undelivered == 0 { quiet + 1 } else { 0 };
            quiet == 4
        });
        if !settled {
            houses.iter_mut().for_each(House::explain);
        }
        assert!(settled, "seed {seed}, round {round}: {victim} was cut off, {from} paid; not delivered in the end");
        houses.iter_mut().for_each(|house| drop(house.try_command(&Command::Stop)));
        assert_eq!(total(&mut houses), held, "seed {seed}, round {round}");
        // Each payment uses up a blank or two.
        for house in houses.iter_mut() {
            if house.status().blanks < 2 {
                let summary = house.synchronise(&town, keep(50, 4));
                assert!(summary.failures.is_empty(), "seed {seed}, round {round}: {summary:?}");
            }
        }
        held = total(&mut houses);
    }
    println!("{cuts} cuts");
    assert!(cuts * 3 >= rounds, "the power was hardly ever cut");
    check_accounts(&town, &mut houses);
}

/// With nobody there who knows the PIN it pays what its mandate allows, and not one unit more; and it settles with its PSP.
#[test]
fn a_board_pays_by_itself_inside_its_mandate() {
    let board = board_or_return!();
    let town = Town::new();
    let mut houses = House::pair(&town, board, keep(50, 6));
    let [meter, shop] = &mut houses;
    let owner = SigningKey::from_seed(&[77; 32]);
    let held = |meter: &mut House| match meter.command(&Command::MandateHeld) {
        Reply::Mandate(held) => held,
        other => panic!("{other:?}"),
    };
    let body = MandateBody {
        owner: owner.public(),
        device: held(meter).device,
        sequence: 1,
        valid_until: Timestamp::new(4_000_000_000).unwrap(),
        max_payment: amount(10),
        period_seconds: 86_400,
        max_per_period: amount(15),
        max_total: amount(100),
        redeem_to: Some(redemption_context(&name("psp-one"), &name("e0"))),
        terms: [0; 32],
    };
    let payees = Payees::new(&[PayeeRule::Anyone]).unwrap();
    let terms_of_it = mandate::Terms { currency: currency(), person_above: amount(50), payees };
    let mandate = Mandate::sign(body, terms_of_it, &owner).to_vec();
    assert_eq!(meter.command(&Command::ChangePin { old: Vec::new(), new: b"2468".to_vec() }), Reply::Done);
    assert_eq!(meter.command(&Command::Mandate(mandate.clone())), Reply::Done);
    // The power goes, and nobody enters the PIN.
    meter.power_off();
    meter.element_off();
    meter.power_up();
    meter.tell_time();
    for (minor, code) in [(11, "mandate-per-payment"), (10, ""), (6, "mandate-per-period"), (5, "")] {
        shop.ask_for(&terms(minor));
        if code.is_empty() {
            let paid = meter.wait_for(|event| matches!(event, Event::Paid { .. }));
            assert!(matches!(paid, Event::Paid { amount, .. } if amount == minor), "{paid:?}");
            shop.wait_for(|event| matches!(event, Event::Received { .. }));
            meter.wait_for(|event| matches!(event, Event::Delivered { .. }));
        } else {
            let refused = meter.wait_for(|event| matches!(event, Event::Failed(_)));
            assert!(matches!(&refused, Event::Failed(told) if told.code == code), "{refused:?}");
            shop.wait_for(|event| matches!(event, Event::Refused(code) if code == b"not-paid"));
            // Else the request that was refused is withdrawn by the next one, which takes blanks.
            assert_eq!(shop.command(&Command::Stop), Reply::Done);
        }
    }
    assert_eq!((meter.status().total, shop.status().total), (35, 65));
    let held = held(meter);
    assert_eq!((held.mandate, held.used.map(|used| used.spent)), (Some(mandate), Some(15)));
    let left = meter.stack_left().unwrap();
    assert!(left >= 1_024, "of the stack no more than {left} bytes were never used");
    check_accounts(&town, &mut houses);
}

/// More is asked of a device than it has room for: it takes what it can hold, says why no more, and goes on.
#[test]
fn a_device_that_is_full_says_so_and_goes_on() {
    let board = board_or_return!();
    let town = Town::new();
    let mut houses = House::pair(&town, board, keep(10, 3));
    let summary = houses[0].synchronise(&town, keep(9_000, 30));
    let reasons: Vec<&str> = summary.failures.iter().map(|told| told.code.as_str()).collect();
    let status = houses[0].status();
    println!("{status:?}: {reasons:?}");
    assert!(matches!(reasons[..], ["memory-full"] | ["storage-full"]), "{summary:?}");
    assert!(status.total > 10, "{status:?}");
    // There is room left to pay and to be paid.
    for from in [0, 1] {
        begin_payment(&mut houses, from, 5);
        houses[from].wait_for(|event| matches!(event, Event::Delivered { .. }));
    }
    check_accounts(&town, &mut houses);
}

/// What comes on the lines may be anything.
#[test]
fn babble_and_silence_stop_nothing() {
    let board = board_or_return!();
    let town = Town::new();
    let mut houses = House::pair(&town, board, keep(50, 4));
    let before = houses[0].status();
    let mut random = Random(3);
    let noise: Vec<u8> = (0..20_000).map(|_| random.next() as u8).collect();
    houses[0].babble(&noise);
    assert_eq!(houses[0].status(), before);
    // The other device is gone: nothing is taken off its line, and the owner is answered all the same.
    houses[1].power_off();
    let reply = houses[0].command(&Command::Request(terms(5)));
    assert!(matches!(reply, Reply::Made(_)), "{reply:?}");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(houses[0].status().total, before.total);
    // Without its element a device says so, and goes on when it is there again.
    houses[0].element_off();
    let refused = houses[0].command(&Command::Request(terms(5)));
    assert!(matches!(&refused, Reply::Failed(told) if told.code == "element-unreachable"), "{refused:?}");
    houses[0].power_up();
    let reply = houses[0].command(&Command::Request(terms(5)));
    assert!(matches!(reply, Reply::Made(_)), "{reply:?}");
    assert_eq!(houses[0].status().total, before.total);
}
