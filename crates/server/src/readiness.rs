//! Whether a service can do its work: each part that it needs is asked, in bounded time and without a write.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use serde_json::{Value, json};
use specie_api::problem;
use tokio::sync::{Semaphore, watch};

use crate::log;
use crate::reply::{Answer, Refusal, Reply};

/// How long the parts may take to answer, all together.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A part that a service cannot do without.
#[derive(Clone)]
pub struct Probe {
    part: &'static str,
    ask: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
    /// One thread at most asks it: what does not answer must not hold a thread for each time that it is asked.
    turn: Arc<Semaphore>,
}

/// All parts.
#[derive(Clone)]
pub(crate) struct Readiness {
    pub(crate) probes: Arc<[Probe]>,
    pub(crate) stopped: watch::Receiver<bool>,
    pub(crate) patience: Duration,
}

impl Probe {
    /// The part of this name; `ask` may block, changes nothing, and gives the reason why it is not ready.
    pub fn new(part: &'static str, ask: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self { part, ask: Arc::new(ask), turn: Arc::new(Semaphore::new(1)) }
    }

    async fn check(&self) -> Result<(), String> {
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|error| error.to_string())?;
        let ask = Arc::clone(&self.ask);
        let asked = tokio::task::spawn_blocking(move || {
            let answer = ask();
            drop(turn);
            answer
        });
        asked.await.unwrap_or_else(|panic| Err(panic.to_string()))
    }
}

impl Readiness {
    async fn check(&self) -> Reply<Value> {
        if *self.stopped.borrow() {
            return Err(not_ready("the service is stopping"));
        }
        let end = tokio::time::Instant::now() + self.patience;
        for probe in self.probes.iter() {
            let answer = tokio::time::timeout_at(end, probe.check()).await;
            // The reason may name hosts and files: it is for the log.
            if let Err(reason) = answer.unwrap_or_else(|_| Err("no answer in time".into())) {
                log::error(format_args!("not ready: {}: {reason}", probe.part));
                return Err(not_ready(format!("the {} does not answer", probe.part)));
            }
        }
        Ok(Answer(json!({ "ready": true })))
    }
}

/// Every part answers, and the service is not stopping.
pub(crate) async fn ready(State(readiness): State<Readiness>) -> Reply<Value> {
    readiness.check().await
}

fn not_ready(detail: impl Into<String>) -> Refusal {
    Refusal::new(&problem::NOT_READY, detail)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::sync::{Mutex, PoisonError};

    use super::*;

    fn readiness(probes: Vec<Probe>) -> (watch::Sender<bool>, Readiness) {
        let (stop, stopped) = watch::channel(false);
        (stop, Readiness { probes: probes.into(), stopped, patience: Duration::from_millis(50) })
    }

    fn check(readiness: &Readiness) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let checked = runtime.block_on(readiness.check());
        runtime.shutdown_background();
        checked.map(drop).map_err(|refusal| {
            assert_eq!((refusal.0.status, refusal.0.code.as_str()), (503, "not-ready"));
            refusal.0.detail
        })
    }

    #[test]
    fn every_part_must_answer_and_the_one_that_does_not_is_named() {
        let (stop, all) = readiness(vec![Probe::new("database", || Ok(())), Probe::new("signer", || Ok(()))]);
        assert_eq!(check(&all), Ok(()));
        stop.send_replace(true);
        assert!(check(&all).unwrap_err().contains("stopping"));
        let secret = || Err("postgres://10.0.0.1".to_owned());
        let (_stop, failing) = readiness(vec![Probe::new("database", || Ok(())), Probe::new("signer", secret)]);
        let said = check(&failing).unwrap_err();
        assert!(said.contains("signer") && !said.contains("10.0.0.1"), "{said}");
        let (_stop, panicking) = readiness(vec![Probe::new("database", || panic!("at the database"))]);
        assert!(check(&panicking).unwrap_err().contains("database"));
    }

    #[test]
    fn a_part_that_hangs_is_not_waited_for_and_holds_one_thread() {
        let (release, held) = mpsc::channel::<()>();
        let (held, asked) = (Mutex::new(held), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        let hangs = move || {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = held.lock().unwrap_or_else(PoisonError::into_inner).recv();
            Ok(())
        };
        let (_stop, readiness) = readiness(vec![Probe::new("database", hangs)]);
        for _ in 0..3 {
            assert!(check(&readiness).unwrap_err().contains("database"));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        drop(release);
    }
}
