//! Running other programs: visible, without standard input, quiet when nobody watches.

use std::{
    env,
    ffi::OsString,
    io::ErrorKind,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// The cargo that started this program, so that every step uses the same toolchain.
pub(crate) fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The compiler that goes with [`cargo_program`].
pub(crate) fn rustc_program() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// A cargo command.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_program());
    command.args(arguments);
    command
}

/// Runs a command to its end, showing the command and all it prints.
///
/// # Errors
/// Says which command failed and how: not found, exit status or signal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = display(command);
    println!("$ {shown}");
    if env::var_os("CI").is_some_and(|value| value != "false") {
        command
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .env("NEXTEST_HIDE_PROGRESS_BAR", "1")
            .env("NO_COLOR", "1")
            // rustfmt heeds none of the others.
            .env("TERM", "dumb");
    }
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("`{shown}` could not be started"))?;
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}

/// Whether a command can be started and succeeds; what it prints is thrown away.
pub(crate) fn succeeds(program: impl Into<OsString>, arguments: &[&str]) -> bool {
    Command::new(program.into())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a command prints, trimmed, or `None` if it cannot be started or fails.
pub(crate) fn output_of(program: impl Into<OsString>, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program.into()).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Whether a program of this name can be started at all.
pub(crate) fn exists(program: &str) -> bool {
    match Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
    {
        Ok(_) => true,
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

/// The command as one would type it, cargo by its plain name.
fn display(command: &Command) -> String {
    let program = if command.get_program() == cargo_program() {
        "cargo".into()
    } else {
        command.get_program().to_string_lossy().into_owned()
    };
    let mut words = vec![program];
    words.extend(command.get_args().map(|argument| {
        let word = argument.to_string_lossy();
        if word.contains([' ', '(', ')', '*']) { format!("'{word}'") } else { word.into_owned() }
    }));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_named_with_its_status() {
        let error = run(Command::new("false").arg("a b")).unwrap_err();
        assert!(error.to_string().starts_with("`false 'a b'` failed"));
    }

    #[test]
    fn a_missing_program_is_told_from_a_failing_one() {
        assert!(exists("false"));
        assert!(!exists("no-such-program-by-this-name"));
        assert!(!succeeds("no-such-program-by-this-name", &[]));
        assert_eq!(output_of("false", &[]), None);
    }
}
