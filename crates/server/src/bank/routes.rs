//! One handler for each path of the bank.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use specie_api::bank::{self as api, path};
use specie_api::hexadecimal::HexArray;
use specie_api::idempotency::Key;
use specie_api::problem;
use specie_bank::credit::{CreditKind, CreditRecord};
use specie_bank::issuance::{BatchKey, BatchRecord, BatchState, IssuanceError, IssuanceRequest, OpenedBatch};
use specie_bank::once::{Keyed, tie_key};
use specie_bank::payout::Destination;
use specie_bank::redemption::Redeemed;
use specie_bank::restitution::{self, RestitutionRecord, RestitutionState};
use specie_bank::storage::{Storage, Tx};
use specie_bank::transfer::TransferOrder;
use specie_bank::{device, psp, transfer};
use specie_core::group::{Scalar, decode_scalar};
use specie_core::text::{Memo, Name};
use specie_core::{Amount, ClassId, Timestamp};

use super::persons;
use super::setup::CentralBank;
use crate::call::{Call, Named};
use crate::clock::random_seed;
use crate::interface::{Interface, Operation};
use crate::query::{After, NewerPages, query};
use crate::reply::{Refusal, Reply, blocking};

pub(super) type Shared = State<Arc<CentralBank>>;

// The interface promises what the domain keeps.
const _: () = assert!(api::BATCH_SESSIONS_MAX == specie_bank::issuance::SESSIONS_MAX);
const _: () = assert!(api::BATCH_LIFETIME_SECONDS == specie_bank::issuance::LIFETIME_SECONDS);
const _: () = assert!(api::REDEMPTION_CHAINS_MAX == specie_bank::redemption::CHAINS_MAX);
const _: () = assert!(api::PSEUDONYMS_MAX == specie_bank::person::PSEUDONYMS_MAX);
const _: () = assert!(api::RESTITUTION_HOLDINGS_MAX == specie_bank::restitution::HOLDINGS_MAX);

/// The interface of a bank for PSPs and the public.
pub fn router(central: Arc<CentralBank>) -> Router {
    interface().serve(central)
}

/// The interface in OpenAPI 3.1, as a JSON text.
pub fn description() -> String {
    interface().description()
}

fn interface() -> Interface<Arc<CentralBank>> {
    let public = Operation::public;
    let psp = Operation::psp;
    Interface::new("Specie: a central bank")
        .get(path::STATUS, status, public("status", "Who the bank is and how it does"))
        .get(path::MANIFESTS, manifests, public("manifests", "Signed headers, and the newest manifest").after())
        .get(path::REVOCATIONS, revocations, public("revocations", "What is new of the revocation list").pages())
        .get(path::EVIDENCE, evidence, public("evidence", "Evidence of double spends, oldest first").after())
        .get(path::CONSERVATION, conservation, public("conservation", "Whether the books hold"))
        .post(
            path::DEVICES,
            register_device,
            psp("registerDevice", "Registers a device").takes::<api::DeviceRegistration>(),
        )
        .get(path::STRUCK_OFF, struck_off, psp("struckOff", "The PSP's devices that were struck off").after())
        .get(path::PERSONS, persons::registry, public("registry", "How the registry of persons is kept"))
        .post(
            path::CLAIM_PERSON,
            persons::claim,
            psp("claimPerson", "Claims a person: this PSP alone gives it limits").takes::<api::PersonClaim>(),
        )
        .post(
            path::RELEASE_PERSON,
            persons::release,
            psp("releasePerson", "Gives a person back").takes::<api::PersonRelease>(),
        )
        .get(path::ISSUANCE, batch, psp("batch", "Where a batch stands"))
        .post(
            path::ISSUANCE,
            open_batch,
            psp("openBatch", "Opens a batch of issuance sessions").takes::<api::IssuanceRequest>(),
        )
        .post(
            path::CHALLENGES,
            challenge,
            psp("answerBatch", "Has a batch answered, for the first challenges that come").takes::<api::Challenges>(),
        )
        .post(
            path::ACKNOWLEDGE,
            acknowledge,
            psp("acknowledgeBatch", "Says that the device keeps the notes").takes::<api::Empty>(),
        )
        .post(path::CANCEL, cancel, psp("cancelBatch", "Gives up a batch that was not answered").takes::<api::Empty>())
        .post(
            path::REDEMPTIONS,
            redeem,
            psp("redeem", "Redeems notes and what was received").takes::<api::RedemptionRequest>(),
        )
        .get(path::RESTITUTIONS, restitutions, psp("restitutions", "Claims on what a lost device held"))
        .post(
            path::RESTITUTIONS,
            claim_restitution,
            psp("claimRestitution", "Claims what a lost device held").takes::<api::RestitutionRequest>(),
        )
        .post(
            path::GIVE_UP,
            give_up_restitutions,
            psp("giveUpRestitutions", "Gives claims up: the device was found").takes::<api::Empty>(),
        )
        .post(
            path::PAYMENTS,
            upload_payment,
            psp("uploadPayment", "Keeps a payment that did not reach its payee").takes::<api::PaymentUpload>(),
        )
        .post(
            path::CLAIM,
            claim_payment,
            psp("claimPayment", "What was uploaded for a request").takes::<api::PaymentClaim>(),
        )
        .post(
            path::TRANSFERS,
            order_transfer,
            psp("orderTransfer", "Pays from account to account, between PSPs").takes::<api::TransferRequest>(),
        )
        .get(path::CREDITS, credits, psp("credits", "What was credited to accounts of the PSP, oldest first").after())
        .get(path::RESERVE, reserve, psp("reserve", "The PSP's reserve"))
}

