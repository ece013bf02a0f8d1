//! One of every structure that travels, and how to read each and write it again.

use minicbor::encode::Write;
use specie_core::attestation::{Claims, Token};
use specie_core::bytes::{Context, ManifestId, RevokedNote};
use specie_core::class::{Class, Info, Kind};
use specie_core::descriptor::{Descriptor, DescriptorBody};
use specie_core::disclosure::{DisclosedTransfer, Supervision, SupervisoryKey};
use specie_core::encoding::{Decode, DecodeError, Encode, Writer};
use specie_core::enrolment::{Certificate, CertificateBody, Enrolment, Proof};
use specie_core::evidence::Evidence;
use specie_core::group::encode_point;
use specie_core::hash;
use specie_core::holding::{Backup, Holding, Opening, Owned};
use specie_core::limits::{Limits, LimitsBody};
use specie_core::mandate::{Mandate, MandateBody, PayeeRule, Payees, Terms};
use specie_core::manifest::{Entry, Manifest, ManifestHeader, SignedHeader, write_manifest};
use specie_core::merkle;
use specie_core::payment::{Chain, Payment};
use specie_core::receipt::Receipt;
use specie_core::request::{OwnerTags, Request, RequestBody};
use specie_core::revocation::{PAGE_LENGTH_MAX, RevocationBody, RevocationPage};
use specie_core::signature::SigningKey;
use specie_core::text::{Currency, Memo};
use specie_core::transfer::{Input, Preimage, Transfer};

use crate::fixture::{
    Held, World, amount, backup, chain, encoded, info, name, output, payment, received, scalar, seed, stranger, time,
};

/// A structure, encoded.
pub(crate) struct Example {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Reads bytes as such a structure and writes them again.
    pub(crate) again: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
    /// The number of the message, if it is one by itself.
    pub(crate) number: Option<u8>,
}

pub(crate) fn key(number: u64) -> SigningKey {
    SigningKey::from_seed(&seed("signing key", number))
}

pub(crate) fn descriptor() -> Descriptor {
    let body = DescriptorBody {
        psp: name("a psp"),
        payee: name("Café Ω"),
        account: name("account-1"),
        category: 5_812,
        key: key(1).public(),
        valid_until: time(9_000),
    };
    Descriptor::sign(body, &key(2))
}

pub(crate) fn request(descriptor: Option<Descriptor>, memo: Option<&str>) -> Request {
    let body = RequestBody {
        currency: Currency::new("XTS").unwrap(),
        amount: amount(123),
        payee_nonce: [3; 16],
        expiry: time(1_900),
        owner_tags: OwnerTags::new(&[stranger(1), stranger(2)]).unwrap(),
        receipt_hash: [4; 32],
        manifest_sequence: 300,
        revocation_sequence: 0,
        disclose_to: descriptor.map(|_| SupervisoryKey([6; 32])),
        descriptor,
        memo: memo.map(|memo| Memo::new(memo).unwrap()),
    };
    let signature = descriptor.map(|_| key(1).sign("specie/v1/payee", &[&body.digest()]));
    Request { body, signature }
}

pub(crate) fn limits() -> Limits {
    let body = LimitsBody {
        psp: name("a psp"),
        device: key(3).public(),
        sequence: 24,
        issued_at: time(256),
        valid_until: time(65_536),
        max_payment: amount(23),
        max_cumulative: amount(1 << 32),
        max_holding: amount(i64::MAX as u64),
    };
    Limits::sign(body, &key(2))
}

fn mandate() -> Mandate {
    let body = MandateBody {
        owner: key(4).public(),
        device: key(3).public(),
        sequence: 24,
        valid_until: time(65_536),
        max_payment: amount(23),
        period_seconds: 86_400,
        max_per_period: amount(1 << 32),
        max_total: amount(i64::MAX as u64),
        redeem_to: None,
        terms: [0; 32],
    };
    let payees = Payees::new(&[PayeeRule::Category(5411), PayeeRule::Key(key(5).public())]).unwrap();
    let terms = Terms { currency: Currency::new("XTS").unwrap(), person_above: amount(256), payees };
    Mandate::sign(body, terms, &key(4))
}

pub(crate) fn entries(world: &World) -> Vec<Vec<u8>> {
    let entries = [
        Entry::Class(world.value.class.clone()),
        Entry::Class(world.blank.class.clone()),
        Entry::Psp { name: name("a psp"), key: key(2).public() },
        Entry::Ledger { key: key(4).public() },
        Entry::Supervision(Supervision {
            currency: Currency::new("XTS").unwrap(),
            threshold: amount(100_000),
            key: SupervisoryKey(encode_point(&world.bob.U)),
        }),
    ];
    entries.iter().map(encoded).collect()
}

pub(crate) fn header(entries: &[Vec<u8>]) -> ManifestHeader {
    ManifestHeader {
        issuer: name("central-bank"),
        sequence: 1,
        previous: ManifestId([0; 32]),
        issued_at: time(1_000),
        entries_root: merkle::root(entries.len(), &|index| merkle::leaf(&entries[index])),
        entry_count: entries.len().try_into().unwrap(),
    }
}

