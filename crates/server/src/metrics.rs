//! What a service counts, for Prometheus. No label names a person, a device, a key, or an amount that is somebody's.

mod audit;
mod database;
mod reading;

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub(crate) use self::audit::audit_size;
pub(crate) use self::database::database;
pub use self::reading::Reading;
use self::reading::Readings;

/// The media type of what is scraped.
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper ends of the buckets of durations, in seconds.
const BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// All counts of one service.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    /// Requests that were not answered yet.
    pub(crate) in_flight: Gauge,
    runs: Family<Work, Counter>,
    failures: Family<Work, Counter>,
    shed: Family<Reason, Counter>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Work {
    work: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

impl Metrics {
    /// Nothing is counted yet.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("specie");
        let (requests, in_flight) = (Family::default(), Gauge::default());
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let (runs, failures, shed) = (Family::default(), Family::default(), Family::default());
        registry.register("requests", "Requests that were answered", requests.clone());
        registry.register("request_seconds", "Time from a request to its answer", durations.clone());
        registry.register("requests_in_flight", "Requests that were not answered yet", in_flight.clone());
        registry.register("background_runs", "Runs of background work", runs.clone());
        registry.register("background_failures", "Runs of background work that failed", failures.clone());
        registry.register("requests_shed", "Requests that were not worked on, by why", shed.clone());
        Self { registry, requests, durations, in_flight, runs, failures, shed }
    }

    /// Has `read` asked at each scrape: it may not wait for anything.
    pub(crate) fn read(&mut self, read: impl Fn() -> Vec<Reading> + Send + Sync + 'static) {
        self.registry.register_collector(Box::new(Readings(Box::new(read))));
    }

    /// A request for `route` was answered.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, time: Duration) {
        let method = match method {
            "GET" => "GET",
            "POST" => "POST",
            // Anybody may send any.
            _ => "other",
        };
        let request = Request { method, route: route.to_owned(), status: class_of(status) };
        self.requests.get_or_create(&request).inc();
        self.durations.get_or_create(&Route { route: route.to_owned() }).observe(time.as_secs_f64());
    }

    /// A request was not worked on.
    pub(crate) fn shed(&self, reason: &'static str) {
        self.shed.get_or_create(&Reason { reason }).inc();
    }

    /// Background work ran.
    pub(crate) fn ran(&self, work: &'static str, failed: bool) {
        self.runs.get_or_create(&Work { work }).inc();
        self.failures.get_or_create(&Work { work }).inc_by(u64::from(failed));
    }

    /// All of it, as Prometheus reads it.
    pub(crate) fn scrape(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

const fn class_of(status: u16) -> &'static str {
    match status / 100 {
        2 => "2xx",
        4 => "4xx",
        5 => "5xx",
        _ => "other",
    }
}
