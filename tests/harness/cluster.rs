//! A cluster as a process, and a client for its API.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::{Answer, Https, Lab, Program, ServerProcess};

/// The administrator that the tests use.
const USER: &str = "admin";
const PASSWORD: &str = "admin";
/// The endpoint's version.
const VERSION: &str = "12.3";
/// Between two looks at something that is on its way.
const POLL: Duration = Duration::from_millis(20);

/// A running cluster on a port of its own; killed when dropped.
pub struct Cluster {
    process: ServerProcess,
    https: Https,
    next_id: AtomicU64,
}

/// An error that the API answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcError {
    /// The code; 500 for everything that the system says.
    pub code: i64,
    /// The name: `xMissingParameter` ...
    pub name: String,
    /// The sentence.
    pub message: String,
}

impl Cluster {
    /// Starts one of four nodes that keeps its state in `node-sim/` of the lab.
    #[track_caller]
    pub fn start(lab: &Lab) -> Self {
        Self::start_with(lab, "node-sim", |program| program)
    }

    /// Starts one that keeps its state in `folder` of the lab, with more arguments or variables.
    #[track_caller]
    pub fn start_with(lab: &Lab, folder: &str, more: impl FnOnce(Program) -> Program) -> Self {
        let program = program().arg("--cert").arg(lab.pki("server.crt"));
        let program = program.arg("--key").arg(lab.pki("server.key"));
        let process = ServerProcess::start(more(program), lab.path(folder));
        Self::of(process, &lab.pem("ca.crt"))
    }

    /// As [`Self::start_with`], with the certificate that the program makes for itself.
    #[track_caller]
    pub fn start_self_signed(
        lab: &Lab,
        folder: &str,
        more: impl FnOnce(Program) -> Program,
    ) -> Self {
        let process = ServerProcess::start(more(program()), lab.path(folder));
        let certificate = std::fs::read_to_string(process.data().join("door.crt"));
        Self::of(process, &certificate.expect("the certificate that it made"))
    }

    fn of(process: ServerProcess, ca_pem: &str) -> Self {
        let https = Https::new(process.address(), ca_pem);
        Self { process, https, next_id: AtomicU64::new(1) }
    }

    /// The administrator's name and password.
    pub fn credentials(&self) -> (&'static str, &'static str) {
        (USER, PASSWORD)
    }

    /// Sends one call and returns whatever comes back.
    pub fn post(&self, method: &str, params: &Value) -> Result<Answer, String> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "id": id, "method": method, "params": params }).to_string();
        self.send("POST", &format!("/json-rpc/{VERSION}"), &body)
    }

    /// Sends any request, with the administrator's credentials: also to the simulator's own door.
    pub fn send(&self, verb: &str, path: &str, body: &str) -> Result<Answer, String> {
        let secret = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
        let authorization = format!("Authorization: Basic {secret}");
        self.https.send(verb, path, &[&authorization], body)
    }

    /// Calls a method that may be refused.
    #[track_caller]
    pub fn try_call(&self, method: &str, params: &Value) -> Result<Value, RpcError> {
        let answer = match self.post(method, params) {
            Ok(answer) => answer,
            Err(error) => panic!("{method}: {error}\n{}", self.log()),
        };
        assert_eq!(answer.status, 200, "{method}: {}", answer.body);
        let body: Value = serde_json::from_str(&answer.body).expect("an answer in JSON");
        let text = |error: &Value, member: &str| {
            error.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        match (body.get("result"), body.get("error")) {
            (Some(result), None) => Ok(result.clone()),
            (None, Some(error)) => Err(RpcError {
                code: error.get("code").and_then(Value::as_i64).unwrap_or_default(),
                name: text(error, "name"),
                message: text(error, "message"),
            }),
            _ => panic!("{method}: neither result nor error, or both: {body}"),
        }
    }

    /// Calls a method that must succeed.
    #[track_caller]
    pub fn call(&self, method: &str, params: Value) -> Value {
        match self.try_call(method, &params) {
            Ok(result) => result,
            Err(error) => panic!("{method} {params}: {error:?}"),
        }
    }

    /// Waits until what `look` returns is there.
    #[track_caller]
    pub fn until<T>(
        &self,
        what: &str,
        within: Duration,
        mut look: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(begun.elapsed() < within, "{what}: not within {within:?}\n{}", self.log());
            std::thread::sleep(POLL);
        }
    }

    /// Waits until an asynchronous call has ended, and returns its whole result, kept.
    #[track_caller]
    pub fn completed(&self, handle: &Value, within: Duration) -> Value {
        self.until("the asynchronous result", within, |cluster| {
            let params = json!({ "asyncHandle": handle, "keepResult": true });
            let result = cluster.call("GetAsyncResult", params);
            (result.get("status") == Some(&json!("complete"))).then_some(result)
        })
    }
}

fn program() -> Program {
    let program = Program::new("node-sim", "node-sim listening on https://").arg("serve");
    program.arg("--user").arg(USER).arg("--password").arg(PASSWORD)
}

impl Deref for Cluster {
    type Target = ServerProcess;

    fn deref(&self) -> &ServerProcess {
        &self.process
    }
}

impl DerefMut for Cluster {
    fn deref_mut(&mut self) -> &mut ServerProcess {
        &mut self.process
    }
}
