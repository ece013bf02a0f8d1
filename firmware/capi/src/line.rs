//! Serial lines: to the other device, which pays or is paid, and to the owner.

use core::ffi::c_char;

use specie_core::Amount;
use specie_embedded::peer::Event as PeerEvent;
use specie_wallet::request::{RequestId, RequestState};

use crate::border::{self, Buffer, Out};
use crate::error::{Error, Fault};
use crate::handle::{Device, Inside, moment, operate};
use crate::looks::read_currency;
use crate::text::CodeText;
use crate::work::is_idle;

/// What happened on the line to the other device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum EventKind {
    /// Something that this version of the interface has no number for.
    Other = 0,
    /// A payment was made and is on its way: `payment`, `amount`.
    Paid = 1,
    /// The payee gave the receipt: `payment`.
    Delivered = 2,
    /// A payment was received: `request`, `amount`.
    Received = 3,
    /// The other device does not go on: `code` is the reason that it gave.
    Refused = 4,
    /// What the other device sent was not taken: `code`, and `specie_failure` has the reason in full.
    Failed = 5,
}

/// Something that happened on the line to the other device.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Event {
    /// Minor units.
    pub amount: u64,
    /// What happened: a `specie_event_kind`. It says which of the other fields count.
    pub kind: u32,
    /// Names a payment.
    pub payment: [u8; 32],
    /// Names a request of this device.
    pub request: [u8; 16],
    /// Why.
    pub code: CodeText,
}

/// Tells what time it is: `now` unix seconds, `ms` milliseconds after power-up. The functions of the lines count on
/// from there. Without it, a device knows of the time what is signed.
///
/// # Safety
/// `device` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_set_time(device: *mut Device, now: u64, ms: u64) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            inside.terminal.set_time(moment(now)?, ms);
            Ok(())
        })
    }
}

/// Takes bytes that came from the other device, in any pieces: a byte at a time, or many. What they ask for is done
/// before this returns. `ms`: milliseconds since power-up.
///
/// # Safety
/// `device` is open, `bytes` leads to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_peer_feed(device: *mut Device, bytes: *const u8, length: usize, ms: u64) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            border::bytes(bytes, length)?.iter().for_each(|byte| inside.terminal.peer_byte(*byte, ms));
            Ok(())
        })
    }
}

/// Gives bytes to send to the other device, as many as there are and the buffer takes; `length`: how many. They count
/// as sent, so take no more than the line takes. Messages that are lost are sent again.
///
/// # Safety
/// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_peer_take(
    device: *mut Device,
    buffer: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let buffer = Buffer::new(buffer, capacity, length)?;
            let pending = inside.terminal.peer_pending();
            let taken = pending.len().min(buffer.capacity());
            buffer.fill(&pending[..taken])?;
            inside.terminal.peer_sent(taken);
            Ok(())
        })
    }
}

/// Takes bytes that came from the owner, whose line and commands `docs/spec/links.md` describes. `ms`: milliseconds
/// since power-up. A program whose owner has other ways to say what to do needs no such line.
///
/// `SPECIE_ERROR_UNDER_WAY`: what `specie_enrol` or `specie_synchronise` began is not over; no byte was taken.
///
/// # Safety
/// `device` is open, `bytes` leads to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_owner_feed(device: *mut Device, bytes: *const u8, length: usize, ms: u64) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let bytes = border::bytes(bytes, length)?;
            if !is_idle(inside) {
                return Err(Error::UnderWay.into());
            }
            bytes.iter().for_each(|byte| inside.terminal.owner_byte(*byte, ms));
            Ok(())
        })
    }
}

/// Gives bytes to send to the owner, as `specie_peer_take` does.
///
/// # Safety
/// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_owner_take(
    device: *mut Device,
    buffer: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let buffer = Buffer::new(buffer, capacity, length)?;
            let pending = inside.terminal.owner_pending();
            let taken = pending.len().min(buffer.capacity());
            buffer.fill(&pending[..taken])?;
            inside.terminal.owner_sent(taken);
            Ok(())
        })
    }
}

/// Does what is due without being asked: messages that were not answered are sent again, requests offered. Call it
/// several times a second. `ms`: milliseconds since power-up.
///
/// # Safety
/// `device` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_poll(device: *mut Device, ms: u64) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            inside.terminal.poll(ms);
            Ok(())
        })
    }
}

/// Offers a request on the line to the other device until it is paid or expires. `id`: the 16 bytes that name it.
/// `now`: unix seconds.
///
/// # Safety
/// `device` is open, `id` leads to 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_peer_offer(device: *mut Device, id: *const u8, now: u64) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let (id, now) = (RequestId(border::array(id)?), moment(now)?);
            let state = inside.terminal.open_device()?.wallet().request_state(&id, now);
            if state != Some(RequestState::Open) {
                return Err(Error::Nothing.into());
            }
            inside.terminal.peer().offer(id);
            Ok(())
        })
    }
}

/// Pays the next request that comes on the line to the other device, if it asks for at most `limit` minor units of
/// `currency`: three capital letters, no zero needed.
///
/// # Safety
/// `device` is open, `currency` leads to 3 characters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_peer_pay_next(device: *mut Device, currency: *const c_char, limit: u64) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let (currency, limit) = (read_currency(currency)?, Amount::new(limit).ok_or(Error::Argument)?);
            inside.terminal.open_device()?;
            inside.terminal.peer().pay_next(currency, limit);
            Ok(())
        })
    }
}

/// Neither pays nor offers anything on the line to the other device any more; a request that was offered is withdrawn.
///
/// # Safety
/// `device` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_peer_stop(device: *mut Device) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            if let Some(request) = inside.terminal.peer().stop() {
                inside.terminal.open_device()?.cancel_request(&request)?;
            }
            Ok(())
        })
    }
}

/// Takes something that happened on the line to the other device, the oldest first. What is not taken before the next
/// `specie_poll` is for the owner's line. `SPECIE_ERROR_NOTHING`: nothing happened.
///
/// # Safety
/// `device` is open, `event` leads to a structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_peer_event(device: *mut Device, event: *mut Event) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let out = Out::new(event)?;
            let happened = inside.terminal.peer().event().ok_or(Fault::Border(Error::Nothing))?;
            out.set(told(inside, happened));
            Ok(())
        })
    }
}

fn told(inside: &mut Inside, event: PeerEvent) -> Event {
    let mut told =
        Event { amount: 0, kind: EventKind::Other as u32, payment: [0; 32], request: [0; 16], code: CodeText::NONE };
    match event {
        PeerEvent::Paid { id, amount } => {
            (told.kind, told.payment, told.amount) = (EventKind::Paid as u32, id.0, amount.minor());
        }
        PeerEvent::Delivered(id) => (told.kind, told.payment) = (EventKind::Delivered as u32, id.0),
        PeerEvent::Received { request, amount } => {
            (told.kind, told.request, told.amount) = (EventKind::Received as u32, request.0, amount.minor());
        }
        PeerEvent::Refused(code) => (told.kind, told.code) = (EventKind::Refused as u32, CodeText::new(&code)),
        PeerEvent::Failed(failure) => {
            (told.kind, told.code) = (EventKind::Failed as u32, CodeText::new(failure.code.as_bytes()));
            inside.failure = failure;
        }
        _ => {}
    }
    told
}
