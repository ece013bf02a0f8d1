//! Values on their way to and from PostgreSQL.

use std::error::Error;

use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::sql::{Param, Row, SqlError, Value};

impl ToSql for Param<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match *self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(integer) if *of == Type::INT8 => integer.to_sql(of, out),
            Self::Integer(integer) if *of == Type::INT4 => i32::try_from(integer)?.to_sql(of, out),
            Self::Integer(integer) if *of == Type::INT2 => i16::try_from(integer)?.to_sql(of, out),
            Self::Bytes(bytes) if *of == Type::BYTEA => bytes.to_sql(of, out),
            Self::Text(text) if <&str as ToSql>::accepts(of) => text.to_sql(of, out),
            _ => Err(format!("a parameter of another kind than {of}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A row as the database has it.
///
/// # Errors
/// [`SqlError::Failed`] for types that the tables do not use.
pub(super) fn row(row: &postgres::Row) -> Result<Row, SqlError> {
    (0..row.len()).map(|column| value(row, column)).collect::<Result<_, _>>().map(Row)
}

fn value(row: &postgres::Row, column: usize) -> Result<Value, SqlError> {
    let of = row.columns().get(column).map(postgres::Column::type_);
    let value = match of {
        Some(&Type::INT8) => row.try_get::<_, Option<i64>>(column).map(|v| v.map(Value::Integer)),
        Some(&Type::INT4) => row.try_get::<_, Option<i32>>(column).map(|v| v.map(|v| Value::Integer(v.into()))),
        Some(&Type::BYTEA) => row.try_get::<_, Option<Vec<u8>>>(column).map(|v| v.map(Value::Bytes)),
        Some(&Type::TEXT) => row.try_get::<_, Option<String>>(column).map(|v| v.map(Value::Text)),
        other => return Err(SqlError::Failed(format!("column {column} of an answer has the type {other:?}"))),
    };
    value.map(|value| value.unwrap_or(Value::Null)).map_err(|error| SqlError::Failed(error.to_string()))
}
