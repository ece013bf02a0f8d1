//! The server under both services: a listener, limits, an access log, background work, and an orderly end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use specie_api::problem;
use specie_core::text::Name;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::admission::Admission;
use crate::call::Call;
use crate::connection;
use crate::edge::{Edge, Identify, admit};
use crate::log::{self, Answered, REQUEST_HEADER, RequestId};
use crate::metrics::{MEDIA_TYPE, Metrics, Reading};
use crate::readiness::{PATIENCE, Probe, Readiness, ready};
use crate::reply::{Answer, Refusal, negotiate};
use crate::serving::ServingConfig;

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
    pub run: Box<dyn FnMut() -> Run + Send>,
}

/// What one run of background work has to say, or why it failed.
pub type Run = Result<Option<String>, String>;

/// What is served, and what is done beside.
pub struct Serving {
    routes: Router,
    config: ServingConfig,
    background: Vec<Background>,
    probes: Vec<Probe>,
    identify: Option<Identify>,
    metrics: Metrics,
}

/// How often a service signs a head of its audit log, besides at its start.
const HEAD_PAUSE: Duration = Duration::from_secs(86_400);

/// A head of the audit log now and every day.
pub(crate) fn daily_head(run: impl FnMut() -> Run + Send + 'static) -> Background {
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
    metrics_address: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    runtime: Option<Runtime>,
}

impl Service {
    /// Serves on `address` (port 0 for any free one), doing background work beside.
    ///
    /// # Errors
    /// When an address is taken.
    pub fn start(serving: Serving, address: SocketAddr) -> Result<Self, StartError> {
        let Serving { routes, config, background, probes, identify, mut metrics } = serving;
        log::write_as(config.log);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(StartError::Threads)?;
        let (listener, address) = runtime.block_on(listen(address))?;
        let for_operators = config.metrics_address.map(|address| runtime.block_on(listen(address))).transpose()?;
        let (stop, stopped) = watch::channel(false);
        let admission = Admission::new(config.bounds());
        metrics.read({
            let admission = Arc::clone(&admission);
            move || admission.readings()
        });
        let metrics = Arc::new(metrics);
        let edge = Edge::new(admission, identify, config.memory(), config.body_time(), Arc::clone(&metrics));
        for work in background {
            runtime.spawn(repeat(work, Arc::clone(&metrics), stopped.clone()));
        }
        let readiness = Readiness { probes: probes.into(), stopped: stopped.clone(), patience: PATIENCE };
        let app = around(routes, readiness, edge, Arc::clone(&metrics));
        let server = runtime.spawn(connection::serve(listener, app, config.connections(), wait(stopped)));
        let metrics_address = for_operators.map(|(listener, address)| {
            // To the very end: it shows how a service stops.
            runtime.spawn(async move { axum::serve(listener, operators(metrics)).await });
            address
        });
        Ok(Self { address, metrics_address, stop, server, runtime: Some(runtime) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it serves metrics, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
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

impl Serving {
    /// These routes, and nothing beside.
    pub fn new(routes: Router) -> Self {
        let (background, probes, identify) = (Vec::new(), Vec::new(), None);
        Self { routes, config: ServingConfig::default(), background, probes, identify, metrics: Metrics::new() }
    }

    /// The same as `config` says.
    #[must_use]
    pub fn with(self, config: ServingConfig) -> Self {
        Self { config, ..self }
    }

    /// The same with this work beside.
    #[must_use]
    pub fn doing(mut self, work: Background) -> Self {
        self.background.push(work);
        self
    }

    /// The same, with a queue for each PSP that `identify` says signed a request, in place of one for each address.
    #[must_use]
    pub(crate) fn knowing(mut self, identify: impl Fn(&Call) -> Option<Name> + Send + Sync + 'static) -> Self {
        self.identify = Some(Arc::new(identify));
        self
    }

    /// The same, ready only when this part is.
    #[must_use]
    pub fn needing(mut self, part: Probe) -> Self {
        self.probes.push(part);
        self
    }

    /// The same, with these readings among its metrics; `read` may not wait for anything.
    #[must_use]
    pub fn showing(mut self, read: impl Fn() -> Vec<Reading> + Send + Sync + 'static) -> Self {
        self.metrics.read(read);
        self
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// What both services have around their routes: health, problems for unknown paths and methods, a limit of time, counts and the log.
fn around(routes: Router, readiness: Readiness, edge: Edge, metrics: Arc<Metrics>) -> Router {
    routes
        .route("/readyz", get(ready).with_state(readiness))
        .route("/healthz", get(health))
        .fallback(|| async { Refusal::new(&problem::NOT_FOUND, "nothing is served under this path") })
        .method_not_allowed_fallback(|| async { Refusal::new(&problem::METHOD, "this path takes another method") })
        .layer(middleware::from_fn(negotiate))
        .layer(middleware::from_fn_with_state(edge, admit))
        .layer(middleware::from_fn(limit))
        .layer(middleware::from_fn_with_state(metrics, account))
}

/// What is served to operators, on an address of its own.
fn operators(metrics: Arc<Metrics>) -> Router {
    let scrape = || async move {
        let text = metrics.scrape().map_err(Refusal::internal)?;
        Ok::<_, Refusal>(([(header::CONTENT_TYPE, MEDIA_TYPE)], text))
    };
    Router::new().route("/metrics", get(scrape))
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

/// Names each request, counts it, and writes a line about it: method, route, status, time.
async fn account(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("-", |path| path.as_str()).to_owned();
    let (id, start) = (RequestId::draw(), Instant::now());
    let in_flight = InFlight::new(&metrics);
    let mut response = id.answer(next.run(request)).await;
    drop(in_flight);
    let (status, time) = (response.status().as_u16(), start.elapsed());
    metrics.answered(method.as_str(), &route, status, time);
    log::answered(&Answered { id, method: method.as_str(), route: &route, status, time });
    response.headers_mut().insert(REQUEST_HEADER, id.header());
    response
}

/// Counted until it is dropped: by whoever hangs up, too.
struct InFlight<'m>(&'m Metrics);

impl<'m> InFlight<'m> {
    fn new(metrics: &'m Metrics) -> Self {
        metrics.in_flight.inc();
        Self(metrics)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.dec();
    }
}

async fn repeat(work: Background, metrics: Arc<Metrics>, mut stopped: watch::Receiver<bool>) {
    let Background { name, pause, mut run } = work;
    while !*stopped.borrow() {
        let (said, again) = match tokio::task::spawn_blocking(move || (run(), run)).await {
            Ok(done) => done,
            Err(panic) => {
                metrics.ran(name, true);
                log::error(format_args!("{name} ended: {panic}"));
                return;
            }
        };
        run = again;
        metrics.ran(name, said.is_err());
        match said {
            Ok(None) => {}
            Ok(Some(said)) => log::note(format_args!("{name}: {said}")),
            Err(reason) => log::error(format_args!("{name}: {reason}")),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopped.changed() => {}
        }
    }
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
