//! How often each rule finds what it is for, and how often it disturbs honest customers. `docs/compliance.md` has these numbers:
//! the test compares them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use specie_aml::Settings;
use specie_aml::rules::{Counted, RuleName};

use crate::population::{DAYS, Player, population};

/// The seed of the numbers in the document.
const SEED: u64 = 4;
const HONEST: u64 = 1_000;
const LAUNDERERS: u64 = 100;

/// What a rule finds at least and disturbs at most, in percent of launderers and of honest customers in a year, with any seed.
const BOUNDS: &[(RuleName, u64, u64)] = &[
    (RuleName::Structuring, 80, 2),
    (RuleName::Velocity, 75, 3),
    (RuleName::Dormant, 60, 2),
    (RuleName::FanIn, 90, 3),
    (RuleName::FanOut, 60, 3),
    (RuleName::RoundTrip, 35, 1),
    (RuleName::LimitProbing, 50, 1),
    (RuleName::PassThrough, 45, 6),
];

/// What one rule did.
struct Rates {
    rule: RuleName,
    /// Launderers of its typology that it found.
    hits: u64,
    /// Honest customers about whom it raised an alert.
    disturbed: u64,
    /// Their walks of life, and how many of each.
    walks: BTreeMap<&'static str, u64>,
    /// Alerts about them.
    false_alarms: u64,
}

fn measure(seed: u64) -> Vec<Rates> {
    let (settings, players) = (Settings::example(), population(seed, HONEST, LAUNDERERS));
    let alerts: Vec<(&Player, Vec<RuleName>)> = players
        .iter()
        .map(|player| {
            let alerts = settings.evaluate(&player.history, 0, &mut Counted::default());
            (player, alerts.iter().map(|alert| alert.rule).collect())
        })
        .collect();
    let of = |rule: RuleName| {
        let honest = || alerts.iter().filter(|(player, _)| player.launders.is_none());
        let mut walks = BTreeMap::new();
        for (player, _) in honest().filter(|(_, rules)| rules.contains(&rule)) {
            *walks.entry(player.walk).or_default() += 1;
        }
        Rates {
            rule,
            walks,
            hits: alerts.iter().filter(|(player, rules)| player.launders == Some(rule) && rules.contains(&rule)).count()
                as u64,
            disturbed: honest().filter(|(_, rules)| rules.contains(&rule)).count() as u64,
            false_alarms: honest().flat_map(|(_, rules)| rules).filter(|found| **found == rule).count() as u64,
        }
    };
    let rates: Vec<_> = RuleName::ALL.iter().map(|rule| of(*rule)).collect();
    print!("{}", table(seed, &rates));
    rates
}

fn table(seed: u64, rates: &[Rates]) -> String {
    let mut text = format!(
        "Seed {seed}, {DAYS} days, {HONEST} honest customers, {LAUNDERERS} launderers for each rule.\n\n\
         | Rule | Launderers found | Honest customers with an alert | Who they are | Alerts about honest customers, each 1,000 and month |\n\
         |---|---|---|---|---|\n"
    );
    for rate in rates {
        let walks: Vec<_> = rate.walks.iter().map(|(walk, count)| format!("{count} {walk}")).collect();
        let monthly = rate.false_alarms * 1_000 * 30 * 10 / (HONEST * DAYS);
        writeln!(
            text,
            "| {} | {} of {LAUNDERERS} ({} %) | {} of {HONEST} ({}.{} %) | {} | {}.{} |",
            rate.rule.as_str(),
            rate.hits,
            rate.hits * 100 / LAUNDERERS,
            rate.disturbed,
            rate.disturbed * 100 / HONEST,
            rate.disturbed * 1_000 / HONEST % 10,
            walks.join(", "),
            monthly / 10,
            monthly % 10
        )
        .unwrap();
    }
    text
}

#[test]
fn the_document_has_the_rates_that_are_measured() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compliance.md");
    let document = std::fs::read_to_string(path).unwrap();
    let measured = table(SEED, &measure(SEED));
    assert!(document.contains(&measured), "docs/compliance.md must have, word for word:\n\n{measured}");
}

#[test]
fn every_rule_keeps_its_bounds_with_other_seeds() {
    assert_eq!(BOUNDS.iter().map(|(rule, ..)| *rule).collect::<BTreeSet<_>>().len(), RuleName::ALL.len());
    for seed in [1, 2] {
        for rate in measure(seed) {
            let (_, hits_min, disturbed_max) = BOUNDS.iter().find(|(rule, ..)| *rule == rate.rule).unwrap();
            let (hits, disturbed) = (rate.hits * 100 / LAUNDERERS, rate.disturbed * 100 / HONEST);
            let rule = rate.rule.as_str();
            assert!(hits >= *hits_min, "{rule}: {hits} % found, seed {seed}");
            assert!(disturbed <= *disturbed_max, "{rule}: {disturbed} % of the honest disturbed, seed {seed}");
        }
    }
}
