//! A central bank, a maker, a PSP, and elements to test.

use specie_core::class::{Class, Info, Kind};
use specie_core::encoding::{Buffer, Encode};
use specie_core::enrolment::{Certificate, CertificateBody};
use specie_core::group::{Generators, decode_point};
use specie_core::issuance::{Blinded, Blinding, IssuedNote, IssuerSession, IssuingKey};
use specie_core::limits::{Limits, LimitsBody};
use specie_core::manifest::{Entry, ManifestHeader};
use specie_core::merkle;
use specie_core::note::owner_tag;
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::{Currency, Name};
use specie_core::transfer::{Input, Output, Outputs, Preimage};
use specie_core::{Amount, Context, NoteId, Timestamp, TransferId};
use specie_element::client::{self, Answer, ElementError, EntryProof, OwnOutput, Registration, Spend};
use specie_element::status::StatusWord;

pub(crate) use crate::subject::*;

pub(crate) const PUK: [u8; 8] = *b"87654321";
pub(crate) const FACE: u64 = 500;
pub(crate) const CAP: u64 = 1_000;
pub(crate) const SMALL_CAP: u64 = 300;
pub(crate) const ISSUED_AT: u64 = 1_000_000;
pub(crate) const VALID_UNTIL: u64 = 2_000_000;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Status word of a refusal.
#[track_caller]
pub(crate) fn refusal<T, E>(answer: Result<T, ElementError<E>>) -> StatusWord {
    match answer {
        Err(ElementError::Refused(status)) => status,
        Ok(_) => panic!("not refused"),
        Err(_) => panic!("not answered"),
    }
}

/// A manifest with its entries.
pub(crate) struct Published {
    pub(crate) header: Vec<u8>,
    pub(crate) signature: [u8; 64],
    entries: Vec<Vec<u8>>,
}

impl Published {
    pub(crate) fn path(&self, position: usize) -> Vec<[u8; 32]> {
        let mut path = [[0; 32]; merkle::PATH_LENGTH_MAX];
        let leaf = |at: usize| merkle::leaf(&self.entries[at]);
        let length = merkle::path(position, self.entries.len(), &leaf, &mut path).unwrap();
        path[..length].to_vec()
    }

    pub(crate) fn entry(&self, position: usize) -> &[u8] {
        &self.entries[position]
    }

    pub(crate) fn load_class(&self, element: &mut TestElement, position: usize) -> Answer<[u8; 16], TestElement> {
        let path = self.path(position);
        client::class(element, &EntryProof { position: position as u32, path: &path, entry: self.entry(position) })
    }

    pub(crate) fn load(&self, element: &mut TestElement) -> Answer<(), TestElement> {
        client::manifest(element, &self.header, &self.signature)
    }
}

/// Positions of the entries in every manifest of [`World`].
pub(crate) const VALUE: usize = 0;
pub(crate) const BLANK: usize = 1;
pub(crate) const PSP: usize = 2;
pub(crate) const OTHER_PSP: usize = 3;
pub(crate) const LEDGER: usize = 4;
pub(crate) const MORE_CLASSES: usize = 5;
pub(crate) const SMALL: usize = 8;

/// Everybody but the element.
pub(crate) struct World {
    pub(crate) generators: Generators,
    pub(crate) root: SigningKey,
    pub(crate) maker: SigningKey,
    pub(crate) psp: SigningKey,
    pub(crate) other_psp: SigningKey,
    pub(crate) value: Class,
    pub(crate) blank: Class,
    /// A blank that holds less than a note's face.
    pub(crate) small: Class,
    key: IssuingKey,
}

impl World {
    pub(crate) fn new() -> Self {
        let key = IssuingKey::derive(&[1; 32]);
        Self {
            generators: Generators::new(),
            root: SigningKey::from_seed(&[2; 32]),
            maker: SigningKey::from_seed(&[3; 32]),
            psp: SigningKey::from_seed(&[4; 32]),
            other_psp: SigningKey::from_seed(&[5; 32]),
            value: Class::new(key.public(), info(Kind::Value, FACE, 1)).unwrap(),
            blank: Class::new(key.public(), info(Kind::Blank, CAP, 1)).unwrap(),
            small: Class::new(key.public(), info(Kind::Blank, SMALL_CAP, 5)).unwrap(),
            key,
        }
    }

