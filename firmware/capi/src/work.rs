//! What needs the PSP: enrolling and synchronising, as errands that the program carries.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ffi::c_char;

use specie_core::Amount;
use specie_embedded::enrolment::Enrolment;
use specie_embedded::errand::{Answer, Errand};
use specie_embedded::synchronisation::{Keep as DeviceKeep, Next, Report as DeviceReport, Synchronisation};

use crate::border::{self, Buffer, Out};
use crate::error::{Error, Fault};
use crate::handle::{Device, Inside, look, moment, operate};

/// What to have in the wallet after a synchronisation.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Keep {
    /// Minor units to be able to spend offline.
    pub value: u64,
    /// What each blank may at least own, in minor units; 0: as much as the PSP's ration allows.
    pub blank_cap: u64,
    /// How many free blanks, as far as the PSP's ration allows: as many notes can be received then.
    pub blanks: u16,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum NextKind {
    /// It is over: `specie_report` tells what a synchronisation did.
    Done = 0,
    /// Take an errand to the PSP, and its answer to `specie_answer`.
    Errand = 1,
}

/// A part of an errand, for `specie_errand`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ErrandPart {
    /// The method: `GET` or `POST`.
    Method = 0,
    /// Path and query, beginning with `/`.
    Target = 1,
    /// The headers, each as `name: value` with carriage return and line feed. `Host`, `Content-Length` and what else
    /// the connection needs is for the program to add.
    Headers = 2,
    /// The body: JSON, or nothing for `GET`.
    Body = 3,
}

/// What a synchronisation did.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Report {
    /// Minor units credited to the account.
    pub redeemed: u64,
    /// Minor units that the account holds, if `account_known`.
    pub account_balance: u64,
    /// Payments that the bank keeps for their payees from now on.
    pub uploaded: u32,
    /// Payments that were fetched from the bank.
    pub claimed: u32,
    /// Notes and blanks that were withdrawn.
    pub withdrawn: u32,
    /// Coins that the bank refused for good: see `specie_report_refused`.
    pub refused: u32,
    /// Parts that did not work out, while the others did: see `specie_report_failure`.
    pub failures: u32,
    /// Whether the PSP told what the account holds.
    pub account_known: bool,
}

/// What needs the PSP, begun by a call.
pub(crate) enum Work {
    None,
    Enrolment(Box<Enrolment>, Option<Errand>),
    Synchronisation(Box<Synchronisation>, Option<Errand>),
    /// A synchronisation that is over.
    Report(Box<DeviceReport>),
}

/// Begins to enrol the device for `customer` with the claim code that the PSP gave out, both in UTF-8. After a break,
/// the same again goes on. `specie_next` and `specie_answer` take it to its end.
///
/// `SPECIE_ERROR_UNDER_WAY`: something else is under way, on the owner's line perhaps.
///
/// # Safety
/// `device` is open, `customer` and `claim_code` lead to as many bytes as is said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_enrol(
    device: *mut Device,
    customer: *const c_char,
    customer_length: usize,
    claim_code: *const c_char,
    claim_code_length: usize,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let customer = border::text(customer, customer_length)?;
            let claim_code = border::text(claim_code, claim_code_length)?;
            check_idle(inside)?;
            let enrolment = Enrolment::new(inside.terminal.open_device()?, customer, claim_code)?;
            inside.work = Work::Enrolment(Box::new(enrolment), None);
            Ok(())
        })
    }
}

/// Begins to synchronise: the newest publications, what was not delivered, what was received, renewal, new notes and
/// blanks. `keep`: what to have in the wallet afterwards. `specie_next` and `specie_answer` take it to its end. Every
/// part stands on its own: what a break leaves undone, the next synchronisation does.
///
/// `SPECIE_ERROR_UNDER_WAY`: something else is under way, on the owner's line perhaps.
///
/// # Safety
/// `device` is open, `keep` leads to a structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_synchronise(device: *mut Device, keep: *const Keep) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let keep = border::structure(keep)?;
            check_idle(inside)?;
            inside.terminal.open_device()?;
            let blank_cap = Amount::new(keep.blank_cap).ok_or(Error::Argument)?;
            let keep = DeviceKeep {
                value: Amount::new(keep.value).ok_or(Error::Argument)?,
                blanks: keep.blanks,
                blank_cap: Some(blank_cap).filter(|cap| !cap.is_zero()),
            };
            inside.work = Work::Synchronisation(Box::new(Synchronisation::new(keep)), None);
            Ok(())
        })
    }
}

/// Goes on with what was begun by `specie_enrol` or `specie_synchronise`. `now`: unix seconds. `next`: where a
/// `specie_next_kind` goes.
///
/// After an errand, `specie_errand` has its parts until the next call of this function. Asked again before the errand
/// was answered, this gives another errand; nothing is lost by it. Once it is over, `SPECIE_ERROR_NOTHING`. An
/// enrolment that fails is over; begin it again.
///
/// # Safety
/// `device` is open, `next` leads to an `uint32_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_next(device: *mut Device, now: u64, next: *mut u32) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let (now, out) = (moment(now)?, Out::new(next)?);
            let device = inside.terminal.open_device()?;
            let kind = match &mut inside.work {
                Work::None | Work::Report(_) => return Err(Error::Nothing.into()),
                Work::Enrolment(enrolment, errand) => match enrolment.next(device) {
                    Ok(Some(next)) => {
                        *errand = Some(next);
                        NextKind::Errand
                    }
                    Ok(None) => {
                        inside.work = Work::None;
                        NextKind::Done
                    }
                    Err(failure) => {
                        inside.work = Work::None;
                        return Err(failure.into());
                    }
                },
                Work::Synchronisation(synchronisation, errand) => match synchronisation.next(device, now) {
                    Next::Errand(next) => {
                        *errand = Some(next);
                        NextKind::Errand
                    }
                    Next::Done(report) => {
                        inside.work = Work::Report(Box::new(report));
                        NextKind::Done
                    }
                },
            };
            out.set(kind as u32);
            Ok(())
        })
    }
}

