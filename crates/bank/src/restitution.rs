//! Lost devices (§8.1): their owners claim what they held, and are paid what nobody else redeemed by its deadline.
//!
//! A claim never stands in anybody's way: whoever redeems in time is paid as ever, and the claim comes to nothing. Only
//! what would fall to nobody, or back to a payer who is not the owner, goes to the claim, in the transaction that settles it for good:
//! for a value note at the end of its class, for an output with the transfer that has it ([`sweep`](crate::sweep)).

use std::collections::BTreeMap;

use specie_audit::{Actor, Kind as Decided};
use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{ClassId, NoteId, TransferId};
use specie_core::chain::{ChainError, End};
use specie_core::class::{Class, Classes, Kind};
use specie_core::encoding::Decode;
use specie_core::group::RistrettoPoint;
use specie_core::holding::{Holding, Owned};
use specie_core::note::owner_tag;
use specie_core::payment::Chain;
use specie_core::text::Name;
use specie_core::transfer::Input;
use specie_core::{hash, label};
use thiserror::Error;

use crate::audit::{self, hex};
use crate::bank::Bank;
use crate::classes::ClassTable;
use crate::detection::DetectionError;
use crate::device::{self, DeviceError};
use crate::ledger::LedgerError;
use crate::payout::{self, Destination, Due, PayoutKind};
use crate::signer::Signer;
use crate::spent::lapsed;
use crate::storage::{Storage, StorageError, Tx, View};
use crate::verification::CheckedChain;

/// The most holdings in one claim.
pub const HOLDINGS_MAX: usize = 256;

/// What is claimed of one holding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestitutionRecord {
    /// The note, or the blank that owns the output.
    pub note_id: NoteId,
    /// `U` of the device that it was issued to.
    pub identity: [u8; 32],
    /// The output that the blank owns; `None` for a value note.
    pub output: Option<(TransferId, u8)>,
    /// The issued note that it comes from.
    pub root: NoteId,
    /// Class of that note.
    pub root_class: ClassId,
    /// What it is worth.
    pub amount: Amount,
    /// Last moment at which others may redeem it.
    pub deadline: Timestamp,
    /// Who is paid then.
    pub to: Destination,
    /// What became of it.
    pub state: RestitutionState,
}

/// What became of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestitutionState {
    /// Its deadline has not passed.
    Open,
    /// It was paid.
    Paid,
    /// Somebody else had redeemed it by its deadline, or paid with it.
    Void,
}

/// Holdings that were checked to be of one device, and are not yet claimed.
pub struct CheckedRestitution {
    psp: Name,
    identity: [u8; 32],
    items: Vec<Result<CheckedHolding, Refusal>>,
}

/// Whose holdings they are said to be, and who is to be paid.
struct Claimant {
    /// `U`.
    point: RistrettoPoint,
    identity: [u8; 32],
    to: Destination,
}

struct CheckedHolding {
    claim: RestitutionRecord,
    chain: Option<CheckedChain>,
}

/// Why a holding cannot be claimed. Nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The bytes are no holding.
    #[error("these bytes are no holding")]
    Malformed,
    /// The chain breaks a rule of the protocol, or the blank does not own the output.
    #[error(transparent)]
    Chain(ChainError),
    /// The bank did not issue it, or not to this device.
    #[error("this was not issued to the device")]
    NotIssued,
    /// It was redeemed, or paid with.
    #[error("this was redeemed already, or paid with")]
    Shown,
    /// It comes too late.
    #[error("this was settled already: it comes too late")]
    Lapsed,
    /// It is claimed for another account, or as another output.
    #[error("this is claimed already, for another account or as another output")]
    Claimed,
}

/// Why a claim was not looked at.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RestitutionError {
    /// Nothing, or too much.
    #[error("a claim has 1 to {HOLDINGS_MAX} holdings: claim in parts")]
    Size,
    /// The device is not one of this PSP's.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A double spend could not be recorded.
    #[error(transparent)]
    Detection(#[from] DetectionError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl RestitutionState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Open, Self::Paid, Self::Void];

    /// Its name in the storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Void => "void",
        }
    }
}

