//! The wallet's own requests, and how they are stored.

use alloc::boxed::Box;
use alloc::vec::Vec;

use specie_core::amount::Timestamp;
use specie_core::bytes::{Context, OwnerTag};
use specie_core::disclosure::SupervisoryKey;
use specie_core::encoding::{Decode, DecodeError};
use specie_core::receipt::{Receipt, receipt_hash};
use specie_core::request::{OwnerTags, Request, RequestBody, request_context};
use zeroize::Zeroizing;

use super::{CLAIM_PERIOD, RequestId, Terms};
use crate::purse::Place;
use crate::record::{Changes, Fields, ReadField, Table, read};
use crate::sorted::{Boxes, Map, Set};
use crate::wallet::{Wallet, bytes_of};

/// How far a request got, as stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Blanks are reserved in the wallet.
    Planned,
    /// Blanks are reserved in the element too, and the request was signed.
    Open,
    /// Expired; the blanks are free.
    Lapsed,
    /// Paid by the payment of this digest.
    Paid { digest: [u8; 32] },
}

/// An owner tag and what opens it.
#[derive(Clone, Copy)]
pub(crate) struct Tag {
    pub(crate) index: u32,
    pub(crate) blind: [u8; 32],
    pub(crate) owner: OwnerTag,
}

/// A request that this wallet made.
pub(crate) struct OwnRequest {
    pub(crate) terms: Terms,
    pub(crate) at: Timestamp,
    pub(crate) nonce: [u8; 16],
    /// Of the receipt: told when the request was paid.
    pub(crate) preimage: Zeroizing<[u8; 32]>,
    pub(crate) tags: Vec<Tag>,
    /// The request as it travels and its hash, once open.
    pub(crate) message: Option<(Vec<u8>, Context)>,
    /// The supervisory key to which whoever pays has to disclose itself, as the message says.
    pub(crate) disclose_to: Option<SupervisoryKey>,
    pub(crate) stage: Stage,
}

/// Requests by name, by hash, and by expiry.
#[derive(Default)]
pub(crate) struct Requests {
    by_id: Boxes<RequestId, OwnRequest>,
    by_context: Map<Context, RequestId>,
    /// Those that reserve blanks.
    expiring: Set<(Timestamp, RequestId)>,
}

impl Requests {
    pub(crate) fn insert(&mut self, id: RequestId, request: OwnRequest) {
        if let Some((_, context)) = &request.message {
            self.by_context.insert(*context, id);
        }
        if matches!(request.stage, Stage::Planned | Stage::Open) {
            self.expiring.insert((request.terms.expiry, id));
        }
        self.by_id.insert(id, Box::new(request));
    }

    pub(crate) fn remove(&mut self, id: &RequestId) -> Option<OwnRequest> {
        let request = self.by_id.remove(id)?;
        if let Some((_, context)) = &request.message {
            self.by_context.remove(context);
        }
        self.expiring.remove(&(request.terms.expiry, *id));
        Some(*request)
    }

    pub(crate) fn get(&self, id: &RequestId) -> Option<&OwnRequest> {
        self.by_id.get(id).map(Box::as_ref)
    }

    pub(crate) fn of_context(&self, context: &Context) -> Option<(RequestId, &OwnRequest)> {
        let id = self.by_context.get(context)?;
        self.get(id).map(|request| (*id, request))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&RequestId, &OwnRequest)> {
        self.by_id.iter().map(|(id, request)| (id, request.as_ref()))
    }

    /// Removes requests that expired before `before`, if they were paid or can be claimed no more.
    pub(crate) fn prune(
        &mut self,
        before: Timestamp,
        may_own: impl Fn(u32, &RequestId) -> bool,
        changes: &mut Changes,
    ) {
        let old = |id: &RequestId, request: &OwnRequest| match request.stage {
            Stage::Planned | Stage::Open => false,
            Stage::Lapsed => {
                let too_late = request.terms.expiry.saturating_add(CLAIM_PERIOD) < before;
                too_late || !request.tags.iter().any(|tag| may_own(tag.index, id))
            }
            Stage::Paid { .. } => request.terms.expiry < before,
        };
        let ids: Vec<RequestId> =
            self.by_id.iter().filter(|(id, request)| old(id, request)).map(|(id, _)| *id).collect();
        for id in ids {
            self.remove(&id);
            changes.delete(Table::Request, &id.0);
        }
    }

    /// Requests that reserve blanks although they expired before `now`.
    pub(crate) fn expired(&self, now: Timestamp) -> impl Iterator<Item = RequestId> {
        self.expiring.iter().take_while(move |(expiry, _)| *expiry < now).map(|(_, id)| *id)
    }

