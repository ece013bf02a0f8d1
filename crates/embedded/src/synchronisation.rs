//! Synchronising (§8) through whoever has a network: the newest publications, what was not delivered, what was received,
//! renewal, new notes and blanks.
//!
//! Take [`Synchronisation::next`]'s errand to the PSP and its answer to [`Synchronisation::answer`], until it is done. Every
//! part may be repeated and stands on its own: what a break leaves undone, the next synchronisation does.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_api::psp::path;
use specie_core::{Amount, Timestamp};
use specie_wallet::element::Element;
use specie_wallet::payment::PaymentId;
use specie_wallet::request::RequestId;
use specie_wallet::synchronisation::CoinId;
use specie_wallet::withdrawal::WithdrawalId;

use crate::answers::{Nonce, Time};
use crate::device::{Device, Done, PAGES_HELD, Random};
use crate::errand::{Answer, Errand, ends_everything};
use crate::failure::Failure;
use crate::json::Object;
use crate::owner::FAILURES_MAX;

mod account;
mod payments;
mod publications;
mod redemptions;
mod withdrawals;

/// The most notes in one withdrawal: each takes some kilobytes of memory on its way.
const NOTES_AT_ONCE: u16 = 2;

/// How often what is missing is withdrawn in one synchronisation.
const ROUNDS_MAX: u32 = 64;

/// What to have in the wallet after a synchronisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// How much to be able to spend offline.
    pub value: Amount,
    /// How many free blanks, as far as the PSP's ration allows.
    pub blanks: u16,
    /// What each blank may at least own; the largest that the PSP's ration allows when it is not given.
    pub blank_cap: Option<Amount>,
}

/// What a synchronisation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Payments that the bank keeps for their payees from now on.
    pub uploaded: u32,
    /// Payments that were fetched from the bank.
    pub claimed: u32,
    /// Credited to the account, minor units.
    pub redeemed: u64,
    /// Coins that the bank refused for good, with its code.
    pub refused: Vec<(CoinId, String)>,
    /// Notes and blanks that were withdrawn.
    pub withdrawn: u32,
    /// What the account holds, minor units, as far as it was told.
    pub account_balance: Option<u64>,
    /// Parts that did not work out, while the others did.
    pub failures: Vec<Failure>,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Take this to the PSP.
    Errand(Errand),
    /// It is over.
    Done(Report),
}

/// Parts, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Time,
    Manifests,
    Revocations,
    LimitsHeld,
    Limits,
    Descriptor,
    Unfinished,
    Uploads,
    Claims,
    Redemptions,
    Account,
    Withdrawals,
    Housekeeping,
    Done,
}

/// A synchronisation under way.
pub struct Synchronisation {
    keep: Keep,
    stage: Stage,
    /// By how much the PSP's clock is ahead, in seconds.
    ahead: i64,
    rounds: u32,
    /// The PSP's, for what the element says of its limits.
    nonce: [u8; 32],
    report: Report,
    /// The errand that was given out, and not answered yet.
    out: Option<Out>,
    redemptions_planned: bool,
    /// What does not go on in this synchronisation.
    stuck: BTreeSet<WithdrawalId>,
    /// A withdrawal that the PSP opened in a way that cannot be used, and the PSP's name for it.
    unusable: Option<(WithdrawalId, [u8; 16])>,
    not_uploaded: BTreeSet<PaymentId>,
    /// Coins that were sent: decided, or not now.
    not_redeemed: BTreeSet<CoinId>,
    claims: Option<VecDeque<RequestId>>,
}

/// What an errand is about.
enum Out {
    Stage,
    Open(WithdrawalId),
    Cancel(WithdrawalId),
    Challenge(WithdrawalId),
    Acknowledge(WithdrawalId),
    Upload(PaymentId),
    Claim,
    Redeem(Vec<CoinId>),
}

impl Stage {
    fn next(self) -> Self {
        match self {
            Self::Time => Self::Manifests,
            Self::Manifests => Self::Revocations,
            Self::Revocations => Self::LimitsHeld,
            Self::LimitsHeld => Self::Limits,
            Self::Limits => Self::Descriptor,
            Self::Descriptor => Self::Unfinished,
            Self::Unfinished => Self::Uploads,
            Self::Uploads => Self::Claims,
            Self::Claims => Self::Redemptions,
            Self::Redemptions => Self::Account,
            // Until nothing is missing.
            Self::Withdrawals => Self::Account,
            Self::Account => Self::Housekeeping,
            Self::Housekeeping | Self::Done => Self::Done,
        }
    }

    /// What still makes sense after this failed.
    fn next_after_failure(self) -> Self {
        match self {
            Self::Withdrawals => Self::Housekeeping,
            Self::LimitsHeld => Self::Descriptor,
            other => other.next(),
        }
    }
}

impl Synchronisation {
    /// Begins one that leaves this in the wallet.
    pub fn new(keep: Keep) -> Self {
        Self {
            keep,
            stage: Stage::Time,
            ahead: 0,
            rounds: 0,
            nonce: [0; 32],
            report: Report::default(),
            out: None,
            redemptions_planned: false,
            stuck: BTreeSet::new(),
            unusable: None,
            not_uploaded: BTreeSet::new(),
            not_redeemed: BTreeSet::new(),
            claims: None,
        }
    }

