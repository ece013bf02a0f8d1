//! What a device holds and has done.

use core::ffi::c_char;

use specie_core::text::Currency;
use specie_wallet::history::{Event, Progress};

use crate::border::{self, Out};
use crate::error::{Error, Fault};
use crate::handle::{Device, moment, operate};
use crate::text::{CurrencyText, MemoText, NameText};

/// How a device is.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Status {
    /// Minor units that can be spent offline now, all currencies added up.
    pub spendable: u64,
    /// Minor units held in all, change and what is on its way to the account among them.
    pub total: u64,
    /// Blanks that may own something: as many notes can be received.
    pub blanks: u64,
    /// Payments made that have no receipt.
    pub undelivered: u64,
    /// Unfinished things that need the PSP or the element.
    pub pending: u64,
    /// Number of the manifest held; 0: none.
    pub manifest: u64,
    /// Number of the limits held; 0: none.
    pub limits: u64,
    /// Bytes of flash that live records take.
    pub flash_used: u64,
    /// Bytes of flash that there are for live records in all. Nothing new is begun in the last quarter of them,
    /// and nothing withdrawn in the last three eighths.
    pub flash_capacity: u64,
    /// Unix seconds below which the wallet knows that it cannot be: its clock is at least this.
    pub time_floor: u64,
    /// Whether it is enrolled with a PSP.
    pub enrolled: bool,
}

/// What a device holds in one currency, in minor units. The parts do not overlap, except that `expiring` is among the
/// others.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Balance {
    /// What can be paid with now, offline.
    pub spendable: u64,
    /// All but what is undelivered or lost.
    pub total: u64,
    /// Change kept until the next synchronisation.
    pub change_kept: u64,
    /// Good at the bank but not offline.
    pub redeem_only: u64,
    /// Asked of the bank, not yet in the wallet.
    pub in_withdrawal: u64,
    /// On its way to the account.
    pub in_redemption: u64,
    /// Set aside for payments that are planned but not complete.
    pub in_planned_payments: u64,
    /// Paid, and no receipt yet.
    pub undelivered: u64,
    /// What has to be redeemed soon.
    pub expiring: u64,
    /// Past its dates, or refused by the bank for good.
    pub lost: u64,
    /// Blanks that may own something.
    pub blanks: u64,
}

/// A payment that was made and has no receipt.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Undelivered {
    /// Names the payment: the hash of the request that it answers.
    pub id: [u8; 32],
    /// Minor units.
    pub amount: u64,
    /// Unix seconds of the last moment at which the payee accepts it.
    pub expiry: u64,
    /// Whether the bank keeps it for the payee.
    pub uploaded: bool,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum HistoryEvent {
    /// Something that this version of the interface has no number for.
    Other = 0,
    /// Paid a request.
    Paid = 1,
    /// Was paid.
    Received = 2,
    /// Withdrew notes from the account.
    Withdrew = 3,
    /// Redeemed to the account.
    Redeemed = 4,
}

/// How far it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum HistoryProgress {
    /// Something that this version of the interface has no number for.
    Other = 0,
    /// Under way, nothing has left the wallet.
    Planned = 1,
    /// Ready to hand over, no receipt yet.
    Undelivered = 2,
    /// There is a receipt, or the money is where it should be.
    Complete = 3,
    /// The request lapsed before the payment was complete: what was set aside comes back from the bank.
    Abandoned = 4,
}

/// A line of history.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct HistoryEntry {
    /// Unix seconds.
    pub at: u64,
    /// Minor units.
    pub amount: u64,
    /// What happened: a `specie_history_event`.
    pub event: u32,
    /// How far it got: a `specie_history_progress`.
    pub progress: u32,
    /// In which currency.
    pub currency: CurrencyText,
    /// The other side's verified name, if it showed one.
    pub counterparty: NameText,
    /// What the payment was for.
    pub memo: MemoText,
}

/// How the device is. `now`: unix seconds.
///
/// # Safety
/// `device` is open, `status` leads to a structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_status(device: *mut Device, now: u64, status: *mut Status) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let (out, now) = (Out::new(status)?, moment(now)?);
            let device = inside.terminal.open_device()?;
            let (wallet, space) = (device.wallet(), device.space());
            let mut status = Status {
                spendable: 0,
                total: 0,
                blanks: 0,
                undelivered: wallet.undelivered_payments().count() as u64,
                pending: wallet.pending().len() as u64,
                manifest: wallet.manifest_sequence(),
                limits: wallet.limits_sequence(),
                flash_used: space.live as u64,
                flash_capacity: space.capacity as u64,
                time_floor: wallet.time_floor().seconds(),
                enrolled: wallet.account().is_some(),
            };
            for currency in wallet.currencies() {
                let balance = wallet.balance(currency, now);
                status.spendable = status.spendable.saturating_add(balance.spendable().minor());
                status.total = status.total.saturating_add(balance.total().minor());
                status.blanks += wallet.blanks(currency, now).free as u64;
            }
            out.set(status);
            Ok(())
        })
    }
}

