//! LIMITS: what a PSP allows, and whether a payment is within it.

use embedded_storage::nor_flash::NorFlash;
use specie_core::encoding::Decode;
use specie_core::limits::Limits;
use specie_core::manifest::Entry;
use specie_core::signature::PublicKey;
use specie_core::text::Name;
use specie_core::{hash, label};

use super::Element;
use crate::command::EntryProof;
use crate::journal::Batch;
use crate::platform::Platform;
use crate::record::{CountersRecord, LimitsRecord, Single};
use crate::status::StatusWord;

impl<F: NorFlash, P: Platform, const N: usize> Element<F, P, N> {
    #[inline(never)]
    pub(super) fn limits(&mut self, psp: &EntryProof<'_>, document: &[u8]) -> Result<(), StatusWord> {
        let psp = self.psp(psp)?;
        check_signature(&psp, document)?;
        self.keep_limits(document)
    }

    /// The PSP of an entry.
    #[inline(never)]
    fn psp(&mut self, proof: &EntryProof<'_>) -> Result<Psp, StatusWord> {
        match self.prove_entry(proof)? {
            Entry::Psp { name, key } => Ok(Psp { name, key }),
            _ => Err(StatusWord::WRONG_DATA),
        }
    }

    #[inline(never)]
    fn keep_limits(&mut self, document: &[u8]) -> Result<(), StatusWord> {
        let limits = Limits::decode(document).map_err(|_| StatusWord::WRONG_DATA)?;
        if limits.body.device != self.secrets()?.authentication_key() {
            return Err(StatusWord::WRONG_DATA);
        }
        let record = to_record(&limits, document);
        if let Some(held) = self.records.single::<_, LimitsRecord>()? {
            if held.id == record.id {
                return Ok(());
            }
            if held.psp != record.psp {
                return Err(StatusWord::WRONG_STATE);
            }
            if record.sequence <= held.sequence {
                return Err(StatusWord::STALE);
            }
        }
        // Whoever gives a share of its limits to another device cannot keep what this one holds of it (ADR 0026).
        if self.records.held() > u128::from(record.max_holding) {
            return Err(StatusWord::OVER_HOLDING);
        }
        let time_floor = self.counters()?.time_floor.max(limits.body.issued_at.seconds());
        let mut batch = Batch::new();
        record.put(&mut batch);
        CountersRecord { time_floor, spent: 0 }.put(&mut batch);
        Ok(self.records.commit(&batch, 0, 0)?)
    }

    /// The counters after `leaves` minor units are let go, if the limits allow it.
    pub(super) fn let_go(&mut self, leaves: u64) -> Result<CountersRecord, StatusWord> {
        let counters = self.counters()?;
        let limits: LimitsRecord = self.records.single()?.ok_or(StatusWord::LIMITS_RUN_OUT)?;
        if counters.time_floor > limits.valid_until {
            return Err(StatusWord::LIMITS_RUN_OUT);
        }
        if leaves > limits.max_payment {
            return Err(StatusWord::OVER_PAYMENT);
        }
        match counters.spent.checked_add(leaves) {
            Some(spent) if spent <= limits.max_cumulative => Ok(CountersRecord { spent, ..counters }),
            _ => Err(StatusWord::OVER_CUMULATIVE),
        }
    }
}

/// Who signs limits.
struct Psp {
    name: Name,
    key: PublicKey,
}

/// Whether that PSP signed these limits. Apart from what comes before and after, for checking a signature takes most of
/// the stack: so nothing is kept of it, and what was signed is decoded once more.
#[inline(never)]
fn check_signature(psp: &Psp, document: &[u8]) -> Result<(), StatusWord> {
    let limits = Limits::decode(document).map_err(|_| StatusWord::WRONG_DATA)?;
    limits.verify(&psp.key).map_err(|_| StatusWord::WRONG_PROOF)?;
    if limits.body.psp == psp.name { Ok(()) } else { Err(StatusWord::WRONG_PROOF) }
}

fn to_record(limits: &Limits, document: &[u8]) -> LimitsRecord {
    let body = &limits.body;
    LimitsRecord {
        psp: padded(&body.psp),
        id: hash::h32(label::LIMITS, &[document]),
        sequence: body.sequence,
        valid_until: body.valid_until.seconds(),
        max_payment: body.max_payment.minor(),
        max_cumulative: body.max_cumulative.minor(),
        max_holding: body.max_holding.minor(),
    }
}

/// A name of at most 32 bytes: its length, the name, zeros.
fn padded(name: &Name) -> [u8; 33] {
    let name = name.as_str().as_bytes();
    let mut bytes = [0; 33];
    bytes[0] = name.len() as u8;
    bytes[1..=name.len()].copy_from_slice(name);
    bytes
}
