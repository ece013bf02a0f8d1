//! What the owner of the wallet may choose.

use specie_core::encoding::{DecodeError, Reader};

use crate::record::{Changes, Fields, ReadField, Table, read};
use crate::step::Step;
use crate::wallet::Wallet;

/// The owner's choices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Whether change may be spent before it was renewed at a synchronisation. It lengthens chains, and links the payments to each other.
    pub spend_change_offline: bool,
    /// Notes are redeemed at the synchronisation that finds them this close to their `spend_until`, in seconds.
    pub renew_before: u64,
    /// No request is made while the revocation list held is older than this, in seconds; `None` for however old.
    pub revocations_age_max: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { spend_change_offline: false, renew_before: 30 * 24 * 60 * 60, revocations_age_max: None }
    }
}

impl Wallet {
    /// The owner's choices.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Changes the owner's choices.
    pub fn change_settings(&mut self, settings: Settings) -> Step<()> {
        self.apply_settings(settings);
        let mut changes = Changes::default();
        let record = Fields::new(3, 24).uint(settings.spend_change_offline).uint(settings.renew_before);
        let record = record.optional(settings.revocations_age_max, Fields::uint);
        changes.put(Table::Settings, &[], record.done());
        changes.step(())
    }

    #[inline(never)]
    pub(crate) fn load_settings(&mut self, record: &[u8]) -> Result<(), DecodeError> {
        let settings = read(record, 3, |r| {
            let (spend_change_offline, renew_before) = (r.flag()?, r.uint()?);
            Ok(Settings { spend_change_offline, renew_before, revocations_age_max: r.optional(Reader::uint)? })
        })?;
        self.apply_settings(settings);
        Ok(())
    }

    fn apply_settings(&mut self, settings: Settings) {
        self.settings = settings;
        self.purse.spend_change(settings.spend_change_offline);
    }
}
