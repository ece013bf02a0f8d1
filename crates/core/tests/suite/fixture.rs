//! A bank and devices in memory, made of nothing but the functions of the core: what the real ones do, without
//! stores, sockets and flash. Everything is drawn from small seeds, so that every run sees the same world.
#![allow(dead_code, reason = "tests and benchmarks each use a part")]

use minicbor::encode::Write;
use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{Context, OwnerTag};
use specie_core::class::{Class, Info, Kind};
use specie_core::encoding::{Decode, Encode, Writer};
use specie_core::group::{Generators, RistrettoPoint, Scalar};
use specie_core::hash;
use specie_core::holding::{Holding, write_backup};
use specie_core::issuance::{Blinded, Blinding, Commitment, IssuedNote, IssuerSession, IssuingKey};
use specie_core::note::owner_tag;
use specie_core::payment::{Chain, ChainParts, write_payment};
use specie_core::show::{Show, element_response};
use specie_core::text::{Currency, Name};
use specie_core::transfer::{Input, Output, Outputs, Preimage, Transfer, challenge};

/// Before every `spend_until` of [`info`].
pub(crate) const NOW: Timestamp = match Timestamp::new(1_500) {
    Some(now) => now,
    None => Timestamp::EPOCH,
};

/// 32 bytes that depend on `purpose` and `number` and on nothing else.
pub(crate) fn seed(purpose: &str, number: u64) -> [u8; 32] {
    hash::h32("specie/v1/test-seed", &[purpose.as_bytes(), &number.to_be_bytes()])
}

/// A scalar that nothing else uses.
pub(crate) fn scalar(purpose: &str, number: u64) -> Scalar {
    hash::hs("specie/v1/test-scalar", &[purpose.as_bytes(), &number.to_be_bytes()])
}

pub(crate) fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

