//! Which notes to withdraw for an amount.

use alloc::vec;
use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::ClassId;
use specie_core::class::{Info, Kind};
use specie_core::text::Currency;

use super::{Item, NOTES_MAX, WithdrawalError};
use crate::sorted::Map;
use crate::wallet::Wallet;

/// Whether the bank issues notes of this class at `now`.
pub(super) fn is_issued(info: &Info, now: Timestamp) -> bool {
    (info.issue_from..=info.spend_until).contains(&now)
}

impl Wallet {
    /// Face values that add up to `amount`: a mix that pays any amount, as in a well-kept till.
    ///
    /// # Errors
    /// When the classes being issued do not allow it.
    pub fn value_items(
        &self,
        currency: Currency,
        amount: Amount,
        now: Timestamp,
    ) -> Result<Vec<Item>, WithdrawalError> {
        let faces = self.newest_classes(currency, Kind::Value, now);
        if faces.is_empty() {
            return Err(WithdrawalError::NothingIssued(currency));
        }
        let values: Vec<u64> = faces.keys().map(|face| face.minor()).collect();
        let counts = mix(&values, amount.minor()).ok_or(WithdrawalError::Amount(amount))?;
        items(&faces, counts)
    }

    /// Face values that add up to `missing`, of a wallet that is to hold `target`: those first that its mix lacks. A kit for
    /// every sum that was paid would fill the wallet with the smallest notes.
    ///
    /// # Errors
    /// When the classes being issued do not allow it.
    pub(crate) fn missing_items(
        &self,
        currency: Currency,
        target: Amount,
        missing: Amount,
        now: Timestamp,
    ) -> Result<Vec<Item>, WithdrawalError> {
        let faces = self.newest_classes(currency, Kind::Value, now);
        if faces.is_empty() {
            return Err(WithdrawalError::NothingIssued(currency));
        }
        let values: Vec<u64> = faces.keys().map(|face| face.minor()).collect();
        let held: Vec<u64> = faces.keys().map(|face| self.purse.count_notes(currency, *face)).collect();
        let target = self.withdrawable(currency, target, now).minor();
        let wanted = mix(&values, target).unwrap_or_else(|| vec![0; values.len()]);
        let counts = top_up(&values, &wanted, &held, missing.minor()).ok_or(WithdrawalError::Amount(missing))?;
        items(&faces, counts)
    }

    /// The largest amount up to `amount` that face values add up to with at most [`NOTES_MAX`] notes; zero if there is none.
    pub(crate) fn withdrawable(&self, currency: Currency, amount: Amount, now: Timestamp) -> Amount {
        let faces = self.newest_classes(currency, Kind::Value, now);
        let Some(smallest) = faces.keys().next().map(|face| face.minor()) else { return Amount::ZERO };
        let largest = faces.keys().next_back().map_or(smallest, |face| face.minor());
        // A full kit takes a few dozen notes; the rest are of the largest face.
        let most = largest.saturating_mul(NOTES_MAX as u64 / 2);
        let rounded = amount.minor().min(most) / smallest * smallest;
        Amount::new(rounded).unwrap_or_default()
    }

    /// `count` blanks that may each own `cap`, of the class with the lowest sufficient cap.
    ///
    /// # Errors
    /// When no such class is being issued.
    pub fn blank_items(
        &self,
        currency: Currency,
        count: u16,
        cap: Amount,
        now: Timestamp,
    ) -> Result<Vec<Item>, WithdrawalError> {
        let caps = self.newest_classes(currency, Kind::Blank, now);
        let (_, class_id) = caps.from(cap).next().ok_or(WithdrawalError::NothingIssued(currency))?;
        Ok(if count == 0 { vec![] } else { vec![Item { class_id: *class_id, count }] })
    }

    /// By amount, the class being issued that lasts longest.
    fn newest_classes(&self, currency: Currency, kind: Kind, now: Timestamp) -> Map<Amount, ClassId> {
        let now = self.not_before_floor(now);
        let mut newest: Map<Amount, (ClassId, &Info)> = Map::new();
        for (id, info) in self.class_infos() {
            if info.currency == currency && info.kind == kind && is_issued(info, now) {
                let lasts = |info: &Info| (info.spend_until, info.epoch);
                if newest.get(&info.amount).is_none_or(|(_, known)| lasts(known) < lasts(info)) {
                    newest.insert(info.amount, (id, info));
                }
            }
        }
        newest.into_iter().map(|(amount, (id, _))| (amount, id)).collect()
    }
}

/// So many notes of each face.
fn items(faces: &Map<Amount, ClassId>, counts: Vec<u64>) -> Result<Vec<Item>, WithdrawalError> {
    if counts.iter().fold(0u64, |sum, count| sum.saturating_add(*count)) > NOTES_MAX as u64 {
        return Err(WithdrawalError::TooManyNotes);
    }
    let items = faces.values().zip(counts).filter(|(_, count)| *count > 0);
    // At most `NOTES_MAX` in all.
    Ok(items.map(|(class_id, count)| Item { class_id: *class_id, count: count as u16 }).collect())
}