    /// What comes next. An errand that was not answered is given up by asking again: nothing is lost by it.
    pub fn next<F: NorFlash, E: Element, R: Random>(&mut self, device: &mut Device<F, E, R>, now: Timestamp) -> Next {
        self.out = None;
        if device.wallet().account().is_none() {
            self.fail(Failure::new("not-enrolled", "the device is not enrolled with a PSP", "enrol the device first"));
            self.stage = Stage::Done;
        }
        while self.stage != Stage::Done {
            device.wallet.release_memory();
            match self.ask(device, now) {
                Ok(Some((out, errand))) => {
                    self.out = Some(out);
                    return Next::Errand(errand);
                }
                Ok(None) => self.stage = self.stage.next(),
                Err(failure) => self.fail(failure),
            }
        }
        Next::Done(core::mem::take(&mut self.report))
    }

    /// Takes the answer to the errand that was given out last.
    pub fn answer<F: NorFlash, E: Element, R: Random>(
        &mut self,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
        now: Timestamp,
    ) {
        let Some(out) = self.out.take() else { return };
        if let Err(failure) = self.take(out, device, answer, now) {
            self.fail(failure);
        }
    }

    /// Whether an errand was given out that is not answered.
    pub fn is_waiting(&self) -> bool {
        self.out.is_some()
    }

    fn ask<F: NorFlash, E: Element, R: Random>(
        &mut self,
        device: &mut Device<F, E, R>,
        now: Timestamp,
    ) -> Done<Option<(Out, Errand)>> {
        // Another element would say of all that is to be redeemed that it does not know it.
        device.element.recognise()?;
        let signed_at = self.psp_time(now);
        let errand = match self.stage {
            Stage::Time => {
                // The answers are long, and what is free of the memory may be scattered.
                device.reload();
                Errand::get(path::TIME)
            }
            Stage::Manifests => {
                Errand::get(format!("{}?after={}", path::MANIFESTS, device.wallet().manifest_followed()))
            }
            Stage::Revocations => {
                let after = device.wallet().revocation_sequence();
                Errand::get(format!("{}?after={after}&pages={PAGES_HELD}", path::REVOCATIONS))
            }
            Stage::LimitsHeld | Stage::Limits | Stage::Descriptor => {
                let (target, body) = match self.stage {
                    Stage::LimitsHeld => (path::TOTALS_NONCE, Object::new()),
                    Stage::Limits => (path::LIMITS, device.say_limits(&self.nonce)?),
                    _ => (path::DESCRIPTORS, Object::new()),
                };
                Errand::post(target, &device.fresh_key()?, body).signed(device, signed_at)?
            }
            Stage::Unfinished => {
                device.resume(now)?;
                return self.ask_withdrawal(device, now);
            }
            Stage::Withdrawals => return self.ask_withdrawal(device, now),
            Stage::Uploads => return self.ask_upload(device, now),
            Stage::Claims => return self.ask_claim(device, now),
            Stage::Redemptions => return self.ask_redemption(device, now),
            Stage::Account => Errand::get(path::ACCOUNT).signed(device, signed_at)?,
            Stage::Housekeeping => {
                device.tidy(now)?;
                return Ok(None);
            }
            Stage::Done => return Ok(None),
        };
        Ok(Some((Out::Stage, errand)))
    }

    fn take<F: NorFlash, E: Element, R: Random>(
        &mut self,
        out: Out,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
        now: Timestamp,
    ) -> Done<()> {
        match out {
            Out::Open(id) => return self.take_opened(&id, device, answer),
            Out::Cancel(id) => return self.take_cancelled(&id, device, answer),
            Out::Challenge(id) => return self.take_answered(&id, device, answer),
            Out::Acknowledge(id) => return self.take_acknowledged(&id, device, answer),
            Out::Upload(id) => return self.take_uploaded(&id, device, answer),
            Out::Claim => return self.take_claimed(device, answer, now),
            Out::Redeem(coins) => return self.take_redeemed(&coins, device, answer, now),
            Out::Stage => {}
        }
        match self.stage {
            Stage::Time => self.take_time(answer, now)?,
            Stage::Manifests => device.take_manifests(answer)?,
            Stage::Revocations => device.take_revocations(answer)?,
            Stage::LimitsHeld => self.nonce = answer.read::<Nonce>()?.0,
            Stage::Limits => device.take_limits(answer)?,
            Stage::Descriptor => device.take_descriptor(answer, now)?,
            Stage::Account => return self.take_account(device, answer, now),
            _ => {}
        }
        self.stage = self.stage.next();
        Ok(())
    }

    fn take_time(&mut self, answer: &Answer<'_>, now: Timestamp) -> Done<()> {
        let there = answer.read::<Time>()?.0;
        let ahead = i128::from(there) - i128::from(now.seconds());
        self.ahead = i64::try_from(ahead).unwrap_or_default();
        Ok(())
    }

    /// Requests are judged by the PSP's clock, whoever is right.
    fn psp_time(&self, now: Timestamp) -> Timestamp {
        Timestamp::new(now.seconds().saturating_add_signed(self.ahead)).unwrap_or_default()
    }

    /// One thing of a part did not work out; the others may.
    fn put_aside(&mut self, failure: Failure) -> Done<()> {
        if ends_everything(&failure) {
            return Err(failure);
        }
        self.tell(failure);
        Ok(())
    }

    /// A part did not work out; the next ones may.
    fn fail(&mut self, failure: Failure) {
        self.stage = if ends_everything(&failure) { Stage::Done } else { self.stage.next_after_failure() };
        self.tell(failure);
    }

    /// Keeps as many as will be told, each once.
    fn tell(&mut self, failure: Failure) {
        if self.report.failures.len() < FAILURES_MAX && !self.report.failures.contains(&failure) {
            self.report.failures.push(failure);
        }
    }
}
