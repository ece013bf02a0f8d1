//! How a service is served: settings that banks and PSPs have in common.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::admission::Bounds;
use crate::connection::Connections;
use crate::log::LogFormat;

/// The table `[serving]` of a configuration. What is not said is as in [`ServingConfig::default`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServingConfig {
    /// Where metrics are served, for operators only; nowhere without it. Port 0 for any free one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_address: Option<SocketAddr>,
    /// How the log is written.
    pub log: LogFormat,
    /// The most requests that are worked on at once.
    pub requests_at_work: NonZeroU32,
    /// The most requests that wait, of one PSP at a bank, of one address at a PSP.
    pub queued_per_client: usize,
    /// The most requests that wait, of all together.
    pub queued: usize,
    /// How long a request may wait, in seconds; after that it is not worked on.
    pub queue_seconds: NonZeroU32,
    /// The most requests of one PSP in a second, on average; any number without it. For banks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<NonZeroU32>,
    /// The most connections.
    pub connections: NonZeroU32,
    /// The most connections from one address; without it one may have all. Behind a proxy all come from its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections_per_address: Option<NonZeroU32>,
    /// How long the head of a request may take, and how long a connection may be idle, in seconds.
    pub header_seconds: NonZeroU32,
    /// How long the body of a request may take, and the taking of a part of an answer, in seconds.
    pub body_seconds: NonZeroU32,
    /// The most memory for bodies, in MiB.
    pub bodies_mib: NonZeroU32,
}

impl Default for ServingConfig {
    fn default() -> Self {
        Self {
            metrics_address: None,
            log: LogFormat::Text,
            requests_at_work: number(64),
            queued_per_client: 256,
            queued: 1_024,
            queue_seconds: number(10),
            requests_per_second: None,
            connections: number(1_024),
            connections_per_address: None,
            header_seconds: number(20),
            body_seconds: number(20),
            bodies_mib: number(256),
        }
    }
}

impl ServingConfig {
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            at_work: self.requests_at_work.get() as usize,
            queued_per_client: self.queued_per_client,
            queued: self.queued,
            patience: seconds(self.queue_seconds),
            rate: self.requests_per_second.map(|rate| f64::from(rate.get())),
        }
    }

    pub(crate) fn connections(&self) -> Connections {
        Connections {
            most: self.connections.get() as usize,
            most_per_address: self.connections_per_address.map(|most| most.get() as usize),
            header: seconds(self.header_seconds),
            write: seconds(self.body_seconds),
        }
    }

    pub(crate) fn body_time(&self) -> Duration {
        seconds(self.body_seconds)
    }

    /// In bytes.
    pub(crate) fn memory(&self) -> usize {
        (self.bodies_mib.get() as usize).saturating_mul(1 << 20).min(tokio::sync::Semaphore::MAX_PERMITS)
    }
}

fn seconds(number: NonZeroU32) -> Duration {
    Duration::from_secs(number.get().into())
}

/// `value`, which is not 0.
const fn number(value: u32) -> NonZeroU32 {
    match NonZeroU32::new(value) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}
