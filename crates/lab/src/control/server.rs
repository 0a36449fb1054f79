//! `/lab/v1` over plain HTTP, for the machine or the network of the lab.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use certs::Authority;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::runs::{self, NotRun, Runs};
use super::switchboard::{NotSwitched, Switchboard};

/// Longest body: a certificate request.
const BODY_LEN_MAX: usize = 64 << 10;

/// How often faults that are on are counted, so that their first act is noted.
const COUNT_INTERVAL: Duration = Duration::from_millis(500);

/// What the requests need.
pub(super) struct Controller {
    pub(super) switchboard: Arc<Switchboard>,
    /// Scenarios that were run.
    pub(super) runs: Arc<Runs>,
    /// Folder of the authority that signs.
    pub(super) pki: PathBuf,
    /// Host and port at which the cluster reaches the key server.
    pub(super) kmip: (String, u16),
    /// Digest of the credentials.
    pub(super) credentials: Vec<u8>,
}

/// Digest of a name and a password.
pub(super) fn credentials(user: &str, password: &str) -> Vec<u8> {
    digest(&SHA256, format!("{user}:{password}").as_bytes()).as_ref().to_vec()
}

/// Serves until it is stopped.
pub(super) async fn serve(listener: TcpListener, controller: Controller) -> Result<(), String> {
    let controller = Arc::new(controller);
    let switchboard = Arc::clone(&controller.switchboard);
    let counting = async {
        loop {
            tokio::time::sleep(COUNT_INTERVAL).await;
            switchboard.count().await;
        }
    };
    let serving = axum::serve(listener, router(controller));
    tokio::select! {
        served = serving => served.map_err(|why| why.to_string()),
        () = counting => Ok(()),
    }
}

fn router(controller: Arc<Controller>) -> Router {
    Router::new()
        .route("/lab/v1/faults", get(faults).delete(all_off))
        .route("/lab/v1/faults/{name}", put(switch))
        .route("/lab/v1/sign", post(sign))
        .route("/lab/v1/defaults", get(defaults))
        .route("/lab/v1/scenarios", get(scenarios))
        .route("/lab/v1/scenarios/{name}/run", post(run_scenario))
        .route("/lab/v1/runs", get(runs))
        .route("/lab/v1/runs/{run}/report.html", get(run_report))
        .fallback(|| async { failure(StatusCode::NOT_FOUND, "path not found") })
        .layer(DefaultBodyLimit::max(BODY_LEN_MAX))
        .layer(from_fn_with_state(Arc::clone(&controller), authenticate))
        .with_state(controller)
}

async fn authenticate(
    State(controller): State<Arc<Controller>>,
    request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let given = given.and_then(|pair| STANDARD.decode(pair.trim()).ok()).unwrap_or_default();
    let given = digest(&SHA256, &given);
    if verify_slices_are_equal(given.as_ref(), &controller.credentials).is_err() {
        return failure(StatusCode::UNAUTHORIZED, "the user name or the password is wrong");
    }
    next.run(request).await
}

async fn faults(State(controller): State<Arc<Controller>>) -> Response {
    answer(&json!({ "faults": controller.switchboard.list().await }))
}

async fn all_off(State(controller): State<Arc<Controller>>) -> Response {
    match controller.switchboard.switch_all_off().await {
        Ok(()) => answer(&json!({})),
        Err(why) => not_switched(&why),
    }
}

/// How a fault shall be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    on: bool,
    #[serde(default)]
    parameters: Map<String, Value>,
}

async fn switch(
    State(controller): State<Arc<Controller>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let Ok(Wanted { on, parameters }) = serde_json::from_slice(&body) else {
        let why = "the body must be {\"on\": true or false, \"parameters\": {...}}";
        return failure(StatusCode::BAD_REQUEST, why);
    };
    match controller.switchboard.switch(&name, on, &parameters).await {
        Ok(fault) => answer(&fault),
        Err(why) => not_switched(&why),
    }
}

/// A certificate request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Unsigned {
    client_certificate_sign_request: String,
}

async fn sign(State(controller): State<Arc<Controller>>, body: Bytes) -> Response {
    let Ok(unsigned) = serde_json::from_slice::<Unsigned>(&body) else {
        let why = "the body must be {\"clientCertificateSignRequest\": PEM}";
        return failure(StatusCode::BAD_REQUEST, why);
    };
    let signing = tokio::task::spawn_blocking(move || {
        let authority = Authority::read(&controller.pki)?;
        let certificate = authority.sign(&unsigned.client_certificate_sign_request)?;
        Ok::<_, certs::Error>((certificate, authority.cert_pem().to_owned()))
    });
    match signing.await {
        Ok(Ok((certificate, authority))) => answer(&json!({
            "kmipCaCertificate": authority,
            "kmipClientCertificate": certificate,
        })),
        Ok(Err(why)) => failure(StatusCode::CONFLICT, &why.to_string()),
        Err(why) => failure(StatusCode::INTERNAL_SERVER_ERROR, &why.to_string()),
    }
}

async fn defaults(State(controller): State<Arc<Controller>>) -> Response {
    let pki = controller.pki.clone();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(pki.join("ca.crt")));
    let authority = read.await.ok().and_then(Result::ok);
    let (hostname, port) = &controller.kmip;
    answer(&json!({
        "hostname": hostname,
        "keyServerName": "lab-server",
        "kmipCaCertificate": authority,
        "port": port,
        "providerName": "lab-provider",
    }))
}

async fn scenarios(State(controller): State<Arc<Controller>>) -> Response {
    let running = controller.runs.running();
    answer(&json!({ "running": running, "scenarios": runs::scenarios() }))
}

async fn run_scenario(
    State(controller): State<Arc<Controller>>,
    Path(name): Path<String>,
) -> Response {
    match controller.runs.begin(&name, Arc::clone(&controller.switchboard)) {
        Ok(run) => answer(&json!({ "run": run })),
        Err(NotRun::Unknown(name)) => {
            failure(StatusCode::NOT_FOUND, &format!("scenario {name:?} not found"))
        }
        Err(NotRun::Busy) => failure(StatusCode::CONFLICT, "another scenario is running"),
    }
}

async fn runs(State(controller): State<Arc<Controller>>) -> Response {
    answer(&json!({ "runs": controller.runs.list() }))
}

async fn run_report(State(controller): State<Arc<Controller>>, Path(run): Path<u64>) -> Response {
    match controller.runs.report(run) {
        Some(html) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        None => failure(StatusCode::NOT_FOUND, "run not found, or it has no report yet"),
    }
}

fn not_switched(why: &NotSwitched) -> Response {
    match why {
        NotSwitched::Unknown(name) => {
            failure(StatusCode::NOT_FOUND, &format!("fault {name:?} not found"))
        }
        NotSwitched::Refused(why) => failure(StatusCode::CONFLICT, why),
        NotSwitched::Failed(why) => failure(StatusCode::BAD_GATEWAY, why),
    }
}

fn answer(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn failure(status: StatusCode, why: &str) -> Response {
    let body = json!({ "error": why }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
