//! What can be typed.

use clap::{Parser, Subcommand};

use crate::answer::Answer;
use crate::audit::Audit;
use crate::bank::Bank;
use crate::completions::Completions;
use crate::demo::Demo;
use crate::device::Device;
use crate::element::Element;
use crate::failure::Failure;
use crate::inspect::Inspect;
use crate::load::Load;
use crate::maker::Maker;
use crate::psp::Psp;
use crate::supervision::Supervision;
use crate::terminal::Terminal;
use crate::vectors::Vectors;

/// Cash that a device can pay, pass on and redeem with no network.
#[derive(Parser, Debug)]
#[command(name = "specie", version, max_term_width = 110)]
#[command(after_help = "Exit status: 0 done, 1 refused or a verdict that does not hold, 2 called wrongly.")]
pub(crate) struct Arguments {
    /// Print one JSON document on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Demo(Demo),
    Device(Device),
    Terminal(Terminal),
    Bank(Bank),
    Psp(Psp),
    Maker(Maker),
    Supervision(Supervision),
    Audit(Audit),
    Inspect(Inspect),
    Vectors(Vectors),
    Load(Load),
    Completions(Completions),
    #[command(hide = true)]
    Element(Element),
}

impl Arguments {
    /// Does what was asked.
    pub(crate) fn run(&self) -> Result<Answer, Failure> {
        match &self.command {
            Command::Demo(demo) => demo.run(self.json),
            Command::Device(device) => device.run(self.json),
            Command::Terminal(terminal) => terminal.run(self.json),
            Command::Bank(bank) => bank.run(self.json),
            Command::Psp(psp) => psp.run(self.json),
            Command::Maker(maker) => maker.run(),
            Command::Supervision(supervision) => supervision.run(),
            Command::Audit(audit) => audit.run(),
            Command::Inspect(inspect) => inspect.run(),
            Command::Vectors(vectors) => vectors.run(),
            Command::Load(load) => load.run(),
            Command::Completions(completions) => completions.run(),
            Command::Element(element) => element.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    /// Whoever reads the help of a command finds out what to type.
    #[test]
    fn every_command_has_examples_in_its_help() {
        let mut missing = Vec::new();
        visit(&Arguments::command(), &mut missing);
        assert!(missing.is_empty(), "no examples in the help of {missing:?}");
    }

    /// Prose is wrapped where the terminal ends, not where the source does: a line of it is a paragraph.
    #[test]
    fn prose_in_the_help_is_not_broken_by_hand() {
        let mut broken = Vec::new();
        prose(&Arguments::command(), &mut broken);
        assert!(broken.is_empty(), "{broken:#?}");
    }

    fn prose(command: &clap::Command, broken: &mut Vec<String>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().filter(|line| !line.is_empty() && !line.starts_with(' ') && !line.ends_with(':'));
        broken.extend(lines.filter(|line| !line.ends_with('.')).map(str::to_owned));
        command.get_subcommands().for_each(|inner| prose(inner, broken));
    }

    fn visit(command: &clap::Command, missing: &mut Vec<String>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let help = inner.get_after_help().map(ToString::to_string).unwrap_or_default();
            let leaf = inner.get_subcommands().next().is_none();
            if leaf && !help.contains("EXAMPLE") {
                missing.push(inner.get_name().to_owned());
            }
            visit(inner, missing);
        }
    }
}
