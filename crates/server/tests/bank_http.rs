//! The bank behind real HTTP: signed requests, repeats, restarts, a set-back database, a second process beside.
#![allow(clippy::unwrap_used, non_snake_case, reason = "tests; the letters of the specification")]

use std::path::Path;
use std::sync::Arc;

use specie_api::authorization::{Anonymous, Psp};
use specie_api::bank::{self as api, Client, path};
use specie_api::client::{CallError, Http, Timeouts};
use specie_api::hexadecimal::HexArray;
use specie_api::idempotency::Key;
use specie_api::problem;
use specie_core::class::{Class, Classes, Kind};
use specie_core::encoding::{Decode, Encode};
use specie_core::group::{Generators, Scalar, decode_scalar, encode_point};
use specie_core::hash::{h32, hs};
use specie_core::issuance::{Blinded, Blinding, Commitment, IssuedNote, Response};
use specie_core::manifest::{Entry, Manifest, ManifestHeader};
use specie_core::payment::ChainParts;
use specie_core::show::{Show, element_response};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::{Currency, Name};
use specie_core::transfer::{Input, Outputs, Preimage, Transfer, challenge};
use specie_core::{Amount, Timestamp, label};
use specie_server::Actor;
use specie_server::bank::{
    BankConfig, CentralBank, EpochTerms, NewBank, Notice, OpenBankError, SignerFolderError, init_bank, open_bank,
    router, serve_bank,
};
use specie_server::clock::Clock;
use specie_server::key_file::read_key;
use specie_server::service::{Service, Serving};

const START: u64 = 1_000_000;

/// A bank in a directory, served, and one PSP that asks.
struct World {
    directory: tempfile::TempDir,
    service: Option<Service>,
    client: Client,
    name: Name,
    key: SigningKey,
    keys: u8,
    generators: Generators,
}

fn clock() -> Clock {
    clock_at(START)
}

fn clock_at(seconds: u64) -> Clock {
    Clock::new(move || Timestamp::new(seconds).unwrap())
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn config(directory: &Path) -> BankConfig {
    BankConfig::read(&directory.join("bank.toml")).unwrap()
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let new = NewBank {
            issuer: name("central-bank"),
            currency: Currency::new("XTS").unwrap(),
            listen: "127.0.0.1:0".parse().unwrap(),
            database: specie_testbed::place(&directory.path().join("bank.db")).unwrap(),
            epoch: EpochTerms { largest_face: Amount::new(10).unwrap(), ..EpochTerms::default() },
        };
        init_bank(directory.path(), &new, Actor::service(), clock()).unwrap();
        assert!(init_bank(directory.path(), &new, Actor::service(), clock()).is_err());
        let key = SigningKey::from_seed(&[9; 32]);
        let generators = Generators::new();
        let client = Client::new(Http::new("http://127.0.0.1:1", Timeouts::default()).unwrap());
        let mut world = Self { directory, service: None, client, name: name("alpha"), key, keys: 0, generators };
        let (central, root) = (world.operator(), world.root());
        central.register_psp(&root, world.name, world.key.public()).unwrap();
        central.fund_psp(&world.name, Amount::new(100).unwrap(), b"transfer 1").unwrap();
        assert!(central.fund_psp(&world.name, Amount::new(100).unwrap(), b"transfer 1").is_err());
        world.serve();
        world
    }

    /// Stops the service as a crash would, and serves again.
    fn serve(&mut self) {
        self.service = None;
        let service = serve_bank(&config(self.directory.path()), clock()).unwrap();
        let address = format!("http://{}", service.address());
        self.client = Client::new(Http::new(&address, Timeouts::default()).unwrap());
        self.service = Some(service);
    }

    /// The bank as another process has it.
    fn operator(&self) -> Arc<CentralBank> {
        open_bank(&config(self.directory.path()), clock()).unwrap()
    }

    fn root(&self) -> SigningKey {
        read_key(&self.directory.path().join("root.key")).unwrap()
    }

    fn psp(&self) -> Psp<'_> {
        Psp { name: self.name, key: &self.key, now: Timestamp::new(START).unwrap() }
    }

    fn key(&mut self) -> Key {
        self.keys += 1;
        Key::from_bytes(&[self.keys; 16])
    }

    fn classes(&self) -> Vec<Class> {
        let manifest = self.client.manifests(0).unwrap().manifest.unwrap();
        let manifest = Manifest::decode(&manifest.0).unwrap();
        manifest.verify(&self.root().public()).unwrap();
        let class = |(entry, _): (Entry, &[u8])| if let Entry::Class(class) = entry { Some(class) } else { None };
        manifest.entries().filter_map(class).collect()
    }

    fn class(&self, kind: Kind, minor: u64) -> Class {
        let fits = |class: &Class| class.info().kind == kind && class.info().amount.minor() == minor;
        let newest = self.classes().into_iter().filter(fits).max_by_key(|class| class.info().epoch);
        newest.unwrap()
    }

    fn device(&mut self, seed: u8) -> Device {
        let u = hs("test", &[&[seed]]);
        let identity = HexArray(encode_point(&(u * self.generators.K)));
        let key = self.key();
        self.client.register_device(&mut self.psp(), &key, &identity).unwrap();
        Device { u, identity }
    }
}

