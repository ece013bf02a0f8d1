//! A payment between two devices over TCP: the payee listens and sends its request, the payer connects and answers with
//! what the payee may not know yet, its payment, and takes the receipt.
//!
//! Either side may vanish at any byte. Every message may come again, so a torn exchange is repeated from its beginning: the
//! payee sends the same request, the payer the same payment, and the receipt is the same.

mod payee;
mod payer;
mod wire;

pub use payee::{Arrival, PayeeSide, ReceiveError, Refusal, receive};
pub use payer::{Delivery, Doubt, Handover, PayError, PayerSide, pay};
pub use wire::WireError;

#[cfg(test)]
mod tests;
