//! `specie completions`: scripts that complete this program's commands in a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use crate::answer::Answer;
use crate::arguments::Arguments;
use crate::failure::Failure;

/// Print the completion script of a shell.
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie completions bash > ~/.local/share/bash-completion/completions/specie
  specie completions fish > ~/.config/fish/completions/specie.fish")]
pub(crate) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<Answer, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "specie", &mut script);
        let script = String::from_utf8(script).expect("completion scripts are text");
        let machine = json!({ "shell": self.shell.to_string(), "script": script });
        Ok(Answer::new(script, machine))
    }
}
