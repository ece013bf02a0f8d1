//! One handler for each path of the PSP.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use specie_api::hexadecimal::{Hex, HexArray};
use specie_api::idempotency::Key;
use specie_api::problem;
use specie_api::psp::setting::LimitsRequest;
use specie_api::psp::{self as api, path};
use specie_core::encoding::Decode;
use specie_core::enrolment::Enrolment;
use specie_core::signature::PublicKey;
use specie_core::text::{Currency, Memo, Name};
use specie_core::{Amount, ClassId, Timestamp};
use specie_psp::account::Statement;
use specie_psp::bank::{Redemption, RedemptionResult, Restitution, RestitutionResult, RestitutionState};
use specie_psp::claim::ClaimCode;
use specie_psp::ledger::{LedgerAccount, Movement};
use specie_psp::loss::Backup;
use specie_psp::request::Request;
use specie_psp::transfer::TransferOrder;

use super::setup::Provider;
use crate::call::{Call, Named};
use crate::clock::random_seed;
use crate::interface::{Interface, Operation};
use crate::query::{After, NewerPages, query};
use crate::reply::{Refusal, Reply, blocking};

pub(super) type Shared = State<Arc<Provider>>;

// The interface promises what the domain keeps.
const _: () = assert!(api::RESTITUTION_HOLDINGS_MAX == specie_psp::loss::HOLDINGS_MAX);
const _: () = assert!(api::BACKUP_LENGTH_MAX == specie_psp::loss::BACKUP_LENGTH_MAX);

/// The interface of a PSP for devices.
pub fn router(provider: Arc<Provider>) -> Router {
    interface().serve(provider)
}

/// The interface in OpenAPI 3.1, as a JSON text.
pub fn description() -> String {
    interface().description()
}

fn interface() -> Interface<Arc<Provider>> {
    let public = Operation::public;
    let device = Operation::device;
    let interface = Interface::new("Specie: a payment service provider")
        .get(path::STATUS, status, public("status", "Who this PSP is"))
        .get(path::TIME, time, public("time", "What time it is"))
        .get(path::MANIFESTS, manifests, public("manifests", "The bank's headers, and its newest manifest").after())
        .get(path::REVOCATIONS, revocations, public("revocations", "What is new of the bank's revocation list").pages())
        .post(
            path::ENROLMENT_NONCE,
            enrolment_nonce,
            public("enrolmentNonce", "A nonce for an enrolment").takes::<api::Empty>(),
        )
        .post(
            path::ENROLMENTS,
            enrol,
            public("enrol", "Enrols a device: its element attests itself").takes::<api::EnrolmentRequest>(),
        )
        .post(path::LIMITS, limits, device("limits", "The device's limits, signed").takes::<LimitsRequest>())
        .post(
            path::DESCRIPTORS,
            descriptor,
            device("descriptor", "A merchant's descriptor, signed").takes::<api::Empty>(),
        )
        .post(
            path::WITHDRAWALS,
            withdraw,
            device("withdraw", "Begins a withdrawal: the account pays for it").takes::<api::WithdrawalRequest>(),
        )
        .post(
            path::CHALLENGES,
            challenge,
            device("answerWithdrawal", "Has a withdrawal answered, for the first challenges that come")
                .takes::<api::Challenges>(),
        )
        .post(
            path::ACKNOWLEDGE,
            acknowledge,
            device("acknowledgeWithdrawal", "Says that the device keeps the notes").takes::<api::Empty>(),
        )
        .post(
            path::CANCEL,
            cancel,
            device("cancelWithdrawal", "Gives up a withdrawal that was not answered").takes::<api::Empty>(),
        )
        .post(
            path::REDEMPTIONS,
            redeem,
            device("redeem", "Redeems notes and what was received").takes::<api::RedemptionRequest>(),
        )
        .post(
            path::PAYMENTS,
            upload_payment,
            device("uploadPayment", "Keeps a payment that did not reach its payee").takes::<api::PaymentUpload>(),
        )
        .post(
            path::CLAIM,
            claim_payment,
            device("claimPayment", "What was uploaded for a request").takes::<api::PaymentClaim>(),
        )
        .post(
            path::BACKUPS,
            keep_backup,
            device("keepBackup", "Keeps what the device leaves for the case that it is lost")
                .takes::<api::BackupUpload>(),
        )
        .get(path::BACKUPS_OF, backups, device("backups", "What a lost device of the same customer left"))
        .get(
            path::RESTITUTIONS,
            restitutions,
            device("restitutions", "Claims on what a lost device of the same customer held"),
        )
        .post(
            path::RESTITUTIONS,
            claim_restitution,
            device("claimRestitution", "Claims what a lost device of the same customer held")
                .takes::<api::RestitutionRequest>(),
        )
        .post(
            path::TRANSFERS,
            transfer,
            device("transfer", "Pays from account to account").takes::<api::TransferRequest>(),
        )
        .get(path::ACCOUNT, account, device("account", "The device's account"));
    super::totals::serve(interface)
}

