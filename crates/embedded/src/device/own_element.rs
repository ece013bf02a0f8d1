//! The element that the wallet was made with.

use alloc::vec::Vec;
use core::fmt;

use specie_element::client::{self, ElementError, Link};
use specie_element::instruction as ins;
use specie_element::status::StatusWord;
use specie_wallet::element::{Element, ElementFault};

use crate::failure::Failure;

/// An element that gets no command before it is known to be the wallet's own. It may be another one after power-up, and after
/// the link failed: another would say of all that the wallet holds that it does not know it.
pub(crate) struct OwnElement<E> {
    link: E,
    /// Of the wallet's own.
    certificate: Vec<u8>,
    recognised: bool,
}

/// Why the element could not be reached.
pub(crate) enum OwnElementError<E> {
    /// The link failed.
    Link(E),
    /// What answers there is another element, or none that was personalised.
    Another,
}

/// Commands that are not sent again where the answer was lost, by their second byte. The wallet has to know that a SPEND may
/// have been carried out, and a try at a PIN is used up each time. The others are of makers, or for ever.
const ONCE: [u8; 5] = [ins::SPEND.ins, ins::VERIFY.ins, ins::CHANGE_PIN.ins, ins::PERSONALISE.ins, ins::WIPE.ins];

impl<E> OwnElement<E> {
    pub(super) fn new(link: E, certificate: Vec<u8>) -> Self {
        Self { link, certificate, recognised: false }
    }
}

impl<E: Element> OwnElement<E> {
    /// Looks whose it is, unless that is known.
    #[inline(never)]
    pub(crate) fn recognise(&mut self) -> Result<(), Failure> {
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

    fn look(&mut self) -> Result<(), OwnElementError<E::Error>> {
        match self.is_own() {
            Ok(true) => {
                self.recognised = true;
                Ok(())
            }
            other => {
                self.recognised = false;
                match other {
                    Err(ElementError::Link(error)) => Err(OwnElementError::Link(error)),
                    _ => Err(OwnElementError::Another),
                }
            }
        }
    }
}

impl<E: Link> Link for OwnElement<E> {
    type Error = OwnElementError<E::Error>;

    /// Where the element lost its power since the last command, it does not understand its host: it is looked at again then, and
    /// if it is still the wallet's own, sent the same again.
    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        if !self.recognised {
            self.look()?;
        }
        let length = self.link.transmit(command, response).map_err(OwnElementError::Link).or_else(|error| {
            self.recognised = false;
            let once = command.get(1).is_none_or(|instruction| ONCE.contains(instruction));
            if once || self.look().is_err() {
                return Err(error);
            }
            self.link.transmit(command, response).map_err(OwnElementError::Link)
        })?;
        // The wallet gives up what its element will not show: it may be another one that came without anybody noticing.
        let is_spend = command.get(1) == Some(&ins::SPEND.ins);
        if is_spend && !response[..length].ends_with(&StatusWord::DONE.to_u16().to_be_bytes()) {
            self.look()?;
        }
        Ok(length)
    }
}

impl<E: fmt::Display> fmt::Display for OwnElementError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(error) => error.fmt(f),
            Self::Another => f.write_str("this is not the wallet's secure element"),
        }
    }
}
