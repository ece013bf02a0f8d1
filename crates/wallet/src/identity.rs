//! Who the device is: its element's keys, and the account at the PSP where it is enrolled.

use alloc::vec::Vec;

use specie_core::attestation::{Claims, Token};
use specie_core::encoding::{Decode, DecodeError, Encode};
use specie_core::enrolment::{Certificate, Enrolment, Proof};
use specie_core::group::{RistrettoPoint, decode_point};
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_element::client;

use crate::element::{Element, ElementFault};
use crate::record::{Changes, Fields, ReadField, Table, read};
use crate::step::Step;
use crate::wallet::{LoadError, Wallet};

/// Version of the records.
const VERSION: u64 = 1;

/// Where the device is enrolled, and so where its money goes when it is redeemed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    /// The PSP's name, as in the manifest.
    pub psp: Name,
    /// The account at the PSP.
    pub account: Name,
}

/// What does not change about a wallet, and where it is enrolled.
pub(crate) struct Identity {
    pub(crate) root: PublicKey,
    pub(crate) certificate: Certificate,
    /// `U`, decoded.
    pub(crate) U: RistrettoPoint,
    pub(crate) account: Option<Account>,
}

impl Identity {
    pub(crate) fn of_element(root: PublicKey, element: &mut impl Element) -> Result<Self, ElementFault> {
        let answer = client::identity(element)?;
        let certificate = Certificate::decode(answer.as_bytes()).map_err(|_| ElementFault::Nonsense)?;
        let U = decode_point(&certificate.body.U).map_err(|_| ElementFault::Nonsense)?;
        Ok(Self { root, certificate, U, account: None })
    }

    pub(crate) fn store(&self, changes: &mut Changes) {
        let record = Fields::new(4, 512)
            .uint(VERSION)
            .bytes(&self.root.0)
            .bytes(&self.certificate.to_vec())
            .optional(self.account, |fields, account| {
                fields.array(2).text(account.psp.as_str()).text(account.account.as_str())
            })
            .done();
        changes.put(Table::Identity, &[], record);
    }

    pub(crate) fn load(record: &[u8]) -> Result<Self, LoadError> {
        let damaged = |_| LoadError::Damaged(Table::Identity.key(&[]));
        let identity = read(record, 4, |r| {
            let version = r.uint()?;
            if version != VERSION {
                return Ok(Err(version));
            }
            let root = PublicKey(r.bytes_of()?);
            let certificate = Certificate::decode(r.bytes()?)?;
            let U = decode_point(&certificate.body.U)?;
            Ok(Ok(Self { root, certificate, U, account: r.optional(read_account)? }))
        });
        // A record of another version has other fields.
        match (identity, version_of(record)) {
            (Ok(Ok(identity)), _) => Ok(identity),
            (_, Ok(version)) if version != VERSION => Err(LoadError::UnknownVersion(version)),
            (_, _) => Err(damaged(DecodeError::Malformed)),
        }
    }
}

fn version_of(record: &[u8]) -> Result<u64, DecodeError> {
    let mut r = specie_core::encoding::Reader::new(record);
    r.array()?;
    r.uint()
}

/// An account: PSP and name.
pub(crate) fn read_account(r: &mut specie_core::encoding::Reader<'_>) -> Result<Account, DecodeError> {
    r.array_of(2)?;
    Ok(Account { psp: r.name()?, account: r.name()? })
}

impl Wallet {
    /// Root key of the central bank that the wallet obeys.
    pub fn root(&self) -> PublicKey {
        self.identity.root
    }

    /// The element's authentication key `A`.
    pub fn device(&self) -> PublicKey {
        self.identity.certificate.body.A
    }

    /// What the maker certified of the element: identity `U` and authentication key `A` among it.
    pub fn certificate(&self) -> &Certificate {
        &self.identity.certificate
    }

    /// Where the device is enrolled, if it is.
    pub fn account(&self) -> Option<Account> {
        self.identity.account
    }

    /// The enrolment message that answers a PSP's `nonce`. `device_info` holds at most 64 bytes.
    ///
    /// # Errors
    /// When the element does not answer.
    pub fn enrolment(
        &self,
        nonce: &[u8; 32],
        device_info: &[u8],
        element: &mut impl Element,
    ) -> Result<Vec<u8>, ElementFault> {
        let answer = client::enrol(element, nonce, device_info)?;
        let claims = Claims { element: &self.identity.certificate.body, nonce };
        let attestation = Token { claims, signature: answer.attestation }.to_vec();
        let enrolment = Enrolment {
            certificate: self.identity.certificate,
            nonce: *nonce,
            device_info,
            proof: Proof { R: answer.commitment, s: answer.response },
            attestation: &attestation,
        };
        Ok(enrolment.to_vec())
    }

    /// Notes that the PSP enrolled the device.
    pub fn enrolled(&mut self, account: Account) -> Step<()> {
        self.identity.account = Some(account);
        let mut changes = Changes::default();
        self.identity.store(&mut changes);
        changes.step(())
    }
}
