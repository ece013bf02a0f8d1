//! A sealed backup (§8.1).
#![allow(non_snake_case, reason = "the letters of the specification")]

use specie_core::amount::Timestamp;
use specie_core::encoding::{Decode, Encode, Writer};
use specie_core::group::Generators;
use specie_core::holding::{Backup, Holding, write_backup};
use specie_core::signature::PublicKey;
use specie_core::{hash, label};
use specie_device::recovery::{RecoveryCode, RecoveryKey};

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let (code, device) = (code(fields)?, PublicKey(fields.array("A")?));
    let sealed = fields.bytes("sealed")?;
    let Some(backup) = RecoveryKey::of(&code).open(&device, &sealed) else {
        return Some(Err("the code does not open it for this device".to_owned()));
    };
    Some(Backup::decode(&backup).map(|_| ()).map_err(|error| error.to_string()))
}

fn code(fields: &mut Fields<'_>) -> Option<RecoveryCode> {
    let code = RecoveryCode::parse(fields.text("code").unwrap_or_default());
    fields.good("code", code)
}

pub(super) fn values(_: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let code = code(fields)?;
    fields.compare("key", &hash::h32(label::RECOVERY_KEY, &[code.expose_secret_digits()]));
    let made_at = Timestamp::new(fields.number("made_at")?);
    let made_at = fields.good("made_at", made_at)?;
    let encoded = (0..fields.length("holdings")).map(|index| fields.bytes(&format!("holdings.{index}")));
    let encoded: Vec<Vec<u8>> = encoded.collect::<Option<_>>()?;
    let holdings: Vec<Holding<'_>> = encoded.iter().map(|bytes| Holding::decode(bytes).ok()).collect::<Option<_>>()?;
    let mut w = Writer::new(Vec::new());
    write_backup(made_at, holdings.iter().cloned(), &mut w).ok()?;
    let backup = w.into_inner();
    fields.compare("backup", &backup);
    let read: Vec<Vec<u8>> = Backup::decode(&backup).ok()?.holdings().map(|holding| holding.to_vec()).collect();
    fields.require("holdings", read == encoded, "other holdings than were read");
    let (device, nonce) = (PublicKey(fields.array("A")?), fields.array("nonce")?);
    let sealed = RecoveryKey::of(&code).seal(&device, &backup, &nonce);
    fields.compare("sealed", &sealed?);
    Some(())
}