struct Device {
    u: Scalar,
    identity: HexArray<32>,
}

/// A withdrawal of one note.
struct Withdrawal {
    class: Class,
    batch: HexArray<16>,
    request: api::IssuanceRequest,
    open_key: Key,
    commitment: Commitment,
    blinding: Blinding,
    blinded: Blinded,
    challenges: api::Challenges,
    k3: Scalar,
}

impl Withdrawal {
    fn start(world: &mut World, device: &Device, class: Class, seed: u8) -> Self {
        let batch = HexArray([seed; 16]);
        let items = vec![api::IssuanceItem { class_id: class.id().0.into(), count: 1 }];
        let request = api::IssuanceRequest { device: device.identity, items };
        let open_key = world.key();
        let opened = world.client.open_batch(&mut world.psp(), &open_key, &batch, &request).unwrap();
        let commitment = Commitment::from_bytes(&opened.sessions[0].commitment.0);
        let blinding = Blinding::derive(&h32("test blinding", &[&[seed]]));
        let k3 = hs("test k3", &[&[seed]]);
        let (U, K3) = (device.u * world.generators.K, k3 * world.generators.K);
        let blinded = Blinded::blind(&world.generators, &class, &U, &K3, &blinding, &commitment).unwrap();
        let challenges = api::Challenges { challenges: vec![HexArray(blinded.e().to_bytes())] };
        Self { class, batch, request, open_key, commitment, blinding, blinded, challenges, k3 }
    }

    fn answer(&self, world: &mut World) -> Result<api::Responses, CallError> {
        let key = world.key();
        world.client.challenge(&mut world.psp(), &key, &self.batch, &self.challenges)
    }

    fn finish(&self, world: &World, device: &Device, responses: &api::Responses) -> IssuedNote {
        let response = Response::from_bytes(&responses.responses[0].0).unwrap();
        let U = device.u * world.generators.K;
        let Self { class, blinding, commitment, blinded, .. } = self;
        blinded.unblind(&world.generators, class, &U, blinding, commitment, &response).unwrap()
    }

    /// A chain that redeems the note to an account of this PSP.
    fn redeem(&self, world: &World, device: &Device, note: &IssuedNote, account: &str) -> api::RedemptionRequest {
        let context = h32(label::REDEEM, &[world.name.as_str().as_bytes(), account.as_bytes()]);
        let preimage = Preimage {
            class_id: self.class.id(),
            note: note.note,
            input: Input::Issued,
            outputs: Outputs::NONE,
            context: specie_core::Context(context),
            disclosure: None,
        };
        let d = challenge(preimage.to_bytes().as_slice());
        let z3 = element_response(&self.k3, &d, &note.secrets.gamma, &device.u);
        let show = Show::new(&note.secrets, &d, z3);
        let transfer = Transfer { preimage, show, disclosure: None, points: Some(note.points) };
        let chain = ChainParts { before: None, last: Some(&transfer) }.to_vec();
        api::RedemptionRequest { psp: world.name.as_str().into(), account: account.into(), chains: vec![chain.into()] }
    }
}

