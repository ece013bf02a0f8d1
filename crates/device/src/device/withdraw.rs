//! Withdrawing (§5): the wallet says what comes next, the device carries it to the PSP and back, until it is done.

use specie_api::client::CallError;
use specie_api::hexadecimal::HexArray;
use specie_api::idempotency::Key;
use specie_api::psp::{self, Challenges, WithdrawalItem, WithdrawalRequest};
use specie_core::Amount;
use specie_core::class::Kind;
use specie_core::issuance::{Commitment, Response};
use specie_core::text::Currency;
use specie_wallet::withdrawal::{Action, Item, Session, WithdrawalId};

use super::synchronise::Stage;
use super::{Device, Done};
use crate::failure::Failure;

/// What a withdrawal brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// Value notes.
    pub notes: usize,
    /// Blanks.
    pub blanks: usize,
    /// What the notes are worth, in minor units.
    pub amount: u64,
}

impl Device {
    /// Withdraws `amount` from the account, in notes that pay any amount. What was under way is finished first; where that
    /// is just what is asked for, it is not withdrawn again: the same again after a break is done once.
    ///
    /// # Errors
    /// The PSP or the bank refuses, and the account is as it was; or the PSP does not answer: then the withdrawal goes on with
    /// the next call or synchronisation.
    pub fn withdraw(&mut self, currency: Currency, amount: Amount, progress: &mut dyn FnMut(Stage)) -> Done<Withdrawn> {
        let done = self.withdraw_value(currency, amount, progress)?;
        // The notes are here whether or not it can be said now; the next synchronisation says it again.
        drop(self.leave_backup());
        Ok(done)
    }

    fn withdraw_value(
        &mut self,
        currency: Currency,
        amount: Amount,
        progress: &mut dyn FnMut(Stage),
    ) -> Done<Withdrawn> {
        let items = self.wallet.value_items(currency, amount, self.now())?;
        let under_way = self.wallet.balance(currency, self.now()).in_withdrawal;
        self.resume()?;
        let failures = self.finish_withdrawals(progress)?;
        match failures.into_iter().next() {
            None if under_way == amount => Ok(self.worth(&items)),
            Some(failure) if self.wallet.withdrawals().next().is_some() => Err(failure),
            _ => {
                let id = self.begin_withdrawal(&items)?;
                match self.see_through(&id, progress) {
                    // The notes are here. The PSP hears of it another time.
                    Err(failure) if failure.is_offline() && self.is_here(&id) => Ok(self.worth(&items)),
                    done => done.map(|()| self.worth(&items)),
                }
            }
        }
    }

    /// Withdraws `count` blanks that may each own `cap`.
    ///
    /// # Errors
    /// As [`Device::withdraw`].
    pub fn withdraw_blanks(
        &mut self,
        currency: Currency,
        count: u16,
        cap: Amount,
        progress: &mut dyn FnMut(Stage),
    ) -> Done<Withdrawn> {
        self.resume()?;
        self.finish_withdrawals(progress)?;
        let items = self.wallet.blank_items(currency, count, cap, self.now())?;
        self.withdraw_items(&items, progress)
    }

    /// Withdraws what is asked for, of any classes.
    pub(super) fn withdraw_items(&mut self, items: &[Item], progress: &mut dyn FnMut(Stage)) -> Done<Withdrawn> {
        let id = self.begin_withdrawal(items)?;
        self.see_through(&id, progress).map(|()| self.worth(items))
    }

    fn begin_withdrawal(&mut self, items: &[Item]) -> Done<WithdrawalId> {
        let seed = Self::seed()?;
        let step = self.wallet.plan_withdrawal(items, self.now(), &seed)?;
        self.commit(step)
    }

    /// Runs a withdrawal for the first time.
    fn see_through(&mut self, id: &WithdrawalId, progress: &mut dyn FnMut(Stage)) -> Done<()> {
        let done = self.run_withdrawal(id, progress);
        match done {
            // The PSP never heard of it: it is as if it had not begun.
            Err(failure) if failure.nothing_was_sent() && self.is_unopened(id) => {
                let step = self.wallet.cancel_withdrawal(id)?;
                self.commit(step)?;
                Err(failure)
            }
            done => done.map_err(Failure::halfway),
        }
    }

    fn is_unopened(&self, id: &WithdrawalId) -> bool {
        matches!(self.wallet.withdrawal_action(id), Action::Open { .. })
    }

    /// Whether all of its notes are in the wallet.
    fn is_here(&self, id: &WithdrawalId) -> bool {
        matches!(self.wallet.withdrawal_action(id), Action::Acknowledge { .. })
    }

    /// Finishes the withdrawals that were under way; gives why some of them could not be.
    ///
    /// # Errors
    /// What keeps all of them from going on.
    pub(super) fn finish_withdrawals(&mut self, progress: &mut dyn FnMut(Stage)) -> Done<Vec<Failure>> {
        let ids: Vec<WithdrawalId> = self.wallet.withdrawals().collect();
        let mut failures = Vec::new();
        for id in &ids {
            match self.run_withdrawal(id, progress) {
                Ok(()) => {}
                Err(failure) if failure.ends_everything() => return Err(failure.halfway()),
                Err(failure) => failures.push(failure),
            }
        }
        Ok(failures)
    }

