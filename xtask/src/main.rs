//! The project's own checks: what continuous integration runs, in one command.

mod bench;
mod boards;
mod capi;
mod command;
mod figures;
mod freestanding;
mod interfaces;
mod metadata;
mod rules;
mod source;
mod steps;
mod suites;
mod supply;
mod tools;
mod tree;

use std::{env, process::ExitCode};

use anyhow::{Result, bail};

const HELP: &str = "\
The project's own checks.

Usage:
  cargo xtask test                everything continuous integration runs
  cargo xtask test --only STEP    one step of it
  cargo xtask rules               the architecture rules
  cargo xtask bench               the benchmarks, every crate that has any
  cargo xtask figures             what the firmware costs on emulated boards, measured and written down
  cargo xtask figures --check     the same, compared with what is written down
  cargo xtask header              the C library's header, made anew of its sources
  cargo xtask openapi             the descriptions of the services' interfaces, made anew of their routes
  cargo xtask --help              this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] | ["help" | "-h" | "--help"] | [_, "-h" | "--help"] => {
            println!("{HELP}\nSteps of `test`, in order:");
            for step in steps::STEPS {
                println!("  {:<10} {}", step.name, step.title);
            }
            Ok(())
        }
        ["test"] => steps::run_all(),
        ["test", "--only", name] => steps::run_one(name),
        ["rules"] => rules::run(),
        ["bench"] => bench::run(),
        ["figures"] => figures::write(),
        ["figures", "--check"] => figures::check(),
        ["header"] => capi::write_header(),
        ["openapi"] => interfaces::write(),
        _ => bail!("`{}` is no command; see `cargo xtask --help`", words.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str]) -> Result<()> {
        let arguments: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        dispatch(&arguments)
    }

    #[test]
    fn help_is_no_failure() {
        for words in [&[][..], &["--help"], &["test", "--help"]] {
            assert!(run(words).is_ok());
        }
    }

    #[test]
    fn rejects_what_it_does_not_know() {
        for words in [&["tset"][..], &["test", "fmt"], &["test", "--only"], &["test", "--only", "nothing"]] {
            assert!(run(words).is_err(), "{words:?}");
        }
    }
}
