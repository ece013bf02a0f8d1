//! A model of the bank: what a PSP may rely on, and no cryptography. The real bank is met in the server's tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use specie_core::bytes::RevokedNote;
use specie_core::class::{Class, Info, Kind};
use specie_core::encoding::Encode;
use specie_core::issuance::IssuingKey;
use specie_core::manifest::{Entry, ManifestHeader, write_manifest};
use specie_core::revocation::{PAGE_LENGTH_MAX, RevocationBody};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::text::{Currency, Name};
use specie_core::{Amount, ClassId, Timestamp, encoding, merkle};
use specie_psp::bank::{
    Bank, BankError, BatchStanding, Credit, CreditOrigin, Manifests, Redemption, RedemptionResult, Refusal,
    ReserveTransfer, Restitution, RestitutionResult, RestitutionState, Session, SignedHeader, StruckOff,
};
use specie_psp::request::OperationId;

/// The bank.
pub struct ModelBank {
    pub root: SigningKey,
    ledger: SigningKey,
    state: Mutex<State>,
    /// Happens once, after a device was registered and before its PSP hears of it.
    pub meanwhile: Mutex<Option<Meanwhile>>,
}

pub type Meanwhile = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub struct State {
    pub reserve: u64,
    pub devices: BTreeMap<[u8; 32], OperationId>,
    pub struck_off: Vec<[u8; 32]>,
    pub batches: BTreeMap<OperationId, Batch>,
    /// Challenges that the bank's signer began to answer when it broke: it takes no others.
    pub begun: BTreeMap<OperationId, Vec<[u8; 32]>>,
    pub transfers: BTreeMap<OperationId, u64>,
    pub redeemed: BTreeSet<Vec<u8>>,
    pub payments: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What is claimed of each lost device, by holding.
    pub claims: BTreeMap<[u8; 32], BTreeMap<Vec<u8>, Restitution>>,
    /// The pepper's name under which a registry of persons is kept, if it is.
    pub registry: Option<[u8; 32]>,
    /// Persons of this PSP, and until when what it gave counts, of those given back.
    pub persons: BTreeMap<[u8; 32], Option<Timestamp>>,
    /// Persons of another PSP.
    pub elsewhere: BTreeSet<[u8; 32]>,
    /// What was asked of it about persons, by name.
    pub said: BTreeSet<OperationId>,
    credits: Vec<Credit>,
    classes: BTreeMap<ClassId, Info>,
    headers: Vec<(ManifestHeader, SignedHeader)>,
    manifest: Option<Vec<u8>>,
    /// What is signed of the revocation list, each with its sequence.
    revocations: Vec<(u64, Vec<u8>)>,
}

/// A batch of issuance sessions.
#[derive(Clone)]
pub struct Batch {
    items: Vec<(ClassId, u64)>,
    pub value: u64,
    pub standing: BatchStanding,
    challenges: Option<Vec<[u8; 32]>>,
    erased: bool,
}

fn no<T>(refusal: Refusal) -> Result<T, BankError> {
    Err(BankError::Refused { refusal, detail: format!("{refusal:?}") })
}