    fn worth(&self, items: &[Item]) -> Withdrawn {
        let mut withdrawn = Withdrawn::default();
        for item in items {
            let count = usize::from(item.count);
            match self.wallet.class(&item.class_id).filter(|class| class.info().kind == Kind::Value) {
                Some(class) => {
                    withdrawn.notes += count;
                    withdrawn.amount += class.info().amount.minor().saturating_mul(u64::from(item.count));
                }
                None => withdrawn.blanks += count,
            }
        }
        withdrawn
    }

    fn run_withdrawal(&mut self, id: &WithdrawalId, progress: &mut dyn FnMut(Stage)) -> Done<()> {
        loop {
            progress(Stage::Withdrawing);
            match self.wallet.withdrawal_action(id) {
                Action::UseElement => {
                    let step = self.wallet.withdraw_with_element(id, self.now(), &mut self.element)?;
                    self.commit(step)?;
                }
                Action::Open { items } => self.open_withdrawal(id, &items)?,
                Action::Challenge { remote, challenges } => self.challenge_withdrawal(id, &remote, &challenges)?,
                Action::Acknowledge { remote } => self.acknowledge_withdrawal(id, &remote)?,
                Action::Done => return Ok(()),
                _ => {
                    return Err(Failure::new(
                        "wallet-ahead",
                        "the wallet asks for something unknown",
                        "update the program",
                    ));
                }
            }
        }
    }

    /// W1, W2.
    fn open_withdrawal(&mut self, id: &WithdrawalId, items: &[Item]) -> Done<()> {
        let items = items.iter();
        let items = items.map(|item| WithdrawalItem { class_id: HexArray(item.class_id.0), count: item.count.into() });
        let request = WithdrawalRequest { items: items.collect() };
        let key = key(id, "open");
        match self.signed_call(|psp, device| psp.withdraw(device, &key, &request)) {
            Ok(opened) => {
                let sessions = opened.sessions.iter().map(|session| Session {
                    class_id: specie_core::ClassId(session.class_id.0),
                    commitment: Commitment::from_bytes(&session.commitment.0),
                });
                let (remote, sessions) = (opened.withdrawal_id, sessions.collect::<Vec<_>>());
                match self.wallet.withdrawal_opened(id, &remote.to_string(), &sessions) {
                    Ok(step) => self.commit(step),
                    Err(error) => {
                        self.give_up_withdrawal(id, &remote)?;
                        Err(error.into())
                    }
                }
            }
            Err(error) => {
                // Refused for good: nothing was debited.
                if matches!(error, CallError::Refused(_)) && !error.may_retry() {
                    let step = self.wallet.cancel_withdrawal(id)?;
                    self.commit(step)?;
                }
                Err(error.into())
            }
        }
    }

    /// What the PSP answered cannot be used: has the amount put back.
    fn give_up_withdrawal(&mut self, id: &WithdrawalId, remote: &HexArray<16>) -> Done<()> {
        let key = key(id, "cancel");
        self.signed_call(|psp, device| psp.cancel(device, &key, remote))?;
        let step = self.wallet.cancel_withdrawal(id)?;
        self.commit(step)
    }

    /// W3, W4.
    fn challenge_withdrawal(&mut self, id: &WithdrawalId, remote: &str, challenges: &[[u8; 32]]) -> Done<()> {
        let name = remote_name(remote)?;
        let challenges = Challenges { challenges: challenges.iter().copied().map(HexArray).collect() };
        let key = key(id, "challenge");
        match self.signed_call(|psp, device| psp.challenge(device, &key, &name, &challenges)) {
            Ok(answers) => {
                let responses: Result<Vec<Response>, _> =
                    answers.responses.iter().map(|response| Response::from_bytes(&response.0)).collect();
                let responses = responses.map_err(|_| {
                    Failure::new(
                        "wrong-answer",
                        "the bank's answer makes no sense",
                        "do the same again, or ask the PSP",
                    )
                })?;
                let step = self.wallet.withdrawal_answered(id, &responses)?;
                self.commit(step)
            }
            Err(error) => {
                if error.is(&psp::WITHDRAWAL_VOID) {
                    let step = self.wallet.withdrawal_void(id)?;
                    self.commit(step)?;
                }
                Err(error.into())
            }
        }
    }

    fn acknowledge_withdrawal(&mut self, id: &WithdrawalId, remote: &str) -> Done<()> {
        let name = remote_name(remote)?;
        let key = key(id, "acknowledge");
        match self.signed_call(|psp, device| psp.acknowledge(device, &key, &name)) {
            Ok(_) => {}
            // The bank forgot already how it made the notes.
            Err(error) if error.is(&psp::WITHDRAWAL_CLOSED) => {}
            Err(error) => return Err(error.into()),
        }
        let step = self.wallet.withdrawal_acknowledged(id)?;
        self.commit(step)
    }
}

/// The key of one message of a withdrawal: the wallet stored its name before the first was sent.
fn key(id: &WithdrawalId, message: &str) -> Key {
    Key::new(&format!("{}-{message}", hex::encode(id.0))).expect("32 digits, a hyphen and a word are a key")
}

fn remote_name(remote: &str) -> Done<HexArray<16>> {
    HexArray::parse(remote).map_err(|_| {
        Failure::new("damaged-wallet", "the name of a withdrawal is damaged", "restore the wallet from its newest copy")
    })
}
