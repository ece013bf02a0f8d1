//! A bank, its classes and devices' notes, made with the protocol core: messages to inspect.

use specie_core::class::{Class, Info, Kind};
use specie_core::disclosure::{DisclosedTransfer, Prepared, SupervisoryKey};
use specie_core::encoding::{Encode, Writer};
use specie_core::evidence::Evidence;
use specie_core::group::{Generators, Scalar};
use specie_core::hash::hs;
use specie_core::issuance::{Blinded, Blinding, IssuedNote, IssuerSession, IssuingKey};
use specie_core::manifest::{Entry, ManifestHeader, write_manifest};
use specie_core::merkle;
use specie_core::note::owner_tag;
use specie_core::payment::{ChainParts, write_payment};
use specie_core::receipt::{Receipt, receipt_hash};
use specie_core::request::{OwnerTags, Request, RequestBody};
use specie_core::show::{Show, element_response};
use specie_core::signature::SigningKey;
use specie_core::text::{Currency, Name};
use specie_core::transfer::{Input, Output, Outputs, Preimage, Transfer, challenge};
use specie_core::{Amount, Context, OwnerTag, Timestamp};

pub(crate) const VALUE: u64 = 500;
const CAP: u64 = 2_000;

/// A bank with a class of value notes and one of blanks.
pub(crate) struct Bank {
    generators: Generators,
    pub(crate) root: SigningKey,
    keys: [IssuingKey; 2],
    pub(crate) classes: [Class; 2],
}

/// A note or blank with everything that its device knows.
pub(crate) struct Coin {
    pub(crate) class: Class,
    pub(crate) issued: IssuedNote,
    k3: Scalar,
    u: Scalar,
}

pub(crate) fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

fn info(kind: Kind, face: u64, redeem_until: u64) -> Info {
    Info {
        issuer: Name::new("central-bank").unwrap(),
        currency: Currency::new("XTS").unwrap(),
        kind,
        amount: amount(face),
        epoch: 1,
        issue_from: Timestamp::EPOCH,
        spend_until: Timestamp::new(redeem_until).unwrap(),
        redeem_until: Timestamp::new(redeem_until).unwrap(),
        max_hops: if kind == Kind::Value { 2 } else { 0 },
    }
}

impl Bank {
    pub(crate) fn new() -> Self {
        Self::until(4_000_000_000)
    }

    /// One whose notes are redeemed until then.
    pub(crate) fn until(redeem_until: u64) -> Self {
        let keys = [IssuingKey::derive(&[1; 32]), IssuingKey::derive(&[2; 32])];
        let kinds = [(Kind::Value, VALUE), (Kind::Blank, CAP)];
        let class = |index: usize| {
            let (kind, face) = kinds[index];
            Class::new(keys[index].public(), info(kind, face, redeem_until)).unwrap()
        };
        let classes = [class(0), class(1)];
        Self { generators: Generators::new(), root: SigningKey::from_seed(&[3; 32]), keys, classes }
    }

    pub(crate) fn manifest(&self) -> Vec<u8> {
        let entries: Vec<Vec<u8>> = self.classes.iter().map(|class| Entry::Class(class.clone()).to_vec()).collect();
        let header = ManifestHeader {
            issuer: Name::new("central-bank").unwrap(),
            sequence: 1,
            previous: specie_core::bytes::ManifestId([0; 32]),
            issued_at: Timestamp::new(1).unwrap(),
            entries_root: merkle::root(entries.len(), &|index| merkle::leaf(&entries[index])),
            entry_count: u32::try_from(entries.len()).unwrap(),
        };
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let mut w = Writer::new(Vec::new());
        write_manifest(&header.sign(&self.root), &entries, &mut w).unwrap();
        w.into_inner()
    }

    pub(crate) fn note(&self, device: u8, number: u8) -> Coin {
        self.issue(0, device, number)
    }

    pub(crate) fn blank(&self, device: u8, number: u8) -> Coin {
        self.issue(1, device, number)
    }

    fn issue(&self, class: usize, device: u8, number: u8) -> Coin {
        let (key, class) = (&self.keys[class], self.classes[class].clone());
        let seed = |what: u8| -> [u8; 32] { std::array::from_fn(|at| [device, number, what][at % 3]) };
        let (u, k3) = (hs("test/u", &[&[device]]), hs("test/k3", &[&seed(0)]));
        let U = u * self.generators.K;
        let (session, commitment) = IssuerSession::commit(&self.generators, &class, &U, &seed(1));
        let blinding = Blinding::derive(&seed(2));
        let K3 = k3 * self.generators.K;
        let blinded = Blinded::blind(&self.generators, &class, &U, &K3, &blinding, &commitment).unwrap();
        let response = session.answer(key, blinded.e());
        let issued = blinded.unblind(&self.generators, &class, &U, &blinding, &commitment, &response).unwrap();
        Coin { class, issued, k3, u }
    }
}