impl ModelBank {
    /// A bank that has published the classes of `epoch`.
    pub fn new() -> Self {
        let (root, ledger) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        Self { root, ledger, state: Mutex::default(), meanwhile: Mutex::default() }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Publishes one more class, and gives its name.
    pub fn publish(&self, kind: Kind, amount: u64, epoch: u32, issue_from: Timestamp) -> ClassId {
        let info = Info {
            issuer: Name::new("bank").unwrap(),
            currency: Currency::new("XTS").unwrap(),
            kind,
            amount: Amount::new(amount).unwrap(),
            epoch,
            issue_from,
            spend_until: issue_from.saturating_add(30 * 86_400),
            redeem_until: issue_from.saturating_add(60 * 86_400),
            max_hops: if kind == Kind::Value { 4 } else { 0 },
        };
        let id = Class::new(key().public(), info).unwrap().id();
        self.state().classes.insert(id, info);
        self.sign_manifest(issue_from);
        id
    }

    fn sign_manifest(&self, now: Timestamp) {
        let mut state = self.state();
        let entry = |info: &Info| Entry::Class(Class::new(key().public(), *info).unwrap()).to_vec();
        let mut entries: Vec<_> = state.classes.values().map(entry).collect();
        entries.push(Entry::Ledger { key: self.ledger.public() }.to_vec());
        let before = state.headers.last().map(|(header, _)| *header);
        let header = ManifestHeader {
            issuer: Name::new("bank").unwrap(),
            sequence: before.map_or(1, |before| before.sequence + 1),
            previous: before.map_or(specie_core::bytes::ManifestId([0; 32]), |before| before.id()),
            issued_at: now,
            entries_root: merkle::root(entries.len(), &|index| merkle::leaf(&entries[index])),
            entry_count: entries.len() as u32,
        };
        let signed = header.sign(&self.root);
        let mut w = encoding::Writer::new(Vec::new());
        let slices: Vec<_> = entries.iter().map(Vec::as_slice).collect();
        write_manifest(&signed, &slices, &mut w).unwrap();
        state.manifest = Some(w.into_inner());
        state.headers.push((header, SignedHeader { header: header.to_vec(), signature: signed.signature }));
    }

    /// Publishes a page of the revocation list, changed in this way, and the key if it is another one.
    pub fn revoke(&self, page: u64, sequence: u64, key: Option<&SigningKey>) {
        let notes: Vec<RevokedNote> = (0..sequence.min(32)).map(|number| RevokedNote([number as u8; 16])).collect();
        let (issuer, issued_at) = (Name::new("bank").unwrap(), Timestamp::EPOCH);
        let previous = if page == 1 { [0; 32] } else { [9; 32] };
        let body = RevocationBody { issuer, page, sequence, previous, oldest: 1, issued_at, notes: &notes };
        let signed = body.sign(key.unwrap_or(&self.ledger), &mut [0; PAGE_LENGTH_MAX]).unwrap().to_vec();
        self.state().revocations = vec![(sequence, signed)];
    }

    /// Puts a forged newest header in front of the devices.
    pub fn forge_manifest(&self, change: impl FnOnce(&mut SignedHeader)) {
        change(&mut self.state().headers.last_mut().unwrap().1);
    }

    /// Credits an account of the PSP.
    pub fn credit(&self, account: &str, amount: u64, origin: CreditOrigin) {
        self.state().credit(account, amount, origin, "reference");
    }

    pub fn root_key(&self) -> PublicKey {
        self.root.public()
    }
}

fn key() -> IssuingKey {
    IssuingKey::derive(&[3; 32])
}

impl State {
    fn credit(&mut self, account: &str, amount: u64, origin: CreditOrigin, reference: &str) {
        let sequence = self.credits.len() as u64 + 1;
        self.reserve += amount;
        self.credits.push(Credit {
            sequence,
            account: account.into(),
            amount: Amount::new(amount).unwrap(),
            origin,
            reference: reference.into(),
        });
    }

    /// What was issued, by face value.
    pub fn issued(&self) -> u64 {
        let answered = |batch: &&Batch| batch.standing == BatchStanding::Answered;
        self.batches.values().filter(answered).map(|batch| batch.value).sum()
    }
}

impl Bank for ModelBank {
    fn register_device(&self, operation: &OperationId, identity: &[u8; 32]) -> Result<(), BankError> {
        let registered = self.state().devices.entry(*identity).or_insert(*operation) == operation;
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        if registered { Ok(()) } else { no(Refusal::DeviceKnown) }
    }

    fn registry(&self) -> Result<Option<[u8; 32]>, BankError> {
        Ok(self.state().registry)
    }

    /// What a PSP said is done once for each name, as by the real bank; the other PSP's persons are put in by tests.
    fn claim_person(
        &self,
        operation: &OperationId,
        pepper: &[u8; 32],
        pseudonyms: &[[u8; 32]],
    ) -> Result<(), BankError> {
        let mut state = self.state();
        if state.said.contains(operation) {
            return Ok(());
        }
        if state.registry != Some(*pepper) {
            return no(Refusal::PepperDiffers);
        }
        if pseudonyms.iter().any(|pseudonym| state.elsewhere.contains(pseudonym)) {
            return no(Refusal::PersonElsewhere);
        }
        state.persons.extend(pseudonyms.iter().map(|pseudonym| (*pseudonym, None)));
        state.said.insert(*operation);
        Ok(())
    }

