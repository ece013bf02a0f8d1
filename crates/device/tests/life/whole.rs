//! Lives in which everybody does what they should.

use std::net::TcpListener;
use std::time::Duration;

use specie_device::Device;
use specie_device::device::Delivered;
use specie_device::link::compact;
use specie_wallet::recovery::Pending;

use crate::town::{Town, amount, currency, holding, terms};

const PATIENCE: Duration = Duration::from_secs(30);

/// Request, payment, receipt, as messages.
fn hand_over(payer: &mut Device, payee: &mut Device, minor: u64) {
    let asked = payee.request(&terms(minor)).unwrap();
    let preview = payer.preview(&asked.message).unwrap();
    assert_eq!((preview.amount, preview.repeated), (amount(minor), false));
    let paid = payer.pay(&asked.message).unwrap();
    assert_eq!(payer.pay(&asked.message).unwrap(), paid, "the same request is paid once");
    // By QR code, say.
    let received = payee.receive(&compact(&paid.message).unwrap()).unwrap();
    assert_eq!((received.amount, received.repeated), (amount(minor), false));
    assert!(payee.receive(&paid.message).unwrap().repeated);
    assert_eq!(payer.take_receipt(&received.receipt).unwrap(), paid.id);
    assert!(payer.undelivered().is_empty());
}

fn synchronise(device: &mut Device) -> specie_device::device::SyncReport {
    let report = device.synchronise(&mut |_| {}).unwrap();
    assert!(report.failures.is_empty() && report.coins_refused.is_empty(), "{report:?}");
    report
}

pub(crate) fn money_goes_round_while_the_servers_are_away() {
    let mut town = Town::new();
    let mut alice = town.enrol("alice", 20_000, "standard");
    let mut bob = town.enrol("bob", 0, "standard");
    let mut carol = town.enrol("carol", 0, "standard");
    for device in [&mut alice, &mut bob, &mut carol] {
        synchronise(device);
    }
    let withdrawn = alice.withdraw(currency(), amount(8_000), &mut |_| {}).unwrap();
    assert_eq!((withdrawn.amount, holding(&alice), town.balance(&alice)), (8_000, 8_000, 12_000));
    town.check_books();

    town.close();
    let failure = alice.synchronise(&mut |_| {}).unwrap_err();
    assert!(failure.is_offline() && failure.money_moved() == Some(false), "{failure}");
    hand_over(&mut alice, &mut bob, 1_234);
    hand_over(&mut bob, &mut carol, 1_000);
    assert_eq!((holding(&alice), holding(&bob), holding(&carol)), (6_766, 234, 1_000));
    drop(bob);

    town.open();
    let mut bob = Device::open(&town.path("bob")).unwrap();
    let report = synchronise(&mut carol);
    assert_eq!((report.redeemed, town.balance(&carol)), (1_000, 1_000));
    synchronise(&mut alice);
    synchronise(&mut bob);
    assert_eq!(town.balance(&bob) + holding(&bob), 234);
    assert_eq!(town.balance(&alice) + holding(&alice), 18_766);
    assert!(alice.overview().pending.is_empty(), "{:?}", alice.overview().pending);
    alice.redeem_everything(&mut |_| {}).unwrap();
    assert_eq!((holding(&alice), town.balance(&alice)), (0, 18_766));
    assert!(alice.history().len() >= 3);
    town.check_books();
}

pub(crate) fn an_undelivered_payment_is_claimed_from_the_bank() {
    let town = Town::new();
    let mut alice = town.enrol("alice", 5_000, "standard");
    let mut bob = town.enrol("bob", 0, "standard");
    synchronise(&mut alice);
    synchronise(&mut bob);
    alice.withdraw(currency(), amount(3_000), &mut |_| {}).unwrap();
    let asked = bob.request(&terms(777)).unwrap();
    alice.pay(&asked.message).unwrap();
    assert_eq!(alice.undelivered().len(), 1);
    assert_eq!(synchronise(&mut alice).uploaded, 1);
    let report = synchronise(&mut bob);
    assert_eq!(report.claimed.len(), 1);
    assert_eq!((report.redeemed, town.balance(&bob) + holding(&bob)), (777, 777));
    assert_eq!(town.balance(&alice) + holding(&alice), 4_223);
    town.check_books();
}

