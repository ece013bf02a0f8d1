//! The `specie` program: reads what was typed, has it done, prints what came of it.

mod answer;
mod arguments;
mod audit;
mod backup;
mod bank;
mod by;
mod claims;
mod completions;
mod demo;
mod device;
mod element;
mod failure;
mod inspect;
mod load;
mod maker;
mod moment;
mod money;
mod printable;
mod progress;
mod psp;
mod serving;
mod settings;
mod stage;
mod supervision;
mod terminal;
mod vectors;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = match arguments::Arguments::try_parse() {
        Ok(arguments) => arguments,
        // What was typed makes no sense as a whole; whether a machine asks can be seen all the same.
        Err(error) => return failure::report_usage(&error, std::env::args_os().any(|word| word == "--json")),
    };
    match arguments.run() {
        // When nobody reads the answer, the work is done all the same.
        Ok(answer) => answer.print(arguments.json).map_or(ExitCode::FAILURE, |()| answer.exit_code()),
        Err(failure) => failure.report(arguments.json),
    }
}
