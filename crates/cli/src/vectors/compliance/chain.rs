//! A chain (§6), with the code of the rule that it breaks.
#![allow(non_snake_case, reason = "the letters of the specification")]

use specie_core::amount::Timestamp;
use specie_core::chain::{Batched, ChainSummary, CheckShow, Deadline, End, Immediately, verify_chain};
use specie_core::class::Class;
use specie_core::encoding::{Decode, Encode};
use specie_core::group::Generators;
use specie_core::payment::Chain;
use specie_core::show::Batch;

use super::Verdict;
use crate::vectors::fields::Fields;

pub(super) fn judge(generators: &Generators, fields: &mut Fields<'_>) -> Option<Verdict> {
    let bytes = fields.bytes("chain")?;
    let (classes, deadline, end) = rules(fields)?;
    let found = code(&classes, &bytes, deadline, end, &mut Immediately(generators));
    if let Err(found) = &found {
        let expected = fields.text("code").unwrap_or_default();
        fields.require("code", expected == *found, &format!("computed {found}"));
    }
    Some(found.map(|_| ()).map_err(str::to_owned))
}

fn rules(fields: &mut Fields<'_>) -> Option<(Vec<Class>, Deadline, End)> {
    let classes = (0..fields.length("classes")).map(|index| {
        let (Y, info) = (format!("classes.{index}.Y"), format!("classes.{index}.info"));
        let class = Class::decode(&fields.array(&Y)?, &fields.bytes(&info)?);
        class.map_err(|error| fields.differ(&info, &error.to_string())).ok()
    });
    let classes = classes.collect::<Option<_>>()?;
    let now = Timestamp::new(fields.number("now")?);
    let now = fields.good("now", now)?;
    let end = match fields.text("end")? {
        "outputs" => Some((Deadline::Spend(now), End::Outputs)),
        "redemption" => Some((Deadline::Redeem(now), End::Redemption)),
        _ => None,
    };
    let (deadline, end) = fields.good("end", end)?;
    Some((classes, deadline, end))
}

fn code(
    classes: &[Class],
    bytes: &[u8],
    deadline: Deadline,
    end: End,
    shows: &mut impl CheckShow,
) -> Result<ChainSummary, &'static str> {
    let chain = Chain::decode(bytes).map_err(|_| "malformed")?;
    verify_chain(classes, &chain, deadline, end, shows, |_| ()).map_err(|error| error.code())
}

pub(super) fn values(generators: &Generators, fields: &mut Fields<'_>) -> Option<()> {
    let bytes = fields.bytes("chain")?;
    let (classes, deadline, end) = rules(fields)?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).ok()?;
    let mut shows = Batched { generators, batch: Batch::new(*generators, seed) };
    let summary = code(&classes, &bytes, deadline, end, &mut shows).ok()?;
    fields.require("chain", shows.batch.verify_vartime().is_ok(), "does not hold in a batch");
    let transfers: Vec<Vec<u8>> = Chain::decode(&bytes).ok()?.transfers().map(|transfer| transfer.to_vec()).collect();
    fields.require("chain", bytes.ends_with(&transfers.concat()), "its transfers are written otherwise");
    fields.compare("root", &summary.root.0);
    fields.compare("last", &summary.last.0);
    for (name, computed) in [
        ("value", summary.value.minor()),
        ("hops", summary.hops.into()),
        ("redeem_until", summary.redeem_until.seconds()),
    ] {
        let said = fields.number(name);
        fields.require(name, said == Some(computed), &format!("computed {computed}"));
    }
    Some(())
}
