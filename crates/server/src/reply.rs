//! Answers: JSON or CBOR when a request is fulfilled, a problem document whenever it is not.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use specie_api::media::Media;
use specie_api::problem::{self, Code, Problem};

use crate::edge::place_at_work;
use crate::log::{self, RequestId};

/// Why a request is not fulfilled, on its way to whoever asked.
#[derive(Debug)]
pub struct Refusal(pub Box<Problem>);

/// What a handler gives.
pub type Reply<T> = Result<Answer<T>, Refusal>;

tokio::task_local! {
    /// How the request under way is to be answered.
    static WANTED: Media;
}

/// Answers a request as it wants to be answered.
pub(crate) async fn negotiate(request: Request, next: Next) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let wanted = Media::accepted(accept.unwrap_or_default());
    WANTED.scope(wanted, next.run(request)).await
}

/// A request is fulfilled.
#[derive(Debug)]
pub struct Answer<T>(pub T);

impl Refusal {
    /// A problem of kind `code`.
    pub fn new(code: &Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem::new(code, detail)))
    }

    /// The server failed: the reason is for its log, not for whoever asked.
    pub fn internal(reason: impl std::fmt::Display) -> Self {
        log::error(format_args!("{reason}"));
        Self::new(&problem::INTERNAL, "the reason is in the server's log")
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let media = WANTED.try_with(|media| *media).unwrap_or_default();
        match media.write(&self.0) {
            Ok(body) => with_type(StatusCode::OK, media.name(), body),
            Err(error) => Refusal::internal(error).into_response(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).expect("a problem is JSON");
        let mut response = with_type(status, problem::MEDIA_TYPE, body);
        if [&problem::OVERLOADED, &problem::RATE_LIMITED].iter().any(|code| self.0.is(code)) {
            response.headers_mut().insert(header::RETRY_AFTER, later());
        }
        response
    }
}

/// When to come again: 1 to 4 seconds, not all at once.
fn later() -> HeaderValue {
    HeaderValue::from(1 + getrandom::u32().unwrap_or_default() % 4)
}

fn with_type(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        // Answers hold what concerns one device: no cache may keep them.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}

/// Runs `work`, which may block, in a thread for it, and gives its result as JSON.
///
/// # Errors
/// Those of `work`; an internal problem when it panics.
pub async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Reply<T>
where
    T: Send + 'static,
    E: Into<Refusal> + Send + 'static,
{
    let request = RequestId::current();
    // It works on when nobody waits for its answer any more: the place is free only when it has ended.
    let place = place_at_work();
    let work = move || {
        let done = match request {
            Some(request) => request.run(work),
            None => work(),
        };
        drop(place);
        done
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map(Answer).map_err(Into::into),
        Err(panic) => Err(Refusal::internal(format!("a handler panicked: {panic}"))),
    }
}
