//! What an inspection may take as known: keys that were given, and what manifests and requests among the inputs say.

use std::fs;
use std::path::Path;

use specie_core::bytes::{ClassId, Context};
use specie_core::class::{Class, Classes};
use specie_core::disclosure::SupervisoryKey;
use specie_core::encoding::{Decode, Encode};
use specie_core::group::Generators;
use specie_core::manifest::{Entry, Manifest};
use specie_core::request::Request;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{Timestamp, message::Message};

/// Everything that checks are made against.
pub(crate) struct Known {
    pub(crate) generators: Generators,
    /// The central bank's root key.
    pub(crate) root: Option<PublicKey>,
    /// A maker of elements.
    pub(crate) maker: Option<PublicKey>,
    /// Now.
    pub(crate) now: Timestamp,
    /// The newest manifest that may be believed.
    pub(crate) published: Option<Published>,
    requests: Vec<Request>,
}

/// What a manifest publishes.
pub(crate) struct Published {
    /// Its sequence.
    pub(crate) sequence: u64,
    /// Whether its signature was checked.
    pub(crate) verified: bool,
    classes: Vec<Class>,
    psps: Vec<(Name, PublicKey)>,
    ledger: Vec<PublicKey>,
    supervisors: Vec<SupervisoryKey>,
}

impl Known {
    /// Nothing but the keys given.
    pub(crate) fn new(root: Option<PublicKey>, maker: Option<PublicKey>, now: Timestamp) -> Self {
        Self { generators: Generators::new(), root, maker, now, published: None, requests: Vec::new() }
    }

    /// Takes note of a manifest or a request. A manifest that the root key did not sign is not believed.
    pub(crate) fn learn(&mut self, bytes: &[u8]) {
        match Message::peek(bytes) {
            Ok(Message::Manifest) => {
                let Ok(manifest) = Manifest::decode(bytes) else { return };
                let verified = self.root.map(|root| manifest.verify(&root).is_ok());
                let newest = self.published.as_ref().map_or(0, |published| published.sequence);
                if verified != Some(false) && manifest.signed.header.sequence > newest {
                    self.published = Some(Published::of(&manifest, verified == Some(true)));
                }
            }
            Ok(Message::Request) => self.requests.extend(Request::decode(bytes)),
            _ => {}
        }
    }

    /// Takes note of a manifest that lies beside the file at `path` under its usual name, if there is one.
    pub(crate) fn learn_beside(&mut self, path: &Path) {
        if let Ok(bytes) = fs::read(path.with_file_name("manifest.cbor")) {
            self.learn(&bytes);
        }
    }

    /// The request with this context.
    pub(crate) fn request(&self, context: &Context) -> Option<&Request> {
        self.requests.iter().find(|request| request.context() == *context)
    }
}

impl Published {
    fn of(manifest: &Manifest<'_>, verified: bool) -> Self {
        let (mut classes, mut psps, mut ledger) = (Vec::new(), Vec::new(), Vec::new());
        let mut supervisors = Vec::new();
        for (entry, _) in manifest.entries() {
            match entry {
                Entry::Class(class) => classes.push(class),
                Entry::Psp { name, key } => psps.push((name, key)),
                Entry::Ledger { key } => ledger.push(key),
                Entry::Supervision(supervision) => supervisors.push(supervision.key),
            }
        }
        Self { sequence: manifest.signed.header.sequence, verified, classes, psps, ledger, supervisors }
    }

    /// How to speak of it.
    pub(crate) fn name(&self) -> String {
        let signed = if self.verified { "signed by the root key" } else { "whose signature nobody checked: no --root" };
        format!("manifest {}, {signed}", self.sequence)
    }

    /// The key of a PSP.
    pub(crate) fn psp(&self, name: &Name) -> Option<&PublicKey> {
        self.psps.iter().find(|(known, _)| known == name).map(|(_, key)| key)
    }

    /// Keys to which payers disclose themselves.
    pub(crate) fn supervisors(&self) -> &[SupervisoryKey] {
        &self.supervisors
    }

    /// Keys that sign revocation lists.
    pub(crate) fn ledger(&self) -> &[PublicKey] {
        &self.ledger
    }
}

impl Classes for Known {
    fn class(&self, id: &ClassId) -> Option<&Class> {
        self.published.as_ref().and_then(|published| published.classes.as_slice().class(id))
    }
}

/// Bytes of a public key from hex.
pub(crate) fn parse_key(text: &str) -> Result<PublicKey, String> {
    let bytes = hex::decode(text.trim()).map_err(|error| format!("not hex: {error}"))?;
    let length = bytes.len();
    bytes.try_into().map(PublicKey).map_err(|_| format!("{length} bytes instead of 32"))
}

/// The encoding of anything, in hex.
pub(crate) fn encoded(value: &impl Encode) -> String {
    hex::encode(value.to_vec())
}
