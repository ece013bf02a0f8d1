//! Servers: say where they listen, then run until the process is told to end.

use std::io::{self, Write};

use serde_json::json;
use specie_server::service::Service;

use crate::answer::Answer;
use crate::failure::Failure;

/// Runs `service` until a signal; the first line on standard output says where it listens.
pub(crate) fn serve(service: Service, name: &str, json: bool) -> Result<Answer, Failure> {
    let address = format!("http://{}", service.address());
    let line = if json { json!({ "listening": address }).to_string() } else { format!("{name} listens on {address}") };
    let mut out = io::stdout().lock();
    // Nobody may be reading: the server serves all the same.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    drop(out);
    service.run_until_signal();
    Ok(Answer::silent())
}
