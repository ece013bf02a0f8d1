//! Withdrawals (§5): the wallet says what comes next.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_api::hexadecimal::{Hex, HexArray};
use specie_api::idempotency::Key;
use specie_api::psp::{self, path};
use specie_core::Timestamp;
use specie_core::issuance::{Commitment, Response};
use specie_wallet::element::Element;
use specie_wallet::withdrawal::{Action, Session, WithdrawalId};

use super::{Out, ROUNDS_MAX, Stage, Synchronisation};
use crate::answers::{Empty, Opened, Responses};
use crate::device::{Device, Done, Random};
use crate::errand::{Answer, Errand, garbled};
use crate::failure::Failure;
use crate::json::Object;

impl Synchronisation {
    /// The next message of a withdrawal that goes on; the element does its part in between.
    #[inline(never)]
    pub(super) fn ask_withdrawal<F: NorFlash, E: Element, R: Random>(
        &mut self,
        device: &mut Device<F, E, R>,
        now: Timestamp,
    ) -> Done<Option<(Out, Errand)>> {
        if let Some((id, remote)) = &self.unusable {
            let target = named(path::CANCEL, &Hex::from(&remote[..]).to_string())?;
            let errand = Errand::post(target, &key(id, "cancel"), Object::new());
            return Ok(Some((Out::Cancel(*id), errand.signed(device, self.psp_time(now))?)));
        }
        loop {
            let next = device.wallet().withdrawals().find(|id| !self.stuck.contains(id));
            let Some(id) = next else { return Ok(None) };
            let (out, errand) = match device.wallet().withdrawal_action(&id) {
                Action::UseElement => {
                    let step = device.wallet.withdraw_with_element(&id, now, &mut device.element)?;
                    device.commit(step)?;
                    continue;
                }
                Action::Open { items } => {
                    let items = items
                        .iter()
                        .map(|item| Object::new().hex("class_id", &item.class_id.0).uint("count", item.count.into()));
                    let request = Object::new().objects("items", items);
                    (Out::Open(id), Errand::post(path::WITHDRAWALS, &key(&id, "open"), request))
                }
                Action::Challenge { remote, challenges } => {
                    let challenges = Object::new().hexes("challenges", challenges.iter().map(<[u8; 32]>::as_slice));
                    let target = named(path::CHALLENGES, &remote)?;
                    (Out::Challenge(id), Errand::post(target, &key(&id, "challenge"), challenges))
                }
                Action::Acknowledge { remote } => {
                    let target = named(path::ACKNOWLEDGE, &remote)?;
                    (Out::Acknowledge(id), Errand::post(target, &key(&id, "acknowledge"), Object::new()))
                }
                _ => {
                    self.stuck.insert(id);
                    continue;
                }
            };
            return Ok(Some((out, errand.signed(device, self.psp_time(now))?)));
        }
    }

    /// W2, and the blinding of W3.
    #[inline(never)]
    pub(super) fn take_opened<F: NorFlash, E: Element, R: Random>(
        &mut self,
        id: &WithdrawalId,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
    ) -> Done<()> {
        let opened: Opened = match answer.read() {
            Ok(opened) => opened,
            Err(refusal) => {
                // Refused for good: nothing was debited.
                if refusal.is_final() {
                    let step = device.wallet.cancel_withdrawal(id)?;
                    device.commit(step)?;
                }
                return self.stick(id, refusal.into());
            }
        };
        let sessions = opened.sessions.iter().map(|(class_id, commitment)| Session {
            class_id: specie_core::ClassId(*class_id),
            commitment: Commitment::from_bytes(commitment),
        });
        let sessions = sessions.collect::<Vec<_>>();
        match device.wallet.withdrawal_opened(id, &Hex::from(&opened.id[..]).to_string(), &sessions) {
            Ok(step) => device.commit(step),
            Err(error) => {
                // The amount is to be put back.
                self.unusable = Some((*id, opened.id));
                self.stick(id, error.into())
            }
        }
    }

    #[inline(never)]
    pub(super) fn take_cancelled<F: NorFlash, E: Element, R: Random>(
        &mut self,
        id: &WithdrawalId,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
    ) -> Done<()> {
        self.unusable = None;
        match answer.read::<Empty>() {
            Ok(Empty) => {
                let step = device.wallet.cancel_withdrawal(id)?;
                device.commit(step)
            }
            Err(refusal) => self.stick(id, refusal.into()),
        }
    }

    /// W5.
    #[inline(never)]
    pub(super) fn take_answered<F: NorFlash, E: Element, R: Random>(
        &mut self,
        id: &WithdrawalId,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
    ) -> Done<()> {
        let Responses(answers) = match answer.read() {
            Ok(answers) => answers,
            Err(refusal) => {
                if refusal.is(&psp::WITHDRAWAL_VOID) {
                    let step = device.wallet.withdrawal_void(id)?;
                    device.commit(step)?;
                }
                return self.stick(id, refusal.into());
            }
        };
        let responses: Result<Vec<Response>, _> = answers.iter().map(Response::from_bytes).collect();
        drop(answers);
        let Ok(responses) = responses else { return self.stick(id, garbled()) };
        match device.wallet.withdrawal_answered(id, &responses) {
            Ok(step) => {
                device.commit(step)?;
                self.report.withdrawn += responses.len() as u32;
                Ok(())
            }
            Err(error) => self.stick(id, error.into()),
        }
    }

    #[inline(never)]
    pub(super) fn take_acknowledged<F: NorFlash, E: Element, R: Random>(
        &mut self,
        id: &WithdrawalId,
        device: &mut Device<F, E, R>,
        answer: &Answer<'_>,
    ) -> Done<()> {
        match answer.read::<Empty>() {
            Ok(Empty) => {}
            // The bank forgot already how it made the notes.
            Err(refusal) if refusal.is(&psp::WITHDRAWAL_CLOSED) => {}
            Err(refusal) => return self.stick(id, refusal.into()),
        }
        let step = device.wallet.withdrawal_acknowledged(id)?;
        device.commit(step)
    }

    /// It does not go on in this synchronisation; others may.
    fn stick(&mut self, id: &WithdrawalId, failure: Failure) -> Done<()> {
        self.stuck.insert(*id);
        if self.stage == Stage::Withdrawals {
            // The next one of the kind would fare no better, and hold places in the element all the same.
            self.rounds = ROUNDS_MAX;
        }
        self.put_aside(failure)
    }
}

/// The key of one message of a withdrawal: the wallet stored its name before the first was sent.
fn key(id: &WithdrawalId, message: &str) -> Key {
    let name = Hex::from(&id.0[..]);
    Key::new(&format!("{name}-{message}")).expect("32 digits, a hyphen and a word are a key")
}

fn named(path: &str, remote: &str) -> Done<alloc::string::String> {
    if HexArray::<16>::parse(remote).is_ok() {
        return Ok(path.replace("{id}", remote));
    }
    Err(Failure::new("damaged-wallet", "the name of a withdrawal is damaged", "replace the device and keep its flash"))
}
