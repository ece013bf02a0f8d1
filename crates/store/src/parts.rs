//! One statement for many rows, in parts of few sizes: databases bound the parameters of a statement and keep few statements
//! prepared.

use crate::sql::{Param, Row, Session, SqlError};

/// Rows in one statement: as many of the largest as there are, then of the next, and so on. Less than 2¹⁵ parameters in
/// all, which SQLite allows.
const SIZES: [usize; 5] = [256, 64, 16, 4, 1];

/// Parameters of the rows of a part.
pub(crate) struct Bound<'r>(Vec<Param<'r>>);

/// Runs the statement `sql` gives for so many rows, with the parameters that `bind` adds for each of `rows`, and tells how many rows
/// changed.
pub(crate) fn change_all<'r, R>(
    session: &mut dyn Session,
    rows: &'r [R],
    sql: impl Fn(usize) -> String,
    bind: impl Fn(&'r R, &mut Bound<'r>),
) -> Result<u64, SqlError> {
    parts(rows).map(|part| session.execute(&sql(part.len()), &Bound::of(part, &bind))).sum()
}

/// The same for a statement that answers rows.
pub(crate) fn query_all<'r, R, T>(
    session: &mut dyn Session,
    rows: &'r [R],
    sql: impl Fn(usize) -> String,
    bind: impl Fn(&'r R, &mut Bound<'r>),
    read: impl Fn(&Row) -> Result<T, SqlError>,
) -> Result<Vec<T>, SqlError> {
    let mut answered = Vec::new();
    for part in parts(rows) {
        for row in session.query(&sql(part.len()), &Bound::of(part, &bind))? {
            answered.push(read(&row)?);
        }
    }
    Ok(answered)
}

impl<'r> Bound<'r> {
    /// Adds some.
    pub(crate) fn add<const N: usize>(&mut self, params: [Param<'r>; N]) {
        self.0.extend(params);
    }

    fn of<R>(part: &'r [R], bind: impl Fn(&'r R, &mut Self)) -> Vec<Param<'r>> {
        let mut bound = Self(Vec::new());
        part.iter().for_each(|row| bind(row, &mut bound));
        bound.0
    }
}

/// `?1, ?2` and so on.
pub(crate) fn list(count: usize) -> String {
    numbers(1, count)
}

/// `(?1, ?2), (?3, ?4)` and so on.
pub(crate) fn values(rows: usize, columns: usize) -> String {
    let row = |row: usize| format!("({})", numbers(row * columns + 1, columns));
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

fn numbers(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ")
}

fn parts<R>(mut rows: &[R]) -> impl Iterator<Item = &[R]> {
    core::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rows.len())?;
        let (part, rest) = rows.split_at(size);
        rows = rest;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_few_sizes_and_leave_nothing_out() {
        for count in [0, 1, 5, 255, 256, 1_000] {
            let rows: Vec<_> = (0..count).collect();
            assert!(parts(&rows).all(|part| SIZES.contains(&part.len())));
            assert_eq!(parts(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        }
        assert_eq!((list(3), values(2, 2)), ("?1, ?2, ?3".to_owned(), "(?1, ?2), (?3, ?4)".to_owned()));
    }
}
