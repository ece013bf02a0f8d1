//! Redemptions under way, and how they are stored.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use specie_core::amount::Amount;
use specie_core::bytes::Context;
use specie_core::encoding::{DecodeError, Reader};
use specie_core::text::Currency;
use specie_core::transfer::redemption_context;

use super::CoinId;
use crate::identity::{Account, read_account};
use crate::purse::Place;
use crate::record::{Changes, Fields, ReadField, Table, read};
use crate::sorted::Boxes;
use crate::wallet::{Wallet, bytes_of};

/// How far a redemption got.
pub(super) enum Stage {
    /// Set aside; the element may have been asked.
    Planned,
    /// Shown: the chain with the redeeming transfer.
    Shown(Vec<u8>),
    /// Refused by the bank for good, with this code.
    Refused(String, Vec<u8>),
}

/// A coin on its way to an account.
pub(super) struct Redemption {
    pub(super) destination: Account,
    pub(super) currency: Currency,
    pub(super) amount: Amount,
    pub(super) stage: Stage,
}

/// Redemptions by the index of the note or blank shown.
#[derive(Default)]
pub(crate) struct Redemptions(pub(super) Boxes<u32, Redemption>);

impl Redemptions {
    /// Those that the element has to show.
    pub(crate) fn planned(&self) -> impl Iterator<Item = u32> {
        self.0.iter().filter(|(_, redemption)| matches!(redemption.stage, Stage::Planned)).map(|(index, _)| *index)
    }

    /// Those that the bank has to confirm.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (CoinId, Account, &[u8])> {
        self.0.iter().filter_map(|(index, redemption)| match &redemption.stage {
            Stage::Shown(chain) => Some((CoinId(*index), redemption.destination, chain.as_slice())),
            Stage::Planned | Stage::Refused(..) => None,
        })
    }

    /// Σ of what is on its way, and of what was refused.
    pub(crate) fn sums(&self, currency: Currency) -> (Amount, Amount) {
        let mut sums = (Amount::ZERO, Amount::ZERO);
        for redemption in self.0.values().filter(|redemption| redemption.currency == currency) {
            let sum = match redemption.stage {
                Stage::Planned | Stage::Shown(_) => &mut sums.0,
                Stage::Refused(..) => &mut sums.1,
            };
            *sum = sum.checked_add(redemption.amount).unwrap_or(Amount::MAX);
        }
        sums
    }
}

impl Redemption {
    /// Context of the redeeming transfer.
    pub(super) fn context(&self) -> Context {
        redemption_context(&self.destination.psp, &self.destination.account)
    }

    pub(super) fn store(&self, index: u32, changes: &mut Changes) {
        let (chain, code) = match &self.stage {
            Stage::Planned => (None, None),
            Stage::Shown(chain) => (Some(chain), None),
            Stage::Refused(code, chain) => (Some(chain), Some(code)),
        };
        let record = Fields::new(5, 160 + chain.map_or(0, Vec::len))
            .array(2)
            .text(self.destination.psp.as_str())
            .text(self.destination.account.as_str())
            .text(self.currency.as_str())
            .amount(self.amount)
            .optional(chain, |fields, chain| fields.bytes(chain))
            .optional(code, |fields, code| fields.text(code))
            .done();
        changes.put(Table::Redemption, &index.to_be_bytes(), record);
    }
}

impl Wallet {
    #[inline(never)]
    pub(crate) fn load_redemption(&mut self, id: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        let index = u32::from_be_bytes(bytes_of(id)?);
        let redemption = read(record, 5, |r| {
            let (destination, currency, amount) = (read_account(r)?, r.currency()?, r.amount()?);
            let chain = r.optional(Reader::bytes)?.map(<[u8]>::to_vec);
            let code = r.optional(Reader::text)?.map(ToString::to_string);
            let stage = match (chain, code) {
                (None, None) => Stage::Planned,
                (Some(chain), None) => Stage::Shown(chain),
                (Some(chain), Some(code)) => Stage::Refused(code, chain),
                (None, Some(_)) => return Err(DecodeError::OutOfRange),
            };
            Ok(Redemption { destination, currency, amount, stage })
        })?;
        if matches!(redemption.stage, Stage::Planned) {
            self.purse.place(index, Place::Redeeming);
        }
        self.redemptions.0.insert(index, Box::new(redemption));
        Ok(())
    }
}
