//! Checks made, each with its outcome, and the verdict that follows from them.

use serde_json::{Value, json};

/// Checks in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Checks(Vec<Check>);

/// One check.
#[derive(Debug)]
struct Check {
    what: &'static str,
    outcome: Outcome,
    detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Holds,
    Fails(&'static str),
    Unchecked,
}

/// What follows from the checks of something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Every check was made and holds.
    Good,
    /// Nothing is wrong, but something could not be checked.
    Incomplete,
    /// Something is wrong.
    Bad,
}

impl Checks {
    /// `what` was checked and holds.
    pub(crate) fn hold(&mut self, what: &'static str, detail: impl Into<String>) {
        self.0.push(Check { what, outcome: Outcome::Holds, detail: detail.into() });
    }

    /// `what` was checked and does not hold; `code` is stable.
    pub(crate) fn fail(&mut self, what: &'static str, code: &'static str, reason: impl Into<String>) {
        self.0.push(Check { what, outcome: Outcome::Fails(code), detail: reason.into() });
    }

    /// `what` could not be checked.
    pub(crate) fn skip(&mut self, what: &'static str, why: impl Into<String>) {
        self.0.push(Check { what, outcome: Outcome::Unchecked, detail: why.into() });
    }

    /// `what` holds with `detail`, or fails.
    pub(crate) fn decide(
        &mut self,
        what: &'static str,
        holds: bool,
        detail: impl Into<String>,
        code: &'static str,
        reason: impl Into<String>,
    ) {
        if holds { self.hold(what, detail) } else { self.fail(what, code, reason) }
    }

    /// Code and reason of the first check that failed.
    pub(crate) fn first_failure(&self) -> Option<(&'static str, String)> {
        self.0.iter().find_map(|check| match check.outcome {
            Outcome::Fails(code) => Some((code, format!("{}: {}", check.what, check.detail))),
            _ => None,
        })
    }

    /// What follows.
    pub(crate) fn verdict(&self) -> Verdict {
        let worst = |verdict: Verdict, check: &Check| match (verdict, check.outcome) {
            (Verdict::Bad, _) | (_, Outcome::Fails(_)) => Verdict::Bad,
            (Verdict::Incomplete, _) | (_, Outcome::Unchecked) => Verdict::Incomplete,
            _ => Verdict::Good,
        };
        self.0.iter().fold(Verdict::Good, worst)
    }

    /// For people: one line each.
    pub(crate) fn lines(&self, indent: &str) -> String {
        let line = |check: &Check| {
            let mark = match check.outcome {
                Outcome::Holds => "ok     ",
                Outcome::Fails(_) => "WRONG  ",
                Outcome::Unchecked => "not checked",
            };
            format!("{indent}{mark:<12}{:<12}{}\n", check.what, check.detail)
        };
        self.0.iter().map(line).collect()
    }

    /// For machines.
    pub(crate) fn to_json(&self) -> Value {
        let one = |check: &Check| {
            let (outcome, code) = match check.outcome {
                Outcome::Holds => ("holds", None),
                Outcome::Fails(code) => ("fails", Some(code)),
                Outcome::Unchecked => ("unchecked", None),
            };
            json!({ "check": check.what, "outcome": outcome, "code": code, "detail": check.detail })
        };
        self.0.iter().map(one).collect()
    }
}

impl Verdict {
    /// The worse of two.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Bad, _) | (_, Self::Bad) => Self::Bad,
            (Self::Incomplete, _) | (_, Self::Incomplete) => Self::Incomplete,
            _ => Self::Good,
        }
    }

    /// A word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Incomplete => "incomplete",
            Self::Bad => "bad",
        }
    }
}
