//! A central bank with one PSP, which issues notes to whoever asks.

use alloc::vec;
use alloc::vec::Vec;

use specie_core::bytes::ManifestId;
use specie_core::class::{Class, Classes, Info, Kind};
use specie_core::encoding::{Encode, Writer};
use specie_core::group::{Generators, decode_point, decode_scalar};
use specie_core::issuance::{IssuerSession, IssuingKey, Response};
use specie_core::limits::{Limits, LimitsBody};
use specie_core::manifest::{Entry, ManifestHeader, write_manifest};
use specie_core::merkle;
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::{Currency, Name};
use specie_core::{Amount, Timestamp, hash};
use specie_wallet::withdrawal::{Item, Session};

/// When everything happens.
pub(crate) const NOW: u64 = 1_700_000_000;

/// Last moment of everything.
const LATER: u64 = NOW + 10_000_000;

/// Faces of the value notes.
const FACES: [u64; 8] = [1, 2, 5, 10, 20, 50, 100, 200];

/// What a blank may own.
pub(crate) const CAP: u64 = 1_000;

/// A bank.
pub(crate) struct Bank {
    generators: Generators,
    pub(crate) root: SigningKey,
    psp: SigningKey,
    key: IssuingKey,
    pub(crate) classes: Vec<Class>,
    sessions: u64,
}

pub(crate) fn amount(minor: u64) -> Amount {
    Amount::new(minor).expect("small")
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).expect("this century")
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("short")
}

pub(crate) fn currency() -> Currency {
    Currency::new("XTS").expect("a currency")
}

impl Bank {
    pub(crate) fn new() -> Self {
        let key = IssuingKey::derive(&[1; 32]);
        let class = |kind, minor| Class::new(key.public(), info(kind, minor)).expect("dates in order");
        let values = FACES.iter().map(|face| class(Kind::Value, *face));
        let classes = values.chain([class(Kind::Blank, CAP)]).collect();
        Self {
            generators: Generators::new(),
            root: SigningKey::from_seed(&[2; 32]),
            psp: SigningKey::from_seed(&[3; 32]),
            key,
            classes,
            sessions: 0,
        }
    }

    /// The class of notes of this face, or of blanks.
    pub(crate) fn class(&self, kind: Kind, minor: u64) -> &Class {
        let wanted = info(kind, minor);
        self.classes.iter().find(|class| *class.info() == wanted).expect("one of the bank's")
    }

    /// The manifest.
    pub(crate) fn manifest(&self) -> Vec<u8> {
        let psp = Entry::Psp { name: name("psp"), key: self.psp.public() };
        let entries: Vec<Vec<u8>> =
            self.classes.iter().cloned().map(Entry::Class).chain([psp]).map(|entry| entry.to_vec()).collect();
        let header = ManifestHeader {
            issuer: name("bank"),
            sequence: 1,
            previous: ManifestId([0; 32]),
            issued_at: at(NOW),
            entries_root: merkle::root(entries.len(), &|index| merkle::leaf(&entries[index])),
            entry_count: entries.len() as u32,
        };
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let mut w = Writer::new(Vec::new());
        match write_manifest(&header.sign(&self.root), &entries, &mut w) {
            Ok(()) => w.into_inner(),
            Err(never) => match never {},
        }
    }

    /// Limits of a device.
    pub(crate) fn limits(&self, device: PublicKey) -> Vec<u8> {
        let body = LimitsBody {
            psp: name("psp"),
            device,
            sequence: 1,
            issued_at: at(NOW),
            valid_until: at(LATER),
            max_payment: amount(5_000),
            max_cumulative: amount(50_000),
            max_holding: amount(100_000),
        };
        Limits::sign(body, &self.psp).to_vec()
    }

    /// W2.
    pub(crate) fn open(&mut self, items: &[Item], U: &[u8; 32]) -> (Vec<IssuerSession>, Vec<Session>) {
        let U = decode_point(U).expect("the element's own");
        let ids = items.iter().flat_map(|item| vec![item.class_id; item.count.into()]);
        ids.map(|class_id| {
            self.sessions += 1;
            let class = self.classes.as_slice().class(&class_id).expect("asked for by name");
            let seed = hash::h32("figures/session", &[&self.sessions.to_be_bytes()]);
            let (secret, commitment) = IssuerSession::commit(&self.generators, class, &U, &seed);
            (secret, Session { class_id, commitment })
        })
        .unzip()
    }

    /// W4.
    pub(crate) fn answer(&self, sessions: Vec<IssuerSession>, challenges: &[[u8; 32]]) -> Vec<Response> {
        let answers = sessions.into_iter().zip(challenges);
        answers.map(|(session, e)| session.answer(&self.key, &decode_scalar(e).expect("canonical"))).collect()
    }
}

fn info(kind: Kind, minor: u64) -> Info {
    Info {
        issuer: name("bank"),
        currency: currency(),
        kind,
        amount: amount(minor),
        epoch: 1,
        issue_from: at(NOW),
        spend_until: at(LATER),
        redeem_until: at(LATER),
        max_hops: if kind == Kind::Value { 8 } else { 0 },
    }
}
