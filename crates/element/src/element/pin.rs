//! VERIFY, CHANGE PIN, UNBLOCK. A try is journalled as used before anything is compared.

use embedded_storage::nor_flash::NorFlash;
use specie_core::{hash, label};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Element, Secrets};
use crate::command::Pin;
use crate::instruction::PUK;
use crate::journal::Batch;
use crate::platform::Platform;
use crate::record::{PIN_TRIES, PUK_TRIES, PinRecord, Single};
use crate::status::StatusWord;

impl Secrets {
    /// What is kept of a PIN: of one length, so that comparing two tells nothing of theirs.
    fn pin_digest(&self, pin: Pin<'_>) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hash::h32(label::ELEMENT_PIN, &[&*self.seed, pin.expose_secret()]))
    }

    /// What is kept of a PUK.
    pub(super) fn puk_digest(&self, puk: &[u8; PUK]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hash::h32(label::ELEMENT_PUK, &[&*self.seed, puk]))
    }
}

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    /// Whether a command that needs the PIN may go on.
    pub(super) fn check_pin(&mut self) -> Result<(), StatusWord> {
        let pin = self.pin()?;
        if pin.digest.is_none() || self.verified { Ok(()) } else { Err(StatusWord::PIN_NEEDED) }
    }

    /// The PIN's record; a wiped element has none.
    pub(super) fn pin(&mut self) -> Result<PinRecord, StatusWord> {
        Ok(self.records.single()?.unwrap_or(PinRecord::NONE))
    }

    #[inline(never)]
    pub(super) fn verify(&mut self, pin: Pin<'_>) -> Result<(), StatusWord> {
        let record = self.pin()?;
        let stored = record.digest.ok_or(StatusWord::WRONG_STATE)?;
        self.try_pin(record, &stored, pin)?;
        self.put_pin(PinRecord { tries: PIN_TRIES, ..record })?;
        self.verified = true;
        Ok(())
    }

    #[inline(never)]
    pub(super) fn change_pin(&mut self, old: Option<Pin<'_>>, new: Pin<'_>) -> Result<(), StatusWord> {
        let record = self.pin()?;
        match (record.digest, old) {
            (None, None) => {}
            (Some(stored), Some(old)) => self.try_pin(record, &stored, old)?,
            _ => return Err(StatusWord::WRONG_STATE),
        }
        self.set_pin(record.puk_tries, new)
    }

    #[inline(never)]
    pub(super) fn unblock(&mut self, puk: &[u8; PUK], new: Pin<'_>) -> Result<(), StatusWord> {
        self.verified = false;
        let record = self.pin()?;
        let puk_tries = record.puk_tries.checked_sub(1).ok_or(StatusWord::PIN_BLOCKED)?;
        self.put_pin(PinRecord { puk_tries, ..record })?;
        let given = self.secrets()?.puk_digest(puk);
        if !bool::from(given.ct_eq(&*self.stored_puk()?)) {
            return Err(StatusWord::wrong_pin(puk_tries));
        }
        self.set_pin(PUK_TRIES, new)
    }

    /// Uses up a try, then compares.
    fn try_pin(&mut self, record: PinRecord, stored: &[u8; 32], pin: Pin<'_>) -> Result<(), StatusWord> {
        self.verified = false;
        let tries = record.tries.checked_sub(1).ok_or(StatusWord::PIN_BLOCKED)?;
        self.put_pin(PinRecord { tries, ..record })?;
        let given = self.secrets()?.pin_digest(pin);
        if bool::from(given.ct_eq(stored)) { Ok(()) } else { Err(StatusWord::wrong_pin(tries)) }
    }

    fn set_pin(&mut self, puk_tries: u8, new: Pin<'_>) -> Result<(), StatusWord> {
        let digest = Some(*self.secrets()?.pin_digest(new));
        self.put_pin(PinRecord { digest, tries: PIN_TRIES, puk_tries })?;
        self.verified = true;
        Ok(())
    }

    fn put_pin(&mut self, record: PinRecord) -> Result<(), StatusWord> {
        let mut batch = Batch::new();
        record.put(&mut batch);
        Ok(self.records.commit(&batch, 0, 0)?)
    }
}
