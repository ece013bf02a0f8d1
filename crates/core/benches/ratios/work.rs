//! One row of a table: what is done, and how it is timed.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use specie_core::group::Generators;
use specie_core::hash;

/// Something that is measured.
pub(crate) struct Work<'w> {
    /// What it is called.
    pub(crate) name: &'static str,
    /// The bar for one unit, where it has one.
    pub(crate) bar: Option<u32>,
    /// What one run is divided by.
    pub(crate) units: u32,
    run: Box<dyn FnMut(u64) -> Duration + 'w>,
}

impl<'w> Work<'w> {
    /// A work of which everything counts.
    pub(crate) fn whole(name: &'static str, bar: Option<u32>, units: u32, run: impl Fn() + 'w) -> Self {
        Self::timed(name, bar, units, move |times| {
            let start = Stopwatch::start();
            (0..times).for_each(|_| run());
            start.elapsed()
        })
    }

    /// A work that takes its own time, for so many runs together, because what prepares a run does not count.
    pub(crate) fn timed(
        name: &'static str,
        bar: Option<u32>,
        units: u32,
        run: impl FnMut(u64) -> Duration + 'w,
    ) -> Self {
        Self { name, bar, units, run: Box::new(run) }
    }

    /// How long `times` runs take together.
    pub(crate) fn run(&mut self, times: u64) -> Duration {
        (self.run)(times)
    }
}

/// A watch on the processor time of this thread: it stands still while the machine does something else.
pub(crate) struct Stopwatch(Duration);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(processor_time())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        processor_time().saturating_sub(self.0)
    }
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("processor time is not negative")
}

/// One variable-base multiplication, in constant time, as everything secret is multiplied.
pub(crate) fn multiplication() -> Work<'static> {
    let (point, factor) = (Generators::new().H, hash::hs("specie/v1/benchmark", &[]));
    Work::whole("one multiplication", None, 1, move || {
        black_box(black_box(&factor) * black_box(&point));
    })
}
