//! Synchronising: everything received and all change reaches the account, once, in any order, also after a break.

use specie_core::class::{Info, Kind};
use specie_core::encoding::Decode;
use specie_core::payment::Chain;
use specie_core::request::Request;
use specie_element::client;
use specie_wallet::WalletError;
use specie_wallet::reception::Route;
use specie_wallet::recovery::Pending;
use specie_wallet::synchronisation::{CoinId, RedemptionError, RedemptionResult, Targets};
use specie_wallet::withdrawal::Item;

use crate::bank::{Bank, CAP, NOW, REDEEM_UNTIL, SPEND_UNTIL, amount, at, info, name, xts};
use crate::device::{Device, Halt};
use crate::payments::{hand_over, holding};

#[test]
fn what_was_received_and_change_are_credited_once() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50, 20], 6);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    hand_over(&mut anna, &mut ben, 30).unwrap();
    ben.redeem(&mut bank, NOW).unwrap();
    anna.redeem(&mut bank, NOW).unwrap();
    ben.redeem(&mut bank, NOW).unwrap();
    assert_eq!((bank.credited[&name("ben")], bank.credited[&name("anna")]), (30, 20));
    // A note that is good for long stays.
    assert_eq!((anna.total(), ben.total()), (20, 0));
    anna.resume(NOW).unwrap();
    ben.resume(NOW).unwrap();
    assert_eq!((anna.held_by_element(), ben.held_by_element()), (20, 0));
    anna.reload();
    assert_eq!(anna.total(), 20);
}

#[test]
fn notes_are_renewed_before_they_expire_and_lost_after_the_last_date() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50], 2);
    let soon = SPEND_UNTIL - anna.wallet.settings().renew_before;
    anna.redeem(&mut bank, soon - 1).unwrap();
    assert_eq!(anna.total(), 50);
    assert_eq!(anna.wallet.balance(xts(), at(soon)).expiring, amount(50));
    anna.redeem(&mut bank, SPEND_UNTIL + 7).unwrap();
    assert_eq!((anna.total(), bank.credited_in_all()), (0, 50));

    let mut ben = holding(&mut bank, "ben", &[20], 2);
    ben.redeem(&mut bank, REDEEM_UNTIL + 1).unwrap();
    let balance = ben.wallet.balance(xts(), at(REDEEM_UNTIL + 1));
    assert_eq!((balance.total(), balance.lost), (amount(0), amount(20)));
}

/// Whatever is cut short after so many coins: those that are good for the shortest time were shown.
#[test]
fn the_oldest_notes_are_renewed_first() {
    let mut bank = Bank::new();
    // In another order than that in which they came.
    let classes = [(20, 9), (1, 5), (2, 3)].map(|(face, days)| {
        bank.add_class(Info { epoch: 9, spend_until: at(NOW + days * 86_400), ..info(Kind::Value, face) })
    });
    let mut anna = Device::new(&mut bank, "anna");
    for class_id in classes {
        anna.withdraw_items(&mut bank, &[Item { class_id, count: 1 }]).unwrap();
    }
    let step = anna.wallet.plan_redemptions(at(NOW)).unwrap();
    assert_eq!(anna.commit(step).unwrap().coins, 3);
    for (left, shown) in [(2, 2), (1, 3), (0, 23)] {
        // What was shown is kept: a break between two changes nothing.
        anna.reload();
        let step = anna.wallet.execute_redemptions(1, &mut anna.port).unwrap();
        assert_eq!(anna.commit(step).unwrap(), left);
        let face = |coin| {
            let batch = anna.wallet.redemption_of(&coin).unwrap();
            let class = Chain::decode(&batch.coins[0].1).unwrap().last().preimage.class_id;
            bank.classes.iter().find(|known| known.id() == class).unwrap().info().amount.minor()
        };
        assert_eq!(anna.wallet.shown_coins().map(face).sum::<u64>(), shown);
    }
}

