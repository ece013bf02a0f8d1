//! A shelf of coins or blanks, by amount and date.

use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::text::Currency;

use crate::sorted::{Map, Set};

/// Last moment of use, then how long it lay idle, then the index.
type Place = (Timestamp, u64, u32);

/// One coin or blank on a shelf. A blank lies there by its cap.
pub(crate) struct Entry {
    pub(crate) currency: Currency,
    pub(crate) amount: Amount,
    pub(crate) until: Timestamp,
    pub(crate) order: u64,
    pub(crate) index: u32,
}

/// Coins or blanks in order of amount. Everything that a payment asks of it costs the logarithm of what is there.
#[derive(Default)]
pub(crate) struct Stock(Map<Currency, Map<Amount, Set<Place>>>);

impl Stock {
    pub(crate) fn insert(&mut self, entry: &Entry) {
        let places = self.0.or_default(entry.currency).or_default(entry.amount);
        places.insert((entry.until, entry.order, entry.index));
    }

    pub(crate) fn remove(&mut self, entry: &Entry) {
        let Some(amounts) = self.0.get_mut(&entry.currency) else { return };
        let Some(places) = amounts.get_mut(&entry.amount) else { return };
        places.remove(&(entry.until, entry.order, entry.index));
        if places.is_empty() {
            amounts.remove(&entry.amount);
        }
    }

    /// Those of at least `least` that are good until `at`, smallest first; among equals the one that expires first.
    pub(crate) fn at_least(
        &self,
        currency: Currency,
        least: Amount,
        at: Timestamp,
    ) -> impl Iterator<Item = (Amount, u32)> {
        let amounts = self.0.get(&currency).into_iter().flat_map(move |amounts| amounts.from(least));
        amounts.flat_map(move |(amount, places)| good(places, at).map(|index| (*amount, index)))
    }

    /// Those that are good until `at`, largest first.
    pub(crate) fn largest(&self, currency: Currency, at: Timestamp) -> impl Iterator<Item = (Amount, u32)> {
        let amounts = self.0.get(&currency).into_iter().flat_map(|amounts| amounts.iter().rev());
        amounts.flat_map(move |(amount, places)| good(places, at).map(|index| (*amount, index)))
    }

    /// The fewest coins that make `amount`, and among these such that little is left over: one coin, the smallest sufficient one; else the
    /// largest ones, and for the rest the smallest sufficient one. `None` when `most` coins do not make it.
    pub(crate) fn select(&self, currency: Currency, amount: Amount, most: usize, at: Timestamp) -> Option<Vec<u32>> {
        let mut taken: Vec<u32> = Vec::with_capacity(most);
        let mut largest = self.largest(currency, at);
        let mut missing = amount;
        while taken.len() < most {
            let last = self.at_least(currency, missing, at).find(|(_, index)| !taken.contains(index));
            if let Some((_, index)) = last {
                taken.push(index);
                return Some(taken);
            }
            let (amount, index) = largest.next()?;
            missing = missing.checked_sub(amount)?;
            taken.push(index);
        }
        None
    }

    /// `count` blanks, or fewer if there are not as many, that may each own `cap` and are good until `at`: lowest caps first.
    pub(crate) fn blanks(&self, currency: Currency, cap: Amount, at: Timestamp, count: usize) -> Vec<u32> {
        self.at_least(currency, cap, at).take(count).map(|(_, index)| index).collect()
    }

    /// Σ of what is good until `at`.
    pub(crate) fn sum(&self, currency: Currency, at: Timestamp) -> Amount {
        let amounts = self.largest(currency, at).map(|(amount, _)| amount);
        amounts.fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(Amount::MAX))
    }
}

fn good(places: &Set<Place>, at: Timestamp) -> impl Iterator<Item = u32> {
    places.from((at, 0, 0)).map(|(_, _, index)| *index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stock(amounts: &[u64], until: u64) -> Stock {
        let mut stock = Stock::default();
        for (index, amount) in amounts.iter().enumerate() {
            stock.insert(&entry(index as u32, *amount, until));
        }
        stock
    }

    fn entry(index: u32, amount: u64, until: u64) -> Entry {
        Entry {
            currency: Currency::new("XTS").unwrap(),
            amount: Amount::new(amount).unwrap(),
            until: Timestamp::new(until).unwrap(),
            order: index.into(),
            index,
        }
    }

    fn select(stock: &Stock, amount: u64, most: usize, at: u64) -> Option<Vec<u32>> {
        let (amount, at) = (Amount::new(amount).unwrap(), Timestamp::new(at).unwrap());
        stock.select(Currency::new("XTS").unwrap(), amount, most, at)
    }

    #[test]
    fn one_coin_with_the_least_change_wins() {
        assert_eq!(select(&stock(&[50, 10, 20, 200], 9), 11, 8, 0), Some(alloc::vec![2]));
        assert_eq!(select(&stock(&[50, 10, 20, 200], 9), 200, 8, 0), Some(alloc::vec![3]));
    }

    #[test]
    fn coins_past_their_date_are_passed_over() {
        let mut stock = stock(&[100], 5);
        stock.insert(&entry(7, 200, 9));
        assert_eq!(select(&stock, 60, 8, 5), Some(alloc::vec![0]));
        assert_eq!(select(&stock, 60, 8, 6), Some(alloc::vec![7]));
        assert_eq!(select(&stock, 60, 8, 10), None);
    }

    #[test]
    fn other_currencies_are_no_money_here() {
        assert_eq!(stock(&[100], 5).select(Currency::new("EUR").unwrap(), Amount::ZERO, 8, Timestamp::EPOCH), None);
    }

    #[test]
    fn an_empty_shelf_is_removed() {
        let mut stock = stock(&[100, 100], 5);
        stock.remove(&entry(0, 100, 5));
        assert_eq!(select(&stock, 100, 1, 0), Some(alloc::vec![1]));
        stock.remove(&entry(1, 100, 5));
        assert_eq!(select(&stock, 100, 1, 0), None);
        assert!(stock.0.values().all(Map::is_empty));
    }

    proptest! {
        /// No smaller set of coins makes the amount, and no single coin less change.
        #[test]
        fn as_few_coins_as_possible(
            amounts in proptest::collection::vec(1u64..60, 1..9),
            amount in 1u64..200,
            most in 1usize..9,
        ) {
            let subsets = 1u32..1 << amounts.len();
            let sum = |set: u32| amounts.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1).map(|(_, a)| a).sum::<u64>();
            let fewest = subsets.clone().filter(|set| sum(*set) >= amount).map(u32::count_ones).min();
            let selected = select(&stock(&amounts, 9), amount, most, 0);
            match fewest.filter(|fewest| *fewest as usize <= most) {
                None => prop_assert_eq!(selected, None),
                Some(fewest) => {
                    let selected = selected.unwrap();
                    prop_assert_eq!(selected.len(), fewest as usize);
                    let paid: u64 = selected.iter().map(|index| amounts[*index as usize]).sum();
                    prop_assert!(paid >= amount);
                    if fewest == 1 {
                        let least = amounts.iter().filter(|a| **a >= amount).min().unwrap();
                        prop_assert_eq!(paid, *least);
                    }
                    let mut distinct = selected.clone();
                    distinct.sort_unstable();
                    distinct.dedup();
                    prop_assert_eq!(distinct.len(), selected.len());
                    // Every coin is needed: each transfer has something to pay.
                    let all_but_last: u64 = selected[..selected.len() - 1].iter().map(|index| amounts[*index as usize]).sum();
                    prop_assert!(all_but_last < amount);
                }
            }
        }
    }
}
