//! What the PSP is shown before it renews the limits: what the tier's setting says, and payments only with the owner's
//! consent.

use serde::{Deserialize, Serialize};
use specie_api::hexadecimal::{Hex, HexArray};
use specie_api::psp::setting::{self, Said, Setting, Shown, Totals, Upload, UploadedPayment};
use specie_core::Amount;
use specie_element::client::{self, OpenTotal};
use specie_totals::{Bounds, Opening, RangeProof, Statement, TotalsError};
use specie_wallet::history::{Event, HistoryEntry, Progress};

use super::online::fresh_key;
use super::{Device, Done};
use crate::failure::Failure;

/// That the owner agreed to uploads.
const CONSENT: &str = "uploads-accepted";
/// What the owner decided about uploads, until the PSP heard of it.
const UNTOLD: &str = "uploads-decision";
/// How far the history goes that belongs to the limits before those held now.
const TOLD: &str = "history-before-limits";

/// Code of totals that are over their limits.
pub(super) const OVER_LIMIT: &str = "over-limit";

/// A line of history.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Line {
    sequence: u64,
}

/// What the element says of its totals, with the limits that they are compared with.
struct Spoken {
    statement: Statement,
    held: Opening,
    spent: Opening,
    bounds: Bounds,
}

impl Spoken {
    fn said(&self) -> Said {
        let Statement { nonce, limits_sequence, held, spent, signature } = self.statement;
        let (held, spent) = (HexArray(held), HexArray(spent));
        Said { nonce: HexArray(nonce), limits_sequence, held, spent, signature: HexArray(signature) }
    }

    fn shown(&self, shown: Shown) -> Totals {
        let Said { nonce, limits_sequence, held, spent, signature } = self.said();
        Totals { nonce, limits_sequence, held, spent, signature, shown }
    }
}

impl Device {
    /// What the PSP is shown before it renews the limits of this device.
    ///
    /// # Errors
    /// The PSP refuses or does not answer.
    pub fn setting(&mut self) -> Done<Setting> {
        Ok(self.signed_call(|psp, device| psp.setting(device))?)
    }

    /// The owner agrees, for this device, that its payments are uploaded while its tier is in the setting that asks for it. The PSP is told with the
    /// next synchronisation.
    ///
    /// # Errors
    /// It cannot be stored.
    pub fn accept_uploads(&mut self) -> Done<()> {
        self.note_errand(UNTOLD, &true)?;
        self.note_errand(CONSENT, &true)
    }

