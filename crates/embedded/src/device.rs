//! A wallet with its flash and its secure element: every operation stores what it is going to say before it says it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use specie_api::idempotency::Key;
use specie_core::Timestamp;
use specie_core::encoding::Encode;
use specie_core::signature::PublicKey;
use specie_element::client;
use specie_element::entropy::{Entropy, EntropyFailure, NoiseSource};
use specie_wallet::element::{Element, ElementFault};
use specie_wallet::recovery::{Pending, Resumed};
use specie_wallet::{Change, Loading, Step, Wallet};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::frame::MESSAGE_MAX;
use crate::records::{Records, RecordsError, Space};

mod mandate;
mod own_element;
mod pay;
mod receive;

pub use mandate::MandateHeld;
use own_element::OwnElement;
pub use pay::Paid;
pub use receive::{Asked, Terms};

/// Eighths of what the records may fill that are kept free for what is under way: nothing new is begun beyond it, so that what was begun can
/// always be completed. A quarter of 16 kB holds a payment in four notes with its change, of a few hops each.
const RESERVE: usize = 2;

/// Eighths that a withdrawal leaves free: what was withdrawn must not keep the device from paying with it.
const RESERVE_OF_WITHDRAWALS: usize = 3;

/// Bytes that an operation takes meanwhile, besides the wallet and the message that it is about: most of it the tables with which
/// a payment is checked, of which there are as many at once as there is room for.
const WORKING_MEMORY: usize = 8 * 1024;

/// In pieces of so many bytes.
const PIECE: usize = 1024;
const PIECES: usize = WORKING_MEMORY / PIECE;

/// How often a payment that is checked is in memory, in one form or another, besides the message itself.
const COPIES_CHECKED: usize = 3;

/// How often a payment that is made is: in the coin that is the change, the records, and on its way out.
const COPIES_MADE: usize = 6;

/// Flash that a payment takes besides twice its length: the plan, notes, lines of history.
const ROOM_OF_PAYMENT: usize = 2 * 1024;

/// Lines of history that are kept, since memory is short.
const HISTORY_KEPT: usize = 6;

/// Pages of the revocation list that are kept: all that may be listed within a day, unless the bank's configuration says otherwise.
pub(crate) const PAGES_HELD: usize = 3;

/// First byte of the keys of the device's own records; the wallet's begin with the numbers of its tables.
pub(crate) const OWN_RECORDS: u8 = 0xF0;

/// Random bytes, fit for keys.
pub trait Random {
    /// Fills `out`.
    ///
    /// # Errors
    /// There is no randomness that can be relied on.
    fn fill(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure>;
}

impl<N: NoiseSource> Random for Entropy<N> {
    fn fill(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        self.draw(out)
    }
}

/// A device: its wallet, the records of it in the flash `F`, its element `E` and its source of randomness `R`.
pub struct Device<F, E, R> {
    pub(crate) wallet: Box<Wallet>,
    pub(crate) records: Records<F>,
    pub(crate) element: OwnElement<E>,
    random: R,
    /// A step was not stored and the wallet could not be read again: it is ahead of the records.
    stale: bool,
}

/// The result of an operation.
pub type Done<T> = Result<T, Failure>;

/// What a device is made of.
pub struct Parts<F, E, R> {
    /// Where its records are.
    pub flash: F,
    /// Its secure element.
    pub element: E,
    /// Its source of randomness.
    pub random: R,
}

/// Why there is no device, and what it would be made of.
pub struct Unopened<F, E, R> {
    /// Why.
    pub failure: Failure,
    /// To try again with.
    pub parts: Parts<F, E, R>,
}

impl<F: NorFlash, E: Element, R: Random> Device<F, E, R> {
    /// Makes an empty wallet around a personalised element, obeying the central bank of this root key. Whatever the flash
    /// held is erased, so this is for a flash of which [`Device::open`] says that it is empty.
    ///
    /// # Errors
    /// The flash is unfit, or the element cannot say who it is.
    #[inline(never)]
    pub fn create(mut parts: Parts<F, E, R>, root: PublicKey) -> Result<Self, Unopened<F, E, R>> {
        let (wallet, changes) = match make(root, &mut parts.element) {
            Ok(made) => made,
            Err(fault) => return Err(Unopened { failure: fault.into(), parts }),
        };
        let Parts { flash, element, random } = parts;
        let mut records = match Records::format(flash) {
            Ok(records) => records,
            Err((error, flash)) => {
                return Err(Unopened { failure: error.into(), parts: Parts { flash, element, random } });
            }
        };
        match records.apply(&changes) {
            Ok(()) => Ok(Self::of(wallet, records, element, random)),
            Err(error) => {
                let parts = Parts { flash: records.into_flash(), element, random };
                Err(Unopened { failure: error.into(), parts })
            }
        }
    }

