//! Asking to be paid, and being paid (§7, §9).

use alloc::format;
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_core::message::Message;
use specie_core::text::{Currency, Memo};
use specie_core::{Amount, Timestamp};
use specie_wallet::element::Element;
use specie_wallet::publication::Update;
use specie_wallet::reception::{Received, Reception, Route};
use specie_wallet::request::{self, RequestId};

use super::pay::expect;
use super::{Device, Done, Random};
use crate::failure::Failure;

/// What to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// In which currency.
    pub currency: Currency,
    /// How much.
    pub amount: Amount,
    /// For how long a payment is accepted, in seconds from now.
    pub valid_seconds: u64,
    /// The most notes in which it may be paid, 1 to 8; each takes a blank for as long.
    pub notes_max: u8,
    /// What it is for.
    pub memo: Option<Memo>,
}

/// A request that was made. It is stored, and may be shown any number of times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Names the request within this wallet.
    pub id: RequestId,
    /// The request as it travels.
    pub message: Vec<u8>,
    /// Last moment at which a payment is accepted.
    pub expiry: Timestamp,
}

impl<F: NorFlash, E: Element, R: Random> Device<F, E, R> {
    /// Makes a request.
    ///
    /// # Errors
    /// No blank is left for it, or the element refuses.
    #[inline(never)]
    pub fn request(&mut self, terms: &Terms, now: Timestamp) -> Done<Asked> {
        self.resume(now)?;
        self.check_room()?;
        let expiry = now.max(self.wallet.time_floor()).saturating_add(terms.valid_seconds);
        let Terms { currency, amount, notes_max, memo, .. } = *terms;
        let seed = self.seed()?;
        let step =
            self.wallet.plan_request(&request::Terms { currency, amount, expiry, notes_max, memo }, now, &seed)?;
        let id = self.commit(step)?;
        let step = self.wallet.open_request(&id, &mut self.element)?;
        let message = self.commit(step)??;
        Ok(Asked { id, message, expiry })
    }

    /// Withdraws a request that was not paid.
    ///
    /// # Errors
    /// There is none of that name, or it was paid.
    pub fn cancel_request(&mut self, id: &RequestId) -> Done<()> {
        let step = self.wallet.cancel_request(id)?;
        self.commit(step)
    }

    /// Takes a payment and gives what was received, with the receipt to hand over. The same payment again gives the same.
    ///
    /// # Errors
    /// The rule that it breaks.
    #[inline(never)]
    pub fn receive(&mut self, payment: &[u8], route: Route, now: Timestamp) -> Done<Received> {
        expect(payment, Message::Payment)?;
        self.check_receiving(payment.len())?;
        let step = self.wallet.receive(payment, route, now)?;
        match self.commit(step)? {
            Reception::Accepted(received) => Ok(received),
            Reception::DoubleSpend { note_id, .. } => Err(Failure::new(
                "double-spend",
                &format!("the payment spends note {note_id}, which was spent otherwise before"),
                "do not hand anything over; the evidence is kept in the wallet",
            )),
        }
    }

    /// Takes a manifest or revocation list that another device passed on.
    ///
    /// # Errors
    /// It is neither, or not the bank's.
    #[inline(never)]
    pub fn take_publication(&mut self, message: &[u8]) -> Done<Update> {
        let step = match Message::peek(message) {
            Ok(Message::Manifest) => self.wallet.accept_manifest(&[], message)?,
            Ok(Message::RevocationList) => self.wallet.accept_revocation_list(message)?,
            _ => {
                return Err(Failure::new(
                    "unexpected-message",
                    "this is neither a manifest nor a revocation list",
                    "send the right message",
                ));
            }
        };
        self.commit(step)
    }
}
