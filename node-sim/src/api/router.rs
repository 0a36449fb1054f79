//! Routes of the listener: authentication, the endpoint's version, and the body as a call.

use super::api_state::ApiState;
use super::api_version::ApiVersion;
use super::http::basic_auth::Login;
use super::http::listener::ClientAddress;
use super::http::login_throttle::Verdict;
use super::http::session::{is_from_own_page, is_from_script};
use super::http::{error_pages, origin, request_body};
use super::json_rpc::{self, Call, InvalidCall};
use super::lab_requests;
use crate::api::{page, simulator};
use crate::state::error::{ElementError, ErrorName};
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{Method, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// The routes. All but the health check and the page ask for credentials, also those that do not
/// exist.
pub(crate) fn router(state: Arc<ApiState>) -> Router {
    Router::new()
        .route("/json-rpc/{version}", any(json_rpc))
        .route("/json-rpc/{version}/", any(json_rpc))
        .merge(simulator::router())
        .route("/lab/v1/{*rest}", any(lab_requests::pass))
        .fallback(not_found)
        .layer(from_fn_with_state(Arc::clone(&state), simulator::publish_change))
        .layer(from_fn_with_state(Arc::clone(&state), authenticate))
        .merge(simulator::open_router())
        .merge(page::router())
        .with_state(state)
}

async fn not_found(uri: Uri) -> Response {
    if uri.path().starts_with(simulator::BASE_PATH) {
        return simulator::not_found();
    }
    error_pages::not_found("There is nothing at this path.")
}

/// Refuses requests that a foreign page has started, before their credentials are looked at: the
/// browser adds those of its user.
async fn authenticate(
    State(state): State<Arc<ApiState>>,
    Extension(ClientAddress(client)): Extension<ClientAddress>,
    mut request: Request,
    next: Next,
) -> Response {
    if origin::is_foreign(request.headers(), request.uri()) {
        tracing::debug!(%client, "refused a request of a foreign web page");
        return foreign_origin(request.uri());
    }
    let unauthorized = match is_from_script(request.headers()) {
        true => error_pages::unauthorized_script,
        false => error_pages::unauthorized,
    };
    let (account, is_right) = match state.credentials.check(request.headers()) {
        Login::Absent => {
            let Some(session) = state.sessions.of(request.headers(), Instant::now()) else {
                return unauthorized();
            };
            // The browser adds the cookie by itself: a change must come from a page of ours.
            if request.method() != Method::GET && !is_from_own_page(request.headers()) {
                return foreign_origin(request.uri());
            }
            // What a page asks by itself does not count as use.
            if !simulator::KEEPS_IDLE.contains(&request.uri().path()) {
                state.sessions.extend(&session, Instant::now());
            }
            request.extensions_mut().insert(session);
            return next.run(request).await;
        }
        Login::Right { account } => (account, true),
        Login::Wrong { account } => (account, false),
    };
    match state.login_throttle.judge(client, &account, is_right, Instant::now()) {
        Verdict::Admit => next.run(request).await,
        Verdict::RefuseAfter(delay, held_back) => {
            tracing::info!(%client, "refused credentials");
            tokio::time::sleep(delay).await;
            drop(held_back);
            unauthorized()
        }
        Verdict::Busy => error_pages::too_many_attempts(),
    }
}

fn foreign_origin(uri: &Uri) -> Response {
    if uri.path().starts_with(simulator::BASE_PATH) {
        return simulator::foreign_origin();
    }
    if uri.path().starts_with(lab_requests::BASE_PATH) {
        return lab_requests::foreign_origin();
    }
    error_pages::foreign_origin()
}

async fn json_rpc(
    State(state): State<Arc<ApiState>>,
    Path(version): Path<String>,
    Extension(ClientAddress(client)): Extension<ClientAddress>,
    method: Method,
    uri: Uri,
    body: Body,
) -> Response {
    let Ok(version) = version.parse::<ApiVersion>() else {
        return error_pages::not_found(
            "This version of the API is not supported; GetAPI lists them.",
        );
    };
    let call = match method {
        Method::POST => match request_body::read(body, state.body_deadline).await {
            Ok(body) => json_rpc::read_body(&body),
            Err(error) => return error.page(),
        },
        Method::GET => query(&uri),
        _ => return error_pages::method_not_allowed("GET, POST"),
    };
    match call {
        Ok(call) => json(answer(state, version, call, client).await),
        Err((id, error)) => json(json_rpc::failure(&id, &error)),
    }
}

/// A call is finished also when the client goes away: what it began must not be left half done.
async fn answer(state: Arc<ApiState>, version: ApiVersion, call: Call, client: IpAddr) -> String {
    let id = call.id.clone();
    let task = tokio::spawn(async move { state.api.answer(version, call, client).await });
    task.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a call broke off");
        let error = ElementError::new(ErrorName::Internal, "The call broke off; see the log.");
        json_rpc::failure(&id, &error)
    })
}

/// The head's limit is the query's as well.
fn query(uri: &Uri) -> Result<Call, InvalidCall> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| (Value::Null, ElementError::missing("method")))?;
    json_rpc::read_query(pairs.0)
}

fn json(answer: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], answer).into_response()
}
