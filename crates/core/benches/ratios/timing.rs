//! The same works by criterion, in processor time.

use std::time::Duration;

use criterion::Criterion;

use crate::work::Work;

/// Samples enough for a hint; the tables tell more.
pub(crate) fn config() -> Criterion {
    Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2))
}

/// Measures every work.
pub(crate) fn measure<'w>(criterion: &mut Criterion, works: impl IntoIterator<Item = Work<'w>>) {
    for mut work in works {
        let units = if work.units == 1 { String::new() } else { format!(", all {}", work.units) };
        let bar = work.bar.map(|bar| format!(", at most {bar} × for one")).unwrap_or_default();
        let name = format!("{}{units}{bar}", work.name);
        criterion.bench_function(&name, |bencher| bencher.iter_custom(|times| work.run(times)));
    }
}
