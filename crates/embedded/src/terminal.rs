//! The whole device as bytes in and bytes out: one line to the other device, one to its owner, and a clock.
//!
//! The main loop hands over every byte that arrives, sends what is pending as fast as the lines take it, and calls
//! [`Terminal::poll`]. Nothing waits for the other side of a line; only the element is waited for, as long as its link does.

use alloc::boxed::Box;

use embedded_storage::nor_flash::NorFlash;
use specie_core::Timestamp;
use specie_core::signature::PublicKey;
use specie_wallet::element::Element;
use zeroize::Zeroize;

use crate::device::{Device, Done, Parts, Random, Unopened};
use crate::enrolment::Enrolment;
use crate::errand::Answer;
use crate::failure::Failure;
use crate::frame::{Frame, Inbox, Outbox};
use crate::owner::{self, Command, Status, kind};
use crate::peer::{Peer, REPEAT_MS};
use crate::synchronisation::{Next, Synchronisation};

/// How long an errand may take, in milliseconds.
const ERRAND_MS: u64 = 60_000;

/// A device on its lines.
pub struct Terminal<F, E, R> {
    state: State<F, E, R>,
    peer: Peer,
    inbox: Inbox,
    outbox: Outbox,
    /// Unix seconds when the clock began to count, once the owner told the time.
    epoch: Option<u64>,
    work: Option<Work>,
    /// When what was under way before the power went off was last tried, in milliseconds; `None` once it is done.
    resuming: Option<Option<u64>>,
    /// The errand that is out: its number, and when it went, in milliseconds.
    errand: Option<(u32, u64)>,
    errands: u32,
}

/// Whether there is a device.
enum State<F, E, R> {
    Open(Box<Device<F, E, R>>),
    Closed(Unopened<F, E, R>),
    /// Between the two, for no time at all.
    Moving,
}

/// What needs the PSP.
enum Work {
    Synchronisation(Box<Synchronisation>),
    Enrolment(Enrolment),
}

impl<F: NorFlash, E: Element, R: Random> Terminal<F, E, R> {
    /// The device as it was when the power went off; without one, a terminal that can be told to make one.
    pub fn new(parts: Parts<F, E, R>) -> Self {
        let state = match Device::open(parts) {
            Ok(device) => State::Open(Box::new(device)),
            Err(unopened) => State::Closed(unopened),
        };
        Self {
            state,
            peer: Peer::default(),
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            epoch: None,
            work: None,
            resuming: Some(None),
            errand: None,
            errands: 0,
        }
    }

    /// The device, if there is one.
    pub fn device(&mut self) -> Option<&mut Device<F, E, R>> {
        self.open_device().ok()
    }

    /// The device.
    ///
    /// # Errors
    /// Why there is none.
    pub fn open_device(&mut self) -> Done<&mut Device<F, E, R>> {
        match &mut self.state {
            State::Open(device) => Ok(device),
            State::Closed(unopened) => Err(unopened.failure.clone()),
            State::Moving => Err(Failure::new("no-wallet", "there is no wallet", "make a wallet first")),
        }
    }

    /// Makes a wallet that obeys the central bank of this root key.
    ///
    /// # Errors
    /// There is one already, or may be; the flash is unfit, or the element cannot say who it is.
    #[inline(never)]
    pub fn create(&mut self, root: PublicKey) -> Done<()> {
        let (state, outcome) = match core::mem::replace(&mut self.state, State::Moving) {
            // Anything else than an empty flash may hold money.
            State::Closed(unopened) if unopened.failure.code == "no-wallet" => {
                match Device::create(unopened.parts, root) {
                    Ok(device) => (State::Open(Box::new(device)), Ok(())),
                    Err(again) => {
                        let failure = again.failure.clone();
                        // The flash still holds no wallet.
                        (State::Closed(Unopened { failure: unopened.failure, parts: again.parts }), Err(failure))
                    }
                }
            }
            State::Closed(unopened) => {
                let failure = unopened.failure.clone();
                (State::Closed(unopened), Err(failure))
            }
            open => (open, Err(Failure::new("wallet-exists", "there is a wallet already", "use it"))),
        };
        self.state = state;
        outcome
    }

    /// Tells what time it is `ms` milliseconds after power-up.
    pub fn set_time(&mut self, now: Timestamp, ms: u64) {
        self.epoch = Some(now.seconds().saturating_sub(ms / 1000));
    }

    /// The line to the other device, to be told what to do there, and to tell what happened. What is not asked of it before
    /// the next [`Terminal::poll`] the owner is told.
    pub fn peer(&mut self) -> &mut Peer {
        &mut self.peer
    }