    /// Requests that were planned and not opened.
    pub(crate) fn planned(&self) -> impl Iterator<Item = RequestId> {
        let open = |id: &RequestId| self.by_id.get(id).is_some_and(|request| request.stage == Stage::Planned);
        self.expiring.iter().map(|(_, id)| *id).filter(open)
    }
}

impl OwnRequest {
    /// What is asked for as it travels, with some of its tags; `None` without any.
    pub(crate) fn body(&self, tags: &[Tag], wallet: &Wallet) -> Option<RequestBody> {
        let owners: Vec<OwnerTag> = tags.iter().map(|tag| tag.owner).collect();
        let descriptor = wallet.descriptor().filter(|descriptor| descriptor.body.valid_until >= self.at);
        Some(RequestBody {
            currency: self.terms.currency,
            amount: self.terms.amount,
            payee_nonce: self.nonce,
            expiry: self.terms.expiry,
            owner_tags: OwnerTags::new(&owners)?,
            receipt_hash: receipt_hash(&self.preimage),
            manifest_sequence: wallet.manifest_sequence(),
            revocation_sequence: wallet.revocation_sequence(),
            disclose_to: wallet.disclosed_to(self.terms.currency, self.terms.amount),
            descriptor: descriptor.copied(),
            memo: self.terms.memo,
        })
    }

    /// The receipt, if it was paid.
    pub(crate) fn receipt(&self) -> Option<Receipt> {
        match (&self.stage, &self.message) {
            (Stage::Paid { .. }, Some((_, context))) => Some(Receipt { request: *context, preimage: *self.preimage }),
            _ => None,
        }
    }

    pub(crate) fn store(&self, id: &RequestId, changes: &mut Changes) {
        let stage = match self.stage {
            Stage::Planned => 0u8,
            Stage::Open => 1,
            Stage::Lapsed => 2,
            Stage::Paid { .. } => 3,
        };
        let digest = match self.stage {
            Stage::Paid { digest } => Some(digest),
            _ => None,
        };
        let message = self.message.as_ref().map(|(message, _)| message);
        let room = message.map_or(0, Vec::len) + self.tags.len() * 80 + 384;
        let record = Fields::new(12, room)
            .text(self.terms.currency.as_str())
            .amount(self.terms.amount)
            .time(self.terms.expiry)
            .uint(self.terms.notes_max)
            .optional(self.terms.memo, |fields, memo| fields.text(memo.as_str()))
            .time(self.at)
            .bytes(&self.nonce)
            .bytes(&self.preimage[..])
            .each(self.tags.iter(), |fields, tag| fields.array(3).uint(tag.index).bytes(&tag.blind).bytes(&tag.owner.0))
            .optional(message, |fields, message| fields.bytes(message))
            .uint(stage)
            .optional(digest, |fields, digest| fields.bytes(&digest))
            .done();
        changes.put(Table::Request, &id.0, record);
    }
}

fn read_request(record: &[u8]) -> Result<OwnRequest, DecodeError> {
    read(record, 12, |r| {
        let terms = Terms {
            currency: r.currency()?,
            amount: r.amount()?,
            expiry: r.time()?,
            notes_max: r.uint_as()?,
            memo: r.optional(ReadField::memo)?,
        };
        let (at, nonce, preimage) = (r.time()?, r.bytes_of()?, Zeroizing::new(r.bytes_of()?));
        let tags = r.each(|r| {
            r.array_of(3)?;
            Ok(Tag { index: r.uint_as()?, blind: r.bytes_of()?, owner: OwnerTag(r.bytes_of()?) })
        })?;
        let (message, disclose_to) = match r.optional(specie_core::encoding::Reader::bytes)? {
            Some(bytes) => (Some((bytes.to_vec(), request_context(bytes))), Request::decode(bytes)?.body.disclose_to),
            None => (None, None),
        };
        let stage = match (r.uint()?, r.optional(|r| r.bytes_of())?) {
            (0, None) => Stage::Planned,
            (1, None) => Stage::Open,
            (2, None) => Stage::Lapsed,
            (3, Some(digest)) => Stage::Paid { digest },
            _ => return Err(DecodeError::OutOfRange),
        };
        Ok(OwnRequest { terms, at, nonce, preimage, tags, message, disclose_to, stage })
    })
}

impl Wallet {
    #[inline(never)]
    pub(crate) fn load_request(&mut self, id: &[u8], record: &[u8]) -> Result<(), DecodeError> {
        let id = RequestId(bytes_of(id)?);
        let request = read_request(record)?;
        if matches!(request.stage, Stage::Planned | Stage::Open) {
            request.tags.iter().for_each(|tag| self.purse.place(tag.index, Place::Reserved(id)));
        }
        self.requests.insert(id, request);
        Ok(())
    }
}
