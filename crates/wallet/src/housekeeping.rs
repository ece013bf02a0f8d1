//! What the element is told after the fact: that a blank expects nothing any more, or that a record may be freed.

use crate::element::{Element, ElementFault};
use crate::step::Step;
use crate::wallet::Wallet;

impl Wallet {
    /// How many things the element has yet to be told.
    pub fn housekeeping(&self) -> usize {
        todo!()
    }

    /// Tells the element some of them; gives how many are left. Nothing depends on it but room and holding limit in the element.
    ///
    /// # Errors
    /// When the element cannot be asked.
    pub fn keep_house(&mut self, element: &mut impl Element) -> Result<Step<usize>, ElementFault> {
        let _ = element;
        todo!()
    }
}