    /// Whether the owner had something begun that needs the PSP, and is not over.
    pub fn is_working(&self) -> bool {
        self.work.is_some()
    }

    /// Takes a byte from the other device. `ms` counts milliseconds since power-up, here and everywhere.
    pub fn peer_byte(&mut self, byte: u8, ms: u64) {
        let now = self.now(ms);
        if let State::Open(device) = &mut self.state {
            self.peer.receive(byte, device, now);
        }
    }

    /// Bytes for the other device.
    pub fn peer_pending(&self) -> &[u8] {
        self.peer.pending()
    }

    /// So many of them were sent.
    pub fn peer_sent(&mut self, count: usize) {
        self.peer.sent(count);
    }

    /// Takes a byte from the owner.
    pub fn owner_byte(&mut self, byte: u8, ms: u64) {
        let Some(mut frame) = self.inbox.receive(byte) else { return };
        match frame.kind {
            kind::COMMAND => self.take_command(&frame, ms),
            kind::ANSWER => self.take_answer(&frame.message, ms),
            _ => {}
        }
        // It may have been a PIN.
        frame.message.zeroize();
    }

    /// Bytes for the owner.
    pub fn owner_pending(&self) -> &[u8] {
        self.outbox.pending()
    }

    /// So many of them were sent.
    pub fn owner_sent(&mut self, count: usize) {
        self.outbox.sent(count);
    }

    /// Does what is due without being asked.
    #[inline(never)]
    pub fn poll(&mut self, ms: u64) {
        let now = self.now(ms);
        self.resume(ms);
        if let State::Open(device) = &mut self.state {
            self.peer.tick(ms, device, now);
            while self.outbox.is_empty()
                && let Some(event) = self.peer.event()
            {
                self.outbox.push(kind::EVENT, &owner::encode_peer_event(&event));
            }
        }
        if self.errand.is_some_and(|(_, at)| ms.saturating_sub(at) > ERRAND_MS) {
            self.errand = None;
            self.answer_work(&Answer { status: 0, body: &[] }, ms);
        }
        if self.errand.is_none() && self.outbox.is_empty() {
            self.go_on(ms);
        }
    }

    /// After power-up, goes on with what was under way: payments are completed, a request is offered again.
    #[inline(never)]
    fn resume(&mut self, ms: u64) {
        let now = self.now(ms);
        let (Some(tried), State::Open(device)) = (self.resuming, &mut self.state) else { return };
        if tried.is_some_and(|at| ms.saturating_sub(at) < REPEAT_MS) {
            return;
        }
        self.resuming = Some(Some(ms));
        if device.resume(now).is_ok() {
            self.resuming = None;
            if let Some(request) = device.wallet().open_requests(now).last() {
                self.peer.offer(request);
            }
        }
    }

    fn now(&self, ms: u64) -> Timestamp {
        // Without being told, the device knows of the time what is signed: the wallet sees to it.
        let seconds = self.epoch.map_or(0, |epoch| epoch.saturating_add(ms / 1000));
        Timestamp::new(seconds).unwrap_or_default()
    }

    #[inline(never)]
    fn take_command(&mut self, frame: &Frame, ms: u64) {
        let command = match Command::decode(&frame.message) {
            Ok(command) => command,
            Err(error) => {
                let failure = Failure::new("malformed", &alloc::format!("not a command: {error}"), "send another");
                self.outbox.push(kind::REPLY, &owner::encode_failed(0, &failure));
                return;
            }
        };
        let number = command.number();
        let reply = match self.carry_out(command, ms) {
            Ok(reply) => reply,
            Err(failure) => owner::encode_failed(number, &failure),
        };
        self.outbox.push(kind::REPLY, &reply);
    }

