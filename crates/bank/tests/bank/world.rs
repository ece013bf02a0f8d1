//! A bank on disk, devices that hold notes, and what honest and dishonest ones do with them.

use specie_audit::Actor;
use specie_bank::Bank;
use specie_bank::classes::NOTICE_SECONDS;
use specie_bank::conservation::Conservation;
use specie_bank::issuance::{BatchKey, IssuanceError, IssuanceRequest};
use specie_bank::manifest::{EpochPlan, series};
use specie_bank::payout::Destination;
use specie_bank::psp::PspRecord;
use specie_bank::redemption::{Redeemed, RedemptionError};
use specie_bank::settings::Settings;
use specie_bank::signer::{Answering, Committing, KeyRing, Signer};
use specie_bank::storage::{Storage, StorageError, Tx};
use specie_core::bytes::{ClassId, Context, NoteId, OwnerTag};
use specie_core::class::{Class, Kind};
use specie_core::disclosure::{Prepared, SupervisoryKey};
use specie_core::encoding::{Decode, Encode, Writer};
use specie_core::group::{Generators, RistrettoPoint, Scalar, encode_point};
use specie_core::hash::{h32, hs};
use specie_core::holding::{Holding, Opening, Owned};
use specie_core::issuance::{Blinded, Blinding, Commitment};
use specie_core::note::{Note, NoteSecrets, owner_tag};
use specie_core::payment::{Chain, ChainParts, write_payment};
use specie_core::show::{Points, Show, element_response};
use specie_core::signature::SigningKey;
use specie_core::text::{Currency, Name};
use specie_core::transfer::{Input, Output, Outputs, Preimage, Transfer, challenge};
use specie_core::{Amount, Timestamp};
use specie_store::AnyDatabase;
use specie_store::bank::{BankStore, SCHEMA};
use tempfile::TempDir;

pub(crate) type TestBank = Bank<BankStore<AnyDatabase>, KeyRing>;

/// Seed of the ledger's key.
pub(crate) const LEDGER_SEED: [u8; 32] = [2; 32];

/// Day 0 of the tests.
pub(crate) const START: u64 = 1_000_000;
/// A day, in seconds.
pub(crate) const DAY: u64 = 86_400;

/// Everything at once.
pub(crate) struct World {
    directory: TempDir,
    keys: Vec<u8>,
    bank: Option<TestBank>,
    pub(crate) root: SigningKey,
    pub(crate) now: Timestamp,
    pub(crate) random: Random,
    pub(crate) classes: Vec<Class>,
    pub(crate) generators: Generators,
}

/// Deterministic bytes: the seed is in every failing test's output.
pub(crate) struct Random {
    seed: u64,
    drawn: u64,
}

/// A device: its secret, and what the bank knows.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) u: Scalar,
    pub(crate) identity: [u8; 32],
    pub(crate) psp: Name,
}

/// A note or blank with everything needed to show it, as often as one dares.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) class: Class,
    pub(crate) id: NoteId,
    note: Note,
    secrets: NoteSecrets,
    points: Points,
    u: Scalar,
    k3: Scalar,
}

/// Value that a device can spend.
#[derive(Clone)]
pub(crate) struct Asset {
    /// What came before; empty for an issued note.
    pub(crate) chain: Vec<Transfer>,
    pub(crate) input: Input,
    pub(crate) held: Held,
    pub(crate) value: Amount,
}

/// An owner tag with the blank and the blind that open it.
#[derive(Clone)]
pub(crate) struct Tag {
    pub(crate) blank: Held,
    pub(crate) blind: [u8; 32],
    pub(crate) owner: OwnerTag,
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::new(seconds).unwrap()
}

pub(crate) fn account(psp: &str, account: &str) -> Destination {
    Destination { psp: name(psp), account: name(account) }
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        println!("seed {seed}");
        Self { seed, drawn: 0 }
    }

    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        self.drawn += 1;
        h32("test", &[&self.seed.to_be_bytes(), &self.drawn.to_be_bytes()])
    }

    pub(crate) fn scalar(&mut self) -> Scalar {
        hs("test", &[&self.bytes()])
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bytes = self.bytes();
        (u64::from_be_bytes(bytes[..8].try_into().unwrap()) % bound as u64) as usize
    }
}