    fn release_person(&self, operation: &OperationId, pseudonym: &[u8; 32], until: Timestamp) -> Result<(), BankError> {
        let mut state = self.state();
        if state.elsewhere.contains(pseudonym) {
            return no(Refusal::PersonElsewhere);
        }
        if state.said.insert(*operation) {
            state.persons.insert(*pseudonym, Some(until));
        }
        Ok(())
    }

    fn open_batch(
        &self,
        batch: &OperationId,
        identity: &[u8; 32],
        items: &[(ClassId, u64)],
    ) -> Result<Vec<Session>, BankError> {
        let mut state = self.state();
        if state.struck_off.contains(identity) {
            return no(Refusal::DeviceStruckOff);
        }
        let mut value = 0;
        for (class, count) in items {
            let Some(info) = state.classes.get(class) else { return no(Refusal::ClassNotIssued) };
            value += if info.kind == Kind::Value { info.amount.minor() * count } else { 0 };
        }
        let fresh =
            Batch { items: items.to_vec(), value, standing: BatchStanding::Open, challenges: None, erased: false };
        let known = state.batches.entry(*batch).or_insert(fresh);
        if known.standing == BatchStanding::Void {
            return no(Refusal::BatchVoid);
        }
        assert_eq!(known.items, items, "the same name for another batch");
        let count = items.iter().map(|(_, count)| *count).sum::<u64>();
        Ok((0..count).map(|_| Session { class_id: items[0].0, commitment: [7; 128] }).collect())
    }

    fn answer_batch(&self, batch: &OperationId, challenges: &[[u8; 32]]) -> Result<Vec<[u8; 128]>, BankError> {
        let mut state = self.state();
        let Some(known) = state.batches.get(batch).cloned() else { return no(Refusal::BatchUnknown) };
        if known.erased {
            return no(Refusal::BatchErased);
        }
        let count = known.items.iter().map(|(_, count)| *count).sum::<u64>();
        match known.standing {
            BatchStanding::Void => return no(Refusal::BatchVoid),
            BatchStanding::Open if challenges.len() as u64 != count => return no(Refusal::ChallengesInvalid),
            BatchStanding::Open if state.reserve < known.value => return no(Refusal::ReserveTooLow),
            BatchStanding::Open if state.begun.get(batch).is_some_and(|begun| begun != challenges) => {
                return no(Refusal::OtherChallenges);
            }
            BatchStanding::Open => {
                state.reserve -= known.value;
                let known = state.batches.get_mut(batch).unwrap();
                known.standing = BatchStanding::Answered;
                known.challenges = Some(challenges.to_vec());
            }
            _ if known.challenges.as_deref() != Some(challenges) => return no(Refusal::OtherChallenges),
            _ => {}
        }
        Ok(challenges.iter().map(|challenge| std::array::from_fn(|index| challenge[index % 32])).collect())
    }

    fn acknowledge_batch(&self, batch: &OperationId) -> Result<(), BankError> {
        match self.state().batches.get_mut(batch) {
            Some(known) if known.standing == BatchStanding::Answered => known.erased = true,
            Some(known) if known.standing == BatchStanding::Void => return no(Refusal::BatchVoid),
            Some(_) => return no(Refusal::BatchOpen),
            None => return no(Refusal::BatchUnknown),
        }
        Ok(())
    }

    fn cancel_batch(&self, batch: &OperationId) -> Result<(), BankError> {
        match self.state().batches.get_mut(batch) {
            Some(known) if known.standing == BatchStanding::Answered => no(Refusal::BatchAnswered),
            Some(known) => {
                known.standing = BatchStanding::Void;
                Ok(())
            }
            None => no(Refusal::BatchUnknown),
        }
    }

    fn batch_standing(&self, batch: &OperationId) -> Result<BatchStanding, BankError> {
        Ok(self.state().batches.get(batch).map_or(BatchStanding::Unknown, |known| known.standing))
    }