pub(crate) fn time(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A class for notes worth `minor`, or for blanks that own at most `minor`.
pub(crate) fn info(kind: Kind, minor: u64) -> Info {
    Info {
        issuer: name("central-bank"),
        currency: Currency::new("XTS").unwrap(),
        kind,
        amount: amount(minor),
        epoch: 7,
        issue_from: time(1_000),
        spend_until: time(2_000),
        redeem_until: time(3_000),
        max_hops: if kind == Kind::Value { 3 } else { 0 },
    }
}

/// The bank's side of one class.
pub(crate) struct Mint {
    pub(crate) key: IssuingKey,
    pub(crate) class: Class,
}

impl Mint {
    pub(crate) fn new(key_seed: u64, info: Info) -> Self {
        let key = IssuingKey::derive(&seed("issuing key", key_seed));
        let class = Class::new(key.public(), info).unwrap();
        Self { key, class }
    }
}

/// A device: element and host in one.
pub(crate) struct Device {
    pub(crate) u: Scalar,
    pub(crate) U: RistrettoPoint,
    pub(crate) number: u64,
}

impl Device {
    pub(crate) fn new(generators: &Generators, number: u64) -> Self {
        let u = scalar("u", number);
        Self { u, U: u * generators.K, number }
    }

    /// `k3` of its note number `index`.
    pub(crate) fn k3(&self, index: u64) -> Scalar {
        scalar("k3", self.number << 32 | index)
    }
}

/// A note or blank in a device's hands.
pub(crate) struct Held {
    pub(crate) class: Class,
    pub(crate) note: IssuedNote,
    pub(crate) k3: Scalar,
    pub(crate) u: Scalar,
}

/// A withdrawal of one note between W3 and W4.
pub(crate) struct Withdrawal {
    pub(crate) session: IssuerSession,
    pub(crate) commitment: Commitment,
    pub(crate) blinding: Blinding,
    pub(crate) blinded: Blinded,
}

impl Withdrawal {
    /// W2 and W3 of note number `index` of `device`.
    pub(crate) fn begin(generators: &Generators, mint: &Mint, device: &Device, index: u64) -> Self {
        let number = device.number << 32 | index;
        let (session, commitment) = IssuerSession::commit(generators, &mint.class, &device.U, &seed("session", number));
        let blinding = Blinding::derive(&seed("blinding", number));
        let K3 = device.k3(index) * generators.K;
        let blinded = Blinded::blind(generators, &mint.class, &device.U, &K3, &blinding, &commitment).unwrap();
        Self { session, commitment, blinding, blinded }
    }

    /// W4 and W5.
    pub(crate) fn finish(self, generators: &Generators, mint: &Mint, device: &Device) -> IssuedNote {
        let response = self.session.answer(&mint.key, self.blinded.e());
        self.blinded.unblind(generators, &mint.class, &device.U, &self.blinding, &self.commitment, &response).unwrap()
    }
}

/// Note number `index` of `device`, withdrawn from `mint`.
pub(crate) fn withdraw(generators: &Generators, mint: &Mint, device: &Device, index: u64) -> Held {
    let note = Withdrawal::begin(generators, mint, device, index).finish(generators, mint, device);
    Held { class: mint.class.clone(), note, k3: device.k3(index), u: device.u }
}

impl Held {
    /// The owner tag that this blank opens with `blind`.
    pub(crate) fn tag(&self, blind: &[u8; 32]) -> OwnerTag {
        owner_tag(&self.note.id, blind)
    }

    /// Shows the note for `outputs`, in extended form; as often as it is asked to, as a broken element does.
    pub(crate) fn transfer(&self, input: Input, outputs: &[Output], context: Context) -> Transfer {
        let preimage = Preimage {
            class_id: self.class.id(),
            note: self.note.note,
            input,
            outputs: Outputs::new(outputs).unwrap(),
            context,
            disclosure: None,
        };
        self.show(preimage)
    }

    /// Shows the note for `preimage`, whatever that says.
    pub(crate) fn show(&self, preimage: Preimage) -> Transfer {
        let d = challenge(preimage.to_bytes().as_slice());
        Transfer { preimage, show: self.show_at(&d), disclosure: None, points: Some(self.note.points) }
    }

    /// The three responses to challenge `d`.
    pub(crate) fn show_at(&self, d: &Scalar) -> Show {
        let z3 = element_response(&self.k3, d, &self.note.secrets.gamma, &self.u);
        Show::new(&self.note.secrets, d, z3)
    }
}

pub(crate) fn output(minor: u64, owner: OwnerTag) -> Output {
    Output { amount: amount(minor), owner }
}

/// An owner tag of nobody in particular.
pub(crate) fn stranger(number: u64) -> OwnerTag {
    OwnerTag(seed("stranger", number))
}

/// Spends output `index` of `previous`.
pub(crate) fn received(previous: &Transfer, index: u8, blind: [u8; 32]) -> Input {
    Input::Received { previous: previous.id(), index, blind }
}

/// The canonical encoding of anything.
pub(crate) fn encoded<T: Encode>(value: &T) -> Vec<u8> {
    let mut buffer = vec![0; value.encoded_length()];
    let length = value.encode(&mut buffer).unwrap().len();
    assert_eq!(length, buffer.len());
    buffer
}

/// A backup of `holdings`, written into a buffer: without the feature `alloc` nothing writes into a `Vec`.
pub(crate) fn backup(made_at: Timestamp, holdings: Vec<Holding<'_>>) -> Vec<u8> {
    let mut buffer = vec![0; 1 << 16];
    let mut w = Writer::new(minicbor::encode::write::Cursor::new(&mut buffer[..]));
    write_backup(made_at, holdings.into_iter(), &mut w).unwrap();
    let length = w.into_inner().position();
    buffer.truncate(length);
    buffer
}

/// The encoding of a chain of `transfers`.
pub(crate) fn chain(transfers: &[Transfer]) -> Vec<u8> {
    transfers.iter().fold(Vec::new(), |before, transfer| {
        let before = (!before.is_empty()).then(|| Chain::decode(&before).unwrap());
        encoded(&ChainParts { before, last: Some(transfer) })
    })
}

/// The encoding of a payment of encoded `chains`.
pub(crate) fn payment(chains: &[&[u8]]) -> Vec<u8> {
    encoded(&PaymentOf(chains))
}

struct PaymentOf<'a>(&'a [&'a [u8]]);

impl Encode for PaymentOf<'_> {
    fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
        write_payment(self.0, w)
    }
}

/// A world with one class of value notes (face 500), one of blanks (cap 1,000) and three devices.
pub(crate) struct World {
    pub(crate) generators: Generators,
    pub(crate) value: Mint,
    pub(crate) blank: Mint,
    pub(crate) alice: Device,
    pub(crate) bob: Device,
    pub(crate) carol: Device,
}

impl World {
    pub(crate) fn new() -> Self {
        let generators = Generators::new();
        Self {
            generators,
            value: Mint::new(1, info(Kind::Value, 500)),
            blank: Mint::new(2, info(Kind::Blank, 1_000)),
            alice: Device::new(&generators, 1),
            bob: Device::new(&generators, 2),
            carol: Device::new(&generators, 3),
        }
    }

    /// What a verifier knows.
    pub(crate) fn classes(&self) -> Vec<Class> {
        vec![self.value.class.clone(), self.blank.class.clone()]
    }

    /// Value note number `index` of `device`.
    pub(crate) fn note(&self, device: &Device, index: u64) -> Held {
        withdraw(&self.generators, &self.value, device, index)
    }

    /// Blank number `index` of `device`. Numbers are shared with value notes: one `k3` each.
    pub(crate) fn blank(&self, device: &Device, index: u64) -> Held {
        withdraw(&self.generators, &self.blank, device, index)
    }
}
