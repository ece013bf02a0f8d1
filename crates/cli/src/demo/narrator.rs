//! Tells what happens, and keeps count of what was claimed and whether it held.

use std::io::{self, Write};
use std::time::Instant;

use serde_json::{Value, json};

/// Tells the story on standard output, or keeps it for the JSON document.
pub(super) struct Narrator {
    silent: bool,
    begun: Instant,
    chapters: Vec<Chapter>,
}

struct Chapter {
    title: String,
    lines: Vec<String>,
    claims: Vec<(String, bool)>,
}

impl Narrator {
    /// Begins; `silent` keeps everything for [`Narrator::to_json`].
    pub(super) fn begin(silent: bool) -> Self {
        Self { silent, begun: Instant::now(), chapters: Vec::new() }
    }

    /// Says what this is.
    pub(super) fn preface(&self, line: &str) {
        self.print(line);
    }

    /// Opens the next chapter.
    pub(super) fn chapter(&mut self, title: &str) {
        self.chapters.push(Chapter { title: title.to_owned(), lines: Vec::new(), claims: Vec::new() });
        self.print(&format!("\n{}. {title}", self.chapters.len()));
    }

    /// Says something that happened.
    pub(super) fn say(&mut self, line: impl Into<String>) {
        let line = line.into();
        self.print(&format!("   {line}"));
        self.last().lines.push(line);
    }

    /// Says something that was checked just now, and whether it holds.
    pub(super) fn check(&mut self, claim: impl Into<String>, holds: bool) {
        let claim = claim.into();
        self.print(&format!("   {} {claim}", if holds { "✓" } else { "✗ DOES NOT HOLD:" }));
        self.last().claims.push((claim, holds));
    }

    /// Whether everything that was checked holds.
    pub(super) fn all_held(&self) -> bool {
        self.claims().all(|(_, held)| *held)
    }

    /// How many checks there were.
    pub(super) fn checks(&self) -> usize {
        self.claims().count()
    }

    /// Seconds since the beginning.
    pub(super) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Everything told, for machines.
    pub(super) fn to_json(&self) -> Value {
        let chapter = |chapter: &Chapter| {
            let claims = chapter.claims.iter().map(|(claim, holds)| json!({ "claim": claim, "holds": holds }));
            json!({ "title": chapter.title, "lines": chapter.lines, "checks": claims.collect::<Vec<_>>() })
        };
        self.chapters.iter().map(chapter).collect()
    }

    fn claims(&self) -> impl Iterator<Item = &(String, bool)> {
        self.chapters.iter().flat_map(|chapter| &chapter.claims)
    }

    fn last(&mut self) -> &mut Chapter {
        self.chapters.last_mut().expect("a chapter is opened before anything is said")
    }

    fn print(&self, line: &str) {
        if !self.silent {
            // When nobody reads it any more, it goes on all the same.
            let _ = writeln!(io::stdout(), "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_claim_that_does_not_hold_spoils_it() {
        let mut narrator = Narrator::begin(true);
        narrator.chapter("first");
        narrator.check("one", true);
        assert!(narrator.all_held());
        narrator.check("two", false);
        narrator.chapter("second");
        narrator.check("three", true);
        assert!(!narrator.all_held());
        assert_eq!((narrator.checks(), narrator.to_json()[0]["checks"][1]["holds"].as_bool()), (3, Some(false)));
    }
}