#[test]
fn a_note_goes_out_and_comes_back_over_http() {
    let mut world = World::new();
    let device = world.device(1);
    let class = world.class(Kind::Value, 10);
    let withdrawal = Withdrawal::start(&mut world, &device, class, 7);
    // The same question again, after a crash, gets the same commitments.
    world.serve();
    let Withdrawal { batch, request, open_key, commitment, .. } = &withdrawal;
    let again = world.client.open_batch(&mut world.psp(), open_key, batch, request).unwrap();
    assert_eq!(again.sessions[0].commitment.0, commitment.to_bytes());
    assert_eq!((again.value, world.client.batch(&mut world.psp(), batch).unwrap().state), (10, api::BatchState::Open));
    let first = withdrawal.answer(&mut world).unwrap();
    world.serve();
    assert_eq!(withdrawal.answer(&mut world).unwrap(), first);
    assert_eq!(world.client.reserve(&mut world.psp()).unwrap().balance, 90);
    let note = withdrawal.finish(&world, &device, &first);
    let key = world.key();
    let erased = world.client.acknowledge(&mut world.psp(), &key, batch).unwrap();
    assert_eq!(erased.state, api::BatchState::Erased);
    assert!(withdrawal.answer(&mut world).unwrap_err().is(&api::BATCH_ERASED));

    let request = withdrawal.redeem(&world, &device, &note, "alice");
    let key = world.key();
    let credited = api::Redemption { items: vec![api::RedemptionItem::Credited { amount: 10 }] };
    assert_eq!(world.client.redeem(&mut world.psp(), &key, &request).unwrap(), credited);
    world.serve();
    assert_eq!(world.client.redeem(&mut world.psp(), &key, &request).unwrap(), credited);
    let other = world.key();
    assert_eq!(world.client.redeem(&mut world.psp(), &other, &request).unwrap(), credited);
    let reserve = world.client.reserve(&mut world.psp()).unwrap();
    assert_eq!((reserve.balance, reserve.credit_sequence), (100, 1));
    let credits = world.client.credits(&mut world.psp(), 0).unwrap();
    assert_eq!((credits.credits.len(), credits.credits[0].account.as_str(), credits.more), (1, "alice", false));
    assert!(world.client.credits(&mut world.psp(), 1).unwrap().credits.is_empty());

    // Redeemed a second time elsewhere: the device names itself, to everyone.
    let request = withdrawal.redeem(&world, &device, &note, "mallory");
    let key = world.key();
    let refused = world.client.redeem(&mut world.psp(), &key, &request).unwrap().items.remove(0);
    assert!(matches!(refused, api::RedemptionItem::Refused { code, .. } if code == api::refusal::DOUBLE_SPENT));
    let evidence = world.client.evidence(0).unwrap();
    assert_eq!(
        (evidence.items.len(), evidence.items[0].device, evidence.items[0].registered),
        (1, device.identity, true)
    );
    let proof = specie_core::evidence::Evidence::decode(&evidence.items[0].evidence.0).unwrap();
    assert_eq!(proof.verify_vartime(&world.generators).unwrap().U, device.identity.0);
    assert_eq!(world.client.revocations(0).unwrap().pages.len(), 1);
    let struck_off = world.client.struck_off(&mut world.psp(), 0).unwrap();
    assert_eq!(struck_off.devices[0].device, device.identity);
    let books = world.client.conservation().unwrap();
    assert!(books.holds, "{:?}", books.findings);
    let status = world.client.status().unwrap();
    assert_eq!((status.devices, status.struck_off, status.double_spends, status.alarms), (1, 1, 1, 0));
}

