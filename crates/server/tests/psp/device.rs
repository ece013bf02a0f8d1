//! A device made of keys: an element and a wallet in a few lines, which trust nobody and keep no limits.

use specie_api::authorization::{Device, SigningError};
use specie_api::client::CallError;
use specie_api::hexadecimal::{Hex, HexArray};
use specie_api::psp::{
    Challenges, RedemptionItem, RedemptionRequest, Responses, Withdrawal, WithdrawalItem, WithdrawalRequest,
};
use specie_core::attestation::{Claims, Token};
use specie_core::class::Class;
use specie_core::encoding::Encode;
use specie_core::enrolment::{Certificate, CertificateBody, Enrolment, Proof};
use specie_core::group::{Generators, RistrettoPoint, Scalar, encode_point};
use specie_core::issuance::{Blinded, Blinding, Commitment, IssuedNote, Response};
use specie_core::payment::ChainParts;
use specie_core::show::{Show, element_response};
use specie_core::signature::SigningKey;
use specie_core::transfer::{Input, Outputs, Preimage, Transfer, challenge};
use specie_core::{Context, hash, label};
use specie_server::clock::Clock;

use crate::world::{World, name};

pub struct TestDevice {
    u: Scalar,
    pub key: SigningKey,
    pub psp: &'static str,
    pub customer: String,
    clock: Clock,
}

/// A note that a device holds.
pub struct TestNote {
    class: Class,
    issued: IssuedNote,
    k3: Scalar,
}

/// A withdrawal between W3 and W5.
pub struct Blinding3 {
    classes: Vec<Class>,
    seed: u8,
    pub withdrawal: Withdrawal,
    blinded: Vec<Blinded>,
}

impl TestDevice {
    pub fn new(seed: u8, psp: &'static str, customer: &str, clock: Clock) -> Self {
        let u = hash::hs(label::DEVICE_KEY, &[&[seed]]);
        Self { u, key: SigningKey::from_seed(&[seed; 32]), psp, customer: customer.into(), clock }
    }

    pub fn U(&self) -> RistrettoPoint {
        self.u * Generators::new().K
    }

    /// The encoding of an enrolment.
    pub fn enrolment(&self, maker: &SigningKey, maker_name: &str, series: &str, nonce: &[u8; 32]) -> Vec<u8> {
        let A = self.key.public();
        let (maker_name, series) = (name(maker_name), name(series));
        let body = CertificateBody { maker: maker_name, series, firmware: [5; 32], U: encode_point(&self.U()), A };
        let w = hash::hs(label::ENROL_NONCE, &[nonce]);
        let proof = Proof::prove(&Generators::new(), &self.u, &w, &A, nonce, b"test device");
        let claims = Claims { element: &body, nonce };
        let attestation = Token { claims, signature: claims.sign(&self.key) }.to_vec();
        let certificate = Certificate::sign(body, maker);
        Enrolment { certificate, nonce: *nonce, device_info: b"test device", proof, attestation: &attestation }.to_vec()
    }

    /// Signs one request.
    pub fn signer(&self) -> Device<impl FnMut(&[u8; 32]) -> Result<[u8; 64], SigningError>> {
        let sign = |digest: &[u8; 32]| Ok(self.key.sign(label::DEVICE_REQUEST, &[digest]));
        Device { key: self.key.public(), now: self.clock.now(), sign }
    }

    pub fn request(&self, classes: &[Class]) -> WithdrawalRequest {
        let mut items: Vec<WithdrawalItem> = Vec::new();
        for class in classes {
            let class_id = HexArray(class.id().0);
            match items.iter_mut().find(|item| item.class_id == class_id) {
                Some(item) => item.count += 1,
                None => items.push(WithdrawalItem { class_id, count: 1 }),
            }
        }
        WithdrawalRequest { items }
    }

