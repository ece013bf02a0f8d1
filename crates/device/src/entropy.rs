//! Randomness from the operating system.

use thiserror::Error;

/// The operating system gave no randomness; nothing was done.
#[derive(Debug, Error)]
#[error("the operating system gives no randomness ({0}); nothing was done")]
pub struct EntropyError(#[from] getrandom::Error);

/// `N` secret random bytes.
///
/// # Errors
/// The operating system gives none.
pub fn bytes<const N: usize>() -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
