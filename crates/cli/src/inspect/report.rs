//! What is said of one thing inspected: facts, checks, transfers, verdict.

use serde_json::{Map, Value, json};

use super::checks::{Checks, Verdict};

/// All that came out about one input.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Where it came from.
    pub(crate) source: String,
    /// What it is.
    pub(crate) kind: String,
    /// What it says, in the order in which to show it.
    pub(crate) facts: Facts,
    /// The transfers in it.
    pub(crate) transfers: Vec<TransferReport>,
    /// Checks of the whole.
    pub(crate) checks: Checks,
}

/// What something says: name and value.
#[derive(Debug, Default)]
pub(crate) struct Facts(Vec<(&'static str, Value)>);

/// One transfer, with every value another implementation needs to check it.
#[derive(Debug, Default)]
pub(crate) struct TransferReport {
    /// Where in the input: "chain 1, transfer 2".
    pub(crate) place: String,
    /// Values in hex, by the names of the specification.
    pub(crate) values: Vec<(&'static str, Option<String>)>,
    /// What it says.
    pub(crate) facts: Facts,
    /// Its checks.
    pub(crate) checks: Checks,
}

impl Facts {
    /// Adds one.
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    fn lines(&self, indent: &str) -> String {
        let line = |(name, value): &(&str, Value)| match value {
            Value::String(text) => format!("{indent}{name}: {text}\n"),
            Value::Array(items) => {
                let items: String = items.iter().map(|item| format!("{indent}  {}\n", plain(item))).collect();
                format!("{indent}{name}:\n{items}")
            }
            other => format!("{indent}{name}: {other}\n"),
        };
        self.0.iter().map(line).collect()
    }

    fn to_json(&self) -> Value {
        let fields = self.0.iter().map(|(name, value)| (name.replace(' ', "_"), value.clone()));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Report {
    /// A report on something from `source` that is a `kind`.
    pub(crate) fn new(source: &str, kind: impl Into<String>) -> Self {
        Self { source: source.to_owned(), kind: kind.into(), ..Self::default() }
    }

    /// A report on something that is not what it should be.
    pub(crate) fn unreadable(source: &str, kind: &str, reason: impl Into<String>) -> Self {
        let mut report = Self::new(source, kind);
        report.checks.fail("form", "malformed", reason);
        report
    }

    /// The worst of its own checks and those of its transfers.
    pub(crate) fn verdict(&self) -> Verdict {
        let transfers = self.transfers.iter().map(|transfer| transfer.checks.verdict());
        transfers.fold(self.checks.verdict(), Verdict::and)
    }

    /// Code and reason of the first check that failed.
    pub(crate) fn first_failure(&self) -> Option<(&'static str, String)> {
        let transfers = self.transfers.iter().find_map(|transfer| {
            let (code, reason) = transfer.checks.first_failure()?;
            Some((code, if transfer.place.is_empty() { reason } else { format!("{}: {reason}", transfer.place) }))
        });
        transfers.or_else(|| self.checks.first_failure())
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}: {}\n{}", self.source, self.kind, self.facts.lines("  "));
        for transfer in &self.transfers {
            if !transfer.place.is_empty() {
                text.push_str(&format!("  {}\n", transfer.place));
            }
            text.push_str(&transfer.facts.lines("    "));
            text.push_str(&transfer.checks.lines("    "));
        }
        text.push_str(&self.checks.lines("  "));
        match self.first_failure() {
            Some((code, reason)) => text.push_str(&format!("  verdict: BAD, {reason} [{code}]\n")),
            None if self.verdict() == Verdict::Good => text.push_str("  verdict: good\n"),
            None => text.push_str("  verdict: nothing wrong found, but not everything could be checked\n"),
        }
        text
    }

    /// For machines.
    pub(crate) fn to_json(&self) -> Value {
        let failure = self.first_failure();
        json!({
            "source": self.source,
            "kind": self.kind,
            "verdict": self.verdict().word(),
            "code": failure.as_ref().map(|(code, _)| *code),
            "reason": failure.map(|(_, reason)| reason),
            "facts": self.facts.to_json(),
            "transfers": self.transfers.iter().map(TransferReport::to_json).collect::<Vec<_>>(),
            "checks": self.checks.to_json(),
        })
    }
}

impl TransferReport {
    /// A value by the name of the specification; `None` when it cannot be known here.
    pub(crate) fn value(&mut self, name: &'static str, bytes: Option<&[u8]>) {
        self.values.push((name, bytes.map(hex::encode)));
    }

    fn to_json(&self) -> Value {
        let mut fields: Map<String, Value> =
            self.values.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let failure = self.checks.first_failure();
        fields.insert("place".to_owned(), json!(self.place));
        fields.insert("verdict".to_owned(), json!(self.checks.verdict().word()));
        fields.insert("code".to_owned(), json!(failure.as_ref().map(|(code, _)| *code)));
        fields.insert("reason".to_owned(), json!(failure.map(|(_, reason)| reason)));
        fields.insert("facts".to_owned(), self.facts.to_json());
        fields.insert("checks".to_owned(), self.checks.to_json());
        Value::Object(fields)
    }
}
