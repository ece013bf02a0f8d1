//! Runs a command while a PostgreSQL is there for it.

use std::env;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use specie_testbed::{Server, Settings, VARIABLE};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut words = env::args_os().skip(1).peekable();
    // Benchmarks measure commits that wait for the disk.
    let durable = words.next_if(|word| word == "--durable").is_some();
    let Some(program) = words.next() else {
        bail!(
            "usage: specie-testbed [--durable] COMMAND [ARGUMENT...]: runs it with {VARIABLE} naming a PostgreSQL of its own"
        );
    };
    let server = Server::start(&Settings { durable })?;
    let status = Command::new(&program).args(words).env(VARIABLE, server.url()).status();
    let status = status.with_context(|| format!("cannot start {}", program.display()))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