#[test]
fn a_key_is_for_one_request() {
    let mut world = World::new();
    let (one, two) = (HexArray(encode_point(&world.generators.K)), HexArray(encode_point(&world.generators.H)));
    let key = world.key();
    world.client.register_device(&mut world.psp(), &key, &one).unwrap();
    // Once more, to find out what came of it.
    world.client.register_device(&mut world.psp(), &key, &one).unwrap();
    let conflict = world.client.register_device(&mut world.psp(), &key, &two).unwrap_err();
    assert!(conflict.is(&problem::IDEMPOTENCY_CONFLICT));
    // Another key, so another wish: the device is known.
    let other = world.key();
    assert!(world.client.register_device(&mut world.psp(), &other, &one).unwrap_err().is(&api::DEVICE_KNOWN));
    assert!(
        world
            .client
            .register_device(&mut world.psp(), &other, &HexArray([0; 32]))
            .unwrap_err()
            .is(&api::DEVICE_INVALID)
    );
}

#[test]
fn strangers_and_forgers_are_refused() {
    let world = World::new();
    let device = HexArray(encode_point(&world.generators.K));
    let key = Key::from_bytes(&[1; 16]);
    let wrong_key = SigningKey::from_seed(&[1; 32]);
    let now = Timestamp::new(START).unwrap();
    let mut impostors = [
        Psp { name: world.name, key: &wrong_key, now },
        Psp { name: name("beta"), key: &world.key, now },
        Psp { name: world.name, key: &world.key, now: now.saturating_add(601) },
    ];
    for (index, impostor) in impostors.iter_mut().enumerate() {
        let code = if index == 2 { &problem::REQUEST_TIME } else { &problem::UNAUTHENTICATED };
        let refused = world.client.register_device(impostor, &key, &device).unwrap_err();
        assert!(refused.is(code));
        // Whose clock is wrong learns the right time.
        assert_eq!(refused.to_string().contains(&START.to_string()), index == 2, "{refused}");
        assert!(world.client.credits(impostor, 0).unwrap_err().is(code));
    }
    assert!(world.client.reserve(&mut Anonymous).unwrap_err().is(&problem::UNAUTHENTICATED));
    let http = Http::new(world.client.address(), Timeouts::default()).unwrap();
    let nowhere = http.get::<api::Empty>(&format!("{}x", path::STATUS), &mut Anonymous).unwrap_err();
    assert!(nowhere.is(&problem::NOT_FOUND));
    let nonsense = http.get::<api::Empty>(&format!("{}?after=-1", path::EVIDENCE), &mut Anonymous).unwrap_err();
    assert!(nonsense.is(&problem::MALFORMED));
    assert_eq!(world.client.status().unwrap().devices, 0);
}

#[test]
fn a_batch_of_another_psp_does_not_exist() {
    let mut world = World::new();
    let device = world.device(1);
    let class = world.class(Kind::Value, 1);
    let withdrawal = Withdrawal::start(&mut world, &device, class, 3);
    let other = SigningKey::from_seed(&[8; 32]);
    let (central, root) = (world.operator(), world.root());
    central.register_psp(&root, name("beta"), other.public()).unwrap();
    let mut beta = Psp { name: name("beta"), key: &other, now: Timestamp::new(START).unwrap() };
    let key = Key::from_bytes(&[200; 16]);
    let unknown = world.client.challenge(&mut beta, &key, &withdrawal.batch, &withdrawal.challenges).unwrap_err();
    assert!(unknown.is(&api::BATCH_UNKNOWN));
    assert!(world.client.batch(&mut beta, &withdrawal.batch).unwrap_err().is(&api::BATCH_UNKNOWN));
    // Nor may it have notes made for a device that is not its own.
    let foreign = world.client.open_batch(&mut beta, &key, &HexArray([5; 16]), &withdrawal.request).unwrap_err();
    assert!(foreign.is(&api::DEVICE_UNREGISTERED));
}

