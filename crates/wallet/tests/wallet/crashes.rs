//! The power goes at every point at which it can: before and after every command to the element and every commit. After a restart the same is
//! said again, nothing is lost, nothing is paid twice.

use specie_core::encoding::Decode;
use specie_core::request::Request;
use specie_wallet::payment::Form;
use specie_wallet::recovery::Pending;
use specie_wallet::request::{RequestState, Terms};
use specie_wallet::withdrawal::Action;

use crate::bank::{Bank, NOW, amount, at, name};
use crate::device::{Device, Halt};
use crate::disclosures::above;
use crate::payments::holding;

/// Runs `scenario` once for each point at which the power may go, until a run gets through. It restarts what crashed by itself.
fn at_every_point(mut scenario: impl FnMut(u32) -> bool) {
    let mut points = 0;
    while scenario(points) {
        points += 1;
        assert!(points < 2_000, "the scenario never ends");
    }
    assert!(points > 4, "there were points to crash at");
}

/// A bank whose payments are disclosed, or not.
fn bank_of(disclosed: bool) -> Bank {
    let mut bank = Bank::new();
    bank.supervision = if disclosed { vec![above(20, 0)] } else { Vec::new() };
    bank
}

#[test]
fn survives_power_cut_in_a_withdrawal() {
    at_every_point(|point| {
        let mut bank = Bank::new();
        let mut anna = Device::new(&mut bank, "anna");
        let items = anna.wallet.value_items(crate::bank::xts(), amount(40), at(NOW)).unwrap();
        let step = anna.wallet.plan_withdrawal(&items, at(NOW), &[7; 32]).unwrap();
        let id = anna.commit(step).unwrap();
        anna.port.fuel = Some(point);
        let crashed = anna.finish_withdrawal(&mut bank, &id).is_err();
        if crashed {
            anna.restart();
            anna.resume(NOW).unwrap();
            if anna.wallet.withdrawal_action(&id) != Action::Done {
                assert!(anna.wallet.pending().contains(&Pending::Withdrawal(id)));
            }
            anna.finish_withdrawal(&mut bank, &id).unwrap();
        }
        anna.port.fuel = None;
        assert_eq!((anna.spendable(), anna.total(), bank.issued), (40, 40, 40));
        assert_eq!(anna.held_by_element(), 40);
        crashed
    });
}

#[test]
fn survives_power_cut_of_the_payer() {
    for disclosed in [false, true] {
        at_every_point(|point| {
            let mut bank = bank_of(disclosed);
            let mut anna = holding(&mut bank, "anna", &[50, 10, 20], 4);
            let mut ben = holding(&mut bank, "ben", &[], 16);
            let (_, request) = ben.request(65).unwrap();
            let id = Request::decode(&request).unwrap().context();
            anna.port.fuel = Some(point);
            let crashed = match anna.pay(&request) {
                Ok(_) => false,
                Err(halt) => {
                    assert_eq!(halt, Halt::Crash);
                    true
                }
            };
            if crashed {
                let total = 80;
                anna.restart();
                assert_eq!(anna.total() + anna.balance().undelivered.minor(), total);
                anna.resume(NOW).unwrap();
                assert_eq!(anna.total() + anna.balance().undelivered.minor(), total);
            }
            anna.port.fuel = None;
            let payment = anna.pay(&request).unwrap();
            anna.restart();
            assert_eq!(anna.wallet.payment_message(&id, Form::Extended).unwrap(), payment);
            let receipt = ben.receive(&payment).unwrap().receipt;
            anna.settle(&receipt).unwrap();
            assert_eq!((anna.total(), ben.spendable()), (15, 65));
            anna.redeem_everything(&mut bank, NOW).unwrap();
            ben.redeem_everything(&mut bank, NOW).unwrap();
            assert_eq!((bank.credited[&name("anna")], bank.credited[&name("ben")]), (15, 65));
            crashed
        });
    }
}

/// An element whose flash fails does not know itself whether it spent: a wallet that took that for a no would believe that
/// it still has what is gone.
#[test]
fn an_element_whose_flash_fails_costs_nothing() {
    let mut failed = 0;
    for commands in 0.. {
        let mut bank = Bank::new();
        let mut anna = holding(&mut bank, "anna", &[50, 20], 4);
        let mut ben = holding(&mut bank, "ben", &[], 16);
        let (_, request) = ben.request(65).unwrap();
        anna.port.flash_fails_in = Some(commands);
        let paid = anna.pay(&request);
        if paid.is_ok() {
            break;
        }
        failed += 1;
        let payment = anna.pay(&request).unwrap();
        let receipt = ben.receive(&payment).unwrap().receipt;
        anna.settle(&receipt).unwrap();
        assert_eq!((anna.total(), anna.held_by_element(), ben.spendable()), (5, 5, 65), "command {commands}");
    }
    assert_eq!(failed, 3, "STATUS and two SPENDs");
}

