//! The bank over HTTP, as the PSP's domain sees it.

use specie_api::authorization;
use specie_api::bank as api;
use specie_api::bank::Client;
use specie_api::client::CallError;
use specie_api::hexadecimal::{Hex, HexArray};
use specie_api::idempotency::Key;
use specie_api::problem::{self, Code};
use specie_core::signature::SigningKey;
use specie_core::text::Name;
use specie_core::{Amount, ClassId, Timestamp, hash, label};
use specie_psp::bank::{
    Bank, BankError, BatchStanding, Credit, CreditOrigin, Manifests, Redemption, RedemptionResult, Refusal,
    ReserveTransfer, Restitution, RestitutionResult, RestitutionState, Session, SignedHeader, StruckOff,
};
use specie_psp::request::OperationId;

use crate::clock::Clock;

/// Asks the bank in the name of a PSP.
pub struct HttpBank {
    client: Client,
    name: Name,
    key: SigningKey,
    clock: Clock,
}

type Answer<T> = Result<T, BankError>;

/// What the bank's codes mean to the PSP. All others, and whatever may be retried, leave open what happened.
const REFUSALS: &[(&Code, Refusal)] = &[
    (&api::DEVICE_KNOWN, Refusal::DeviceKnown),
    (&api::DEVICE_INVALID, Refusal::DeviceInvalid),
    (&api::DEVICE_STRUCK_OFF, Refusal::DeviceStruckOff),
    (&api::PERSON_ELSEWHERE, Refusal::PersonElsewhere),
    (&api::PEPPER_DIFFERS, Refusal::PepperDiffers),
    (&api::CLASS_NOT_ISSUED, Refusal::ClassNotIssued),
    (&api::BATCH_UNKNOWN, Refusal::BatchUnknown),
    (&api::BATCH_VOID, Refusal::BatchVoid),
    (&api::OTHER_CHALLENGES, Refusal::OtherChallenges),
    (&api::CHALLENGES_INVALID, Refusal::ChallengesInvalid),
    (&api::BATCH_ERASED, Refusal::BatchErased),
    (&api::BATCH_OPEN, Refusal::BatchOpen),
    (&api::RESERVE_TOO_LOW, Refusal::ReserveTooLow),
    (&api::PSP_UNKNOWN, Refusal::PspUnknown),
    (&api::PAYMENT_NOT_FOUND, Refusal::PaymentNotFound),
    (&api::PAYMENT_INVALID, Refusal::PaymentInvalid),
];

/// What the bank says when it did not get as far as looking at the request.
const UNHEARD: &[&Code] = &[&problem::UNAUTHENTICATED, &problem::REQUEST_TIME, &problem::NOT_FOUND, &problem::METHOD];

impl HttpBank {
    /// Asks through `client` in the name of the PSP `name`, which has `key`.
    pub fn new(client: Client, name: Name, key: SigningKey, clock: Clock) -> Self {
        Self { client, name, key, clock }
    }

    fn psp(&self) -> authorization::Psp<'_> {
        authorization::Psp { name: self.name, key: &self.key, now: self.clock.now() }
    }
}

impl Bank for HttpBank {
    fn register_device(&self, operation: &OperationId, identity: &[u8; 32]) -> Answer<()> {
        let registered =
            self.client.register_device(&mut self.psp(), &key(operation, "register"), &HexArray(*identity));
        registered.map(drop).map_err(refused)
    }

    fn registry(&self) -> Answer<Option<[u8; 32]>> {
        Ok(self.client.registry().map_err(refused)?.pepper.map(|pepper| pepper.0))
    }

    fn claim_person(&self, operation: &OperationId, pepper: &[u8; 32], pseudonyms: &[[u8; 32]]) -> Answer<()> {
        let pseudonyms = pseudonyms.iter().copied().map(HexArray).collect();
        let claim = api::PersonClaim { pepper: HexArray(*pepper), pseudonyms };
        let claimed = self.client.claim_person(&mut self.psp(), &key(operation, "person"), &claim);
        claimed.map(drop).map_err(refused)
    }

    fn release_person(&self, operation: &OperationId, pseudonym: &[u8; 32], until: Timestamp) -> Answer<()> {
        let release = api::PersonRelease { pseudonym: HexArray(*pseudonym), until: until.seconds() };
        let released = self.client.release_person(&mut self.psp(), &key(operation, "person-back"), &release);
        released.map(drop).map_err(refused)
    }

