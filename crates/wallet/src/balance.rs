//! One balance that explains its parts.

use specie_core::amount::{Amount, Timestamp};
use specie_core::class::Kind;
use specie_core::text::Currency;

use crate::purse::{Holding, Place, Shelf};
use crate::sorted::Set;
use crate::wallet::Wallet;

/// What the device holds in one currency, by what can be done with it. The parts do not overlap, except that `expiring` is among the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    /// Issued notes that can be paid with now, offline.
    pub notes: Amount,
    /// Received, and can be paid with now, offline.
    pub received: Amount,
    /// Change that can be paid with now, offline (only if the settings allow it).
    pub change_spendable: Amount,
    /// Change kept until the next synchronisation.
    pub change_kept: Amount,
    /// Good at the bank but not offline: out of hops, past `spend_until`, or on the revocation list.
    pub redeem_only: Amount,
    /// Asked of the bank, not yet in the wallet.
    pub in_withdrawal: Amount,
    /// On its way to the account.
    pub in_redemption: Amount,
    /// Set aside for payments that are planned but not complete.
    pub in_planned_payments: Amount,
    /// Paid, and no receipt yet: it left the wallet, and comes back only if the payee never claims it.
    pub undelivered: Amount,
    /// Of the above, what has to be redeemed soon: close to `spend_until`, or past it.
    pub expiring: Amount,
    /// Past `redeem_until`, or refused by the bank for good.
    pub lost: Amount,
}

impl Balance {
    /// What can be paid with now, offline.
    pub fn spendable(&self) -> Amount {
        sum([self.notes, self.received, self.change_spendable])
    }

    /// Everything that is the owner's: all but what is undelivered or lost.
    pub fn total(&self) -> Amount {
        let waiting =
            [self.change_kept, self.redeem_only, self.in_withdrawal, self.in_redemption, self.in_planned_payments];
        sum([self.spendable(), sum(waiting)])
    }
}

fn sum<const N: usize>(amounts: [Amount; N]) -> Amount {
    amounts.into_iter().fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(Amount::MAX))
}

fn add(part: &mut Amount, amount: Amount) {
    *part = sum([*part, amount]);
}

/// The blanks of a wallet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BlankCount {
    /// Ready to own something.
    pub free: usize,
    /// In requests that are neither paid nor expired.
    pub reserved: usize,
    /// Own something.
    pub owning: usize,
}

impl Wallet {
    /// What the device holds in `currency`.
    pub fn balance(&self, currency: Currency, now: Timestamp) -> Balance {
        let now = self.not_before_floor(now);
        let mut balance = Balance { in_withdrawal: self.arriving(currency).0, ..Balance::default() };
        let holdings = self.purse.iter().map(|(_, holding)| holding);
        holdings
            .filter(|holding| holding.currency() == currency)
            .for_each(|holding| self.weigh(holding, now, &mut balance));
        let undelivered = self.payments.undelivered().filter(|(_, payment)| payment.request.body.currency == currency);
        undelivered.for_each(|(_, payment)| add(&mut balance.undelivered, payment.paid()));
        let (on_the_way, refused) = self.redemptions.sums(currency);
        add(&mut balance.in_redemption, on_the_way);
        add(&mut balance.lost, refused);
        balance
    }

    /// Adds a holding to the part where it belongs.
    fn weigh(&self, holding: &Holding, now: Timestamp, balance: &mut Balance) {
        let amount = holding.amount();
        match holding.place {
            Place::Input(_) => return add(&mut balance.in_planned_payments, amount),
            // Counted with the withdrawals and the redemptions.
            Place::Arriving(_) | Place::Redeeming => return,
            Place::Idle | Place::Reserved(_) | Place::ForChange(_) => {}
        }
        if now > holding.redeem_until() {
            return add(&mut balance.lost, amount);
        }
        let outdated = now > holding.spend_until();
        let part = match self.purse.shelf(holding) {
            Shelf::FreeBlank | Shelf::Aside | Shelf::Residual => return,
            _ if outdated => &mut balance.redeem_only,
            Shelf::RedeemOnly => &mut balance.redeem_only,
            Shelf::KeptChange => &mut balance.change_kept,
            Shelf::Spendable if holding.coin.is_none() => &mut balance.notes,
            Shelf::Spendable if holding.is_change() => &mut balance.change_spendable,
            Shelf::Spendable => &mut balance.received,
        };
        add(part, amount);
        if now.saturating_add(self.settings.renew_before) >= holding.spend_until() {
            add(&mut balance.expiring, amount);
        }
    }

    /// The currencies that the manifest has classes of, or that the wallet holds, in alphabetical order.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        let issued = self.class_infos().map(|(_, info)| info.currency);
        let held = self.purse.iter().map(|(_, holding)| holding.currency());
        issued.chain(held).collect::<Set<_>>().into_iter()
    }

    /// The blanks in `currency`.
    pub fn blanks(&self, currency: Currency, now: Timestamp) -> BlankCount {
        let now = self.not_before_floor(now);
        let mut count = BlankCount::default();
        for (_, holding) in self.purse.iter() {
            let blank = holding.material.info.kind == Kind::Blank && holding.currency() == currency;
            if !blank || now > holding.spend_until() {
                continue;
            }
            match holding.place {
                Place::Reserved(_) | Place::ForChange(_) => count.reserved += 1,
                Place::Idle if holding.coin.is_none() => count.free += 1,
                Place::Idle | Place::Input(_) | Place::Redeeming => count.owning += 1,
                Place::Arriving(_) => {}
            }
        }
        count
    }
}
