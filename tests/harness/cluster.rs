//! A cluster as a process, and a client for its API.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::{Answer, Https, Lab, Process, Program};

/// The administrator that the tests use.
const USER: &str = "admin";
const PASSWORD: &str = "solidfire";
/// The endpoint's version.
const VERSION: &str = "12.3";
/// Between two looks at something that is on its way.
const POLL: Duration = Duration::from_millis(20);

/// A running cluster on a port of its own; killed when dropped.
pub struct Cluster {
    process: Process,
    program: Program,
    https: Https,
    data: PathBuf,
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
        let data = lab.path(folder);
        let program = Program::new("node-sim", "node-sim listening on https://").arg("serve");
        let program = program.arg("--data").arg(&data);
        let program = program.arg("--user").arg(USER).arg("--password").arg(PASSWORD);
        let program = program.arg("--cert").arg(lab.pki("server.crt"));
        let program = program.arg("--key").arg(lab.pki("server.key"));
        let program = more(program);
        let process = program.clone().arg("--listen").arg("127.0.0.1:0").start();
        let address = process.address().parse().expect("node-sim prints its address");
        let https = Https::new(address, &lab.pem("ca.crt"));
        Self { process, program, https, data, next_id: AtomicU64::new(1) }
    }

    /// Where it listens: the same before and after a restart.
    pub fn address(&self) -> SocketAddr {
        self.https.address()
    }

    /// The administrator's name and password.
    pub fn credentials(&self) -> (&'static str, &'static str) {
        (USER, PASSWORD)
    }

    /// The folder with its state.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The process, to be looked at or ended.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// All that it has said since it was last started.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again, after a kill or to make one, on the same folder and port.
    #[track_caller]
    pub fn restart(&mut self) {
        self.process.kill();
        let listen = self.address().to_string();
        self.process = self.program.clone().arg("--listen").arg(listen).start();
    }

    /// As [`Self::restart`], this once with more arguments or variables; false when it ended
    /// before it was ready.
    pub fn try_restart_with(&mut self, more: impl FnOnce(Program) -> Program) -> bool {
        self.process.kill();
        let listen = self.address().to_string();
        let started = more(self.program.clone().arg("--listen").arg(listen)).try_start();
        started.map(|process| self.process = process).is_ok()
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
