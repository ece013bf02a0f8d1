//! Asking to be paid, and being paid.

use alloc::vec;
use core::ffi::c_char;

use specie_core::Amount;
use specie_core::text::Memo;
use specie_embedded::device::Terms as DeviceTerms;
use specie_wallet::publication::Update;
use specie_wallet::reception::Route as WalletRoute;
use specie_wallet::request::{RequestError, RequestId};

use crate::border::{self, Out};
use crate::error::{Error, Fault};
use crate::handle::{Device, make, moment, operate};
use crate::looks::read_currency;
use crate::text::CurrencyText;

/// What to ask for.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Terms {
    /// Minor units; more than 0.
    pub amount: u64,
    /// For how long a payment is accepted, in seconds from now.
    pub valid_seconds: u64,
    /// Three capital letters, no zero needed.
    pub currency: *const c_char,
    /// What it is for, in UTF-8: `memo_length` bytes, 140 at most. May be null if that is 0: for nothing in particular.
    pub memo: *const c_char,
    /// Bytes of the memo.
    pub memo_length: usize,
    /// The most notes in which it may be paid, 1 to 8; each takes a blank for as long.
    pub notes_max: u8,
}

/// By which way a payment came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Route {
    /// From the payer: refused past the request's expiry.
    Payer = 0,
    /// From the bank, which kept it: accepted as long as the blanks of the request are unused.
    Bank = 1,
}

/// Money that was received.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Received {
    /// Minor units.
    pub amount: u64,
    /// The request that was paid.
    pub request: [u8; 16],
    /// In which currency.
    pub currency: CurrencyText,
    /// Whether this very payment was accepted before.
    pub repeated: bool,
}

/// Makes a request to be paid: one output. It may be shown any number of times. `now`: unix seconds. `id`: where 16
/// bytes go that name it within this device; may be null.
///
/// # Safety
/// `device` is open, `terms` leads to a structure and this to its texts, `id` to 16 bytes or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_request(device: *mut Device, terms: *const Terms, now: u64, id: *mut u8) -> Error {
    // SAFETY: as for this function.
    unsafe {
        make(device, |inside| {
            let out = Out::optional(id.cast::<[u8; 16]>())?;
            let (terms, now) = (read_terms(terms)?, moment(now)?);
            let asked = inside.terminal.open_device()?.request(&terms, now)?;
            inside.outputs = vec![asked.message];
            out.into_iter().for_each(|out| out.set(asked.id.0));
            Ok(())
        })
    }
}

/// Makes a request once more, to be shown again: one output. `id`: the 16 bytes that name it.
///
/// # Safety
/// `device` is open, `id` leads to 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_request_again(device: *mut Device, id: *const u8) -> Error {
    // SAFETY: as for this function.
    unsafe {
        make(device, |inside| {
            let id = RequestId(border::array(id)?);
            let message = inside.terminal.open_device()?.wallet().request_message(&id).map(<[u8]>::to_vec);
            inside.outputs = vec![message.ok_or_else(unknown_request)?];
            Ok(())
        })
    }
}

/// Withdraws a request that was not paid: its blanks are free again. `id`: the 16 bytes that name it.
///
/// # Safety
/// `device` is open, `id` leads to 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_cancel_request(device: *mut Device, id: *const u8) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let id = RequestId(border::array(id)?);
            Ok(inside.terminal.open_device()?.cancel_request(&id)?)
        })
    }
}