#[test]
fn reserves_pay_reserves() {
    let mut world = World::new();
    let other = SigningKey::from_seed(&[8; 32]);
    world.operator().register_psp(&world.root(), name("beta"), other.public()).unwrap();
    let mut order = api::TransferRequest {
        transfer_id: HexArray([1; 16]),
        from_account: "alice".into(),
        to_psp: "beta".into(),
        to_account: "bob".into(),
        amount: 60,
        reference: "rent".into(),
    };
    for _ in 0..2 {
        // Under another key, but the same order.
        let key = world.key();
        world.client.transfer(&mut world.psp(), &key, &order).unwrap();
    }
    assert_eq!(world.client.reserve(&mut world.psp()).unwrap().balance, 40);
    let key = world.key();
    order.amount = 61;
    assert!(world.client.transfer(&mut world.psp(), &key, &order).unwrap_err().is(&api::TRANSFER_KNOWN));
    order.transfer_id = HexArray([2; 16]);
    assert!(world.client.transfer(&mut world.psp(), &key, &order).unwrap_err().is(&api::RESERVE_TOO_LOW));
    // What was refused left no trace: the key serves again once the reserve is funded.
    world.operator().fund_psp(&world.name, Amount::new(21).unwrap(), b"transfer 2").unwrap();
    world.client.transfer(&mut world.psp(), &key, &order).unwrap();
    let mut beta = Psp { name: name("beta"), key: &other, now: Timestamp::new(START).unwrap() };
    let credits = world.client.credits(&mut beta, 0).unwrap().credits;
    let seen: Vec<_> =
        credits.iter().map(|credit| (credit.sequence, credit.amount, credit.reference.as_str())).collect();
    assert_eq!(seen, [(1, 60, "rent"), (2, 61, "rent")]);
    assert!(world.client.conservation().unwrap().holds);
}

#[test]
fn a_new_epoch_is_issued_by_the_process_that_already_serves() {
    let mut world = World::new();
    let device = world.device(1);
    let old = world.class(Kind::Value, 5);
    let terms = EpochTerms { largest_face: Amount::new(10).unwrap(), ..EpochTerms::default() };
    world.operator().rotate(&world.root(), &terms, Notice::Waived("a test in a hurry")).unwrap();
    let new = world.class(Kind::Value, 5);
    assert_eq!((old.info().epoch, new.info().epoch), (1, 2));
    assert!(world.classes().as_slice().class(&old.id()).is_some(), "the old epoch stays until it is redeemed no more");
    let withdrawal = Withdrawal::start(&mut world, &device, new, 4);
    let responses = withdrawal.answer(&mut world).unwrap();
    withdrawal.finish(&world, &device, &responses);
    // The headers are a chain, from the first to the newest.
    let root: PublicKey = world.root().public();
    let headers = world.client.manifests(0).unwrap().headers;
    let headers: Vec<_> = headers
        .iter()
        .map(|signed| {
            root.verify(label::MANIFEST, &[&signed.header.0], &signed.signature.0).unwrap();
            ManifestHeader::decode(&signed.header.0).unwrap()
        })
        .collect();
    assert_eq!(headers.len(), 3);
    assert!(headers.windows(2).all(|pair| pair[1].follows(&pair[0])));
    assert_eq!(world.client.manifests(2).unwrap().headers.len(), 1);
}

