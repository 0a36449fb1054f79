//! Client of the cluster: Element's JSON-RPC, and the simulator's own API.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lab_tools::https::{Answer, Https};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;

/// Where the API is; the version is the one in which the method to rekey appeared.
pub(crate) const API: &str = "/json-rpc/12.3";

/// A client of one cluster.
pub(crate) struct Element {
    https: Https,
    authorization: String,
}

/// A drive as the simulator shows it.
pub(crate) struct Drive {
    /// Its id.
    pub(crate) id: u64,
    /// `active`, `locked` or `absent`.
    pub(crate) state: String,
}

impl Element {
    /// A client of the cluster there.
    pub(crate) fn new(
        address: SocketAddr,
        ca: &Path,
        user: &str,
        password: &str,
    ) -> Result<Self, String> {
        let authorization = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        Ok(Self { https: Https::new(&address.to_string(), ca)?, authorization })
    }

    /// The URL of the API.
    pub(crate) fn url(&self) -> String {
        format!("https://{}{API}", self.https.authority())
    }

    /// Sends a request of JSON-RPC and returns the whole answer, which may hold an error.
    pub(crate) async fn call(&self, request: &Value) -> Result<Value, String> {
        let body = request.to_string();
        let answer = self.send("POST", API, body.as_bytes()).await?;
        match answer.status {
            200 => json_of(&answer),
            status => Err(format!("{} answered {status}", self.url())),
        }
    }

    /// The result of a call that goes well.
    pub(crate) async fn result(&self, method: &str, params: &Value) -> Result<Value, String> {
        let mut answer = self.call(&json!({ "method": method, "params": params })).await?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(format!("{method}: {}", refusal(&answer))),
        }
    }

    /// State of nodes, drives and keys, from the simulator's own API.
    pub(crate) async fn state(&self) -> Result<Value, String> {
        let answer = self.send("GET", "/sim/v1/state", b"").await?;
        match answer.status {
            200 => json_of(&answer),
            status => Err(format!("the state of the cluster cannot be had: {status}")),
        }
    }

    /// The drives of all nodes.
    pub(crate) async fn drives(&self) -> Result<Vec<Drive>, String> {
        let state = self.state().await?;
        let nodes = state.get("nodes").and_then(Value::as_array).into_iter().flatten();
        let drives = nodes.filter_map(|node| node.get("drives")?.as_array()).flatten();
        let drive = |drive: &Value| {
            let state = drive.get("state")?.as_str()?.to_owned();
            Some(Drive { id: drive.get("driveID")?.as_u64()?, state })
        };
        drives.map(drive).collect::<Option<_>>().ok_or("a drive has no state".to_owned())
    }

    /// Writes whole blocks from `lba` on.
    pub(crate) async fn write(&self, drive: u64, lba: u64, blocks: &[u8]) -> Result<(), String> {
        let answer = self.send("PUT", &path(drive, lba), blocks).await?;
        match answer.status {
            200 => Ok(()),
            _ => Err(format!("drive {drive} does not take data: {}", error_text(&answer))),
        }
    }

    /// Reads `count` blocks from `lba` on; `Err` in the inner result when the drive is locked.
    pub(crate) async fn read(
        &self,
        drive: u64,
        lba: u64,
        count: u64,
    ) -> Result<Result<Vec<u8>, String>, String> {
        let answer = self.send("GET", &format!("{}?count={count}", path(drive, lba)), b"").await?;
        match answer.status {
            200 => Ok(Ok(answer.body)),
            423 => Ok(Err(error_text(&answer))),
            _ => Err(format!("drive {drive} cannot be read: {}", error_text(&answer))),
        }
    }

    async fn send(&self, verb: &str, path: &str, body: &[u8]) -> Result<Answer, String> {
        self.https.send(verb, path, &self.authorization, body).await
    }
}

/// Text of an error answer.
pub(crate) fn refusal(answer: &Value) -> String {
    let part = |name| answer.get("error").and_then(|error| error.get(name)?.as_str());
    match (part("name"), part("message")) {
        (Some(name), Some(message)) => format!("{name}: {message}"),
        _ => format!("neither result nor error: {answer}"),
    }
}

fn path(drive: u64, lba: u64) -> String {
    format!("/sim/v1/drives/{drive}/blocks/{lba}")
}

fn json_of(answer: &Answer) -> Result<Value, String> {
    serde_json::from_slice(&answer.body).map_err(|why| format!("the answer is no JSON: {why}"))
}

fn error_text(answer: &Answer) -> String {
    let json = json_of(answer).ok();
    let json = json.as_ref().and_then(|json| json.get("error")?.as_str()).unwrap_or_default();
    format!("{} {json}", answer.status)
}
