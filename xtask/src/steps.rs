//! The steps of `cargo xtask test`, cheapest first, and their bookkeeping.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{
    boards, capi, figures, freestanding, interfaces, rules, suites, supply,
    tools::{self, Tool},
};

/// A part of the whole test.
pub(crate) struct Step {
    /// For `--only`.
    pub(crate) name: &'static str,
    /// What it checks, for the heading.
    pub(crate) title: &'static str,
    /// What must be on the machine.
    needs: &'static [Tool],
    run: fn() -> Result<()>,
}

/// All steps in order.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "tools",
        title: "what the other steps need, installed where possible",
        needs: tools::ALL,
        run: tools::report,
    },
    Step { name: "fmt", title: "formatting", needs: &[Tool::Rustfmt], run: suites::formatting },
    Step { name: "rules", title: "architecture rules", needs: &[], run: rules::run },
    Step {
        name: "supply",
        title: "licences, sources and single versions of dependencies",
        needs: &[],
        run: supply::run,
    },
    Step {
        name: "vectors",
        title: "test vectors are what the reference in Python makes of the specification",
        needs: &[Tool::Python],
        run: suites::vectors,
    },
    Step {
        name: "clippy",
        title: "clippy, warnings denied",
        needs: &[Tool::Clippy, Tool::CCompiler],
        run: suites::clippy,
    },
    Step {
        name: "nostd",
        title: "core, element, wallet, api and embedded on a bare Cortex-M, with and without each feature",
        needs: &[Tool::BareTarget],
        run: freestanding::run,
    },
    Step {
        name: "tests",
        title: "unit, property, vector and power-cut tests",
        needs: &[Tool::CCompiler],
        run: suites::tests,
    },
    Step {
        name: "bare",
        title: "core's tests again without any feature, as a card runs it",
        needs: &[],
        run: suites::core_without_features,
    },
    Step {
        name: "postgres",
        title: "bank, PSP and services on PostgreSQL, and what must hold when it breaks",
        needs: &[Tool::CCompiler, Tool::Postgres],
        run: suites::on_postgres,
    },
    Step {
        name: "process",
        title: "process-level tests with the real program",
        needs: &[Tool::CCompiler, Tool::SoftHsm],
        run: suites::process_tests,
    },
    Step {
        name: "interfaces",
        title: "the services answer as their descriptions in OpenAPI say, whatever they are asked",
        needs: &[Tool::CCompiler, Tool::Python, Tool::Schemathesis],
        run: interfaces::check,
    },
    Step {
        name: "capi",
        title: "the C library: header, border, whole lives in C under valgrind and sanitizers, a device in C",
        needs: &[
            Tool::Clippy,
            Tool::CCompiler,
            Tool::CppCompiler,
            Tool::Valgrind,
            Tool::Cbindgen,
            Tool::ChipCCompiler,
            Tool::Emulator,
        ],
        run: capi::run_all,
    },
    Step {
        name: "boards",
        title: "the firmware on emulated boards: elements' chips, and devices that pay each other",
        needs: &[Tool::Clippy, Tool::CCompiler, Tool::Emulator, Tool::BoardTargets],
        run: boards::run_all,
    },
    Step {
        name: "figures",
        title: "what the firmware costs, compared with what is written down",
        needs: &[Tool::CCompiler, Tool::Emulator, Tool::BoardTargets],
        run: figures::check,
    },
    Step {
        name: "doctests",
        title: "examples in the documentation",
        needs: &[Tool::CCompiler],
        run: suites::doc_tests,
    },
    Step {
        name: "rustdoc",
        title: "documentation, warnings denied",
        needs: &[Tool::CCompiler],
        run: suites::documentation,
    },
];

/// Runs all steps up to the first that fails.
///
/// # Errors
/// Says which step failed, after the summary.
pub(crate) fn run_all() -> Result<()> {
    run_steps(STEPS)
}

/// Runs the step of this name.
///
/// # Errors
/// Says that there is no such step, or that it failed.
pub(crate) fn run_one(name: &str) -> Result<()> {
    let position = STEPS
        .iter()
        .position(|step| step.name == name)
        .with_context(|| format!("there is no step `{name}`; see `cargo xtask --help`"))?;
    run_steps(&STEPS[position..=position])
}

fn run_steps(steps: &[Step]) -> Result<()> {
    let start = Instant::now();
    let mut passed = Vec::new();
    let mut failed = None;
    for (number, step) in steps.iter().enumerate() {
        println!("\n=== {}/{} {}: {}", number + 1, steps.len(), step.name, step.title);
        let begun = Instant::now();
        let outcome = tools::ensure(step.needs).and_then(|()| (step.run)());
        let elapsed = begun.elapsed();
        match outcome {
            Ok(()) => {
                println!("=== {} passed in {}", step.name, seconds(elapsed));
                passed.push((step, elapsed));
            }
            Err(error) => {
                println!("=== {} FAILED in {}: {error:#}", step.name, seconds(elapsed));
                failed = Some((step, elapsed));
                break;
            }
        }
    }
    let skipped = &steps[passed.len() + usize::from(failed.is_some())..];
    println!("\n=== summary, {} in all", seconds(start.elapsed()));
    for (step, elapsed) in &passed {
        println!("passed   {:<10} {:>9}", step.name, seconds(*elapsed));
    }
    if let Some((step, elapsed)) = &failed {
        println!("FAILED   {:<10} {:>9}", step.name, seconds(*elapsed));
    }
    for step in skipped {
        println!("not run  {}", step.name);
    }
    println!("{}", closing_line(passed.len(), failed.is_some(), skipped.len()));
    match failed {
        Some((step, _)) => bail!("step {0} failed; repeat it with `cargo xtask test --only {0}`", step.name),
        None => Ok(()),
    }
}

/// The last line, in a form that programs read too.
fn closing_line(passed: usize, failed: bool, skipped: usize) -> String {
    let counts = format!("{passed} passed, {} failed", u8::from(failed));
    match skipped {
        0 => counts,
        _ => format!("{counts}, {skipped} skipped"),
    }
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    static REACHED: AtomicBool = AtomicBool::new(false);

    fn step(name: &'static str, run: fn() -> Result<()>) -> Step {
        Step { name, title: "", needs: &[], run }
    }

    #[test]
    fn a_failing_step_stops_the_rest_and_is_named() {
        let steps = [
            step("first", || Ok(())),
            step("second", || bail!("no")),
            step("third", || {
                REACHED.store(true, Ordering::Relaxed);
                Ok(())
            }),
        ];
        let error = run_steps(&steps).unwrap_err().to_string();
        assert!(error.starts_with("step second failed"), "{error}");
        assert!(!REACHED.load(Ordering::Relaxed));
        assert!(run_steps(&steps[..1]).is_ok());
    }

    #[test]
    fn the_closing_line_counts() {
        assert_eq!(closing_line(11, false, 0), "11 passed, 0 failed");
        assert_eq!(closing_line(3, true, 7), "3 passed, 1 failed, 7 skipped");
    }

    #[test]
    fn step_names_are_unique() {
        for (number, step) in STEPS.iter().enumerate() {
            let mut others = STEPS[number + 1..].iter();
            assert!(others.all(|other| other.name != step.name), "{}", step.name);
        }
    }
}