    #[inline(never)]
    fn carry_out(&mut self, command: Command, ms: u64) -> Done<alloc::vec::Vec<u8>> {
        let (number, now) = (command.number(), self.now(ms));
        match command {
            Command::Status => return Ok(owner::encode_status(number, &self.status(now))),
            Command::Time(time) => self.set_time(time, ms),
            Command::Create(root) => self.create(root)?,
            Command::Enrol { customer, claim_code } => {
                let enrolment = Enrolment::new(self.open_device()?, &customer, &claim_code)?;
                self.begin(Work::Enrolment(enrolment))?;
            }
            Command::Synchronise(keep) => {
                self.open_device()?;
                self.begin(Work::Synchronisation(Box::new(Synchronisation::new(keep))))?;
            }
            Command::Request(terms) => {
                let asked = self.open_device()?.request(&terms, now)?;
                self.peer.offer(asked.id);
                return Ok(owner::encode_made(number, &asked.message));
            }
            Command::PayNext { currency, limit } => {
                self.open_device()?;
                self.peer.pay_next(currency, limit);
            }
            Command::Stop => {
                if let Some(request) = self.peer.stop() {
                    self.open_device()?.cancel_request(&request)?;
                }
            }
            Command::Mandate(mandate) => {
                self.open_device()?.take_mandate(&mandate)?;
                self.peer.pay_by_itself();
            }
            Command::MandateHeld => return Ok(owner::encode_mandate(number, &self.open_device()?.mandate()?)),
            Command::ChangePin { mut old, mut new } => {
                let changed = self.open_device().and_then(|device| device.change_pin(&old, &new));
                old.zeroize();
                new.zeroize();
                changed?;
            }
            Command::Pin(mut pin) => {
                let verified = self.open_device().and_then(|device| device.verify(&pin));
                pin.zeroize();
                verified?;
            }
        }
        Ok(owner::encode_done(number))
    }

    fn begin(&mut self, work: Work) -> Done<()> {
        if self.work.is_some() {
            return Err(Failure::new("busy", "the device is synchronising or enrolling", "wait until it is done"));
        }
        self.work = Some(work);
        Ok(())
    }

    #[inline(never)]
    fn status(&self, now: Timestamp) -> Status {
        let State::Open(device) = &self.state else { return Status::default() };
        let (wallet, space) = (device.wallet(), device.space());
        let mut status = Status {
            wallet: true,
            enrolled: wallet.account().is_some(),
            undelivered: wallet.undelivered_payments().filter(|payment| !payment.uploaded).count() as u64,
            pending: wallet.pending().len() as u64,
            manifest: wallet.manifest_sequence(),
            limits: wallet.limits_sequence(),
            live: space.live as u64,
            capacity: space.capacity as u64,
            ..Status::default()
        };
        for currency in wallet.currencies() {
            let balance = wallet.balance(currency, now);
            status.spendable += balance.spendable().minor();
            status.total += balance.total().minor();
            status.blanks += wallet.blanks(currency, now).free as u64;
        }
        status
    }

    #[inline(never)]
    fn take_answer(&mut self, message: &[u8], ms: u64) {
        // An answer to another errand came too late, or is somebody's guess.
        if let Ok((number, answer)) = owner::decode_answer(message)
            && self.errand.is_some_and(|(out, _)| out == number)
        {
            self.errand = None;
            self.answer_work(&answer, ms);
        }
    }

    #[inline(never)]
    fn answer_work(&mut self, answer: &Answer<'_>, ms: u64) {
        let now = self.now(ms);
        let State::Open(device) = &mut self.state else { return };
        match &mut self.work {
            Some(Work::Synchronisation(synchronisation)) => synchronisation.answer(device, answer, now),
            Some(Work::Enrolment(enrolment)) => {
                if let Err(failure) = enrolment.answer(device, answer) {
                    self.work = None;
                    self.outbox.push(kind::EVENT, &owner::encode_enrolled(&Err(failure)));
                }
            }
            None => {}
        }
    }

    /// Goes on with what needs the PSP.
    #[inline(never)]
    fn go_on(&mut self, ms: u64) {
        let now = self.now(ms);
        let State::Open(device) = &mut self.state else { return };
        let next = match &mut self.work {
            None => return,
            Some(Work::Synchronisation(synchronisation)) => match synchronisation.next(device, now) {
                Next::Errand(errand) => Ok(errand),
                Next::Done(report) => Err(owner::encode_synchronised(&report)),
            },
            Some(Work::Enrolment(enrolment)) => match enrolment.next(device) {
                Ok(Some(errand)) => Ok(errand),
                Ok(None) => Err(owner::encode_enrolled(&Ok(()))),
                Err(failure) => Err(owner::encode_enrolled(&Err(failure))),
            },
        };
        match next {
            Ok(errand) => {
                self.errands = match self.errands {
                    // An answer to an errand of before the power went off must not be taken for one of now.
                    0 => device.seed().map_or(1, |seed| u32::from_le_bytes([seed[0], seed[1], seed[2], seed[3]]) | 1),
                    last => last.wrapping_add(2),
                };
                let message = owner::encode_errand(self.errands, &errand);
                drop(errand);
                if self.outbox.push(kind::ERRAND, &message) {
                    self.errand = Some((self.errands, ms));
                } else {
                    // Longer than a message: it can never be sent from here.
                    self.answer_work(&Answer { status: 413, body: &[] }, ms);
                }
            }
            Err(event) => {
                self.work = None;
                self.outbox.push(kind::EVENT, &event);
            }
        }
    }
}