    pub(crate) fn manifest(&self, sequence: u64, issued_at: u64) -> Published {
        let classes =
            (2..5).map(|epoch| Entry::Class(Class::new(self.key.public(), info(Kind::Value, FACE, epoch)).unwrap()));
        let entries = [
            Entry::Class(self.value.clone()),
            Entry::Class(self.blank.clone()),
            Entry::Psp { name: name("psp"), key: self.psp.public() },
            Entry::Psp { name: name("other"), key: self.other_psp.public() },
            Entry::Ledger { key: self.psp.public() },
        ];
        let entries: Vec<Vec<u8>> = entries
            .into_iter()
            .chain(classes)
            .chain([Entry::Class(self.small.clone())])
            .map(|entry| encoded(&entry))
            .collect();
        let header = ManifestHeader {
            issuer: name("bank"),
            sequence,
            previous: specie_core::bytes::ManifestId([0; 32]),
            issued_at: Timestamp::new(issued_at).unwrap(),
            entries_root: merkle::root(entries.len(), &|at| merkle::leaf(&entries[at])),
            entry_count: entries.len() as u32,
        };
        let signed = header.sign(&self.root);
        Published { header: encoded(&signed.header), signature: signed.signature, entries }
    }

    pub(crate) fn certificate(&self, keys: &client::Keys) -> CertificateBody {
        let (maker, series) = (name("maker"), name("series"));
        CertificateBody { maker, series, firmware: FIRMWARE, U: keys.identity, A: PublicKey(keys.authentication) }
    }

    pub(crate) fn certify(&self, body: CertificateBody) -> Vec<u8> {
        encoded(&Certificate::sign(body, &self.maker))
    }

    pub(crate) fn limits(&self, keys: &client::Keys, sequence: u64) -> LimitsBody {
        LimitsBody {
            psp: name("psp"),
            device: PublicKey(keys.authentication),
            sequence,
            issued_at: Timestamp::new(ISSUED_AT).unwrap(),
            valid_until: Timestamp::new(VALID_UNTIL).unwrap(),
            max_payment: Amount::new(600).unwrap(),
            max_cumulative: Amount::new(900).unwrap(),
            max_holding: Amount::new(3_000).unwrap(),
        }
    }

    pub(crate) fn set_limits(
        &self,
        element: &mut TestElement,
        manifest: &Published,
        body: LimitsBody,
    ) -> Answer<(), TestElement> {
        self.set_limits_by(element, manifest, PSP, &encoded(&Limits::sign(body, &self.psp)))
    }

    pub(crate) fn set_limits_by(
        &self,
        element: &mut TestElement,
        manifest: &Published,
        position: usize,
        document: &[u8],
    ) -> Answer<(), TestElement> {
        let path = manifest.path(position);
        let proof = EntryProof { position: position as u32, path: &path, entry: manifest.entry(position) };
        client::limits(element, &proof, document)
    }

    /// An element fresh from the factory.
    pub(crate) fn personalised(&self) -> TestElement {
        let mut element = power_up(flash());
        let keys = client::generate(&mut element).unwrap();
        let certificate = self.certify(self.certificate(&keys));
        client::personalise(&mut element, &self.root.public().0, &PUK, &certificate).unwrap();
        element
    }

    /// An element with manifest, limits and nonces, and the notes that were withdrawn for it but not yet registered: a
    /// value note at 0 and 1, blanks at 2, 3, 4 and 5.
    pub(crate) fn withdrawn(&self) -> (TestElement, Published, Vec<Coin>) {
        let mut element = self.personalised();
        let (manifest, coins) = self.withdraw(&mut element);
        (element, manifest, coins)
    }

    /// Gives an element fresh from the factory what one is given that is [`withdrawn`](Self::withdrawn).
    pub(crate) fn withdraw(&self, element: &mut TestElement) -> (Published, Vec<Coin>) {
        let manifest = self.manifest(1, ISSUED_AT);
        manifest.load(element).unwrap();
        let keys = keys_of(element);
        self.set_limits(element, &manifest, self.limits(&keys, 1)).unwrap();
        let nonces = client::nonces(element, 0, 8).unwrap();
        let coins = nonces.iter().map(|(index, commitment)| {
            let class = if index < 2 { &self.value } else { &self.blank };
            Coin { index, class: class.clone(), issued: self.issue(class, &keys.identity, commitment, index as u8) }
        });
        let coins = coins.collect();
        self.load_classes(element, &manifest);
        (manifest, coins)
    }

    /// The same with the first six registered.
    pub(crate) fn registered(&self) -> (TestElement, Published, Vec<Coin>) {
        let (mut element, manifest, coins) = self.withdrawn();
        for coin in &coins[..6] {
            coin.register(&mut element).unwrap();
        }
        (element, manifest, coins)
    }

