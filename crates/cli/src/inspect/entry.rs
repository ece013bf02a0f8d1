//! A show as JSON: an entry of a file of vectors, or a transfer of this program's own `--json`.
#![allow(non_snake_case, reason = "the letters of the specification")]

use serde_json::Value;
use specie_core::class::Class;
use specie_core::encoding::Decode;
use specie_core::group::{Generators, Scalar};
use specie_core::note::{Note, note_id};
use specie_core::show::{Points, Show};
use specie_core::transfer::{Preimage, challenge, transfer_id};

use super::checks::Checks;
use super::report::{Report, TransferReport};
use super::show::{check_class, check_equations, check_note, check_responses};

/// A show with its class, as bytes that nobody checked.
pub(crate) struct ShowParts {
    pub(crate) Y: Vec<u8>,
    pub(crate) info: Vec<u8>,
    pub(crate) note: Vec<u8>,
    pub(crate) preimage: Vec<u8>,
    /// `z0`, `z1`, `z3`.
    pub(crate) z: [Vec<u8>; 3],
}

/// A show that holds.
pub(crate) struct ShowValues {
    pub(crate) class: Class,
    pub(crate) note: Note,
    pub(crate) d: Scalar,
    pub(crate) show: Show,
    pub(crate) points: Points,
}

const FIELDS: [&str; 7] = ["Y", "info", "note", "preimage", "z0", "z1", "z3"];

/// What a JSON document holds: one entry, a file of them, or this program's own output.
pub(crate) fn inspect_json(generators: &Generators, source: &str, document: &Value) -> Vec<Report> {
    let mut reports = Vec::new();
    collect(generators, source, document, None, &mut reports);
    if reports.is_empty() {
        let reason = "JSON, but nothing in it has Y, info, note, preimage, z0, z1 and z3";
        reports.push(Report::unreadable(source, "JSON", reason));
    }
    reports
}

/// Finds every object that holds a show; shows listed under `shows` take what they lack from the entry around them.
fn collect(generators: &Generators, source: &str, value: &Value, around: Option<&Value>, reports: &mut Vec<Report>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(generators, &format!("{source}[{index}]"), item, around, reports);
            }
        }
        Value::Object(fields) if fields.contains_key("z0") || fields.contains_key("preimage") => {
            reports.push(inspect_entry(generators, source, value, around));
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = if name == "vectors" { source.to_owned() } else { format!("{source}.{name}") };
                collect(generators, &name, field, Some(value), reports);
            }
        }
        _ => {}
    }
}

fn inspect_entry(generators: &Generators, source: &str, entry: &Value, around: Option<&Value>) -> Report {
    let mut report = Report::new(source, "show with its class");
    if let Some(why) = entry["why"].as_str() {
        report.facts.add("said to be", why);
    }
    let field = |name: &str| {
        let value = entry.get(name).or_else(|| around.and_then(|around| around.get(name)));
        let text = value.and_then(Value::as_str).ok_or_else(|| format!("{name} is missing"))?;
        hex::decode(text).map_err(|error| format!("{name} is not hex: {error}"))
    };
    let mut values = Vec::new();
    for name in FIELDS {
        match field(name) {
            Ok(bytes) => values.push(bytes),
            Err(reason) => {
                report.checks.fail("form", "malformed", reason);
                return report;
            }
        }
    }
    let [Y, info, note, preimage, z0, z1, z3] = <[Vec<u8>; 7]>::try_from(values).expect("one for each name");
    let parts = ShowParts { Y, info, note, preimage, z: [z0, z1, z3] };
    let transfer = parts.report(generators);
    let other = transfer.values.iter().find(|(name, value)| {
        let stated = entry.get(*name).or_else(|| around.and_then(|around| around.get(*name))).and_then(Value::as_str);
        stated.is_some() && value.is_some() && stated != value.as_deref()
    });
    if let Some((name, Some(value))) = other {
        report.checks.fail("values", "other-value", format!("{name} is stated, but comes out as {value}"));
    }
    report.transfers.push(transfer);
    report
}

impl ShowParts {
    /// Checks everything and gives what is then known, or the reason.
    pub(crate) fn check(&self, generators: &Generators) -> Result<ShowValues, String> {
        let mut checks = Checks::default();
        self.check_each(generators, &mut checks)
            .ok_or_else(|| checks.first_failure().map_or_else(String::new, |(_, reason)| reason))
    }

    fn check_each(&self, generators: &Generators, checks: &mut Checks) -> Option<ShowValues> {
        let [z0, z1, z3] = &self.z;
        let class = check_class(&self.Y, &self.info, checks);
        let note = check_note(&self.note, checks);
        let show = check_responses([z0, z1, z3], checks);
        let (class, note, show) = (class?, note?, show?);
        self.check_preimage(&class, &note, checks)?;
        let d = challenge(&self.preimage);
        let points = check_equations(generators, &class, &note, &d, &show, None, checks)?;
        Some(ShowValues { class, note, d, show, points })
    }

    /// A preimage that reads as one must be of this class and note; other bytes stand for one, as in vectors.
    fn check_preimage(&self, class: &Class, note: &Note, checks: &mut Checks) -> Option<()> {
        let Ok(preimage) = Preimage::decode(&self.preimage) else {
            checks.hold("preimage", "taken as bytes: it does not encode inputs and outputs");
            return Some(());
        };
        let fits = preimage.class_id == class.id() && preimage.note == *note;
        checks.decide("preimage", fits, "is of this class and note", "other-class", "is of another class or note");
        fits.then_some(())
    }

    fn report(&self, generators: &Generators) -> TransferReport {
        let mut report = TransferReport::default();
        let values = self.check_each(generators, &mut report.checks);
        let [z0, z1, z3] = &self.z;
        let (d, id) = (challenge(&self.preimage), transfer_id(&self.preimage));
        let note_id =
            values.map(|ShowValues { note, points, .. }| note_id(note.zeta(), note.zeta1(), &points.N0, &points.N1));
        report.value("info", Some(&self.info));
        report.value("Y", Some(&self.Y));
        report.value("note", Some(&self.note));
        report.value("preimage", Some(&self.preimage));
        report.value("d", Some(d.as_bytes()));
        report.value("z0", Some(z0));
        report.value("z1", Some(z1));
        report.value("z3", Some(z3));
        report.value("transfer_id", Some(&id.0));
        report.value("note_id", note_id.as_ref().map(|id| &id.0[..]));
        report
    }
}