#[test]
fn everything_goes_back_when_it_is_asked_for() {
    let mut bank = Bank::new();
    let mut anna = Device::new(&mut bank, "anna");
    anna.withdraw(&mut bank, 388, 3).unwrap();
    anna.redeem_everything(&mut bank, NOW).unwrap();
    assert_eq!((anna.total(), bank.credited_in_all()), (0, 388));
    anna.resume(NOW).unwrap();
    assert_eq!(anna.held_by_element(), 0);
    // What the bank confirmed is forgotten: only the blanks are left.
    assert_eq!(client::status(&mut anna.port).unwrap().records_used, 3);
}

#[test]
fn undelivered_payments_are_uploaded_and_their_residuals_named() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50, 20], 6);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    let (_, request) = ben.request(70).unwrap();
    let payment = anna.pay(&request).unwrap();
    let used = client::status(&mut anna.port).unwrap().records_used;
    // Not before the payee is out of time.
    anna.redeem(&mut bank, NOW).unwrap();
    // The bank has it: the element may forget both notes.
    anna.resume(NOW).unwrap();
    assert_eq!(client::status(&mut anna.port).unwrap().records_used, used - 2);
    let context = Request::decode(&request).unwrap().context();
    assert_eq!(bank.uploads[&context.0], payment);
    assert_eq!(anna.wallet.uploads().count(), 0);
    assert!(anna.wallet.undelivered_payments().all(|payment| payment.uploaded));
    let late = NOW + 601;
    let step = anna.wallet.plan_redemptions(at(late)).unwrap();
    let plan = anna.commit(step).unwrap();
    assert_eq!((plan.coins, plan.residuals), (2, 2));
    anna.send_redemptions(&mut bank, late).unwrap();
    assert_eq!(bank.credited.get(&name("anna")), Some(&0));
    // The payee finds it at the bank.
    ben.resume(late).unwrap();
    let claimable: Vec<_> = ben.wallet.claimable_requests(at(late)).collect();
    let claimed = claimable
        .iter()
        .filter_map(|id| ben.wallet.request_message(id))
        .map(|request| Request::decode(request).unwrap().context());
    let claimed: Vec<Vec<u8>> = claimed.filter_map(|context| bank.uploads.get(&context.0).cloned()).collect();
    assert_eq!(claimed.len(), 1);
    let receipt = ben.receive_by(&claimed[0], Route::Bank, late).unwrap().receipt;
    ben.redeem(&mut bank, late).unwrap();
    assert_eq!(bank.credited[&name("ben")], 70);
    anna.settle(&receipt).unwrap();
    assert_eq!(anna.balance().undelivered, amount(0));
}

#[test]
fn results_are_applied_one_by_one() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[1, 2, 5], 1);
    let step = anna.wallet.plan_redemption_of_everything(at(NOW)).unwrap();
    anna.commit(step).unwrap();
    let step = anna.wallet.execute_redemptions(3, &mut anna.port).unwrap();
    assert_eq!(anna.commit(step).unwrap(), 0);
    let batch = anna.wallet.redemption_batch(10).unwrap();
    assert_eq!(anna.wallet.redemption_batch(10).unwrap(), batch);
    assert_eq!(anna.wallet.redemption_batch(2).unwrap().coins, batch.coins[..2]);
    let ids: Vec<CoinId> = batch.coins.iter().map(|(id, _)| *id).collect();
    let unknown = [(CoinId(999), RedemptionResult::Later)];
    let error = anna.wallet.apply_redemptions(&unknown, at(NOW)).err().unwrap();
    assert_eq!(error, RedemptionError::UnknownCoin(CoinId(999)));
    let twice = [(ids[0], RedemptionResult::Later), (ids[0], RedemptionResult::Credited(amount(1)))];
    assert!(anna.wallet.apply_redemptions(&twice, at(NOW)).is_err());
    let short = [(ids[2], RedemptionResult::Credited(amount(4))), (ids[0], RedemptionResult::Later)];
    let error = anna.wallet.apply_redemptions(&short, at(NOW)).err().unwrap();
    assert_eq!(error, RedemptionError::WrongAmount(ids[2]));
    let results = [
        (ids[0], RedemptionResult::Credited(amount(1))),
        (ids[1], RedemptionResult::Refused("struck-off".to_string())),
        (ids[2], RedemptionResult::Later),
    ];
    let step = anna.wallet.apply_redemptions(&results, at(NOW)).unwrap();
    anna.commit(step).unwrap();
    for _ in 0..2 {
        let balance = anna.balance();
        assert_eq!((balance.in_redemption, balance.lost), (amount(5), amount(2)));
        assert_eq!(anna.wallet.redemption_batch(10).unwrap().coins.len(), 1);
        let refused: Vec<_> = anna.wallet.refused_redemptions().collect();
        assert_eq!(refused, [(ids[1], amount(2), xts(), "struck-off")]);
        anna.reload();
    }
    assert!(anna.wallet.pending().contains(&Pending::RedemptionsToSend(1)));
    assert!(anna.wallet.apply_redemptions(&results[..1], at(NOW)).is_err());
}

