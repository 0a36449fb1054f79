//! Client of kmip-proxy's HTTP interface.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Longest answer.
const ANSWER_LEN_MAX: usize = 16 << 20;

/// A proxy at a host and a port.
pub(super) struct Proxy(pub(super) String);

impl Proxy {
    /// Sends a request; the status and the answer.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<(u16, Value), String> {
        let wrong = |why: &dyn std::fmt::Display| format!("kmip-proxy at {}: {why}", self.0);
        let exchange = async {
            let stream = TcpStream::connect(&self.0).await.map_err(|why| wrong(&why))?;
            let handshake = http1::handshake(TokioIo::new(stream)).await;
            let (mut sender, connection) = handshake.map_err(|why| wrong(&why))?;
            tokio::spawn(connection);
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::HOST, &self.0)
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string()))
                .map_err(|why| wrong(&why))?;
            let answer = sender.send_request(request).await.map_err(|why| wrong(&why))?;
            let status = answer.status().as_u16();
            let body = to_bytes(Body::new(answer.into_body()), ANSWER_LEN_MAX).await;
            let body = body.map_err(|why| wrong(&why))?;
            Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
        };
        let late = |_| Err(wrong(&"no answer in time"));
        tokio::time::timeout(DEADLINE, exchange).await.unwrap_or_else(late)
    }

    /// Sends a request that must succeed.
    pub(super) async fn must(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, String> {
        let (status, answer) = self.send(method, path, body).await?;
        match status {
            200 | 201 => Ok(answer),
            _ => {
                let why = answer.get("error").and_then(Value::as_str).unwrap_or("no reason");
                Err(format!("kmip-proxy answered {status}: {why}"))
            }
        }
    }
}
