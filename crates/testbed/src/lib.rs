//! Databases for tests.
//!
//! A test asks for a [`place`] and gets an SQLite file, or, where `SPECIE_POSTGRES` names a server, tables of its own there:
//! the same tests hold both adapters to the same contract. [`Server`] is a PostgreSQL of Debian's that is started, killed
//! and promoted here; nothing delivered needs this crate.

pub mod damage;
mod line;
mod server;

use std::env;
use std::path::Path;

use anyhow::{Context, Result};
use postgres::{Client, NoTls};
use specie_store::Place;

pub use line::{Break, Line};
pub use server::{Server, Settings};

/// The variable that names the server: a URL of a database in which schemas may be made.
pub const VARIABLE: &str = "SPECIE_POSTGRES";

/// Where a test's database is that would be the file at `path`: the same path gives the same database.
///
/// # Errors
/// When the server that [`VARIABLE`] names cannot be used.
pub fn place(path: &Path) -> Result<Place> {
    let Ok(url) = env::var(VARIABLE) else { return Ok(Place::File(path.into())) };
    // A name may have 63 bytes: the end of the path tells it from others, being random.
    let name: String = path.to_string_lossy().to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let schema = format!("t{}", &name[name.len().saturating_sub(60)..]);
    let mut client = Client::connect(&url, NoTls).with_context(|| format!("the server that {VARIABLE} names"))?;
    client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))?;
    let separator = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{separator}options=-csearch_path%3D{schema}").parse()?)
}

/// Whether tests run on a server.
pub fn on_server() -> bool {
    env::var_os(VARIABLE).is_some()
}
