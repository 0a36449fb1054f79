//! Requests that are passed on to the lab controller, so that a page needs no other origin.
//!
//! The controller is reached over plain HTTP: it is on this machine, or in a network of the lab's
//! own. It gets the administrator's credentials, and never a cookie.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// How long the head of an answer may take: signing a certificate is the longest work.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// What a page of the controller may do, which has in it what clients chose: nothing.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

/// Where the lab controller is, and the credentials that it is given.
pub(crate) struct LabController {
    /// Host and port.
    authority: String,
    authorization: HeaderValue,
}

/// Why a request was not passed on.
#[derive(Debug, thiserror::Error)]
pub(super) enum PassError {
    /// No answer came.
    #[error("the lab controller at {0} cannot be reached: {1}")]
    Unreachable(String, String),
    /// The answer took too long.
    #[error("the lab controller at {0} did not answer in time")]
    Late(String),
    /// There is no controller.
    #[error("this program was started without a lab controller; set --lab-controller")]
    None,
}

impl LabController {
    /// The controller at this host and port.
    pub(crate) fn new(authority: String, user: &str, password: &str) -> Result<Self, String> {
        let pair = Zeroizing::new(format!("{user}:{password}"));
        let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut authorization = HeaderValue::from_str(&text).map_err(|error| error.to_string())?;
        authorization.set_sensitive(true);
        Ok(Self { authority, authorization })
    }

    /// Sends a request, and returns the answer as it comes.
    pub(super) async fn pass(
        &self,
        method: Method,
        uri: &Uri,
        body: Bytes,
    ) -> Result<Response, PassError> {
        let unreachable = |cause: &dyn std::fmt::Display| {
            PassError::Unreachable(self.authority.clone(), cause.to_string())
        };
        let answered = async {
            let stream =
                TcpStream::connect(&self.authority).await.map_err(|error| unreachable(&error))?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
                .await
                .map_err(|error| unreachable(&error))?;
            // It ends with the answer's body.
            tokio::spawn(connection);
            let path = uri.path_and_query().map_or("/", |path| path.as_str());
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::HOST, &self.authority)
                .header(header::AUTHORIZATION, &self.authorization)
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::CONNECTION, "close")
                .body(Body::from(body))
                .map_err(|error| unreachable(&error))?;
            sender.send_request(request).await.map_err(|error| unreachable(&error))
        };
        let late = |_| PassError::Late(self.authority.clone());
        let answer = tokio::time::timeout(ANSWER_DEADLINE, answered).await.map_err(late)??;
        let (parts, body) = answer.into_parts();
        Ok((parts.status, passed_headers(&parts.headers), Body::new(body)).into_response())
    }
}

/// The headers of an answer that are passed on.
fn passed_headers(headers: &HeaderMap) -> HeaderMap {
    let mut passed = HeaderMap::new();
    let json = HeaderValue::from_static("application/json");
    let content_type = headers.get(header::CONTENT_TYPE).cloned().unwrap_or(json);
    passed.insert(header::CONTENT_TYPE, content_type);
    passed.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    passed.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let disposition: HeaderName = header::CONTENT_DISPOSITION;
    if let Some(value) = headers.get(&disposition) {
        passed.insert(disposition, value.clone());
    }
    passed
}
