//! The paths behind the door: who may pass, which endpoint is meant, and the body as a call.

use super::api_version::ApiVersion;
use super::http::basic_auth::Credentials;
use super::http::error_pages;
use super::json_rpc::{self, Call, NotACall};
use crate::api::methods::Element;
use crate::api::simulator;
use crate::config::limits::{BODY_DEADLINE, BODY_LEN_MAX};
use crate::state::error::{ElementError, ErrorName};
use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{Method, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::Value;
use std::sync::Arc;

/// What is behind the door.
pub struct Door {
    /// The API.
    pub element: Element,
    /// Who may use it.
    pub credentials: Credentials,
}

/// Every path there is. All but the health of the door itself ask for credentials, also those
/// that do not exist.
pub fn router(door: Arc<Door>) -> Router {
    Router::new()
        .route("/json-rpc/{version}", any(json_rpc))
        .route("/json-rpc/{version}/", any(json_rpc))
        .merge(simulator::router())
        .fallback(|| async { error_pages::not_found("There is nothing at this path.") })
        .layer(from_fn_with_state(Arc::clone(&door), authenticate))
        .merge(simulator::open_router())
        .with_state(door)
}

async fn authenticate(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    if door.credentials.admit(request.headers()) {
        return next.run(request).await;
    }
    tracing::info!("refused credentials");
    error_pages::unauthorized()
}

async fn json_rpc(
    State(door): State<Arc<Door>>,
    Path(version): Path<String>,
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
        Method::POST => match read(body).await {
            Ok(body) => json_rpc::read_body(&body),
            Err(page) => return page,
        },
        Method::GET => query(&uri),
        _ => return error_pages::method_not_allowed("GET, POST"),
    };
    match call {
        Ok(call) => json(answer(door, version, call).await),
        Err((id, error)) => json(json_rpc::failure(&id, &error)),
    }
}

/// A call is finished also when the client goes away: what it began must not be left half done.
async fn answer(door: Arc<Door>, version: ApiVersion, call: Call) -> String {
    let id = call.id.clone();
    let task = tokio::spawn(async move { door.element.answer(version, call).await });
    task.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a call broke off");
        let error = ElementError::new(ErrorName::Internal, "The call broke off; see the log.");
        json_rpc::failure(&id, &error)
    })
}

/// The whole body, within its length and its deadline, or the page that says what was wrong.
pub async fn read(body: Body) -> Result<Bytes, Response> {
    let max = u64::try_from(BODY_LEN_MAX).unwrap_or(u64::MAX);
    if body.size_hint().lower() > max {
        return Err(error_pages::too_large(&format!("A body has at most {BODY_LEN_MAX} bytes.")));
    }
    match tokio::time::timeout(BODY_DEADLINE, to_bytes(body, BODY_LEN_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let reason = format!("The body broke off, or has more than {BODY_LEN_MAX} bytes.");
            Err(error_pages::bad_request(&reason))
        }
        Err(_) => Err(error_pages::timeout()),
    }
}

/// The head's limit is the query's as well.
fn query(uri: &Uri) -> Result<Call, NotACall> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| (Value::Null, ElementError::missing("method")))?;
    json_rpc::read_query(pairs.0)
}

fn json(answer: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], answer).into_response()
}