impl RestitutionRecord {
    /// Under which its payout is booked.
    pub(crate) fn payout_name(&self) -> TransferId {
        payout_name(&self.note_id)
    }
}

/// Under which the payout of a claim on this note is booked, and the note shown, if it is a value note.
pub(crate) fn payout_name(note: &NoteId) -> TransferId {
    TransferId(hash::h32(label::BANK_RESTITUTION, &[&note.0]))
}

impl Refusal {
    /// A stable code for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Chain(error) => error.code(),
            Self::NotIssued => "not-issued",
            Self::Shown => "shown",
            Self::Lapsed => "lapsed",
            Self::Claimed => "claimed",
        }
    }
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Checks holdings of the device `identity` of `psp`, to be paid to an account there, outside any transaction. `seed` is 32 random
    /// bytes that whoever made them cannot foresee.
    ///
    /// # Errors
    /// When there are none or too many, or the device is not one of `psp`. What is wrong with a holding is said by [`Bank::claim`].
    pub fn check_restitution(
        &self,
        identity: &[u8; 32],
        to: Destination,
        holdings: &[impl AsRef<[u8]>],
        now: Timestamp,
        seed: &[u8; 32],
    ) -> Result<CheckedRestitution, RestitutionError> {
        if holdings.is_empty() || holdings.len() > HOLDINGS_MAX {
            return Err(RestitutionError::Size);
        }
        let (classes, point) = self.storage().read(|view| {
            let point = device::registered(view, &to.psp, identity)?;
            Ok::<_, RestitutionError>((self.class_table(view)?, point))
        })?;
        let claimant = Claimant { point, identity: *identity, to };
        let decoded: Vec<_> = holdings.iter().map(|bytes| Holding::decode(bytes.as_ref())).collect();
        let chains: Vec<Chain<'_>> =
            decoded.iter().flatten().filter_map(|holding| Some(holding.owned?.chain)).collect();
        let mut chains = self.check_chains(&classes, &chains, now, End::Outputs, seed).into_iter();
        let items = decoded.iter().map(|holding| {
            let holding = holding.as_ref().map_err(|_| Refusal::Malformed)?;
            let chain = holding.owned.map(|_| chains.next().expect("one verdict for each chain"));
            let chain = chain.transpose().map_err(Refusal::Chain)?;
            let claim = self.claim_of(&classes, &claimant, holding, chain.as_ref(), now)?;
            Ok(CheckedHolding { claim, chain })
        });
        Ok(CheckedRestitution { psp: to.psp, identity: *identity, items: items.collect() })
    }

    /// What is claimed of a holding, if the claimant's device holds it.
    fn claim_of(
        &self,
        classes: &ClassTable,
        claimant: &Claimant,
        holding: &Holding<'_>,
        chain: Option<&CheckedChain>,
        now: Timestamp,
    ) -> Result<RestitutionRecord, Refusal> {
        let class =
            classes.class(&holding.class_id).ok_or(Refusal::Chain(ChainError::UnknownClass(holding.class_id)))?;
        if now > class.info().redeem_until {
            return Err(Refusal::Chain(ChainError::Expired(class.id())));
        }
        let note_id = holding.verify_vartime(self.generators(), class, &claimant.point);
        let note_id = note_id.map_err(|_| Refusal::NotIssued)?;
        match (&holding.owned, chain, class.info().kind) {
            (None, None, Kind::Value) => Ok(claimant.of_note(class, note_id)),
            (Some(owned), Some(chain), Kind::Blank) => {
                claimant.of_output(class, note_id, owned, chain).map_err(Refusal::Chain)
            }
            _ => Err(Refusal::Chain(ChainError::WrongKind)),
        }
    }

    /// Claims what was checked, and tells for each holding what is claimed or why it is not, in their order. The same again changes
    /// nothing. Transfers in the chains become known to the bank as if they had been redeemed.
    ///
    /// # Errors
    /// When the device is not one of this PSP's, or something fails; nothing is claimed then.
    pub fn claim(
        &self,
        tx: &mut dyn Tx,
        checked: &CheckedRestitution,
        now: Timestamp,
    ) -> Result<Vec<Result<RestitutionRecord, Refusal>>, RestitutionError> {
        device::registered(tx, &checked.psp, &checked.identity)?;
        let claim = |item: &Result<CheckedHolding, Refusal>| match item {
            Ok(holding) => self.claim_one(tx, holding, now),
            Err(refusal) => Ok(Err(*refusal)),
        };
        let claims = checked.items.iter().map(claim).collect::<Result<Vec<_>, RestitutionError>>()?;
        if let Some(refused) = refused(&claims) {
            let details = [("psp", checked.psp.to_string()), ("refused", refused)];
            let (by, kind) = (Actor::service(), Decided::RestitutionRefused);
            audit::append_news(tx, by, now, kind, &hex(&checked.identity), &details)?;
        }
        Ok(claims)
    }

    fn claim_one(
        &self,
        tx: &mut dyn Tx,
        holding: &CheckedHolding,
        now: Timestamp,
    ) -> Result<Result<RestitutionRecord, Refusal>, RestitutionError> {
        let CheckedHolding { claim, chain } = holding;
        if let Some(known) = tx.restitution(&claim.note_id)? {
            let same = known.to == claim.to && known.output == claim.output;
            return Ok(if same { Ok(known) } else { Err(Refusal::Claimed) });
        }
        let lapsed = match chain {
            Some(chain) => !lapsed(tx, &[chain])?.is_empty(),
            None => tx.expiry(&claim.root_class)?.is_some(),
        };
        if lapsed {
            return Ok(Err(Refusal::Lapsed));
        }
        if tx.shown(&claim.note_id)?.is_some() {
            return Ok(Err(Refusal::Shown));
        }
        if let Some(chain) = chain {
            let twice = self.record(tx, &[chain])?;
            self.convict(tx, &twice, now)?;
        }
        tx.insert_restitution(claim)?;
        let details = [
            ("note", claim.note_id.to_string()),
            ("amount", claim.amount.minor().to_string()),
            ("deadline", claim.deadline.seconds().to_string()),
            ("psp", claim.to.psp.to_string()),
            ("account", claim.to.account.to_string()),
        ];
        audit::append(tx, Actor::service(), now, Decided::RestitutionClaimed, &hex(&claim.identity), &details)?;
        Ok(Ok(claim.clone()))
    }

    /// Settles one claim whose deadline has passed, for good, and gives what was paid. Nobody may have `taken` the output that it is
    /// about; a value note is taken here, by the name of the payout, so that nobody shows it after.
    pub(crate) fn settle(
        &self,
        tx: &mut dyn Tx,
        claim: &RestitutionRecord,
        taken: bool,
        now: Timestamp,
    ) -> Result<Amount, LedgerError> {
        let classes = self.class_table(tx)?;
        let root_class = classes.class(&claim.root_class);
        let root_class =
            root_class.ok_or_else(|| StorageError::Failed("damaged: the class of a claim is missing".into()))?;
        let due = Due {
            transfer: claim.payout_name(),
            kind: PayoutKind::Restitution,
            root: claim.root,
            root_class: claim.root_class,
            face: root_class.info().amount,
            amount: claim.amount,
            to: claim.to,
        };
        let stands = !taken && stands(tx, claim)? && payout::uncovered(tx, &[due], now)?.is_empty();
        let pays = stands && (claim.output.is_some() || tx.insert_shown(&claim.note_id, &due.transfer)?);
        let state = if pays { RestitutionState::Paid } else { RestitutionState::Void };
        if !tx.settle_restitution_if_open(&claim.note_id, state)? {
            return Ok(Amount::ZERO);
        }
        let details = [("note", claim.note_id.to_string()), ("outcome", state.name().to_owned())];
        audit::append(tx, Actor::service(), now, Decided::RestitutionSettled, &hex(&claim.identity), &details)?;
        if !pays {
            return Ok(Amount::ZERO);
        }
        payout::pay(tx, due, now)
    }
}