/// What a device asked for: its signature is checked.
pub(super) struct Asked<T> {
    device: PublicKey,
    key: Key,
    fingerprint: [u8; 32],
    pub(super) body: T,
    pub(super) now: Timestamp,
}

impl<T: Serialize + DeserializeOwned> Asked<T> {
    pub(super) fn new(call: &Call, now: Timestamp) -> Result<Self, Refusal> {
        let (key, device, body) = (call.key()?, call.device(now)?, call.body()?);
        Ok(Self { device, key, fingerprint: call.fingerprint(&body)?, body, now })
    }
}

impl<T> Asked<T> {
    pub(super) fn request(&self) -> Request<'_> {
        Request { who: self.device.0, key: self.key.as_str(), fingerprint: self.fingerprint }
    }
}

/// A request that no device signs.
fn unsigned<'k>(call: &Call, key: &'k Key, body: &impl Serialize) -> Result<Request<'k>, Refusal> {
    Ok(Request { who: [0; 32], key: key.as_str(), fingerprint: call.fingerprint(body)? })
}

async fn status(State(provider): Shared) -> Reply<api::Status> {
    blocking(move || {
        let identity = provider.psp.identity();
        Ok::<_, Refusal>(api::Status {
            service: "psp".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            psp: identity.name.as_str().into(),
            key: HexArray(identity.key.public().0),
            currency: identity.currency.as_str().into(),
            root_key: HexArray(identity.root_key.0),
            manifest_sequence: provider.psp.manifest_sequence()?,
        })
    })
    .await
}

async fn time(State(provider): Shared) -> Reply<api::Time> {
    Ok(crate::reply::Answer(api::Time { seconds: provider.clock.now().seconds() }))
}

async fn manifests(State(provider): Shared, call: Call) -> Reply<api::Manifests> {
    blocking(move || {
        let manifests = provider.psp.manifests(query::<After>(&call)?.after)?;
        let header = |signed: specie_psp::bank::SignedHeader| api::SignedHeader {
            header: signed.header.into(),
            signature: signed.signature.into(),
        };
        Ok::<_, Refusal>(api::Manifests {
            headers: manifests.headers.into_iter().map(header).collect(),
            manifest: manifests.manifest.map(Hex::from),
        })
    })
    .await
}

async fn revocations(State(provider): Shared, call: Call) -> Reply<api::Revocations> {
    blocking(move || {
        let newer: NewerPages = query(&call)?;
        let pages = provider.psp.revocations(newer.after, newer.pages)?;
        Ok::<_, Refusal>(api::Revocations { pages: pages.into_iter().map(Hex::from).collect() })
    })
    .await
}

async fn enrolment_nonce(State(provider): Shared, call: Call) -> Reply<api::EnrolmentNonce> {
    blocking(move || {
        let body: api::Empty = call.body()?;
        let seed = random_seed().map_err(Refusal::internal)?;
        let key = call.key()?;
        let nonce = provider.psp.enrolment_nonce(&unsigned(&call, &key, &body)?, &seed, provider.clock.now())?;
        Ok::<_, Refusal>(api::EnrolmentNonce { nonce: nonce.nonce.into(), valid_until: nonce.valid_until.seconds() })
    })
    .await
}

