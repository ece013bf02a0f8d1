//! An element's totals, opened (docs/spec/totals.md).
#![allow(non_snake_case, reason = "the letters of the specification")]

use specie_core::group::{Generators, RistrettoPoint, Scalar, encode_point};
use specie_core::signature::{PublicKey, SigningKey};
use specie_core::{Amount, hash, label};
use specie_totals::{Bounds, Opening, Statement};

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let statement = Statement {
        nonce: fields.array("nonce")?,
        limits_sequence: fields.number("sequence")?,
        held: fields.array("C_held")?,
        spent: fields.array("C_spent")?,
        signature: fields.array("signature")?,
    };
    let bounds =
        Bounds { max_holding: amount(fields, "max_holding")?, max_cumulative: amount(fields, "max_cumulative")? };
    let (held, spent) = (opening(fields, "held", "r_held")?, opening(fields, "spent", "r_spent")?);
    let device = PublicKey(fields.array("A")?);
    Some(statement.verify_opened(&device, &bounds, &held, &spent).map_err(|error| error.to_string()))
}

fn amount(fields: &mut Fields<'_>, path: &str) -> Option<Amount> {
    let amount = Amount::new(fields.number(path)?);
    fields.good(path, amount)
}

fn opening(fields: &mut Fields<'_>, total: &str, r: &str) -> Option<Opening> {
    Some(Opening { total: fields.number(total)?, blinding: fields.array(r)? })
}

pub(super) fn values(generators: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let seed: [u8; 32] = fields.array("element_seed")?;
    let key = SigningKey::from_seed(&hash::h32(label::ELEMENT_AUTHENTICATION, &[&seed]));
    fields.compare("A", &key.public().0);
    let (nonce, sequence): ([u8; 32], u64) = (fields.array("nonce")?, fields.number("sequence")?);
    let totals = [fields.number("held")?, fields.number("spent")?];
    let said = [sequence, totals[0], totals[1]].map(u64::to_be_bytes).concat();
    let mut commitments = [[0; 32]; 2];
    for (which, [r_name, C_name]) in [(0, ["r_held", "C_held"]), (1, ["r_spent", "C_spent"])] {
        let r = hash::hs(label::TOTALS_BLINDING, &[&seed, &nonce, &said, &[which]]);
        fields.compare(r_name, r.as_bytes());
        let which = usize::from(which);
        let C = Scalar::from(totals[which]) * generators.H + RistrettoPoint::mul_base(&r);
        commitments[which] = encode_point(&C);
        fields.compare(C_name, &commitments[which]);
    }
    let parts = [&nonce[..], &sequence.to_be_bytes(), &commitments[0], &commitments[1]];
    fields.compare("signature", &key.sign(label::TOTALS, &parts));
    Some(())
}