/// How many holdings were refused why, such as `malformed 1, shown 2`; `None` when none was.
fn refused(claims: &[Result<RestitutionRecord, Refusal>]) -> Option<String> {
    let mut counts = BTreeMap::<_, u32>::new();
    for refusal in claims.iter().filter_map(|claim| claim.as_ref().err()) {
        *counts.entry(refusal.code()).or_default() += 1;
    }
    let counted: Vec<_> = counts.iter().map(|(why, count)| format!("{why} {count}")).collect();
    (!counted.is_empty()).then(|| counted.join(", "))
}

/// Drops the claims on what the device held whose deadline has not passed: it was found. Gives how many there were.
///
/// # Errors
/// When the device is not one of this PSP's, or the storage fails.
pub fn give_up(tx: &mut dyn Tx, psp: &Name, identity: &[u8; 32], now: Timestamp) -> Result<u64, RestitutionError> {
    device::registered(tx, psp, identity)?;
    let count = tx.delete_open_restitutions(identity)?;
    if count > 0 {
        let details = [("psp", psp.to_string()), ("claims", count.to_string())];
        audit::append(tx, Actor::service(), now, Decided::RestitutionGivenUp, &hex(identity), &details)?;
    }
    Ok(count)
}

/// The claims on what a device held, and which of the open ones still stand, by deadline.
///
/// # Errors
/// When the device is not one of this PSP's, or the storage fails.
pub fn claims_of(
    view: &mut dyn View,
    psp: &Name,
    identity: &[u8; 32],
) -> Result<Vec<RestitutionRecord>, RestitutionError> {
    device::registered(view, psp, identity)?;
    let mut claims = view.restitutions_of(identity)?;
    for claim in &mut claims {
        if !stands(view, claim)? {
            claim.state = RestitutionState::Void;
        }
    }
    Ok(claims)
}

