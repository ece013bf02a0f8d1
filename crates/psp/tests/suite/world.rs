//! A customer with a device at a PSP, for tests.

use std::sync::Arc;

use specie_core::attestation::{Claims, Token};
use specie_core::class::Kind;
use specie_core::encoding::{Decode, Encode};
use specie_core::enrolment::{Certificate, CertificateBody, Enrolment, Proof};
use specie_core::group::{Generators, Scalar, encode_point};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::{Currency, Name};
use specie_core::{Amount, ClassId, Timestamp, hash, label};
use specie_psp::claim::ClaimCode;
use specie_psp::customer::{Customer, Merchant};
use specie_psp::enrolment::{Enrolled, EnrolmentError};
use specie_psp::evidence::{EvidenceKind, EvidenceRecord};
use specie_psp::policy::{Maker, Periods, Policy};
use specie_psp::request::Request;
use specie_psp::setting::Setting;
use specie_psp::tier::{Evidence, Tier, TierVersion};
use specie_psp::{Identity, Psp};
use specie_store::psp::{PspStore, SCHEMA};
use specie_store::{AnyDatabase, Sqlite};

use crate::faults::{Fuse, Fused};
use crate::model_bank::ModelBank;

pub type TestPsp = Psp<Fused<PspStore<AnyDatabase>>, Fused<ModelBank>>;

/// What the customer's account holds at first.
pub const DEPOSIT: u64 = 10_000;

/// In seconds.
pub const DAY: u64 = 86_400;

pub struct World {
    pub bank: Arc<ModelBank>,
    store: Arc<PspStore<AnyDatabase>>,
    pub maker: SigningKey,
    /// What the PSP's policy says of that maker.
    pub makers: Maker,
    pub coin: ClassId,
    pub blank: ClassId,
    pub device: TestDevice,
    codes: std::cell::Cell<u8>,
    directory: tempfile::TempDir,
}

/// What an element holds.
pub struct TestDevice {
    pub u: Scalar,
    pub key: SigningKey,
}

impl TestDevice {
    pub fn new(seed: u8) -> Self {
        Self { u: hash::hs(label::DEVICE_KEY, &[&[seed]]), key: SigningKey::from_seed(&[seed; 32]) }
    }

    pub fn identity(&self) -> [u8; 32] {
        encode_point(&(self.u * Generators::new().K))
    }

    /// A request of this device; `say` stands for what it says.
    pub fn asks<'k>(&self, key: &'k str, say: u8) -> Request<'k> {
        Request { who: self.key.public().0, key, fingerprint: [say; 32] }
    }

    /// The encoding of an enrolment.
    pub fn enrolment(&self, maker: &SigningKey, maker_name: &str, series: &str, nonce: &[u8; 32]) -> Vec<u8> {
        let (name, A) = (|text| Name::new(text).unwrap(), self.key.public());
        let body =
            CertificateBody { maker: name(maker_name), series: name(series), firmware: [5; 32], U: self.identity(), A };
        let w = hash::hs(label::ENROL_NONCE, &[nonce]);
        let proof = Proof::prove(&Generators::new(), &self.u, &w, &A, nonce, b"test device");
        let claims = Claims { element: &body, nonce };
        let attestation = Token { claims, signature: claims.sign(&self.key) }.to_vec();
        let certificate = Certificate::sign(body, maker);
        Enrolment { certificate, nonce: *nonce, device_info: b"test device", proof, attestation: &attestation }.to_vec()
    }
}

pub fn at(seconds: u64) -> Timestamp {
    Timestamp::new(1_700_000_000 + seconds).unwrap()
}