    /// W1 to W3: opens a withdrawal of these classes, which are in the order of the request, and blinds.
    pub fn open(&self, world: &World, classes: &[Class], seed: u8) -> Result<Blinding3, CallError> {
        let withdrawal = world.client(self.psp).withdraw(&mut self.signer(), &world.key(), &self.request(classes))?;
        let blind = |(index, (class, session)): (usize, (&Class, &specie_api::psp::Session))| {
            let commitment = Commitment::from_bytes(&session.commitment.0);
            let K3 = k3(seed, index) * Generators::new().K;
            Blinded::blind(&Generators::new(), class, &self.U(), &K3, &blinding(seed, index), &commitment).unwrap()
        };
        let blinded = classes.iter().zip(&withdrawal.sessions).enumerate().map(blind).collect();
        Ok(Blinding3 { classes: classes.to_vec(), seed, withdrawal, blinded })
    }

    /// W3 and W4.
    pub fn challenge(&self, world: &World, blinding: &Blinding3) -> Result<Responses, CallError> {
        let id = &blinding.withdrawal.withdrawal_id;
        world.client(self.psp).challenge(&mut self.signer(), &world.key(), id, &blinding.challenges())
    }

    /// W5: checks and keeps.
    pub fn finish(&self, opened: &Blinding3, responses: &Responses) -> Vec<TestNote> {
        let notes = opened.classes.iter().zip(&opened.blinded).zip(&opened.withdrawal.sessions).enumerate();
        let note = |(index, ((class, blinded), session)): (usize, ((&Class, &Blinded), &specie_api::psp::Session))| {
            let commitment = Commitment::from_bytes(&session.commitment.0);
            let response = Response::from_bytes(&responses.responses[index].0).unwrap();
            let blinding = blinding(opened.seed, index);
            let issued =
                blinded.unblind(&Generators::new(), class, &self.U(), &blinding, &commitment, &response).unwrap();
            TestNote { class: class.clone(), issued, k3: k3(opened.seed, index) }
        };
        notes.map(note).collect()
    }

    /// The whole of a withdrawal.
    pub fn withdraw(&self, world: &World, classes: &[Class], seed: u8) -> Result<Vec<TestNote>, CallError> {
        let opened = self.open(world, classes, seed)?;
        let notes = self.finish(&opened, &self.challenge(world, &opened)?);
        let id = &opened.withdrawal.withdrawal_id;
        world.client(self.psp).acknowledge(&mut self.signer(), &world.key(), id)?;
        Ok(notes)
    }

    /// A chain that redeems a value note to an account.
    pub fn redeeming(&self, note: &TestNote, psp: &str, account: &str) -> Hex {
        let preimage = Preimage {
            class_id: note.class.id(),
            note: note.issued.note,
            input: Input::Issued,
            outputs: Outputs::NONE,
            context: Context(hash::h32(label::REDEEM, &[psp.as_bytes(), account.as_bytes()])),
            disclosure: None,
        };
        let d = challenge(preimage.to_bytes().as_slice());
        let z3 = element_response(&note.k3, &d, &note.issued.secrets.gamma, &self.u);
        let show = Show::new(&note.issued.secrets, &d, z3);
        let transfer = Transfer { preimage, show, disclosure: None, points: Some(note.issued.points) };
        Hex(ChainParts { before: None, last: Some(&transfer) }.to_vec())
    }

    /// Redeems notes to an account.
    pub fn redemption(&self, notes: &[TestNote], psp: &str, account: &str) -> RedemptionRequest {
        let chains = notes.iter().map(|note| self.redeeming(note, psp, account)).collect();
        RedemptionRequest { psp: psp.into(), account: account.into(), chains }
    }
}

impl Blinding3 {
    pub fn challenges(&self) -> Challenges {
        Challenges { challenges: self.blinded.iter().map(|blinded| HexArray(blinded.e().to_bytes())).collect() }
    }
}

/// What was credited, chain by chain; 0 for a refused one.
pub fn credited(items: &[RedemptionItem]) -> Vec<u64> {
    let amount = |item: &RedemptionItem| if let RedemptionItem::Credited { amount } = item { *amount } else { 0 };
    items.iter().map(amount).collect()
}

fn k3(seed: u8, index: usize) -> Scalar {
    hash::hs(label::K3, &[&[seed, u8::try_from(index).unwrap()]])
}

fn blinding(seed: u8, index: usize) -> Blinding {
    Blinding::derive(&[seed, u8::try_from(index).unwrap()].repeat(16).try_into().unwrap())
}
