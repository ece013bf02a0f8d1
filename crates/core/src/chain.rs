//! Rules for a chain (§6, §9): every link shown rightly, every amount accounted for, from the bank's note to the
//! output handed over.

use core::fmt;

use crate::amount::{Amount, Timestamp};
use crate::bytes::{ClassId, NoteId, TransferId};
use crate::class::{Class, Classes, Kind};
use crate::group::{Generators, Scalar};
use crate::note::{note_id, owner_tag};
use crate::payment::Chain;
use crate::show::{Batch, Points, VerificationFailure, verify_compact_vartime, verify_extended_vartime};
use crate::text::{Currency, Name};
use crate::transfer::{Input, Outputs, Preimage, Transfer, challenge, transfer_id};

/// Why a chain is refused. Each has its own code (§9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ChainError {
    /// A class that the manifest at hand does not have.
    UnknownClass(ClassId),
    /// A class past the date that matters.
    Expired(ClassId),
    /// The first transfer does not spend an issued value note, or a later one does.
    WrongKind,
    /// Classes of different issuers or currencies in one chain.
    MixedClasses,
    /// A transfer does not spend the one before it, or an output that this has not.
    BrokenLink,
    /// The blank shown does not open the owner tag of the output spent.
    WrongOwner,
    /// Outputs do not add up to the input.
    WrongAmount,
    /// More is owned by a blank than its class allows.
    OverCap,
    /// More transfers than the class of the note allows.
    TooManyHops,
    /// A redeeming transfer where one with outputs belongs, or the other way round.
    WrongEnd,
    /// A show is not valid.
    Forged(VerificationFailure),
}

impl ChainError {
    /// A stable code for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownClass(_) => "unknown-class",
            Self::Expired(_) => "expired",
            Self::WrongKind => "wrong-kind",
            Self::MixedClasses => "mixed-classes",
            Self::BrokenLink => "broken-link",
            Self::WrongOwner => "wrong-owner",
            Self::WrongAmount => "wrong-amount",
            Self::OverCap => "over-cap",
            Self::TooManyHops => "too-many-hops",
            Self::WrongEnd => "wrong-end",
            Self::Forged(_) => "forged",
        }
    }
}

/// Which date of a class must not have passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deadline {
    /// `spend_until`: into a wallet.
    Spend(Timestamp),
    /// `redeem_until`: back to the bank.
    Redeem(Timestamp),
    /// None: to look at old evidence.
    Never,
}

/// How a chain must end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// In outputs to hand over.
    Outputs,
    /// In a redemption.
    Redemption,
}

/// One link that holds, with what was computed on the way.
pub struct Link<'c, 't> {
    /// Class of the note or blank shown.
    pub class: &'c Class,
    /// The transfer, in extended form.
    pub transfer: &'t Transfer,
    /// Its name.
    pub id: TransferId,
    /// Its challenge.
    pub d: Scalar,
    /// The note or blank shown.
    pub note_id: NoteId,
    /// What it spends.
    pub value: Amount,
}

/// What a good chain amounts to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChainSummary {
    /// Who issued the money.
    pub issuer: Name,
    /// In which currency.
    pub currency: Currency,
    /// The issued note at its beginning.
    pub root: NoteId,
    /// Class of that note.
    pub root_class: ClassId,
    /// Transfers with outputs.
    pub hops: u8,
    /// The most hops that the root's class allows.
    pub max_hops: u8,
    /// Earliest `spend_until` of its classes.
    pub spend_until: Timestamp,
    /// Earliest `redeem_until` of its classes.
    pub redeem_until: Timestamp,
    /// The last transfer.
    pub last: TransferId,
    /// What the last transfer spends.
    pub value: Amount,
    /// Its outputs.
    pub outputs: Outputs,
}

/// Checks that a show is valid: now, or together with others.
pub trait CheckShow {
    /// Checks the show of `transfer`, whose challenge is `d`, and gives its points.
    ///
    /// # Errors
    /// When it is wrong, as far as is known by now.
    fn check(&mut self, class: &Class, transfer: &Transfer, d: &Scalar) -> Result<Points, VerificationFailure>;
}

