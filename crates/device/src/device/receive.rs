//! Asking to be paid, and being paid (§7, §9).

use specie_core::message::Message;
use specie_core::revocation::PAGES_MAX;
use specie_core::text::{Currency, Memo};
use specie_core::{Amount, Timestamp};
use specie_wallet::publication::Update;
use specie_wallet::reception::{Received, Reception, Route};
use specie_wallet::request::{self, RequestId};

use super::pay::expect;
use super::{Device, Done};
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

impl Device {
    /// Makes a request.
    ///
    /// # Errors
    /// No blank is left for it, or the element refuses.
    pub fn request(&mut self, terms: &Terms) -> Done<Asked> {
        self.resume()?;
        let now = self.now();
        let expiry = now.saturating_add(terms.valid_seconds);
        let Terms { currency, amount, notes_max, memo, .. } = *terms;
        let seed = Self::seed()?;
        let terms = request::Terms { currency, amount, expiry, notes_max, memo };
        let step = self.wallet.plan_request(&terms, now, &seed)?;
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

    /// Takes a payment from a payer and gives what was received, with the receipt to hand over. The same payment again
    /// gives the same.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn receive(&mut self, payment: &[u8]) -> Done<Received> {
        self.receive_by(payment, Route::Payer)
    }

    pub(super) fn receive_by(&mut self, payment: &[u8], route: Route) -> Done<Received> {
        expect(payment, Message::Payment)?;
        let step = self.wallet.receive(payment, route, self.now())?;
        match self.commit(step)? {
            Reception::Accepted(received) => Ok(received),
            Reception::DoubleSpend { note_id, .. } => Err(Failure::new(
                "double-spend",
                format!("the payment spends note {note_id}, which was spent otherwise before"),
                "do not hand anything over; the evidence is kept in the wallet",
            )),
        }
    }

    /// Takes a manifest or a page of the revocation list that another device passed on.
    ///
    /// # Errors
    /// It is neither, or not the bank's.
    pub fn take_publication(&mut self, message: &[u8]) -> Done<Update> {
        let step = match Message::peek(message) {
            Ok(Message::Manifest) => self.wallet.accept_manifest(&[], message)?,
            Ok(Message::RevocationPage) => self.wallet.accept_revocations(&[message], PAGES_MAX)?,
            _ => {
                return Err(Failure::new(
                    "unexpected-message",
                    "this is neither a manifest nor a page of the revocation list",
                    "choose the right file or code",
                ));
            }
        };
        self.commit(step)
    }
}
