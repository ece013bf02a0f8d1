//! Who the device is: its element's keys, and the account at the PSP where it is enrolled.

use alloc::vec::Vec;

use specie_core::signature::PublicKey;
use specie_core::text::Name;

use crate::element::{Element, ElementFault};
use crate::step::Step;
use crate::wallet::Wallet;

/// Where the device is enrolled, and so where its money goes when it is redeemed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    /// The PSP's name, as in the manifest.
    pub psp: Name,
    /// The account at the PSP.
    pub account: Name,
}

impl Wallet {
    /// Root key of the central bank that the wallet obeys.
    pub fn root(&self) -> PublicKey {
        todo!()
    }

    /// The element's authentication key `A`.
    pub fn device(&self) -> PublicKey {
        todo!()
    }

    /// Where the device is enrolled, if it is.
    pub fn account(&self) -> Option<Account> {
        todo!()
    }

    /// The enrolment message that answers a PSP's `nonce`. `device_info` holds at most 64 bytes.
    ///
    /// # Errors
    /// When the element does not answer.
    pub fn enrolment(
        &self,
        nonce: &[u8; 32],
        device_info: &[u8],
        element: &mut impl Element,
    ) -> Result<Vec<u8>, ElementFault> {
        let _ = (nonce, device_info, element);
        todo!()
    }

    /// Notes that the PSP enrolled the device.
    pub fn enrolled(&mut self, account: Account) -> Step<()> {
        let _ = account;
        todo!()
    }
}
