//! One person, two real PSPs and a real bank: one ration, whoever asks first, repeats, forges or releases what is not its own.

use std::sync::Barrier;

use specie_api::authorization::Psp;
use specie_api::bank::{PERSON_ELSEWHERE, PersonClaim, PersonRelease};
use specie_api::client::CallError;
use specie_api::hexadecimal::HexArray;
use specie_api::psp::OWNER_ELSEWHERE;
use specie_api::{authorization, problem};
use specie_core::class::Kind;
use specie_core::signature::SigningKey;
use specie_psp::person::PersonKind;
use specie_psp::registry::RegistryError;
use specie_psp::withdrawal::MONTH_SECONDS;
use specie_server::bank::{BankConfig, open_bank};
use specie_server::key_file::read_key;

use crate::device::TestDevice;
use crate::world::{World, name};

/// `prepaid` allows so much a day, and a month.
const ALLOWED: u64 = 15_000;

/// Two PSPs with one pepper, a bank that keeps a registry, and alice of the one, who is carol of the other.
fn world() -> (World, TestDevice, TestDevice) {
    let mut world = World::new();
    let pepper = |psp: &str| world.path(psp).join("pepper.key");
    std::fs::copy(pepper("north"), pepper("south")).unwrap();
    world.serve("south");
    let own = world.operator("north").psp.peppers().unwrap().own.unwrap();
    let bank = open_bank(&BankConfig::read(&world.path("bank").join("bank.toml")).unwrap(), world.clock()).unwrap();
    bank.keep_registry(Some(&own)).unwrap();
    for (psp, customer) in [("north", "alice"), ("south", "carol")] {
        let provider = world.operator(psp);
        provider.psp.reconcile(world.now()).unwrap();
        let person = ("https://register", "840506-0000");
        provider.psp.set_person_by_number(&name(customer), PersonKind::Natural, person, world.now()).unwrap();
        provider.psp.deposit(&name(customer), crate::world::amount(ALLOWED), "more", world.now()).unwrap();
    }
    let devices = (world.enrolled("north", "alice", 1), world.enrolled("south", "carol", 2));
    (world, devices.0, devices.1)
}

fn limits(world: &World, device: &TestDevice) -> Result<(), CallError> {
    world.client(device.psp).limits(&mut device.signer(), &world.key(), None).map(drop)
}

fn withdraw(world: &World, device: &TestDevice, hundreds: usize, seed: u8) -> Result<usize, CallError> {
    let classes = vec![world.class(Kind::Value, 100); hundreds];
    device.withdraw(world, &classes, seed).map(|notes| notes.len())
}

#[test]
fn one_unit_over_the_limit_by_a_second_psp_is_refused() {
    let (world, alice, carol) = world();
    limits(&world, &alice).unwrap();
    // All that a person may withdraw in a month.
    assert_eq!(withdraw(&world, &alice, 150, 1).unwrap(), 150);
    let one = world.class(Kind::Value, 1);
    for device in [&alice, &carol] {
        let refused = device.withdraw(&world, std::slice::from_ref(&one), 2).err().unwrap();
        let code = if device.psp == "north" { &specie_api::psp::TIER_LIMIT } else { &OWNER_ELSEWHERE };
        assert!(refused.is(code), "{refused}");
    }
    assert!(limits(&world, &carol).unwrap_err().is(&OWNER_ELSEWHERE));
    assert_eq!(world.balance(&carol), crate::world::DEPOSIT + ALLOWED);
    world.check_at_rest();
    // She moves: nothing at the first from now on, and at the second once a month is over, to the second.
    let until = world.operator("north").psp.release_person(&name("alice"), world.now()).unwrap();
    assert_eq!(until, world.now().saturating_add(MONTH_SECONDS));
    assert!(limits(&world, &alice).unwrap_err().is(&OWNER_ELSEWHERE));
    assert!(limits(&world, &carol).unwrap_err().is(&OWNER_ELSEWHERE));
    world.pass(MONTH_SECONDS);
    assert!(carol.withdraw(&world, std::slice::from_ref(&one), 3).err().unwrap().is(&OWNER_ELSEWHERE));
    world.pass(1);
    limits(&world, &carol).unwrap();
    assert_eq!(withdraw(&world, &carol, 150, 4).unwrap(), 150);
    // And not back, before the same time is over again.
    let north = world.operator("north");
    assert!(matches!(north.psp.claim_person(&name("alice"), world.now()), Err(RegistryError::Elsewhere(_))));
    assert!(limits(&world, &alice).unwrap_err().is(&OWNER_ELSEWHERE));
    world.check_at_rest();
}

#[test]
fn of_two_devices_that_ask_two_psps_at_once_one_gets_limits() {
    let (world, alice, carol) = world();
    let barrier = Barrier::new(2);
    let won: Vec<_> = std::thread::scope(|scope| {
        let racers = [&alice, &carol].map(|device| {
            let (world, barrier) = (&world, &barrier);
            scope.spawn(move || {
                barrier.wait();
                limits(world, device)
            })
        });
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    assert_eq!(won.iter().filter(|won| won.is_ok()).count(), 1, "{won:?}");
    assert!(won.iter().any(|won| matches!(won, Err(error) if error.is(&OWNER_ELSEWHERE))), "{won:?}");
}

#[test]
fn forged_replayed_and_foreign_orders_change_nothing() {
    let (mut world, alice, carol) = world();
    limits(&world, &alice).unwrap();
    let provider = world.operator("north");
    let pseudonym = HexArray(provider.psp.registrations(&name("alice"), provider.clock.now()).unwrap()[0].0);
    let pepper = HexArray(provider.psp.peppers().unwrap().own.unwrap());
    let (north, south) = (key(&world, "north"), key(&world, "south"));
    let bank = world.bank_client();
    let claim = PersonClaim { pepper, pseudonyms: vec![pseudonym] };
    let release = PersonRelease { pseudonym, until: 0 };
    // South signs for itself what is north's, and in north's name what it could not.
    let signed = |psp: &str, key| -> Psp<'_> { authorization::Psp { name: name(psp), key, now: world.now() } };
    let refused = bank.release_person(&mut signed("south", &south), &world.key(), &release).unwrap_err();
    assert!(refused.is(&PERSON_ELSEWHERE), "{refused}");
    let refused = bank.claim_person(&mut signed("south", &south), &world.key(), &claim).unwrap_err();
    assert!(refused.is(&PERSON_ELSEWHERE), "{refused}");
    let forged = bank.release_person(&mut signed("north", &south), &world.key(), &release).unwrap_err();
    assert!(forged.is(&problem::UNAUTHENTICATED), "{forged}");
    // A release that was recorded and is sent again after the person came back: answered as before, and nothing is done.
    let (recorded, early) = (world.key(), world.now());
    let release = PersonRelease { pseudonym, until: early.seconds() };
    bank.release_person(&mut signed("north", &north), &recorded, &release).unwrap();
    bank.claim_person(&mut signed("north", &north), &world.key(), &claim).unwrap();
    bank.release_person(&mut signed("north", &north), &recorded, &release).unwrap();
    world.pass(1);
    assert!(limits(&world, &carol).unwrap_err().is(&OWNER_ELSEWHERE));
    // Without the bank nobody new gets anything, and whom it knows goes on.
    world.kill_bank();
    limits(&world, &alice).unwrap();
    let unheard = limits(&world, &carol).unwrap_err();
    assert!(unheard.is(&specie_api::psp::BANK_UNAVAILABLE), "{unheard}");
}

fn key(world: &World, psp: &str) -> SigningKey {
    read_key(&world.path(psp).join("psp.key")).unwrap()
}