pub fn amount(minor: u64) -> Amount {
    Amount::new(minor).unwrap()
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

impl World {
    /// A bank with a coin of 100 and a blank of 5,000, a PSP that knows of both, and a customer with an enrolled device.
    pub fn new() -> Self {
        let world = Self::before_enrolment();
        let psp = world.psp();
        world.enrol(&psp, &world.device, "enrol-0000000000").unwrap();
        world
    }

    pub fn before_enrolment() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = specie_testbed::place(&directory.path().join("psp.db")).unwrap();
        let database = AnyDatabase::open(&place, &[SCHEMA]).unwrap();
        let bank = ModelBank::new();
        let coin = bank.publish(Kind::Value, 100, 1, at(0));
        let blank = bank.publish(Kind::Blank, 5_000, 1, at(0));
        let maker = SigningKey::from_seed(&[40; 32]);
        let (key, withdrawn_series) = (maker.public(), vec![name("broken")]);
        let makers = Maker { name: name("maker"), key, withdrawn_series, firmwares: vec![] };
        let world = Self {
            bank: Arc::new(bank),
            store: Arc::new(PspStore::new(database)),
            maker,
            makers,
            coin,
            blank,
            device: TestDevice::new(50),
            codes: std::cell::Cell::default(),
            directory,
        };
        let psp = world.psp();
        for (customer, merchant) in
            [("alice", None), ("bob", Some(Merchant { payee: name("Bob's Bakery"), category: 5462 }))]
        {
            let account = name(&format!("{customer}-account"));
            let customer = Customer { name: name(customer), account, tier: name("basic"), merchant };
            psp.add_customer(&customer, &[seen(EvidenceKind::Document)], at(0)).unwrap();
        }
        world.bank.state().reserve = 50_000;
        psp.fund_reserve(amount(50_000), "first funding", at(0)).unwrap();
        psp.deposit(&name("alice"), amount(DEPOSIT), "first deposit", at(0)).unwrap();
        psp.reconcile(at(0)).unwrap();
        world
    }

    /// The PSP, as after a restart.
    pub fn psp(&self) -> TestPsp {
        self.psp_with(&Fuse::sound())
    }

    /// The PSP, which breaks with `fuse`.
    pub fn psp_with(&self, fuse: &Arc<Fuse>) -> TestPsp {
        let identity = Identity {
            name: name("north"),
            key: SigningKey::from_seed(&[30; 32]),
            currency: Currency::new("XTS").unwrap(),
            root_key: self.bank.root_key(),
        };
        let policy = Policy::new(versions(), vec![self.makers.clone()], Periods::default()).unwrap();
        let store = Fused { inner: Arc::clone(&self.store), fuse: Arc::clone(fuse) };
        let bank = Fused { inner: Arc::clone(&self.bank), fuse: Arc::clone(fuse) };
        Psp::new(identity, policy, store, bank)
    }

    /// How many rows a table has, as whoever reads the file of the database finds; `None` where there is no file.
    pub fn rows(&self, table: &str) -> Option<usize> {
        let file = self.directory.path().join("psp.db");
        let tables = file.exists().then(|| Sqlite::open(&file, &[]).unwrap().everything().unwrap())?;
        tables.into_iter().find_map(|(name, rows)| (name == table).then_some(rows.len()))
    }

    /// A new claim code for alice.
    pub fn claim_code(&self) -> ClaimCode {
        self.codes.set(self.codes.get() + 1);
        self.psp().issue_claim_code(&name("alice"), &[self.codes.get(); 32], at(0)).unwrap()
    }

    /// Enrols a device of alice under one idempotency key for everything.
    pub fn enrol(&self, psp: &TestPsp, device: &TestDevice, key: &str) -> Result<Enrolled, EnrolmentError> {
        let seed = device.identity();
        let nonce = psp.enrolment_nonce(&anonymous(&format!("nonce-{key}"), 0), &seed, at(0))?;
        let code = ClaimCode::from_seed(&device.key.public().0);
        // A code is issued once; a repeat finds it used by this very enrolment.
        drop(self.psp().issue_claim_code(&name("alice"), &device.key.public().0, at(0)));
        let bytes = device.enrolment(&self.maker, "maker", "series", &nonce.nonce);
        psp.enrol(&anonymous(key, 1), &name("alice"), &code, &Enrolment::decode(&bytes).unwrap(), at(0))
    }

    /// Names what is done for a request of the device under `key`.
    pub fn operation(&self, key: &str) -> specie_psp::request::OperationId {
        self.device.asks(key, 1).operation()
    }

    /// What alice's account holds.
    pub fn balance(&self) -> u64 {
        self.psp().statement(&self.public(), at(0)).unwrap().balance.minor()
    }

    pub fn public(&self) -> PublicKey {
        self.device.key.public()
    }

    /// The books hold, at any moment.
    pub fn check_books(&self) {
        let books = self.psp().books().unwrap();
        assert!(books.findings.is_empty(), "{:?}", books.findings);
    }

    /// Nothing is under way any more, and PSP and bank agree.
    pub fn check_at_rest(&self) {
        self.check_books();
        let books = self.psp().books().unwrap();
        assert!(books.withdrawals_in_progress.is_zero(), "{books:?}");
        assert!(books.transfers_in_progress.is_zero(), "{books:?}");
        assert_eq!(books.reserve.minor(), self.bank.state().reserve, "{books:?}");
    }
}