/// What a PSP asked for: its signature is checked.
pub(super) struct Asked<'c, T> {
    central: &'c CentralBank,
    pub(super) psp: Name,
    key: Key,
    fingerprint: [u8; 32],
    pub(super) body: T,
    pub(super) now: Timestamp,
}

impl<'c, T: Serialize + DeserializeOwned> Asked<'c, T> {
    pub(super) fn new(central: &'c CentralBank, call: &Call) -> Result<Self, Refusal> {
        let (psp, now) = asker(central, call)?;
        let (key, body) = (call.key()?, call.body()?);
        Ok(Self { central, psp, key, fingerprint: call.fingerprint(&body)?, body, now })
    }
}

impl<T> Asked<'_, T> {
    fn keyed(&self) -> Keyed<'_> {
        Keyed { scope: self.psp.as_str(), key: self.key.as_str(), request_hash: &self.fingerprint, now: self.now }
    }

    /// The answer to the same request, if it came before.
    fn answered<A: DeserializeOwned>(&self) -> Result<Option<A>, Refusal> {
        self.central.bank.answered::<Refusal>(&self.keyed())?.map(|stored| parsed(&stored)).transpose()
    }

    /// Does `work` once, and keeps its answer in the same transaction.
    pub(super) fn once<A: Serialize + DeserializeOwned>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<A, Refusal>,
    ) -> Result<A, Refusal> {
        let render = |answer: &A| serde_json::to_vec(answer).expect("the types of the interface are JSON");
        parsed(&self.central.bank.once(&self.keyed(), work, render)?)
    }

    /// Does `work`, which knows a repeat by itself. Its answer is secret: it is kept with the batch it is about and erased
    /// there, while a copy among the answers to requests would outlive it.
    fn secretly<A>(&self, mut work: impl FnMut(&mut dyn Tx) -> Result<A, Refusal>) -> Result<A, Refusal> {
        self.central.bank.storage().transact(|tx| {
            tie_key::<Refusal>(tx, &self.keyed())?;
            work(tx)
        })
    }
}

