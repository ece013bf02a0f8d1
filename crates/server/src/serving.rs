//! How a service is served: settings that banks and PSPs have in common.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::log::LogFormat;

/// The table `[serving]` of a configuration. What is not said is as in [`ServingConfig::default`].
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServingConfig {
    /// Where metrics are served, for operators only; nowhere without it. Port 0 for any free one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_address: Option<SocketAddr>,
    /// How the log is written.
    pub log: LogFormat,
}
