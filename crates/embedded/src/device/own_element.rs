//! The element that the wallet was made with.

use alloc::vec::Vec;

use specie_element::client::{self, Link};
use specie_wallet::element::{Element, ElementFault};

use crate::failure::Failure;

/// An element of which it is known whether it is the wallet's own. It may be another one after power-up, and after the link
/// failed: another would say of all that the wallet holds that it does not know it.
pub(crate) struct OwnElement<E> {
    link: E,
    /// Of the wallet's own.
    certificate: Vec<u8>,
    recognised: bool,
}

impl<E> OwnElement<E> {
    pub(super) fn new(link: E, certificate: Vec<u8>) -> Self {
        Self { link, certificate, recognised: false }
    }

    /// The link itself: whoever answers there is to be looked at again afterwards.
    pub(super) fn link(&mut self) -> &mut E {
        self.recognised = false;
        &mut self.link
    }
}

impl<E: Element> OwnElement<E> {
    /// Looks whose it is, unless that is known.
    #[inline(never)]
    pub(super) fn recognise(&mut self) -> Result<(), Failure> {
        if !self.recognised && !self.is_own().map_err(ElementFault::from)? {
            let advice = "connect the element with which the wallet was made";
            return Err(Failure::new("another-element", "this is not the wallet's secure element", advice));
        }
        self.recognised = true;
        Ok(())
    }
}

impl<E: Link> OwnElement<E> {
    #[inline(never)]
    fn is_own(&mut self) -> client::Answer<bool, E> {
        client::identity(&mut self.link).map(|found| found.as_bytes() == self.certificate)
    }
}

impl<E: Link> Link for OwnElement<E> {
    type Error = E::Error;

    /// Where the element lost its power since the last command, it does not understand its host: it is looked at again then, and
    /// if it is still the wallet's own, sent the same again.
    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, E::Error> {
        let answered = self.link.transmit(command, response);
        if answered.is_err() && core::mem::take(&mut self.recognised) && matches!(self.is_own(), Ok(true)) {
            self.recognised = true;
            return self.link.transmit(command, response);
        }
        answered
    }
}