/// The bank's database, for a bank that has its files in `directory`.
fn database(directory: &TempDir) -> AnyDatabase {
    AnyDatabase::open(&specie_testbed::place(&directory.path().join("bank.db")).unwrap(), &[SCHEMA]).unwrap()
}

impl World {
    /// A bank with two PSPs, `alpha` and `beta`, funded, and epoch 1: faces and caps to 1,000, 90 days to spend, 180 to
    /// redeem.
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = Self::empty(seed);
        for psp in ["alpha", "beta"] {
            world.register_psp(psp);
            let psp = name(psp);
            let now = world.now;
            world.transact(|tx| specie_bank::psp::fund(tx, &psp, amount(1_000_000), b"first", now)).unwrap();
        }
        world.new_epoch(1, START, START + 90 * DAY, START + 180 * DAY);
        world
    }

    /// A bank that was set up and nothing else.
    pub(crate) fn empty(seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (root, ledger) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&LEDGER_SEED));
        let settings = Settings {
            issuer: name("central-bank"),
            currency: Currency::new("XTS").unwrap(),
            root_key: root.public(),
            ledger_key: ledger.public(),
        };
        let ring = KeyRing::new(ledger);
        let store = BankStore(database(&directory));
        Bank::set_up(&store, &ring, &settings, Actor::service(), at(START)).unwrap();
        let keys = ring.expose_secret_bytes().to_vec();
        let random = Random::new(seed);
        let generators = Generators::new();
        let mut world =
            Self { directory, keys, bank: None, root, now: at(START), random, classes: Vec::new(), generators };
        world.restart();
        world
    }

    pub(crate) fn bank(&self) -> &TestBank {
        self.bank.as_ref().unwrap()
    }

    /// Closes the bank and opens it again, from its files alone.
    pub(crate) fn restart(&mut self) {
        self.bank = None;
        self.bank = Some(self.another_process());
    }

    /// A copy of all files, which goes its own way. Only of files.
    pub(crate) fn copy(&self) -> Self {
        self.bank().storage().0.checkpoint().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let of = |directory: &TempDir| directory.path().join("bank.db");
        std::fs::copy(of(&self.directory), of(&directory)).unwrap();
        let (keys, root, random) = (self.keys.clone(), SigningKey::from_seed(&[1; 32]), Random { ..self.random });
        let (now, classes, generators) = (self.now, self.classes.clone(), Generators::new());
        let mut copy = Self { directory, keys, bank: None, root, now, random, classes, generators };
        copy.restart();
        copy
    }

    /// A second bank on the same files.
    pub(crate) fn another_process(&self) -> TestBank {
        let store = BankStore(self.database());
        Bank::open(store, KeyRing::from_bytes(&self.keys).unwrap()).unwrap()
    }

    /// The bank's keys.
    pub(crate) fn keys(&self) -> KeyRing {
        KeyRing::from_bytes(&self.keys).unwrap()
    }

    /// The bank's database, once more.
    pub(crate) fn database(&self) -> AnyDatabase {
        database(&self.directory)
    }

    pub(crate) fn transact<T, E: From<StorageError>>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        self.bank().storage().transact(work)
    }

    pub(crate) fn register_psp(&mut self, psp: &str) {
        let record = PspRecord { name: name(psp), key: SigningKey::from_seed(&self.random.bytes()).public() };
        self.transact(|tx| specie_bank::psp::register(tx, &record)).unwrap();
    }

    /// Makes, signs and publishes the classes of an epoch.
    pub(crate) fn new_epoch(&mut self, epoch: u32, issue_from: u64, spend_until: u64, redeem_until: u64) {
        let plan = EpochPlan {
            epoch,
            issue_from: at(issue_from),
            spend_until: at(spend_until),
            redeem_until: at(redeem_until),
            max_hops: 4,
            faces: series(amount(1_000)),
            caps: vec![amount(100), amount(1_000)],
        };
        let new = self.make_keys(&plan);
        let draft = self.bank().draft_manifest(&new, self.now).unwrap();
        let (manifest, ahead) = (draft.sign(&self.root), at(issue_from) >= self.now.saturating_add(NOTICE_SECONDS));
        let published = if epoch == 1 || ahead {
            self.bank().publish_manifest(&manifest, self.now)
        } else {
            self.bank().publish_at_once(&manifest, "a test in a hurry", self.now)
        };
        published.unwrap();
        self.classes.extend(new);
    }

    /// Makes the keys of an epoch.
    pub(crate) fn make_keys(&mut self, plan: &EpochPlan) -> Vec<Class> {
        let seed = self.random.bytes();
        let infos = plan.infos(self.bank().settings()).unwrap();
        let mut ring = KeyRing::from_bytes(&self.keys).unwrap();
        let new = ring.make(&infos, &seed).unwrap();
        self.keys = ring.expose_secret_bytes().to_vec();
        self.restart();
        new
    }

    /// The newest class of that kind and amount.
    pub(crate) fn class(&self, kind: Kind, minor: u64) -> Class {
        let fits = |class: &&Class| class.info().kind == kind && class.info().amount.minor() == minor;
        self.classes.iter().rev().find(fits).unwrap().clone()
    }

    pub(crate) fn device(&mut self, psp: &str) -> Device {
        let u = self.random.scalar();
        let device = Device { u, identity: encode_point(&(u * self.generators.K)), psp: name(psp) };
        let now = self.now;
        self.transact(|tx| specie_bank::device::register(tx, &device.psp, &device.identity, now)).unwrap();
        device
    }

    pub(crate) fn request(&mut self, device: &Device, items: &[(ClassId, u64)]) -> IssuanceRequest {
        let id = self.random.bytes()[..16].try_into().unwrap();
        let batch = BatchKey { psp: device.psp, id };
        IssuanceRequest { batch, device: device.identity, items: items.to_vec() }
    }

    /// A whole withdrawal.
    pub(crate) fn withdraw(&mut self, device: &Device, items: &[(ClassId, u64)]) -> Result<Vec<Held>, IssuanceError> {
        let request = self.request(device, items);
        let started = self.start(device, &request)?;
        let now = self.now;
        let answered = self.transact(|tx| self.bank().answer_batch(tx, &request.batch, &started.challenges, now))?;
        self.transact(|tx| self.bank().acknowledge_batch(tx, &request.batch))?;
        Ok(started.finish(self, device, &answered.responses))
    }

    /// W1 to W3.
    pub(crate) fn start(&mut self, device: &Device, request: &IssuanceRequest) -> Result<Withdrawal, IssuanceError> {
        let prepared = self.bank().prepare_batch(request, self.now)?;
        let opened = self.transact(|tx| self.bank().open_batch(tx, &prepared))?;
        let mut withdrawal = Withdrawal { sessions: Vec::new(), challenges: Vec::new() };
        for (class_id, commitment) in opened.sessions {
            let class = self.classes.iter().find(|class| class.id() == class_id).unwrap().clone();
            withdrawal.blind(self, device, &class, commitment);
        }
        Ok(withdrawal)
    }

    /// One value note of this face.
    pub(crate) fn note(&mut self, device: &Device, face: u64) -> Asset {
        let class = self.class(Kind::Value, face);
        let held = self.withdraw(device, &[(class.id(), 1)]).unwrap().remove(0);
        Asset { chain: Vec::new(), input: Input::Issued, held, value: amount(face) }
    }

    /// A note made with the issuing key behind the bank's back, for a device that nobody registered.
    pub(crate) fn forge(&mut self, face: u64) -> Asset {
        let class = self.class(Kind::Value, face);
        let u = self.random.scalar();
        let device = Device { u, identity: encode_point(&(u * self.generators.K)), psp: name("alpha") };
        let U = u * self.generators.K;
        let batch = BatchKey { psp: device.psp, id: [0; 16] };
        let valid_until = self.now;
        let committing = Committing { batch: &batch, device: &U, classes: &[class.id()], valid_until };
        let (commitment, sealed) = self.bank().signer().commit(&committing).unwrap().remove(0);
        let mut withdrawal = Withdrawal { sessions: Vec::new(), challenges: Vec::new() };
        withdrawal.blind(self, &device, &class, commitment);
        let (sessions, challenges) = (vec![(class.id(), sealed)], &withdrawal.challenges);
        let answering = Answering { batch: &batch, sessions, challenges, valid_until };
        let responses = self.bank().signer().answer(&answering).unwrap();
        let held = withdrawal.finish(self, &device, &responses).remove(0);
        Asset { chain: Vec::new(), input: Input::Issued, held, value: amount(face) }
    }

    /// Owner tags, each of a fresh blank.
    pub(crate) fn tags(&mut self, device: &Device, count: u64) -> Vec<Tag> {
        let class = self.class(Kind::Blank, 1_000);
        let blanks = self.withdraw(device, &[(class.id(), count)]).unwrap();
        blanks.into_iter().map(|blank| self.tag(blank)).collect()
    }

    pub(crate) fn tag(&mut self, blank: Held) -> Tag {
        let blind = self.random.bytes();
        let owner = owner_tag(&blank.id, &blind);
        Tag { blank, blind, owner }
    }

    /// Redeems encoded chains in one batch.
    pub(crate) fn redeem(&mut self, to: Destination, chains: &[Vec<u8>]) -> Result<Vec<Redeemed>, RedemptionError> {
        let seed = self.random.bytes();
        let now = self.now;
        let checked = self.bank().check_redemption(to, chains, now, &seed)?;
        self.bank().redeem(&checked, now)
    }

    /// Redeems one asset and expects what becomes of it.
    #[track_caller]
    pub(crate) fn redeem_asset(&mut self, asset: &Asset, to: Destination) -> Redeemed {
        let chain = asset.redeem(to);
        self.redeem(to, &[chain]).unwrap().remove(0)
    }

    pub(crate) fn conservation(&self) -> Conservation {
        self.bank().storage().read(|view| self.bank().conservation(view)).unwrap()
    }

    /// Fails unless the books hold.
    #[track_caller]
    pub(crate) fn assert_conserved(&self) {
        let conservation = self.conservation();
        assert!(conservation.holds(), "{:#?}", conservation.findings);
    }

    pub(crate) fn alarms(&self) -> u64 {
        self.bank().storage().read(|view| view.alarm_count()).unwrap()
    }

    pub(crate) fn reserve(&self, psp: &str) -> u64 {
        let psp = name(psp);
        self.bank().storage().read(|view| specie_bank::psp::reserve(view, &psp)).unwrap().balance.minor()
    }

    pub(crate) fn balance(&self, account: &str) -> i64 {
        self.bank().storage().read(|view| view.balance(account)).unwrap()
    }
}

