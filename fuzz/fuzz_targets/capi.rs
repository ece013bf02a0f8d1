//! Whatever a program in C calls, with whatever bytes: an error code comes back, and the flash holds a wallet as before.
#![no_main]

use core::ffi::c_char;
use core::ptr;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use specie_capi::error::Error;
use specie_capi::handle::{Device, specie_failure, specie_output, specie_output_count};
use specie_capi::life::{specie_check, specie_pin};
use specie_capi::line::{
    Event, specie_owner_feed, specie_owner_take, specie_peer_event, specie_peer_feed, specie_peer_offer,
    specie_peer_pay_next, specie_peer_stop, specie_peer_take, specie_poll, specie_set_time,
};
use specie_capi::looks::{Balance, Status, specie_balance, specie_history_at, specie_open_request_at, specie_status};
use specie_capi::paying::{specie_pay, specie_payment_again, specie_preview, specie_resume, specie_take_receipt};
use specie_capi::receiving::{
    Terms, specie_cancel_request, specie_evidence, specie_publications, specie_receive, specie_request,
    specie_request_again, specie_take_publication,
};
use specie_capi::verification::specie_verify_payment;
use specie_capi::work::{
    Keep, specie_answer, specie_enrol, specie_errand, specie_give_up, specie_next, specie_report, specie_synchronise,
};
use specie_fuzz::board::Board;

/// A call, with what C hands over.
#[derive(Arbitrary, Debug)]
enum Call {
    Check,
    Pin(Vec<u8>),
    Look { now: u64, currency: [u8; 3], index: u8 },
    Request { amount: u64, valid: u64, currency: [u8; 3], memo: Vec<u8>, notes: u8, now: u64 },
    OfRequest { id: [u8; 16], open: bool, what: u8 },
    Message { bytes: Vec<u8>, what: u8, number: u32, now: u64 },
    Verify { manifest: Vec<u8>, payment: Vec<u8>, request: Option<Vec<u8>>, now: u64 },
    Peer { bytes: Vec<u8>, take: u8, ms: u64 },
    Owner { bytes: Vec<u8>, take: u8, ms: u64 },
    Line { now: u64, ms: u64, limit: u64, what: u8 },
    Enrol { customer: Vec<u8>, code: Vec<u8> },
    Synchronise { value: u64, cap: u64, blanks: u16 },
    Next { now: u64, part: u32, capacity: u8 },
    Answer { status: u16, body: Vec<u8>, now: u64 },
    Output { index: u8, capacity: u8 },
    GiveUp,
    FailAfter(u8),
    Restart,
}

fuzz_target!(|input: (u8, Vec<Call>)| {
    let (moment, calls) = input;
    let mut board = Board::new(moment);
    for call in &calls {
        match call {
            Call::FailAfter(operations) => board.fail_after(u32::from(*operations)),
            Call::Restart => board.restart(),
            call => {
                let answered = make(board.device(), call);
                assert_ne!(answered, Error::Broken, "{call:?}");
                check_failure(board.device());
            }
        }
    }
    board.restart();
});

