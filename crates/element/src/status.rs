//! Status words: the last two bytes of every answer (docs/spec/element.md, last table).

use core::fmt;

/// The outcome of one command, as the two bytes that end its answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusWord(u16);

impl StatusWord {
    /// Done.
    pub const DONE: Self = Self(0x9000);
    /// The noise source failed its health test; nothing was done.
    pub const ENTROPY_FAILED: Self = Self(0x6400);
    /// The flash failed; whether it was done shows when the same is sent again.
    pub const FLASH_FAILED: Self = Self(0x6581);
    /// A length is wrong: of the data, of a field in it, or of the answer that was asked for.
    pub const WRONG_LENGTH: Self = Self(0x6700);
    /// The PIN has to be verified first.
    pub const PIN_NEEDED: Self = Self(0x6982);
    /// The PIN, or the PUK, has no tries left.
    pub const PIN_BLOCKED: Self = Self(0x6983);
    /// Not in this life cycle or state.
    pub const WRONG_STATE: Self = Self(0x6985);
    /// The data is wrong.
    pub const WRONG_DATA: Self = Self(0x6A80);
    /// No such index.
    pub const UNKNOWN_INDEX: Self = Self(0x6A82);
    /// No room for more records.
    pub const NO_ROOM: Self = Self(0x6A84);
    /// P1 or P2 is wrong.
    pub const WRONG_PARAMETERS: Self = Self(0x6A86);
    /// The instruction is not supported.
    pub const UNKNOWN_INSTRUCTION: Self = Self(0x6D00);
    /// The class byte is not supported.
    pub const UNKNOWN_CLASS_BYTE: Self = Self(0x6E00);
    /// Over the limit for one payment.
    pub const OVER_PAYMENT: Self = Self(0x9401);
    /// Over what may be paid between two synchronisations.
    pub const OVER_CUMULATIVE: Self = Self(0x9402);
    /// Over what may be held.
    pub const OVER_HOLDING: Self = Self(0x9403);
    /// The note was spent otherwise before.
    pub const ALREADY_SPENT: Self = Self(0x9404);
    /// Older than what the element holds.
    pub const STALE: Self = Self(0x9405);
    /// The limits are missing or have run out.
    pub const LIMITS_RUN_OUT: Self = Self(0x9406);
    /// The class is not loaded.
    pub const CLASS_NOT_LOADED: Self = Self(0x9407);
    /// A signature or proof is wrong.
    pub const WRONG_PROOF: Self = Self(0x9408);
    /// No mandate, or past its end.
    pub const MANDATE_ENDED: Self = Self(0x9409);
    /// Over the mandate's amount for one payment.
    pub const OVER_MANDATE_PAYMENT: Self = Self(0x940A);
    /// Over the mandate's amount for a period.
    pub const OVER_MANDATE_PERIOD: Self = Self(0x940B);
    /// Over the mandate's amount in all.
    pub const OVER_MANDATE_TOTAL: Self = Self(0x940C);
    /// Redeeming to another account than the mandate's.
    pub const OUTSIDE_MANDATE: Self = Self(0x940D);

    /// A wrong PIN or PUK with `tries` left (at most 15).
    pub const fn wrong_pin(tries: u8) -> Self {
        Self(0x63C0 | (tries & 0x0F) as u16)
    }

    /// The status word that a host read off an answer.
    pub const fn from_u16(word: u16) -> Self {
        Self(word)
    }

    /// Its value.
    pub const fn to_u16(self) -> u16 {
        self.0
    }

    /// The two bytes as they travel.
    pub const fn to_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }

    /// Tries left after a wrong PIN or PUK, if that is what this status says.
    pub const fn tries_left(self) -> Option<u8> {
        match self.0 {
            0x63C0..=0x63CF => Some((self.0 & 0x0F) as u8),
            _ => None,
        }
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tries) = self.tries_left() {
            return write!(f, "wrong PIN, {tries} tries left");
        }
        f.write_str(match *self {
            Self::DONE => "done",
            Self::ENTROPY_FAILED => "the element's noise source failed its health test and nothing was done",
            Self::FLASH_FAILED => {
                "the element's flash failed, and whether it was done shows when the same is sent again"
            }
            Self::WRONG_LENGTH => "a length in the command is wrong",
            Self::PIN_NEEDED => "the PIN has to be verified first",
            Self::PIN_BLOCKED => "the PIN is blocked; unblock it with the PUK",
            Self::WRONG_STATE => "the element is not in a state that allows this",
            Self::WRONG_DATA => "the element refused the data of the command",
            Self::UNKNOWN_INDEX => "the element knows no note under this index",
            Self::NO_ROOM => "the element has no room for more notes; redeem or forget some",
            Self::WRONG_PARAMETERS => "P1 or P2 of the command is wrong",
            Self::UNKNOWN_INSTRUCTION => "the element does not support this instruction",
            Self::UNKNOWN_CLASS_BYTE => "the element does not support this class byte",
            Self::OVER_PAYMENT => "over the limit for one payment",
            Self::OVER_CUMULATIVE => "over the limit between two synchronisations; synchronise",
            Self::OVER_HOLDING => "over the limit of what may be held; redeem some first",
            Self::ALREADY_SPENT => "this note was already spent otherwise",
            Self::STALE => "older than what the element already holds",
            Self::LIMITS_RUN_OUT => "limits are missing or have run out; synchronise",
            Self::CLASS_NOT_LOADED => "the class has to be loaded first",
            Self::WRONG_PROOF => "a signature or proof is wrong",
            Self::MANDATE_ENDED
            | Self::OVER_MANDATE_PAYMENT
            | Self::OVER_MANDATE_PERIOD
            | Self::OVER_MANDATE_TOTAL
            | Self::OUTSIDE_MANDATE => "outside the mandate",
            Self(other) => return write!(f, "unexpected status word {other:04X}"),
        })
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusWord({:04X})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_pin_carries_its_tries() {
        assert_eq!(StatusWord::wrong_pin(2).to_bytes(), [0x63, 0xC2]);
        assert_eq!(StatusWord::from_u16(0x63C2).tries_left(), Some(2));
        assert_eq!(StatusWord::DONE.tries_left(), None);
    }
}
