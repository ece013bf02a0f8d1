//! The server under both services: a listener, limits, an access log, background work, and an orderly end.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use specie_api::problem;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::reply::{Answer, Refusal};

/// How long a request may take until it is answered.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// How long requests under way may take when the service is to stop.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// Work that is done again and again while the service runs. It must be harmless to end it anywhere.
pub struct Background {
    /// What the log calls it.
    pub name: &'static str,
    /// The pause between two runs.
    pub pause: Duration,
    /// One run; what it returns goes to the log.
    pub run: Box<dyn FnMut() -> Option<String> + Send>,
}

/// How often a service signs a head of its audit log, besides at its start.
const HEAD_PAUSE: Duration = Duration::from_secs(86_400);

/// A head of the audit log now and every day.
pub(crate) fn daily_head(run: impl FnMut() -> Option<String> + Send + 'static) -> Background {
    Background { name: "audit", pause: HEAD_PAUSE, run: Box::new(run) }
}

/// Why a service does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another address, or 0 as port for any free one")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// There are no threads to be had.
    #[error("cannot start threads: {0}")]
    Threads(#[source] io::Error),
}

/// A service that runs. Dropped without [`Service::stop`], it ends at once, as in a crash: what was committed stays.
pub struct Service {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<io::Result<()>>,
    runtime: Option<Runtime>,
}

impl Service {
    /// Serves `routes` on `address` (port 0 for any free one), doing `background` work beside.
    ///
    /// # Errors
    /// When the address is taken.
    pub fn start(routes: Router, address: SocketAddr, background: Vec<Background>) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(StartError::Threads)?;
        let listening = runtime.block_on(TcpListener::bind(address));
        let listener = listening.map_err(|source| StartError::Listen { address, source })?;
        let address = listener.local_addr().map_err(|source| StartError::Listen { address, source })?;
        let (stop, stopped) = watch::channel(false);
        for work in background {
            runtime.spawn(repeat(work, stopped.clone()));
        }
        let stopping = wait(stopped);
        let serve = axum::serve(listener, around(routes)).with_graceful_shutdown(stopping);
        let server = runtime.spawn(async move { serve.await });
        Ok(Self { address, stop, server, runtime: Some(runtime) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the process is told to end (SIGINT, SIGTERM), then ends in order.
    pub fn run_until_signal(self) {
        if let Some(runtime) = &self.runtime {
            runtime.block_on(signal());
        }
        self.stop();
    }

    /// Ends in order: no new connections, and what is under way is answered, within [`STOP_TIMEOUT`].
    pub fn stop(mut self) {
        self.stop.send_replace(true);
        let Some(runtime) = self.runtime.take() else { return };
        let server = &mut self.server;
        runtime.block_on(async { drop(tokio::time::timeout(STOP_TIMEOUT, server).await) });
        runtime.shutdown_timeout(STOP_TIMEOUT);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What both services have around their routes: health, problems for unknown paths and methods, a limit of time, the log.
fn around(routes: Router) -> Router {
    routes
        .route("/healthz", get(health))
        .fallback(|| async { Refusal::new(&problem::NOT_FOUND, "nothing is served under this path") })
        .method_not_allowed_fallback(|| async { Refusal::new(&problem::METHOD, "this path takes another method") })
        .layer(middleware::from_fn(limit))
        .layer(middleware::from_fn(log))
}

/// The process answers.
async fn health() -> Answer<serde_json::Value> {
    Answer(serde_json::json!({ "healthy": true }))
}

async fn limit(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::new(&problem::TIMEOUT, "the request took too long").into_response(),
    }
}

/// One line for each request: method, route, status, time. No names, no keys, no amounts, no addresses.
async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("-", |path| path.as_str()).to_owned();
    let start = Instant::now();
    let response = next.run(request).await;
    note(format_args!("{method} {route} {} {}ms", response.status().as_u16(), start.elapsed().as_millis()));
    response
}

async fn repeat(work: Background, mut stopped: watch::Receiver<bool>) {
    let Background { name, pause, mut run } = work;
    while !*stopped.borrow() {
        let (said, again) = match tokio::task::spawn_blocking(move || (run(), run)).await {
            Ok(done) => done,
            Err(panic) => {
                note(format_args!("error: {name} ended: {panic}"));
                return;
            }
        };
        run = again;
        if let Some(said) = said {
            note(format_args!("{name}: {said}"));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopped.changed() => {}
        }
    }
}

/// Writes one line to the log, which is standard error. A service does not die of a log that nobody reads.
pub(crate) fn note(line: fmt::Arguments<'_>) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, and the service with it.
    drop(stopped.wait_for(|stopped| *stopped).await);
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = signal(SignalKind::terminate());
    match terminate {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn signal() {
    drop(tokio::signal::ctrl_c().await);
}
