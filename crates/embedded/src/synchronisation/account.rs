//! What is missing, given what the account holds and the ration allows.

use embedded_storage::nor_flash::NorFlash;
use specie_core::text::Currency;
use specie_core::{Amount, Timestamp};
use specie_wallet::element::Element;
use specie_wallet::synchronisation::Targets;
use specie_wallet::withdrawal::Item;

use super::{NOTES_AT_ONCE, ROUNDS_MAX, Stage, Synchronisation};
use crate::answers::Account;
use crate::device::{Device, Done, Random};
use crate::errand::Answer;
use crate::failure::Failure;

impl Synchronisation {
    /// Plans a withdrawal of what is missing, as much as is done at once.
    #[inline(never)]
    pub(super) fn take_account<F: NorFlash, E: Element, R: Random>(
        &mut self,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
        now: Timestamp,
    ) -> Done<()> {
        let account: Account = answer.read()?;
        self.report.account_balance = Some(account.balance);
        let Some(currency) = Currency::new(&account.currency) else {
            return Err(Failure::new("wrong-answer", "the PSP named no currency", "ask the PSP"));
        };
        let ration = account.rations.iter().max_by_key(|ration| ration.blanks.min(u64::from(self.keep.blanks)));
        let (left, cap_max) = ration.map_or((0, 0), |ration| (ration.blanks, ration.cap_max));
        let cap_max = amount(cap_max);
        let free = device.wallet().blanks(currency, now).free;
        // As far as the ration goes: what is there already counts too.
        let reachable = u16::try_from(left.saturating_add(free as u64)).unwrap_or(u16::MAX);
        let targets = Targets {
            currency,
            value: self.keep.value,
            blanks: self.keep.blanks.min(reachable),
            blank_cap: self.keep.blank_cap.map_or(cap_max, |cap| cap.min(cap_max)),
        };
        let available = amount(account.balance.min(account.withdrawable));
        let mut items = device.wallet().shortfall(&targets, available, now)?;
        shorten(&mut items, NOTES_AT_ONCE);
        if items.is_empty() || self.rounds == ROUNDS_MAX {
            self.stage = Stage::Housekeeping;
            return Ok(());
        }
        device.check_room_to_withdraw()?;
        self.rounds += 1;
        let seed = device.seed()?;
        let step = device.wallet.plan_withdrawal(&items, now, &seed)?;
        device.commit(step)?;
        self.stage = Stage::Withdrawals;
        Ok(())
    }
}

/// The first `most` of them.
fn shorten(items: &mut alloc::vec::Vec<Item>, most: u16) {
    let mut left = most;
    for item in items.iter_mut() {
        item.count = item.count.min(left);
        left -= item.count;
    }
    items.retain(|item| item.count > 0);
}

fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap_or(Amount::MAX)
}