/// Checks every show at once.
pub struct Immediately<'g>(pub &'g Generators);

impl CheckShow for Immediately<'_> {
    fn check(&mut self, class: &Class, transfer: &Transfer, d: &Scalar) -> Result<Points, VerificationFailure> {
        let (note, show) = (&transfer.preimage.note, &transfer.show);
        match transfer.points {
            Some(points) => verify_extended_vartime(self.0, class, note, d, show, &points).map(|()| points),
            None => verify_compact_vartime(self.0, class, note, d, show),
        }
    }
}

/// Leaves extended shows to a batch, and checks compact ones at once.
pub struct Batched<'g> {
    /// For compact shows.
    pub generators: &'g Generators,
    /// For extended ones. It must be verified before anything is believed.
    pub batch: Batch,
}

impl CheckShow for Batched<'_> {
    fn check(&mut self, class: &Class, transfer: &Transfer, d: &Scalar) -> Result<Points, VerificationFailure> {
        let (note, show) = (&transfer.preimage.note, &transfer.show);
        match transfer.points {
            Some(points) => self.batch.push(class, note, d, show, &points).map(|()| points),
            None => verify_compact_vartime(self.generators, class, note, d, show),
        }
    }
}

/// Checks a chain; `visit` sees each link as soon as it holds (for a batch: as soon as only its equations are open).
///
/// # Errors
/// The first rule that the chain breaks.
pub fn verify_chain<'c>(
    classes: &'c (impl Classes + ?Sized),
    chain: &Chain<'_>,
    deadline: Deadline,
    end: End,
    shows: &mut impl CheckShow,
    mut visit: impl FnMut(&Link<'c, '_>),
) -> Result<ChainSummary, ChainError> {
    let mut summary: Option<ChainSummary> = None;
    for (position, mut transfer) in chain.transfers().enumerate() {
        let class_id = transfer.preimage.class_id;
        let class = classes.class(&class_id).ok_or(ChainError::UnknownClass(class_id))?;
        check_deadline(class, deadline)?;
        check_end(&transfer, position + 1 == chain.length(), end)?;
        let (id, d) = name(&transfer.preimage);
        let points = shows.check(class, &transfer, &d).map_err(ChainError::Forged)?;
        let (zeta, zeta1) = (transfer.preimage.note.zeta(), transfer.preimage.note.zeta1());
        let shown = note_id(zeta, zeta1, &points.N0, &points.N1);
        transfer.points = Some(points);
        let value = input_value(class, &transfer, &shown, summary.as_ref())?;
        check_amounts(&transfer, value)?;
        match &mut summary {
            None => summary = Some(start(class, shown, &transfer, id, value)),
            Some(summary) => extend(summary, class, &transfer, id, value)?,
        }
        visit(&Link { class, transfer: &transfer, id, d, note_id: shown, value });
    }
    summary.ok_or(ChainError::BrokenLink)
}

/// Name and challenge of a transfer. Apart, so that its encoding lies on the stack no longer than that takes.
#[inline(never)]
fn name(preimage: &Preimage) -> (TransferId, Scalar) {
    let preimage = preimage.to_bytes();
    (transfer_id(preimage.as_slice()), challenge(preimage.as_slice()))
}

fn check_deadline(class: &Class, deadline: Deadline) -> Result<(), ChainError> {
    let passed = match deadline {
        Deadline::Spend(now) => now > class.info().spend_until,
        Deadline::Redeem(now) => now > class.info().redeem_until,
        Deadline::Never => false,
    };
    if passed { Err(ChainError::Expired(class.id())) } else { Ok(()) }
}

/// Only the last transfer may redeem, and does so exactly when a redemption is asked for.
fn check_end(transfer: &Transfer, last: bool, end: End) -> Result<(), ChainError> {
    let redeems = last && end == End::Redemption;
    if transfer.preimage.outputs.is_redemption() == redeems { Ok(()) } else { Err(ChainError::WrongEnd) }
}