    fn open_batch(&self, batch: &OperationId, identity: &[u8; 32], items: &[(ClassId, u64)]) -> Answer<Vec<Session>> {
        let item =
            |(class_id, count): &(ClassId, u64)| api::IssuanceItem { class_id: class_id.0.into(), count: *count };
        let request = api::IssuanceRequest { device: HexArray(*identity), items: items.iter().map(item).collect() };
        let opened = self.client.open_batch(&mut self.psp(), &key(batch, "open"), &HexArray(*batch), &request);
        let session =
            |session: api::Session| Session { class_id: ClassId(session.class_id.0), commitment: session.commitment.0 };
        Ok(opened.map_err(refused)?.sessions.into_iter().map(session).collect())
    }

    fn answer_batch(&self, batch: &OperationId, challenges: &[[u8; 32]]) -> Answer<Vec<[u8; 128]>> {
        let request = api::Challenges { challenges: challenges.iter().copied().map(HexArray).collect() };
        // Other challenges are another request: let the bank say that it answered already, not that the key did not fit.
        let content = hash::h32(label::PSP_OPERATION, &[batch, challenges.as_flattened()]);
        let content = content[..16].try_into().expect("16 of 32 bytes");
        let answered = self.client.challenge(&mut self.psp(), &key(&content, "answer"), &HexArray(*batch), &request);
        Ok(answered.map_err(refused)?.responses.into_iter().map(|response| response.0).collect())
    }

    fn acknowledge_batch(&self, batch: &OperationId) -> Answer<()> {
        let done = self.client.acknowledge(&mut self.psp(), &key(batch, "acknowledge"), &HexArray(*batch));
        done.map(drop).map_err(refused)
    }

    fn cancel_batch(&self, batch: &OperationId) -> Answer<()> {
        let status = self.client.cancel(&mut self.psp(), &key(batch, "cancel"), &HexArray(*batch)).map_err(refused)?;
        match standing(status.state) {
            BatchStanding::Void => Ok(()),
            _ => Err(BankError::Refused {
                refusal: Refusal::BatchAnswered,
                detail: "the batch was answered before it was to be cancelled".into(),
            }),
        }
    }

    fn batch_standing(&self, batch: &OperationId) -> Answer<BatchStanding> {
        match self.client.batch(&mut self.psp(), &HexArray(*batch)) {
            Ok(status) => Ok(standing(status.state)),
            Err(error) if error.is(&api::BATCH_UNKNOWN) => Ok(BatchStanding::Unknown),
            Err(error) => Err(refused(error)),
        }
    }

    fn redeem(&self, operation: &OperationId, redemption: &Redemption) -> Answer<Vec<RedemptionResult>> {
        let request = api::RedemptionRequest {
            psp: redemption.psp.clone(),
            account: redemption.account.clone(),
            chains: redemption.chains.iter().map(|chain| Hex::from(chain.as_slice())).collect(),
        };
        let redeemed = self.client.redeem(&mut self.psp(), &key(operation, "redeem"), &request).map_err(refused)?;
        redeemed.items.into_iter().map(result).collect()
    }

    fn claim_restitution(
        &self,
        operation: &OperationId,
        identity: &[u8; 32],
        account: &str,
        holdings: &[Vec<u8>],
    ) -> Answer<Vec<RestitutionResult>> {
        let holdings = holdings.iter().map(|holding| Hex::from(holding.as_slice())).collect();
        let request = api::RestitutionRequest { account: account.into(), holdings };
        let key = key(operation, "restitution");
        let claimed = self.client.claim_restitution(&mut self.psp(), &key, &HexArray(*identity), &request);
        let result = |item| match item {
            api::RestitutionItem::Claimed(claim) => restitution(claim).map(RestitutionResult::Claimed),
            api::RestitutionItem::Refused { code, detail } => Ok(RestitutionResult::Refused { code, detail }),
        };
        claimed.map_err(refused)?.items.into_iter().map(result).collect()
    }

    fn restitutions(&self, identity: &[u8; 32]) -> Answer<Vec<Restitution>> {
        let claims = self.client.restitutions(&mut self.psp(), &HexArray(*identity)).map_err(refused)?;
        claims.claims.into_iter().map(restitution).collect()
    }

    fn give_up_restitutions(&self, operation: &OperationId, identity: &[u8; 32]) -> Answer<()> {
        let key = key(operation, "give-up");
        self.client.give_up_restitutions(&mut self.psp(), &key, &HexArray(*identity)).map(drop).map_err(refused)
    }

    fn transfer(&self, transfer: &ReserveTransfer<'_>) -> Answer<()> {
        let request = api::TransferRequest {
            transfer_id: HexArray(transfer.id),
            from_account: transfer.from_account.into(),
            to_psp: transfer.to_psp.into(),
            to_account: transfer.to_account.into(),
            amount: transfer.amount.minor(),
            reference: transfer.reference.into(),
        };
        let paid = self.client.transfer(&mut self.psp(), &key(&transfer.id, "transfer"), &request);
        paid.map(drop).map_err(refused)
    }

