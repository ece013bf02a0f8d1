//! What binary looks like in JSON Schema. All other types derive their descriptions.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::hexadecimal::{Hex, HexArray};

/// Lowercase hexadecimal of so many bytes, described so.
fn hexadecimal(digits: &str, description: impl Into<String>) -> RefOr<Schema> {
    let pattern = format!("^{digits}$");
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).description(Some(description)).into()
}

impl PartialSchema for Hex {
    fn schema() -> RefOr<Schema> {
        hexadecimal("([0-9a-f]{2})*", "Bytes, in lowercase hexadecimal.")
    }
}

impl ToSchema for Hex {
    fn name() -> Cow<'static, str> {
        "Hex".into()
    }
}

impl<const N: usize> PartialSchema for HexArray<N> {
    fn schema() -> RefOr<Schema> {
        hexadecimal(&format!("[0-9a-f]{{{}}}", 2 * N), format!("{N} bytes, in lowercase hexadecimal."))
    }
}

impl<const N: usize> ToSchema for HexArray<N> {
    fn name() -> Cow<'static, str> {
        format!("Hex{N}").into()
    }
}
