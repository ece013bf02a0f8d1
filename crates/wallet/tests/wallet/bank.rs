//! A central bank with one PSP, in memory: issues, redeems, and finds double spends.

use std::collections::BTreeMap;

use specie_core::bytes::{ClassId, ManifestId, NoteId, TransferId};
use specie_core::chain::{Deadline, End, Immediately, verify_chain};
use specie_core::class::{Class, Classes, Info, Kind};
use specie_core::descriptor::{Descriptor, DescriptorBody};
use specie_core::disclosure::Supervision;
use specie_core::encoding::{Decode, Encode, Writer};
use specie_core::group::{Generators, decode_point, decode_scalar};
use specie_core::issuance::{IssuerSession, IssuingKey, Response};
use specie_core::limits::{Limits, LimitsBody};
use specie_core::manifest::{Entry, ManifestHeader, SignedHeader, write_manifest};
use specie_core::merkle;
use specie_core::payment::{Chain, Payment};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::{Currency, Name};
use specie_core::{Amount, Timestamp, hash, label};
use specie_wallet::withdrawal::{Item, Session};

pub(crate) const NOW: u64 = 1_000_000;
pub(crate) const SPEND_UNTIL: u64 = 20_000_000;
pub(crate) const REDEEM_UNTIL: u64 = 40_000_000;
pub(crate) const MAX_HOPS: u8 = 3;
pub(crate) const FACES: [u64; 9] = [1, 2, 5, 10, 20, 50, 100, 200, 500];
pub(crate) const CAP: u64 = 1_000;
pub(crate) const SMALL_CAP: u64 = 100;

pub(crate) fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn xts() -> Currency {
    Currency::new("XTS").unwrap()
}

/// Sessions of one withdrawal.
struct Batch {
    items: Vec<Item>,
    secrets: Vec<IssuerSession>,
    sessions: Vec<Session>,
    answered: Option<(Vec<[u8; 32]>, Vec<Response>)>,
}

/// Why the bank does not credit a coin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Invalid(&'static str),
    DoubleSpend,
}

pub(crate) struct Bank {
    pub(crate) generators: Generators,
    pub(crate) root: SigningKey,
    pub(crate) ledger: SigningKey,
    pub(crate) psp: SigningKey,
    key: IssuingKey,
    pub(crate) classes: Vec<Class>,
    /// From which amount on payments are disclosed, and to whom.
    pub(crate) supervision: Vec<Supervision>,
    pub(crate) headers: Vec<SignedHeader>,
    batches: BTreeMap<String, Batch>,
    spent: BTreeMap<NoteId, TransferId>,
    pub(crate) credited: BTreeMap<Name, u64>,
    pub(crate) issued: u64,
    limits_sequence: u64,
    /// Uploaded payments by context.
    pub(crate) uploads: BTreeMap<[u8; 32], Vec<u8>>,
}

pub(crate) fn info(kind: Kind, minor: u64) -> Info {
    Info {
        issuer: name("bank"),
        currency: xts(),
        kind,
        amount: amount(minor),
        epoch: 1,
        issue_from: at(NOW - 10),
        spend_until: at(SPEND_UNTIL),
        redeem_until: at(REDEEM_UNTIL),
        max_hops: if kind == Kind::Value { MAX_HOPS } else { 0 },
    }
}

impl Bank {
    pub(crate) fn new() -> Self {
        let key = IssuingKey::derive(&[1; 32]);
        let class = |info| Class::new(key.public(), info).unwrap();
        let classes = FACES.iter().map(|face| class(info(Kind::Value, *face)));
        let classes = classes.chain([CAP, SMALL_CAP].map(|cap| class(info(Kind::Blank, cap)))).collect();
        Self {
            generators: Generators::new(),
            root: SigningKey::from_seed(&[2; 32]),
            ledger: SigningKey::from_seed(&[3; 32]),
            psp: SigningKey::from_seed(&[4; 32]),
            key,
            classes,
            supervision: Vec::new(),
            headers: Vec::new(),
            batches: BTreeMap::new(),
            spent: BTreeMap::new(),
            credited: BTreeMap::new(),
            issued: 0,
            limits_sequence: 0,
            uploads: BTreeMap::new(),
        }
    }

    /// Adds a class with other properties than the usual ones.
    pub(crate) fn add_class(&mut self, info: Info) -> ClassId {
        let class = Class::new(self.key.public(), info).unwrap();
        let id = class.id();
        self.classes.push(class);
        id
    }

    pub(crate) fn class_of(&self, kind: Kind, minor: u64) -> &Class {
        let wanted = info(kind, minor);
        self.classes.iter().find(|class| *class.info() == wanted).unwrap()
    }

    fn entries(&self) -> Vec<Vec<u8>> {
        let others =
            [Entry::Psp { name: name("psp"), key: self.psp.public() }, Entry::Ledger { key: self.ledger.public() }];
        let supervision = self.supervision.iter().copied().map(Entry::Supervision);
        self.classes
            .iter()
            .cloned()
            .map(Entry::Class)
            .chain(others)
            .chain(supervision)
            .map(|entry| entry.to_vec())
            .collect()
    }

    /// Signs a header over the present classes, as a root key would sign anything.
    pub(crate) fn header(&self, sequence: u64, previous: ManifestId, issued_at: u64) -> SignedHeader {
        let entries = self.entries();
        let header = ManifestHeader {
            issuer: name("bank"),
            sequence,
            previous,
            issued_at: at(issued_at),
            entries_root: merkle::root(entries.len(), &|index| merkle::leaf(&entries[index])),
            entry_count: entries.len() as u32,
        };
        header.sign(&self.root)
    }

