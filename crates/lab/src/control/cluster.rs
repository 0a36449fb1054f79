//! Client of the cluster's simulator API.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::https::Https;

/// The cluster, as its administrator reaches it.
pub(super) struct Cluster {
    https: Https,
    authorization: String,
}

impl Cluster {
    pub(super) fn new(https: Https, user: &str, password: &str) -> Self {
        let authorization = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        Self { https, authorization }
    }

    /// Sends a request that must succeed.
    pub(super) async fn must(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, String> {
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

    /// Adds a note to the cluster's events. A cluster that is away misses it.
    pub(super) async fn note(&self, source: &str, title: &str, text: &str, data: Value) {
        let note = json!({ "source": source, "title": title, "text": text, "data": data });
        let _ = self.must("POST", "/sim/v1/notes", &note).await;
    }
}
