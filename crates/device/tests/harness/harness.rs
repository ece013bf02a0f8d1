//! Runs tests one after the other, for programs that start themselves as other processes and so need a `main` of their own.
//! It speaks as much of the language of Rust's test programs as `cargo test` and `cargo nextest` do.

use std::panic::catch_unwind;
use std::process::ExitCode;

/// A test with its name.
pub(crate) type Test = (&'static str, fn());

/// Options that are followed by a value.
const WITH_VALUE: [&str; 5] = ["--format", "--test-threads", "--color", "--skip", "-Z"];

/// Runs those of `tests` that the program's arguments ask for, or lists them.
pub(crate) fn run(tests: &[Test]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    let chosen = chosen(tests, &filters(&arguments), has("--exact"));
    // None of them is ignored.
    let chosen = if has("--ignored") { Vec::new() } else { chosen };
    if has("--list") {
        chosen.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let mut failed = 0;
    for (name, test) in &chosen {
        let verdict = if catch_unwind(test).is_ok() { "ok" } else { "FAILED" };
        failed += usize::from(verdict != "ok");
        println!("test {name} ... {verdict}");
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. {} passed; {failed} failed", chosen.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn filters(arguments: &[String]) -> Vec<&str> {
    let mut filters = Vec::new();
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        if WITH_VALUE.contains(&argument) {
            arguments.next();
        } else if !argument.starts_with('-') {
            filters.push(argument);
        }
    }
    filters
}

fn chosen(tests: &[Test], filters: &[&str], exact: bool) -> Vec<Test> {
    let fits = |name: &str| filters.iter().any(|filter| if exact { name == *filter } else { name.contains(filter) });
    tests.iter().copied().filter(|(name, _)| filters.is_empty() || fits(name)).collect()
}