/// How many of each of `faces` (ascending) make `missing`: those first that are `wanted` and not `held`, the largest of them
/// first; the rest in notes as large as possible.
fn top_up(faces: &[u64], wanted: &[u64], held: &[u64], missing: u64) -> Option<Vec<u64>> {
    let (mut counts, mut rest) = (vec![0; faces.len()], missing);
    for (((count, face), wanted), held) in counts.iter_mut().zip(faces).zip(wanted).zip(held).rev() {
        *count = wanted.saturating_sub(*held).min(rest / face);
        rest -= *count * face;
    }
    fill(faces, rest, &mut counts).then_some(counts)
}

/// How many of each of `faces` (ascending) make `amount`: from the smallest up, what it takes to pay every amount below the next face; the rest in
/// notes as large as possible.
fn mix(faces: &[u64], amount: u64) -> Option<Vec<u64>> {
    let (mut counts, kit) = kit(faces, amount);
    if fill(faces, amount - kit, &mut counts) {
        return Some(counts);
    }
    let mut counts = vec![0; faces.len()];
    fill(faces, amount, &mut counts).then_some(counts)
}

/// One of 1, two of 2, one of 5 and so on, as far as `amount` goes; also the sum.
fn kit(faces: &[u64], amount: u64) -> (Vec<u64>, u64) {
    let (mut counts, mut sum) = (vec![0; faces.len()], 0u64);
    let smallest = faces.first().copied().unwrap_or(0);
    for (position, pair) in faces.windows(2).enumerate() {
        while sum + smallest < pair[1] {
            if pair[0] > amount - sum {
                return (counts, sum);
            }
            counts[position] += 1;
            sum += pair[0];
        }
    }
    (counts, sum)
}

/// Adds the largest faces first; whether nothing remains.
fn fill(faces: &[u64], mut rest: u64, counts: &mut [u64]) -> bool {
    for (face, count) in faces.iter().zip(counts).rev() {
        *count += rest / face;
        rest %= face;
    }
    rest == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FACES: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

    fn sum(faces: &[u64], counts: &[u64]) -> u64 {
        faces.iter().zip(counts).map(|(face, count)| face * count).sum()
    }

    #[test]
    fn a_till_holds_one_two_two_five() {
        assert_eq!(mix(&FACES[..3], 10), Some(vec![1, 2, 1]));
        assert_eq!(mix(&FACES, 0), Some(vec![0; 12]));
        assert_eq!(mix(&[10, 20, 50], 30), Some(vec![1, 1, 0]));
        assert_eq!(mix(&[10, 20, 50], 35), None);
    }

    #[test]
    fn faces_outside_the_series_still_add_up() {
        assert_eq!(mix(&[3, 7], 14).map(|counts| sum(&[3, 7], &counts)), Some(14));
    }

    /// A wallet that pays and is topped up, over and over, ends with the till it began with, not with a drawer of pennies.
    #[test]
    fn topping_up_restores_the_till() {
        let till = mix(&FACES, 600).unwrap();
        let notes: u64 = till.iter().sum();
        let mut held = till.clone();
        for round in 0..200u64 {
            // Pays with the smallest note that suffices; the change goes back to the account.
            let pays = 1 + round * 37 % 90;
            let note = FACES.iter().zip(&held).position(|(face, count)| *face >= pays && *count > 0).unwrap();
            held[note] -= 1;
            let missing = 600 - sum(&FACES, &held);
            let counts = top_up(&FACES, &till, &held, missing).unwrap();
            held.iter_mut().zip(&counts).for_each(|(held, count)| *held += count);
            assert_eq!(sum(&FACES, &held), 600);
            assert!(held.iter().sum::<u64>() <= notes + 2, "round {round}: {held:?}");
        }
    }

    proptest! {
        #[test]
        fn topping_up_adds_up(missing in 1u64..5_000, held in proptest::collection::vec(0u64..4, 12)) {
            let counts = top_up(&FACES, &mix(&FACES, 5_000).unwrap(), &held, missing).unwrap();
            prop_assert_eq!(sum(&FACES, &counts), missing);
        }

        #[test]
        fn every_amount_adds_up_in_a_moderate_number_of_notes(amount in 1u64..500_000) {
            let counts = mix(&FACES, amount).unwrap();
            prop_assert_eq!(sum(&FACES, &counts), amount);
            prop_assert!(counts.iter().sum::<u64>() <= 40 + amount / 5_000);
        }

        /// With the kit in the purse, any amount below its sum is paid without change.
        #[test]
        fn the_kit_pays_every_amount_exactly(amount in 100u64..2_000, share in 0.0f64..1.0) {
            let (counts, kit) = kit(&FACES, amount);
            let pay = (kit as f64 * share) as u64;
            let mut rest = pay;
            for (face, count) in FACES.iter().zip(&counts).rev() {
                rest -= face * (*count).min(rest / face);
            }
            prop_assert_eq!(rest, 0, "{} of {:?}", pay, counts);
        }
    }
}