    /// Opens the device in a flash, as it was when the power went off.
    ///
    /// # Errors
    /// There is none (code `no-wallet`), or it is damaged.
    #[inline(never)]
    pub fn open(parts: Parts<F, E, R>) -> Result<Self, Unopened<F, E, R>> {
        let Parts { flash, element, random } = parts;
        let mut records = match Records::open(flash) {
            Ok(records) => records,
            Err((error, flash)) => {
                return Err(Unopened { failure: error.into(), parts: Parts { flash, element, random } });
            }
        };
        match load(&mut records) {
            Ok(wallet) => Ok(Self::of(wallet, records, element, random)),
            Err(failure) => {
                let parts = Parts { flash: records.into_flash(), element, random };
                Err(Unopened { failure, parts })
            }
        }
    }

    fn of(wallet: Box<Wallet>, records: Records<F>, element: E, random: R) -> Self {
        let element = OwnElement::new(element, wallet.certificate().to_vec());
        Self { wallet, records, element, random, stale: false }
    }

    /// The wallet, to look at.
    pub fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    /// The element. One that is not the wallet's own gets no command.
    pub fn element(&mut self) -> &mut impl Element {
        &mut self.element
    }

    /// Tells the element the PIN. It holds until the element loses its power.
    ///
    /// # Errors
    /// It is not the wallet's element, or the PIN is wrong.
    pub fn verify(&mut self, pin: &[u8]) -> Done<()> {
        self.element.recognise()?;
        Ok(client::verify(&mut self.element, pin).map_err(ElementFault::from)?)
    }

    /// Sets the element's PIN, or another one; `old` is empty while none is set. Counts as [`Device::verify`].
    ///
    /// # Errors
    /// It is not the wallet's element, the old PIN is wrong, or the new one no PIN.
    #[inline(never)]
    pub fn change_pin(&mut self, old: &[u8], new: &[u8]) -> Done<()> {
        self.element.recognise()?;
        Ok(client::change_pin(&mut self.element, old, new).map_err(ElementFault::from)?)
    }

    /// How full the flash is.
    pub fn space(&self) -> Space {
        self.records.space()
    }

    /// Finishes what was under way and needs nothing but the element; gives what that was. Every operation does it first.
    ///
    /// # Errors
    /// The element cannot be asked, or the wallet not stored.
    #[inline(never)]
    pub fn resume(&mut self, now: Timestamp) -> Done<Vec<Resumed>> {
        self.check_usable()?;
        self.element.recognise()?;
        let planned = self.wallet.pending().into_iter().filter_map(|pending| match pending {
            Pending::Payment(id) => Some(id),
            _ => None,
        });
        for id in planned.collect::<Vec<_>>() {
            match self.drop_what_has_no_room(&id) {
                Err(failure) if self.wallet.planned_length(&id).is_some() => return Err(failure),
                _ => {}
            }
        }
        let mut resumed = Vec::new();
        while let Some(step) = self.wallet.resume(now, &mut self.element)? {
            resumed.push(self.commit(step)?);
        }
        self.tidy(now)?;
        Ok(resumed)
    }

    /// Tells the element what it may forget, and forgets what is long complete.
    #[inline(never)]
    pub(crate) fn tidy(&mut self, now: Timestamp) -> Done<()> {
        while self.wallet.housekeeping() > 0 {
            let step = self.wallet.keep_house(&mut self.element)?;
            self.commit(step)?;
        }
        let step = self.wallet.prune_exchanges(now);
        self.commit(step)?;
        self.wallet.release_memory();
        let old = self.wallet.history().nth(HISTORY_KEPT).map(|entry| entry.at.saturating_add(1));
        if let Some(before) = old {
            let step = self.wallet.prune(before, now);
            self.commit(step)?;
        }
        Ok(())
    }

    /// A key for something that may be done twice, but need not.
    pub(crate) fn fresh_key(&mut self) -> Done<Key> {
        let seed = self.seed()?;
        let (half, _) = seed.split_first_chunk::<16>().expect("32 bytes are more than 16");
        Ok(Key::from_bytes(half))
    }

    /// Stores a step and gives its output.
    #[inline(never)]
    pub(crate) fn commit<T>(&mut self, step: Step<T>) -> Done<T> {
        self.check_usable()?;
        self.records.commit(step).map_err(|error| {
            // What the flash holds is what counts; the wallet in memory has gone on already.
            self.reload();
            error.into()
        })
    }

    /// Reads the wallet from the flash again.
    #[inline(never)]
    pub(crate) fn reload(&mut self) {
        self.wallet.unload();
        match load(&mut self.records) {
            Ok(wallet) => self.wallet = wallet,
            Err(_) => self.stale = true,
        }
    }

    /// Nothing new is begun where there is no room to complete it.
    pub(crate) fn check_room(&mut self) -> Done<()> {
        self.check_space(RESERVE)
    }

