//! An element's life from the factory to its first payment, to begin anywhere in it and to do again with other bytes.

use std::convert::Infallible;
use std::sync::OnceLock;

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
use specie_core::{Amount, Context, OwnerTag, Timestamp};
use specie_element::apdu::MAX_RESPONSE;
use specie_element::client::{self, EntryProof, Keys, Link, OwnOutput, Registration, Spend, Wipe};
use specie_element::instruction::Purpose;

use crate::{Chip, Element, FIRMWARE, Flash, PAGES, power_up};
use specie_element::Platform;

/// Where a life can be begun, and the commands that it consists of.
pub struct Lives {
    flashes: Vec<Flash>,
    commands: Vec<Vec<u8>>,
}

/// The life, lived once.
pub fn lives() -> &'static Lives {
    static LIVES: OnceLock<Lives> = OnceLock::new();
    LIVES.get_or_init(Lives::live)
}

impl Lives {
    /// An element after power-up, somewhere in its life.
    pub fn element(&self, moment: u8) -> Element {
        power_up(self.flashes[usize::from(moment) % self.flashes.len()].clone())
    }

    /// A command of it, well-formed.
    pub fn command(&self, which: u8) -> &[u8] {
        &self.commands[usize::from(which) % self.commands.len()]
    }

    fn live() -> Self {
        let mut life =
            Life { element: Some(power_up(Flash::new(PAGES, 1))), flashes: Vec::new(), commands: Vec::new() };
        live(&mut life);
        Self { flashes: life.flashes, commands: life.commands }
    }
}

/// Writes down every command, and what the flash holds before it.
struct Life {
    element: Option<Element>,
    flashes: Vec<Flash>,
    commands: Vec<Vec<u8>>,
}

impl Link for Life {
    type Error = Infallible;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Infallible> {
        self.commands.push(command.to_vec());
        let flash = self.element.take().expect("an element").into_flash();
        self.flashes.push(flash.clone());
        // The commands before the last one are loaded anew: classes and the PIN are forgotten with the power.
        let mut element = power_up(flash);
        for earlier in self.commands.iter().filter(|command| matches!(command[..2], [0x80, 0x24] | [0, 0x20])) {
            element.process(earlier, &mut [0; MAX_RESPONSE]);
        }
        let length = element.process(command, response);
        self.element = Some(element);
        Ok(length)
    }
}