impl Coin {
    /// Who owns an output that goes to this blank.
    pub(crate) fn owner(&self) -> OwnerTag {
        owner_tag(&self.issued.id, &[9; 32])
    }

    /// Spends it as issued.
    pub(crate) fn spend(&self, outputs: &[(u64, OwnerTag)], context: Context) -> Transfer {
        self.show(Input::Issued, outputs, context)
    }

    /// Spends output `index` of `transfer`, which this blank owns.
    pub(crate) fn spend_output(
        &self,
        transfer: &Transfer,
        index: u8,
        outputs: &[(u64, OwnerTag)],
        context: Context,
    ) -> Transfer {
        self.show(Input::Received { previous: transfer.id(), index, blind: [9; 32] }, outputs, context)
    }

    fn show(&self, input: Input, outputs: &[(u64, OwnerTag)], context: Context) -> Transfer {
        let outputs: Vec<Output> =
            outputs.iter().map(|(minor, owner)| Output { amount: amount(*minor), owner: *owner }).collect();
        let outputs = Outputs::new(&outputs).unwrap();
        let preimage =
            Preimage { class_id: self.class.id(), note: self.issued.note, input, outputs, context, disclosure: None };
        let d = challenge(preimage.to_bytes().as_slice());
        let z3 = element_response(&self.k3, &d, &self.issued.secrets.gamma, &self.u);
        Transfer {
            preimage,
            show: Show::new(&self.issued.secrets, &d, z3),
            disclosure: None,
            points: Some(self.issued.points),
        }
    }
}

impl Coin {
    /// Spends it as issued and names its device to `key`, as a file for supervisors.
    pub(crate) fn disclose(&self, key: SupervisoryKey, outputs: &[(u64, OwnerTag)], context: Context) -> Vec<u8> {
        let plain = self.spend(outputs, context);
        let U = self.u * Generators::new().K;
        let (secrets, N1) = (&self.issued.secrets, &self.issued.points.N1);
        let prepared = Prepared::new(&key, &U, secrets, N1, &plain.preimage).unwrap();
        let preimage = Preimage { disclosure: Some(prepared.id()), ..plain.preimage };
        let d = challenge(preimage.to_bytes().as_slice());
        let z3 = element_response(&self.k3, &d, &secrets.gamma, &self.u);
        let disclosure = Some(prepared.answer(secrets, &d));
        let transfer = Transfer { preimage, show: Show::new(secrets, &d, z3), disclosure, points: None };
        DisclosedTransfer { class: self.class.clone(), key, transfer }.to_vec()
    }
}

pub(crate) fn chain(transfers: &[Transfer]) -> Vec<u8> {
    let mut encoded: Option<Vec<u8>> = None;
    for transfer in transfers {
        let before = encoded.as_deref().map(|bytes| specie_core::encoding::Decode::decode(bytes).unwrap());
        encoded = Some(ChainParts { before, last: Some(transfer) }.to_vec());
    }
    encoded.unwrap()
}

pub(crate) fn payment(chains: &[Vec<u8>]) -> Vec<u8> {
    let chains: Vec<&[u8]> = chains.iter().map(Vec::as_slice).collect();
    let mut w = Writer::new(Vec::new());
    write_payment(&chains, &mut w).unwrap();
    w.into_inner()
}

pub(crate) fn request(minor: u64, tags: &[OwnerTag]) -> Request {
    Request {
        body: RequestBody {
            currency: Currency::new("XTS").unwrap(),
            amount: amount(minor),
            payee_nonce: [1; 16],
            expiry: Timestamp::new(4_000_000_000).unwrap(),
            owner_tags: OwnerTags::new(tags).unwrap(),
            receipt_hash: receipt_hash(&[5; 32]),
            manifest_sequence: 1,
            revocation_sequence: 0,
            disclose_to: None,
            descriptor: None,
            memo: None,
        },
        signature: None,
    }
}

pub(crate) fn receipt(request: &Request) -> Receipt {
    Receipt { request: request.context(), preimage: [5; 32] }
}

pub(crate) fn evidence(coin: &Coin, first: Transfer, second: Transfer) -> Vec<u8> {
    Evidence { class: coin.class.clone(), first, second }.to_vec()
}

/// The identity of a device.
pub(crate) fn identity(device: u8) -> [u8; 32] {
    specie_core::group::encode_point(&(hs("test/u", &[&[device]]) * Generators::new().K))
}
