//! What every request passes before a handler sees it: its body is read, then it waits for a place at work.
//!
//! The body comes first, so that a slow client holds no place; who sent it is known only from the whole of it, by its signature.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use specie_api::problem;
use specie_core::text::Name;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::admission::{Admission, Client, Permit, Shed};
use crate::call::{BODY_LENGTH_MAX, Call, too_large};
use crate::connection::Peer;
use crate::metrics::Metrics;
use crate::reply::Refusal;

/// Paths that are answered whatever else there is to do.
const ALWAYS: [&str; 2] = ["/healthz", "/readyz"];

/// Says which PSP signed a request, if one that is known did. It may block.
pub(crate) type Identify = Arc<dyn Fn(&Call) -> Option<Name> + Send + Sync>;

/// The edge of a service.
#[derive(Clone)]
pub(crate) struct Edge {
    admission: Arc<Admission>,
    identify: Option<Identify>,
    /// One signature for each processor is checked at a time.
    checking: Arc<Semaphore>,
    /// Bytes of bodies that may be in memory.
    memory: Arc<Semaphore>,
    body_time: Duration,
    metrics: Arc<Metrics>,
}

tokio::task_local! {
    static PERMIT: Arc<Permit>;
}

/// The place that the request under way has at work: whatever works on after its answer keeps it.
pub(crate) fn place_at_work() -> Option<Arc<Permit>> {
    PERMIT.try_with(Arc::clone).ok()
}

/// Lets requests in.
pub(crate) async fn admit(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    // What leads nowhere costs nothing.
    if path.is_none_or(|path| ALWAYS.contains(&path)) {
        return next.run(request).await;
    }
    match edge.enter(request).await {
        Ok((request, permit, memory)) => {
            let response = PERMIT.scope(Arc::new(permit), next.run(request)).await;
            drop(memory);
            response
        }
        Err(refusal) => refusal.into_response(),
    }
}

impl Edge {
    pub(crate) fn new(
        admission: Arc<Admission>,
        identify: Option<Identify>,
        memory: usize,
        body_time: Duration,
        metrics: Arc<Metrics>,
    ) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let (checking, memory) = (Arc::new(Semaphore::new(processors)), Arc::new(Semaphore::new(memory)));
        Self { admission, identify, checking, memory, body_time, metrics }
    }

    async fn enter(&self, request: Request) -> Result<(Request, Permit, Option<OwnedSemaphorePermit>), Refusal> {
        let (parts, body) = request.into_parts();
        let read = tokio::time::timeout(self.body_time, self.read(&parts, body)).await;
        let (body, memory) = read.unwrap_or_else(|_| {
            self.metrics.shed("slow");
            Err(Refusal::new(&problem::TOO_SLOW, "the body did not come in time"))
        })?;
        let client = self.client(&parts, &body).await;
        let permit = self.admission.enter(client).await.map_err(|shed| self.refuse(shed))?;
        Ok((Request::from_parts(parts, Body::from(body)), permit, memory))
    }

    /// The whole body, and its share of the memory, which grows with what has come.
    async fn read(&self, parts: &Parts, body: Body) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > BODY_LENGTH_MAX) {
            return Err(too_large());
        }
        let (mut body, mut whole, mut memory) = (body, Vec::new(), None::<OwnedSemaphorePermit>);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::new(&problem::MALFORMED, "the body broke off"))?;
            let Ok(data) = frame.into_data() else { continue };
            if whole.len() + data.len() > BODY_LENGTH_MAX {
                return Err(too_large());
            }
            let more = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let more = Arc::clone(&self.memory).try_acquire_many_owned(more).map_err(|_| {
                self.metrics.shed("memory");
                overloaded("too many bodies are in memory")
            })?;
            match &mut memory {
                Some(memory) => memory.merge(more),
                None => memory = Some(more),
            }
            whole.extend_from_slice(&data);
        }
        Ok((whole.into(), memory))
    }

    /// Who sent it. A name alone says nothing: anybody could use up another one's places with it.
    async fn client(&self, parts: &Parts, body: &Bytes) -> Client {
        let Some(identify) = &self.identify else {
            let peer = parts.extensions.get::<Peer>();
            return peer.map_or(Client::Stranger, |Peer(address)| Client::Address(*address));
        };
        let call = Call::new(parts, body.clone());
        if call.psp().is_err() {
            return Client::Stranger;
        }
        let Ok(turn) = Arc::clone(&self.checking).acquire_owned().await else { return Client::Stranger };
        let identify = Arc::clone(identify);
        let checked = tokio::task::spawn_blocking(move || {
            let known = identify(&call);
            drop(turn);
            known
        });
        checked.await.ok().flatten().map_or(Client::Stranger, Client::Psp)
    }

    fn refuse(&self, shed: Shed) -> Refusal {
        let (reason, refusal) = match shed {
            Shed::Full => ("full", overloaded("as many requests wait as may")),
            Shed::TooLate => ("too-late", overloaded("the request waited too long, and was not worked on")),
            Shed::Rate => ("rate", Refusal::new(&problem::RATE_LIMITED, "more requests came than this PSP may send")),
        };
        self.metrics.shed(reason);
        refusal
    }
}

fn overloaded(detail: &str) -> Refusal {
    Refusal::new(&problem::OVERLOADED, detail)
}
