//! MANDATE: what the owner lets the device do by itself, and whether that is within it.

use embedded_storage::nor_flash::NorFlash;
use specie_core::Context;
use specie_core::encoding::Decode;
use specie_core::mandate::MandateBody;

use super::Element;
use super::answer::Answer;
use crate::command::Mandate;
use crate::journal::Batch;
use crate::platform::Platform;
use crate::record::{MandateRecord, MandateUse, Single};
use crate::status::StatusWord;

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    #[inline(never)]
    pub(super) fn mandate(&mut self, mandate: &Mandate<'_>) -> Result<(), StatusWord> {
        check_mandate(mandate)?;
        self.keep_mandate(mandate.body)
    }

    /// A new mandate is counted from nothing. Its owner is whose mandate was held; another needs the PIN, and so does the first.
    #[inline(never)]
    fn keep_mandate(&mut self, body: &[u8]) -> Result<(), StatusWord> {
        let body = decode(body)?;
        if body.device != self.secrets()?.authentication_key() {
            return Err(StatusWord::WRONG_DATA);
        }
        let record = to_record(&body);
        match self.records.single::<_, MandateRecord>()? {
            Some(held) if held.id == record.id => return Ok(()),
            Some(held) if held.owner == record.owner => {
                if record.sequence <= held.sequence {
                    return Err(StatusWord::STALE);
                }
            }
            _ => {
                // Without a PIN everything is allowed anyhow, and whoever comes first would be the owner.
                self.pin()?.digest.ok_or(StatusWord::WRONG_STATE)?;
                self.check_pin()?;
            }
        }
        let mut batch = Batch::new();
        record.put(&mut batch);
        MandateUse::default().put(&mut batch);
        Ok(self.records.commit(&batch, 0, 0)?)
    }

    #[inline(never)]
    pub(super) fn mandate_use(&mut self, answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        let sequence = self.records.single::<_, MandateRecord>()?.map_or(0, |mandate| mandate.sequence);
        let used: MandateUse = self.records.single()?.unwrap_or_default();
        let longs = [sequence, used.period_began, used.in_period, used.spent];
        longs.iter().try_for_each(|long| answer.push(&long.to_be_bytes()))
    }

    /// The mandate, if it has not ended at `now`; with the time that counts.
    fn mandate_at(&mut self, now: u64) -> Result<(MandateRecord, MandateUse, u64), StatusWord> {
        let mandate: MandateRecord = self.records.single()?.ok_or(StatusWord::MANDATE_ENDED)?;
        let used: MandateUse = self.records.single()?.unwrap_or_default();
        // The host's clock may be wrong either way; it never gets a period back.
        let time = now.max(self.counters()?.time_floor).max(used.period_began);
        if time > mandate.valid_until { Err(StatusWord::MANDATE_ENDED) } else { Ok((mandate, used, time)) }
    }

    /// Whether a request of the device may be signed with nobody there.
    pub(super) fn check_mandate_holds(&mut self) -> Result<(), StatusWord> {
        self.mandate_at(0).map(|_| ())
    }

    /// What is used of the mandate once `leaves` minor units left under it at `now`, if it allows that. `redeems_to` is the context of
    /// a redemption.
    #[inline(never)]
    pub(super) fn use_mandate(
        &mut self,
        now: u64,
        leaves: u64,
        redeems_to: Option<Context>,
    ) -> Result<MandateUse, StatusWord> {
        let (mandate, used, time) = self.mandate_at(now)?;
        if redeems_to.is_some_and(|context| mandate.redeem_to != Some(context.0)) {
            return Err(StatusWord::OUTSIDE_MANDATE);
        }
        if leaves > mandate.max_payment {
            return Err(StatusWord::OVER_MANDATE_PAYMENT);
        }
        let ended = time - used.period_began >= mandate.period_seconds;
        let (period_began, before) = if ended { (time, 0) } else { (used.period_began, used.in_period) };
        let within = |before: u64, most: u64| before.checked_add(leaves).filter(|after| *after <= most);
        let in_period = within(before, mandate.max_per_period).ok_or(StatusWord::OVER_MANDATE_PERIOD)?;
        let spent = within(used.spent, mandate.max_total).ok_or(StatusWord::OVER_MANDATE_TOTAL)?;
        Ok(MandateUse { period_began, in_period, spent })
    }
}

/// Whether the owner signed it. Apart from what comes after, for checking a signature takes most of the stack: so nothing is kept
/// of it, and what was signed is decoded once more.
#[inline(never)]
fn check_mandate(mandate: &Mandate<'_>) -> Result<(), StatusWord> {
    decode(mandate.body)?.verify(mandate.signature).map_err(|_| StatusWord::WRONG_PROOF)
}

#[inline(never)]
fn decode(body: &[u8]) -> Result<MandateBody, StatusWord> {
    MandateBody::decode(body).map_err(|_| StatusWord::WRONG_DATA)
}

fn to_record(body: &MandateBody) -> MandateRecord {
    MandateRecord {
        owner: body.owner.0,
        id: body.id(),
        redeem_to: body.redeem_to.map(|context| context.0),
        sequence: body.sequence,
        valid_until: body.valid_until.seconds(),
        max_payment: body.max_payment.minor(),
        period_seconds: body.period_seconds,
        max_per_period: body.max_per_period.minor(),
        max_total: body.max_total.minor(),
    }
}