/// The PSP that signed the request, within the window of time around now.
fn asker(central: &CentralBank, call: &Call) -> Result<(Name, Timestamp), Refusal> {
    let signed = call.psp()?;
    let now = central.clock.now();
    let psp = central.bank.storage().read(|view| view.psp(&signed.who).map_err(Refusal::from))?;
    let psp = psp.ok_or_else(|| Refusal::new(&problem::UNAUTHENTICATED, "no PSP of this name is registered"))?;
    call.verify_psp(&signed, &psp.key, now)?;
    Ok((psp.name, now))
}

async fn status(State(central): Shared) -> Reply<api::Status> {
    blocking(move || central.status()).await
}

async fn manifests(State(central): Shared, call: Call) -> Reply<api::Manifests> {
    blocking(move || central.manifests(query::<After>(&call)?.after)).await
}

async fn revocations(State(central): Shared, call: Call) -> Reply<api::Revocations> {
    blocking(move || {
        let newer: NewerPages = query(&call)?;
        central.revocations(newer.after, newer.pages)
    })
    .await
}

async fn evidence(State(central): Shared, call: Call) -> Reply<api::EvidencePage> {
    blocking(move || central.evidence(query::<After>(&call)?.after)).await
}

async fn conservation(State(central): Shared) -> Reply<api::Conservation> {
    blocking(move || central.conservation()).await
}

async fn register_device(State(central): Shared, call: Call) -> Reply<api::Empty> {
    blocking(move || {
        let asked = Asked::<api::DeviceRegistration>::new(&central, &call)?;
        asked.once(|tx| {
            device::register(tx, &asked.psp, &asked.body.device.0, asked.now)?;
            Ok(api::Empty {})
        })
    })
    .await
}

async fn struck_off(State(central): Shared, call: Call) -> Reply<api::StruckOffPage> {
    blocking(move || {
        let (psp, _) = asker(&central, &call)?;
        let after = query::<After>(&call)?.after;
        let found = central
            .bank
            .storage()
            .read(|view| view.struck_off_after(&psp, after, api::PAGE_LENGTH_MAX + 1).map_err(Refusal::from))?;
        let more = found.len() > api::PAGE_LENGTH_MAX as usize;
        let devices = found.into_iter().take(api::PAGE_LENGTH_MAX as usize).filter_map(|device| {
            let (at, sequence) = device.struck_off?;
            Some(api::StruckOff { sequence, device: device.identity.into(), at: at.seconds() })
        });
        Ok::<_, Refusal>(api::StruckOffPage { devices: devices.collect(), more })
    })
    .await
}

async fn open_batch(State(central): Shared, Named(batch): Named, call: Call) -> Reply<api::Batch> {
    blocking(move || {
        let asked = Asked::<api::IssuanceRequest>::new(&central, &call)?;
        let items = asked.body.items.iter().map(|item| (ClassId(item.class_id.0), item.count)).collect();
        let batch = batch_key(&asked.psp, &batch)?;
        let request = IssuanceRequest { batch, device: asked.body.device.0, items };
        let prepared = central.bank.prepare_batch(&request, asked.now)?;
        asked.secretly(|tx| Ok(opened(&central.bank.open_batch(tx, &prepared)?)))
    })
    .await
}

async fn batch(State(central): Shared, Named(batch): Named, call: Call) -> Reply<api::BatchStatus> {
    blocking(move || {
        let (psp, _) = asker(&central, &call)?;
        let key = batch_key(&psp, &batch)?;
        let batch = central.bank.storage().read(|view| central.bank.batch(view, &key).map_err(Refusal::from))?;
        Ok::<_, Refusal>(standing(&batch))
    })
    .await
}

async fn challenge(State(central): Shared, Named(batch): Named, call: Call) -> Reply<api::Responses> {
    blocking(move || {
        let asked = Asked::<api::Challenges>::new(&central, &call)?;
        let key = batch_key(&asked.psp, &batch)?;
        let challenges = challenges(&asked.body)?;
        let answered = asked.secretly(|tx| match central.bank.answer_batch(tx, &key, &challenges, asked.now) {
            // Whoever hears this may refund: the batch has to be void by every clock, and not by this one only.
            Err(void @ IssuanceError::Void) => {
                central.bank.cancel_batch(tx, &key)?;
                Ok(Err(void))
            }
            answered => Ok(Ok(answered?)),
        })??;
        let responses = answered.responses.iter().map(|response| response.to_bytes().into()).collect();
        Ok::<_, Refusal>(api::Responses { responses, value: answered.value.minor() })
    })
    .await
}

