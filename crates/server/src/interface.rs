//! The routes of a service and their description in OpenAPI 3.1, from one table: what is served is described, and nothing else.

use std::future::Future;

use axum::Router;
use axum::extract::State;
use axum::handler::Handler;
use axum::routing::{get, post};
use specie_api::authorization::{DEVICE_HEADER, PSP_HEADER, SIGNATURE_HEADER, TIME_HEADER};
use specie_api::hexadecimal::HexArray;
use specie_api::idempotency;
use specie_api::problem::{self, Problem};
use utoipa::Number;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApiBuilder, PathItem, Ref, RefOr, Required, ResponseBuilder, Schema,
};
use utoipa::{PartialSchema, ToSchema};

use crate::call::{Call, Named};
use crate::query::SEQUENCE_MAX;
use crate::reply::Reply;

/// Where a service gives its own description.
pub(crate) const DESCRIPTION_PATH: &str = "/openapi.json";

/// The version of both interfaces: that of their paths.
const VERSION: &str = "1.0.0";

type Schemas = Vec<(String, RefOr<Schema>)>;

/// A service's routes over the state `S`, and what is said of them.
pub(crate) struct Interface<S> {
    title: &'static str,
    router: Router<S>,
    paths: PathsBuilder,
    schemas: Schemas,
}

/// What one method of a path is for.
pub(crate) struct Operation {
    id: &'static str,
    summary: &'static str,
    signer: Signer,
    queries: &'static [Query],
    body: Option<Described>,
}

/// A number behind the question mark, with its largest value and what it is.
type Query = (&'static str, u64, &'static str);

/// `?after=SEQUENCE`
const AFTER: &[Query] = &[("after", SEQUENCE_MAX, "What comes after this sequence; everything without it.")];

/// `?after=SEQUENCE&pages=COUNT`
const PAGES: &[Query] = &[AFTER[0], ("pages", u32::MAX as u64, "Of so many of the newest pages; all without it.")];

/// Who signs a request.
#[derive(Clone, Copy)]
enum Signer {
    Nobody,
    Psp,
    Device,
}

/// A type with a name, and what it is made of.
struct Described {
    name: String,
    schemas: Schemas,
}

/// A handler whose answer is known. `Shape` tells apart what it takes.
pub(crate) trait Answers<S, Shape> {
    /// What it answers.
    type Answer: ToSchema;
}

impl<S, A: ToSchema, F: Fn(State<S>) -> W, W: Future<Output = Reply<A>>> Answers<S, ()> for F {
    type Answer = A;
}

impl<S, A: ToSchema, F: Fn(State<S>, Call) -> W, W: Future<Output = Reply<A>>> Answers<S, Call> for F {
    type Answer = A;
}

impl<S, A: ToSchema, F: Fn(State<S>, Named, Call) -> W, W: Future<Output = Reply<A>>> Answers<S, Named> for F {
    type Answer = A;
}

impl Operation {
    /// Anybody may ask.
    pub(crate) fn public(id: &'static str, summary: &'static str) -> Self {
        Self { id, summary, signer: Signer::Nobody, queries: &[], body: None }
    }

    /// A PSP asks.
    pub(crate) fn psp(id: &'static str, summary: &'static str) -> Self {
        Self { signer: Signer::Psp, ..Self::public(id, summary) }
    }

    /// A device asks.
    pub(crate) fn device(id: &'static str, summary: &'static str) -> Self {
        Self { signer: Signer::Device, ..Self::public(id, summary) }
    }

    /// From a sequence on.
    pub(crate) fn after(self) -> Self {
        Self { queries: AFTER, ..self }
    }

    /// From a sequence on, of so many pages.
    pub(crate) fn pages(self) -> Self {
        Self { queries: PAGES, ..self }
    }

    /// With a body.
    pub(crate) fn takes<T: ToSchema>(self) -> Self {
        Self { body: Some(Described::of::<T>()), ..self }
    }
}

