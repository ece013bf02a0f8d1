//! Paying: look, pay, hand over, file the receipt.

use alloc::vec;

use specie_core::encoding::Decode;
use specie_core::request::Request;
use specie_embedded::device::Paid as PaidMessages;
use specie_wallet::payment::{Form as WalletForm, Payee, PaymentId};

use crate::border::{self, Out};
use crate::error::{Error, Fault};
use crate::handle::{Device, make, moment, operate};
use crate::text::{CurrencyText, MemoText, NameText};

/// How a payment travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Form {
    /// With the points that make checking fast: for links.
    Extended = 0,
    /// As short as possible: for QR codes and paper.
    Compact = 1,
}

/// Who asks to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum PayeeKind {
    /// Somebody who does not say who they are.
    Unnamed = 0,
    /// Vouched for by a PSP of the manifest.
    Verified = 1,
    /// Says who it is, and that cannot be checked: do not rely on it.
    Unverifiable = 2,
}

/// What paying a request would do.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Preview {
    /// Names the payment: the hash of the request.
    pub id: [u8; 32],
    /// Minor units; there are no fees.
    pub amount: u64,
    /// Minor units that come back.
    pub change: u64,
    /// Unix seconds of the last moment at which the payee accepts it.
    pub expiry: u64,
    /// Notes that it takes.
    pub notes: u32,
    /// Who is paid: a `specie_payee_kind`.
    pub payee_kind: u32,
    /// In which currency.
    pub currency: CurrencyText,
    /// The payee's name, if it says.
    pub payee: NameText,
    /// The PSP that vouches for it, or is said to.
    pub psp: NameText,
    /// What it is for.
    pub memo: MemoText,
    /// Whether the supervisory authorities can read who pays: tell the owner before paying.
    pub disclosed: bool,
    /// Whether this request was paid, or planned to be, already: paying it again gives the same payment.
    pub repeated: bool,
}

/// A payment that was made.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Paid {
    /// Names the payment: the hash of the request that it answers.
    pub id: [u8; 32],
    /// Minor units.
    pub amount: u64,
    /// In which currency.
    pub currency: CurrencyText,
}

/// What paying `request` would do. Nothing is paid. `now`: unix seconds.
///
/// # Safety
/// `device` is open, `request` leads to `length` bytes, `preview` to a structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_preview(
    device: *mut Device,
    request: *const u8,
    length: usize,
    now: u64,
    preview: *mut Preview,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let (request, now, out) = (border::bytes(request, length)?, moment(now)?, Out::new(preview)?);
            let found = inside.terminal.open_device()?.preview(request, now)?;
            let (kind, payee, psp) = match found.payee {
                Payee::Unnamed => (PayeeKind::Unnamed, None, None),
                Payee::Verified { name, psp, .. } => (PayeeKind::Verified, Some(name), Some(psp)),
                Payee::Unverifiable { name, psp } => (PayeeKind::Unverifiable, Some(name), Some(psp)),
            };
            out.set(Preview {
                id: found.id.0,
                amount: found.amount.minor(),
                change: found.change.minor(),
                expiry: found.expiry.seconds(),
                notes: found.coins.len() as u32,
                payee_kind: kind as u32,
                currency: CurrencyText::new(found.currency),
                payee: NameText::new(payee),
                psp: NameText::new(psp),
                memo: MemoText::new(found.memo),
                disclosed: found.disclosed,
                repeated: found.repeated,
            });
            Ok(())
        })
    }
}

/// Pays `request` offline.
///
/// Its outputs are what to hand over, in order: manifest and pages of the revocation list where the payee may not know
/// the newest, and last the payment in extended form. They may be handed over any number of times. `now`: unix seconds.
/// `paid` may be null.
///
/// A request that was paid gets the same payment again. Where this fails and `specie_money_moved`, the same again
/// completes it. After a power cut too; `specie_resume` completes what was begun.
///
/// # Safety
/// `device` is open, `request` leads to `length` bytes, `paid` to a structure or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_pay(
    device: *mut Device,
    request: *const u8,
    length: usize,
    now: u64,
    paid: *mut Paid,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        make(device, |inside| {
            let (bytes, now, out) = (border::bytes(request, length)?, moment(now)?, Out::optional(paid)?);
            let device = inside.terminal.open_device()?;
            let PaidMessages { id, message, publications } = device.pay(bytes, now)?;
            inside.outputs = publications;
            inside.outputs.push(message);
            // It was read before it was paid.
            let body = Request::decode(bytes).map_err(|_| Error::Message)?.body;
            out.into_iter().for_each(|out| {
                let (amount, currency) = (body.amount.minor(), CurrencyText::new(body.currency));
                out.set(Paid { id: id.0, amount, currency });
            });
            Ok(())
        })
    }
}

/// Makes a payment once more, to be handed over again: one output. `id`: the 32 bytes that name it. `form`: a
/// `specie_form`.
///
/// # Safety
/// `device` is open, `id` leads to 32 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_payment_again(device: *mut Device, id: *const u8, form: u32) -> Error {
    // SAFETY: as for this function.
    unsafe {
        make(device, |inside| {
            let id: PaymentId = specie_core::bytes::Context(border::array(id)?);
            let form = match form {
                form if form == Form::Extended as u32 => WalletForm::Extended,
                form if form == Form::Compact as u32 => WalletForm::Compact,
                _ => return Err(Error::Argument.into()),
            };
            inside.outputs = vec![inside.terminal.open_device()?.payment_again(&id, form)?];
            Ok(())
        })
    }
}

/// Files the receipt of a payment. `id`: where the 32 bytes go that name the payment; may be null.
///
/// # Safety
/// `device` is open, `receipt` leads to `length` bytes, `id` to 32 bytes or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_take_receipt(
    device: *mut Device,
    receipt: *const u8,
    length: usize,
    id: *mut u8,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let (receipt, out) = (border::bytes(receipt, length)?, Out::optional(id.cast::<[u8; 32]>())?);
            let filed = inside.terminal.open_device()?.take_receipt(receipt)?;
            out.into_iter().for_each(|out| out.set(filed.0));
            Ok(())
        })
    }
}

/// Finishes what was under way when the power went off and needs nothing but the element. `specie_pay`,
/// `specie_request` and a synchronisation do it first, too. `now`: unix seconds. `steps`: where the number of things
/// goes that were done; may be null.
///
/// # Safety
/// `device` is open, `steps` leads to a `size_t` or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_resume(device: *mut Device, now: u64, steps: *mut usize) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let (now, out) = (moment(now)?, Out::optional(steps)?);
            let resumed = inside.terminal.open_device()?.resume(now)?;
            out.into_iter().for_each(|out| out.set(resumed.len()));
            Ok::<(), Fault>(())
        })
    }
}
