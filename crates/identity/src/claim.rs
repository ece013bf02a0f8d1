//! Names of claims, at the top of a credential or within another claim.

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::Object;

/// Where a claim stands: the names from the top down. Arrays are asked for whole.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct ClaimPath(Vec<String>);

/// As it is written in TOML and JSON: one name as itself, more as an array.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Name(String),
    Path(Vec<String>),
}

impl ClaimPath {
    /// A claim at the top.
    pub fn top(name: impl Into<String>) -> Self {
        Self(vec![name.into()])
    }

    /// A claim from the names on the way to it.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// Whether it is `other` or lies in it.
    pub fn lies_in(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The name at the top.
    pub(crate) fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Whether it names a claim at all.
    pub(crate) fn is_good(&self) -> bool {
        !self.0.is_empty()
            && self.0.iter().all(|name| !name.is_empty() && !matches!(name.as_str(), "_sd" | "..." | "_sd_alg"))
    }

    pub(crate) fn child(&self, name: &str) -> Self {
        Self(self.0.iter().map(String::as_str).chain([name]).map(Into::into).collect())
    }

    pub(crate) fn root() -> Self {
        Self(Vec::new())
    }

    /// The value in `claims`, unless it says nothing.
    pub(crate) fn value<'a>(&self, claims: &'a Object) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        let value = rest.iter().try_fold(claims.get(first)?, |value, name| value.get(name.as_str()))?;
        let says_something = match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        };
        says_something.then_some(value)
    }
}

impl From<Written> for ClaimPath {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(name) => Self::top(name),
            Written::Path(names) => Self(names),
        }
    }
}

impl From<ClaimPath> for Written {
    fn from(path: ClaimPath) -> Self {
        match <[String; 1]>::try_from(path.0) {
            Ok([name]) => Self::Name(name),
            Err(names) => Self::Path(names),
        }
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { "." }, name.escape_debug())?;
        }
        Ok(())
    }
}