/// A withdrawal between W3 and W5.
pub(crate) struct Withdrawal {
    sessions: Vec<(Class, Commitment, Blinding, Scalar, Blinded)>,
    pub(crate) challenges: Vec<Scalar>,
}

impl Withdrawal {
    /// W3 for one note.
    fn blind(&mut self, world: &mut World, device: &Device, class: &Class, commitment: Commitment) {
        let (blinding, k3) = (Blinding::derive(&world.random.bytes()), world.random.scalar());
        let (U, K3) = (device.u * world.generators.K, k3 * world.generators.K);
        let blinded = Blinded::blind(&world.generators, class, &U, &K3, &blinding, &commitment).unwrap();
        self.challenges.push(*blinded.e());
        self.sessions.push((class.clone(), commitment, blinding, k3, blinded));
    }

    /// W5.
    pub(crate) fn finish(
        &self,
        world: &World,
        device: &Device,
        responses: &[specie_core::issuance::Response],
    ) -> Vec<Held> {
        let U: RistrettoPoint = device.u * world.generators.K;
        let finish = |((class, commitment, blinding, k3, blinded), response): (&(Class, _, _, Scalar, Blinded), _)| {
            let issued = blinded.unblind(&world.generators, class, &U, blinding, commitment, response).unwrap();
            let (note, secrets, points, id) = (issued.note, issued.secrets, issued.points, issued.id);
            Held { class: class.clone(), id, note, secrets, points, u: device.u, k3: *k3 }
        };
        self.sessions.iter().zip(responses).map(finish).collect()
    }
}

