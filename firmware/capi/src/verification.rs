//! Checking a payment without taking it: for whoever has a manifest and no wallet.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};

use specie_core::Amount;
use specie_core::bytes::{ClassId, NoteId, TransferId};
use specie_core::chain::{Batched, ChainError, ChainSummary, Deadline, End, verify_chain};
use specie_core::class::{Class, Classes};
use specie_core::disclosure::SupervisoryKey;
use specie_core::encoding::{Decode, DecodeError};
use specie_core::group::Generators;
use specie_core::hash;
use specie_core::label;
use specie_core::manifest::{Entry, Manifest};
use specie_core::payment::Payment;
use specie_core::request::Request;
use specie_core::show::Batch;
use specie_core::signature::PublicKey;
use specie_core::transfer::Transfer;

use crate::border::{self, Out};
use crate::error::Error;
use crate::handle::moment;
use crate::memory;
use crate::text::{CodeText, CurrencyText, NameText};

/// What a payment amounts to, or the rule that it breaks.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Verdict {
    /// Minor units that its newest transfers spend: what is paid, and the change.
    pub value: u64,
    /// Minor units that it pays to the request, all of what this asks for; 0 where no request was given.
    pub paid: u64,
    /// Earliest of the dates until which its notes can be paid with, unix seconds.
    pub spend_until: u64,
    /// Earliest of the dates until which the bank redeems its notes, unix seconds.
    pub redeem_until: u64,
    /// Notes in it, each with its chain of transfers.
    pub chains: u32,
    /// Transfers in all chains.
    pub transfers: u32,
    /// In which currency.
    pub currency: CurrencyText,
    /// Who issued the money.
    pub issuer: NameText,
    /// The rule that it breaks; empty: none.
    pub code: CodeText,
}

/// Checks a payment without taking it: every signature, amount, date and link from the bank's notes to what is handed
/// over, against a manifest. Whether it was spent elsewhere too, nobody can tell offline; neither is the revocation
/// list looked at.
///
/// `root_key`: 32 bytes, the central bank's. `manifest`: as the bank publishes it. `payment`: in either form.
/// `request`: where it is not null, the payment has to pay exactly this request. `now`: unix seconds. `verdict`: says
/// what it amounts to, where it is good, and the rule that it breaks, where it is not; in that case nothing else in it
/// counts.
///
/// `SPECIE_ERROR_MESSAGE`: something is malformed, or the manifest is not the bank's. `SPECIE_ERROR_REFUSED`: a rule is
/// broken.
///
/// # Safety
/// `root_key` leads to 32 bytes, each message to as many as is said, `verdict` to a structure.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "C has no slices")]
pub unsafe extern "C" fn specie_verify_payment(
    root_key: *const u8,
    manifest: *const u8,
    manifest_length: usize,
    payment: *const u8,
    payment_length: usize,
    request: *const u8,
    request_length: usize,
    now: u64,
    verdict: *mut Verdict,
) -> Error {
    let verified = || {
        memory::check_started()?;
        // SAFETY: as for this function.
        let (root, manifest, payment, asked, out) = unsafe {
            (
                PublicKey(border::array(root_key)?),
                border::bytes(manifest, manifest_length)?,
                border::bytes(payment, payment_length)?,
                border::bytes(request, request_length)?,
                Out::new(verdict)?,
            )
        };
        let asked = if request.is_null() { None } else { Some(asked) };
        let deadline = Deadline::Spend(moment(now)?);
        let checked = border::caught(|| check(&root, manifest, payment, asked, deadline)).ok_or(Error::Broken)?;
        let (error, verdict) = match checked {
            Ok(verdict) => (Error::Ok, verdict),
            Err(Broken { error, code }) => {
                (error, Verdict { code: CodeText::new(code.as_bytes()), ..Verdict::NOTHING })
            }
        };
        out.set(verdict);
        Ok(error)
    };
    verified().unwrap_or_else(|error| error)
}

/// A rule that is broken.
struct Broken {
    error: Error,
    code: &'static str,
}

/// The classes of a manifest that a payment has to do with: all of them would take much memory.
struct Needed(BTreeMap<ClassId, Box<Class>>);

impl Verdict {
    const NOTHING: Self = Self {
        value: 0,
        paid: 0,
        spend_until: u64::MAX,
        redeem_until: u64::MAX,
        chains: 0,
        transfers: 0,
        currency: CurrencyText::NONE,
        issuer: NameText::NONE,
        code: CodeText::NONE,
    };
}

impl Classes for Needed {
    fn class(&self, id: &ClassId) -> Option<&Class> {
        self.0.get(id).map(|class| &**class)
    }
}

