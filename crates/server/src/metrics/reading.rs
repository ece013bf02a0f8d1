//! What is read elsewhere at each scrape.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder};
use prometheus_client::metrics::MetricType;

/// One metric as it is now. Sums beyond 2⁵³ lose their last digits, as all of Prometheus' numbers do.
pub struct Reading {
    name: &'static str,
    help: &'static str,
    grows: bool,
    lines: Vec<(Labels, f64)>,
}

type Labels = Vec<(&'static str, String)>;

/// Where readings come from.
pub(super) struct Readings(pub(super) Box<dyn Fn() -> Vec<Reading> + Send + Sync>);

impl Reading {
    /// What only grows.
    pub(crate) const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, grows: true, lines: Vec::new() }
    }

    /// What rises and falls.
    pub(crate) const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, grows: false, lines: Vec::new() }
    }

    /// With a value.
    pub(crate) fn is(self, labels: &[(&'static str, &str)], value: f64) -> Self {
        let mut reading = self;
        reading.lines.push((labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(), value));
        reading
    }
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for Reading { name, help, grows, lines } in (self.0)() {
            let kind = if grows { MetricType::Counter } else { MetricType::Gauge };
            let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
            for (labels, value) in &lines {
                // Braces with nothing in them would be another name.
                if labels.is_empty() {
                    encode(&mut metric, grows, *value)?;
                } else {
                    encode(&mut metric.encode_family(labels)?, grows, *value)?;
                }
            }
        }
        Ok(())
    }
}

fn encode(metric: &mut MetricEncoder<'_>, grows: bool, value: f64) -> Result<(), fmt::Error> {
    if grows { metric.encode_counter::<[(&str, &str); 0], f64, f64>(&value, None) } else { metric.encode_gauge(&value) }
}

impl fmt::Debug for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readings")
    }
}
