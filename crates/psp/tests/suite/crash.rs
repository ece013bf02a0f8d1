//! A crash at every step of everything that moves money, before the step takes effect and after.

use specie_core::text::Currency;
use specie_psp::bank::Redemption;
use specie_psp::transfer::TransferOrder;

use crate::faults::{Cut, Fuse};
use crate::world::{DEPOSIT, TestPsp, World, amount, at, name};

/// Everything that a device does in a day, each with its own key. Ends at the first failure, as a device does.
fn day(world: &World, psp: &TestPsp) -> Option<()> {
    let device = &world.device;
    let items = [(world.coin, 3), (world.blank, 2)];
    let (id, _) = psp.withdraw(&device.asks("withdrawal-000001", 1), &items, at(10)).ok()?;
    psp.challenge(&device.asks("challenge-0000001", 1), &id, &[[1; 32]; 5], at(11)).ok()?;
    psp.acknowledge(&device.asks("acknowledge-00001", 1), &id, at(12)).ok()?;
    let redemption =
        Redemption { psp: "north".into(), account: "alice-account".into(), chains: vec![vec![30, 1], vec![40, 2]] };
    psp.redeem(&device.asks("redemption-000001", 1), &redemption, at(13)).ok()?;
    let order = TransferOrder {
        to_psp: name("south"),
        to_account: name("carol"),
        amount: amount(500),
        currency: Currency::new("XTS").unwrap(),
        reference: None,
    };
    psp.transfer(&device.asks("transfer-00000001", 1), &order, at(14)).ok()?;
    let (second, _) = psp.withdraw(&device.asks("withdrawal-000002", 1), &[(world.coin, 1)], at(15)).ok()?;
    psp.cancel(&device.asks("cancel-0000000002", 1), &second, at(16)).ok()
}

/// Runs `check` for a crash at every step, before and after its effect, until the day gets through without one.
fn at_every_step(check: impl Fn(&World, &str)) {
    for cut in [Cut::Before, Cut::After] {
        for step in 0.. {
            let world = World::new();
            let fuse = Fuse::new(step, cut);
            let through = day(&world, &world.psp_with(&fuse));
            world.check_books();
            if !fuse.is_broken() {
                assert!(through.is_some() && step > 20, "the day has more steps than {step}");
                break;
            }
            check(&world, &format!("crash {cut:?} step {step}"));
        }
    }
}

#[test]
fn repeating_the_same_requests_after_a_crash_ends_as_without_it() {
    at_every_step(|world, place| {
        let psp = world.psp();
        // The service comes back, and reconciles before or after the device does.
        if place.len() % 2 == 0 {
            psp.reconcile(at(20)).unwrap();
            world.check_books();
        }
        finish(world, &psp, place);
        psp.reconcile(at(30)).unwrap();
        world.check_at_rest();
        assert_eq!(world.balance(), DEPOSIT - 300 + 70 - 500, "{place}");
        assert_eq!(world.bank.state().issued(), 300, "{place}");
        assert_eq!(psp.statement(&world.public(), at(30)).unwrap().rations[0].blanks, 8, "{place}");
    });
}

/// Repeats the day; what ended before the crash says so, and the device goes on with the next thing.
fn finish(world: &World, psp: &TestPsp, place: &str) {
    use specie_psp::withdrawal::WithdrawalError;
    let device = &world.device;
    let items = [(world.coin, 3), (world.blank, 2)];
    match psp.withdraw(&device.asks("withdrawal-000001", 1), &items, at(10)) {
        Ok((id, _)) => {
            psp.challenge(&device.asks("challenge-0000001", 1), &id, &[[1; 32]; 5], at(11)).expect(place);
            psp.acknowledge(&device.asks("acknowledge-00001", 1), &id, at(12)).expect(place);
        }
        // The device has the commitments and goes on by name.
        Err(WithdrawalError::Answered) => {
            let id = device.asks("withdrawal-000001", 1).operation();
            match psp.challenge(&device.asks("challenge-0000001", 1), &id, &[[1; 32]; 5], at(11)) {
                // Only a device that keeps the notes has acknowledged them.
                Ok(_) | Err(WithdrawalError::Closed) => {}
                Err(error) => panic!("{place}: {error}"),
            }
            psp.acknowledge(&device.asks("acknowledge-00001", 1), &id, at(12)).expect(place);
        }
        Err(WithdrawalError::Closed) => {}
        Err(error) => panic!("{place}: {error}"),
    }
    rest_of_the_day(world, psp, place);
}

fn rest_of_the_day(world: &World, psp: &TestPsp, place: &str) {
    use specie_psp::withdrawal::WithdrawalError;
    let device = &world.device;
    let redemption =
        Redemption { psp: "north".into(), account: "alice-account".into(), chains: vec![vec![30, 1], vec![40, 2]] };
    psp.redeem(&device.asks("redemption-000001", 1), &redemption, at(13)).expect(place);
    let order = TransferOrder {
        to_psp: name("south"),
        to_account: name("carol"),
        amount: amount(500),
        currency: Currency::new("XTS").unwrap(),
        reference: None,
    };
    psp.transfer(&device.asks("transfer-00000001", 1), &order, at(14)).expect(place);
    match psp.withdraw(&device.asks("withdrawal-000002", 1), &[(world.coin, 1)], at(15)) {
        Ok((second, _)) => psp.cancel(&device.asks("cancel-0000000002", 1), &second, at(16)).expect(place),
        Err(WithdrawalError::Void) => {}
        Err(error) => panic!("{place}: {error}"),
    }
}

#[test]
fn a_device_that_never_comes_back_loses_nothing_and_gains_nothing() {
    at_every_step(|world, place| {
        let psp = world.psp();
        psp.reconcile(at(20)).unwrap();
        world.check_books();
        psp.reconcile(at(20 + 4 * 86_400)).unwrap();
        world.check_at_rest();
        let state = world.bank.state();
        let redeemed: u64 = state.redeemed.iter().map(|chain| u64::from(chain[0])).sum();
        let paid: u64 = state.transfers.values().sum();
        let issued = state.issued();
        drop(state);
        assert_eq!(world.balance(), DEPOSIT - issued + redeemed - paid, "{place}");
    });
}

#[test]
fn an_enrolment_survives_a_crash_at_every_step() {
    for cut in [Cut::Before, Cut::After] {
        for step in 0.. {
            let world = World::before_enrolment();
            let fuse = Fuse::new(step, cut);
            let first = world.enrol(&world.psp_with(&fuse), &world.device, "enrol-0000000000");
            if !fuse.is_broken() {
                assert!(first.is_ok() && step >= 4);
                break;
            }
            let psp = world.psp();
            if step % 2 == 0 {
                psp.reconcile(at(1)).unwrap();
            }
            let again = world.enrol(&psp, &world.device, "enrol-0000000000");
            assert!(again.is_ok(), "crash {cut:?} step {step}: {again:?}");
            assert_eq!(world.bank.state().devices.len(), 1);
            assert_eq!(psp.devices(&name("alice")).unwrap().len(), 1);
        }
    }
}
