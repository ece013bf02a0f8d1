//! The log on standard error: lines of text for people, or of JSON for machines. No names, keys, amounts or addresses.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::HeaderValue;
use serde::{Deserialize, Serialize};

/// The header of an answer that names the request, as the log does.
pub const REQUEST_HEADER: &str = "x-request-id";

/// How lines are written. There is one standard error, so all services of a process write alike.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line of text.
    #[default]
    Text,
    /// One JSON object in a line.
    Json,
}

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Something was done.
    Info,
    /// Somebody should look.
    Error,
}

/// The name of one request: 64 random bits, drawn here. What comes from outside never gets into the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RequestId(u64);

/// A request that was answered.
#[derive(Clone, Copy)]
pub(crate) struct Answered<'a> {
    pub(crate) id: RequestId,
    pub(crate) method: &'a str,
    pub(crate) route: &'a str,
    pub(crate) status: u16,
    pub(crate) time: Duration,
}

#[derive(Serialize)]
struct Line<'a> {
    time: f64,
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(flatten)]
    said: Said<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Answered { method: &'a str, route: &'a str, status: u16, milliseconds: u128 },
    Message { message: String },
}

static JSON: AtomicBool = AtomicBool::new(false);

tokio::task_local! {
    static REQUEST: RequestId;
}

/// From now on this process writes lines in `format`.
pub(crate) fn write_as(format: LogFormat) {
    JSON.store(format == LogFormat::Json, Ordering::Relaxed);
}

/// Writes a line about something that was done.
pub(crate) fn note(message: fmt::Arguments<'_>) {
    say(Level::Info, message);
}

/// Writes a line about something that failed.
pub(crate) fn error(message: fmt::Arguments<'_>) {
    say(Level::Error, message);
}

/// Writes the line of a request.
pub(crate) fn answered(answered: &Answered<'_>) {
    write(&if JSON.load(Ordering::Relaxed) { answered.json(now()) } else { answered.text() });
}

impl RequestId {
    /// A new one.
    pub(crate) fn draw() -> Self {
        // Without randomness nothing else works either; the log then says so of each request.
        Self(getrandom::u64().unwrap_or_default())
    }

    /// That of the request that is being answered here, if one is.
    pub(crate) fn current() -> Option<Self> {
        REQUEST.try_with(|id| *id).ok()
    }

    /// Runs `work` as part of this request.
    pub(crate) async fn answer<T>(self, work: impl Future<Output = T>) -> T {
        REQUEST.scope(self, work).await
    }

    /// The same for what may block.
    pub(crate) fn run<T>(self, work: impl FnOnce() -> T) -> T {
        REQUEST.sync_scope(self, work)
    }

    /// As a header has it.
    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).expect("hexadecimal digits are a header's value")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Answered<'_> {
    fn text(&self) -> String {
        let Self { id, method, route, status, time } = self;
        format!("{method} {route} {status} {}ms {id}", time.as_millis())
    }

    fn json(&self, now: f64) -> String {
        let &Self { id, method, route, status, time } = self;
        let said = Said::Answered { method, route, status, milliseconds: time.as_millis() };
        Line { time: now, level: Level::Info, request: Some(id.to_string()), said }.to_json()
    }
}

impl Line<'_> {
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a line is JSON")
    }
}

fn say(level: Level, message: fmt::Arguments<'_>) {
    let id = RequestId::current();
    write(&if JSON.load(Ordering::Relaxed) { json(now(), level, id, message) } else { text(level, id, message) });
}

fn text(level: Level, id: Option<RequestId>, message: fmt::Arguments<'_>) -> String {
    let level = if level == Level::Error { "error: " } else { "" };
    let id = id.map(|id| format!(" ({id})")).unwrap_or_default();
    format!("{level}{message}{id}")
}

fn json(now: f64, level: Level, id: Option<RequestId>, message: fmt::Arguments<'_>) -> String {
    let said = Said::Message { message: message.to_string() };
    Line { time: now, level, request: id.map(|id| id.to_string()), said }.to_json()
}

/// Unix seconds, to the millisecond.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_secs_f64() * 1_000.0).round() / 1_000.0
}

/// A service does not die of a log that nobody reads.
fn write(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    const ID: RequestId = RequestId(0xab);

    #[test]
    fn a_request_is_one_line_in_either_form() {
        let time = Duration::from_micros(3_999);
        let answered = Answered { id: ID, method: "POST", route: "/v1/devices/{device}", status: 200, time };
        assert_eq!(answered.text(), "POST /v1/devices/{device} 200 3ms 00000000000000ab");
        let line: Value = serde_json::from_str(&answered.json(1.5)).unwrap();
        let expected = json!({
            "time": 1.5, "level": "info", "request": "00000000000000ab",
            "method": "POST", "route": "/v1/devices/{device}", "status": 200, "milliseconds": 3,
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn a_message_cannot_forge_a_line_of_json() {
        let line = json(2.0, Level::Error, None, format_args!("{}", "x\n{\"level\":\"info\"}\""));
        assert!(!line.contains('\n'), "{line}");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line, json!({ "time": 2.0, "level": "error", "message": "x\n{\"level\":\"info\"}\"" }));
    }

    #[test]
    fn what_fails_within_a_request_is_named_after_it() {
        assert_eq!(RequestId::current(), None);
        let within = ID.run(RequestId::current);
        assert_eq!(within, Some(ID));
        assert_eq!(text(Level::Error, within, format_args!("x")), "error: x (00000000000000ab)");
    }
}