/// Panics unless everything works: nothing would be fuzzed else.
fn live(life: &mut Life) {
    let [root, maker, psp] = [2, 3, 4].map(|seed| SigningKey::from_seed(&[seed; 32]));
    let issuing = IssuingKey::derive(&[1; 32]);
    let value = Class::new(issuing.public(), info(Kind::Value, 500)).expect("a class");
    let blank = Class::new(issuing.public(), info(Kind::Blank, 1_000)).expect("a class");

    let keys = client::generate(life).expect("keys");
    let body = CertificateBody {
        maker: name("maker"),
        series: name("series"),
        firmware: Chip.firmware(),
        U: keys.identity,
        A: PublicKey(keys.authentication),
    };
    assert_eq!(body.firmware, FIRMWARE);
    let certificate = encoded(&Certificate::sign(body, &maker));
    client::personalise(life, &root.public().0, b"12345678", &certificate).expect("personalised");
    client::identity(life).expect("an identity");
    client::enrol(life, &[5; 32], b"fuzzer").expect("a proof");
    client::change_pin(life, b"", b"1234").expect("a PIN");
    client::verify(life, b"1234").expect("the PIN");
    client::unblock(life, b"12345678", b"1234").expect("the PUK");
    client::sign_request(life, Purpose::Payee, &[6; 32]).expect("a signature");

    let entries =
        [Entry::Class(value.clone()), Entry::Class(blank.clone()), Entry::Psp { name: name("psp"), key: psp.public() }];
    let entries = entries.map(|entry| encoded(&entry));
    let header = ManifestHeader {
        issuer: name("bank"),
        sequence: 1,
        previous: specie_core::bytes::ManifestId([0; 32]),
        issued_at: time(1_000_000),
        entries_root: merkle::root(entries.len(), &|at| merkle::leaf(&entries[at])),
        entry_count: 3,
    };
    let signed = header.sign(&root);
    client::manifest(life, &encoded(&signed.header), &signed.signature).expect("a manifest");
    let paths: Vec<Vec<[u8; 32]>> = (0..entries.len()).map(|at| path(&entries, at)).collect();
    let proof = |at: usize| EntryProof { position: at as u32, path: &paths[at], entry: &entries[at] };
    client::limits(life, &proof(2), &limits(&keys, &psp)).expect("limits");
    for at in [0, 1] {
        client::class(life, &proof(at)).expect("a class");
    }

    let nonces = client::nonces(life, 0, 3).expect("nonces");
    let mut coins = Vec::new();
    for (index, commitment) in nonces.iter() {
        let class = if index == 0 { &value } else { &blank };
        let issued = issue(&issuing, class, &keys.identity, commitment, index as u8);
        let secrets = &issued.secrets;
        let [gamma, k0, k1] = [&secrets.gamma, &secrets.k0, &secrets.k1].map(|scalar| scalar.to_bytes());
        let (class_id, zeta1) = (class.id().0, issued.note.zeta1());
        let registration = Registration { index, class_id, gamma: &gamma, zeta1, k0: &k0, k1: &k1 };
        client::register(life, &registration).expect("registered");
        coins.push(issued);
    }
    client::owner_tag(life, 1, &[7; 32], 100).expect("an owner tag");
    client::release(life, 1).expect("released");

    // 400 to somebody, 100 of change.
    let outputs = [
        Output { amount: Amount::new(400).expect("an amount"), owner: OwnerTag([8; 32]) },
        Output { amount: Amount::new(100).expect("an amount"), owner: owner_tag(&coins[1].id, &[7; 32]) },
    ];
    let preimage = Preimage {
        class_id: value.id(),
        note: coins[0].note,
        input: Input::Issued,
        outputs: Outputs::new(&outputs).expect("outputs"),
        context: Context([9; 32]),
        disclosure: None,
    };
    let gamma = coins[0].secrets.gamma.to_bytes();
    let own = [OwnOutput { output: 1, index: 1, blind: [7; 32] }];
    let preimage = preimage.to_bytes();
    client::spend(life, &Spend { index: 0, gamma: &gamma, own: &own, preimage: preimage.as_slice() }).expect("a show");
    client::forget(life, 0).expect("forgotten");
    client::status(life).expect("a status");
    client::select(life).expect("an element");
    client::wipe(life, Wipe::EvenSo).expect("wiped");
    client::status(life).expect("a status");
}

fn issue(key: &IssuingKey, class: &Class, identity: &[u8; 32], commitment: &[u8; 32], seed: u8) -> IssuedNote {
    let generators = Generators::new();
    let [u, k3] = [identity, commitment].map(|point| decode_point(point).expect("a point"));
    let (session, offer) = IssuerSession::commit(&generators, class, &u, &[seed; 32]);
    let blinding = Blinding::derive(&[100 + seed; 32]);
    let blinded = Blinded::blind(&generators, class, &u, &k3, &blinding, &offer).expect("blinded");
    let response = session.answer(key, blinded.e());
    blinded.unblind(&generators, class, &u, &blinding, &offer, &response).expect("a note")
}

fn limits(keys: &Keys, psp: &SigningKey) -> Vec<u8> {
    let body = LimitsBody {
        psp: name("psp"),
        device: PublicKey(keys.authentication),
        sequence: 1,
        issued_at: time(1_000_000),
        valid_until: time(2_000_000),
        max_payment: Amount::new(600).expect("an amount"),
        max_cumulative: Amount::new(900).expect("an amount"),
        max_holding: Amount::new(3_000).expect("an amount"),
    };
    encoded(&Limits::sign(body, psp))
}

fn info(kind: Kind, amount: u64) -> Info {
    Info {
        issuer: name("bank"),
        currency: Currency::new("XTS").expect("a currency"),
        kind,
        amount: Amount::new(amount).expect("an amount"),
        epoch: 1,
        issue_from: time(1_000),
        spend_until: time(9_000_000),
        redeem_until: time(9_500_000),
        max_hops: if kind == Kind::Value { 4 } else { 0 },
    }
}

fn path(entries: &[Vec<u8>], position: usize) -> Vec<[u8; 32]> {
    let mut path = [[0; 32]; merkle::PATH_LENGTH_MAX];
    let length = merkle::path(position, entries.len(), &|at| merkle::leaf(&entries[at]), &mut path).expect("a path");
    path[..length].to_vec()
}

fn encoded<T: Encode>(value: &T) -> Vec<u8> {
    Buffer::<1024>::of(value).as_slice().to_vec()
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn time(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).expect("a time")
}
