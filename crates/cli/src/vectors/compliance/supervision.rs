//! A ceremony of the supervisory key, and an opening (docs/spec/supervision.md).
#![allow(non_snake_case, reason = "the letters of the specification")]

use specie_core::disclosure::DisclosedTransfer;
use specie_core::encoding::{Decode, Encode};
use specie_core::group::{Generators, RistrettoPoint, decode_point, encode_point};
use specie_supervision::opening::{Opening, Payer};
use specie_supervision::outcome::Outcome;

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge_ceremony(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let outcome = fields.bytes("outcome")?;
    Some(Outcome::decode(&outcome).map(|_| ()).map_err(|error| error.to_string()))
}

pub(super) fn ceremony_values(_: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let outcome = Outcome::decode(&fields.bytes("outcome")?).ok()?;
    fields.compare("outcome", &outcome.to_vec());
    let transcript = outcome.transcript();
    fields.compare("ceremony", &transcript.invitation().id());
    fields.compare("transcript", &transcript.hash());
    fields.compare("S", &transcript.key().0);
    let s = fields.scalar("s")?;
    fields.require("s", encode_point(&RistrettoPoint::mul_base(&s)) == transcript.key().0, "not the secret of the key");
    Some(())
}

pub(super) fn judge_opening(_: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let (outcome, disclosed, opening) =
        (fields.bytes("outcome")?, fields.bytes("disclosed")?, fields.bytes("opening")?);
    Some(open(&outcome, &disclosed, &opening).map(|_| ()))
}

fn open(outcome: &[u8], disclosed: &[u8], opening: &[u8]) -> Result<Payer, String> {
    let outcome = Outcome::decode(outcome).map_err(|error| error.to_string())?;
    let disclosed = DisclosedTransfer::decode(disclosed).map_err(|error| error.to_string())?;
    let opening = Opening::decode(opening).map_err(|error| error.to_string())?;
    opening.verify(&outcome, &disclosed).map_err(|error| error.to_string())
}

pub(super) fn opening_values(_: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let (outcome, disclosed, opening) =
        (fields.bytes("outcome")?, fields.bytes("disclosed")?, fields.bytes("opening")?);
    let payer = open(&outcome, &disclosed, &opening).ok()?;
    fields.compare("U", &payer.U);
    fields.compare("opening", &Opening::decode(&opening).ok()?.to_vec());
    fields.compare("S", &Outcome::decode(&outcome).ok()?.transcript().key().0);
    let disclosure = DisclosedTransfer::decode(&disclosed).ok()?.transfer.disclosure?;
    let E1 = decode_point(&disclosure.E1).ok()?;
    for index in 0..fields.length("D") {
        let x = fields.scalar(&format!("x.{index}"))?;
        fields.compare(&format!("D.{index}"), &encode_point(&(x * E1)));
    }
    Some(())
}
