//! What the wallet holds, indexed so that a payment looks at the few coins that it takes and at no others.
//!
//! A holding is named by the element's index of the note or blank that has to be shown to spend it. A blank owns at most one output: that is
//! its coin.

mod coin;
mod record;
mod stock;

use alloc::boxed::Box;
use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{NoteId, TransferId};
use specie_core::class::{Info, Kind};
use specie_core::note::{Note, NoteSecrets};
use specie_core::show::Points;
use specie_core::text::Currency;
use specie_core::transfer::Transfer;
use specie_core::{ClassId, Context};

pub(crate) use coin::{Coin, Origin};
pub(crate) use record::{encode_coin, encode_material};
pub(crate) use stock::Stock;

use crate::payment::PaymentId;
use crate::publication::Revocations;
use crate::request::RequestId;
use crate::sorted::{Boxes, Map};
use crate::withdrawal::WithdrawalId;

/// A note or blank with all that is needed to show it, besides the element.
#[derive(Clone)]
pub(crate) struct Material {
    pub(crate) class_id: ClassId,
    pub(crate) info: Info,
    pub(crate) note: Note,
    pub(crate) secrets: NoteSecrets,
    pub(crate) points: Points,
    pub(crate) id: NoteId,
}

/// What a holding is set aside for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Nothing: it is free.
    Idle,
    /// Not registered in the element yet.
    Arriving(WithdrawalId),
    /// A blank in a request.
    Reserved(RequestId),
    /// Input of a planned payment.
    Input(Context),
    /// A blank for the change of a planned payment.
    ForChange(Context),
    /// On its way to the account.
    Redeeming,
}

/// One note or blank, and the coin that the blank owns.
pub(crate) struct Holding {
    pub(crate) material: Material,
    pub(crate) place: Place,
    /// In a box, since most holdings have none.
    pub(crate) coin: Option<Box<Coin>>,
    /// Those that lay idle longest are taken first among equals.
    order: u64,
}

/// What can be done with a holding at present, dates aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shelf {
    /// Can be paid with.
    Spendable,
    /// Change, kept until the next synchronisation.
    KeptChange,
    /// Good at the bank only.
    RedeemOnly,
    /// An output worth nothing, of a payment that may fall back.
    Residual,
    /// A blank that may own something.
    FreeBlank,
    /// Set aside.
    Aside,
}

/// Everything that the wallet holds.
#[derive(Default)]
pub(crate) struct Purse {
    holdings: Boxes<u32, Holding>,
    spendable: Stock,
    kept_change: Stock,
    free_blanks: Stock,
    /// Notes that are shown in the chains of coins held, and the blanks that own these coins.
    shown: Map<NoteId, Vec<u32>>,
    revocations: Revocations,
    spend_change: bool,
    next_order: u64,
}

impl Holding {
    /// What it is worth.
    pub(crate) fn amount(&self) -> Amount {
        match (&self.coin, self.material.info.kind) {
            (Some(coin), _) => coin.amount,
            (None, Kind::Value) => self.material.info.amount,
            (None, Kind::Blank) => Amount::ZERO,
        }
    }

    /// Last moment at which others accept it.
    pub(crate) fn spend_until(&self) -> Timestamp {
        let own = self.material.info.spend_until;
        self.coin.as_ref().map_or(own, |coin| own.min(coin.spend_until))
    }

    /// Last moment at which the bank redeems it.
    pub(crate) fn redeem_until(&self) -> Timestamp {
        let own = self.material.info.redeem_until;
        self.coin.as_ref().map_or(own, |coin| own.min(coin.redeem_until))
    }

    pub(crate) fn currency(&self) -> Currency {
        self.material.info.currency
    }

    pub(crate) fn is_change(&self) -> bool {
        self.change_of().is_some()
    }

    /// The payment whose change, or residual, this is.
    pub(crate) fn change_of(&self) -> Option<PaymentId> {
        match self.coin.as_ref()?.origin {
            Origin::Change(payment) => Some(payment),
            Origin::Received => None,
        }
    }
}

impl Purse {
    /// Adds a holding.
    pub(crate) fn insert(&mut self, index: u32, material: Material, place: Place, coin: Option<Coin>) {
        self.remove(index);
        let order = self.take_order();
        let coin = coin.map(Box::new);
        self.holdings.insert(index, Box::new(Holding { material, place, coin, order }));
        self.shelve(index);
    }

    /// Takes a holding out for good.
    pub(crate) fn remove(&mut self, index: u32) -> Option<Box<Holding>> {
        self.unshelve(index);
        self.holdings.remove(&index)
    }

    pub(crate) fn get(&self, index: u32) -> Option<&Holding> {
        self.holdings.get(&index).map(Box::as_ref)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Holding)> {
        self.holdings.iter().map(|(index, holding)| (*index, holding.as_ref()))
    }

    /// Sets a holding aside, or frees it.
    pub(crate) fn place(&mut self, index: u32, place: Place) {
        self.unshelve(index);
        let order = self.take_order();
        if let Some(holding) = self.holdings.get_mut(&index) {
            holding.place = place;
            holding.order = order;
        }
        self.shelve(index);
    }

    /// Lets a blank own `coin`, or nothing; it is idle then.
    pub(crate) fn own(&mut self, index: u32, coin: Option<Coin>) {
        self.unshelve(index);
        let order = self.take_order();
        if let Some(holding) = self.holdings.get_mut(&index) {
            holding.coin = coin.map(Box::new);
            holding.place = Place::Idle;
            holding.order = order;
        }
        self.shelve(index);
    }

