//! An output that a blank of this wallet owns.

use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::NoteId;
use specie_core::encoding::{Decode, DecodeError};
use specie_core::note::note_id;
use specie_core::payment::Chain;
use specie_core::transfer::{Input, Transfer};

use crate::payment::PaymentId;

/// How a coin came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// Paid by somebody else.
    Received,
    /// Change of a payment by this wallet.
    Change(PaymentId),
}

/// An output with the chain that makes it money.
#[derive(Clone)]
pub(crate) struct Coin {
    /// The chain, in extended form; its last transfer has the output.
    pub(crate) chain: Vec<u8>,
    /// Which output of the last transfer.
    pub(crate) output: u8,
    /// Opens the owner tag.
    pub(crate) blind: [u8; 32],
    pub(crate) amount: Amount,
    pub(crate) origin: Origin,
    /// Transfers so far.
    pub(crate) hops: u8,
    pub(crate) max_hops: u8,
    /// Earliest date of the classes in the chain.
    pub(crate) spend_until: Timestamp,
    /// Earliest date of the classes in the chain.
    pub(crate) redeem_until: Timestamp,
    /// The note that each transfer of the chain shows.
    pub(crate) shown: Vec<NoteId>,
}

impl Coin {
    /// What a transfer that spends this coin says of its input. The name of the transfer before is a hash that is left until
    /// now: whoever pays at a counter need not wait for that of the change.
    pub(crate) fn input(&self) -> Input {
        Input::Received { previous: self.chain().last().id(), index: self.output, blind: self.blind }
    }

    /// The chain, read.
    pub(crate) fn chain(&self) -> Chain<'_> {
        Chain::decode(&self.chain).expect("checked when the coin was made or loaded")
    }

    /// The transfer in the chain that shows `note`.
    pub(crate) fn transfer_of(&self, note: &NoteId) -> Option<Transfer> {
        let position = self.shown.iter().position(|shown| shown == note)?;
        self.chain().transfers().nth(position)
    }
}

/// The notes that the transfers of an extended chain show.
///
/// # Errors
/// When the bytes are not a chain, or one in compact form.
pub(crate) fn shows(chain: &[u8]) -> Result<Vec<NoteId>, DecodeError> {
    let chain = Chain::decode(chain)?;
    chain
        .transfers()
        .map(|transfer| {
            let points = transfer.points.ok_or(DecodeError::Malformed)?;
            let note = &transfer.preimage.note;
            Ok(note_id(note.zeta(), note.zeta1(), &points.N0, &points.N1))
        })
        .collect()
}
