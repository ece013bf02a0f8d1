//! Mandates (§7.2): what the device may pay by itself.

use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_core::Timestamp;
use specie_core::message::Message;
use specie_core::signature::PublicKey;
use specie_element::client::MandateUse;
use specie_wallet::Step;
use specie_wallet::element::Element;
use specie_wallet::mandate::MandatedPaymentError;
use specie_wallet::payment::PaymentId;

use super::pay::{Paid, expect};
use super::{Device, Done, Random};
use crate::failure::Failure;

/// Whose mandate the device would take, and the one that it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MandateHeld {
    /// `A` of the element: for whom a mandate has to be.
    pub device: PublicKey,
    /// The mandate as it travels; `None` without one.
    pub mandate: Option<Vec<u8>>,
    /// What was used of it; `None` also where the element holds another one.
    pub used: Option<MandateUse>,
}

impl<F: NorFlash, E: Element, R: Random> Device<F, E, R> {
    /// Takes a mandate. An owner's first one takes the PIN. The same one again is taken again.
    ///
    /// # Errors
    /// It is not its owner's or for another device, or the element refuses it. Where it could not be stored, the element may hold it
    /// already, and pays under none until the same one is given again.
    #[inline(never)]
    pub fn take_mandate(&mut self, mandate: &[u8]) -> Done<()> {
        self.check_usable()?;
        expect(mandate, Message::Mandate)?;
        let step = self.wallet.accept_mandate(mandate, &mut self.element)?;
        self.commit(step).map(drop)
    }

    /// The mandate held, and what was used of it.
    ///
    /// # Errors
    /// The element cannot be asked.
    #[inline(never)]
    pub fn mandate(&mut self) -> Done<MandateHeld> {
        let used = self.wallet.mandate_use(&mut self.element)?;
        let mandate = self.wallet.mandate_message().map(<[u8]>::to_vec);
        Ok(MandateHeld { device: self.wallet.device(), mandate, used })
    }

    /// Pays `request` offline, under the mandate. A request that was paid gets the same payment again.
    ///
    /// # Errors
    /// Why nothing was paid, or by which rule of the mandate it was not; as [`Device::pay`].
    pub fn pay_by_itself(&mut self, request: &[u8], now: Timestamp) -> Done<Paid> {
        if now == Timestamp::EPOCH {
            // Else a power cut would make every mandate as good as new.
            let what =
                "the device does not know whether its mandate has ended: nobody told it the time since it has power";
            return Err(Failure::new("time-unknown", what, "tell the device the time"));
        }
        self.pay_as(request, true, now)
    }

    #[inline(never)]
    pub(super) fn plan_by_itself(&mut self, request: &[u8], now: Timestamp, seed: &[u8; 32]) -> Done<Step<PaymentId>> {
        self.wallet.plan_mandated_payment(request, now, seed, &mut self.element).map_err(|error| match error {
            MandatedPaymentError::Outside(rule) => rule.into(),
            MandatedPaymentError::Payment(error) => error.into(),
        })
    }
}
