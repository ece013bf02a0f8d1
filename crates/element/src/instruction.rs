//! The numbers of the commands (docs/spec/element.md, first table), shared by the element and its host.

use crate::apdu::Header;

/// Class byte of the interindustry commands.
pub const INTERINDUSTRY: u8 = 0x00;
/// Class byte of Specie's own commands.
pub const SPECIE: u8 = 0x80;

/// Application identifier that SELECT names.
pub const AID: [u8; 8] = [0xF0, 0x53, 0x50, 0x45, 0x43, 0x49, 0x45, 0x01];

/// Version of the command set, answered by SELECT.
pub const VERSION: u8 = 1;

/// Most nonces that one NONCES hands out.
pub const MAX_NONCES: usize = 32;
/// Most hashes in a path of a manifest proof.
pub const MAX_PATH: usize = specie_core::merkle::PATH_LENGTH_MAX;
/// Most outputs of one transfer.
pub const MAX_OUTPUTS: usize = specie_core::transfer::OUTPUTS_MAX;
/// Longest PIN in bytes.
pub const MAX_PIN: usize = 12;
/// Shortest PIN in bytes.
pub const MIN_PIN: usize = 4;
/// Bytes of a PUK.
pub const PUK: usize = 8;
/// Most bytes of device information in an enrolment.
pub const MAX_DEVICE_INFO: usize = specie_core::enrolment::DEVICE_INFO_LENGTH_MAX;
/// Longest certificate in bytes.
pub const MAX_CERTIFICATE: usize = specie_core::enrolment::CERTIFICATE_LENGTH_MAX;
/// Bytes of the answer to MANDATE with P1 1.
pub const MANDATE_USE_LENGTH: usize = 32;
/// Bytes of the answer to STATUS.
pub const STATUS_LENGTH: usize = 86;
/// Bytes of the answer to TOTALS.
pub const TOTALS_LENGTH: usize = 216;

const fn interindustry(ins: u8, p1: u8) -> Header {
    Header { cla: INTERINDUSTRY, ins, p1, p2: 0 }
}

const fn specie(ins: u8) -> Header {
    Header { cla: SPECIE, ins, p1: 0, p2: 0 }
}

/// SELECT.
pub const SELECT: Header = interindustry(0xA4, 0x04);
/// VERIFY.
pub const VERIFY: Header = interindustry(0x20, 0);
/// CHANGE PIN.
pub const CHANGE_PIN: Header = interindustry(0x24, 0);
/// UNBLOCK.
pub const UNBLOCK: Header = interindustry(0x2C, 0);
/// GENERATE.
pub const GENERATE: Header = specie(0x10);
/// PERSONALISE.
pub const PERSONALISE: Header = specie(0x12);
/// IDENTITY.
pub const IDENTITY: Header = specie(0x14);
/// ENROL.
pub const ENROL: Header = specie(0x16);
/// SIGN REQUEST of a device; a payee's has P1 1, a device's under a mandate 2.
pub const SIGN_REQUEST: Header = specie(0x18);
/// NONCES.
pub const NONCES: Header = specie(0x20);
/// MANIFEST.
pub const MANIFEST: Header = specie(0x22);
/// CLASS.
pub const CLASS: Header = specie(0x24);
/// REGISTER.
pub const REGISTER: Header = specie(0x26);
/// OWNER TAG.
pub const OWNER_TAG: Header = specie(0x28);
/// RELEASE.
pub const RELEASE: Header = specie(0x2A);
/// SPEND; under a mandate it has P1 1.
pub const SPEND: Header = specie(0x2C);
/// FORGET.
pub const FORGET: Header = specie(0x2E);
/// LIMITS.
pub const LIMITS: Header = specie(0x30);
/// MANDATE; with P1 1 it asks what is used of one.
pub const MANDATE: Header = specie(0x36);
/// STATUS.
pub const STATUS: Header = specie(0x32);
/// WIPE if nothing is held; even so has P1 1.
pub const WIPE: Header = specie(0x34);
/// TOTALS.
pub const TOTALS: Header = specie(0x40);

/// All of them; first those that somebody waits for while paying, since they are looked up one after the other.
pub const ALL: [Header; 22] = [
    SPEND,
    STATUS,
    SELECT,
    VERIFY,
    CHANGE_PIN,
    UNBLOCK,
    GENERATE,
    PERSONALISE,
    IDENTITY,
    ENROL,
    SIGN_REQUEST,
    NONCES,
    MANIFEST,
    CLASS,
    REGISTER,
    OWNER_TAG,
    RELEASE,
    FORGET,
    LIMITS,
    MANDATE,
    WIPE,
    TOTALS,
];

/// Where an element stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LifeCycle {
    /// Nothing generated yet.
    Factory = 1,
    /// Keys drawn, waiting for the maker's certificate.
    Generated = 2,
    /// In use.
    Personalised = 3,
    /// Wiped, for ever.
    Wiped = 4,
}

impl LifeCycle {
    /// The life cycle that a byte names.
    pub const fn from_u8(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Factory),
            2 => Some(Self::Generated),
            3 => Some(Self::Personalised),
            4 => Some(Self::Wiped),
            _ => None,
        }
    }
}

/// What a signature of SIGN REQUEST is for; each purpose signs under a tag of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// A request of the device to its PSP.
    DeviceRequest = 0,
    /// A payment request of a payee.
    Payee = 1,
    /// A request of the device to its PSP under a mandate, with nobody there.
    MandatedRequest = 2,
}

impl Purpose {
    /// The purpose of a P1 that is known.
    pub(crate) const fn from_u8(byte: u8) -> Self {
        match byte {
            0 => Self::DeviceRequest,
            1 => Self::Payee,
            _ => Self::MandatedRequest,
        }
    }
}
