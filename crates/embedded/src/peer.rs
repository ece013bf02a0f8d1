//! Paying and being paid over a serial line: what the other device sends, and what it is sent (`docs/spec/links.md`).
//!
//! Nothing here waits. Every message may be lost, repeated or late; what is not answered is sent again, and the wallet
//! answers what it answered before.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_core::encoding::Decode;
use specie_core::message::Message;
use specie_core::request::Request;
use specie_core::text::Currency;
use specie_core::{Amount, Timestamp};
use specie_wallet::element::Element;
use specie_wallet::payment::{Form, PaymentId};
use specie_wallet::reception::Route;
use specie_wallet::request::{RequestId, RequestState};

use crate::device::{Device, Random};
use crate::failure::Failure;
use crate::frame::{Inbox, Outbox};

/// Kinds of frames between devices.
pub mod kind {
    /// A message of `specie.cddl`.
    pub const MESSAGE: u8 = 1;
    /// The sender does not go on: a code.
    pub const REFUSAL: u8 = 2;
    /// The receipt arrived.
    pub const DONE: u8 = 3;
}

/// After how long what was not answered is sent again, in milliseconds.
pub const REPEAT_MS: u64 = 1_000;

/// How often a payment without a receipt is offered since power-up: it is not lost then, it waits for the bank.
const OFFERS_MAX: u32 = 30;

/// Of how many payments it is known how often they were offered.
const PAYMENTS_COUNTED: usize = 16;

/// What a payer says that does not pay.
const NOT_PAID: &str = "not-paid";

/// The most bytes of another device's code that are kept to be told.
const CODE_MAX: usize = 64;

/// Things to tell whoever operates the device; the oldest is dropped where nobody listens.
const EVENTS_MAX: usize = 8;

/// What happened on the line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A payment was made and is on its way.
    Paid {
        /// The request.
        id: PaymentId,
        /// How much.
        amount: Amount,
    },
    /// The payee gave the receipt.
    Delivered(PaymentId),
    /// A payment was received.
    Received {
        /// The request.
        request: RequestId,
        /// How much.
        amount: Amount,
    },
    /// The other device does not go on, for this reason.
    Refused(Vec<u8>),
    /// What the other device sent was not taken.
    Failed(Failure),
}

/// What the device does on the line by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Role {
    /// Pays what it may pay by itself, under a mandate.
    #[default]
    Unattended,
    /// Nothing but answering.
    Stopped,
    /// Offers a request until it is paid.
    Payee(RequestId),
    /// Pays the next request of at most this much.
    Payer(Currency, Amount),
}

/// The line to the other device.
#[derive(Default)]
pub struct Peer {
    inbox: Inbox,
    outbox: Outbox,
    role: Role,
    /// When something was last sent unasked, in milliseconds.
    offered_at: Option<u64>,
    /// How often payments were offered.
    offers: Vec<(PaymentId, u32)>,
    /// Payments that the other device does not take.
    refused: BTreeSet<PaymentId>,
    /// The payment that was sent last.
    last: Option<PaymentId>,
    events: VecDeque<Event>,
}

impl Peer {
    /// Pays the next request that comes, if it asks for at most `limit` in `currency`.
    pub fn pay_next(&mut self, currency: Currency, limit: Amount) {
        self.role = Role::Payer(currency, limit);
    }

    /// Pays what it may pay by itself, where it was told to stop; else goes on with what it does.
    pub fn pay_by_itself(&mut self) {
        if self.role == Role::Stopped {
            self.role = Role::Unattended;
        }
    }

    /// Offers a request until it is paid or expires.
    pub fn offer(&mut self, request: RequestId) {
        self.role = Role::Payee(request);
        self.offered_at = None;
    }

    /// Neither pays nor offers anything, until it is told to; gives the request that was being offered.
    pub fn stop(&mut self) -> Option<RequestId> {
        match core::mem::replace(&mut self.role, Role::Stopped) {
            Role::Payee(request) => Some(request),
            Role::Unattended | Role::Stopped | Role::Payer(..) => None,
        }
    }

    /// Something that happened, oldest first.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Bytes to send now; tell with [`Peer::sent`] how many were.
    pub fn pending(&self) -> &[u8] {
        self.outbox.pending()
    }

    /// So many of the pending bytes were sent.
    pub fn sent(&mut self, count: usize) {
        self.outbox.sent(count);
    }

    /// Takes a byte from the line; `ms` counts milliseconds since power-up.
    pub fn receive<F: NorFlash, E: Element, R: Random>(
        &mut self,
        byte: u8,
        device: &mut Device<F, E, R>,
        now: Timestamp,
    ) {
        let Some(mut frame) = self.inbox.receive(byte) else { return };
        match frame.kind {
            kind::MESSAGE => self.take_message(&frame.message, device, now),
            kind::REFUSAL => {
                if matches!(self.role, Role::Payee(_)) {
                    self.role = Role::Unattended;
                }
                self.refused.extend(self.last.take());
                // It is told when the owner's line takes it, and may be of any length.
                frame.message.truncate(CODE_MAX);
                frame.message.shrink_to_fit();
                self.tell(Event::Refused(frame.message));
            }
            // The receipt arrived: nothing more is due to anybody. Other kinds are of a later version.
            _ => {}
        }
    }