async fn enrol(State(provider): Shared, call: Call) -> Reply<api::Enrolled> {
    blocking(move || {
        let key = call.key()?;
        let body: api::EnrolmentRequest = call.body()?;
        let bad_code = || Refusal::new(&api::CLAIM_CODE, "no such customer and code");
        let customer = Name::new(&body.customer).ok_or_else(bad_code)?;
        let code = ClaimCode::parse(&body.claim_code).ok_or_else(bad_code)?;
        let enrolment = Enrolment::decode(&body.enrolment.0);
        let enrolment = enrolment.map_err(|error| malformed(format!("the enrolment: {error}")))?;
        let request = unsigned(&call, &key, &body)?;
        let enrolled = provider.psp.enrol(&request, &customer, &code, &enrolment, provider.clock.now())?;
        Ok::<_, Refusal>(api::Enrolled {
            device: enrolled.device.0.into(),
            psp: provider.psp.identity().name.as_str().into(),
            account: enrolled.account.as_str().into(),
            tier: enrolled.tier.as_str().into(),
        })
    })
    .await
}

async fn limits(State(provider): Shared, call: Call) -> Reply<api::Limits> {
    blocking(move || {
        let asked = Asked::<LimitsRequest>::new(&call, provider.clock.now())?;
        let limits = match &asked.body.said {
            Some(said) => provider.psp.next_limits(&asked.request(), &super::totals::statement(said), asked.now)?,
            None => provider.psp.limits(&asked.request(), asked.now)?,
        };
        Ok::<_, Refusal>(api::Limits { limits: limits.into() })
    })
    .await
}

async fn descriptor(State(provider): Shared, call: Call) -> Reply<api::Descriptor> {
    blocking(move || {
        let asked = Asked::<api::Empty>::new(&call, provider.clock.now())?;
        let descriptor = provider.psp.descriptor(&asked.request(), asked.now)?;
        Ok::<_, Refusal>(api::Descriptor { descriptor: descriptor.into() })
    })
    .await
}

async fn withdraw(State(provider): Shared, call: Call) -> Reply<api::Withdrawal> {
    blocking(move || {
        let asked = Asked::<api::WithdrawalRequest>::new(&call, provider.clock.now())?;
        let items: Vec<_> = asked.body.items.iter().map(|item| (ClassId(item.class_id.0), item.count)).collect();
        let (id, sessions) = provider.psp.withdraw(&asked.request(), &items, asked.now)?;
        let session = |session: specie_psp::bank::Session| api::Session {
            class_id: session.class_id.0.into(),
            commitment: session.commitment.into(),
        };
        let sessions = sessions.into_iter().map(session).collect();
        Ok::<_, Refusal>(api::Withdrawal { withdrawal_id: id.into(), sessions })
    })
    .await
}

async fn challenge(State(provider): Shared, Named(id): Named, call: Call) -> Reply<api::Responses> {
    blocking(move || {
        let asked = Asked::<api::Challenges>::new(&call, provider.clock.now())?;
        let challenges: Vec<_> = asked.body.challenges.iter().map(|challenge| challenge.0).collect();
        let responses = provider.psp.challenge(&asked.request(), &withdrawal(&id)?, &challenges, asked.now)?;
        Ok::<_, Refusal>(api::Responses { responses: responses.into_iter().map(HexArray).collect() })
    })
    .await
}

async fn acknowledge(State(provider): Shared, Named(id): Named, call: Call) -> Reply<api::Empty> {
    blocking(move || {
        let asked = Asked::<api::Empty>::new(&call, provider.clock.now())?;
        provider.psp.acknowledge(&asked.request(), &withdrawal(&id)?, asked.now)?;
        Ok::<_, Refusal>(api::Empty {})
    })
    .await
}

async fn cancel(State(provider): Shared, Named(id): Named, call: Call) -> Reply<api::Empty> {
    blocking(move || {
        let asked = Asked::<api::Empty>::new(&call, provider.clock.now())?;
        provider.psp.cancel(&asked.request(), &withdrawal(&id)?, asked.now)?;
        Ok::<_, Refusal>(api::Empty {})
    })
    .await
}