async fn acknowledge(State(central): Shared, Named(batch): Named, call: Call) -> Reply<api::BatchStatus> {
    blocking(move || {
        let asked = Asked::<api::Empty>::new(&central, &call)?;
        let key = batch_key(&asked.psp, &batch)?;
        asked.once(|tx| Ok(standing(&central.bank.acknowledge_batch(tx, &key)?)))
    })
    .await
}

async fn cancel(State(central): Shared, Named(batch): Named, call: Call) -> Reply<api::BatchStatus> {
    blocking(move || {
        let asked = Asked::<api::Empty>::new(&central, &call)?;
        let key = batch_key(&asked.psp, &batch)?;
        asked.once(|tx| Ok(standing(&central.bank.cancel_batch(tx, &key)?)))
    })
    .await
}

async fn redeem(State(central): Shared, call: Call) -> Reply<api::Redemption> {
    blocking(move || {
        let asked = Asked::<api::RedemptionRequest>::new(&central, &call)?;
        if let Some(answer) = asked.answered()? {
            return Ok(answer);
        }
        let to = destination(&asked.body.psp, &asked.body.account)?;
        let chains: Vec<_> = asked.body.chains.iter().map(|chain| chain.0.as_slice()).collect();
        let seed = random_seed().map_err(Refusal::internal)?;
        let checked = central.bank.check_redemption(to, &chains, asked.now, &seed)?;
        let redeemed = central.bank.redeem(&checked, asked.now)?;
        central.redemptions.count(&redeemed);
        asked.once(|_| Ok(api::Redemption { items: redeemed.iter().map(item).collect() }))
    })
    .await
}

async fn claim_restitution(State(central): Shared, Named(device): Named, call: Call) -> Reply<api::Restitution> {
    blocking(move || {
        let asked = Asked::<api::RestitutionRequest>::new(&central, &call)?;
        if let Some(answer) = asked.answered()? {
            return Ok(answer);
        }
        let identity = identity(&device)?;
        let to = Destination { psp: asked.psp, account: name("account", &asked.body.account)? };
        let holdings: Vec<_> = asked.body.holdings.iter().map(|holding| holding.0.as_slice()).collect();
        let seed = random_seed().map_err(Refusal::internal)?;
        let checked = central.bank.check_restitution(&identity, to, &holdings, asked.now, &seed)?;
        asked.once(|tx| {
            let claimed = central.bank.claim(tx, &checked, asked.now)?;
            Ok(api::Restitution { items: claimed.iter().map(restitution_item).collect() })
        })
    })
    .await
}

async fn restitutions(State(central): Shared, Named(device): Named, call: Call) -> Reply<api::RestitutionClaims> {
    blocking(move || {
        let (psp, _) = asker(&central, &call)?;
        let identity = identity(&device)?;
        let claims = central.bank.storage().read(|view| restitution::claims_of(view, &psp, &identity))?;
        Ok::<_, Refusal>(api::RestitutionClaims { claims: claims.iter().map(restitution_claim).collect() })
    })
    .await
}

async fn give_up_restitutions(State(central): Shared, Named(device): Named, call: Call) -> Reply<api::Empty> {
    blocking(move || {
        let asked = Asked::<api::Empty>::new(&central, &call)?;
        let identity = identity(&device)?;
        asked.once(|tx| {
            restitution::give_up(tx, &asked.psp, &identity, asked.now)?;
            Ok(api::Empty {})
        })
    })
    .await
}