    /// Whether a blank is there to own what is paid to this request.
    pub(crate) fn may_own(&self, index: u32, request: &RequestId) -> bool {
        self.get(index).is_some_and(|holding| {
            holding.coin.is_none() && [Place::Idle, Place::Reserved(*request)].contains(&holding.place)
        })
    }

    /// How many issued notes of this face can be paid with, dates aside.
    pub(crate) fn count_notes(&self, currency: Currency, face: Amount) -> u64 {
        let notes = self.iter().map(|(_, holding)| holding).filter(|holding| {
            let issued = holding.coin.is_none() && self.shelf(holding) == Shelf::Spendable;
            issued && holding.currency() == currency && holding.amount() == face
        });
        notes.count() as u64
    }

    /// Where a holding belongs.
    pub(crate) fn shelf(&self, holding: &Holding) -> Shelf {
        if holding.place != Place::Idle {
            return Shelf::Aside;
        }
        let revoked = self.is_revoked(holding);
        match (&holding.coin, holding.material.info.kind) {
            (None, Kind::Blank) => Shelf::FreeBlank,
            (None, Kind::Value) if revoked => Shelf::RedeemOnly,
            (None, Kind::Value) => Shelf::Spendable,
            (Some(coin), _) if coin.amount.is_zero() => Shelf::Residual,
            (Some(coin), _) if revoked || coin.hops >= coin.max_hops => Shelf::RedeemOnly,
            (Some(_), _) if holding.is_change() && !self.spend_change => Shelf::KeptChange,
            (Some(_), _) => Shelf::Spendable,
        }
    }

    fn is_revoked(&self, holding: &Holding) -> bool {
        let in_chain = |coin: &Coin| coin.shown.iter().any(|note| self.revocations.contains(note));
        self.revocations.contains(&holding.material.id) || holding.coin.as_deref().is_some_and(in_chain)
    }

    /// Coins that can be paid with.
    pub(crate) fn spendable(&self) -> &Stock {
        &self.spendable
    }

    /// Change that could be paid with if the settings allowed it.
    pub(crate) fn kept_change(&self) -> &Stock {
        &self.kept_change
    }

    /// Blanks by cap.
    pub(crate) fn free_blanks(&self) -> &Stock {
        &self.free_blanks
    }

    /// Whether a note is on the revocation list.
    pub(crate) fn is_note_revoked(&self, note: &NoteId) -> bool {
        self.revocations.contains(note)
    }

    /// What is held of the revocation list.
    pub(crate) fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Changes what is held of the revocation list.
    pub(crate) fn revoke(&mut self, change: impl FnOnce(&mut Revocations)) {
        self.reshelve(|purse| change(&mut purse.revocations));
    }

    /// Changes whether change may be spent.
    pub(crate) fn spend_change(&mut self, allowed: bool) {
        self.reshelve(|purse| purse.spend_change = allowed);
    }

    /// The other transfer that showed `note`, if a coin held came of one that is not `transfer`.
    #[inline(never)]
    pub(crate) fn shown_otherwise(&self, note: &NoteId, transfer: &TransferId) -> Option<Transfer> {
        let coins = self.shown.get(note)?.iter().filter_map(|index| self.holdings.get(index)?.coin.as_ref());
        coins.filter_map(|coin| coin.transfer_of(note)).find(|other| other.id() != *transfer)
    }

    fn take_order(&mut self) -> u64 {
        self.next_order += 1;
        self.next_order
    }

    fn reshelve(&mut self, change: impl FnOnce(&mut Self)) {
        self.unshelve_all();
        change(self);
        self.shelve_all();
    }

    #[inline(never)]
    fn unshelve_all(&mut self) {
        let all: Vec<u32> = self.holdings.keys().copied().collect();
        all.iter().for_each(|index| self.unshelve(*index));
    }

    #[inline(never)]
    fn shelve_all(&mut self) {
        let all: Vec<u32> = self.holdings.keys().copied().collect();
        all.iter().for_each(|index| self.shelve(*index));
    }

    fn stock_of(&mut self, shelf: Shelf) -> Option<&mut Stock> {
        match shelf {
            Shelf::Spendable => Some(&mut self.spendable),
            Shelf::KeptChange => Some(&mut self.kept_change),
            Shelf::FreeBlank => Some(&mut self.free_blanks),
            Shelf::RedeemOnly | Shelf::Residual | Shelf::Aside => None,
        }
    }

    fn shelve(&mut self, index: u32) {
        let Some(holding) = self.holdings.get(&index) else { return };
        if let Some(coin) = &holding.coin {
            for note in &coin.shown {
                self.shown.or_default(*note).push(index);
            }
        }
        let (shelf, entry) = (self.shelf(holding), stock::Entry::of(index, holding));
        if let Some(stock) = self.stock_of(shelf) {
            stock.insert(&entry);
        }
    }

    fn unshelve(&mut self, index: u32) {
        let Some(holding) = self.holdings.get(&index) else { return };
        if let Some(coin) = &holding.coin {
            for note in &coin.shown {
                if let Some(shows) = self.shown.get_mut(note) {
                    shows.retain(|other| *other != index);
                    if shows.is_empty() {
                        self.shown.remove(note);
                    }
                }
            }
        }
        let (shelf, entry) = (self.shelf(holding), stock::Entry::of(index, holding));
        if let Some(stock) = self.stock_of(shelf) {
            stock.remove(&entry);
        }
    }
}

impl stock::Entry {
    fn of(index: u32, holding: &Holding) -> Self {
        let amount = match holding.coin {
            Some(_) => holding.amount(),
            // A blank lies by its cap.
            None => holding.material.info.amount,
        };
        Self { currency: holding.currency(), amount, until: holding.spend_until(), order: holding.order, index }
    }
}
