//! Payments in compact form, for routes where bytes are dear.

use specie_core::encoding::{Decode, DecodeError, Encode, Writer};
use specie_core::message::Message;
use specie_core::payment::{Payment, write_payment};

/// `message` in its shortest form: a payment loses the points that a verifier can recompute, all else stays as it is.
///
/// # Errors
/// When it is no message, or a payment that does not decode.
pub fn compact(message: &[u8]) -> Result<Vec<u8>, DecodeError> {
    if Message::peek(message)? != Message::Payment {
        return Ok(message.to_vec());
    }
    let payment = Payment::decode(message)?;
    let chains: Vec<Vec<u8>> = payment
        .chains()
        .map(|chain| {
            let mut w = Writer::new(Vec::new());
            let written = w
                .array(chain.length())
                .and_then(|()| chain.transfers().try_for_each(|transfer| transfer.compact().write(&mut w)));
            let Ok(()) = written;
            w.into_inner()
        })
        .collect();
    let chains: Vec<&[u8]> = chains.iter().map(Vec::as_slice).collect();
    let mut w = Writer::new(Vec::new());
    let Ok(()) = write_payment(&chains, &mut w);
    Ok(w.into_inner())
}
