//! What was received, change, and what expires goes back to the account.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_api::hexadecimal::Hex;
use specie_api::psp::{Redemption, RedemptionItem, RedemptionRequest, path};
use specie_core::encoding::{Decode, DecodeError, Encode, Writer};
use specie_core::payment::Chain;
use specie_core::transfer::Transfer;
use specie_core::{Amount, Timestamp};
use specie_wallet::element::Element;
use specie_wallet::synchronisation::{CoinId, RedemptionBatch, RedemptionResult};

use super::{Out, Synchronisation};
use crate::device::{Device, Done, Random};
use crate::errand::{Answer, Errand};
use crate::failure::Failure;

/// Coins in one errand: memory is short.
const COINS_AT_ONCE: usize = 1;

/// Codes of a bank that could not decide: the coin is sent again another time.
const UNDECIDED: [&str; 4] = ["unavailable", "bank-unavailable", "internal", "timeout"];

impl Synchronisation {
    pub(super) fn ask_redemption<F: NorFlash, E: Element, R: Random>(
        &mut self,
        device: &mut Device<F, E, R>,
        now: Timestamp,
    ) -> Done<Option<(Out, Errand)>> {
        if !self.redemptions_planned {
            let step = device.wallet.plan_redemptions(now)?;
            device.commit(step)?;
            self.redemptions_planned = true;
        }
        loop {
            let step = device.wallet.execute_redemptions(&mut device.element)?;
            if device.commit(step)? == 0 {
                break;
            }
        }
        let Some(batch) = device.wallet().redemption_batch(COINS_AT_ONCE) else { return Ok(None) };
        let chains: Result<Vec<Hex>, DecodeError> = batch.coins.iter().map(|(_, chain)| compact(chain)).collect();
        let request = RedemptionRequest {
            account: batch.destination.account.as_str().to_owned(),
            psp: batch.destination.psp.as_str().to_owned(),
            chains: chains.map_err(|_| damaged())?,
        };
        let errand = Errand::post(path::REDEMPTIONS, &device.fresh_key()?, &request);
        drop(request);
        Ok(Some((Out::Redeem(batch), errand.signed(device, self.psp_time(now))?)))
    }

    pub(super) fn take_redeemed<F: NorFlash, E: Element, R: Random>(
        &mut self,
        batch: &RedemptionBatch,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
        now: Timestamp,
    ) -> Done<()> {
        let answered: Redemption = answer.read()?;
        if answered.items.len() != batch.coins.len() {
            return Err(Failure::new("wrong-answer", "the PSP answered for other coins than were sent", "ask the PSP"));
        }
        let results: Vec<(CoinId, RedemptionResult)> =
            batch.coins.iter().zip(answered.items).map(|((coin, _), item)| (*coin, result_of(item))).collect();
        let step = device.wallet.apply_redemptions(&results, now)?;
        device.commit(step)?;
        for (coin, result) in results {
            match result {
                RedemptionResult::Credited(amount) => {
                    self.report.redeemed = self.report.redeemed.saturating_add(amount.minor());
                }
                RedemptionResult::Refused(code) => self.report.refused.push((coin, code)),
                RedemptionResult::Later => {
                    return Err(Failure::new(
                        "redemption-undecided",
                        "the bank could not decide about a coin",
                        "synchronise again later",
                    ));
                }
            }
        }
        Ok(())
    }
}

fn result_of(item: RedemptionItem) -> RedemptionResult {
    match item {
        RedemptionItem::Credited { amount } => {
            Amount::new(amount).map_or(RedemptionResult::Later, RedemptionResult::Credited)
        }
        RedemptionItem::Refused { code, .. } if UNDECIDED.contains(&&*code) => RedemptionResult::Later,
        RedemptionItem::Refused { code, .. } => RedemptionResult::Refused(code),
    }
}

/// A chain in compact form, a third shorter: the bank takes either.
fn compact(chain: &[u8]) -> Result<Hex, DecodeError> {
    let chain = Chain::decode(chain)?;
    let mut w = Writer::new(Vec::with_capacity(chain.as_bytes().len()));
    let written = w
        .array(chain.length())
        .and_then(|()| chain.transfers().map(Transfer::compact).try_for_each(|transfer| transfer.write(&mut w)));
    match written {
        Ok(()) => Ok(Hex(w.into_inner())),
        Err(never) => match never {},
    }
}

fn damaged() -> Failure {
    Failure::new("damaged-wallet", "a coin in the wallet is damaged", "replace the device and keep its flash")
}
