//! Asking to be paid, and being paid (§7, §9).

use alloc::format;
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_core::encoding::{Decode, Encode};
use specie_core::manifest::Manifest;
use specie_core::message::Message;
use specie_core::payment::{Chain, Payment};
use specie_core::text::{Currency, Memo};
use specie_core::{Amount, Timestamp};
use specie_wallet::element::Element;
use specie_wallet::publication::Update;
use specie_wallet::reception::{Received, Reception, Route};
use specie_wallet::request::{self, RequestId};

use super::pay::expect;
use super::{Device, Done, PAGES_HELD, Random};
use crate::failure::Failure;
use crate::frame::MESSAGE_MAX;

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
        check_redeemable(payment)?;
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

    /// Takes a manifest or a page of the revocation list that another device passed on.
    ///
    /// # Errors
    /// It is neither, or not the bank's.
    #[inline(never)]
    pub fn take_publication(&mut self, message: &[u8]) -> Done<Update> {
        if is_older_manifest(message, self.wallet.manifest_sequence()) {
            return Ok(Update::NotNewer);
        }
        self.check_receiving(message.len())?;
        let step = match Message::peek(message) {
            Ok(Message::Manifest) => self.wallet.accept_manifest(&[], message)?,
            Ok(Message::RevocationPage) => self.wallet.accept_revocations(&[message], PAGES_HELD)?,
            _ => {
                return Err(Failure::new(
                    "unexpected-message",
                    "this is neither a manifest nor a page of the revocation list",
                    "send the right message",
                ));
            }
        };
        self.commit(step)
    }
}

/// An old manifest is of no use, and each that is taken stays: another device could fill the flash with them.
fn is_older_manifest(message: &[u8], held: u64) -> bool {
    Manifest::decode(message).is_ok_and(|manifest| manifest.signed.header.sequence < held)
}

/// The longest transfer that redeems, in compact form.
const REDEEMING_TRANSFER_MAX: usize = 512;

/// What an errand takes besides the chain that it redeems.
const ERRAND_MAX: usize = 1024;

/// What is received has to fit into the errand that redeems it, in hexadecimal, with one transfer more. What is no payment, the
/// wallet will say.
#[inline(never)]
fn check_redeemable(payment: &[u8]) -> Done<()> {
    let Ok(payment) = Payment::decode(payment) else { return Ok(()) };
    let fits = |chain: Chain<'_>| {
        let transfers: usize = chain.transfers().map(|transfer| transfer.compact().encoded_length()).sum();
        2 * (transfers + REDEEMING_TRANSFER_MAX) + ERRAND_MAX <= MESSAGE_MAX
    };
    if payment.chains().all(fits) {
        return Ok(());
    }
    let what = "the money was passed on too often for this device to hand it in at its PSP";
    Err(Failure::new("chain-too-long", what, "pay with money that was passed on less often"))
}
