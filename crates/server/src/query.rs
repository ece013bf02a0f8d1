//! What stands behind the question mark of a request.

use axum::extract::Query;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use specie_api::problem;
use specie_core::revocation::PAGES_MAX;

use crate::call::Call;
use crate::reply::Refusal;

/// `?after=SEQUENCE`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    #[serde(default)]
    pub(crate) after: u64,
}

/// `?after=SEQUENCE&pages=COUNT`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewerPages {
    #[serde(default)]
    pub(crate) after: u64,
    #[serde(default = "all_pages")]
    pub(crate) pages: u32,
}

const fn all_pages() -> u32 {
    PAGES_MAX as u32
}

/// Reads it, and refuses what is unknown.
pub(crate) fn query<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    let malformed = |detail: String| Refusal::new(&problem::MALFORMED, detail);
    let uri = call.target().parse::<axum::http::Uri>().map_err(|error| malformed(error.to_string()))?;
    let Query(query) = Query::try_from_uri(&uri).map_err(|error| malformed(error.to_string()))?;
    Ok(query)
}
