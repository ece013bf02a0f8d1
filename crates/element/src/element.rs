//! The element: takes a command apart, checks that it may be done now, does it, answers.

use core::convert::Infallible;

use embedded_storage::nor_flash::NorFlash;
use specie_core::group::{Generators, RistrettoPoint, Scalar, encode_point};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::{hash, label};
use zeroize::Zeroizing;

use crate::apdu::Apdu;
use crate::client::Link;
use crate::command::Command;
use crate::instruction::{LifeCycle, Purpose, VERSION};
use crate::journal::JournalError;
use crate::platform::Platform;
use crate::record::single;
use crate::records::Records;
use crate::status::StatusWord;

mod answer;
mod blank;
mod class;
mod enrol;
mod factory;
mod limits;
mod mandate;
mod manifest;
mod nonces;
mod pin;
mod register;
mod spend;
mod state;
mod totals;

use answer::Answer;
use class::Classes;

/// A secure element over a flash and a platform, with room for `N` notes and blanks.
///
/// It is put to work with nothing but [`process`](Self::process), and may lose power at any moment.
pub struct Element<F, P, const N: usize> {
    records: Records<F, N>,
    platform: P,
    generators: Generators,
    /// What follows was read from the flash as a whole.
    loaded: bool,
    life_cycle: LifeCycle,
    secrets: Option<Secrets>,
    /// The PIN was verified since power-up.
    verified: bool,
    classes: Classes,
}

/// What only the element knows, and what follows from it.
struct Secrets {
    seed: Zeroizing<[u8; 32]>,
    u: Zeroizing<Scalar>,
    /// The secret half of A, which wipes itself.
    authentication: SigningKey,
    /// U, encoded.
    identity: [u8; 32],
}

impl Secrets {
    fn derive(seed: &[u8; 32], generators: &Generators) -> Self {
        let u = Zeroizing::new(hash::hs(label::DEVICE_KEY, &[seed]));
        let key = Zeroizing::new(hash::h32(label::ELEMENT_AUTHENTICATION, &[seed]));
        let identity: RistrettoPoint = *u * generators.K;
        Self {
            seed: Zeroizing::new(*seed),
            u,
            authentication: SigningKey::from_seed(&key),
            identity: encode_point(&identity),
        }
    }

    /// A.
    fn authentication_key(&self) -> PublicKey {
        self.authentication.public()
    }
}

