//! What may be withdrawn: classes, the tier's limits in time, the person's holding limit, the ration of blanks.

use std::collections::BTreeMap;

use specie_core::class::Kind;
use specie_core::signature::PublicKey;
use specie_core::{Amount, ClassId, Timestamp};

use super::{COUNT_MAX, Withdrawal, WithdrawalError, WithdrawalState};
use crate::device::Party;
use crate::person::Holdings;
use crate::request::Request;
use crate::service::Psp;
use crate::store::{Line, Records, StoreError};

/// The time over which a tier's daily limit counts, in seconds. It ends now, whenever that is: no midnight gives a second ration.
pub const DAY_SECONDS: u64 = 86_400;

/// The time over which a tier's monthly limit counts, in seconds; it ends now too.
pub const MONTH_SECONDS: u64 = 30 * DAY_SECONDS;

impl<S, B> Psp<S, B> {
    /// Checks what is asked for against classes, tier and ration; gives also until when it can be redeemed.
    pub(super) fn plan(
        &self,
        records: &mut dyn Records,
        request: &Request<'_>,
        party: &Party,
        items: &[(ClassId, u64)],
        now: Timestamp,
    ) -> Result<(Withdrawal, Timestamp), WithdrawalError> {
        check_items(items)?;
        self.check_claimed(records, &party.customer, now)?;
        let holdings = self.holdings(records, &party.customer, now)?;
        let tier = holdings.tier;
        let catalogue = self.catalogue(records)?;
        let currency = self.identity().currency;
        let mut value = Amount::ZERO;
        let mut redeem_until = Timestamp::EPOCH;
        let mut lines = Vec::with_capacity(items.len());
        for &(class_id, count) in items {
            let info = catalogue.issued(&class_id, now).ok_or(WithdrawalError::Class(class_id))?;
            if info.currency != currency {
                return Err(WithdrawalError::Class(class_id));
            }
            if info.kind == Kind::Value {
                let sum = info.amount.minor().checked_mul(count).and_then(Amount::new);
                value = sum.and_then(|sum| value.checked_add(sum)).ok_or(WithdrawalError::Balance)?;
            } else if info.amount > tier.blank_cap_max {
                let (allowed, asked) = (tier.blank_cap_max, info.amount);
                return Err(WithdrawalError::Cap { allowed, asked, currency });
            }
            redeem_until = redeem_until.max(info.redeem_until);
            let blank_epoch = (info.kind == Kind::Blank).then_some(info.epoch);
            lines.push(Line { class_id, count, blank_epoch });
        }
        check_ration(records, &holdings, &party.device.key, &lines)?;
        let allowed = withdrawable_in_time(records, &holdings, now)?;
        if value > allowed {
            return Err(WithdrawalError::TierLimit { allowed, asked: value, currency });
        }
        let device = &party.device.key;
        holdings.check_room(records, device, now)?.map_err(|free_at| WithdrawalError::Shared { free_at })?;
        let allowed = holdable(records, &holdings, device, now)?;
        if value > allowed {
            return Err(WithdrawalError::Holding { allowed, asked: value, currency });
        }
        let withdrawal = Withdrawal {
            id: request.operation(),
            fingerprint: request.fingerprint,
            customer: party.customer.name,
            account: party.customer.account,
            device: party.device.key,
            lines,
            value,
            state: WithdrawalState::Opening,
            opened_at: now,
        };
        Ok((withdrawal, redeem_until))
    }
}

/// What a device may still withdraw now: what is left to the person whose it is, and no more than the device may hold.
pub(crate) fn withdrawable(
    records: &mut dyn Records,
    holdings: &Holdings<'_>,
    device: &PublicKey,
    now: Timestamp,
) -> Result<Amount, StoreError> {
    let left = withdrawable_in_time(records, holdings, now)?;
    match holdings.check_room(records, device, now)? {
        Ok(()) => Ok(left.min(holdable(records, holdings, device, now)?)),
        Err(_) => Ok(Amount::ZERO),
    }
}

/// What a device may withdraw of what it may hold: what it withdrew since its element last said which document it holds may be in it.
fn holdable(
    records: &mut dyn Records,
    holdings: &Holdings<'_>,
    device: &PublicKey,
    now: Timestamp,
) -> Result<Amount, StoreError> {
    let max_holding = holdings.grant(records, device, now)?.max_holding;
    let withdrawn = holdings.withdrawn(records, device)?;
    Ok(max_holding.checked_sub(withdrawn).unwrap_or(Amount::ZERO))
}

/// What is left to a person of a day's and a month's withdrawals.
fn withdrawable_in_time(
    records: &mut dyn Records,
    holdings: &Holdings<'_>,
    now: Timestamp,
) -> Result<Amount, StoreError> {
    let mut left = |max: Amount, seconds| {
        let since = Timestamp::new(now.seconds().saturating_sub(seconds)).unwrap_or_default();
        let mut left = max;
        for customer in &holdings.customers {
            left = left.checked_sub(records.withdrawn_since(customer, since)?).unwrap_or(Amount::ZERO);
        }
        Ok::<_, StoreError>(left)
    };
    let tier = holdings.tier;
    Ok(left(tier.max_withdrawal_per_day, DAY_SECONDS)?.min(left(tier.max_withdrawal_per_month, MONTH_SECONDS)?))
}

fn check_items(items: &[(ClassId, u64)]) -> Result<(), WithdrawalError> {
    // First of all: comparing each with each takes long for very many.
    if items.len() as u64 > COUNT_MAX {
        return Err(WithdrawalError::Items);
    }
    let count = items.iter().try_fold(0_u64, |sum, (_, count)| sum.checked_add(*count));
    let twice = items.iter().enumerate().any(|(index, item)| items[..index].iter().any(|other| other.0 == item.0));
    let empty = items.is_empty() || items.iter().any(|(_, count)| *count == 0);
    if empty || twice || count.is_none_or(|count| count > COUNT_MAX) { Err(WithdrawalError::Items) } else { Ok(()) }
}

/// Blanks asked for, by epoch.
pub(super) fn blanks(lines: &[Line]) -> BTreeMap<u32, u64> {
    let mut epochs = BTreeMap::new();
    for line in lines {
        if let Some(epoch) = line.blank_epoch {
            *epochs.entry(epoch).or_default() += line.count;
        }
    }
    epochs
}

fn check_ration(
    records: &mut dyn Records,
    holdings: &Holdings<'_>,
    device: &PublicKey,
    lines: &[Line],
) -> Result<(), WithdrawalError> {
    for (epoch, asked) in blanks(lines) {
        let left = holdings.blanks_left(records, device, epoch)?;
        if asked > left {
            return Err(WithdrawalError::Ration { epoch, left, asked });
        }
    }
    Ok(())
}