/// A manifest, encoded.
pub(crate) fn manifest(signed: &SignedHeader, entries: &[Vec<u8>]) -> Vec<u8> {
    struct Whole<'a>(&'a SignedHeader, Vec<&'a [u8]>);
    impl Encode for Whole<'_> {
        fn write<W: Write>(&self, w: &mut Writer<W>) -> Result<(), W::Error> {
            write_manifest(self.0, &self.1, w)
        }
    }
    encoded(&Whole(signed, entries.iter().map(Vec::as_slice).collect()))
}

/// A page of the revocation list, encoded, with these notes.
pub(crate) fn revocation(page: u64, notes: &[u8]) -> Vec<u8> {
    let notes: Vec<RevokedNote> = notes.iter().map(|byte| RevokedNote([*byte; 16])).collect();
    let previous = if page == 1 { [0; 32] } else { [9; 32] };
    let (issuer, issued_at) = (name("central-bank"), time(1_000));
    let body = RevocationBody { issuer, page, sequence: 7, previous, oldest: 1, issued_at, notes: &notes };
    encoded(&body.sign(&key(4), &mut [0; PAGE_LENGTH_MAX]).unwrap())
}

pub(crate) fn certificate(world: &World) -> Certificate {
    let body = CertificateBody {
        maker: name("a maker"),
        series: name("series 1"),
        firmware: [5; 32],
        U: encode_point(&world.alice.U),
        A: key(3).public(),
    };
    Certificate::sign(body, &key(5))
}

pub(crate) fn enrolment<'a>(
    world: &World,
    nonce: [u8; 32],
    device_info: &'a [u8],
    token: &'a mut Vec<u8>,
) -> Enrolment<'a> {
    let certificate = certificate(world);
    let (A, w) = (certificate.body.A, scalar("w", 0));
    let claims = Claims { element: &certificate.body, nonce: &nonce };
    *token = encoded(&Token { claims, signature: claims.sign(&key(3)) });
    let proof = Proof::prove(&world.generators, &world.alice.u, &w, &A, &nonce, device_info);
    Enrolment { certificate, nonce, device_info, proof, attestation: token }
}

/// Two links: Alice pays Bob, Bob pays on with change.
pub(crate) fn two_links(world: &World) -> [Transfer; 2] {
    let bobs = world.blank(&world.bob, 0);
    let first =
        world.note(&world.alice, 0).transfer(Input::Issued, &[output(500, bobs.tag(&[7; 32]))], Context([1; 32]));
    let outputs = [output(123, stranger(1)), output(377, stranger(2))];
    [first, bobs.transfer(received(&first, 0, [7; 32]), &outputs, Context([2; 32]))]
}

fn plain<T: Encode + for<'b> Decode<'b>>(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    T::decode(bytes).map(|value| encoded(&value))
}

