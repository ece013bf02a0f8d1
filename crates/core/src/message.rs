//! Types of messages: the second element of each message that travels (`docs/spec/specie.cddl`).

use core::fmt;

use crate::encoding::{DecodeError, Reader};

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// What a message is.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[non_exhaustive]
        pub enum Message {
            $($(#[$doc])* $name,)*
        }

        impl Message {
            /// The number on the wire.
            pub const fn number(self) -> u64 {
                match self { $(Self::$name => $number,)* }
            }

            fn numbered(number: u64) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }

        impl fmt::Display for Message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)* })
            }
        }
    };
}

messages! {
    /// A payee asks for money.
    Request = 1, "request";
    /// A payer pays.
    Payment = 2, "payment";
    /// A payee acknowledges.
    Receipt = 3, "receipt";
    /// The bank publishes its classes.
    Manifest = 4, "manifest";
    /// The bank publishes notes shown twice.
    RevocationPage = 5, "page of the revocation list";
    /// Two shows of one note.
    Evidence = 6, "evidence";
    /// A PSP sets an element's limits.
    Limits = 7, "limits";
    /// A PSP vouches for a payee.
    Descriptor = 8, "descriptor";
    /// An element proves what it is.
    Enrolment = 9, "enrolment";
    /// A transfer for supervisors to read its payer.
    DisclosedTransfer = 10, "disclosed transfer";
    /// An owner says what its device may pay by itself.
    Mandate = 11, "mandate";
    /// What a device holds, with what proves whose it is.
    Holding = 22, "holding";
    /// All that a device held at some moment.
    Backup = 23, "backup";
}

impl Message {
    /// What `bytes` claim to be; nothing else of them is checked.
    ///
    /// # Errors
    /// When they do not begin like a message of this version.
    pub fn peek(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        r.array()?;
        r.version()?;
        Self::numbered(r.uint()?).ok_or(DecodeError::UnexpectedMessage)
    }
}