/// What a transfer spends: the face of an issued note, or the output of the transfer before it.
#[inline(never)]
fn input_value(
    class: &Class,
    transfer: &Transfer,
    shown: &NoteId,
    before: Option<&ChainSummary>,
) -> Result<Amount, ChainError> {
    match (&transfer.preimage.input, class.info().kind, before) {
        (Input::Issued, Kind::Value, None) => Ok(class.info().amount),
        (Input::Received { previous, index, blind }, Kind::Blank, Some(before)) => {
            let output = before.outputs.as_slice().get(usize::from(*index)).filter(|_| *previous == before.last);
            let output = output.ok_or(ChainError::BrokenLink)?;
            if output.owner != owner_tag(shown, blind) {
                return Err(ChainError::WrongOwner);
            }
            if output.amount > class.info().amount { Err(ChainError::OverCap) } else { Ok(output.amount) }
        }
        (Input::Received { .. }, Kind::Blank, None) => Err(ChainError::BrokenLink),
        _ => Err(ChainError::WrongKind),
    }
}

fn check_amounts(transfer: &Transfer, value: Amount) -> Result<(), ChainError> {
    let outputs = &transfer.preimage.outputs;
    if outputs.is_redemption() || outputs.sum() == value { Ok(()) } else { Err(ChainError::WrongAmount) }
}

#[inline(never)]
fn start(class: &Class, root: NoteId, transfer: &Transfer, id: TransferId, value: Amount) -> ChainSummary {
    let info = class.info();
    ChainSummary {
        issuer: info.issuer,
        currency: info.currency,
        root,
        root_class: class.id(),
        hops: hop(transfer),
        max_hops: info.max_hops,
        spend_until: info.spend_until,
        redeem_until: info.redeem_until,
        last: id,
        value,
        outputs: transfer.preimage.outputs,
    }
}

#[inline(never)]
fn extend(
    summary: &mut ChainSummary,
    class: &Class,
    transfer: &Transfer,
    id: TransferId,
    value: Amount,
) -> Result<(), ChainError> {
    let info = class.info();
    if info.issuer != summary.issuer || info.currency != summary.currency {
        return Err(ChainError::MixedClasses);
    }
    let hops = summary.hops.checked_add(hop(transfer)).filter(|hops| *hops <= summary.max_hops);
    summary.hops = hops.ok_or(ChainError::TooManyHops)?;
    summary.spend_until = summary.spend_until.min(info.spend_until);
    summary.redeem_until = summary.redeem_until.min(info.redeem_until);
    (summary.last, summary.value, summary.outputs) = (id, value, transfer.preimage.outputs);
    Ok(())
}

/// A transfer with outputs is a hop; a redemption is not.
fn hop(transfer: &Transfer) -> u8 {
    u8::from(!transfer.preimage.outputs.is_redemption())
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownClass(id) => write!(f, "class {id} is not in the manifest at hand: synchronise and try again"),
            Self::Expired(id) => write!(f, "class {id} is past its date"),
            Self::WrongKind => f.write_str("a blank where a value note belongs, or the other way round"),
            Self::MixedClasses => f.write_str("classes of different issuers or currencies in one chain"),
            Self::BrokenLink => f.write_str("a transfer does not spend an output of the one before it"),
            Self::WrongOwner => f.write_str("the blank shown does not own the output spent"),
            Self::WrongAmount => f.write_str("outputs do not add up to what is spent"),
            Self::OverCap => f.write_str("the output is more than its blank may own"),
            Self::TooManyHops => f.write_str("more transfers than the class of the note allows"),
            Self::WrongEnd => f.write_str("redeems where it should pay, or pays where it should redeem"),
            Self::Forged(failure) => failure.fmt(f),
        }
    }
}

impl core::error::Error for ChainError {}
