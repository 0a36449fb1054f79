//! Client of the cluster: Element's API, the simulator's, and the lab controller through it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::https::Https;

/// Path of Element's API.
const API: &str = "/json-rpc/12.3";

/// The cluster, as its administrator reaches it.
pub struct Cluster {
    https: Https,
    authorization: String,
}

impl Cluster {
    /// A cluster behind this client.
    pub fn new(https: Https, user: &str, password: &str) -> Self {
        let authorization = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        Self { https, authorization }
    }

    /// Sends a request that must succeed.
    pub async fn must(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.https.send(method, path, &self.authorization, text.as_bytes()).await?;
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match answer.status {
            200 => Ok(value),
            status => {
                let why = value.get("error").and_then(Value::as_str).unwrap_or("no reason");
                Err(format!("the cluster answered {status}: {why}"))
            }
        }
    }

    /// Sends bytes; the status and the bytes of the answer.
    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<(u16, Vec<u8>), String> {
        let answer = self.https.send(method, path, &self.authorization, body).await?;
        Ok((answer.status, answer.body))
    }

    /// Calls a method of Element; the inner error has the name and the message of the API.
    pub async fn call(
        &self,
        method: &str,
        params: &Value,
    ) -> Result<Result<Value, (String, String)>, String> {
        let request = json!({ "method": method, "params": params });
        let answer = self.must("POST", API, &request).await?;
        if let Some(result) = answer.get("result") {
            return Ok(Ok(result.clone()));
        }
        let part = |name: &str| {
            let text = answer.pointer(&format!("/error/{name}")).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        Ok(Err((part("name"), part("message"))))
    }

    /// Adds a note to the cluster's events. A cluster that is away misses it.
    pub async fn note(&self, source: &str, title: &str, text: &str, data: Value) {
        let note = json!({ "source": source, "title": title, "text": text, "data": data });
        let _ = self.must("POST", "/sim/v1/notes", &note).await;
    }
}
