//! The wallet in memory, and how it is made and loaded.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use specie_core::amount::Timestamp;
use specie_core::bytes::NoteId;
use specie_core::encoding::DecodeError;
use specie_core::group::Generators;
use specie_core::signature::PublicKey;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::element::{Element, ElementFault};
use crate::error::WalletError;
use crate::history::Log;
use crate::housekeeping::Tasks;
use crate::identity::Identity;
use crate::payment::{FORGOTTEN, Payments};
use crate::publication::Publications;
use crate::purse::Purse;
use crate::record::{Changes, Document, Table};
use crate::request::Requests;
use crate::settings::Settings;
use crate::sorted::Map;
use crate::step::Step;
use crate::synchronisation::Redemptions;
use crate::withdrawal::Withdrawals;

/// A device's money and what is known of it, in memory.
pub struct Wallet {
    pub(crate) generators: Generators,
    pub(crate) identity: Identity,
    pub(crate) settings: Settings,
    pub(crate) publications: Publications,
    pub(crate) purse: Purse,
    pub(crate) requests: Requests,
    pub(crate) payments: Payments,
    pub(crate) redemptions: Redemptions,
    pub(crate) withdrawals: Withdrawals,
    pub(crate) tasks: Tasks,
    /// As it travels: a device that never pays by itself need not read it.
    pub(crate) mandate: Option<Vec<u8>>,
    pub(crate) log: Log,
    pub(crate) evidence: Map<NoteId, Vec<u8>>,
}

/// A wallet being loaded, one record after the other, for whoever has no memory to hold all of them at once.
#[derive(Default)]
pub struct Loading(Option<Box<Wallet>>);

/// Why records are not a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There is no wallet in the records.
    #[error("there is no wallet here")]
    Empty,
    /// The records are of another version of this program.
    #[error("the wallet was stored by another version of this program ({0})")]
    UnknownVersion(u64),
    /// A record is damaged.
    #[error("a record of the wallet is damaged (key {})", Hex(.0))]
    Damaged(Vec<u8>),
}

struct Hex<'a>(&'a [u8]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl WalletError for LoadError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "no-wallet",
            Self::UnknownVersion(_) => "unknown-wallet-version",
            Self::Damaged(_) => "damaged-wallet",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Empty => "make a wallet first",
            Self::UnknownVersion(_) => "use the version of the program that stored it, or a newer one",
            Self::Damaged(_) => "restore the wallet's records from their newest copy",
        }
    }
}

impl Loading {
    /// Takes the next record, in the order of the keys.
    ///
    /// # Errors
    /// When it is none of a wallet, or out of order.
    pub fn record(&mut self, key: Vec<u8>, value: &[u8]) -> Result<(), LoadError> {
        // Tables are numbered such that a record comes after those that it speaks of; the first is the identity.
        match (Table::of(&key), &mut self.0) {
            (Some((Table::Identity, [])), None) => self.0 = Some(Wallet::begin(value)?),
            (_, None) => return Err(LoadError::Empty),
            (Some((table, id)), Some(wallet)) => {
                wallet.load_record(table, id, value).map_err(|_| LoadError::Damaged(key))?
            }
            (None, Some(_)) => return Err(LoadError::Damaged(key)),
        }
        Ok(())
    }

    /// The wallet, once every record was taken: in a box, since it is large.
    ///
    /// # Errors
    /// When there was none.
    pub fn done(self) -> Result<Box<Wallet>, LoadError> {
        self.0.ok_or(LoadError::Empty)
    }
}

impl Wallet {
    /// Makes an empty wallet around a personalised element, obeying the central bank of root key `root`.
    ///
    /// # Errors
    /// When the element cannot say who it is.
    pub fn create(root: PublicKey, element: &mut impl Element) -> Result<Step<Self>, ElementFault> {
        let wallet = Self::around(Identity::of_element(root, element)?);
        let mut changes = Changes::default();
        wallet.identity.store(&mut changes);
        Ok(changes.step(wallet))
    }

    /// Loads a wallet from all its records, in any order.
    ///
    /// # Errors
    /// When they are not those of a wallet.
    pub fn load(records: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<Self, LoadError> {
        let sorted: BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>> =
            records.into_iter().map(|(key, value)| (key, Zeroizing::new(value))).collect();
        let mut loading = Loading::default();
        for (key, value) in sorted {
            loading.record(key, &value)?;
        }
        loading.done().map(|wallet| *wallet)
    }

    /// Frees all memory of what is stored, so that [`Loading`] finds it in one piece. Nothing can be done with this wallet any more.
    #[inline(never)]
    pub fn unload(&mut self) {
        self.publications = Publications::default();
        self.purse = Purse::default();
        self.requests = Requests::default();
        self.payments = Payments::default();
        self.redemptions = Redemptions::default();
        self.withdrawals = Withdrawals::default();
        self.tasks = Tasks::default();
        self.mandate = None;
        self.log = Log::default();
        self.evidence = Map::new();
    }

    /// Apart, so that a wallet lies on the stack no longer than this takes.
    #[inline(never)]
    fn begin(identity: &[u8]) -> Result<Box<Self>, LoadError> {
        Ok(Box::new(Self::around(Identity::load(identity)?)))
    }

    fn around(identity: Identity) -> Self {
        Self {
            generators: Generators::new(),
            identity,
            settings: Settings::default(),
            publications: Publications::default(),
            purse: Purse::default(),
            requests: Requests::default(),
            payments: Payments::default(),
            redemptions: Redemptions::default(),
            withdrawals: Withdrawals::default(),
            tasks: Tasks::default(),
            mandate: None,
            log: Log::default(),
            evidence: Map::new(),
        }
    }

    #[inline(never)]
    fn load_record(&mut self, table: Table, id: &[u8], value: &[u8]) -> Result<(), DecodeError> {
        match table {
            Table::Identity => Err(DecodeError::OutOfRange),
            Table::Settings if id == FORGOTTEN => self.payments.load_forgotten(value),
            Table::Settings => self.load_settings(value),
            Table::Document if id == [Document::Mandate as u8] => {
                self.mandate = Some(value.to_vec());
                Ok(())
            }
            Table::Document => self.load_document(id, value),
            Table::Header => self.publications.load_header(id, value),
            Table::Note => self.load_note(id, value),
            Table::Coin => self.load_coin(id, value),
            Table::Request => self.load_request(id, value),
            Table::Payment => self.load_payment(id, value),
            Table::PaymentMessage => self.payments.load_message(id, value),
            Table::Redemption => self.load_redemption(id, value),
            Table::Withdrawal => self.load_withdrawal(id, value),
            Table::Withdrawn => self.load_withdrawn(id, value),
            Table::Task => self.tasks.load(id, value),
            Table::History => self.log.load(id, value),
            Table::Evidence => {
                self.evidence.insert(NoteId(bytes_of(id)?), value.to_vec());
                Ok(())
            }
        }
    }

    /// `now`, or the latest signed time seen if that is later (§9).
    pub(crate) fn not_before_floor(&self, now: Timestamp) -> Timestamp {
        now.max(self.time_floor())
    }
}

/// The part of a key that names a record, as bytes of fixed length.
pub(crate) fn bytes_of<const N: usize>(id: &[u8]) -> Result<[u8; N], DecodeError> {
    id.try_into().map_err(|_| DecodeError::WrongLength)
}
