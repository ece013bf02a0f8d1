//! Transfer of a device to another owner of this PSP: the old one releases it, the new one enrols it with a claim code of its
//! own. The bank keeps knowing its `U`; what is left in it is the bearer's, like any cash.

use specie_audit::Kind;
use specie_core::Timestamp;
use specie_core::signature::PublicKey;

use crate::customer::{Customer, CustomerError, not_frozen};
use crate::device::{Device, DeviceState};
use crate::enrolment::EnrolmentError;
use crate::person;
use crate::service::Psp;
use crate::store::{Records, Store};

impl<S: Store, B> Psp<S, B> {
    /// Gives a device up for its owner: it gets nothing more, and may redeem. Once its limits ran out, any customer can enrol it.
    /// A device that is released stays so, until somebody enrols it.
    ///
    /// # Errors
    /// When it is unknown, not in good standing, its owner frozen, or a withdrawal under way.
    pub fn release_device(&self, device: &PublicKey, now: Timestamp) -> Result<(), CustomerError> {
        self.store().write(|records| {
            let found = records.device(device)?.ok_or(CustomerError::UnknownDevice(*device))?;
            match found.state {
                DeviceState::Pending => return Err(CustomerError::UnknownDevice(*device)),
                DeviceState::Blocked => return Err(CustomerError::Blocked(*device)),
                DeviceState::StruckOff => return Err(CustomerError::StruckOff(*device)),
                DeviceState::Active => {}
            }
            if found.lost_at.is_some() {
                return Err(CustomerError::Lost(*device));
            }
            not_frozen(records, &found.customer)?;
            if records.has_unfinished_withdrawal(device)? {
                return Err(CustomerError::Unfinished(*device));
            }
            if found.released_at.is_some() {
                return Ok(());
            }
            records.set_released(device, now)?;
            let details = [("customer", found.customer.as_str())];
            Ok(self.audit(records, now, Kind::DeviceReleased, &device.to_string(), &details)?)
        })
    }

    /// Makes a released device that of `owner`. The limits of its former owner must have run out: until then the element goes by them,
    /// and they are not the new owner's.
    pub(crate) fn take_over(
        &self,
        records: &mut dyn Records,
        known: &Device,
        identity: &[u8; 32],
        owner: &Customer,
        claim: &[u8; 32],
        now: Timestamp,
    ) -> Result<Device, EnrolmentError> {
        let is_free = known.identity == *identity
            && known.state == DeviceState::Active
            && known.released_at.is_some()
            && known.lost_at.is_none();
        // What is in it would leave a frozen owner with it.
        if !is_free || person::frozen_by(records, &known.customer)?.is_some() {
            return Err(EnrolmentError::AlreadyEnrolled);
        }
        let given = records.allowances(&known.customer)?;
        let own = given.iter().map(|(limits, _)| limits).filter(|limits| limits.device == known.key);
        if let Some(until) = own.map(|limits| limits.valid_until).max().filter(|until| *until >= now) {
            return Err(EnrolmentError::StillLimited(until));
        }
        // Its blanks come with it, and what it may hold: they count for whoever has them.
        records.move_blanks(&known.key, &owner.name)?;
        records.move_limits(&known.key, &owner.name)?;
        let device = Device {
            customer: owner.name,
            claim: *claim,
            enrolled_at: now,
            label: None,
            weight: 1,
            released_at: None,
            ..known.clone()
        };
        records.hand_over(&device)?;
        records.delete_backups(&device.key, u64::MAX)?;
        let details = [("from", known.customer.as_str()), ("to", owner.name.as_str())];
        self.audit(records, now, Kind::DeviceHandedOver, &device.key.to_string(), &details)?;
        Ok(device)
    }
}
