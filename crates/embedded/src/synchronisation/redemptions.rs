//! What was received, change, and what expires goes back to the account.

use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_api::psp::path;
use specie_core::Timestamp;
use specie_core::encoding::{Decode, DecodeError, Encode, Writer};
use specie_core::payment::Chain;
use specie_core::transfer::Transfer;
use specie_wallet::element::Element;
use specie_wallet::synchronisation::{CoinId, RedemptionResult};

use super::{Out, Synchronisation};
use crate::answers::Redeemed;
use crate::device::{Device, Done, Random};
use crate::errand::{Answer, Errand};
use crate::failure::Failure;
use crate::json::Object;

impl Synchronisation {
    #[inline(never)]
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
        // Those that were shown go first, one in each errand, since memory is short.
        let batch = loop {
            let next = device.wallet().shown_coins().find(|coin| !self.not_redeemed.contains(coin));
            if let Some(batch) = next.and_then(|coin| device.wallet().redemption_of(&coin)) {
                break batch;
            }
            let shown = device.wallet().shown_coins().count();
            let step = device.wallet.execute_redemptions(1, &mut device.element)?;
            let left = device.commit(step)?;
            if left == 0 && device.wallet().shown_coins().count() == shown {
                return Ok(None);
            }
        };
        let chains: Result<Vec<Vec<u8>>, DecodeError> = batch.coins.iter().map(|(_, chain)| compact(chain)).collect();
        let chains = chains.map_err(|_| damaged())?;
        let request = Object::new()
            .text("psp", batch.destination.psp.as_str())
            .text("account", batch.destination.account.as_str())
            .hexes("chains", chains.iter().map(Vec::as_slice));
        drop(chains);
        let coins = batch.coins.iter().map(|(coin, _)| *coin).collect();
        drop(batch);
        let errand = Errand::post(path::REDEMPTIONS, &device.fresh_key()?, request);
        Ok(Some((Out::Redeem(coins), errand.signed(device, self.psp_time(now))?)))
    }

    #[inline(never)]
    pub(super) fn take_redeemed<F: NorFlash, E: Element, R: Random>(
        &mut self,
        coins: &[CoinId],
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
        now: Timestamp,
    ) -> Done<()> {
        // What does not work out with this one may with the others.
        self.not_redeemed.extend(coins);
        let results = match answer.read() {
            Ok(Redeemed(results)) if results.len() == coins.len() => results,
            Ok(_) => {
                let what = "the PSP answered for other coins than were sent";
                return self.put_aside(Failure::new("wrong-answer", what, "ask the PSP"));
            }
            Err(refusal) => return self.put_aside(refusal.into()),
        };
        let results: Vec<(CoinId, RedemptionResult)> = coins.iter().copied().zip(results).collect();
        let step = device.wallet.apply_redemptions(&results, now)?;
        device.commit(step)?;
        for (coin, result) in results {
            match result {
                RedemptionResult::Credited(amount) => {
                    self.report.redeemed = self.report.redeemed.saturating_add(amount.minor());
                }
                RedemptionResult::Refused(code) => self.report.refused.push((coin, code)),
                RedemptionResult::Later => {
                    self.put_aside(Failure::new(
                        "redemption-undecided",
                        "the bank could not decide about a coin",
                        "synchronise again later",
                    ))?;
                }
            }
        }
        Ok(())
    }
}

/// A chain in compact form, a third shorter: the bank takes either.
fn compact(chain: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let chain = Chain::decode(chain)?;
    let mut w = Writer::new(Vec::with_capacity(chain.as_bytes().len()));
    let written = w
        .array(chain.length())
        .and_then(|()| chain.transfers().map(Transfer::compact).try_for_each(|transfer| transfer.write(&mut w)));
    match written {
        Ok(()) => Ok(w.into_inner()),
        Err(never) => match never {},
    }
}

fn damaged() -> Failure {
    Failure::new("damaged-wallet", "a coin in the wallet is damaged", "replace the device and keep its flash")
}