/// `basic` asks for a telephone number or a document, `standard` for a document, `prepaid` for nothing, `online` and `verified`
/// for a credential. A second version, a
/// year later, halves what may be paid. Two tiers are named by the settings that they are in.
fn versions() -> Vec<TierVersion> {
    let tier =
        |name: &str, evidence: &[Evidence], [payment, cumulative, holding, day, month]: [u64; 5], devices_max| Tier {
            name: self::name(name),
            source: "a test".into(),
            evidence: evidence.to_vec(),
            setting: Setting::parse(name).unwrap_or(match evidence {
                [Evidence::None] => Setting::OfflineAnonymous,
                _ => Setting::OfflineKnown,
            }),
            max_payment: amount(payment),
            max_cumulative: amount(cumulative),
            max_holding: amount(holding),
            limits_validity_seconds: 14 * DAY,
            max_withdrawal_per_day: amount(day),
            max_withdrawal_per_month: amount(month),
            blanks_per_epoch: 10,
            blank_cap_max: amount(5_000),
            devices_max,
            uploads_kept_days: (name == "uploads").then_some(30),
        };
    let tiers = |payment: u64| {
        vec![
            tier("prepaid", &[Evidence::None], [payment, 15_000, 8_000, 2_000, 4_000], 1),
            tier("basic", &[Evidence::Phone, Evidence::Document], [payment, 15_000, 8_000, 2_000, 6_000], 2),
            tier("online", &[credential(&["given_name", "family_name"])], [payment, 15_000, 8_000, 2_000, 6_000], 2),
            tier("verified", &[credential(VERIFIED)], [payment, 15_000, 8_000, 2_000, 6_000], 2),
            tier("standard", &[Evidence::Document], [10 * payment, 150_000, 80_000, 20_000, 60_000], 3),
            tier("proofs", &[Evidence::Document], [payment, 15_000, 8_000, 2_000, 6_000], 2),
            tier("uploads", &[Evidence::Document], [payment, 15_000, 8_000, 2_000, 6_000], 2),
        ]
    };
    vec![
        TierVersion { version: 1, in_force_from: Timestamp::EPOCH, tiers: tiers(5_000) },
        TierVersion { version: 2, in_force_from: at(365 * DAY), tiers: tiers(2_500) },
    ]
}

/// The claims that `verified` asks for.
const VERIFIED: &[&str] = &["given_name", "family_name", "birthdate"];

fn credential(claims: &[&str]) -> Evidence {
    Evidence::Credential { claims: claims.iter().map(|&claim| claim.into()).collect() }
}

/// Evidence that the counter saw, for ever.
pub fn seen(kind: EvidenceKind) -> EvidenceRecord {
    let reference = if kind == EvidenceKind::Phone { "+49301234567" } else { "file 1" };
    EvidenceRecord { kind, reference: reference.into(), valid_until: None, by: name("counter"), at: at(0) }
}

/// Enrols a device for any customer, with a claim code and a nonce of its own.
pub fn enrol_for(
    world: &World,
    psp: &TestPsp,
    customer: &Name,
    device: &TestDevice,
    key: &str,
    now: Timestamp,
) -> Result<Enrolled, EnrolmentError> {
    let seed = hash::h32(label::CLAIM_CODE, &[key.as_bytes()]);
    let nonce = psp.enrolment_nonce(&anonymous(&format!("nonce-{key}"), 0), &seed, now)?;
    // A code is issued once; a repeat finds it used by this very enrolment.
    drop(psp.issue_claim_code(customer, &seed, now));
    let bytes = device.enrolment(&world.maker, "maker", "series", &nonce.nonce);
    psp.enrol(&anonymous(key, 1), customer, &ClaimCode::from_seed(&seed), &Enrolment::decode(&bytes).unwrap(), now)
}

/// A request that no device signs.
pub fn anonymous(key: &str, say: u8) -> Request<'_> {
    Request { who: [0; 32], key, fingerprint: [say; 32] }
}