async fn redeem(State(provider): Shared, call: Call) -> Reply<api::Redemption> {
    blocking(move || {
        let mut asked = Asked::<api::RedemptionRequest>::new(&call, provider.clock.now())?;
        let redemption = Redemption {
            psp: std::mem::take(&mut asked.body.psp),
            account: std::mem::take(&mut asked.body.account),
            chains: std::mem::take(&mut asked.body.chains).into_iter().map(|chain| chain.0).collect(),
        };
        let results = provider.psp.redeem(&asked.request(), &redemption, asked.now)?;
        let item = |result| match result {
            RedemptionResult::Credited(amount) => api::RedemptionItem::Credited { amount: amount.minor() },
            RedemptionResult::Refused { code, detail } => api::RedemptionItem::Refused { code, detail },
        };
        Ok::<_, Refusal>(api::Redemption { items: results.into_iter().map(item).collect() })
    })
    .await
}

async fn upload_payment(State(provider): Shared, call: Call) -> Reply<api::Empty> {
    blocking(move || {
        let asked = Asked::<api::PaymentUpload>::new(&call, provider.clock.now())?;
        provider.psp.upload_payment(&asked.request(), &asked.body.payment.0, asked.now)?;
        Ok::<_, Refusal>(api::Empty {})
    })
    .await
}

async fn claim_payment(State(provider): Shared, call: Call) -> Reply<api::ClaimedPayment> {
    blocking(move || {
        let asked = Asked::<api::PaymentClaim>::new(&call, provider.clock.now())?;
        let payment = provider.psp.claim_payment(&asked.request(), &asked.body.request.0)?;
        Ok::<_, Refusal>(api::ClaimedPayment { payment: payment.into() })
    })
    .await
}

async fn keep_backup(State(provider): Shared, call: Call) -> Reply<api::Empty> {
    blocking(move || {
        let asked = Asked::<api::BackupUpload>::new(&call, provider.clock.now())?;
        provider.psp.keep_backup(&asked.request(), &asked.body.backup.0, asked.now)?;
        Ok::<_, Refusal>(api::Empty {})
    })
    .await
}

async fn backups(State(provider): Shared, Named(device): Named, call: Call) -> Reply<api::Backups> {
    blocking(move || {
        let asking = call.attended_device(provider.clock.now())?;
        let kept =
            |backup: Backup| api::KeptBackup { kept_at: backup.kept_at.seconds(), backup: backup.content.into() };
        let backups = provider.psp.backups(&asking, &lost(&device)?)?;
        Ok::<_, Refusal>(api::Backups { backups: backups.into_iter().map(kept).collect() })
    })
    .await
}

async fn claim_restitution(State(provider): Shared, Named(device): Named, call: Call) -> Reply<api::Restitution> {
    blocking(move || {
        call.attended_device(provider.clock.now())?;
        let mut asked = Asked::<api::RestitutionRequest>::new(&call, provider.clock.now())?;
        let holdings: Vec<_> = std::mem::take(&mut asked.body.holdings).into_iter().map(|one| one.0).collect();
        let results = provider.psp.claim(&asked.request(), &lost(&device)?, &holdings, asked.now)?;
        let item = |result| match result {
            RestitutionResult::Claimed(claim) => api::RestitutionItem::Claimed(shown_claim(claim)),
            RestitutionResult::Refused { code, detail } => api::RestitutionItem::Refused { code, detail },
        };
        Ok::<_, Refusal>(api::Restitution { items: results.into_iter().map(item).collect() })
    })
    .await
}

async fn restitutions(State(provider): Shared, Named(device): Named, call: Call) -> Reply<api::RestitutionClaims> {
    blocking(move || {
        let asking = call.device(provider.clock.now())?;
        let claims = provider.psp.claims(&asking, &lost(&device)?)?;
        Ok::<_, Refusal>(api::RestitutionClaims { claims: claims.into_iter().map(shown_claim).collect() })
    })
    .await
}