fn again_payment(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let payment = Payment::decode(bytes)?;
    let chains: Vec<Vec<u8>> = payment.chains().map(|of| chain(&of.transfers().collect::<Vec<_>>())).collect();
    assert_eq!(payment.as_bytes(), bytes);
    Ok(self::payment(&chains.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

fn again_chain(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let chain = Chain::decode(bytes)?;
    assert_eq!(chain.as_bytes(), bytes);
    Ok(self::chain(&chain.transfers().collect::<Vec<_>>()))
}

fn again_manifest(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let whole = Manifest::decode(bytes)?;
    let entries: Vec<Vec<u8>> = whole.entries().map(|(entry, bytes)| (encoded(&entry), bytes)).map(same).collect();
    assert_eq!(entries.len(), whole.entry_count());
    Ok(manifest(&whole.signed, &entries))
}

fn same((encoded, read): (Vec<u8>, &[u8])) -> Vec<u8> {
    assert_eq!(encoded, read);
    encoded
}

fn again_revocation(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let read = RevocationPage::decode(bytes)?;
    let notes: Vec<RevokedNote> = read.notes().collect();
    let RevocationPage { issuer, page, sequence, previous, oldest, issued_at, .. } = read;
    let body = encoded(&RevocationBody { issuer, page, sequence, previous, oldest, issued_at, notes: &notes });
    assert_eq!(read.id(), hash::h32("specie/v1/revocation", &[&body]));
    let signature = &bytes[bytes.len() - 64..];
    Ok([&[0x84, 1, 5][..], &body, &[0x58, 64], signature].concat())
}

fn again_enrolment(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    Enrolment::decode(bytes).map(|enrolment| encoded(&enrolment))
}

/// A holding of `held` that owns an output of `chain`, whatever it says.
fn owning<'b>(held: &Held, chain: &'b [u8]) -> Holding<'b> {
    let owned = Owned { chain: Chain::decode(chain).unwrap(), index: 1, blind: [5; 32] };
    Holding { owned: Some(owned), ..issued(held) }
}

fn issued<'b>(held: &Held) -> Holding<'b> {
    let (note, points) = (&held.note, &held.note.points);
    let opening = Opening::of(&note.secrets);
    Holding { class_id: held.class.id(), note: note.note, N0: points.N0, N1: points.N1, opening, owned: None }
}

fn again_holding(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    Holding::decode(bytes).map(|holding| encoded(&holding))
}

fn again_backup(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let read = Backup::decode(bytes)?;
    Ok(backup(read.made_at, read.holdings().collect()))
}

/// One of each, some in several forms.
pub(crate) fn all(world: &World) -> Vec<Example> {
    let supervisor = SupervisoryKey(encode_point(&world.bob.U));
    let transfer = crate::disclosures::disclosed(&world.note(&world.alice, 4), &world.alice.U, &supervisor, 5);
    let named = DisclosedTransfer { class: world.value.class.clone(), key: supervisor, transfer };
    let [first, second] = two_links(world);
    let chains = [chain(&[first, second]), chain(&[first.compact()])];
    let chains: Vec<&[u8]> = chains.iter().map(Vec::as_slice).collect();
    let entries = entries(world);
    let signed = header(&entries).sign(&key(6));
    let of = |name, bytes, again, number| Example { name, bytes, again, number };
    let entry = |name, index: usize| of(name, entries[index].clone(), plain::<Entry>, None);
    let note = world.note(&world.alice, 0);
    let again = note.transfer(Input::Issued, &[output(500, stranger(9))], Context([3; 32]));
    let evidence = Evidence { class: world.value.class.clone(), first, second: again.compact() };
    let receipt = Receipt { request: Context([1; 32]), preimage: [2; 32] };
    let longest = Info { amount: specie_core::Amount::MAX, epoch: 70_000, max_hops: 255, ..info(Kind::Value, 1) };
    vec![
        of("info", encoded(&info(Kind::Value, 500)), plain::<Info>, None),
        of("info with long integers", encoded(&longest), plain::<Info>, None),
        entry("class entry", 0),
        entry("PSP entry", 2),
        entry("ledger entry", 3),
        of("manifest header", encoded(&signed.header), plain::<ManifestHeader>, None),
        of("manifest", manifest(&signed, &entries), again_manifest, Some(4)),
        of("preimage, issued", encoded(&first.preimage), plain::<Preimage>, None),
        of("preimage, received", encoded(&second.preimage), plain::<Preimage>, None),
        of("preimage, redeeming", encoded(&redeeming(world).preimage), plain::<Preimage>, None),
        of("transfer, compact", encoded(&first.compact()), plain::<Transfer>, None),
        of("transfer, extended", encoded(&second), plain::<Transfer>, None),
        of("chain", chains[0].to_vec(), again_chain, None),
        of("request", encoded(&request(None, None)), plain::<Request>, Some(1)),
        of("request, signed", encoded(&request(Some(descriptor()), Some("2 coffees"))), plain::<Request>, Some(1)),
        of("payment", payment(&chains), again_payment, Some(2)),
        of("receipt", encoded(&receipt), plain::<Receipt>, Some(3)),
        of("descriptor", encoded(&descriptor()), plain::<Descriptor>, Some(8)),
        of("revocation page", revocation(2, &[1, 2, 3]), again_revocation, Some(5)),
        of("revocation page, empty", revocation(1, &[]), again_revocation, Some(5)),
        of("evidence", encoded(&evidence), plain::<Evidence>, Some(6)),
        of("transfer, disclosed", encoded(&named.transfer), plain::<Transfer>, None),
        of("disclosed transfer", encoded(&named), plain::<DisclosedTransfer>, Some(10)),
        of("holding", encoded(&owning(&note, chains[0])), again_holding, Some(22)),
        of("backup", backup(time(7_000), vec![owning(&note, chains[0]), issued(&note)]), again_backup, Some(23)),
        of("limits", encoded(&limits()), plain::<Limits>, Some(7)),
        of("mandate", encoded(&mandate()), plain::<Mandate>, Some(11)),
        of("certificate", encoded(&certificate(world)), plain::<Certificate>, None),
        of("enrolment", encoded(&enrolment(world, [8; 32], b"device-0", &mut Vec::new())), again_enrolment, Some(9)),
        of(
            "enrolment of a silent device",
            encoded(&enrolment(world, [8; 32], b"", &mut Vec::new())),
            again_enrolment,
            Some(9),
        ),
    ]
}

fn redeeming(world: &World) -> Transfer {
    world.note(&world.alice, 3).transfer(Input::Issued, &[], Context([4; 32]))
}

/// The class entry reads a class, not only bytes.
#[test]
fn an_entry_gives_the_class() {
    let world = World::new();
    match Entry::decode(&entries(&world)[0]) {
        Ok(Entry::Class(class)) => assert_eq!(class.id(), Class::id(&world.value.class)),
        other => panic!("{other:?}"),
    }
}