async fn upload_payment(State(central): Shared, call: Call) -> Reply<api::Empty> {
    blocking(move || {
        let asked = Asked::<api::PaymentUpload>::new(&central, &call)?;
        if let Some(answer) = asked.answered()? {
            return Ok(answer);
        }
        let seed = random_seed().map_err(Refusal::internal)?;
        let checked = central.bank.check_payment(&asked.body.payment.0, asked.now, &seed)?;
        asked.once(|tx| {
            central.bank.keep_payment(tx, &checked, asked.now)?;
            Ok(api::Empty {})
        })
    })
    .await
}

async fn claim_payment(State(central): Shared, call: Call) -> Reply<api::ClaimedPayment> {
    blocking(move || {
        let asked = Asked::<api::PaymentClaim>::new(&central, &call)?;
        let request = &asked.body.request.0;
        // It changes nothing, so there is nothing to keep.
        let found =
            central.bank.storage().read(|view| central.bank.find_payment(view, request).map_err(Refusal::from))?;
        Ok::<_, Refusal>(api::ClaimedPayment { payment: found.into() })
    })
    .await
}

async fn order_transfer(State(central): Shared, call: Call) -> Reply<api::Empty> {
    blocking(move || {
        let asked = Asked::<api::TransferRequest>::new(&central, &call)?;
        let body = &asked.body;
        let reference = if body.reference.is_empty() {
            None
        } else {
            Some(Memo::new(&body.reference).ok_or_else(|| malformed("`reference` has more than 140 bytes"))?)
        };
        let order = TransferOrder {
            psp: asked.psp,
            id: body.transfer_id.0,
            from_account: name("from_account", &body.from_account)?,
            to: destination(&body.to_psp, &body.to_account)?,
            amount: Amount::new(body.amount).ok_or_else(|| malformed("`amount` is larger than any amount"))?,
            reference,
        };
        asked.once(|tx| {
            transfer::carry_out(tx, &order, asked.now)?;
            Ok(api::Empty {})
        })
    })
    .await
}

async fn credits(State(central): Shared, call: Call) -> Reply<api::CreditsPage> {
    blocking(move || {
        let (psp, _) = asker(&central, &call)?;
        let after = query::<After>(&call)?.after;
        let found = central
            .bank
            .storage()
            .read(|view| view.credits_after(&psp, after, api::PAGE_LENGTH_MAX + 1).map_err(Refusal::from))?;
        let more = found.len() > api::PAGE_LENGTH_MAX as usize;
        let credits = found.into_iter().take(api::PAGE_LENGTH_MAX as usize).map(credit).collect();
        Ok::<_, Refusal>(api::CreditsPage { credits, more })
    })
    .await
}

async fn reserve(State(central): Shared, call: Call) -> Reply<api::Reserve> {
    blocking(move || {
        let (name, _) = asker(&central, &call)?;
        let reserve = central.bank.storage().read(|view| psp::reserve(view, &name).map_err(Refusal::from))?;
        Ok::<_, Refusal>(api::Reserve { balance: reserve.balance.minor(), credit_sequence: reserve.credit_sequence })
    })
    .await
}

pub(super) fn malformed(detail: impl Into<String>) -> Refusal {
    Refusal::new(&problem::MALFORMED, detail)
}

/// An answer that this server stored.
fn parsed<A: DeserializeOwned>(stored: &[u8]) -> Result<A, Refusal> {
    serde_json::from_slice(stored).map_err(|error| Refusal::internal(format!("a stored answer: {error}")))
}

fn name(field: &str, text: &str) -> Result<Name, Refusal> {
    Name::new(text).ok_or_else(|| malformed(format!("`{field}` is no name of 1 to 32 bytes")))
}

fn destination(psp: &str, account: &str) -> Result<Destination, Refusal> {
    Ok(Destination { psp: name("psp", psp)?, account: name("account", account)? })
}

fn batch_key(psp: &Name, batch: &str) -> Result<BatchKey, Refusal> {
    let id = HexArray::<16>::parse(batch).map_err(|error| malformed(format!("the name of the batch: {error}")))?;
    Ok(BatchKey { psp: *psp, id: id.0 })
}

