//! What the owner of the wallet may choose.

use crate::step::Step;
use crate::wallet::Wallet;

/// The owner's choices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Whether change may be spent before it was renewed at a synchronisation. It lengthens chains, and links the payments to each other.
    pub spend_change_offline: bool,
    /// Notes are redeemed at the synchronisation that finds them this close to their `spend_until`, in seconds.
    pub renew_before: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { spend_change_offline: false, renew_before: 30 * 24 * 60 * 60 }
    }
}

impl Wallet {
    /// The owner's choices.
    pub fn settings(&self) -> Settings {
        todo!()
    }

    /// Changes the owner's choices.
    pub fn change_settings(&mut self, settings: Settings) -> Step<()> {
        let _ = settings;
        todo!()
    }
}