fn make(device: *mut Device, call: &Call) -> Error {
    let mut buffer = [0; 256];
    let mut length = 0;
    // SAFETY: the device is open; what is pointed to is there, and as long as is said.
    unsafe {
        match call {
            Call::Check => specie_check(device),
            Call::Pin(pin) => specie_pin(device, pin.as_ptr(), pin.len()),
            Call::Look { now, currency, index } => {
                let (mut status, mut balance, mut entry) = (room::<Status>(), room::<Balance>(), room());
                specie_status(device, *now, status.as_mut_ptr());
                specie_history_at(device, usize::from(*index), entry.as_mut_ptr());
                specie_publications(device);
                specie_evidence(device);
                specie_balance(device, currency.as_ptr().cast::<c_char>(), *now, balance.as_mut_ptr())
            }
            Call::Request { amount, valid, currency, memo, notes, now } => {
                let terms = Terms {
                    amount: *amount,
                    valid_seconds: *valid,
                    currency: currency.as_ptr().cast(),
                    memo: memo.as_ptr().cast(),
                    memo_length: memo.len(),
                    notes_max: *notes,
                };
                specie_request(device, &raw const terms, *now, ptr::null_mut())
            }
            Call::OfRequest { id, open, what } => {
                let mut id = *id;
                if *open {
                    specie_open_request_at(device, 0, 1, id.as_mut_ptr());
                }
                match what % 3 {
                    0 => specie_request_again(device, id.as_ptr()),
                    1 => specie_cancel_request(device, id.as_ptr()),
                    _ => specie_peer_offer(device, id.as_ptr(), 1),
                }
            }
            Call::Message { bytes, what, number, now } => {
                let (message, length) = (bytes.as_ptr(), bytes.len());
                match what % 6 {
                    0 => specie_pay(device, message, length, *now, ptr::null_mut()),
                    1 => specie_receive(device, message, length, *number % 3, *now, ptr::null_mut()),
                    2 => specie_take_receipt(device, message, length, ptr::null_mut()),
                    3 => specie_take_publication(device, message, length, ptr::null_mut()),
                    4 => specie_preview(device, message, length, *now, room().as_mut_ptr()),
                    _ => specie_payment_again(device, [7; 32].as_ptr(), *number),
                }
            }
            Call::Verify { manifest, payment, request, now } => {
                let (root, request_length) = ([2; 32], request.as_ref().map_or(0, Vec::len));
                specie_verify_payment(
                    root.as_ptr(),
                    manifest.as_ptr(),
                    manifest.len(),
                    payment.as_ptr(),
                    payment.len(),
                    request.as_ref().map_or(ptr::null(), |request| request.as_ptr()),
                    request_length,
                    *now,
                    room().as_mut_ptr(),
                )
            }
            Call::Peer { bytes, take, ms } => {
                specie_peer_feed(device, bytes.as_ptr(), bytes.len(), *ms);
                let mut event = room::<Event>();
                specie_peer_event(device, event.as_mut_ptr());
                specie_peer_take(device, buffer.as_mut_ptr(), usize::from(*take), &raw mut length)
            }
            Call::Owner { bytes, take, ms } => {
                specie_owner_feed(device, bytes.as_ptr(), bytes.len(), *ms);
                specie_owner_take(device, buffer.as_mut_ptr(), usize::from(*take), &raw mut length)
            }
            Call::Line { now, ms, limit, what } => match what % 5 {
                0 => specie_set_time(device, *now, *ms),
                1 => specie_peer_pay_next(device, c"XTS".as_ptr(), *limit),
                2 => specie_peer_stop(device),
                3 => specie_resume(device, *now, ptr::null_mut()),
                _ => specie_poll(device, *ms),
            },
            Call::Enrol { customer, code } => {
                specie_enrol(device, customer.as_ptr().cast(), customer.len(), code.as_ptr().cast(), code.len())
            }
            Call::Synchronise { value, cap, blanks } => {
                let keep = Keep { value: *value, blank_cap: *cap, blanks: *blanks };
                specie_synchronise(device, &raw const keep)
            }
            Call::Next { now, part, capacity } => {
                let mut next = 0;
                specie_next(device, *now, &raw mut next);
                let (capacity, part) = (usize::from(*capacity), *part % 5);
                specie_errand(device, part, buffer.as_mut_ptr(), capacity, &raw mut length)
            }
            Call::Answer { status, body, now } => {
                specie_answer(device, *status, body.as_ptr(), body.len(), *now);
                specie_report(device, room().as_mut_ptr())
            }
            Call::Output { index, capacity } => {
                let mut count = 0;
                specie_output_count(device, &raw mut count);
                let (index, capacity) = (usize::from(*index), usize::from(*capacity));
                let copied = specie_output(device, index, buffer.as_mut_ptr(), capacity, &raw mut length);
                assert_eq!(copied == Error::Nothing, index >= count);
                assert_eq!(copied == Error::Capacity, index < count && length > capacity);
                copied
            }
            Call::GiveUp => specie_give_up(device),
            Call::FailAfter(_) | Call::Restart => Error::Ok,
        }
    }
}

/// Room for a structure that the library may write.
fn room<T>() -> core::mem::MaybeUninit<T> {
    core::mem::MaybeUninit::uninit()
}

/// What is told of a failure is text.
fn check_failure(device: *mut Device) {
    for part in 0..3 {
        let (mut text, mut length) = ([0; 1024], 0);
        // SAFETY: the device is open, the buffer there.
        let told = unsafe { specie_failure(device, part, text.as_mut_ptr(), text.len(), &raw mut length) };
        assert!(matches!(told, Error::Ok | Error::Capacity));
        assert!(told != Error::Ok || core::str::from_utf8(&text[..length]).is_ok());
    }
}
