//! A proxy before a key server, as a process.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::proxy_http::{delete, get, post};
use crate::{Lab, Process, Program};

/// What it has to say, it says within this.
const SAID_WITHIN: Duration = Duration::from_secs(60);
/// How often the log is looked at.
const POLL: Duration = Duration::from_millis(5);

/// A running proxy; killed when dropped. Each client of the lab has its own identity at the server.
pub struct KmipProxy {
    process: Process,
    address: SocketAddr,
    http: SocketAddr,
}

impl KmipProxy {
    /// Starts one before the server at `upstream`, with more arguments or variables.
    #[track_caller]
    pub fn start(lab: &Lab, upstream: SocketAddr, more: impl FnOnce(Program) -> Program) -> Self {
        let identities = lab.path("identities.toml");
        let row = |name: &str| {
            format!(
                "[[identity]]\nsubject = \"{name}\"\ncert = \"pki/{name}.crt\"\n\
                 key = \"pki/{name}.key\"\n"
            )
        };
        fs::write(&identities, ["client", "alice", "bob"].map(row).concat()).expect("a file");
        let program = Program::new("kmip-proxy", "kmip-proxy listening on ").arg("serve");
        let program = program.arg("--listen").arg("127.0.0.1:0");
        let program = program.arg("--http-listen").arg("127.0.0.1:0");
        let program = program.arg("--cert").arg(lab.pki("server.crt"));
        let program = program.arg("--key").arg(lab.pki("server.key"));
        let program = program.arg("--client-ca").arg(lab.pki("ca.crt"));
        let program = program.arg("--upstream").arg(upstream.to_string());
        let program = program.arg("--upstream-name").arg("localhost");
        let program = program.arg("--upstream-ca").arg(lab.pki("ca.crt"));
        let program = program.arg("--identities").arg(identities);
        let process = more(program).start();
        let address = process.address().parse().expect("a program prints its address");
        let http = process.line_after("kmip-proxy http listening on ");
        Self { process, address, http: http.parse().expect("a program prints its address") }
    }

    /// Starts one before the server at `upstream`, to which every client without an identity of its
    /// own comes as this one.
    #[track_caller]
    pub fn start_for(lab: &Lab, upstream: SocketAddr, client: &str) -> Self {
        let pair = lab.authority().client(client).expect("a certificate");
        let [cert, key] = ["crt", "key"].map(|kind| lab.path(format!("proxy-{client}.{kind}")));
        fs::write(&cert, &pair.cert_pem).expect("a file");
        fs::write(&key, pair.key_pem.as_bytes()).expect("a file");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a file of ours");
        Self::start(lab, upstream, |program| {
            program.arg("--upstream-cert").arg(cert).arg("--upstream-key").arg(key)
        })
    }

    /// Adds a rule.
    #[track_caller]
    pub fn add_rule(&self, rule: &Value) {
        let (status, body) = post(self.http, "/rules", &rule.to_string());
        assert_eq!(status, 201, "{rule}: {body}");
    }

    /// Removes all rules; nothing is changed any more.
    #[track_caller]
    pub fn remove_rules(&self) {
        let (status, body) = delete(self.http, "/rules");
        assert_eq!(status, 200, "{body}");
    }

    /// Returns how often this rule has changed something.
    #[track_caller]
    pub fn fired(&self, rule: &str) -> u64 {
        self.count(rule, "fired")
    }

    /// Returns how many batch items met the conditions of this rule.
    #[track_caller]
    pub fn matched(&self, rule: &str) -> u64 {
        self.count(rule, "matched")
    }

    #[track_caller]
    fn count(&self, rule: &str, member: &str) -> u64 {
        let (status, body) = get(self.http, &format!("/rules/{rule}"));
        assert_eq!(status, 200, "{body}");
        let counts: Value = serde_json::from_str(&body).expect("counts in JSON");
        counts.get(member).and_then(Value::as_u64).expect("a count")
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its HTTP interface listens.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// The process, to be looked at or ended.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// All that it has said so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until it has said these words so often; also after its end, whose last words are
    /// read by another thread.
    #[track_caller]
    pub fn wait_for_log(&self, words: &str, times: usize) {
        let begun = Instant::now();
        while self.log().matches(words).count() < times {
            assert!(begun.elapsed() < SAID_WITHIN, "it does not say {words:?}:\n{}", self.log());
            thread::sleep(POLL);
        }
    }
}
