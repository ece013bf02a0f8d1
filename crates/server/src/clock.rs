//! The time of a service, and its randomness: the only places where either comes from outside.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use specie_core::Timestamp;

/// Tells a service what time it is.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

/// The operating system gives no random bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoEntropy;

impl Clock {
    /// The clock of the operating system.
    pub fn system() -> Self {
        Self::new(|| {
            let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            Timestamp::new(seconds).unwrap_or_default()
        })
    }

    /// A clock that shows what `now` says.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// 32 random bytes from the operating system.
///
/// # Errors
/// When it has none.
pub fn random_seed() -> Result<[u8; 32], NoEntropy> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| NoEntropy)?;
    Ok(seed)
}
