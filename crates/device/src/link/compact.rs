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

#[cfg(test)]
mod tests {
    use specie_core::bytes::{ClassId, TransferId};
    use specie_core::group::Scalar;
    use specie_core::note::Note;
    use specie_core::show::{Points, Show};
    use specie_core::transfer::{Input, Outputs, Preimage, Transfer};
    use specie_core::{Amount, Context, OwnerTag};

    use super::*;

    fn transfer(number: u8) -> Transfer {
        let output = specie_core::transfer::Output { amount: Amount::new(5).unwrap(), owner: OwnerTag([number; 32]) };
        let preimage = Preimage {
            class_id: ClassId([1; 16]),
            note: Note([2; 256]),
            input: Input::Received { previous: TransferId([3; 32]), index: number, blind: [4; 32] },
            outputs: Outputs::new(&[output]).unwrap(),
            context: Context([5; 32]),
            disclosure: None,
        };
        let show = Show { z0: Scalar::ONE, z1: Scalar::ONE, z3: Scalar::ONE };
        Transfer { preimage, show, disclosure: None, points: Some(Points::from_bytes(&[6; 192])) }
    }

    fn payment(lengths: &[u8]) -> Vec<u8> {
        let chains = lengths.iter().map(|&length| {
            let mut w = Writer::new(Vec::new());
            let Ok(()) = w.array(length.into());
            let Ok(()) = (0..length).try_for_each(|number| transfer(number).write(&mut w));
            w.into_inner()
        });
        let chains: Vec<Vec<u8>> = chains.collect();
        let chains: Vec<&[u8]> = chains.iter().map(Vec::as_slice).collect();
        let mut w = Writer::new(Vec::new());
        let Ok(()) = write_payment(&chains, &mut w);
        w.into_inner()
    }

    #[test]
    fn a_payment_loses_its_points_and_nothing_else() {
        let extended = payment(&[1, 3]);
        let compacted = compact(&extended).unwrap();
        assert_eq!(extended.len() - compacted.len(), 4 * (2 + Points::LENGTH));
        let ids = |message: &[u8]| -> Vec<TransferId> {
            let payment = Payment::decode(message).unwrap();
            payment
                .chains()
                .flat_map(|chain| chain.transfers().map(|transfer| transfer.id()).collect::<Vec<_>>())
                .collect()
        };
        assert_eq!(ids(&compacted), ids(&extended));
        assert_eq!(compact(&compacted).unwrap(), compacted);
    }

    #[test]
    fn other_messages_stay_as_they_are_and_no_message_is_refused() {
        let receipt = [&[0x84, 1, 3, 0x58, 32][..], &[7; 32], &[0x58, 32], &[8; 32]].concat();
        assert_eq!(compact(&receipt).unwrap(), receipt);
        assert!(compact(&payment(&[1])[..100]).is_err());
        assert!(compact(b"SPECIE:1/1/AAAAAAAA/AA").is_err());
    }
}
