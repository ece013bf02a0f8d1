//! Redemptions that were accepted and are not finished: a crash left them, or they are under way.

use specie_core::amount::Timestamp;
use specie_core::bytes::TransferId;
use specie_core::encoding::Decode;
use specie_core::payment::Chain;

use crate::bank::Bank;
use crate::classes::ClassTable;
use crate::payout::Destination;
use crate::redemption::{Presented, RedemptionError};
use crate::signer::Signer;
use crate::storage::{Storage, StorageError};

/// How many are finished together.
const CHUNK: u32 = 128;

/// A chain that was verified and accepted, and is not paid or refused yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingRedemption {
    /// The redeeming transfer.
    pub transfer: TransferId,
    /// Whom it pays.
    pub to: Destination,
    /// The chain, encoded.
    pub chain: Vec<u8>,
    /// When it was accepted.
    pub at: Timestamp,
    /// Last moment at which it could have been.
    pub deadline: Timestamp,
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Finishes every redemption that was accepted and is not finished. One that is under way at the same time is finished by both, and
    /// paid once.
    ///
    /// # Errors
    /// When something fails; run it again.
    pub fn finish_redemptions(&self, now: Timestamp) -> Result<(), RedemptionError> {
        let mut last = None;
        loop {
            let (classes, page) = self.storage().read(|view| {
                let page = view.redemptions_after(last.as_ref(), CHUNK)?;
                Ok::<_, RedemptionError>((self.class_table(view)?, page))
            })?;
            let Some(newest) = page.last() else { return Ok(()) };
            last = Some(newest.transfer);
            let presented = page.iter().map(|pending| self.present(&classes, pending));
            let presented = presented.collect::<Result<Vec<_>, _>>()?;
            let presented: Vec<_> = presented.iter().collect();
            let ids: Vec<_> = page.iter().map(|pending| pending.transfer).collect();
            let mut answers = self.storage().transact(|tx| self.accept(tx, &ids, &presented, now))?;
            self.finish(&presented, &mut answers, now)?;
        }
    }

    /// The chain once more, verified as of the moment at which it was accepted.
    fn present(&self, classes: &ClassTable, pending: &PendingRedemption) -> Result<Presented, StorageError> {
        let damaged = |why: &dyn core::fmt::Display| {
            StorageError::Failed(format!("damaged: pending redemption {}: {why}", pending.transfer))
        };
        let chain = Chain::decode(&pending.chain).map_err(|error| damaged(&error))?;
        let checked = self.check_again(classes, &chain, pending.at).map_err(|error| damaged(&error))?;
        Ok(Presented::new(checked, &pending.chain, pending.to, pending.at))
    }
}