    /// The owner withdraws that: from now on nothing is uploaded, whatever becomes of this. Gives whether the PSP heard of it; where it cannot be
    /// reached it is told with the next synchronisation.
    ///
    /// # Errors
    /// It cannot be stored, or the PSP refuses to hear of it.
    pub fn withdraw_consent(&mut self) -> Done<bool> {
        self.forget_errand(CONSENT)?;
        self.note_errand(UNTOLD, &false)?;
        match self.tell_consent() {
            Ok(()) => Ok(true),
            Err(failure) if failure.is_offline() => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Tells the PSP what the owner decided last, if it was not told.
    fn tell_consent(&mut self) -> Done<()> {
        let Some(agrees) = self.errand::<bool>(UNTOLD)? else { return Ok(()) };
        let key = fresh_key()?;
        self.signed_call(|psp, device| psp.agree_to_uploads(device, &key, agrees))?;
        self.forget_errand(UNTOLD)
    }

    /// Whether its owner agreed.
    ///
    /// # Errors
    /// What is stored is damaged.
    pub fn uploads_accepted(&self) -> Done<bool> {
        Ok(self.errand(CONSENT)?.unwrap_or(false))
    }

    /// The device uploads nothing any more, until its owner agrees again.
    ///
    /// # Errors
    /// It cannot be stored.
    pub fn refuse_uploads(&mut self) -> Done<()> {
        self.forget_errand(UNTOLD)?;
        self.forget_errand(CONSENT)
    }

    /// Shows the PSP what it has to see before it renews the limits. Where that is nothing: which limits the element holds, to be said
    /// with the request for new ones.
    pub(super) fn show_totals(&mut self) -> Done<Option<Said>> {
        self.tell_consent()?;
        let told = self.setting()?;
        match told.setting.as_str() {
            setting::OFFLINE_ANONYMOUS | setting::OFFLINE_KNOWN => Ok(Some(self.ask_totals(&told)?.said())),
            setting::PROOFS => self.prove_totals(&told).map(|()| None),
            setting::UPLOADS if self.uploads_accepted()? => self.upload_payments_and_totals(&told).map(|()| None),
            setting::UPLOADS => Err(Failure::new(
                "uploads-not-accepted",
                format!(
                    "tier {} asks for every payment of this device, offline ones too; nothing was uploaded",
                    told.tier
                ),
                "agree with `specie device sync --accept-uploads`, or ask the PSP for another tier; without new limits \
                 the device can be paid and redeem, and soon not pay",
            )),
            _ => Err(Failure::new(
                "setting-unknown",
                "the PSP asks to be shown something that this program does not know; nothing was shown",
                "use a newer program",
            )),
        }
    }

    fn prove_totals(&mut self, told: &Setting) -> Done<()> {
        let said = self.ask_totals(told)?;
        let openings = [&said.held, &said.spent];
        let proof = RangeProof::prove(&said.statement, &self.wallet.device(), &said.bounds, openings, &*Self::seed()?);
        let proof = proof.map_err(not_shown)?;
        self.show(&said.shown(Shown::Proof(Hex(proof.as_bytes().to_vec()))))
    }

    fn upload_payments_and_totals(&mut self, told: &Setting) -> Done<()> {
        // What is planned is paid, or not, before it is told.
        self.resume()?;
        let limits_sequence = self.element_status()?.limits_sequence;
        let told_before: Option<Line> = self.errand(TOLD)?;
        let is_new = |entry: &HistoryEntry| told_before.is_none_or(|told| entry.sequence > told.sequence);
        let payments: Vec<UploadedPayment> = self.wallet.history().filter(is_new).filter_map(payment).collect();
        for payments in payments.chunks(setting::UPLOAD_MAX) {
            let (key, upload) = (fresh_key()?, Upload { limits_sequence, payments: payments.to_vec() });
            self.signed_call(|psp, device| psp.upload(device, &key, &upload))?;
        }
        let said = self.ask_totals(told)?;
        let opening =
            |opening: &Opening| setting::Opening { total: opening.total, blinding: HexArray(opening.blinding) };
        self.show(&said.shown(Shown::Opened { held: opening(&said.held), spent: opening(&said.spent) }))
    }

    /// Has the element say its totals for a nonce of the PSP.
    fn ask_totals(&mut self, told: &Setting) -> Done<Spoken> {
        let key = fresh_key()?;
        let nonce = self.signed_call(|psp, device| psp.totals_nonce(device, &key))?.nonce.0;
        let totals = client::totals(&mut self.element, &nonce)?;
        let status = self.element_status()?;
        let opening = |total: &OpenTotal| Opening { total: total.total, blinding: total.blinding };
        let (max_holding, max_cumulative) = match totals.limits_sequence {
            0 => (told.max_holding, told.max_cumulative),
            _ => (status.max_holding, status.max_cumulative),
        };
        let limit = |minor| Amount::new(minor).unwrap_or(Amount::MAX);
        Ok(Spoken {
            statement: Statement {
                nonce,
                limits_sequence: totals.limits_sequence,
                held: totals.held.commitment,
                spent: totals.spent.commitment,
                signature: totals.signature,
            },
            held: opening(&totals.held),
            spent: opening(&totals.spent),
            bounds: Bounds { max_holding: limit(max_holding), max_cumulative: limit(max_cumulative) },
        })
    }

    fn show(&mut self, totals: &Totals) -> Done<()> {
        let key = fresh_key()?;
        self.signed_call(|psp, device| psp.show_totals(device, &key, totals))?;
        Ok(())
    }

    /// New limits are held: what happened so far was under the ones before.
    pub(super) fn begin_history_of_limits(&mut self) -> Done<()> {
        match settled_before(self.wallet.history()) {
            Some(sequence) => self.note_errand(TOLD, &Line { sequence }),
            None => self.forget_errand(TOLD),
        }
    }
}

/// The newest line of a history, newest first, before which nothing is only planned: what is planned when new limits come may be paid under
/// these.
fn settled_before(history: impl Iterator<Item = HistoryEntry>) -> Option<u64> {
    let lines: Vec<_> = history.map(|entry| (entry.sequence, entry.progress)).collect();
    match lines.iter().rev().find(|(_, progress)| *progress == Progress::Planned) {
        Some((sequence, _)) => sequence.checked_sub(1),
        None => lines.first().map(|(sequence, _)| *sequence),
    }
}

/// What is told of a line of history: payments that were made or received.
fn payment(entry: HistoryEntry) -> Option<UploadedPayment> {
    let direction = match (entry.event, entry.progress) {
        (Event::Paid, progress) if progress != Progress::Planned => "paid",
        (Event::Received, _) => "received",
        _ => return None,
    };
    Some(UploadedPayment {
        direction: direction.into(),
        request: HexArray(entry.request?.0),
        at: entry.at.seconds(),
        amount: entry.amount.minor(),
        currency: entry.currency.as_str().into(),
        counterparty: entry.counterparty.map(|name| name.as_str().into()),
    })
}

fn not_shown(error: TotalsError) -> Failure {
    let what = format!("{error}, and nothing was sent");
    match error {
        TotalsError::OverLimit(_) => Failure::new(
            OVER_LIMIT,
            what,
            "redeem some of it and synchronise again; until then there are no new limits",
        ),
        _ => Failure::new("totals-wrong", what, "the element contradicts itself: replace the device"),
    }
}

#[cfg(test)]
mod tests {
    use specie_core::Timestamp;
    use specie_core::text::Currency;

    use super::*;

    /// A payment that a broken device had planned under the limits before, and makes under the new ones, is told with these.
    #[test]
    fn what_is_planned_when_limits_come_is_told_with_them() {
        let line = |sequence, progress| HistoryEntry {
            sequence,
            at: Timestamp::EPOCH,
            event: Event::Paid,
            amount: Amount::ZERO,
            currency: Currency::new("XTS").unwrap(),
            counterparty: None,
            memo: None,
            request: None,
            progress,
            receipt: None,
        };
        let of = |lines: &[(u64, Progress)]| settled_before(lines.iter().rev().map(|(n, how)| line(*n, *how)));
        use Progress::{Complete, Planned, Undelivered};
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(0, Complete), (1, Undelivered)]), Some(1));
        assert_eq!(of(&[(3, Complete), (4, Planned), (5, Complete), (6, Planned)]), Some(3));
        assert_eq!(of(&[(0, Planned)]), None);
    }
}