/// Checks a payment by every rule and takes it: the money is the device's then, and the receipt is the one output. The
/// same payment again gives the same receipt. `route`: a `specie_route`. `now`: unix seconds. `received` may be null.
///
/// `SPECIE_ERROR_REFUSED`: the rule that it breaks is the code of the failure. Hand nothing over then.
///
/// # Safety
/// `device` is open, `payment` leads to `length` bytes, `received` to a structure or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_receive(
    device: *mut Device,
    payment: *const u8,
    length: usize,
    route: u32,
    now: u64,
    received: *mut Received,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        make(device, |inside| {
            let (payment, now, out) = (border::bytes(payment, length)?, moment(now)?, Out::optional(received)?);
            let route = match route {
                route if route == Route::Payer as u32 => WalletRoute::Payer,
                route if route == Route::Bank as u32 => WalletRoute::Bank,
                _ => return Err(Error::Argument.into()),
            };
            let taken = inside.terminal.open_device()?.receive(payment, route, now)?;
            out.into_iter().for_each(|out| {
                out.set(Received {
                    amount: taken.amount.minor(),
                    request: taken.request.0,
                    currency: CurrencyText::new(taken.currency),
                    repeated: taken.repeated,
                });
            });
            inside.outputs = vec![taken.receipt];
            Ok(())
        })
    }
}

/// Makes the receipt of a request that was paid once more: one output. `id`: the 16 bytes that name the request.
///
/// # Safety
/// `device` is open, `id` leads to 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_receipt_again(device: *mut Device, id: *const u8) -> Error {
    // SAFETY: as for this function.
    unsafe {
        make(device, |inside| {
            let id = RequestId(border::array(id)?);
            let receipt = inside.terminal.open_device()?.wallet().receipt(&id);
            inside.outputs = vec![receipt.ok_or_else(unknown_request)?];
            Ok(())
        })
    }
}

/// Takes a manifest or a page of the revocation list that another device passed on. `newer`: whether it is newer than
/// what was held; may be null.
///
/// # Safety
/// `device` is open, `message` leads to `length` bytes, `newer` to a `bool` or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_take_publication(
    device: *mut Device,
    message: *const u8,
    length: usize,
    newer: *mut bool,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let (message, out) = (border::bytes(message, length)?, Out::optional(newer)?);
            let update = inside.terminal.open_device()?.take_publication(message)?;
            out.into_iter().for_each(|out| out.set(update == Update::Newer));
            Ok(())
        })
    }
}

/// Gives what the bank published and this device holds, to be passed on: the manifest, of no bytes where it holds none,
/// and the pages of the revocation list, oldest first.
///
/// # Safety
/// `device` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_publications(device: *mut Device) -> Error {
    // SAFETY: as for this function.
    unsafe {
        make(device, |inside| {
            let wallet = inside.terminal.open_device()?.wallet();
            let held = core::iter::once(wallet.manifest().unwrap_or_default()).chain(wallet.revocation_pages(0));
            inside.outputs = held.map(<[u8]>::to_vec).collect();
            Ok(())
        })
    }
}

/// Gives what this device knows of double spends: one output for each, for the bank.
///
/// # Safety
/// `device` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_evidence(device: *mut Device) -> Error {
    // SAFETY: as for this function.
    unsafe {
        make(device, |inside| {
            inside.outputs = inside.terminal.open_device()?.wallet().evidence().map(<[u8]>::to_vec).collect();
            Ok(())
        })
    }
}

/// # Safety
/// Unless null, `terms` leads to a structure, and this to texts as long as it says.
unsafe fn read_terms(terms: *const Terms) -> Result<DeviceTerms, Fault> {
    // SAFETY: as for this function.
    let (terms, currency, memo) = unsafe {
        let terms = border::structure(terms)?;
        (terms, read_currency(terms.currency)?, border::text(terms.memo, terms.memo_length)?)
    };
    let memo = if memo.is_empty() { None } else { Some(Memo::new(memo).ok_or(Error::Argument)?) };
    Ok(DeviceTerms {
        currency,
        amount: Amount::new(terms.amount).ok_or(Error::Argument)?,
        valid_seconds: terms.valid_seconds,
        notes_max: terms.notes_max,
        memo,
    })
}

fn unknown_request() -> Fault {
    Fault::Failure(RequestError::Unknown.into())
}