#[test]
fn nothing_is_redeemed_without_an_account() {
    let mut bank = Bank::new();
    let anna = Device::new(&mut bank, "anna");
    let mut port = anna.port;
    let step = specie_wallet::Wallet::create(bank.root.public(), &mut port).unwrap();
    let mut wallet = step.committed();
    assert_eq!(wallet.plan_redemptions(at(NOW)).err().unwrap().code(), "not-enrolled");
}

#[test]
fn the_shortfall_is_what_is_missing_and_no_more_than_the_account_has() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50], 3);
    let targets = Targets { currency: xts(), value: amount(200), blanks: 8, blank_cap: amount(CAP) };
    let worth = |wallet: &specie_wallet::Wallet, account: u64| {
        let items = wallet.shortfall(&targets, amount(account), at(NOW)).unwrap();
        items.iter().fold((0, 0), |(value, blanks), item| {
            let info = wallet.class(&item.class_id).unwrap().info();
            match info.kind {
                Kind::Value => (value + u64::from(item.count) * info.amount.minor(), blanks),
                Kind::Blank => (value, blanks + item.count),
            }
        })
    };
    assert_eq!(worth(&anna.wallet, 1_000), (150, 5));
    assert_eq!(worth(&anna.wallet, 77), (77, 5));
    let items = anna.wallet.shortfall(&targets, amount(1_000), at(NOW)).unwrap();
    let step = anna.wallet.plan_withdrawal(&items, at(NOW), &[5; 32]).unwrap();
    let id = anna.commit(step).unwrap();
    assert_eq!(worth(&anna.wallet, 1_000), (0, 0));
    anna.finish_withdrawal(&mut bank, &id).unwrap();
    assert_eq!(worth(&anna.wallet, 1_000), (0, 0));
    assert_eq!((anna.spendable(), anna.wallet.blanks(xts(), at(NOW)).free), (200, 8));
}

#[test]
fn a_wallet_older_than_its_element_loses_only_what_was_spent() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50, 20], 4);
    let mut ben = holding(&mut bank, "ben", &[], 16);
    let old = anna.store.clone();
    hand_over(&mut anna, &mut ben, 50).unwrap();
    // The host's storage is rolled back: the element is not.
    anna.store = old;
    anna.reload();
    assert_eq!(anna.spendable(), 70);
    let (_, request) = ben.request(50).unwrap();
    assert_eq!(anna.pay(&request).unwrap_err(), Halt::Refused("spent-otherwise"));
    assert_eq!(anna.spendable(), 20);
    anna.redeem_everything(&mut bank, NOW).unwrap();
    ben.redeem(&mut bank, NOW).unwrap();
    assert_eq!((bank.credited[&name("anna")], bank.credited[&name("ben")]), (20, 50));
    assert_eq!(client::status(&mut anna.port).unwrap().held, 0);
}

#[test]
fn what_is_set_aside_stays_so_and_goes_where_it_was_meant_to() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50], 1);
    let step = anna.wallet.plan_redemption_of_everything(at(NOW)).unwrap();
    anna.commit(step).unwrap();
    let moved = specie_wallet::identity::Account { account: name("another"), ..anna.account };
    let step = anna.wallet.enrolled(moved);
    anna.commit(step).unwrap();
    anna.restart();
    assert_eq!((anna.spendable(), anna.balance().in_redemption), (0, amount(50)));
    // The element may have shown it for the first account.
    anna.send_redemptions(&mut bank, NOW).unwrap();
    assert_eq!(bank.credited[&name("anna")], 50);
}
