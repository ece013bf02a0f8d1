//! Notes, blanks and coins as they are stored.

use alloc::vec::Vec;

use specie_core::bytes::{ClassId, Context, NoteId};
use specie_core::class::Info;
use specie_core::encoding::{Decode, DecodeError, Encode};
use specie_core::note::{Note, NoteSecrets};
use specie_core::show::Points;
use zeroize::Zeroizing;

use super::coin::{Coin, Origin, shows};
use super::{Material, Place};
use crate::record::{Fields, ReadField, read};
use crate::wallet::{Wallet, bytes_of};

pub(crate) fn encode_material(material: &Material) -> Vec<u8> {
    let secrets = Zeroizing::new(material.secrets.expose_secret_bytes());
    Fields::new(6, 900)
        .bytes(&material.class_id.0)
        .bytes(&material.info.to_vec())
        .bytes(&material.note.0)
        .bytes(&*secrets)
        .bytes(&material.points.to_bytes())
        .bytes(&material.id.0)
        .done()
}

fn decode_material(record: &[u8]) -> Result<Material, DecodeError> {
    read(record, 6, |r| {
        Ok(Material {
            class_id: ClassId(r.bytes_of()?),
            info: Info::decode(r.bytes()?)?,
            note: Note(r.bytes_of()?),
            secrets: NoteSecrets::from_bytes(&Zeroizing::new(r.bytes_of()?))?,
            points: Points::from_bytes(&r.bytes_of()?),
            id: NoteId(r.bytes_of()?),
        })
    })
}

pub(crate) fn encode_coin(coin: &Coin) -> Vec<u8> {
    let payment = match coin.origin {
        Origin::Received => None,
        Origin::Change(payment) => Some(payment),
    };
    Fields::new(9, coin.chain.len() + 160)
        .bytes(&coin.chain)
        .uint(coin.output)
        .bytes(&coin.blind)
        .amount(coin.amount)
        .optional(payment, |fields, payment| fields.bytes(&payment.0))
        .uint(coin.hops)
        .uint(coin.max_hops)
        .time(coin.spend_until)
        .time(coin.redeem_until)
        .done()
}

fn decode_coin(record: &[u8]) -> Result<Coin, DecodeError> {
    read(record, 9, |r| {
        let chain = r.bytes()?.to_vec();
        let shown = shows(&chain)?;
        Ok(Coin {
            chain,
            output: r.uint_as()?,
            blind: r.bytes_of()?,
            amount: r.amount()?,
            origin: match r.optional(|r| r.bytes_of().map(Context))? {
                None => Origin::Received,
                Some(payment) => Origin::Change(payment),
            },
            hops: r.uint_as()?,
            max_hops: r.uint_as()?,
            spend_until: r.time()?,
            redeem_until: r.time()?,
            shown,
        })
    })
}

impl Wallet {
    /// A note or blank, free until a later record says otherwise.
    #[inline(never)]
    pub(crate) fn load_note(&mut self, id: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        self.purse.insert(u32::from_be_bytes(bytes_of(id)?), decode_material(record)?, Place::Idle, None);
        Ok(())
    }

    /// What a blank owns.
    #[inline(never)]
    pub(crate) fn load_coin(&mut self, id: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        let index = u32::from_be_bytes(bytes_of(id)?);
        if self.purse.get(index).is_none() {
            return Err(DecodeError::OutOfRange);
        }
        self.purse.own(index, Some(decode_coin(record)?));
        Ok(())
    }
}
