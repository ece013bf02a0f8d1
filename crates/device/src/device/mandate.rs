//! Mandates (§7.2): what the device may pay by itself.

use specie_core::mandate::Mandate;
use specie_core::message::Message;
use specie_element::client::MandateUse;
use specie_wallet::publication::Update;

use super::pay::{Paid, expect};
use super::{Device, Done};

impl Device {
    /// Takes a mandate. An owner's first one takes the PIN.
    ///
    /// # Errors
    /// It is not its owner's or for another device, or the element refuses it.
    pub fn take_mandate(&mut self, mandate: &[u8]) -> Done<Update> {
        expect(mandate, Message::Mandate)?;
        let step = self.wallet.accept_mandate(mandate, &mut self.element)?;
        self.commit(step)
    }

    /// The mandate held, and what was used of it, if the element holds the same one.
    ///
    /// # Errors
    /// The element cannot be asked.
    pub fn mandate(&mut self) -> Done<Option<(Mandate, Option<MandateUse>)>> {
        let used = self.wallet.mandate_use(&mut self.element)?;
        Ok(self.wallet.mandate().map(|mandate| (mandate, used)))
    }

    /// Pays `request` offline, under the mandate. A request that was paid gets the same payment again.
    ///
    /// # Errors
    /// Why nothing was paid, or by which rule of the mandate it was not.
    pub fn pay_by_itself(&mut self, request: &[u8]) -> Done<Paid> {
        self.pay_as(request, true)
    }
}