    /// A chain of the model is the amount that it is worth, and a number that makes it differ from others.
    fn redeem(&self, _operation: &OperationId, redemption: &Redemption) -> Result<Vec<RedemptionResult>, BankError> {
        let mut state = self.state();
        let mut results = Vec::new();
        for chain in &redemption.chains {
            let amount = u64::from(chain[0]);
            if state.redeemed.insert(chain.clone()) {
                state.credit(&redemption.account, amount, CreditOrigin::Redemption, "redeemed");
            }
            results.push(RedemptionResult::Credited(Amount::new(amount).unwrap()));
        }
        Ok(results)
    }

    /// A holding of the model is the amount that it is worth, and a number that makes it differ from others.
    fn claim_restitution(
        &self,
        _operation: &OperationId,
        identity: &[u8; 32],
        account: &str,
        holdings: &[Vec<u8>],
    ) -> Result<Vec<RestitutionResult>, BankError> {
        let mut state = self.state();
        let claims = state.claims.entry(*identity).or_default();
        let claim = |holding: &Vec<u8>| {
            if holding[0] == 0 {
                return RestitutionResult::Refused { code: "worth-nothing".into(), detail: "worth nothing".into() };
            }
            let fresh = Restitution {
                note_id: [holding[1]; 32],
                amount: Amount::new(holding[0].into()).unwrap(),
                deadline: Timestamp::EPOCH,
                account: account.into(),
                state: RestitutionState::Open,
            };
            RestitutionResult::Claimed(claims.entry(holding.clone()).or_insert(fresh).clone())
        };
        Ok(holdings.iter().map(claim).collect())
    }

    fn restitutions(&self, identity: &[u8; 32]) -> Result<Vec<Restitution>, BankError> {
        Ok(self.state().claims.get(identity).into_iter().flat_map(|claims| claims.values().cloned()).collect())
    }

    fn give_up_restitutions(&self, _operation: &OperationId, identity: &[u8; 32]) -> Result<(), BankError> {
        self.state().claims.remove(identity);
        Ok(())
    }

    fn transfer(&self, transfer: &ReserveTransfer<'_>) -> Result<(), BankError> {
        let mut state = self.state();
        let amount = transfer.amount.minor();
        if transfer.to_psp == "nowhere" {
            return no(Refusal::PspUnknown);
        }
        if state.transfers.contains_key(&transfer.id) {
            return Ok(());
        }
        if state.reserve < amount {
            return no(Refusal::ReserveTooLow);
        }
        state.reserve -= amount;
        state.transfers.insert(transfer.id, amount);
        Ok(())
    }

    fn upload_payment(&self, _operation: &OperationId, payment: &[u8]) -> Result<(), BankError> {
        self.state().payments.insert(payment.to_vec(), payment.to_vec());
        Ok(())
    }

    fn claim_payment(&self, _operation: &OperationId, request: &[u8]) -> Result<Vec<u8>, BankError> {
        self.state().payments.get(request).cloned().map_or_else(|| no(Refusal::PaymentNotFound), Ok)
    }

    fn credits(&self, after: u64) -> Result<Vec<Credit>, BankError> {
        let state = self.state();
        // Pages of two, so that there is more than one.
        Ok(state.credits.iter().filter(|credit| credit.sequence > after).take(2).cloned().collect())
    }

    fn struck_off(&self, after: u64) -> Result<Vec<StruckOff>, BankError> {
        let state = self.state();
        let numbered =
            (1..).zip(&state.struck_off).map(|(sequence, identity)| StruckOff { sequence, identity: *identity });
        Ok(numbered.filter(|device| device.sequence > after).collect())
    }

    fn manifests(&self, after: u64) -> Result<Manifests, BankError> {
        let state = self.state();
        let newer = state.headers.iter().filter(|(header, _)| header.sequence > after);
        Ok(Manifests { headers: newer.map(|(_, signed)| signed.clone()).collect(), manifest: state.manifest.clone() })
    }

    fn revocations(&self, after: u64) -> Result<Vec<Vec<u8>>, BankError> {
        let newer = self.state().revocations.clone().into_iter().filter(|(sequence, _)| *sequence > after);
        Ok(newer.map(|(_, page)| page).collect())
    }

    fn reserve(&self) -> Result<Amount, BankError> {
        Ok(Amount::new(self.state().reserve).unwrap())
    }
}
