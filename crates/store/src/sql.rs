//! The little of SQL that every adapter speaks: one text, few types.
//!
//! Statements keep to a subset that SQLite and PostgreSQL read alike: types `BYTEA`, `BIGINT`, `INTEGER`, `TEXT`;
//! identifiers made by the caller; `ON CONFLICT … DO NOTHING`; guarded updates whose row count tells; parameters
//! `?1`, `?2` and so on (an adapter for PostgreSQL rewrites them to `$1`, `$2`).

use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{ClassId, Context, NoteId, OwnerTag, TransferId};
use specie_core::text::{Currency, Name};
use thiserror::Error;

/// A value bound to a parameter of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param<'a> {
    /// SQL `NULL`.
    Null,
    /// `BIGINT` or `INTEGER`.
    Integer(i64),
    /// `BYTEA`.
    Bytes(&'a [u8]),
    /// `TEXT`.
    Text(&'a str),
}

/// A value read from a column. No `Debug`: a column may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// `BIGINT` or `INTEGER`.
    Integer(i64),
    /// `BYTEA`.
    Bytes(Vec<u8>),
    /// `TEXT`.
    Text(String),
}

/// One row of an answer.
pub struct Row(pub Vec<Value>);

/// Why a statement failed. After any of these but [`SqlError::Unknown`] the transaction has left nothing behind.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum SqlError {
    /// Another process kept the database locked for too long. Nothing was written: try again.
    #[error("the database is busy: try again")]
    Busy,
    /// The connection was lost while the transaction was committed, and the database cannot be asked. Everything was written
    /// or nothing: repeat the same, under the same name.
    #[error("the database was lost while it was writing: everything was written or nothing; repeat the same request")]
    Unknown,
    /// A uniqueness or check constraint refused the write.
    #[error("a constraint of the database refused the write: {0}")]
    Constraint(String),
    /// The database could not be read or written.
    #[error("the database failed: {0}")]
    Failed(String),
    /// A column holds something that this version does not write.
    #[error("the database is damaged: column {column} of an answer is not {expected}")]
    Damaged {
        /// Position of the column, from 0.
        column: usize,
        /// What was expected.
        expected: &'static str,
    },
}

/// Statements within one transaction.
pub trait Session {
    /// Runs a statement that changes rows and tells how many.
    ///
    /// # Errors
    /// When the database refuses or fails.
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlError>;

    /// Runs a statement that answers rows.
    ///
    /// # Errors
    /// When the database refuses or fails.
    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, SqlError>;