impl From<JournalError> for StatusWord {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Full => Self::NO_ROOM,
            _ => Self::FLASH_FAILED,
        }
    }
}

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    /// An element over `flash`. The flash is first read by the first command.
    ///
    /// # Errors
    /// The flash is too small for `N` records, or its words or pages do not suit.
    pub fn new(flash: F, platform: P) -> Result<Self, JournalError> {
        Ok(Self {
            records: Records::new(flash)?,
            platform,
            generators: Generators::new(),
            loaded: false,
            life_cycle: LifeCycle::Factory,
            secrets: None,
            verified: false,
            classes: Classes::new(),
        })
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.records.into_flash()
    }

    /// Carries out one command APDU, writes its answer with the status word to `response`, and returns the length of
    /// that.
    ///
    /// `response` holds at least two bytes; what the answer needs beyond them may be as many as
    /// [`MAX_RESPONSE`](crate::apdu::MAX_RESPONSE).
    pub fn process(&mut self, apdu: &[u8], response: &mut [u8]) -> usize {
        let Some(room) = response.len().checked_sub(2) else { return 0 };
        let mut answer = Answer::new(&mut response[..room]);
        let status = match self.answer(apdu, &mut answer) {
            Ok(()) => StatusWord::DONE,
            Err(status) => {
                answer.clear();
                status
            }
        };
        let length = answer.length();
        response[length..length + 2].copy_from_slice(&status.to_bytes());
        length + 2
    }

    fn answer(&mut self, apdu: &[u8], answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        let apdu = Apdu::decode(apdu)?;
        let command = Command::try_from(&apdu)?;
        answer.limit(apdu.expected);
        // Before anything is done: a command whose answer is not wanted would be done and not told.
        answer.check_room(command.answer_length())?;
        self.load()?;
        self.check_life_cycle(&command)?;
        if needs_pin(&command) {
            self.check_pin()?;
        }
        self.dispatch(&command, answer)
    }

    /// What a command needs of the stack, it needs alone: none of them is inlined here.
    fn dispatch(&mut self, command: &Command<'_>, answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        match *command {
            Command::Select => self.select(answer),
            Command::Verify(pin) => self.verify(pin),
            Command::ChangePin { old, new } => self.change_pin(old, new),
            Command::Unblock { puk, new } => self.unblock(puk, new),
            Command::Generate => self.generate(answer),
            Command::Personalise { root_key, puk, certificate } => self.personalise(root_key, puk, certificate),
            Command::Identity => self.identity(answer),
            Command::Enrol { nonce, device_info } => self.enrol(nonce, device_info, answer),
            Command::SignRequest { purpose, digest } => self.sign_request(purpose, digest, answer),
            Command::Nonces { expected, count } => self.nonces(expected, count, answer),
            Command::Manifest { header, signature } => self.manifest(header, signature),
            Command::Class(proof) => self.class(&proof, answer),
            Command::Register(note) => self.register(&note, answer),
            Command::OwnerTag { index, blind, amount } => self.owner_tag(index, blind, amount, answer),
            Command::Release { index } => self.release(index),
            Command::Spend(spend) => self.spend(&spend, answer),
            Command::Forget { index } => self.forget(index),
            Command::Limits { psp, document } => self.limits(&psp, document),
            Command::Mandate(mandate) => self.mandate(&mandate),
            Command::MandateUse => self.mandate_use(answer),
            Command::Status => self.status(answer),
            Command::Wipe { even_so } => self.wipe(even_so),
            Command::Totals { nonce } => self.totals(nonce, answer),
        }
    }

    /// Reads the flash after power-up, and again after a failure that left open what it holds, or in the middle of
    /// reading: half read, an element would take itself for one fresh from the factory.
    #[inline(never)]
    fn load(&mut self) -> Result<(), StatusWord> {
        if self.loaded && !self.records.is_stale() {
            return Ok(());
        }
        self.loaded = false;
        self.secrets = None;
        self.records.load()?;
        let mut seed = Zeroizing::new([0; 32]);
        let drawn = self.records.single_bytes(single::IDENTITY, &mut *seed)?.is_some();
        if drawn {
            self.secrets = Some(Secrets::derive(&seed, &self.generators));
        }
        self.life_cycle = if self.records.contains(single::WIPED) {
            LifeCycle::Wiped
        } else if self.records.contains(single::PERSONAL) {
            LifeCycle::Personalised
        } else if drawn {
            LifeCycle::Generated
        } else {
            LifeCycle::Factory
        };
        self.loaded = true;
        Ok(())
    }

    fn check_life_cycle(&self, command: &Command<'_>) -> Result<(), StatusWord> {
        let allowed = match command {
            Command::Select | Command::Status => true,
            Command::Generate => matches!(self.life_cycle, LifeCycle::Factory | LifeCycle::Generated),
            Command::Personalise { .. } => self.life_cycle == LifeCycle::Generated,
            Command::Wipe { .. } => matches!(self.life_cycle, LifeCycle::Personalised | LifeCycle::Wiped),
            _ => self.life_cycle == LifeCycle::Personalised,
        };
        if allowed { Ok(()) } else { Err(StatusWord::WRONG_STATE) }
    }

    fn secrets(&self) -> Result<&Secrets, StatusWord> {
        self.secrets.as_ref().ok_or(StatusWord::WRONG_STATE)
    }

    fn select(&mut self, answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        answer.push(&[VERSION, self.life_cycle as u8])?;
        answer.push(&self.platform.firmware())
    }
}

/// In-process use: the host's commands reach the element directly.
impl<F: NorFlash, P: Platform, const N: usize> Link for Element<F, P, N> {
    type Error = Infallible;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Infallible> {
        Ok(self.process(command, response))
    }
}

/// The commands that need the PIN, where one is set; what is done under a mandate needs that instead.
fn needs_pin(command: &Command<'_>) -> bool {
    match command {
        Command::SignRequest { purpose, .. } => *purpose != Purpose::MandatedRequest,
        Command::Spend(spend) => spend.mandated_at.is_none(),
        Command::Wipe { .. } => true,
        _ => false,
    }
}
