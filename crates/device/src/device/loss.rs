//! Loss of a device (§8.1): what it leaves for that case, and how another device of its owner claims what it held.

use specie_api::hexadecimal::{Hex, HexArray};
use specie_api::psp::{
    BackupUpload, KeptBackup, RESTITUTION_HOLDINGS_MAX, RestitutionClaim, RestitutionItem, RestitutionRequest,
};
use specie_core::encoding::{Decode, Encode};
use specie_core::holding::Backup;
use specie_core::signature::PublicKey;

use super::online::fresh_key;
use super::{Device, Done};
use crate::durable;
use crate::entropy;
use crate::failure::Failure;
use crate::recovery::{RecoveryCode, RecoveryKey, SEALED_LENGTH_MAX};

/// The most bytes of holdings in one request, so that a claim of long chains is not too large for the PSP.
const REQUEST_LENGTH_MAX: usize = 1 << 20;

/// What came of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossClaims {
    /// When the backup that it was made with reached the PSP, Unix seconds.
    pub kept_at: u64,
    /// What is claimed, in the order of the backup.
    pub claims: Vec<RestitutionClaim>,
    /// What is not: code and reason.
    pub refused: Vec<(String, String)>,
}

impl Device {
    /// Makes a new recovery code and forgets it; the key that follows from it seals what the device leaves from now on, and an earlier code
    /// opens no more of that.
    ///
    /// # Errors
    /// The key cannot be stored.
    pub fn make_recovery_code(&mut self) -> Done<RecoveryCode> {
        let code = RecoveryCode::from_seed(&*Self::seed()?);
        let path = self.folder.recovery_key_file();
        RecoveryKey::of(&code).write(&path).map_err(|error| unreadable(&error))?;
        Ok(code)
    }

    /// Whether there is a recovery code, without which the device leaves nothing.
    pub fn has_recovery_code(&self) -> bool {
        self.folder.recovery_key_file().exists()
    }

    /// Forgets the key that follows from the recovery code: the device leaves nothing from now on.
    pub(super) fn forget_recovery_code(&self) -> Done<()> {
        durable::remove(&self.folder.recovery_key_file()).map_err(|error| unreadable(&error))
    }

    /// Leaves what the wallet holds with the PSP, sealed; gives whether there is a code to seal it with.
    pub(super) fn leave_backup(&mut self) -> Done<bool> {
        let key = RecoveryKey::read(&self.folder.recovery_key_file()).map_err(|error| unreadable(&error))?;
        let Some(key) = key else { return Ok(false) };
        let sealed = key.seal(&self.wallet.device(), &self.wallet.backup(self.now()), &entropy::bytes()?);
        let sealed = sealed.ok_or_else(|| {
            Failure::new(
                "backup-too-long",
                format!("what the wallet holds takes more than {SEALED_LENGTH_MAX} bytes to tell"),
                "redeem some of it; until then it is lost with the device",
            )
        })?;
        let (key, upload) = (fresh_key()?, BackupUpload { backup: Hex(sealed) });
        self.signed_call(|psp, device| psp.keep_backup(device, &key, &upload))?;
        Ok(true)
    }

    /// Claims what `lost`, another device of the same customer, held when it last left a backup that `code` opens. It must have been
    /// reported lost to the PSP. The same again changes nothing.
    ///
    /// # Errors
    /// The PSP refuses, there is no such backup, or the bank cannot be reached: then some of it may be claimed, and the same again
    /// claims the rest.
    pub fn claim_lost(&mut self, lost: &PublicKey, code: &RecoveryCode) -> Done<LossClaims> {
        let name = HexArray(lost.0);
        let kept = self.signed_call(|psp, device| psp.backups(device, &name))?.backups;
        let key = RecoveryKey::of(code);
        let (kept_at, backup) = newest(&kept, &key, lost)?;
        let backup = Backup::decode(&backup).expect("it was decoded before");
        let mut done = LossClaims { kept_at, claims: Vec::new(), refused: Vec::new() };
        for holdings in portions(backup.holdings().map(|holding| holding.to_vec())) {
            let (key, request) = (fresh_key()?, RestitutionRequest { holdings });
            let answer = self.signed_call(|psp, device| psp.claim_restitution(device, &key, &name, &request))?;
            if answer.items.len() != request.holdings.len() {
                return Err(Failure::new(
                    "wrong-answer",
                    "the PSP answered for others than were claimed",
                    "ask the PSP",
                ));
            }
            for item in answer.items {
                match item {
                    RestitutionItem::Claimed(claim) => done.claims.push(claim),
                    RestitutionItem::Refused { code, detail } => done.refused.push((code, detail)),
                }
            }
        }
        Ok(done)
    }

    /// What is claimed of what `lost` held, and what became of it.
    ///
    /// # Errors
    /// The PSP refuses or cannot be reached.
    pub fn claims_on(&mut self, lost: &PublicKey) -> Done<Vec<RestitutionClaim>> {
        let lost = HexArray(lost.0);
        Ok(self.signed_call(|psp, device| psp.restitutions(device, &lost))?.claims)
    }
}

/// The newest backup that the key opens: an older one would tell bank and PSP of notes that were paid with since.
fn newest(kept: &[KeptBackup], key: &RecoveryKey, lost: &PublicKey) -> Done<(u64, zeroize::Zeroizing<Vec<u8>>)> {
    let open = |kept: &KeptBackup| {
        let backup = key.open(lost, &kept.backup.0)?;
        Backup::decode(&backup).is_ok().then_some((kept.kept_at, backup))
    };
    match kept.iter().find_map(open) {
        Some(found) => Ok(found),
        None if kept.is_empty() => Err(Failure::new(
            "no-backup",
            "the PSP has no backup of that device",
            "nothing can be claimed: a device leaves backups once it has a recovery code and synchronises",
        )),
        None => Err(Failure::new(
            "wrong-recovery-code",
            format!("none of the {} backups of that device opens with this code", kept.len()),
            "give the newest code that was made on the lost device",
        )),
    }
}

/// Splits holdings into requests that the PSP takes.
fn portions(holdings: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<Hex>> {
    let mut portions: Vec<Vec<Hex>> = Vec::new();
    let mut room = 0;
    for holding in holdings {
        match portions.last_mut() {
            Some(last) if last.len() < RESTITUTION_HOLDINGS_MAX && holding.len() <= room => {
                room -= holding.len();
                last.push(Hex(holding));
            }
            _ => {
                room = REQUEST_LENGTH_MAX.saturating_sub(holding.len());
                portions.push(vec![Hex(holding)]);
            }
        }
    }
    portions
}

fn unreadable(error: &std::io::Error) -> Failure {
    Failure::new(
        "recovery-key",
        format!("recovery.key: {error}"),
        "check the device's folder, or make a new recovery code",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_made_in_portions_that_the_psp_takes() {
        let of = |lengths: &[usize]| {
            let portions = portions(lengths.iter().map(|length| vec![0; *length]));
            portions.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(of(&[]), Vec::<usize>::new());
        assert_eq!(of(&[9; 250]), [100, 100, 50]);
        assert_eq!(of(&[REQUEST_LENGTH_MAX / 2, REQUEST_LENGTH_MAX / 2, 1]), [2, 1]);
        assert_eq!(of(&[1, REQUEST_LENGTH_MAX + 1, 1]), [1, 1, 1]);
    }
}
