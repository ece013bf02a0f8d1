//! SPEND: the one show of a note or blank, journalled before it is answered.

use embedded_storage::nor_flash::NorFlash;
use specie_core::class::Kind;
use specie_core::encoding::Decode;
use specie_core::group::decode_scalar;
use specie_core::note::owner_tag;
use specie_core::show::element_response;
use specie_core::transfer::{Input, Preimage, challenge};
use zeroize::Zeroizing;

use super::Element;
use super::answer::Answer;
use crate::command::{OwnOutputs, Spend};
use crate::journal::Batch;
use crate::platform::Platform;
use crate::record::{IndexRecord, NoteRecord, Single, SpentRecord, Stake};
use crate::status::StatusWord;

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    #[inline(never)]
    pub(super) fn spend(&mut self, spend: &Spend<'_>, answer: &mut Answer<'_>) -> Result<(), StatusWord> {
        let d = challenge(spend.preimage);
        let note = match self.records.index(spend.index)? {
            // Whatever else the command says: γ is the host's word, and a second z3 for the same d would give u away.
            Some(IndexRecord::Spent(spent)) if spent.d == *d.as_bytes() => return answer.push(&spent.z3),
            Some(IndexRecord::Spent(_) | IndexRecord::Burnt) => return Err(StatusWord::ALREADY_SPENT),
            Some(IndexRecord::Note(note)) => note,
            Some(IndexRecord::Open) | None => return Err(StatusWord::UNKNOWN_INDEX),
        };
        let Ok(preimage) = &Preimage::decode(spend.preimage) else { return Err(StatusWord::WRONG_DATA) };
        let gamma = decode_scalar(spend.gamma).map_err(|_| StatusWord::WRONG_DATA)?;
        let secrets = self.secrets()?;
        // Else a host could have the show of one preimage by asking for another: z3 depends on d·γ alone.
        let (zeta, zeta1) = (preimage.note.zeta(), preimage.note.zeta1());
        let bound = secrets.binding(&preimage.class_id, spend.gamma, zeta, zeta1) == note.binding;
        if !bound || !adds_up(preimage, &note) {
            return Err(StatusWord::WRONG_DATA);
        }
        // z3 = k3 + d·γ·u.
        let z3 = Zeroizing::new(element_response(&secrets.k3(spend.index), &d, &gamma, &secrets.u));
        let spent = SpentRecord { d: d.to_bytes(), z3: z3.to_bytes() };
        self.journal_show(spend, preimage, &note, &spent)?;
        answer.push(&spent.z3)
    }

    /// Checks the mandate and the limits, and journals everything that the show changes, as one batch.
    fn journal_show(
        &mut self,
        spend: &Spend<'_>,
        preimage: &Preimage,
        note: &NoteRecord,
        spent: &SpentRecord,
    ) -> Result<(), StatusWord> {
        let mut batch = Batch::new();
        spent.put(spend.index, &mut batch);
        let own = self.keep_own(spend.index, &spend.own, preimage, &mut batch)?;
        let leaves = preimage.outputs.sum().minor() - own.sum;
        if let Some(now) = spend.mandated_at {
            let redeems_to = preimage.outputs.is_redemption().then_some(preimage.context);
            self.use_mandate(now, leaves, redeems_to)?.put(&mut batch);
        }
        if leaves > 0 {
            self.let_go(leaves)?.put(&mut batch);
        }
        Ok(self.records.commit(&batch, own.gains, own.loses + u128::from(note.held()))?)
    }

    /// Checks the outputs that return to this element and lets their blanks hold them.
    fn keep_own(
        &mut self,
        input: u32,
        own: &OwnOutputs<'_>,
        preimage: &Preimage,
        batch: &mut Batch,
    ) -> Result<Own, StatusWord> {
        let mut sum = Own::default();
        for (position, claim) in own.iter().enumerate() {
            let twice =
                |other: &crate::command::OwnOutput<'_>| other.output == claim.output || other.index == claim.index;
            let output = preimage.outputs.as_slice().get(usize::from(claim.output));
            let Some(output) = output.filter(|_| claim.index != input && !own.iter().take(position).any(|o| twice(&o)))
            else {
                return Err(StatusWord::WRONG_DATA);
            };
            let Some(IndexRecord::Note(blank)) = self.records.index(claim.index)? else {
                return Err(StatusWord::WRONG_DATA);
            };
            let amount = output.amount.minor();
            let owned = owner_tag(&blank.note_id, claim.blind) == output.owner;
            if !owned || blank.kind() != Kind::Blank || matches!(blank.stake, Stake::Holds(_)) || amount > blank.amount
            {
                return Err(StatusWord::WRONG_DATA);
            }
            let stake = if amount == 0 { Stake::Empty } else { Stake::Holds(amount) };
            sum.add(amount, blank.held());
            NoteRecord { stake, ..blank }.put(claim.index, batch);
        }
        Ok(sum)
    }
}

/// What returns to this element.
#[derive(Default)]
struct Own {
    /// Σ of the outputs, in minor units; at most Σ of all outputs, which is an amount.
    sum: u64,
    gains: u128,
    loses: u128,
}

impl Own {
    fn add(&mut self, amount: u64, before: u64) {
        self.sum += amount;
        self.gains += u128::from(amount);
        self.loses += u128::from(before);
    }
}

/// Whether the outputs are what the note can pay: its face in full, at most its cap, or nothing when redeeming.
fn adds_up(preimage: &Preimage, note: &NoteRecord) -> bool {
    let sum = preimage.outputs.sum().minor();
    match (&preimage.input, note.kind()) {
        (Input::Issued, Kind::Value) => preimage.outputs.is_redemption() || sum == note.amount,
        (Input::Received { .. }, Kind::Blank) => sum <= note.amount,
        (Input::Issued, Kind::Blank) | (Input::Received { .. }, Kind::Value) => false,
    }
}
