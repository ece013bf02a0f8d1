//! An entry of `reject.json`: a show, and the verdict that a verifier must reach.
#![allow(non_snake_case, reason = "the letters of the specification")]

use specie_core::group::Generators;
use specie_core::show::{Batch, verify_extended_vartime};

use super::fields::Fields;
use crate::inspect::{ShowParts, ShowValues};

/// Reaches a verdict of its own and compares it with the one stated; gives the reason found.
pub(super) fn check(generators: &Generators, fields: &mut Fields<'_>) -> Option<String> {
    let why = fields.text("why").unwrap_or("no reason stated").to_owned();
    let expected = fields.flag("accept");
    let verdict = read(fields)?.and_then(|parts| {
        let values = parts.check(generators)?;
        all_forms_agree(generators, &values)
    });
    if let Some(expected) = expected {
        fields.require(
            "accept",
            expected == verdict.is_ok(),
            if expected { "must be accepted" } else { "must be refused" },
        );
    }
    Some(match verdict {
        Ok(()) => format!("accepted ({why})"),
        Err(reason) => format!("refused ({why}): {reason}"),
    })
}

/// The parts; `None` when one is missing, an error when one is not even hex.
fn read(fields: &mut Fields<'_>) -> Option<Result<ShowParts, String>> {
    let mut read = |name: &str| {
        let text = fields.text(name);
        if text.is_none() {
            fields.differ(name, "missing");
        }
        text.map(|text| hex::decode(text).map_err(|error| format!("{name}: not hex: {error}")))
    };
    let (Y, info, note) = (read("Y"), read("info"), read("note"));
    let (preimage, z0, z1, z3) = (read("preimage"), read("z0"), read("z1"), read("z3"));
    let (Y, info, note, preimage, z0, z1, z3) = (Y?, info?, note?, preimage?, z0?, z1?, z3?);
    Some((|| Ok(ShowParts { Y: Y?, info: info?, note: note?, preimage: preimage?, z: [z0?, z1?, z3?] }))())
}

/// What the compact form accepts, the extended form and a batch must accept too.
fn all_forms_agree(generators: &Generators, values: &ShowValues) -> Result<(), String> {
    let ShowValues { class, note, d, show, points } = values;
    verify_extended_vartime(generators, class, note, d, show, points)
        .map_err(|failure| format!("extended form: {failure}"))?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| format!("no randomness to check a batch with: {error}"))?;
    let mut batch = Batch::new(*generators, seed);
    let pushed = batch.push(class, note, d, show, points);
    pushed.and_then(|()| batch.verify_vartime()).map_err(|failure| format!("batch: {failure}"))
}