/// Copies a part of the errand that `specie_next` gave: `part` is a `specie_errand_part`. It is a whole HTTP request,
/// made and signed by the device: whoever carries it to the PSP can lose or repeat it, and change nothing.
/// `SPECIE_ERROR_NOTHING`: there is no errand. `buffer`, `capacity`, `length`: as in `specie_output`.
///
/// # Safety
/// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_errand(
    device: *const Device,
    part: u32,
    buffer: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        look(device, |inside| {
            let buffer = Buffer::new(buffer, capacity, length)?;
            let (Work::Enrolment(_, Some(errand)) | Work::Synchronisation(_, Some(errand))) = &inside.work else {
                return Err(Error::Nothing);
            };
            match part {
                part if part == ErrandPart::Method as u32 => buffer.fill(errand.method.as_bytes()),
                part if part == ErrandPart::Target as u32 => buffer.fill(errand.target.as_bytes()),
                part if part == ErrandPart::Headers as u32 => buffer.fill(&headers(errand)),
                part if part == ErrandPart::Body as u32 => buffer.fill(&errand.body),
                _ => Err(Error::Argument),
            }
        })
    }
}

/// Takes the answer to the errand that `specie_next` gave last. `status`: of HTTP; 0: the PSP was not reached, or did
/// not answer. `body`: what it answered. `now`: unix seconds.
///
/// A synchronisation notes what does not work out in its report; an enrolment is over then, and this fails.
/// `SPECIE_ERROR_NOTHING`: there is no errand that waits for an answer.
///
/// # Safety
/// `device` is open, `body` leads to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_answer(
    device: *mut Device,
    status: u16,
    body: *const u8,
    length: usize,
    now: u64,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            let answer = Answer { status, body: border::bytes(body, length)? };
            let now = moment(now)?;
            let device = inside.terminal.open_device()?;
            match &mut inside.work {
                Work::Enrolment(enrolment, errand @ Some(_)) => {
                    *errand = None;
                    enrolment.answer(device, &answer).inspect_err(|_| inside.work = Work::None)?;
                }
                Work::Synchronisation(synchronisation, errand @ Some(_)) => {
                    *errand = None;
                    synchronisation.answer(device, &answer, now);
                }
                _ => return Err(Error::Nothing.into()),
            }
            Ok(())
        })
    }
}

/// Gives up what `specie_enrol` or `specie_synchronise` began, or drops its report. What was done stays done, and the
/// same begun again goes on.
///
/// # Safety
/// `device` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_give_up(device: *mut Device) -> Error {
    // SAFETY: as for this function.
    unsafe {
        operate(device, |inside| {
            inside.work = Work::None;
            Ok(())
        })
    }
}

/// Tells what the synchronisation did that is over, until another is begun. `SPECIE_ERROR_NOTHING`: there is none.
///
/// # Safety
/// `device` is open, `report` leads to a structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_report(device: *const Device, report: *mut Report) -> Error {
    // SAFETY: as for this function.
    unsafe {
        look(device, |inside| {
            let out = Out::new(report)?;
            let done = report_of(inside)?;
            out.set(Report {
                redeemed: done.redeemed,
                account_balance: done.account_balance.unwrap_or(0),
                uploaded: done.uploaded,
                claimed: done.claimed,
                withdrawn: done.withdrawn,
                refused: done.refused.len() as u32,
                failures: done.failures.len() as u32,
                account_known: done.account_balance.is_some(),
            });
            Ok(())
        })
    }
}

/// Lets `specie_failure` and `specie_money_moved` tell of a part of the synchronisation that did not work out; `index`
/// is counted from zero. `SPECIE_ERROR_NOTHING`: there is none at this index.
///
/// # Safety
/// `device` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_report_failure(device: *mut Device, index: usize) -> Error {
    // SAFETY: as for this function.
    unsafe {
        look(device, |inside| {
            inside.failure = report_of(inside)?.failures.get(index).ok_or(Error::Nothing)?.clone();
            Ok(())
        })
    }
}

/// Tells the bank's code for a coin that it refused for good, as text; `index` from 0. `SPECIE_ERROR_NOTHING`: there is
/// none at this index. `buffer`, `capacity`, `length`: as in `specie_output`.
///
/// # Safety
/// `device` is open, `buffer` leads to `capacity` bytes, `length` to a `size_t`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn specie_report_refused(
    device: *const Device,
    index: usize,
    buffer: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> Error {
    // SAFETY: as for this function.
    unsafe {
        look(device, |inside| {
            let buffer = Buffer::new(buffer, capacity, length)?;
            let (_, code) = report_of(inside)?.refused.get(index).ok_or(Error::Nothing)?;
            buffer.fill(code.as_bytes())
        })
    }
}

/// Whether nothing is under way that a call began.
pub(crate) fn is_idle(inside: &Inside) -> bool {
    matches!(inside.work, Work::None | Work::Report(_))
}

fn check_idle(inside: &Inside) -> Result<(), Fault> {
    if is_idle(inside) && !inside.terminal.is_working() { Ok(()) } else { Err(Error::UnderWay.into()) }
}

fn report_of(inside: &Inside) -> Result<&DeviceReport, Error> {
    match &inside.work {
        Work::Report(report) => Ok(report),
        _ => Err(Error::Nothing),
    }
}

fn headers(errand: &Errand) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in &errand.headers {
        lines.extend_from_slice(name.as_bytes());
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value.as_bytes());
        lines.extend_from_slice(b"\r\n");
    }
    lines
}