impl Held {
    /// Shows it. Nothing here keeps it from being shown twice.
    pub(crate) fn show(&self, input: Input, outputs: &[Output], context: Context) -> Transfer {
        let outputs = Outputs::new(outputs).unwrap();
        let preimage =
            Preimage { class_id: self.class.id(), note: self.note, input, outputs, context, disclosure: None };
        let d = challenge(preimage.to_bytes().as_slice());
        let z3 = element_response(&self.k3, &d, &self.secrets.gamma, &self.u);
        Transfer { preimage, show: Show::new(&self.secrets, &d, z3), disclosure: None, points: Some(self.points) }
    }
}

impl Asset {
    /// Spends it to owner tags: the chains of what they own then.
    pub(crate) fn pay(&self, outputs: &[(u64, &Tag)], context: Context) -> Vec<Asset> {
        let list: Vec<_> =
            outputs.iter().map(|(minor, tag)| Output { amount: amount(*minor), owner: tag.owner }).collect();
        let transfer = self.held.show(self.input, &list, context);
        let mut chain = self.chain.clone();
        chain.push(transfer);
        let owned = |(index, (minor, tag)): (usize, &(u64, &Tag))| Asset {
            chain: chain.clone(),
            input: Input::Received { previous: transfer.id(), index: index as u8, blind: tag.blind },
            held: tag.blank.clone(),
            value: amount(*minor),
        };
        outputs.iter().enumerate().map(owned).collect()
    }

