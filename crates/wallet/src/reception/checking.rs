//! The rules of §9, one after the other. Nothing here changes anything.

use alloc::vec::Vec;

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{NoteId, TransferId};
use specie_core::chain::{Batched, ChainError, ChainSummary, Deadline, End, Link, verify_chain};
use specie_core::class::Class;
use specie_core::encoding::{Decode, Encode};
use specie_core::evidence::{Evidence, convict_vartime};
use specie_core::hash;
use specie_core::payment::{Chain, Payment};
use specie_core::show::Batch;
use specie_core::transfer::Transfer;

use super::{ReceptionError, Route};
use crate::payment::{compact, write_chain};
use crate::publication::HeldManifest;
use crate::request::{OwnRequest, RequestId, Stage, Tag};
use crate::sorted::Map;
use crate::wallet::Wallet;

/// What to make of a payment.
pub(super) enum Verdict {
    /// It keeps every rule.
    Good(Accepted),
    /// It was accepted before.
    Repeated(RequestId),
    /// It is valid but for a note that was spent otherwise.
    DoubleSpend { note_id: NoteId, evidence: Vec<u8> },
}

/// A payment that keeps every rule.
pub(super) struct Accepted {
    pub(super) request: RequestId,
    pub(super) digest: [u8; 32],
    pub(super) outputs: Vec<OwnedOutput>,
}

/// An output that a blank of this wallet owns from now on.
pub(super) struct OwnedOutput {
    /// The blank.
    pub(super) index: u32,
    /// Which output of the last transfer.
    pub(super) position: u8,
    pub(super) amount: Amount,
    pub(super) summary: ChainSummary,
    /// The chain in extended form.
    pub(super) chain: Vec<u8>,
    pub(super) shown: Vec<NoteId>,
}

/// One chain that holds, but for the equations of its shows.
struct Checked<'c> {
    summary: ChainSummary,
    links: Vec<CheckedLink<'c>>,
}

struct CheckedLink<'c> {
    class: &'c Class,
    note_id: NoteId,
    id: TransferId,
    transfer: Transfer,
}

/// Label of the digest by which a payment is known again.
const DIGEST: &str = "specie/v1/wallet-payment";

impl Wallet {
    pub(super) fn check(&self, payment: &[u8], route: Route, now: Timestamp) -> Result<Verdict, ReceptionError> {
        let message = Payment::decode(payment).map_err(ReceptionError::Malformed)?;
        let mut contexts = message.chains().map(|chain| chain.last().preimage.context);
        let context = contexts.next().ok_or(ReceptionError::UnknownRequest)?;
        if contexts.any(|other| other != context) {
            return Err(ReceptionError::MixedContexts);
        }
        let (id, request) = self.requests.of_context(&context).ok_or(ReceptionError::UnknownRequest)?;
        let digest = hash::h32(DIGEST, &[&compact(payment).map_err(ReceptionError::Malformed)?]);
        match request.stage {
            Stage::Paid { digest: paid } if paid == digest => return Ok(Verdict::Repeated(id)),
            Stage::Paid { .. } => return Err(ReceptionError::AlreadyPaid),
            Stage::Planned | Stage::Open | Stage::Lapsed => {}
        }
        if route == Route::Payer && now > request.terms.expiry {
            return Err(ReceptionError::RequestExpired);
        }
        let chains = self.check_chains(payment, &message, now)?;
        let outputs = self.check_outputs(&id, request, &chains)?;
        self.check_disclosures(request, &chains)?;
        match self.find_double_spend(&chains)? {
            Some((note_id, evidence)) => Ok(Verdict::DoubleSpend { note_id, evidence }),
            None => Ok(Verdict::Good(Accepted { request: id, digest, outputs })),
        }
    }