    fn upload_payment(&self, operation: &OperationId, payment: &[u8]) -> Answer<()> {
        let upload = api::PaymentUpload { payment: payment.into() };
        let left = self.client.upload_payment(&mut self.psp(), &key(operation, "upload"), &upload);
        left.map(drop).map_err(refused)
    }

    fn claim_payment(&self, operation: &OperationId, request: &[u8]) -> Answer<Vec<u8>> {
        let claim = api::PaymentClaim { request: request.into() };
        let claimed = self.client.claim_payment(&mut self.psp(), &key(operation, "claim"), &claim);
        Ok(claimed.map_err(refused)?.payment.0)
    }

    fn credits(&self, after: u64) -> Answer<Vec<Credit>> {
        let page = self.client.credits(&mut self.psp(), after).map_err(refused)?;
        page.credits.into_iter().map(credit).collect()
    }

    fn struck_off(&self, after: u64) -> Answer<Vec<StruckOff>> {
        let page = self.client.struck_off(&mut self.psp(), after).map_err(refused)?;
        let device = |device: api::StruckOff| StruckOff { sequence: device.sequence, identity: device.device.0 };
        Ok(page.devices.into_iter().map(device).collect())
    }

    fn manifests(&self, after: u64) -> Answer<Manifests> {
        let manifests = self.client.manifests(after).map_err(refused)?;
        let header =
            |signed: api::SignedHeader| SignedHeader { header: signed.header.0, signature: signed.signature.0 };
        Ok(Manifests {
            headers: manifests.headers.into_iter().map(header).collect(),
            manifest: manifests.manifest.map(|manifest| manifest.0),
        })
    }

    fn revocations(&self, after: u64) -> Answer<Vec<Vec<u8>>> {
        let answer = self.client.revocations(after).map_err(refused)?;
        Ok(answer.pages.into_iter().map(|page| page.0).collect())
    }

    fn reserve(&self) -> Answer<Amount> {
        amount(self.client.reserve(&mut self.psp()).map_err(refused)?.balance)
    }
}

/// The idempotency key of one step of an operation.
fn key(operation: &OperationId, step: &str) -> Key {
    Key::new(&format!("{}-{step}", HexArray(*operation))).expect("32 digits and a short word")
}

fn refused(error: CallError) -> BankError {
    let Some(problem) = error.problem() else { return BankError::Unavailable(error.to_string()) };
    let detail = format!("{} ({})", problem.detail, problem.code);
    if let Some((_, refusal)) = REFUSALS.iter().find(|(code, _)| problem.is(code)) {
        return BankError::Refused { refusal: *refusal, detail };
    }
    if problem.retry || problem.status >= 500 || UNHEARD.iter().any(|code| problem.is(code)) {
        return BankError::Unavailable(detail);
    }
    BankError::Refused { refusal: Refusal::Other, detail }
}

fn standing(state: api::BatchState) -> BatchStanding {
    match state {
        api::BatchState::Open => BatchStanding::Open,
        api::BatchState::Answered | api::BatchState::Erased => BatchStanding::Answered,
        api::BatchState::Void => BatchStanding::Void,
    }
}

fn result(item: api::RedemptionItem) -> Answer<RedemptionResult> {
    match item {
        api::RedemptionItem::Credited { amount: minor } => amount(minor).map(RedemptionResult::Credited),
        api::RedemptionItem::Refused { code, detail } => Ok(RedemptionResult::Refused { code, detail }),
    }
}

fn restitution(claim: api::RestitutionClaim) -> Answer<Restitution> {
    let deadline = Timestamp::new(claim.deadline);
    Ok(Restitution {
        note_id: claim.note_id.0,
        amount: amount(claim.amount)?,
        deadline: deadline.ok_or_else(|| BankError::Unavailable("it answers a time beyond all bounds".into()))?,
        account: claim.account,
        state: match claim.state {
            api::RestitutionState::Open => RestitutionState::Open,
            api::RestitutionState::Paid => RestitutionState::Paid,
            api::RestitutionState::Void => RestitutionState::Void,
        },
    })
}

fn credit(credit: api::Credit) -> Answer<Credit> {
    Ok(Credit {
        sequence: credit.sequence,
        account: credit.account,
        amount: amount(credit.amount)?,
        origin: match credit.kind {
            api::CreditKind::Redemption | api::CreditKind::Leftover => CreditOrigin::Redemption,
            api::CreditKind::Restitution => CreditOrigin::Restitution,
            api::CreditKind::Transfer => CreditOrigin::Transfer,
        },
        reference: credit.reference,
    })
}

fn amount(minor: u64) -> Answer<Amount> {
    Amount::new(minor).ok_or_else(|| BankError::Unavailable("it answers an amount beyond all bounds".into()))
}