    pub(crate) fn load_classes(&self, element: &mut TestElement, manifest: &Published) {
        manifest.load_class(element, VALUE).unwrap();
        manifest.load_class(element, BLANK).unwrap();
    }

    pub(crate) fn issue(&self, class: &Class, identity: &[u8; 32], commitment: &[u8; 32], seed: u8) -> IssuedNote {
        let (u, k3) = (decode_point(identity).unwrap(), decode_point(commitment).unwrap());
        let (session, offer) = IssuerSession::commit(&self.generators, class, &u, &[seed; 32]);
        let blinding = Blinding::derive(&[100 + seed; 32]);
        let blinded = Blinded::blind(&self.generators, class, &u, &k3, &blinding, &offer).unwrap();
        let response = session.answer(&self.key, blinded.e());
        blinded.unblind(&self.generators, class, &u, &blinding, &offer, &response).unwrap()
    }
}

fn info(kind: Kind, amount: u64, epoch: u32) -> Info {
    Info {
        issuer: name("bank"),
        currency: Currency::new("XTS").unwrap(),
        kind,
        amount: Amount::new(amount).unwrap(),
        epoch,
        issue_from: Timestamp::new(1_000).unwrap(),
        spend_until: Timestamp::new(9_000_000).unwrap(),
        redeem_until: Timestamp::new(9_500_000).unwrap(),
        max_hops: if kind == Kind::Value { 4 } else { 0 },
    }
}

/// The public keys of a personalised element, from its certificate.
pub(crate) fn keys_of(element: &mut TestElement) -> client::Keys {
    use specie_core::encoding::Decode;
    let certificate = client::identity(element).unwrap();
    let body = Certificate::decode(certificate.as_bytes()).unwrap().body;
    client::Keys { identity: body.U, authentication: body.A.0 }
}

pub(crate) fn encoded<T: Encode>(value: &T) -> Vec<u8> {
    Buffer::<1024>::of(value).as_slice().to_vec()
}

/// A note or blank with everything that the host knows of it.
pub(crate) struct Coin {
    pub(crate) index: u32,
    pub(crate) class: Class,
    pub(crate) issued: IssuedNote,
}

impl Coin {
    pub(crate) fn register(&self, element: &mut TestElement) -> Answer<[u8; 32], TestElement> {
        let secrets = &self.issued.secrets;
        let [gamma, k0, k1] = [&secrets.gamma, &secrets.k0, &secrets.k1].map(|scalar| scalar.to_bytes());
        let (index, zeta1, class_id) = (self.index, self.issued.note.zeta1(), self.class.id().0);
        client::register(element, &Registration { index, class_id, gamma: &gamma, zeta1, k0: &k0, k1: &k1 })
    }

    pub(crate) fn id(&self) -> NoteId {
        self.issued.id
    }

    /// An output to this blank; `blind` opens it.
    pub(crate) fn output(&self, amount: u64, blind: u8) -> Output {
        Output { amount: Amount::new(amount).unwrap(), owner: owner_tag(&self.id(), &[blind; 32]) }
    }

    pub(crate) fn own(&self, output: u8, blind: u8) -> OwnOutput {
        OwnOutput { output, index: self.index, blind: [blind; 32] }
    }

    pub(crate) fn preimage(&self, outputs: &[Output], context: u8) -> Preimage {
        let input = match self.class.info().kind {
            Kind::Value => Input::Issued,
            Kind::Blank => Input::Received { previous: TransferId([9; 32]), index: 0, blind: [8; 32] },
        };
        Preimage {
            class_id: self.class.id(),
            note: self.issued.note,
            input,
            outputs: Outputs::new(outputs).unwrap(),
            context: Context([context; 32]),
            disclosure: None,
        }
    }

    pub(crate) fn spend(
        &self,
        element: &mut TestElement,
        preimage: &Preimage,
        own: &[OwnOutput],
    ) -> Answer<[u8; 32], TestElement> {
        self.spend_bytes(element, preimage.to_bytes().as_slice(), own)
    }

    pub(crate) fn spend_bytes(
        &self,
        element: &mut TestElement,
        preimage: &[u8],
        own: &[OwnOutput],
    ) -> Answer<[u8; 32], TestElement> {
        let gamma = self.issued.secrets.gamma.to_bytes();
        client::spend(element, &Spend { index: self.index, gamma: &gamma, own, preimage })
    }
}

/// An output to somebody else.
pub(crate) fn stranger(amount: u64, who: u8) -> Output {
    Output { amount: Amount::new(amount).unwrap(), owner: specie_core::OwnerTag([who; 32]) }
}
