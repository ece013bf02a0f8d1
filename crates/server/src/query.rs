//! What stands behind the question mark of a request.

use axum::extract::Query;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use specie_api::problem;
use specie_core::revocation::PAGES_MAX;

use crate::call::Call;
use crate::reply::Refusal;

/// `?after=SEQUENCE`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    #[serde(default, deserialize_with = "sequence")]
    pub(crate) after: u64,
}

/// `?after=SEQUENCE&pages=COUNT`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewerPages {
    #[serde(default, deserialize_with = "sequence")]
    pub(crate) after: u64,
    #[serde(default = "all_pages")]
    pub(crate) pages: u32,
}

const fn all_pages() -> u32 {
    PAGES_MAX as u32
}

/// What counts anything stays below 2⁶³.
pub(crate) const SEQUENCE_MAX: u64 = i64::MAX as u64;

fn sequence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = u64::deserialize(deserializer)?;
    let too_large = || D::Error::custom(format!("a sequence is at most {SEQUENCE_MAX}"));
    if number > SEQUENCE_MAX { Err(too_large()) } else { Ok(number) }
}

/// Reads it, and refuses what is unknown.
pub(crate) fn query<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    let malformed = |detail: String| Refusal::new(&problem::MALFORMED, detail);
    let uri = call.target().parse::<axum::http::Uri>().map_err(|error| malformed(error.to_string()))?;
    let Query(query) = Query::try_from_uri(&uri).map_err(|error| malformed(error.to_string()))?;
    Ok(query)
}