    /// Does what is due without being asked; call it from time to time. `ms` counts milliseconds since power-up.
    #[inline(never)]
    pub fn tick<F: NorFlash, E: Element, R: Random>(&mut self, ms: u64, device: &Device<F, E, R>, now: Timestamp) {
        let due = self.offered_at.is_none_or(|at| ms.saturating_sub(at) >= REPEAT_MS);
        // Where the other device takes nothing, nothing is added.
        if !due || !self.outbox.is_empty() {
            return;
        }
        self.offered_at = Some(ms);
        let wallet = device.wallet();
        if let Role::Payee(request) = self.role {
            match wallet.request_message(&request) {
                Some(message) if wallet.request_state(&request, now) == Some(RequestState::Open) => {
                    self.outbox.push(kind::MESSAGE, message);
                }
                _ => self.role = Role::Unattended,
            }
            return;
        }
        let offered = |id: &PaymentId| self.offers.iter().find(|(other, _)| other == id).map_or(0, |(_, times)| *times);
        let undelivered =
            wallet.undelivered_payments().filter(|payment| payment.expiry >= now).map(|payment| payment.id);
        let mut due = undelivered.filter(|id| !self.refused.contains(id) && offered(id) < OFFERS_MAX);
        let Some(id) = due.next() else { return };
        if let Ok(message) = device.payment_again(&id, Form::Extended) {
            self.count_offer(id);
            self.last = Some(id);
            self.outbox.push(kind::MESSAGE, &message);
        }
    }

    fn count_offer(&mut self, id: PaymentId) {
        match self.offers.iter_mut().find(|(other, _)| *other == id) {
            Some((_, times)) => *times += 1,
            None => {
                // Those that were delivered since are not asked for again.
                if self.offers.len() == PAYMENTS_COUNTED {
                    self.offers.remove(0);
                }
                self.offers.push((id, 1));
            }
        }
    }

    #[inline(never)]
    fn take_message<F: NorFlash, E: Element, R: Random>(
        &mut self,
        message: &[u8],
        device: &mut Device<F, E, R>,
        now: Timestamp,
    ) {
        let taken = match Message::peek(message) {
            Ok(Message::Request) => self.take_request(message, device, now),
            Ok(Message::Payment) => self.take_payment(message, device, now),
            Ok(Message::Receipt) => device.take_receipt(message).map(|id| {
                self.outbox.push(kind::DONE, &[]);
                self.tell(Event::Delivered(id));
            }),
            // The payer only means well: what is wrong or old changes nothing.
            Ok(Message::Manifest | Message::RevocationPage) => device.take_publication(message).map(drop),
            _ => {
                self.refuse("unexpected-message");
                Ok(())
            }
        };
        if let Err(failure) = taken {
            self.tell(Event::Failed(failure));
        }
    }

    /// Pays, if that was asked for; a request that was paid gets its payment again.
    #[inline(never)]
    fn take_request<F: NorFlash, E: Element, R: Random>(
        &mut self,
        message: &[u8],
        device: &mut Device<F, E, R>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Ok(request) = Request::decode(message) else {
            self.refuse("malformed");
            return Ok(());
        };
        let (id, amount) = (request.context(), request.body.amount);
        if !self.outbox.is_empty() {
            // It is being answered.
            return Ok(());
        }
        let made = device.payment_again(&id, Form::Extended).is_ok();
        let by_itself = self.role == Role::Unattended && device.wallet().mandate_message().is_some();
        let (is_payer, is_wanted) = match self.role {
            Role::Payer(currency, limit) => (true, request.body.currency == currency && amount <= limit),
            Role::Unattended => (by_itself, by_itself),
            Role::Stopped | Role::Payee(_) => (false, false),
        };
        if !made && !is_wanted {
            if is_payer {
                self.refuse(NOT_PAID);
            }
            return Ok(());
        }
        let paid = if by_itself && !made { device.pay_by_itself(message, now) } else { device.pay(message, now) };
        let paid = paid.inspect_err(|failure| {
            if !failure.is_own() {
                self.refuse(NOT_PAID);
            }
        })?;
        for publication in &paid.publications {
            self.outbox.push(kind::MESSAGE, publication);
        }
        self.outbox.push(kind::MESSAGE, &paid.message);
        self.last = Some(id);
        if !made {
            self.role = Role::Unattended;
            self.tell(Event::Paid { id, amount });
        }
        Ok(())
    }

    #[inline(never)]
    fn take_payment<F: NorFlash, E: Element, R: Random>(
        &mut self,
        message: &[u8],
        device: &mut Device<F, E, R>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let received = device.receive(message, Route::Payer, now).inspect_err(|failure| {
            // Else the payer offers it again.
            if !failure.is_own() {
                self.refuse(failure.code);
            }
        })?;
        self.outbox.push(kind::MESSAGE, &received.receipt);
        if self.role == Role::Payee(received.request) {
            self.role = Role::Unattended;
        }
        if !received.repeated {
            self.tell(Event::Received { request: received.request, amount: received.amount });
        }
        Ok(())
    }

    fn refuse(&mut self, code: &str) {
        self.outbox.push(kind::REFUSAL, code.as_bytes());
    }

    fn tell(&mut self, event: Event) {
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}
