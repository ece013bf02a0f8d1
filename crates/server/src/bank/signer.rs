//! Who signs for this server: the signer's process, or the keys of its folder, opened here.

use specie_audit::{Head, SignedHead};
use specie_bank::signer::{Answering, Committing, Sealed, Signer, SignerError};
use specie_core::bytes::ClassId;
use specie_core::class::{Class, Info};
use specie_core::issuance::{Commitment, Response};
use specie_core::revocation::RevocationBody;
use specie_core::signature::PublicKey;
use specie_signer::{Client, Folder, Keeper, Start};

use super::config::BankConfig;
use crate::clock::Clock;

/// A signer within reach. Both know no more than what the signer's journal knows, and may be used at the same time.
pub enum AnySigner {
    /// In a process of its own: for servers.
    Process(Box<Client>),
    /// Opened in this process: for an operator's command while nothing is served, for tests and trials.
    Here(Box<Keeper>),
}

impl AnySigner {
    /// The signer that is served; where none is, its folder is opened here.
    pub(super) fn open(config: &BankConfig, clock: &Clock) -> Result<Self, super::OpenBankError> {
        let folder = Folder(config.signer.clone());
        if Client::is_served(&folder) {
            return Ok(Self::Process(Box::new(Client::connect(&folder, None)?)));
        }
        let clock = clock.clone();
        let opened = folder.open(None, move || clock.now()).map_err(super::OpenBankError::Signer)?;
        Ok(Self::Here(Box::new(opened)))
    }

    /// The signer that is served; where none is, one is started, in a process of its own.
    pub(super) fn start(config: &BankConfig, start: Start) -> Result<Self, super::OpenBankError> {
        let folder = Folder(config.signer.clone());
        // Another user's signer is not this one's to start.
        let start = match folder.check() {
            Ok(()) => Some(start),
            Err(_) if Client::is_served(&folder) => None,
            Err(error) => return Err(super::OpenBankError::Signer(error)),
        };
        Ok(Self::Process(Box::new(Client::connect(&folder, start)?)))
    }

    /// Has issuing keys made; they never leave the signer.
    ///
    /// # Errors
    /// When the signer cannot keep them, or cannot be reached.
    pub fn make_classes(&self, infos: &[Info]) -> Result<Vec<Class>, SignerError> {
        match self {
            Self::Process(client) => client.make_classes(infos),
            Self::Here(keeper) => keeper.make_classes(infos).map_err(|error| SignerError::Failed(error.to_string())),
        }
    }

    /// Has issuing keys destroyed, and gives those that there were.
    ///
    /// # Errors
    /// When the signer still issues one of the classes, or cannot be reached.
    pub fn destroy_keys(&self, classes: &[ClassId]) -> Result<Vec<ClassId>, SignerError> {
        match self {
            Self::Process(client) => client.destroy_keys(classes),
            Self::Here(keeper) => keeper.destroy_keys(classes).map_err(|error| SignerError::Failed(error.to_string())),
        }
    }

    fn signer(&self) -> &dyn Signer {
        match self {
            Self::Process(client) => client.as_ref(),
            Self::Here(keeper) => keeper.as_ref(),
        }
    }
}

impl Signer for AnySigner {
    fn issuing_key(&self, class: &ClassId) -> Result<Option<[u8; 32]>, SignerError> {
        self.signer().issuing_key(class)
    }

    fn commit(&self, committing: &Committing<'_>) -> Result<Vec<(Commitment, Sealed)>, SignerError> {
        self.signer().commit(committing)
    }

    fn answer(&self, answering: &Answering<'_>) -> Result<Vec<Response>, SignerError> {
        self.signer().answer(answering)
    }

    fn ledger_key(&self) -> PublicKey {
        self.signer().ledger_key()
    }

    fn sign_revocations(&self, body: RevocationBody<'_>) -> Result<Vec<u8>, SignerError> {
        self.signer().sign_revocations(body)
    }

    fn sign_audit_head(&self, head: Head) -> Result<SignedHead, SignerError> {
        self.signer().sign_audit_head(head)
    }
}