/// Whether the claim was paid, or will be if nobody redeems what it is about: its note was not shown, and the device itself spent nothing
/// twice on the way to it.
pub(crate) fn stands(view: &mut (impl View + ?Sized), claim: &RestitutionRecord) -> Result<bool, StorageError> {
    match claim.state {
        RestitutionState::Paid => Ok(true),
        RestitutionState::Void => Ok(false),
        RestitutionState::Open => Ok(view.shown(&claim.note_id)?.is_none() && !is_own_fraud(view, claim)?),
    }
}

/// Whether a note in the chain of an output was shown twice, by the device that claims.
fn is_own_fraud(view: &mut (impl View + ?Sized), claim: &RestitutionRecord) -> Result<bool, StorageError> {
    let mut next = claim.output.map(|(transfer, _)| transfer);
    while let Some(id) = next {
        let transfer = view.transfer(&id)?;
        let transfer = transfer.ok_or_else(|| StorageError::Failed(format!("damaged: transfer {id} is missing")))?;
        let culprit = view.double_spend(&transfer.note_id)?.and_then(|found| found.culprit);
        if culprit == Some(claim.identity) {
            return Ok(true);
        }
        next = match transfer.decode()?.preimage.input {
            Input::Issued => None,
            Input::Received { previous, .. } => Some(previous),
        };
    }
    Ok(false)
}

impl Claimant {
    fn of_note(&self, class: &Class, note_id: NoteId) -> RestitutionRecord {
        RestitutionRecord {
            note_id,
            identity: self.identity,
            output: None,
            root: note_id,
            root_class: class.id(),
            amount: class.info().amount,
            deadline: class.info().redeem_until,
            to: self.to,
            state: RestitutionState::Open,
        }
    }

    fn of_output(
        &self,
        blank: &Class,
        note_id: NoteId,
        owned: &Owned<'_>,
        chain: &CheckedChain,
    ) -> Result<RestitutionRecord, ChainError> {
        let (info, summary) = (blank.info(), chain.summary());
        let output = summary.outputs.as_slice().get(usize::from(owned.index)).ok_or(ChainError::BrokenLink)?;
        if output.owner != owner_tag(&note_id, &owned.blind) {
            return Err(ChainError::WrongOwner);
        }
        if (info.issuer, info.currency) != (summary.issuer, summary.currency) {
            return Err(ChainError::MixedClasses);
        }
        if output.amount > info.amount {
            return Err(ChainError::OverCap);
        }
        Ok(RestitutionRecord {
            note_id,
            identity: self.identity,
            output: Some((summary.last, owned.index)),
            root: summary.root,
            root_class: summary.root_class,
            amount: output.amount,
            deadline: summary.redeem_until,
            to: self.to,
            state: RestitutionState::Open,
        })
    }
}
