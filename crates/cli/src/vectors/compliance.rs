//! An entry of `compliance.json`: something of its `kind`, the verdict on it, and where it holds the values on the way to it.

mod audit;
mod audit_tree;
mod backup;
mod chain;
mod disclosure;
mod enrolment;
mod holding;
mod mandate;
mod manifest;
mod request;
mod revocation;
mod supervision;
mod totals;

use specie_core::group::Generators;

use super::fields::Fields;

/// What is wrong with something that is refused.
type Verdict = Result<(), String>;

/// How entries of one kind are checked.
struct Kind {
    name: &'static str,
    /// Reaches a verdict; `None` when the entry lacks what there is to judge, which is recorded.
    judge: fn(&Generators, &mut Fields<'_>) -> Option<Verdict>,
    /// Computes the values of an entry that holds.
    values: fn(&Generators, &mut Fields<'_>) -> Option<()>,
}

const KINDS: &[Kind] = &[
    Kind { name: "manifest", judge: manifest::judge, values: manifest::values },
    Kind { name: "request", judge: request::judge, values: request::values },
    Kind { name: "chain", judge: chain::judge, values: chain::values },
    Kind { name: "disclosure", judge: disclosure::judge, values: disclosure::values },
    Kind { name: "ceremony", judge: supervision::judge_ceremony, values: supervision::ceremony_values },
    Kind { name: "opening", judge: supervision::judge_opening, values: supervision::opening_values },
    Kind { name: "revocation", judge: revocation::judge_page, values: revocation::page_values },
    Kind { name: "revocation-pair", judge: revocation::judge_pair, values: revocation::pair_values },
    Kind { name: "mandate", judge: mandate::judge, values: mandate::values },
    Kind { name: "holding", judge: holding::judge, values: holding::values },
    Kind { name: "backup", judge: backup::judge, values: backup::values },
    Kind { name: "enrolment", judge: enrolment::judge, values: enrolment::values },
    Kind { name: "totals", judge: totals::judge, values: totals::values },
    Kind { name: "audit", judge: audit::judge, values: audit::values },
    Kind { name: "audit-consistency", judge: audit_tree::judge_consistency, values: audit_tree::consistency_values },
    Kind { name: "audit-inclusion", judge: audit_tree::judge_inclusion, values: audit_tree::inclusion_values },
];

/// Reaches a verdict of its own and compares it with the one stated; computes every value of what holds. Says what it found.
pub(super) fn check(generators: &Generators, fields: &mut Fields<'_>) -> String {
    let name = fields.text("kind").unwrap_or_default();
    let why = fields.text("why").unwrap_or("no reason stated");
    let accept = fields.flag("accept");
    let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
        fields.differ("kind", "there is no such kind");
        return name.to_owned();
    };
    let (Some(accept), Some(verdict)) = (accept, (kind.judge)(generators, fields)) else { return name.to_owned() };
    fields.require("accept", accept == verdict.is_ok(), if accept { "must be accepted" } else { "must be refused" });
    if accept && (kind.values)(generators, fields).is_none() {
        fields.differ("kind", "not all values were checked");
    }
    match verdict {
        Ok(()) => format!("{name} accepted ({why}), {} values", fields.compared()),
        Err(reason) => format!("{name} refused ({why}): {reason}"),
    }
}
