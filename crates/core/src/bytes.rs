//! Identifiers: byte strings of fixed length that mean different things and must not be mixed up.

use core::fmt;

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident[$length:literal];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// Length in bytes.
            pub const LENGTH: usize = $length;

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = core::array::TryFromSliceError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                bytes.try_into().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )*};
}

identifiers! {
    /// Names a class: key, issuer, currency, kind, amount and dates (§3).
    ClassId[16];
    /// Names a note or a blank, once it is shown (§5).
    NoteId[32];
    /// Names a note on the revocation list: the first half of its name (§8).
    RevokedNote[16];
    /// Names a transfer (§6).
    TransferId[32];
    /// Commits to the blank that owns an output (§6).
    OwnerTag[32];
    /// What a transfer is made for: a request, or a destination when redeeming (§7, §8).
    Context[32];
    /// Names a manifest header (§3).
    ManifestId[32];
}
