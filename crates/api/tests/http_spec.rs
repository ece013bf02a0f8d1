//! `docs/spec/http.md` and the code name the same problems.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use specie_api::problem::{self, Code};
use specie_api::{bank, psp};

/// The rows of the table that follows `heading`.
fn rows(heading: &str) -> Vec<String> {
    let document = include_str!("../../../docs/spec/http.md");
    let section = document.split(heading).nth(1).unwrap_or_else(|| panic!("no section `{heading}`"));
    let section = section.split("\n#").next().unwrap();
    section.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect()
}

fn row(code: &Code) -> String {
    let Code { name, status, title, advice, retry } = code;
    format!("| `{name}` | {status} | {title} | {advice} | {} |", if *retry { "yes" } else { "no" })
}

#[test]
fn the_specification_lists_every_code_as_it_is() {
    for (heading, codes) in [
        ("### 4.1 Codes of both services", problem::CODES),
        ("### 4.2 Codes of a PSP", psp::CODES),
        ("### 4.3 Codes of the bank", bank::CODES),
    ] {
        let expected: Vec<_> = codes.iter().map(row).collect();
        assert_eq!(rows(heading), expected, "the table should be:\n{}\n", expected.join("\n"));
    }
}

#[test]
fn codes_are_distinct_and_fit_their_statuses() {
    let all: Vec<_> = [problem::CODES, psp::CODES, bank::CODES].concat();
    let names: BTreeSet<_> = all.iter().map(|code| code.name).collect();
    assert_eq!(names.len(), all.len());
    for code in all {
        assert!((400..600).contains(&code.status), "{}", code.name);
        assert!(code.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", code.name);
        // Whoever failed may do better later; whoever asked wrongly may not.
        assert!(code.status < 500 || code.retry, "{}", code.name);
    }
}