impl<S: Clone + Send + Sync + 'static> Interface<S> {
    /// Nothing is served yet.
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, router: Router::new(), paths: PathsBuilder::new(), schemas: Vec::new() }
    }

    /// Serves a question.
    pub(crate) fn get<M: 'static, Shape, H>(mut self, path: &str, handler: H, operation: Operation) -> Self
    where
        H: Handler<M, S> + Answers<S, Shape>,
    {
        self.router = self.router.route(path, get(handler));
        self.describe(path, HttpMethod::Get, operation, Described::of::<H::Answer>())
    }

    /// Serves what changes something, and takes an idempotency key.
    pub(crate) fn post<M: 'static, Shape, H>(mut self, path: &str, handler: H, operation: Operation) -> Self
    where
        H: Handler<M, S> + Answers<S, Shape>,
    {
        self.router = self.router.route(path, post(handler));
        self.describe(path, HttpMethod::Post, operation, Described::of::<H::Answer>())
    }

    /// The routes over `state`, with one for the description.
    pub(crate) fn serve(self, state: S) -> Router {
        let described = self.router.clone().with_state(state);
        let description = self.description();
        let serve = || async { ([(axum::http::header::CONTENT_TYPE, "application/json")], description) };
        described.route(DESCRIPTION_PATH, get(serve))
    }

    /// The description, as a JSON text.
    pub(crate) fn description(self) -> String {
        let problem = Described::of::<Problem>();
        let components = ComponentsBuilder::new().schemas_from_iter(self.schemas.into_iter().chain(problem.schemas));
        let components =
            security().into_iter().fold(components, |all, (name, scheme)| all.security_scheme(name, scheme));
        let info = InfoBuilder::new().title(self.title).version(VERSION).description(Some(
            "Amounts are whole minor units, times are Unix seconds, binary is lowercase hexadecimal; structures in it are \
             CBOR (`docs/spec/specie.cddl`). What a request changes is changed once for each idempotency key. How requests \
             are signed, and every code of a problem, is in `docs/spec/http.md`. Bodies may be CBOR instead of JSON, as it says there.",
        ));
        let document =
            OpenApiBuilder::new().info(info.build()).paths(self.paths).components(Some(components.build())).build();
        let mut text = document.to_pretty_json().expect("the description is JSON");
        text.push('\n');
        text
    }

    fn describe(mut self, path: &str, method: HttpMethod, operation: Operation, answer: Described) -> Self {
        let mut built = OperationBuilder::new().operation_id(Some(operation.id)).summary(Some(operation.summary));
        for parameter in in_path(path).chain(operation.queries.iter().map(in_query)) {
            built = built.parameter(parameter);
        }
        if matches!(method, HttpMethod::Post) {
            built = built.parameter(idempotency_key());
        }
        if let Some(requirement) = operation.signer.requirement() {
            built = built.security(requirement);
        }
        if let Some(body) = operation.body {
            let body = (body.content(&mut self.schemas), RequestBodyBuilder::new().required(Some(Required::True)));
            built = built.request_body(Some(body.1.content("application/json", body.0).build()));
        }
        let done = ResponseBuilder::new().description("It is done, now or when it was first asked for.");
        let refused = ResponseBuilder::new().description("It is not done: no money moved.");
        let problem = Content::new(Some(Ref::from_schema_name(Problem::name())));
        let built = built
            .response("200", done.content("application/json", answer.content(&mut self.schemas)))
            .response("default", refused.content(problem::MEDIA_TYPE, problem));
        self.paths = self.paths.path(path, PathItem::new(method, built));
        self
    }
}

impl Described {
    fn of<T: ToSchema>() -> Self {
        let mut schemas = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut schemas);
        Self { name: T::name().into_owned(), schemas }
    }

    /// A reference to it; what it is made of goes to `schemas`.
    fn content(self, schemas: &mut Schemas) -> Content {
        schemas.extend(self.schemas);
        Content::new(Some(Ref::from_schema_name(self.name)))
    }
}

impl Signer {
    /// All three headers at once.
    fn requirement(self) -> Option<SecurityRequirement> {
        let who = match self {
            Self::Nobody => return None,
            Self::Psp => PSP_HEADER,
            Self::Device => DEVICE_HEADER,
        };
        let none: [&str; 0] = [];
        Some(SecurityRequirement::new(who, none).add(TIME_HEADER, none).add(SIGNATURE_HEADER, none))
    }
}

/// The headers of signed requests.
fn security() -> [(&'static str, SecurityScheme); 4] {
    let header = |name: &'static str, what: &'static str| {
        (name, SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, what))))
    };
    [
        header(PSP_HEADER, "The PSP's name, in lowercase hexadecimal of UTF-8."),
        header(DEVICE_HEADER, "The device's key `A`, in lowercase hexadecimal."),
        header(TIME_HEADER, "When the request was signed, Unix seconds."),
        header(SIGNATURE_HEADER, "The Ed25519 signature over the request, in lowercase hexadecimal."),
    ]
}

/// The names in braces.
fn in_path(path: &str) -> impl Iterator<Item = Parameter> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(|name| {
        let schema = if name == "device" { HexArray::<32>::schema() } else { HexArray::<16>::schema() };
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
        parameter.required(Required::True).schema(Some(schema)).build()
    })
}

fn in_query((name, maximum, description): &Query) -> Parameter {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    let number = number.maximum(Some(Number::from(usize::try_from(*maximum).expect("64 bits"))));
    let parameter = ParameterBuilder::new().name(*name).parameter_in(ParameterIn::Query);
    parameter.required(Required::False).description(Some(*description)).schema(Some(number)).build()
}

fn idempotency_key() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[!-~]{16,64}$"));
    let parameter = ParameterBuilder::new().name(idempotency::HEADER).parameter_in(ParameterIn::Header);
    let parameter = parameter.description(Some("Drawn at random for each new request; the same when it is repeated."));
    parameter.required(Required::True).schema(Some(text)).build()
}
