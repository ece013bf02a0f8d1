//! Asking to be paid (§7).

mod opening;
mod state;

use specie_core::amount::{Amount, Timestamp};
use specie_core::note::owner_tag;
use specie_core::request::TAGS_MAX;
use specie_core::text::{Currency, Memo};
use thiserror::Error;

use crate::element::ElementFault;
use crate::error::WalletError;
use crate::purse::Place;
use crate::record::{Changes, derive};
use crate::step::Step;
use crate::wallet::Wallet;

pub(crate) use state::{OwnRequest, Requests, Stage, Tag};

/// What to ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// In which currency.
    pub currency: Currency,
    /// How much; more than zero.
    pub amount: Amount,
    /// Last moment at which a payment is accepted.
    pub expiry: Timestamp,
    /// The most notes in which it may be paid, 1 to 8. Each takes a blank until the request is paid or expired.
    pub notes_max: u8,
    /// What it is for.
    pub memo: Option<Memo>,
}

/// Names a request within this wallet, from its plan on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub [u8; 16]);

/// How far a request got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RequestState {
    /// Not signed and reserved by the element yet.
    Planned,
    /// Waits for a payment.
    Open,
    /// Past its expiry, unpaid. Its payment may still be claimed from the bank while its blanks are unused.
    Lapsed,
    /// Paid.
    Paid,
}

/// Why there is no request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The amount is zero.
    #[error("a request for nothing")]
    NoAmount,
    /// The expiry has passed already.
    #[error("the request would be expired already")]
    Expired,
    /// No free blank may own so much until then.
    #[error("no free blank may own {0} until the request expires")]
    NoBlank(Amount),
    /// The owner wants a newer revocation list than the one held.
    #[error("the revocation list held is older than the settings allow")]
    RevocationsStale,
    /// No request of that name.
    #[error("no such request")]
    Unknown,
    /// The element refuses: over its holding limit, or the PIN is needed to sign.
    #[error(transparent)]
    Element(#[from] ElementFault),
}

impl WalletError for RequestError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoAmount => "no-amount",
            Self::Expired => "request-expired",
            Self::NoBlank(_) => "no-blank",
            Self::RevocationsStale => "revocations-stale",
            Self::Unknown => "unknown-request",
            Self::Element(fault) => fault.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::NoAmount => "ask for an amount",
            Self::Expired => "choose a later expiry",
            Self::NoBlank(_) => "ask for less, or synchronise to get new blanks",
            Self::RevocationsStale => "synchronise, or change the setting",
            Self::Unknown => "make a new request",
            Self::Element(fault) => fault.advice(),
        }
    }
}

/// How long after its expiry a request's payment may be claimed from the bank, in seconds: longer than a payer stays away from its PSP.
const CLAIM_PERIOD: u64 = 90 * 24 * 60 * 60;

impl Wallet {
    /// Plans a request and reserves its blanks: as many as `notes_max` and half of the free blanks allow, and at least one.
    ///
    /// # Errors
    /// When no blank is left for it.
    pub fn plan_request(
        &mut self,
        terms: &Terms,
        now: Timestamp,
        seed: &[u8; 32],
    ) -> Result<Step<RequestId>, RequestError> {
        let now = self.not_before_floor(now);
        if terms.amount.is_zero() {
            return Err(RequestError::NoAmount);
        }
        if now > terms.expiry {
            return Err(RequestError::Expired);
        }
        if self.settings.revocations_age_max.is_some_and(|most| self.revocations_age(now) > most) {
            return Err(RequestError::RevocationsStale);
        }
        let most = usize::from(terms.notes_max).clamp(1, TAGS_MAX);
        let free = self.purse.free_blanks().blanks(terms.currency, terms.amount, terms.expiry, 2 * most);
        // Half of them stay for other requests, and for change.
        let reserved = &free[..free.len().div_ceil(2)];
        if reserved.is_empty() {
            return Err(RequestError::NoBlank(terms.amount));
        }
        let tag = |(number, index): (usize, &u32)| {
            let blind = *derive(seed, "blind", number);
            let blank = self.purse.get(*index)?.material.id;
            Some(Tag { index: *index, blind, owner: owner_tag(&blank, &blind) })
        };
        let tags = reserved.iter().enumerate().filter_map(tag).collect();
        let name = derive(seed, "request", 0);
        let id = RequestId(name[..16].try_into().expect("half of 32 bytes"));
        let request = OwnRequest {
            terms: *terms,
            at: now,
            nonce: derive(seed, "payee-nonce", 0)[..16].try_into().expect("half of 32 bytes"),
            preimage: derive(seed, "receipt", 0),
            tags,
            message: None,
            disclose_to: None,
            stage: Stage::Planned,
        };
        let mut changes = Changes::default();
        request.store(&id, &mut changes);
        reserved.iter().for_each(|index| self.purse.place(*index, Place::Reserved(id)));
        self.requests.insert(id, request);
        Ok(changes.step(id))
    }