async fn transfer(State(provider): Shared, call: Call) -> Reply<api::Transfer> {
    blocking(move || {
        call.attended_device(provider.clock.now())?;
        let asked = Asked::<api::TransferRequest>::new(&call, provider.clock.now())?;
        let order = order(&asked.body)?;
        let (id, balance) = provider.psp.transfer(&asked.request(), &order, asked.now)?;
        Ok::<_, Refusal>(api::Transfer { transfer_id: id.into(), balance: balance.minor() })
    })
    .await
}

async fn account(State(provider): Shared, call: Call) -> Reply<api::Account> {
    blocking(move || {
        let now = provider.clock.now();
        let statement = provider.psp.statement(&call.device(now)?, now)?;
        let identity = provider.psp.identity();
        Ok::<_, Refusal>(shown(statement, identity.name, identity.currency))
    })
    .await
}

fn order(body: &api::TransferRequest) -> Result<TransferOrder, Refusal> {
    let unknown = || Refusal::new(&api::ACCOUNT_UNKNOWN, "a PSP or account has 1 to 32 bytes");
    let reference = match body.reference.as_str() {
        "" => None,
        text => Some(Memo::new(text).ok_or_else(|| malformed("the reference has more than 140 bytes"))?),
    };
    Ok(TransferOrder {
        to_psp: Name::new(&body.to_psp).ok_or_else(unknown)?,
        to_account: Name::new(&body.to_account).ok_or_else(unknown)?,
        amount: Amount::new(body.amount).ok_or_else(|| malformed("the amount is too large"))?,
        currency: Currency::new(&body.currency).ok_or_else(|| malformed("the currency is no ISO 4217 code"))?,
        reference,
    })
}

fn shown(statement: Statement, psp: Name, currency: Currency) -> api::Account {
    let account = statement.account;
    let ration = |left: specie_psp::account::RationLeft| api::RationLeft {
        epoch: left.epoch,
        blanks: left.blanks,
        cap_max: left.cap_max.minor(),
    };
    api::Account {
        psp: psp.as_str().into(),
        account: account.as_str().into(),
        balance: statement.balance.minor(),
        currency: currency.as_str().into(),
        tier: statement.tier.as_str().into(),
        withdrawable: statement.withdrawable.minor(),
        rations: statement.rations.into_iter().map(ration).collect(),
        history: statement.history.into_iter().map(|movement| shown_movement(movement, &account)).collect(),
    }
}

fn shown_movement(movement: Movement, account: &Name) -> api::Movement {
    let minor = i64::try_from(movement.amount.minor()).expect("amounts fit 63 bits");
    let incoming = movement.credit == LedgerAccount::Customer(*account);
    let kind = match movement.kind {
        specie_psp::ledger::MovementKind::Payment if incoming => "payment-received",
        specie_psp::ledger::MovementKind::Payment => "payment-sent",
        kind => kind.as_str(),
    };
    api::Movement {
        id: movement.id.into(),
        at: movement.at.seconds(),
        kind: kind.into(),
        amount: if incoming { minor } else { -minor },
        reference: movement.reference,
    }
}

fn shown_claim(claim: Restitution) -> api::RestitutionClaim {
    api::RestitutionClaim {
        note_id: claim.note_id.into(),
        amount: claim.amount.minor(),
        deadline: claim.deadline.seconds(),
        account: claim.account,
        state: match claim.state {
            RestitutionState::Open => api::RestitutionState::Open,
            RestitutionState::Paid => api::RestitutionState::Paid,
            RestitutionState::Void => api::RestitutionState::Void,
        },
    }
}

fn lost(device: &str) -> Result<PublicKey, Refusal> {
    let unknown = |_| Refusal::new(&api::LOST_DEVICE_UNKNOWN, "a device is named by 64 hexadecimal digits");
    HexArray::parse(device).map(|key| PublicKey(key.0)).map_err(unknown)
}

fn withdrawal(id: &str) -> Result<[u8; 16], Refusal> {
    let unknown = |_| Refusal::new(&api::WITHDRAWAL_UNKNOWN, "a withdrawal is named by 32 hexadecimal digits");
    HexArray::parse(id).map(|id| id.0).map_err(unknown)
}

fn malformed(detail: impl Into<String>) -> Refusal {
    Refusal::new(&problem::MALFORMED, detail)
}