fn check(
    root: &PublicKey,
    manifest: &[u8],
    bytes: &[u8],
    request: Option<&[u8]>,
    deadline: Deadline,
) -> Result<Verdict, Broken> {
    let manifest = Manifest::decode(manifest).map_err(Broken::malformed)?;
    manifest.verify(root).map_err(|_| Broken { error: Error::Message, code: "bad-signature" })?;
    let payment = Payment::decode(bytes).map_err(Broken::malformed)?;
    let request = request.map(Request::decode).transpose().map_err(Broken::malformed)?;
    let classes = needed(&manifest, &payment);
    let generators = Generators::new();
    // The weights are hashed from everything that is checked with them.
    let seed = hash::h32(label::BATCH, &[bytes]);
    let mut shows = Batched { generators: &generators, batch: Batch::new(generators, seed) };
    let mut verdict = Verdict::NOTHING;
    let mut shown: BTreeMap<NoteId, TransferId> = BTreeMap::new();
    let mut paid = Paid { request: request.as_ref(), tags: BTreeSet::new(), amount: Amount::ZERO };
    for chain in payment.chains() {
        let mut twice = false;
        let summary = verify_chain(&classes, &chain, deadline, End::Outputs, &mut shows, |link| {
            verdict.transfers += 1;
            twice |= shown.insert(link.note_id, link.id).is_some_and(|other| other != link.id);
        })?;
        if twice {
            return Err(Broken::rule("double-spend"));
        }
        paid.add(&chain.last().preimage.context.0, &summary)?;
        verdict.add(&summary)?;
    }
    shows.batch.verify_vartime().map_err(ChainError::Forged)?;
    if let Some(key) = request.as_ref().and_then(|request| request.body.disclose_to) {
        payment.chains().try_for_each(|chain| check_disclosure(&generators, &chain.last(), &key))?;
    }
    verdict.paid = paid.in_full()?;
    Ok(verdict)
}

/// Whether it names its payer to the supervisory key that the request names (§7.1).
fn check_disclosure(generators: &Generators, last: &Transfer, key: &SupervisoryKey) -> Result<(), Broken> {
    if last.disclosure.is_none() {
        return Err(Broken::rule("disclosure-missing"));
    }
    last.verify_disclosure_vartime(generators, key).map_err(|_| Broken::rule("disclosure-wrong"))
}

fn needed(manifest: &Manifest<'_>, payment: &Payment<'_>) -> Needed {
    let named: BTreeSet<ClassId> =
        payment.chains().flat_map(|chain| chain.transfers()).map(|transfer| transfer.preimage.class_id).collect();
    let mut classes = BTreeMap::new();
    for (entry, _) in manifest.entries() {
        if let Entry::Class(class) = entry
            && named.contains(&class.id())
        {
            classes.insert(class.id(), Box::new(class));
        }
    }
    Needed(classes)
}

/// What is paid to a request.
struct Paid<'r> {
    request: Option<&'r Request>,
    tags: BTreeSet<[u8; 32]>,
    amount: Amount,
}

impl Paid<'_> {
    /// What this chain pays, whose newest transfer is made for `context`.
    fn add(&mut self, context: &[u8; 32], summary: &ChainSummary) -> Result<(), Broken> {
        let Some(request) = self.request else { return Ok(()) };
        if request.context().0 != *context {
            return Err(Broken::rule("unknown-request"));
        }
        if request.body.currency != summary.currency {
            return Err(Broken::rule("wrong-currency"));
        }
        let before = self.tags.len();
        let tags = request.body.owner_tags.as_slice();
        for output in summary.outputs.as_slice().iter().filter(|output| tags.contains(&output.owner)) {
            if !self.tags.insert(output.owner.0) {
                return Err(Broken::rule("tag-used-twice"));
            }
            if output.amount.is_zero() {
                return Err(Broken::rule("wrong-total"));
            }
            self.amount = self.amount.checked_add(output.amount).ok_or(Broken::rule("wrong-total"))?;
        }
        if self.tags.len() == before { Err(Broken::rule("tag-not-own")) } else { Ok(()) }
    }

    fn in_full(&self) -> Result<u64, Broken> {
        match self.request {
            Some(request) if request.body.amount != self.amount => Err(Broken::rule("wrong-total")),
            _ => Ok(self.amount.minor()),
        }
    }
}

impl Verdict {
    fn add(&mut self, summary: &ChainSummary) -> Result<(), Broken> {
        let (currency, issuer) = (CurrencyText::new(summary.currency), NameText::new(Some(summary.issuer)));
        if self.chains > 0 && (currency.text != self.currency.text || issuer.text != self.issuer.text) {
            return Err(Broken::rule("mixed-classes"));
        }
        (self.currency, self.issuer) = (currency, issuer);
        self.chains += 1;
        // At most eight amounts below 2^63.
        self.value = self.value.saturating_add(summary.value.minor());
        self.spend_until = self.spend_until.min(summary.spend_until.seconds());
        self.redeem_until = self.redeem_until.min(summary.redeem_until.seconds());
        Ok(())
    }
}

impl Broken {
    const fn rule(code: &'static str) -> Self {
        Self { error: Error::Refused, code }
    }

    fn malformed(_: DecodeError) -> Self {
        Self { error: Error::Message, code: "malformed" }
    }
}

impl From<ChainError> for Broken {
    fn from(error: ChainError) -> Self {
        Self::rule(error.code())
    }
}
