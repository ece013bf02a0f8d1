//! What is measured: calls of wallets by the clock on the wall, servers by the processor time that the system counts for them.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use curve25519_dalek::{RistrettoPoint, Scalar};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use super::micros;

/// How many multiplications are measured together.
const MULTIPLICATIONS: u32 = 4_096;

/// One request of a wallet, with everything that it takes.
pub(super) struct Call {
    pub(super) elapsed: Duration,
    /// How many notes or coins it was about.
    pub(super) items: usize,
}

/// Both servers while something is measured.
pub(super) struct Watch {
    begun: Instant,
    bank: Spent,
    psp: Spent,
}

/// A process, and the processor time that it had taken; none where the system does not tell.
struct Spent {
    process: u32,
    before: Option<Duration>,
}

/// What was measured of many calls at once.
pub(super) struct Measured {
    name: &'static str,
    unit: &'static str,
    /// In order, shortest first.
    latencies: Vec<Duration>,
    items: usize,
    elapsed: Duration,
    bank: Option<Duration>,
    psp: Option<Duration>,
}

impl Spent {
    fn begin(process: u32) -> Self {
        Self { process, before: processor_time(process) }
    }

    fn end(&self) -> Option<Duration> {
        processor_time(self.process)?.checked_sub(self.before?)
    }
}

impl Watch {
    /// Begins with the processes of bank and PSP.
    pub(super) fn begin(bank: u32, psp: u32) -> Self {
        Self { bank: Spent::begin(bank), psp: Spent::begin(psp), begun: Instant::now() }
    }

    /// Ends with what the wallets did meanwhile.
    pub(super) fn end(self, name: &'static str, unit: &'static str, calls: Vec<Call>) -> Measured {
        let elapsed = self.begun.elapsed();
        let mut latencies: Vec<_> = calls.iter().map(|call| call.elapsed).collect();
        latencies.sort_unstable();
        let items = calls.iter().map(|call| call.items).sum();
        Measured { name, unit, latencies, items, elapsed, bank: self.bank.end(), psp: self.psp.end() }
    }
}

impl Measured {
    /// Above the lines.
    pub(super) const HEADING: &'static str = "                  requests    notes or coins  per second  p50 in ms  p99 in ms       bank µs (×)        PSP µs (×)";

    /// As a line of the table.
    pub(super) fn line(&self, multiplication: Duration) -> String {
        let each = |spent: Option<Duration>| match self.each(spent) {
            Some(spent) => format!("{:.0} ({:.1})", micros(spent), ratio(spent, multiplication)),
            None => "unknown".to_owned(),
        };
        format!(
            "{:<16} {:>9} {:>17} {:>11.0} {:>10.1} {:>10.1} {:>17} {:>17}",
            self.name,
            self.latencies.len(),
            self.items,
            self.per_second(),
            micros(self.percentile(50)) / 1e3,
            micros(self.percentile(99)) / 1e3,
            each(self.bank),
            each(self.psp),
        )
    }

    /// As a document.
    pub(super) fn to_json(&self, multiplication: Duration) -> Value {
        let each = |spent: Option<Duration>| self.each(spent).map(micros);
        let times = |spent: Option<Duration>| self.each(spent).map(|spent| ratio(spent, multiplication));
        json!({
            "phase": self.name,
            "unit": self.unit,
            "requests": self.latencies.len(),
            "items": self.items,
            "seconds": self.elapsed.as_secs_f64(),
            "items_per_second": self.per_second(),
            "p50_ms": micros(self.percentile(50)) / 1e3,
            "p99_ms": micros(self.percentile(99)) / 1e3,
            "bank_cpu_us_per_item": each(self.bank),
            "psp_cpu_us_per_item": each(self.psp),
            "bank_multiplications_per_item": times(self.bank),
            "psp_multiplications_per_item": times(self.psp),
        })
    }

    fn per_second(&self) -> f64 {
        self.items as f64 / self.elapsed.as_secs_f64()
    }

    /// The nearest rank: so many percent of the calls took no longer.
    fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.latencies.len() * percent).div_ceil(100);
        self.latencies.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    fn each(&self, spent: Option<Duration>) -> Option<Duration> {
        spent.map(|spent| spent / u32::try_from(self.items).unwrap_or(u32::MAX).max(1))
    }
}

/// Processor time of one constant-time multiplication of a point by a scalar, on this machine and now.
pub(super) fn multiplication() -> Duration {
    let mut point = RistrettoPoint::mul_base(&Scalar::from(7u8));
    let scalar = Scalar::from_bytes_mod_order([0x5a; 32]);
    let before = thread_time();
    for _ in 0..MULTIPLICATIONS {
        point = black_box(point) * black_box(scalar);
    }
    black_box(point);
    (thread_time() - before) / MULTIPLICATIONS
}

/// Processor time of this thread.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Processor time that a process has taken, its own and the system's for it: the 14th and 15th field of `/proc/PID/stat`.
/// The second is in brackets and may hold anything.
fn processor_time(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Duration::from_secs_f64((user + system) as f64 / rustix::param::clock_ticks_per_second() as f64))
}

fn ratio(part: Duration, whole: Duration) -> f64 {
    part.as_secs_f64() / whole.as_secs_f64()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn measured(latencies: &[u64], items: usize) -> Measured {
        let calls = latencies.iter().map(|&ms| Call { elapsed: Duration::from_millis(ms), items });
        let watch = Watch::begin(std::process::id(), u32::MAX);
        watch.end("test", "note", calls.collect())
    }

    #[test]
    fn percentiles_are_by_nearest_rank_whatever_the_order() {
        let mut latencies: Vec<u64> = (1..=100).collect();
        latencies.reverse();
        let hundred = measured(&latencies, 3);
        assert_eq!(hundred.items, 300);
        assert_eq!(hundred.percentile(50), Duration::from_millis(50));
        assert_eq!(hundred.percentile(99), Duration::from_millis(99));
        assert_eq!(measured(&[7], 1).percentile(99), Duration::from_millis(7));
        assert_eq!(measured(&[], 1).percentile(50), Duration::ZERO);
    }

    #[test]
    fn processor_time_is_of_the_process_and_unknown_of_none() {
        let before = processor_time(std::process::id()).unwrap();
        assert!(multiplication() > Duration::ZERO);
        assert!(processor_time(std::process::id()).unwrap() >= before);
        let nobody = measured(&[1], 1);
        assert!(nobody.bank.is_some() && nobody.psp.is_none());
        assert!(nobody.line(Duration::from_micros(30)).contains("unknown"));
        assert_eq!(nobody.to_json(Duration::from_micros(30))["psp_cpu_us_per_item"], Value::Null);
    }
}