fn challenges(body: &api::Challenges) -> Result<Vec<Scalar>, Refusal> {
    let invalid = |_| Refusal::new(&api::CHALLENGES_INVALID, "a challenge is not canonical");
    body.challenges.iter().map(|e| decode_scalar(&e.0).map_err(invalid)).collect()
}

fn opened(batch: &OpenedBatch) -> api::Batch {
    let sessions = batch.sessions.iter().map(|(class_id, commitment)| api::Session {
        class_id: class_id.0.into(),
        commitment: commitment.to_bytes().into(),
    });
    api::Batch { sessions: sessions.collect(), value: batch.value.minor(), valid_until: batch.valid_until.seconds() }
}

fn standing(batch: &BatchRecord) -> api::BatchStatus {
    let state = match batch.state {
        BatchState::Open => api::BatchState::Open,
        BatchState::Answered => api::BatchState::Answered,
        BatchState::Erased => api::BatchState::Erased,
        BatchState::Void => api::BatchState::Void,
    };
    api::BatchStatus { state, value: batch.value.minor(), valid_until: batch.valid_until.seconds() }
}

fn item(redeemed: &Redeemed) -> api::RedemptionItem {
    match redeemed {
        Redeemed::Credited(amount) => api::RedemptionItem::Credited { amount: amount.minor() },
        Redeemed::Refused(refusal) => {
            api::RedemptionItem::Refused { code: refusal.code().into(), detail: refusal.to_string() }
        }
    }
}

fn identity(device: &str) -> Result<[u8; 32], Refusal> {
    let identity = HexArray::parse(device).map_err(|error| malformed(format!("the device: {error}")))?;
    Ok(identity.0)
}

fn restitution_item(claimed: &Result<RestitutionRecord, restitution::Refusal>) -> api::RestitutionItem {
    match claimed {
        Ok(claim) => api::RestitutionItem::Claimed(restitution_claim(claim)),
        Err(refusal) => api::RestitutionItem::Refused { code: refusal.code().into(), detail: refusal.to_string() },
    }
}

fn restitution_claim(claim: &RestitutionRecord) -> api::RestitutionClaim {
    api::RestitutionClaim {
        note_id: claim.note_id.0.into(),
        amount: claim.amount.minor(),
        deadline: claim.deadline.seconds(),
        account: claim.to.account.as_str().into(),
        state: match claim.state {
            RestitutionState::Open => api::RestitutionState::Open,
            RestitutionState::Paid => api::RestitutionState::Paid,
            RestitutionState::Void => api::RestitutionState::Void,
        },
    }
}

fn credit(credit: CreditRecord) -> api::Credit {
    api::Credit {
        sequence: credit.sequence,
        account: credit.account.as_str().into(),
        amount: credit.amount.minor(),
        kind: match credit.kind {
            CreditKind::Redemption => api::CreditKind::Redemption,
            CreditKind::Leftover => api::CreditKind::Leftover,
            CreditKind::Restitution => api::CreditKind::Restitution,
            CreditKind::Transfer => api::CreditKind::Transfer,
        },
        reference: credit.reference,
        at: credit.at.seconds(),
    }
}

#[cfg(test)]
mod tests {
    use specie_bank::redemption::Refusal;

    use super::api::refusal;

    #[test]
    fn refusals_have_the_codes_that_the_interface_names() {
        let codes = [
            (Refusal::Malformed, refusal::MALFORMED),
            (Refusal::WrongDestination, refusal::WRONG_DESTINATION),
            (Refusal::DoubleSpent, refusal::DOUBLE_SPENT),
            (Refusal::Lapsed, refusal::LAPSED),
            (Refusal::ClassExhausted, refusal::CLASS_EXHAUSTED),
        ];
        for (refusal, code) in codes {
            assert_eq!(refusal.code(), code);
        }
    }
}