    /// Runs a statement that answers at most one row.
    ///
    /// # Errors
    /// When the database refuses or fails.
    fn query_optional(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>, SqlError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// Runs a statement that answers exactly one row, such as an aggregate.
    ///
    /// # Errors
    /// When the database refuses or fails, or answers none.
    fn query_one(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Row, SqlError> {
        self.query_optional(sql, params)?.ok_or_else(|| SqlError::Failed("no row where one belongs".into()))
    }
}

/// A database: it runs closures in transactions. The adapters implement it.
pub trait Database: Send + Sync {
    /// Runs `work` in one transaction that may write, and commits it when `work` succeeds. An error leaves nothing
    /// behind. `work` may run more than once; whatever it draws at random or reads from a clock belongs outside.
    ///
    /// # Errors
    /// Those of `work`, and of the database.
    fn transact<T, E: From<SqlError>>(&self, work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E>;

    /// Runs `work` on one consistent state of the database; writes are refused.
    ///
    /// # Errors
    /// Those of `work`, and of the database.
    fn read<T, E: From<SqlError>>(&self, work: impl FnMut(&mut dyn Session) -> Result<T, E>) -> Result<T, E>;
}

/// A type that a column can be read as.
pub trait FromColumn: Sized {
    /// What an error says was expected.
    const EXPECTED: &'static str;

    /// The value, if the column holds one.
    fn from_column(value: &Value) -> Option<Self>;
}

impl Row {
    /// Column `column`, from 0, as a `T`.
    ///
    /// # Errors
    /// [`SqlError::Damaged`] when it holds none.
    pub fn column<T: FromColumn>(&self, column: usize) -> Result<T, SqlError> {
        let damaged = SqlError::Damaged { column, expected: T::EXPECTED };
        self.0.get(column).and_then(T::from_column).ok_or(damaged)
    }
}

/// A count or sequence number as a parameter. What is above `2^63 - 1` can only come from outside, to compare
/// with, and compares like the largest.
pub fn whole(number: u64) -> Param<'static> {
    Param::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Param<'_> {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl From<Amount> for Param<'_> {
    fn from(value: Amount) -> Self {
        whole(value.minor())
    }
}

impl From<Timestamp> for Param<'_> {
    fn from(value: Timestamp) -> Self {
        whole(value.seconds())
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a, const N: usize> From<&'a specie_core::text::Text<N>> for Param<'a> {
    fn from(value: &'a specie_core::text::Text<N>) -> Self {
        Self::Text(value.as_str())
    }
}

impl<'a> From<&'a Currency> for Param<'a> {
    fn from(value: &'a Currency) -> Self {
        Self::Text(value.as_str())
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl FromColumn for i64 {
    const EXPECTED: &'static str = "an integer";

    fn from_column(value: &Value) -> Option<Self> {
        if let Value::Integer(integer) = value { Some(*integer) } else { None }
    }
}

macro_rules! from_integer {
    ($($type:ty, $expected:literal, |$integer:ident| $convert:expr;)*) => {$(
        impl FromColumn for $type {
            const EXPECTED: &'static str = $expected;

            fn from_column(value: &Value) -> Option<Self> {
                let $integer = i64::from_column(value)?;
                $convert
            }
        }
    )*};
}

from_integer! {
    u8, "an integer below 256", |integer| u8::try_from(integer).ok();
    u32, "an integer of 32 bits", |integer| u32::try_from(integer).ok();
    u64, "an integer from 0 up", |integer| u64::try_from(integer).ok();
    bool, "0 or 1", |integer| match integer { 0 => Some(false), 1 => Some(true), _ => None };
    Amount, "an amount", |integer| Amount::new(u64::try_from(integer).ok()?);
    Timestamp, "a time", |integer| Timestamp::new(u64::try_from(integer).ok()?);
}

impl FromColumn for Vec<u8> {
    const EXPECTED: &'static str = "a byte string";

    fn from_column(value: &Value) -> Option<Self> {
        if let Value::Bytes(bytes) = value { Some(bytes.clone()) } else { None }
    }
}

impl<const N: usize> FromColumn for [u8; N] {
    const EXPECTED: &'static str = "a byte string of the right length";

    fn from_column(value: &Value) -> Option<Self> {
        if let Value::Bytes(bytes) = value { bytes.as_slice().try_into().ok() } else { None }
    }
}

macro_rules! identifiers_from_bytes {
    ($($type:ident)*) => {$(
        impl FromColumn for $type {
            const EXPECTED: &'static str = concat!("a ", stringify!($type));

            fn from_column(value: &Value) -> Option<Self> {
                FromColumn::from_column(value).map($type)
            }
        }

        impl<'a> From<&'a $type> for Param<'a> {
            fn from(value: &'a $type) -> Self {
                Self::Bytes(&value.0)
            }
        }
    )*};
}

identifiers_from_bytes! { ClassId Context NoteId OwnerTag TransferId }

impl FromColumn for String {
    const EXPECTED: &'static str = "a text";

    fn from_column(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.clone()) } else { None }
    }
}

impl FromColumn for Name {
    const EXPECTED: &'static str = "a name";

    fn from_column(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Name::new(text) } else { None }
    }
}

impl FromColumn for Currency {
    const EXPECTED: &'static str = "a currency";

    fn from_column(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Currency::new(text) } else { None }
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_column(value: &Value) -> Option<Self> {
        if *value == Value::Null { Some(None) } else { T::from_column(value).map(Some) }
    }
}