#[test]
fn survives_power_cut_of_the_payer_until_after_the_request_expired() {
    let late = NOW + 601;
    for disclosed in [false, true] {
        at_every_point(|point| {
            let mut bank = bank_of(disclosed);
            let mut anna = holding(&mut bank, "anna", &[50, 10, 20], 4);
            let mut ben = holding(&mut bank, "ben", &[], 16);
            let (_, request) = ben.request(65).unwrap();
            anna.port.fuel = Some(point);
            let crashed = anna.pay(&request).is_err();
            anna.restart();
            let held = anna.held_by_element();
            anna.resume(late).unwrap();
            assert!(!anna.wallet.pending().iter().any(|pending| matches!(pending, Pending::Payment(_))));
            let balance = anna.wallet.balance(crate::bank::xts(), at(late));
            assert_eq!(balance.total().minor() + balance.undelivered.minor(), 80);
            assert_eq!(balance.in_planned_payments, amount(0));
            // Nothing more is spent than the element had spent when the power went.
            assert_eq!((anna.held_by_element(), balance.total().minor()), (held, held));
            anna.reload();
            assert_eq!(anna.wallet.balance(crate::bank::xts(), at(late)), balance);
            // All that is left is the owner's, and what was shown falls back with the residuals.
            let step = anna.wallet.plan_redemption_of_everything(at(late)).unwrap();
            anna.commit(step).unwrap();
            anna.send_redemptions(&mut bank, late).unwrap();
            assert_eq!(bank.credited[&name("anna")], balance.total().minor());
            crashed
        });
    }
}

#[test]
fn survives_power_cut_of_the_payee() {
    for disclosed in [false, true] {
        at_every_point(|point| {
            let mut bank = bank_of(disclosed);
            let mut anna = holding(&mut bank, "anna", &[50, 20], 4);
            let mut ben = holding(&mut bank, "ben", &[], 6);
            let descriptor = bank.descriptor(ben.wallet.device(), "ben");
            let step = ben.wallet.accept_descriptor(&descriptor, at(NOW)).unwrap();
            ben.commit(step).unwrap();
            let terms = Terms { notes_max: 3, ..Device::terms(65) };
            let step = ben.wallet.plan_request(&terms, at(NOW), &[8; 32]).unwrap();
            ben.port.fuel = Some(point);
            let mut crashed = false;
            let id = match ben.commit(step) {
                Ok(id) => Some(id),
                Err(_) => {
                    crashed = true;
                    ben.restart();
                    ben.resume(NOW).unwrap();
                    ben.wallet.open_requests(at(NOW)).next()
                }
            };
            let Some(id) = id else {
                // Never stored: nothing is reserved.
                assert_eq!(ben.wallet.blanks(crate::bank::xts(), at(NOW)).free, 6);
                return true;
            };
            let request = ben.open(&id).unwrap_or_else(|halt| {
                assert_eq!(halt, Halt::Crash);
                crashed = true;
                ben.restart();
                ben.resume(NOW).unwrap();
                assert_eq!(ben.wallet.request_state(&id, at(NOW)), Some(RequestState::Open));
                ben.open(&id).unwrap()
            });
            let payment = anna.pay(&request).unwrap();
            let received = ben.receive(&payment).unwrap_or_else(|halt| {
                assert_eq!(halt, Halt::Crash);
                crashed = true;
                ben.restart();
                ben.receive(&payment).unwrap()
            });
            if ben.resume(NOW).is_err() {
                crashed = true;
                ben.restart();
                ben.resume(NOW).unwrap();
            }
            ben.port.fuel = None;
            assert_eq!(ben.receive(&payment).unwrap().receipt, received.receipt);
            anna.settle(&received.receipt).unwrap();
            assert_eq!((ben.spendable(), ben.held_by_element()), (65, 65));
            assert_eq!(ben.wallet.blanks(crate::bank::xts(), at(NOW)).owning, 2);
            assert_eq!(ben.wallet.blanks(crate::bank::xts(), at(NOW)).free, 4);
            crashed
        });
    }
}

#[test]
fn survives_power_cut_in_a_synchronisation() {
    at_every_point(|point| {
        let mut bank = Bank::new();
        let mut anna = holding(&mut bank, "anna", &[50, 20], 6);
        let mut ben = holding(&mut bank, "ben", &[10], 6);
        let (_, request) = anna.request(10).unwrap();
        let payment = ben.pay(&request).unwrap();
        anna.receive(&payment).unwrap();
        let (_, request) = ben.request(15).unwrap();
        anna.pay(&request).unwrap();
        anna.resume(NOW).unwrap();
        anna.port.fuel = Some(point);
        let crashed = anna.redeem(&mut bank, NOW).and_then(|()| anna.resume(NOW)).is_err();
        if crashed {
            anna.restart();
            anna.resume(NOW).unwrap();
            anna.redeem(&mut bank, NOW).unwrap();
            anna.resume(NOW).unwrap();
        }
        anna.port.fuel = None;
        assert_eq!(bank.credited[&name("anna")], 15);
        assert_eq!(bank.uploads.len(), 1);
        assert_eq!((anna.total(), anna.held_by_element()), (50, 50));
        crashed
    });
}
