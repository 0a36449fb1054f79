//! The simulator's own API: what an operator does to a real cluster by hand.
//!
//! It is apart from Element's API: other paths, plain HTTP methods and statuses, and errors of the
//! form `{"error":"..."}`. All paths but the health check need the same credentials.
//! `docs/simulator-api.md` and `docs/simulator-api.openapi.json` describe every request.
//!
//! A drive that is locked or whose node is stopped answers 423 or 503; it is never read around.

mod answers;
mod blocks;
mod events;
mod key_servers;
mod master_keys;
mod messages;
mod method_errors;
mod objects;
mod overview;
mod power;
mod rekey;
mod rekey_control;
mod request_parts;
mod session;

pub(crate) use self::answers::foreign_origin;
use self::answers::refusal;
use crate::api::api_state::ApiState;
use crate::api::http::listener::ClientAddress;
use crate::stream::calls::AnsweredCall;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// Beginning of the paths of this API.
pub(crate) const BASE_PATH: &str = "/sim/v1/";

/// Paths of requests that a page makes without its user: they do not make a session last longer.
pub(crate) const KEEPS_IDLE: [&str; 2] = ["/sim/v1/events", "/sim/v1/session"];

/// Paths of requests that are no events of their own.
const UNSHOWN: [&str; 2] = ["/sim/v1/notes", "/sim/v1/session"];

/// A request that is served.
pub(crate) struct Route {
    /// Its HTTP method.
    pub(crate) method: Method,
    /// Its path, with the parameters in braces.
    pub(crate) path: &'static str,
    /// Whether it needs credentials.
    pub(crate) needs_credentials: bool,
    handler: MethodRouter<Arc<ApiState>>,
}

impl Route {
    fn get<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<ApiState>>) -> Self {
        Self::new(Method::GET, MethodFilter::GET, path, handler)
    }

    fn put<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<ApiState>>) -> Self {
        Self::new(Method::PUT, MethodFilter::PUT, path, handler)
    }

    fn post<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<ApiState>>) -> Self {
        Self::new(Method::POST, MethodFilter::POST, path, handler)
    }

    fn delete<T: 'static>(path: &'static str, handler: impl Handler<T, Arc<ApiState>>) -> Self {
        Self::new(Method::DELETE, MethodFilter::DELETE, path, handler)
    }

    fn new<T: 'static>(
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        handler: impl Handler<T, Arc<ApiState>>,
    ) -> Self {
        Self { method, path, needs_credentials: true, handler: on(filter, handler) }
    }

    fn without_credentials(self) -> Self {
        Self { needs_credentials: false, ..self }
    }
}

/// Every request that is served: the routers are made from this table.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/sim/v1/health", async || "ok\n").without_credentials(),
        Route::post("/sim/v1/sessions", session::begin).without_credentials(),
        Route::get("/sim/v1/session", session::show),
        Route::delete("/sim/v1/session", session::end),
        Route::get("/sim/v1/state", overview::show),
        Route::get("/sim/v1/events", events::follow),
        Route::get("/sim/v1/messages", messages::list),
        Route::get("/sim/v1/messages/{number}", messages::show),
        Route::post("/sim/v1/notes", messages::add_note),
        Route::get("/sim/v1/method-errors", method_errors::list),
        Route::put("/sim/v1/method-errors", method_errors::set),
        Route::delete("/sim/v1/method-errors", method_errors::clear),
        Route::delete("/sim/v1/method-errors/{method}", method_errors::remove),
        Route::post("/sim/v1/nodes/{nodeID}/stop", power::stop_node),
        Route::post("/sim/v1/nodes/{nodeID}/start", power::start_node),
        Route::get("/sim/v1/drives/{driveID}/blocks/{lba}", blocks::read),
        Route::put("/sim/v1/drives/{driveID}/blocks/{lba}", blocks::write),
        Route::get("/sim/v1/rekey/control", rekey_control::show),
        Route::put("/sim/v1/rekey/control", rekey_control::change),
        Route::post("/sim/v1/rekey/continue", rekey_control::release),
        Route::post("/sim/v1/rekey/abandon", rekey::abandon),
        Route::post("/sim/v1/master-keys/{keyID}/forget", master_keys::forget),
        Route::post("/sim/v1/key-servers/{keyServerID}/skip-check", key_servers::skip_check),
        Route::get("/sim/v1/key-servers/{keyServerID}/objects", objects::list),
        Route::post(
            "/sim/v1/key-servers/{keyServerID}/objects/{uniqueIdentifier}/destroy",
            objects::destroy,
        ),
        Route::post("/sim/v1/retry", power::retry),
    ]
}

/// Routes that need credentials.
pub(crate) fn router() -> Router<Arc<ApiState>> {
    router_of(|route| route.needs_credentials)
}

/// Routes that need no credentials.
pub(crate) fn open_router() -> Router<Arc<ApiState>> {
    router_of(|route| !route.needs_credentials)
}

fn router_of(wanted: impl Fn(&Route) -> bool) -> Router<Arc<ApiState>> {
    let mut paths: BTreeMap<&str, (Vec<String>, MethodRouter<Arc<ApiState>>)> = BTreeMap::new();
    for route in routes().into_iter().filter(|route| wanted(route)) {
        let (methods, handlers) = paths.entry(route.path).or_default();
        methods.push(route.method.to_string());
        *handlers = std::mem::take(handlers).merge(route.handler);
    }
    paths.into_iter().fold(Router::new(), |router, (path, (methods, handlers))| {
        let allowed = methods.join(", ");
        router.route(path, handlers.fallback(async move || method_not_allowed(allowed)))
    })
}

/// Makes an event of a request that changes something. Bodies are not shown: they may be blocks.
pub(crate) async fn publish_change(
    State(state): State<Arc<ApiState>>,
    Extension(ClientAddress(client)): Extension<ClientAddress>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_shown =
        request.method() != Method::GET && path.starts_with(BASE_PATH) && !UNSHOWN.contains(&path);
    if !is_shown {
        return next.run(request).await;
    }
    let (begun, method) = (Instant::now(), format!("{} {path}", request.method()));
    let answer = next.run(request).await;
    let status = answer.status();
    state.api.stream.calls.publish(AnsweredCall {
        endpoint: "sim/v1".to_owned(),
        method: &method,
        params: json!({}),
        outcome: match status.is_success() {
            true => Ok(&Value::Null),
            false => Err(json!({ "status": status.as_u16() })),
        },
        reads: false,
        took: begun.elapsed(),
        client,
    });
    answer
}

/// Answers a request for a path that does not exist.
pub(crate) fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, &"path not found")
}

/// Answers a request for a path that exists, by a method that it does not have.
fn method_not_allowed(allowed: String) -> Response {
    let refusal = refusal(StatusCode::METHOD_NOT_ALLOWED, &format!("use {allowed} with this path"));
    ([(header::ALLOW, allowed)], refusal).into_response()
}
