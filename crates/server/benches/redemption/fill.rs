//! A spent set of many rows, with all that redemption looks at beside it, through the interface of the storage.

use specie_bank::payout::{PayoutKind, PayoutRecord};
use specie_bank::spent::TransferRecord;
use specie_bank::storage::{Allotment, Claim, Storage, StorageError};
use specie_core::bytes::{NoteId, TransferId};
use specie_core::class::Kind;
use specie_core::hash::h32;

use crate::town::{TRANSFERS, Town};
use crate::world::amount;

/// Coins of one transaction.
const CHUNK: u64 = 500;

/// Length of a transfer in compact form, about.
const TRANSFER_LENGTH: usize = 300;

/// Adds coins that were paid on once and redeemed, until `rows` notes more are spent: rows of the spent set, of the transfers, their
/// claims, and what was paid. Only the books do not know them.
pub(crate) fn spent_set(town: &Town, rows: u64) {
    let class = town.world.class(Kind::Value, 10).id();
    let coins = rows / TRANSFERS as u64;
    let id = |what: &str, coin: u64| h32("test", &[what.as_bytes(), &coin.to_be_bytes()]);
    for first in (0..coins).step_by(CHUNK as usize) {
        let part = first..(first + CHUNK).min(coins);
        let transfer = |coin: u64, redeems: bool| TransferRecord {
            id: TransferId(id(if redeems { "redeeming" } else { "payment" }, coin)),
            note_id: NoteId(id(if redeems { "blank" } else { "note" }, coin)),
            class_id: class,
            root: NoteId(id("note", coin)),
            root_class: class,
            deadline: town.now,
            swept: true,
            transfer: vec![0x5a; TRANSFER_LENGTH],
        };
        let mut transfers: Vec<_> =
            part.clone().flat_map(|coin| [transfer(coin, false), transfer(coin, true)]).collect();
        transfers.sort_by_key(|transfer| transfer.id);
        let mut shows: Vec<_> = transfers.iter().map(|transfer| (transfer.note_id, transfer.id)).collect();
        shows.sort();
        let redeeming: Vec<_> = part.map(|coin| transfer(coin, true)).collect();
        let claims: Vec<_> = redeeming
            .iter()
            .map(|redeeming| Claim { transfer: TransferId(redeeming.root.0), index: 0, by: redeeming.id })
            .collect();
        let payouts: Vec<_> = redeeming
            .iter()
            .map(|redeeming| PayoutRecord {
                transfer: redeeming.id,
                kind: PayoutKind::Redemption,
                root: redeeming.root,
                root_class: class,
                amount: amount(10),
                from_class: amount(10),
                to: Town::to(),
                at: town.now,
            })
            .collect();
        let allotments: Vec<_> = redeeming
            .iter()
            .map(|redeeming| Allotment { root: redeeming.root, transfer: redeeming.id, amount: amount(10) })
            .collect();
        let roots: Vec<_> = redeeming.iter().map(|redeeming| (redeeming.root, class, amount(10))).collect();
        let filled = town.world.bank().storage().transact(|tx| {
            tx.insert_shows(&shows)?;
            tx.insert_transfers(&transfers)?;
            tx.insert_claims(&claims)?;
            tx.insert_payouts(&payouts)?;
            tx.insert_allotments(&allotments)?;
            tx.add_to_roots(&roots)?;
            Ok::<_, StorageError>(())
        });
        filled.unwrap();
    }
}