pub(crate) fn two_devices_pay_over_tcp() {
    let town = Town::new();
    let mut alice = town.enrol("alice", 5_000, "standard");
    let mut bob = town.enrol("bob", 0, "standard");
    synchronise(&mut alice);
    synchronise(&mut bob);
    alice.withdraw(currency(), amount(1_000), &mut |_| {}).unwrap();
    let asked = bob.request(&terms(451)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let received = std::thread::scope(|scope| {
        let till = scope.spawn(|| bob.receive_over_tcp(&listener, &asked.id, PATIENCE));
        let failure = alice.pay_over_tcp(&address, &mut |_| false).unwrap_err();
        assert_eq!((failure.code(), holding(&alice)), ("not-confirmed", 1_000));
        let delivered = alice.pay_over_tcp(&address, &mut |preview| preview.amount == amount(451)).unwrap();
        assert!(matches!(delivered, Delivered::Confirmed(_)), "{delivered:?}");
        till.join().unwrap().unwrap()
    });
    assert_eq!((received.amount, holding(&alice), holding(&bob)), (amount(451), 549, 451));
    drop(listener);
    assert_eq!(alice.pay_over_tcp(&address, &mut |_| true).unwrap_err().code(), "payee-unreachable");
}

pub(crate) fn a_merchant_is_paid_online_once() {
    let town = Town::new();
    let mut alice = town.enrol("alice", 5_000, "standard");
    let mut shop = town.enrol("shop", 0, "merchant");
    synchronise(&mut alice);
    synchronise(&mut shop);
    let asked = shop.request(&terms(1_999)).unwrap();
    let paid = alice.pay_online(&asked.message).unwrap();
    assert!(paid.transfer.is_some());
    assert_eq!(alice.pay_online(&asked.message).unwrap(), paid);
    assert_eq!((town.balance(&alice), town.balance(&shop)), (3_001, 1_999));
    // Not offline too; and what was paid offline is not paid online.
    alice.withdraw(currency(), amount(3_000), &mut |_| {}).unwrap();
    assert_eq!(alice.pay(&asked.message).unwrap_err().code(), "paid-already");
    let asked = shop.request(&terms(100)).unwrap();
    alice.pay(&asked.message).unwrap();
    assert_eq!(alice.pay_online(&asked.message).unwrap_err().code(), "paid-already");
    // Nobody without a verified account is paid online.
    let asked = alice.request(&terms(5)).unwrap();
    assert_eq!(shop.pay_online(&asked.message).unwrap_err().code(), "no-account");
    town.check_books();
}

pub(crate) fn what_was_never_sent_is_not_under_way() {
    let mut town = Town::new();
    let mut alice = town.enrol("alice", 5_000, "standard");
    let mut shop = town.enrol("shop", 0, "merchant");
    synchronise(&mut alice);
    synchronise(&mut shop);
    alice.withdraw(currency(), amount(1_000), &mut |_| {}).unwrap();
    let asked = shop.request(&terms(300)).unwrap();
    town.close();
    let failure = alice.withdraw(currency(), amount(700), &mut |_| {}).unwrap_err();
    assert_eq!((failure.code(), failure.money_moved()), ("psp-unreachable", Some(false)));
    assert!(!alice.overview().pending.iter().any(|pending| matches!(pending, Pending::Withdrawal(_))));
    let failure = alice.pay_online(&asked.message).unwrap_err();
    assert_eq!((failure.code(), failure.money_moved()), ("psp-unreachable", Some(false)));
    let paid = alice.pay(&asked.message).unwrap();
    assert_eq!(shop.receive(&paid.message).unwrap().amount, amount(300));
    town.open();
    alice.withdraw(currency(), amount(700), &mut |_| {}).unwrap();
    assert_eq!((town.balance(&alice), holding(&alice)), (3_300, 1_400));
    town.check_books();
}

pub(crate) fn refusals_say_what_to_do() {
    let town = Town::new();
    let address = format!("http://{}", town.psp_address());
    let mut stranger = town.device("stranger", &address);
    assert_eq!(stranger.synchronise(&mut |_| {}).unwrap_err().code(), "not-enrolled");
    assert_eq!(stranger.enrol("stranger", "0000-0000").unwrap_err().code(), "claim-code-invalid");
    assert_eq!(Device::open(&town.path("stranger")).err().unwrap().code(), "wallet-in-use");
    assert_eq!(Device::open(&town.path("nobody")).err().unwrap().code(), "no-device");
    let mut alice = town.enrol("alice", 100, "standard");
    assert_eq!(alice.enrol("alice", "x").unwrap_err().code(), "enrolled-already");
    let failure = alice.withdraw(currency(), amount(5_000), &mut |_| {}).unwrap_err();
    assert_eq!((failure.code(), failure.is_offline(), town.balance(&alice)), ("insufficient-balance", false, 100));
    alice.resume().unwrap();
    assert!(alice.overview().pending.is_empty(), "{:?}", alice.overview().pending);
    assert_eq!(alice.pay(b"nonsense").unwrap_err().code(), "malformed");
    synchronise(&mut alice);
    let asked = alice.request(&terms(5)).unwrap();
    assert_eq!(alice.pay(&asked.message).unwrap_err().code(), "own-request");
    assert_eq!(alice.receive(&asked.message).unwrap_err().code(), "unexpected-message");
    // With a PIN set, whoever opens the device needs it.
    alice.change_pin(b"", b"1234").unwrap();
    drop(alice);
    let mut alice = Device::open(&town.path("alice")).unwrap();
    assert_eq!(alice.withdraw(currency(), amount(50), &mut |_| {}).unwrap_err().code(), "pin-needed");
    assert_eq!(alice.enter_pin(b"12").unwrap_err().code(), "wrong-pin");
    let failure = alice.enter_pin(b"4321").unwrap_err();
    assert!(failure.code() == "wrong-pin" && failure.what().contains("2 tries left"), "{failure}");
    let failure = alice.unblock_pin(b"00000000", b"1234").unwrap_err();
    assert!(failure.code() == "wrong-pin" && failure.what().contains("wrong PUK"), "{failure}");
    alice.enter_pin(b"1234").unwrap();
    assert_eq!(alice.withdraw(currency(), amount(50), &mut |_| {}).unwrap().amount, 50);
    town.check_books();
}
