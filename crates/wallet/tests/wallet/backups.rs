//! What a device leaves for the case that it is lost: all that it holds, provably its own, and nothing that could spend it.

use specie_core::chain::{Deadline, End, Immediately, verify_chain};
use specie_core::class::{Class, Classes};
use specie_core::encoding::Decode;
use specie_core::group::decode_point;
use specie_core::holding::{Backup, Holding};
use specie_core::note::owner_tag;

use crate::bank::{Bank, NOW, REDEEM_UNTIL, amount, at};
use crate::device::Device;
use crate::payments::{hand_over, holding};

/// What a bank that was told `holding` by the owner of `device` would owe for it.
fn worth(bank: &Bank, device: &Device, holding: &Holding<'_>) -> u64 {
    let classes: &[Class] = &bank.classes;
    let class = classes.class(&holding.class_id).unwrap();
    let U = decode_point(&device.wallet.certificate().body.U).unwrap();
    let note = holding.verify_vartime(&bank.generators, class, &U).unwrap();
    let Some(owned) = &holding.owned else { return class.info().amount.minor() };
    let shows = &mut Immediately(&bank.generators);
    let summary = verify_chain(classes, &owned.chain, Deadline::Redeem(at(NOW)), End::Outputs, shows, |_| {}).unwrap();
    let output = summary.outputs.as_slice()[usize::from(owned.index)];
    assert_eq!(output.owner, owner_tag(&note, &owned.blind));
    output.amount.minor()
}

fn worths(bank: &Bank, device: &Device) -> Vec<u64> {
    let bytes = device.wallet.backup(at(NOW));
    let backup = Backup::decode(&bytes).unwrap();
    assert_eq!(backup.made_at, at(NOW));
    let mut worths: Vec<u64> = backup.holdings().map(|holding| worth(bank, device, &holding)).collect();
    worths.sort_unstable();
    worths
}

#[test]
fn everything_that_is_held_is_told_and_no_free_blank() {
    let mut bank = Bank::new();
    let mut anna = holding(&mut bank, "anna", &[50, 20], 6);
    let mut ben = holding(&mut bank, "ben", &[], 8);
    assert_eq!((worths(&bank, &anna), worths(&bank, &ben)), (vec![20, 50], vec![]));
    // Notes, change, and what was received.
    hand_over(&mut anna, &mut ben, 30).unwrap();
    assert_eq!((worths(&bank, &anna), worths(&bank, &ben)), (vec![20, 20], vec![30]));
    hand_over(&mut ben, &mut anna, 10).unwrap();
    assert_eq!((anna.total(), ben.total()), (50, 20));
    assert_eq!(worths(&bank, &anna).iter().sum::<u64>(), 50);
    assert_eq!(worths(&bank, &ben).iter().sum::<u64>(), 20);
    // Another device can claim nothing of it.
    let bytes = anna.wallet.backup(at(NOW));
    let classes: &[Class] = &bank.classes;
    let U = decode_point(&ben.wallet.certificate().body.U).unwrap();
    for holding in Backup::decode(&bytes).unwrap().holdings() {
        let class = classes.class(&holding.class_id).unwrap();
        assert!(holding.verify_vartime(&bank.generators, class, &U).is_err());
    }
}

#[test]
fn what_the_bank_takes_back_no_more_is_left_out() {
    let mut bank = Bank::new();
    let anna = holding(&mut bank, "anna", &[50], 2);
    let told = |seconds| Backup::decode(&anna.wallet.backup(at(seconds))).unwrap().holdings().count();
    assert_eq!((told(REDEEM_UNTIL), told(REDEEM_UNTIL + 1)), (1, 0));
    assert_eq!(anna.wallet.balance(crate::bank::xts(), at(NOW)).total(), amount(50));
}
