//! The element's own process: commands in, answers out, until the input ends.

use std::io::{self, Read, Write};

use super::frame;

/// Answers commands from `input` on `output` with `answer` until the input ends.
///
/// # Errors
/// The streams fail, or the input ends within a command.
pub(super) fn serve(
    mut input: impl Read,
    mut output: impl Write,
    mut answer: impl FnMut(&[u8], &mut Vec<u8>),
) -> io::Result<()> {
    let mut response = Vec::new();
    while let Some(mut command) = frame::read(&mut input)? {
        response.clear();
        answer(&command, &mut response);
        zeroize::Zeroize::zeroize(&mut command[..]);
        frame::write(&mut output, &response)?;
    }
    Ok(())
}