    /// Nothing is withdrawn where there would be no room to pay with it.
    pub(crate) fn check_room_to_withdraw(&mut self) -> Done<()> {
        self.check_space(RESERVE_OF_WITHDRAWALS)
    }

    fn check_space(&mut self, eighths: usize) -> Done<()> {
        let Space { live, capacity } = self.records.space();
        if live + capacity * eighths / 8 > capacity { Err(RecordsError::Full.into()) } else { self.check_memory(0, 0) }
    }

    /// Nothing is paid that could not be stored whole, nor received that could not be redeemed. Its chains are stored twice:
    /// with what is handed over or redeemed, and with the coin.
    pub(crate) fn check_room_for(&mut self, payment: usize) -> Done<()> {
        let Space { live, capacity } = self.records.space();
        if live + 2 * payment + ROOM_OF_PAYMENT > capacity { Err(RecordsError::Full.into()) } else { Ok(()) }
    }

    /// Whether there is memory and room to make a payment of so many bytes.
    pub(crate) fn check_paying(&mut self, length: usize) -> Done<()> {
        if length > MESSAGE_MAX {
            let what = "the notes that would be paid have been passed on too often to fit into one message";
            return Err(Failure::new("payment-too-long", what, "synchronise: what was received goes to the account"));
        }
        self.check_room_for(length)?;
        self.check_memory(COPIES_MADE, length)
    }

    /// Whether there is memory and room to receive a payment of so many bytes.
    pub(crate) fn check_receiving(&mut self, length: usize) -> Done<()> {
        self.check_room_for(length)?;
        self.check_memory(COPIES_CHECKED, length)
    }

    /// Whether there is memory for what an operation takes meanwhile, on a message of so many bytes that is copied so often: where a microcontroller
    /// runs out of it, the program has to start anew.
    fn check_memory(&mut self, copies: usize, message: usize) -> Done<()> {
        if has_memory(PIECES, copies, message) {
            return Ok(());
        }
        // Much may be free, but in small holes between what stays: loaded anew, the wallet lies in one piece.
        self.reload();
        self.check_usable()?;
        if has_memory(PIECES, copies, message) {
            return Ok(());
        }
        let advice = "synchronise: what is redeemed makes room; or have it keep less";
        Err(Failure::new("memory-full", "there is no memory for more at present", advice))
    }

    /// Random bytes for one use.
    pub(crate) fn seed(&mut self) -> Done<Zeroizing<[u8; 32]>> {
        let mut seed = Zeroizing::new([0; 32]);
        self.random.fill(&mut seed).map_err(|_| {
            Failure::new(
                "no-entropy",
                "the noise source failed its test",
                "restart the device; if it fails again, replace it",
            )
        })?;
        Ok(seed)
    }

    fn check_usable(&self) -> Done<()> {
        if !self.stale {
            return Ok(());
        }
        Err(Failure::new("storage-failed", "the flash could not be read", "restart the device: what it stored is kept"))
    }
}

/// Whether there is memory for what an operation under way still takes, so that a message that comes in meanwhile may grow.
pub(crate) fn leaves_memory() -> bool {
    has_memory(PIECES / 2, 0, 0)
}

fn has_memory(pieces: usize, copies: usize, message: usize) -> bool {
    let mut probes: [Vec<u8>; PIECES + COPIES_MADE] = Default::default();
    // What is longest needs the longest hole: it goes first.
    let lengths = core::iter::repeat_n(message, copies).chain(core::iter::repeat_n(PIECE, pieces));
    let there = probes.iter_mut().zip(lengths).all(|(probe, length)| probe.try_reserve_exact(length).is_ok());
    // The compiler would leave out an allocation that nobody looks at.
    core::hint::black_box(&mut probes);
    there
}

/// An empty wallet, and what is to be stored of it. In a box, since it is large.
#[inline(never)]
fn make(root: PublicKey, element: &mut impl Element) -> Result<(Box<Wallet>, Vec<Change>), ElementFault> {
    let step = Wallet::create(root, element)?;
    let changes = step.changes().to_vec();
    Ok((Box::new(step.committed()), changes))
}

/// Loads the wallet, one record after the other: all at once would take the memory twice.
#[inline(never)]
fn load<F: NorFlash>(records: &mut Records<F>) -> Result<Box<Wallet>, Failure> {
    let mut loading = Loading::default();
    for position in 0..records.count() {
        if let Some((key, value)) = records.record(position)?
            && key.first() != Some(&OWN_RECORDS)
        {
            loading.record(key, &value).map_err(|error| match Failure::from(error) {
                failure if failure.code == "no-wallet" => damaged_wallet(),
                failure => failure,
            })?;
        }
    }
    Ok(loading.done()?)
}

/// What begins in the middle is no empty flash.
fn damaged_wallet() -> Failure {
    let what = "the flash holds records of a wallet, but not whose it is";
    Failure::new("damaged-wallet", what, "replace the device and keep its flash")
}