    /// Every link of every chain, all shows at once.
    #[inline(never)]
    fn check_chains<'c>(
        &'c self,
        payment: &[u8],
        message: &Payment<'_>,
        now: Timestamp,
    ) -> Result<Vec<Checked<'c>>, ReceptionError> {
        let Some(manifest) = self.publications.held_manifest() else {
            let first = message.chains().next().map(|chain| chain.last().preimage.class_id);
            let class_id = first.ok_or(ReceptionError::UnknownRequest)?;
            return Err(ChainError::UnknownClass(class_id).into());
        };
        // The weights are hashed from everything that is checked with them.
        let seed = hash::h32(specie_core::label::BATCH, &[payment]);
        let mut shows = Batched { generators: &self.generators, batch: Batch::new(self.generators, seed) };
        let mut chains = Vec::new();
        for chain in message.chains() {
            chains.push(check_chain(manifest, &chain, now, &mut shows)?);
        }
        shows.batch.verify_vartime().map_err(ChainError::Forged)?;
        Ok(chains)
    }

    /// What is paid to this request: each chain something, in all what was asked for.
    #[inline(never)]
    fn check_outputs(
        &self,
        id: &RequestId,
        request: &OwnRequest,
        chains: &[Checked<'_>],
    ) -> Result<Vec<OwnedOutput>, ReceptionError> {
        let mut outputs: Vec<OwnedOutput> = Vec::new();
        for chain in chains {
            if chain.summary.currency != request.terms.currency {
                return Err(ReceptionError::WrongCurrency);
            }
            if Some(chain.summary.issuer) != self.publications.issuer() {
                return Err(ReceptionError::WrongIssuer);
            }
            if let Some(link) = chain.links.iter().find(|link| self.purse.is_note_revoked(&link.note_id)) {
                return Err(ReceptionError::Revoked(link.note_id));
            }
            let before = outputs.len();
            for (position, output) in chain.summary.outputs.as_slice().iter().enumerate() {
                let Some(tag) = request.tags.iter().find(|tag| tag.owner == output.owner) else { continue };
                if outputs.iter().any(|other| other.index == tag.index) {
                    return Err(ReceptionError::TagUsedTwice);
                }
                self.check_blank(id, tag, output.amount)?;
                // Eight outputs at most.
                outputs.push(chain.owned(tag.index, position as u8, output.amount));
            }
            if outputs.len() == before {
                return Err(ReceptionError::TagNotOwn);
            }
        }
        let (asked, sum) = (request.terms.amount, Amount::checked_sum(outputs.iter().map(|output| output.amount)));
        match sum {
            // An output of nothing would use a blank up.
            Some(paid) if paid == asked && outputs.iter().all(|output| !output.amount.is_zero()) => Ok(outputs),
            paid => Err(ReceptionError::WrongAmount { paid: paid.unwrap_or(Amount::MAX), asked }),
        }
    }

    #[inline(never)]
    fn check_blank(&self, id: &RequestId, tag: &Tag, amount: Amount) -> Result<(), ReceptionError> {
        let holding = self.purse.get(tag.index).filter(|_| self.may_own(tag.index, id));
        let holding = holding.ok_or(ReceptionError::BlankUsed)?;
        if amount > holding.material.info.amount { Err(ReceptionError::OverCap) } else { Ok(()) }
    }

    /// Where the request says so, each last transfer names its payer to the supervisory key (§7.1).
    #[inline(never)]
    fn check_disclosures(&self, request: &OwnRequest, chains: &[Checked<'_>]) -> Result<(), ReceptionError> {
        let Some(key) = &request.disclose_to else { return Ok(()) };
        for transfer in chains.iter().filter_map(|chain| chain.links.last()).map(|link| &link.transfer) {
            if transfer.disclosure.is_none() {
                return Err(ReceptionError::DisclosureMissing);
            }
            let verdict = transfer.verify_disclosure_vartime(&self.generators, key);
            verdict.map_err(|_| ReceptionError::DisclosureWrong)?;
        }
        Ok(())
    }

    /// A note that is shown in two transfers: both in this payment, or one of them in a coin held.
    #[inline(never)]
    fn find_double_spend(&self, chains: &[Checked<'_>]) -> Result<Option<(NoteId, Vec<u8>)>, ReceptionError> {
        let mut seen: Map<NoteId, &CheckedLink<'_>> = Map::new();
        for link in chains.iter().flat_map(|chain| &chain.links) {
            if let Some(other) = seen.insert(link.note_id, link).filter(|other| other.id != link.id) {
                return self.prove_double_spend(link, &other.transfer).map(Some);
            }
            if let Some(other) = self.purse.shown_otherwise(&link.note_id, &link.id) {
                return self.prove_double_spend(link, &other).map(Some);
            }
        }
        Ok(None)
    }

    /// Evidence that the note of `link` was spent by `other` too.
    fn prove_double_spend(
        &self,
        link: &CheckedLink<'_>,
        other: &Transfer,
    ) -> Result<(NoteId, Vec<u8>), ReceptionError> {
        match convict_vartime(&self.generators, link.class, other, &link.transfer) {
            Ok(_) => Ok((link.note_id, encode_evidence(link, other))),
            Err(_) => Err(ReceptionError::SpentTwice(link.note_id)),
        }
    }
}

/// Apart, so that the evidence lies on the stack no longer than this takes.
#[inline(never)]
fn encode_evidence(link: &CheckedLink<'_>, other: &Transfer) -> Vec<u8> {
    Evidence { class: link.class.clone(), first: *other, second: link.transfer }.to_vec()
}

#[inline(never)]
fn check_chain<'c>(
    manifest: &'c HeldManifest,
    chain: &Chain<'_>,
    now: Timestamp,
    shows: &mut Batched<'_>,
) -> Result<Checked<'c>, ChainError> {
    let mut links = Vec::with_capacity(chain.length());
    let summary = verify_chain(manifest, chain, Deadline::Spend(now), End::Outputs, shows, |link| {
        keep(&mut links, link);
    })?;
    Ok(Checked { summary, links })
}

/// Apart, so that a second transfer lies on the stack no longer than this takes.
#[inline(never)]
fn keep<'c>(links: &mut Vec<CheckedLink<'c>>, link: &Link<'c, '_>) {
    links.push(CheckedLink { class: link.class, note_id: link.note_id, id: link.id, transfer: *link.transfer });
}

impl Checked<'_> {
    #[inline(never)]
    fn owned(&self, index: u32, position: u8, amount: Amount) -> OwnedOutput {
        // No more than it takes: it is kept.
        let room = 1 + self.links.iter().map(|link| link.transfer.encoded_length()).sum::<usize>();
        OwnedOutput {
            index,
            position,
            amount,
            summary: self.summary,
            chain: write_chain(self.links.iter().map(|link| link.transfer), self.links.len(), room),
            shown: self.links.iter().map(|link| link.note_id).collect(),
        }
    }
}