#[test]
fn a_database_set_back_does_not_give_the_key_away() {
    if specie_testbed::on_server() {
        println!("skipped: a file is set back here");
        return;
    }
    let mut world = World::new();
    let device = world.device(1);
    let class = world.class(Kind::Value, 10);
    let mut withdrawal = Withdrawal::start(&mut world, &device, class, 7);
    // A backup, taken while the batch was open.
    world.service.take().unwrap().stop();
    let file = world.directory.path().join("bank.db");
    let backup = world.directory.path().join("backup.db");
    world.operator().bank.storage().0.checkpoint().unwrap();
    std::fs::copy(&file, &backup).unwrap();
    world.serve();
    withdrawal.answer(&mut world).unwrap();
    world.service.take().unwrap().stop();
    for end in ["-wal", "-shm"] {
        drop(std::fs::remove_file(world.directory.path().join(format!("bank.db{end}"))));
    }
    std::fs::copy(&backup, &file).unwrap();
    world.serve();
    assert_eq!(world.client.batch(&mut world.psp(), &withdrawal.batch).unwrap().state, api::BatchState::Open);
    let honest = withdrawal.challenges.clone();
    let e = decode_scalar(&honest.challenges[0].0).unwrap() + Scalar::ONE;
    withdrawal.challenges.challenges[0] = HexArray(e.to_bytes());
    assert!(withdrawal.answer(&mut world).unwrap_err().is(&api::OTHER_CHALLENGES));
    // The old challenge is answered as before.
    withdrawal.challenges = honest;
    withdrawal.answer(&mut world).unwrap();
}

#[test]
fn a_batch_that_was_called_void_is_void_by_every_clock() {
    let mut world = World::new();
    let device = world.device(1);
    let class = world.class(Kind::Value, 10);
    let withdrawal = Withdrawal::start(&mut world, &device, class, 7);
    // Beside a process whose clock says that the time is over: what it calls void, the PSP refunds.
    let late = START + api::BATCH_LIFETIME_SECONDS + 1;
    let central = open_bank(&config(world.directory.path()), clock_at(late)).unwrap();
    let beside = Service::start(Serving::new(router(central)), "127.0.0.1:0".parse().unwrap()).unwrap();
    let ahead = Client::new(Http::new(&format!("http://{}", beside.address()), Timeouts::default()).unwrap());
    let key = world.key();
    let mut psp = Psp { now: Timestamp::new(late).unwrap(), ..world.psp() };
    let refused = ahead.challenge(&mut psp, &key, &withdrawal.batch, &withdrawal.challenges).unwrap_err();
    assert!(refused.is(&api::BATCH_VOID), "{refused}");
    let answered = withdrawal.answer(&mut world);
    assert!(answered.unwrap_err().is(&api::BATCH_VOID), "refunded and answered");
    assert_eq!(world.client.batch(&mut world.psp(), &withdrawal.batch).unwrap().state, api::BatchState::Void);
    assert_eq!(world.client.reserve(&mut world.psp()).unwrap().balance, 100);
}

#[test]
fn a_bank_is_not_set_up_over_another() {
    let world = World::new();
    let path = |file: &str| world.directory.path().join(file);
    let keys = std::fs::read(path("signer/keys")).unwrap();
    // The root key is offline, as it should be, and the configuration was lost.
    for file in ["root.key", "bank.toml"] {
        std::fs::rename(path(file), path(&format!("{file}.elsewhere"))).unwrap();
    }
    let new = NewBank {
        issuer: name("central-bank"),
        currency: Currency::new("XTS").unwrap(),
        listen: "127.0.0.1:0".parse().unwrap(),
        database: specie_testbed::place(&path("bank.db")).unwrap(),
        epoch: EpochTerms::default(),
    };
    assert!(matches!(
        init_bank(world.directory.path(), &new, Actor::service(), clock()),
        Err(OpenBankError::Exists(_))
    ));
    assert_eq!(std::fs::read(path("signer/keys")).unwrap(), keys, "the issuing keys are as they were");
    assert!(!path("root.key").exists());
}

#[cfg(unix)]
#[test]
fn keys_that_others_may_read_are_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let keys = world.directory.path().join("signer/keys");
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = open_bank(&config(world.directory.path()), clock());
    assert!(matches!(refused, Err(OpenBankError::Signer(SignerFolderError::Vault(_)))));
}