    /// Spends it to one owner tag, naming `payer`, whose it is, to `key`: the chain of what is owned then.
    pub(crate) fn pay_disclosed(
        &self,
        world: &World,
        payer: &Device,
        key: &SupervisoryKey,
        tag: &Tag,
        context: Context,
    ) -> Asset {
        let mut paid = self.pay(&[(self.value.minor(), tag)], context).remove(0);
        let (held, transfer) = (&self.held, paid.chain.last_mut().expect("it was paid"));
        let (U, plain) = (payer.u * world.generators.K, transfer.preimage);
        let prepared = Prepared::new(key, &U, &held.secrets, &held.points.N1, &plain).unwrap();
        let preimage = Preimage { disclosure: Some(prepared.id()), ..plain };
        let d = challenge(preimage.to_bytes().as_slice());
        let z3 = element_response(&held.k3, &d, &held.secrets.gamma, &held.u);
        let disclosure = Some(prepared.answer(&held.secrets, &d));
        *transfer =
            Transfer { preimage, show: Show::new(&held.secrets, &d, z3), disclosure, points: Some(held.points) };
        paid.input = Input::Received { previous: transfer.id(), index: 0, blind: tag.blind };
        paid
    }

    /// The chain that redeems it.
    pub(crate) fn redeem(&self, to: Destination) -> Vec<u8> {
        let mut chain = self.chain.clone();
        chain.push(self.held.show(self.input, &[], to.context()));
        encode_chain(&chain)
    }

    /// What its device left with its PSP.
    pub(crate) fn holding(&self) -> Vec<u8> {
        let Held { class, note, secrets, points, .. } = &self.held;
        let chain = encode_chain(&self.chain);
        let owned = match self.input {
            Input::Issued => None,
            Input::Received { index, blind, .. } => Some(Owned { chain: Chain::decode(&chain).unwrap(), index, blind }),
        };
        let (class_id, opening) = (class.id(), Opening::of(secrets));
        Holding { class_id, note: *note, N0: points.N0, N1: points.N1, opening, owned }.to_vec()
    }

    /// A payment that hands this over.
    pub(crate) fn payment(&self) -> Vec<u8> {
        encode_payment(&[&encode_chain(&self.chain)])
    }
}

pub(crate) fn encode_chain(transfers: &[Transfer]) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for transfer in transfers {
        let before = (!bytes.is_empty()).then(|| Chain::decode(&bytes).unwrap());
        bytes = ChainParts { before, last: Some(transfer) }.to_vec();
    }
    bytes
}

pub(crate) fn encode_payment(chains: &[&[u8]]) -> Vec<u8> {
    let mut w = Writer::new(Vec::new());
    write_payment(chains, &mut w).unwrap();
    w.into_inner()
}

/// A context that means nothing.
pub(crate) fn context(byte: u8) -> Context {
    Context([byte; 32])
}

/// The ledger key of a key ring, for what it signed.
pub(crate) fn ledger_key(world: &World) -> specie_core::signature::PublicKey {
    world.bank().signer().ledger_key()
}
