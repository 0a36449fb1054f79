//! The paths of the interface.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::origin_check::refusal;
use super::shown::Shown;
use crate::engine::Taken;
use crate::rules::parse_json;
use crate::tls::NotShown;

/// Longest rule.
const BODY_LEN_MAX: usize = 1 << 20;
/// Messages that are shown, if the request does not say how many.
const LAST_DEFAULT: usize = 100;

pub(super) fn router(shown: Shown) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/rules", get(all_rules).post(add_rule).delete(remove_rules))
        .route("/rules/{name}", get(one_rule).delete(remove_rule))
        .route("/conversation", get(conversation))
        .route("/certificates", get(certificates))
        .route("/certificate", get(certificate).put(show_certificate))
        .fallback(|| async { failure(StatusCode::NOT_FOUND, "there is nothing at this path") })
        .layer(from_fn_with_state(shown.clone(), check))
        .with_state(shown)
}

async fn check(State(shown): State<Shown>, request: Request, next: Next) -> Response {
    match refusal(request.method(), request.headers(), shown.address, &shown.hosts) {
        None => next.run(request).await,
        Some(why) => {
            let status = match why.starts_with("Content-Type") {
                true => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                false => StatusCode::FORBIDDEN,
            };
            failure(status, why)
        }
    }
}

async fn health(State(shown): State<Shown>) -> Response {
    answer(
        StatusCode::OK,
        &json!({
            "status": "ok",
            "seconds": shown.started.elapsed().as_secs(),
            "rules": shown.engine.counts().len(),
            "messages-lost": shown.recorder.lost(),
        }),
    )
}

async fn all_rules(State(shown): State<Shown>) -> Response {
    answer(StatusCode::OK, &json!(shown.engine.counts()))
}

async fn one_rule(State(shown): State<Shown>, Path(name): Path<String>) -> Response {
    match shown.engine.counts().into_iter().find(|counts| counts.rule.name == name) {
        Some(counts) => answer(StatusCode::OK, &json!(counts)),
        None => failure(StatusCode::NOT_FOUND, "no rule has this name"),
    }
}

async fn add_rule(State(shown): State<Shown>, body: Body) -> Response {
    let Ok(body) = to_bytes(body, BODY_LEN_MAX).await else {
        return failure(StatusCode::PAYLOAD_TOO_LARGE, "a rule must be at most 1 MiB");
    };
    let rule = match parse_json(&body) {
        Ok(rule) => rule,
        Err(why) => return failure(StatusCode::BAD_REQUEST, &why.to_string()),
    };
    let name = rule.name.clone();
    match shown.engine.add(rule, shown.started.elapsed()) {
        Ok(()) => answer(StatusCode::CREATED, &json!({ "name": name })),
        Err(why @ Taken::Name) => failure(StatusCode::CONFLICT, &why.to_string()),
        Err(why @ Taken::Full) => failure(StatusCode::INSUFFICIENT_STORAGE, &why.to_string()),
    }
}

async fn remove_rules(State(shown): State<Shown>) -> Response {
    answer(StatusCode::OK, &json!({ "removed": shown.engine.remove(None) }))
}

async fn remove_rule(State(shown): State<Shown>, Path(name): Path<String>) -> Response {
    match shown.engine.remove(Some(&name)) {
        0 => failure(StatusCode::NOT_FOUND, "no rule has this name"),
        removed => answer(StatusCode::OK, &json!({ "removed": removed })),
    }
}

/// Which certificate is shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    name: String,
}

async fn certificates(State(shown): State<Shown>) -> Response {
    answer(StatusCode::OK, &json!({ "certificates": shown.certificate.names() }))
}

async fn certificate(State(shown): State<Shown>) -> Response {
    let (name, handshakes) = shown.certificate.shown();
    answer(StatusCode::OK, &json!({ "handshakes": handshakes, "name": name }))
}

async fn show_certificate(State(shown): State<Shown>, body: Body) -> Response {
    let Ok(body) = to_bytes(body, BODY_LEN_MAX).await else {
        return failure(StatusCode::PAYLOAD_TOO_LARGE, "a name must be at most 1 MiB");
    };
    let Ok(Chosen { name }) = serde_json::from_slice(&body) else {
        return failure(StatusCode::BAD_REQUEST, "the body must be {\"name\": NAME}");
    };
    match shown.certificate.show(&name) {
        Ok(()) => certificate(State(shown)).await,
        Err(why @ NotShown::Unknown) => failure(StatusCode::NOT_FOUND, &why.to_string()),
        Err(why @ NotShown::File(_)) => failure(StatusCode::CONFLICT, &why.to_string()),
    }
}

/// Which messages are shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    connection: Option<u64>,
    last: Option<usize>,
}

async fn conversation(
    State(shown): State<Shown>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(wanted)) = wanted else {
        return failure(StatusCode::BAD_REQUEST, "parameters are connection and last, as numbers");
    };
    let last = wanted.last.unwrap_or(LAST_DEFAULT);
    let mut lines = String::new();
    for line in shown.recorder.recent(wanted.connection, last) {
        lines.push_str(&line);
        lines.push('\n');
    }
    ([(header::CONTENT_TYPE, "application/jsonl")], lines).into_response()
}

fn answer(status: StatusCode, value: &Value) -> Response {
    let body = format!("{value}\n");
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn failure(status: StatusCode, why: &str) -> Response {
    answer(status, &json!({ "error": why }))
}