    pub(crate) fn manifest_under(&self, signed: &SignedHeader) -> Vec<u8> {
        let entries = self.entries();
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let mut w = Writer::new(Vec::new());
        write_manifest(signed, &entries, &mut w).unwrap();
        w.into_inner()
    }

    /// Publishes the next manifest.
    pub(crate) fn publish(&mut self, issued_at: u64) -> Vec<u8> {
        let previous = self.headers.last().map_or(ManifestId([0; 32]), |signed| signed.header.id());
        let signed = self.header(self.headers.len() as u64 + 1, previous, issued_at);
        self.headers.push(signed);
        self.manifest_under(&signed)
    }

    pub(crate) fn limits_body(&mut self, device: PublicKey) -> LimitsBody {
        self.limits_sequence += 1;
        LimitsBody {
            psp: name("psp"),
            device,
            sequence: self.limits_sequence,
            issued_at: at(NOW),
            valid_until: at(SPEND_UNTIL),
            max_payment: amount(5_000),
            max_cumulative: amount(50_000),
            max_holding: amount(100_000),
        }
    }

    pub(crate) fn limits(&mut self, device: PublicKey) -> Vec<u8> {
        let body = self.limits_body(device);
        Limits::sign(body, &self.psp).to_vec()
    }

    pub(crate) fn descriptor(&self, device: PublicKey, payee: &str) -> Vec<u8> {
        let body = DescriptorBody {
            psp: name("psp"),
            payee: name(payee),
            account: name("acc"),
            category: 5411,
            key: device,
            valid_until: at(SPEND_UNTIL),
        };
        Descriptor::sign(body, &self.psp).to_vec()
    }

    /// W2. The same name: the same sessions.
    pub(crate) fn open(&mut self, remote: &str, items: &[Item], U: &[u8; 32]) -> Vec<Session> {
        if let Some(batch) = self.batches.get(remote) {
            assert_eq!(batch.items, items, "the same request again");
            return batch.sessions.clone();
        }
        let U = decode_point(U).unwrap();
        let (mut secrets, mut sessions) = (Vec::new(), Vec::new());
        let ids = items.iter().flat_map(|item| std::iter::repeat_n(item.class_id, item.count.into()));
        for (number, class_id) in ids.enumerate() {
            let class = self.classes.as_slice().class(&class_id).unwrap();
            let seed = hash::h32("test/session", &[remote.as_bytes(), &number.to_be_bytes()]);
            let (secret, commitment) = IssuerSession::commit(&self.generators, class, &U, &seed);
            secrets.push(secret);
            sessions.push(Session { class_id, commitment });
        }
        let batch = Batch { items: items.to_vec(), secrets, sessions: sessions.clone(), answered: None };
        self.batches.insert(remote.to_string(), batch);
        sessions
    }

    /// W4. Other challenges: the bank's key would be lost.
    pub(crate) fn answer(&mut self, remote: &str, challenges: &[[u8; 32]]) -> Vec<Response> {
        let batch = self.batches.get_mut(remote).unwrap();
        if let Some((known, responses)) = &batch.answered {
            assert_eq!(known, challenges, "other challenges for the same sessions");
            return responses.clone();
        }
        let key = &self.key;
        let answer = |(secret, e): (&IssuerSession, &[u8; 32])| secret.clone().answer(key, &decode_scalar(e).unwrap());
        let responses: Vec<Response> = batch.secrets.iter().zip(challenges).map(answer).collect();
        batch.answered = Some((challenges.to_vec(), responses.clone()));
        for item in &batch.items {
            let class = self.classes.as_slice().class(&item.class_id).unwrap();
            if class.info().kind == Kind::Value {
                self.issued += u64::from(item.count) * class.info().amount.minor();
            }
        }
        responses
    }

    /// Credits a chain that ends in a redemption; the same again is credited once and answered the same.
    pub(crate) fn redeem(&mut self, chain: &[u8], account: Name, now: u64) -> Result<u64, Refusal> {
        let chain = Chain::decode(chain).map_err(|_| Refusal::Invalid("malformed"))?;
        let expected = hash::h32(label::REDEEM, &[b"psp", account.as_str().as_bytes()]);
        assert_eq!(chain.last().preimage.context.0, expected, "context of a redemption");
        let mut shows = Immediately(&self.generators);
        let mut links = Vec::new();
        let deadline = Deadline::Redeem(at(now));
        let classes = self.classes.as_slice();
        let summary = verify_chain(classes, &chain, deadline, End::Redemption, &mut shows, |link| {
            links.push((link.note_id, link.id));
        })
        .map_err(|error| Refusal::Invalid(error.code()))?;
        self.record(&links)?;
        let (last, id) = links.last().unwrap();
        if self.spent.insert(*last, *id).is_none() {
            *self.credited.entry(account).or_default() += summary.value.minor();
        }
        Ok(summary.value.minor())
    }

    /// Notes who spent what; all but the last link.
    fn record(&mut self, links: &[(NoteId, TransferId)]) -> Result<(), Refusal> {
        for (note, id) in links {
            if self.spent.get(note).is_some_and(|other| other != id) {
                return Err(Refusal::DoubleSpend);
            }
        }
        for (note, id) in &links[..links.len() - 1] {
            self.spent.insert(*note, *id);
        }
        Ok(())
    }

    /// Keeps an undelivered payment for whoever shows the request.
    pub(crate) fn upload(&mut self, payment: &[u8]) {
        let decoded = Payment::decode(payment).unwrap();
        let context = decoded.chains().next().unwrap().last().preimage.context;
        self.uploads.insert(context.0, payment.to_vec());
    }

    pub(crate) fn credited_in_all(&self) -> u64 {
        self.credited.values().sum()
    }
}
