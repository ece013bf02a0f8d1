//! Figures next to those that were committed.

use std::fmt;

use anyhow::{Result, bail};

use super::{ACCEPT, bars, report::Figures};

/// By how much a figure may grow, in percent.
const GROWTH: u64 = 5;

/// What became of the figures.
pub(crate) struct Comparison {
    /// Figures that grew by too much, that are new, or that are gone.
    unaccepted: Vec<String>,
    /// Figures that changed otherwise.
    changed: Vec<String>,
    broken: Vec<String>,
    /// How the compilers differ, if they do.
    compilers: Option<String>,
    compared: usize,
}

impl Comparison {
    pub(crate) fn of(committed: &Figures, measured: &Figures) -> Self {
        let (before, after) = (committed.all(), measured.all());
        let (mut unaccepted, mut changed) = (Vec::new(), Vec::new());
        for (name, new) in &after {
            match before.get(name) {
                None => unaccepted.push(format!("{name}: {new}, and nothing is committed")),
                Some(old) if old == new => {}
                Some(old) => {
                    let line = format!("{name}: {old} before, {new} now ({})", percent(*old, *new));
                    let list = if grew(*old, *new) { &mut unaccepted } else { &mut changed };
                    list.push(line);
                }
            }
        }
        let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
        unaccepted.extend(gone.map(|(name, old)| format!("{name}: {old} before, and not measured any more")));
        let (old, new) = (&committed.compiler, &measured.compiler);
        let compilers = (old != new).then(|| format!("the compilers differ: {old} before, {new} now"));
        Self { unaccepted, changed, broken: bars::broken(measured), compilers, compared: after.len() }
    }

    /// Whether the figures may stay as they are.
    ///
    /// # Errors
    /// Names every figure that may not, and what can be done.
    pub(crate) fn verdict(&self) -> Result<()> {
        let mut wrong = Vec::new();
        if !self.unaccepted.is_empty() {
            wrong.push(format!(
                "figures grew by more than {GROWTH} %, came or went:\n  {}",
                self.unaccepted.join("\n  ")
            ));
        }
        if !self.broken.is_empty() {
            wrong.push(format!("bars are broken:\n  {}", self.broken.join("\n  ")));
        }
        if wrong.is_empty() {
            return Ok(());
        }
        wrong.extend(self.compilers.clone());
        if !self.unaccepted.is_empty() {
            wrong.push(format!("if that is as it should be, {ACCEPT}"));
        }
        bail!("{}", wrong.join("\n"))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(compilers) = &self.compilers {
            writeln!(f, "{compilers}")?;
        }
        for line in self.unaccepted.iter().chain(&self.changed) {
            writeln!(f, "{line}")?;
        }
        write!(f, "{} figures compared", self.compared)
    }
}

fn grew(old: u64, new: u64) -> bool {
    u128::from(new) * 100 > u128::from(old) * u128::from(100 + GROWTH)
}

/// The change, in tenths of a percent.
fn percent(old: u64, new: u64) -> String {
    if old == 0 {
        return "from nothing".into();
    }
    format!("{:+.1} %", (new as f64 / old as f64 - 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::{super::report::synthetic::figures, *};

    fn with_pay(instructions: u64) -> Figures {
        let mut figures = figures();
        let board = figures.boards.get_mut("an386").unwrap();
        board.host.get_mut("pay").unwrap().insert("instructions".into(), instructions);
        figures
    }

    #[test]
    fn five_percent_pass_and_no_more() {
        let committed = with_pay(100_000);
        for passes in [0, 50_000, 100_000, 100_001, 105_000] {
            let comparison = Comparison::of(&committed, &with_pay(passes));
            assert!(comparison.verdict().is_ok(), "{passes}: {comparison}");
        }
        let comparison = Comparison::of(&committed, &with_pay(105_001));
        let error = comparison.verdict().unwrap_err().to_string();
        assert!(error.contains("an386, host: pay: instructions: 100000 before, 105001 now (+5.0 %)"), "{error}");
        assert!(error.contains("cargo xtask figures"), "{error}");
        assert!(!error.contains("compilers"), "{error}");
    }

    #[test]
    fn a_broken_bar_is_not_to_be_accepted() {
        let comparison = Comparison::of(&with_pay(130_001), &with_pay(130_001));
        let error = comparison.verdict().unwrap_err().to_string();
        assert!(error.contains("pay, host and element together: 250001, at most 250000"), "{error}");
        assert!(!error.contains("cargo xtask figures"), "{error}");
    }

    #[test]
    fn what_is_new_or_gone_is_named() {
        let mut more = figures();
        more.boards.get_mut("an386").unwrap().host.insert("sing".into(), [("heap".to_owned(), 7)].into());
        let came = Comparison::of(&figures(), &more).verdict().unwrap_err().to_string();
        assert!(came.contains("an386, host: sing: heap: 7, and nothing is committed"), "{came}");
        let went = Comparison::of(&more, &figures()).verdict().unwrap_err().to_string();
        assert!(went.contains("an386, host: sing: heap: 7 before, and not measured any more"), "{went}");
    }

    #[test]
    fn other_compilers_are_named_where_it_matters() {
        let mut other = with_pay(130_000);
        other.compiler = "rustc 2".into();
        let comparison = Comparison::of(&with_pay(100_000), &other);
        let error = comparison.verdict().unwrap_err().to_string();
        assert!(error.contains("the compilers differ: rustc 1 before, rustc 2 now"), "{error}");
        let same = Comparison::of(&with_pay(130_000), &other);
        assert!(same.verdict().is_ok() && same.to_string().contains("the compilers differ"));
    }
}
