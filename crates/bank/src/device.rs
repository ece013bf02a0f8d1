//! Devices: the bank knows their identities `U` and which PSP vouches for them, and nothing else.

use specie_audit::{Actor, Kind};
use specie_core::amount::Timestamp;
use specie_core::group::{RistrettoPoint, decode_point};
use specie_core::text::Name;
use thiserror::Error;

use crate::audit::{self, hex};
use crate::psp::{self, PspError};
use crate::storage::{StorageError, Tx, View};

/// A registered device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeviceRecord {
    /// `U`, encoded.
    pub identity: [u8; 32],
    /// The PSP that enrolled it.
    pub psp: Name,
    /// When.
    pub registered_at: Timestamp,
    /// When it was struck off, and by the evidence of which sequence.
    pub struck_off: Option<(Timestamp, u64)>,
}

/// Why a device is not served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// `U` is no canonical point, or the neutral one.
    #[error("this is no device's identity: enrol the device anew")]
    Invalid,
    /// `U` is registered already, by this PSP or another.
    #[error("this device is registered already: enrol another element")]
    Known,
    /// This PSP has not registered it.
    #[error("this PSP has not registered the device: register it first")]
    Unregistered,
    /// It was struck off for double spending.
    #[error("the device is struck off for double spending")]
    StruckOff,
    /// The PSP is not registered itself.
    #[error(transparent)]
    Psp(#[from] PspError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Registers the device `U` of `psp`.
///
/// # Errors
/// When `U` is no identity, was ever registered before, or was convicted before anybody registered it.
pub fn register(tx: &mut dyn Tx, psp: &Name, identity: &[u8; 32], now: Timestamp) -> Result<(), DeviceError> {
    psp::known(tx, psp)?;
    point(identity)?;
    if tx.is_convicted(identity)? {
        return Err(DeviceError::StruckOff);
    }
    let device = DeviceRecord { identity: *identity, psp: *psp, registered_at: now, struck_off: None };
    if !tx.insert_device(&device)? {
        return Err(DeviceError::Known);
    }
    let details = [("psp", psp.as_str())];
    Ok(audit::append(tx, Actor::service(), now, Kind::DeviceRegistered, &hex(identity), &details)?)
}

/// `U` as a point, for a device that `psp` registered and that is not struck off.
pub(crate) fn in_good_standing(
    view: &mut (impl View + ?Sized),
    psp: &Name,
    identity: &[u8; 32],
) -> Result<RistrettoPoint, DeviceError> {
    let device = view.device(identity)?.filter(|device| device.psp == *psp).ok_or(DeviceError::Unregistered)?;
    if device.struck_off.is_some() { Err(DeviceError::StruckOff) } else { point(identity) }
}

/// `U` as a point, for a device that `psp` registered, whatever it did: what it held is its owner's.
pub(crate) fn registered(
    view: &mut (impl View + ?Sized),
    psp: &Name,
    identity: &[u8; 32],
) -> Result<RistrettoPoint, DeviceError> {
    view.device(identity)?.filter(|device| device.psp == *psp).ok_or(DeviceError::Unregistered)?;
    point(identity)
}

fn point(identity: &[u8; 32]) -> Result<RistrettoPoint, DeviceError> {
    let decoded = decode_point(identity).map_err(|_| DeviceError::Invalid)?;
    if decoded == RistrettoPoint::default() { Err(DeviceError::Invalid) } else { Ok(decoded) }
}
