//! What the wallet leaves behind for the case that its device is lost (§8.1): all that it holds, and nothing that could spend it.

use alloc::vec::Vec;
use core::convert::Infallible;

use specie_core::amount::Timestamp;
use specie_core::class::Kind;
use specie_core::encoding::Writer;
use specie_core::holding::{Holding, Opening, Owned, write_backup};
use zeroize::Zeroizing;

use crate::purse;
use crate::wallet::Wallet;

impl Wallet {
    /// Everything that is or may be worth something at `now`, encoded; change of nothing too, since it names who is due what payees leave
    /// over. Who reads it learns whose the notes are: it leaves the device encrypted only.
    pub fn backup(&self, now: Timestamp) -> Zeroizing<Vec<u8>> {
        let mut holdings: Vec<Holding<'_>> = Vec::new();
        for (_, holding) in self.purse.iter() {
            let is_value = holding.coin.is_some() || holding.material.info.kind == Kind::Value;
            if is_value && now <= holding.redeem_until() {
                holdings.push(told(holding));
            }
        }
        let length = holdings.iter().map(specie_core::encoding::Encode::encoded_length).sum::<usize>();
        // Enough capacity leaves no half-grown copies behind.
        let mut w = Writer::new(Vec::with_capacity(length + 32));
        let written: Result<(), Infallible> = write_backup(now, holdings.into_iter(), &mut w);
        match written {
            Ok(()) => Zeroizing::new(w.into_inner()),
            Err(never) => match never {},
        }
    }
}

fn told(holding: &purse::Holding) -> Holding<'_> {
    let material = &holding.material;
    Holding {
        class_id: material.class_id,
        note: material.note,
        N0: material.points.N0,
        N1: material.points.N1,
        opening: Opening::of(&material.secrets),
        owned: holding.coin.as_deref().map(|coin| Owned { chain: coin.chain(), index: coin.output, blind: coin.blind }),
    }
}