    /// The request as it travels, once open.
    pub fn request_message(&self, id: &RequestId) -> Option<&[u8]> {
        self.requests.get(id)?.message.as_ref().map(|(message, _)| message.as_slice())
    }

    /// How far a request got; `None` when there is none of that name.
    pub fn request_state(&self, id: &RequestId, now: Timestamp) -> Option<RequestState> {
        let request = self.requests.get(id)?;
        let lapsed = self.not_before_floor(now) > request.terms.expiry;
        Some(match request.stage {
            Stage::Paid { .. } => RequestState::Paid,
            Stage::Planned | Stage::Open if lapsed => RequestState::Lapsed,
            Stage::Lapsed => RequestState::Lapsed,
            Stage::Planned => RequestState::Planned,
            Stage::Open => RequestState::Open,
        })
    }

    /// What was asked for.
    pub fn request_terms(&self, id: &RequestId) -> Option<Terms> {
        self.requests.get(id).map(|request| request.terms)
    }

    /// Requests neither paid nor lapsed.
    pub fn open_requests(&self, now: Timestamp) -> impl Iterator<Item = RequestId> {
        self.requests
            .iter()
            .map(|(id, _)| *id)
            .filter(move |id| self.request_state(id, now) == Some(RequestState::Open))
    }

    /// Requests whose payments may wait at the bank: unpaid, with blanks unused.
    pub fn claimable_requests(&self, now: Timestamp) -> impl Iterator<Item = RequestId> {
        let now = self.not_before_floor(now);
        let claimable = move |id: &RequestId, request: &OwnRequest| {
            let waits = matches!(request.stage, Stage::Open | Stage::Lapsed);
            let in_time = now <= request.terms.expiry.saturating_add(CLAIM_PERIOD);
            waits && in_time && request.tags.iter().any(|tag| self.may_own(tag.index, id))
        };
        self.requests.iter().filter(move |(id, request)| claimable(id, request)).map(|(id, _)| *id)
    }

    /// Withdraws a request that was not paid and frees its blanks. A payment of it is refused from then on.
    ///
    /// # Errors
    /// When there is none, or it was paid.
    pub fn cancel_request(&mut self, id: &RequestId) -> Result<Step<()>, RequestError> {
        match self.requests.get(id).map(|request| &request.stage) {
            None | Some(Stage::Paid { .. }) => Err(RequestError::Unknown),
            Some(_) => {
                let mut changes = Changes::default();
                self.drop_request(id, &mut changes);
                Ok(changes.step(()))
            }
        }
    }

    /// Whether a blank is still there to own what is paid to this request.
    pub(crate) fn may_own(&self, index: u32, id: &RequestId) -> bool {
        self.purse.may_own(index, id)
    }

    fn drop_request(&mut self, id: &RequestId, changes: &mut Changes) {
        if let Some(request) = self.requests.remove(id) {
            changes.delete(crate::record::Table::Request, &id.0);
            request.tags.iter().for_each(|tag| self.free_blank(tag.index, id, changes));
        }
    }

    /// Frees a blank that this request reserved.
    pub(crate) fn free_blank(&mut self, index: u32, id: &RequestId, changes: &mut Changes) {
        if self.purse.get(index).is_some_and(|holding| holding.place == Place::Reserved(*id)) {
            self.purse.place(index, Place::Idle);
            self.tasks.release(index, changes);
        }
    }

    /// Frees the blanks of requests that expired unpaid; whether there were any.
    pub(crate) fn lapse_requests(&mut self, now: Timestamp, changes: &mut Changes) -> bool {
        let now = self.not_before_floor(now);
        let expired: alloc::vec::Vec<RequestId> = self.requests.expired(now).collect();
        for id in &expired {
            let Some(mut request) = self.requests.remove(id) else { continue };
            request.tags.iter().for_each(|tag| self.free_blank(tag.index, id, changes));
            if request.message.is_some() {
                request.stage = Stage::Lapsed;
                request.store(id, changes);
                self.requests.insert(*id, request);
            } else {
                changes.delete(crate::record::Table::Request, &id.0);
            }
        }
        !expired.is_empty()
    }
}
