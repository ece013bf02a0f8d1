//! An output that a blank of this wallet owns.

use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{NoteId, TransferId};
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
    /// The last transfer.
    pub(crate) previous: TransferId,
    /// Every show in the chain.
    pub(crate) shown: Vec<(NoteId, TransferId)>,
}

impl Coin {
    /// What a transfer that spends this coin says of its input.
    pub(crate) fn input(&self) -> Input {
        Input::Received { previous: self.previous, index: self.output, blind: self.blind }
    }

    /// The chain, read.
    pub(crate) fn chain(&self) -> Chain<'_> {
        Chain::decode(&self.chain).expect("checked when the coin was made or loaded")
    }

    /// The transfer of that name in the chain.
    pub(crate) fn transfer(&self, id: &TransferId) -> Option<Transfer> {
        self.chain().transfers().find(|transfer| transfer.id() == *id)
    }
}

/// The notes that an extended chain shows, and in which transfers.
///
/// # Errors
/// When the bytes are not a chain, or one in compact form.
pub(crate) fn shows(chain: &[u8]) -> Result<Vec<(NoteId, TransferId)>, DecodeError> {
    let chain = Chain::decode(chain)?;
    chain
        .transfers()
        .map(|transfer| {
            let points = transfer.points.ok_or(DecodeError::Malformed)?;
            let note = &transfer.preimage.note;
            Ok((note_id(note.zeta(), note.zeta1(), &points.N0, &points.N1), transfer.id()))
        })
        .collect()
}