/// A currency that the manifest has classes of, or that the device holds; `index` from 0, in alphabetical order.
/// `SPECIE_ERROR_NOTHING`: there is none at this index.
///
/// # Safety
/// `device` is open, `currency` leads to a structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_currency_at(device: *mut Device, index: usize, currency: *mut CurrencyText) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let out = Out::new(currency)?;
            let found = inside.terminal.open_device()?.wallet().currencies().nth(index);
            out.set(CurrencyText::new(found.ok_or(Error::Nothing)?));
            Ok(())
        })
    }
}

/// What the device holds in one currency. `currency`: three capital letters, no zero needed. `now`: unix seconds.
///
/// # Safety
/// `device` is open, `currency` leads to 3 characters, `balance` to a structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_balance(
    device: *mut Device,
    currency: *const c_char,
    now: u64,
    balance: *mut Balance,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let (out, now, currency) = (Out::new(balance)?, moment(now)?, read_currency(currency)?);
            let wallet = inside.terminal.open_device()?.wallet();
            let held = wallet.balance(currency, now);
            out.set(Balance {
                spendable: held.spendable().minor(),
                total: held.total().minor(),
                change_kept: held.change_kept.minor(),
                redeem_only: held.redeem_only.minor(),
                in_withdrawal: held.in_withdrawal.minor(),
                in_redemption: held.in_redemption.minor(),
                in_planned_payments: held.in_planned_payments.minor(),
                undelivered: held.undelivered.minor(),
                expiring: held.expiring.minor(),
                lost: held.lost.minor(),
                blanks: wallet.blanks(currency, now).free as u64,
            });
            Ok(())
        })
    }
}

/// A payment that was made and has no receipt; `index` from 0. `specie_payment_again` makes it once more.
/// `SPECIE_ERROR_NOTHING`: there is none at this index.
///
/// # Safety
/// `device` is open, `payment` leads to a structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_undelivered_at(device: *mut Device, index: usize, payment: *mut Undelivered) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let out = Out::new(payment)?;
            let found = inside.terminal.open_device()?.wallet().undelivered_payments().nth(index);
            let found = found.ok_or(Error::Nothing)?;
            out.set(Undelivered {
                id: found.id.0,
                amount: found.amount.minor(),
                expiry: found.expiry.seconds(),
                uploaded: found.uploaded,
            });
            Ok(())
        })
    }
}

/// A request that waits for its payment; `index` from 0. `now`: unix seconds. `id`: where its 16 bytes go.
/// `SPECIE_ERROR_NOTHING`: there is none at this index.
///
/// # Safety
/// `device` is open, `id` leads to 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_open_request_at(device: *mut Device, index: usize, now: u64, id: *mut u8) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let (out, now) = (Out::new(id.cast::<[u8; 16]>())?, moment(now)?);
            let found = inside.terminal.open_device()?.wallet().open_requests(now).nth(index);
            out.set(found.ok_or(Error::Nothing)?.0);
            Ok(())
        })
    }
}

/// A line of history; `index` 0 is the newest. `SPECIE_ERROR_NOTHING`: there is none at this index.
///
/// # Safety
/// `device` is open, `entry` leads to a structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_history_at(device: *mut Device, index: usize, entry: *mut HistoryEntry) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let out = Out::new(entry)?;
            let line = inside.terminal.open_device()?.wallet().history().nth(index).ok_or(Error::Nothing)?;
            let event = match line.event {
                Event::Paid => HistoryEvent::Paid,
                Event::Received => HistoryEvent::Received,
                Event::Withdrew => HistoryEvent::Withdrew,
                Event::Redeemed => HistoryEvent::Redeemed,
                _ => HistoryEvent::Other,
            };
            let progress = match line.progress {
                Progress::Planned => HistoryProgress::Planned,
                Progress::Undelivered => HistoryProgress::Undelivered,
                Progress::Complete => HistoryProgress::Complete,
                Progress::Abandoned => HistoryProgress::Abandoned,
                _ => HistoryProgress::Other,
            };
            out.set(HistoryEntry {
                at: line.at.seconds(),
                amount: line.amount.minor(),
                event: event as u32,
                progress: progress as u32,
                currency: CurrencyText::new(line.currency),
                counterparty: NameText::new(line.counterparty),
                memo: MemoText::new(line.memo),
            });
            Ok(())
        })
    }
}

/// Three capital letters.
///
/// # Safety
/// Unless null, `currency` leads to 3 characters.
pub(crate) unsafe fn read_currency(currency: *const c_char) -> Result<Currency, Fault> {
    // SAFETY: as for this function.
    let text = unsafe { border::text(currency, 3) }?;
    Ok(Currency::new(text).ok_or(Error::Argument)?)
}
