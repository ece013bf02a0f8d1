//! What a PSP sees of one customer: money that moved, and what it refused.

use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Amount, Timestamp};

/// Names a flow or a refusal: for a flow the name of its movement in the PSP's books.
pub type EventId = [u8; 16];

/// Money into or out of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flow {
    /// Names it.
    pub id: EventId,
    /// Whose account.
    pub customer: Name,
    /// Which account.
    pub account: Name,
    /// Which way it went.
    pub kind: FlowKind,
    /// So much.
    pub amount: Amount,
    /// Who paid or was paid, where the PSP knows it: not for deposits, withdrawals and redemptions.
    pub counterparty: Option<Counterparty>,
    /// The device that was funded or that redeemed, where the PSP knows it.
    pub device: Option<PublicKey>,
    /// When.
    pub at: Timestamp,
}

/// Which way money went.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FlowKind {
    /// Cash or other money, paid in.
    Deposit,
    /// From the account to a device: funding.
    Withdrawal,
    /// From a device to the account: defunding.
    Redemption,
    /// Online, from another account.
    TransferIn,
    /// Online, to another account.
    TransferOut,
}

/// Into the account or out of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Into it.
    In,
    /// Out of it.
    Out,
}

/// The other side of a transfer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Counterparty {
    /// Its PSP.
    pub psp: Name,
    /// Its account.
    pub account: Name,
}

/// Something that a limit refused: no money moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Names it.
    pub id: EventId,
    /// Whose device asked.
    pub customer: Name,
    /// Which device.
    pub device: PublicKey,
    /// How much it asked for.
    pub asked: Amount,
    /// How much the limit still allowed.
    pub allowed: Amount,
    /// When.
    pub at: Timestamp,
}

/// A flow or a refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Money moved.
    Flow(Flow),
    /// Money did not move.
    Refusal(Refusal),
}

/// What the PSP knows of one customer, as far back as the rules look, and the last flow before that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// Who.
    pub customer: Name,
    /// Whether it is a merchant: shown to payers by a name.
    pub merchant: bool,
    /// What its tier lets it withdraw in a day.
    pub tier_per_day: Amount,
    /// Oldest first.
    pub events: Vec<Event>,
}

macro_rules! kinds {
    ($($kind:ident = $text:literal,)*) => {
        impl FlowKind {
            /// The stable name, as stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }

            /// The kind of that name.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    Deposit = "deposit",
    Withdrawal = "withdrawal",
    Redemption = "redemption",
    TransferIn = "transfer-in",
    TransferOut = "transfer-out",
}

impl FlowKind {
    /// Into the account or out of it.
    pub fn direction(self) -> Direction {
        match self {
            Self::Deposit | Self::Redemption | Self::TransferIn => Direction::In,
            Self::Withdrawal | Self::TransferOut => Direction::Out,
        }
    }

    /// Whether it was cash, or money of devices, which says as little of where it was before.
    pub fn is_cash(self) -> bool {
        !matches!(self, Self::TransferIn | Self::TransferOut)
    }
}

impl Event {
    /// Its name.
    pub fn id(&self) -> EventId {
        match self {
            Self::Flow(flow) => flow.id,
            Self::Refusal(refusal) => refusal.id,
        }
    }

    /// When.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Flow(flow) => flow.at,
            Self::Refusal(refusal) => refusal.at,
        }
    }

    /// The flow, if it is one.
    pub fn flow(&self) -> Option<&Flow> {
        match self {
            Self::Flow(flow) => Some(flow),
            Self::Refusal(_) => None,
        }
    }

    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Flow(_) => None,
            Self::Refusal(refusal) => Some(refusal),
        }
    }
}
