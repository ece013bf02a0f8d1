//! How long the audit log is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Reading;
use crate::service::Background;

/// The pause between two looks: a scrape waits for no database.
const PAUSE: Duration = Duration::from_secs(60);

/// The work that looks by `look`, and what it saw last.
pub(crate) fn audit_size(
    mut look: impl FnMut() -> Result<u64, String> + Send + 'static,
) -> (Background, impl Fn() -> Vec<Reading> + Send + Sync) {
    let seen = Arc::<AtomicU64>::default();
    let kept = Arc::clone(&seen);
    let run = Box::new(move || {
        kept.store(look()?, Ordering::Relaxed);
        Ok(None)
    });
    let reading = move || {
        let records = seen.load(Ordering::Relaxed);
        vec![Reading::gauge("audit_records", "Records in the audit log").is(&[], records as f64)]
    };
    (Background { name: "audit-size", pause: PAUSE, run }, reading)
}
