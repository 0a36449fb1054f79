//! A key server, a proxy, a cluster and the lab controller, each a process.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::foreign::ForeignClients;
use harness::proxy_http::send;
use harness::{Cluster, FrameConnection, KmipProxy, KmipServer, Lab, Process, Program};
use kmip::Version;
use kmip::message::{RequestBatchItem, RequestHeader, RequestMessage, ResponseMessage};
use kmip::payload::{QueryRequest, RequestPayload};
use kmip::vocabulary::QueryFunction;
use lab_tools::control::clock;
use serde_json::{Value, json};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Seconds of a year, about.
const YEAR: i64 = 31_557_600;

pub(crate) struct Fixture {
    lab: Lab,
    key_server: KmipServer,
    proxy: KmipProxy,
    cluster: Cluster,
    controller: SocketAddr,
    _control: Process,
}

impl Fixture {
    pub(crate) fn start() -> Self {
        let lab = Lab::with(certs::Algorithm::EcdsaP256, true);
        let [cluster_clock, key_server_clock] = ["cluster", "key-server"].map(|whose| {
            let file = lab.path(format!("clock-{whose}"));
            clock::set(&file, 0).unwrap();
            file
        });
        let with_clock = |program: Program, file| {
            clock::environment(file)
                .into_iter()
                .fold(program, |program, (name, value)| program.env(name, value))
        };
        let key_server = KmipServer::start_with(&lab, "kmip-server", |program| {
            with_clock(program, &key_server_clock)
        });
        let bad = lab.pki("bad");
        let proxy = KmipProxy::start(&lab, key_server.address(), |program| {
            let program = program.arg("--certificates").arg(&bad);
            let program = program.arg("--upstream-cert").arg(lab.pki("client.crt"));
            program.arg("--upstream-key").arg(lab.pki("client.key"))
        });
        let cluster =
            Cluster::start_with(&lab, "node-sim", |program| with_clock(program, &cluster_clock));
        cluster.make_key_pair("lab");
        cluster.add_key_server(&lab, proxy.address());
        let (user, password) = cluster.credentials();
        let program = Program::new("control", "lab control listening on ");
        let program = [
            ("--listen", "127.0.0.1:0".to_owned()),
            ("--cluster", cluster.address().to_string()),
            ("--proxy", proxy.http().to_string()),
            ("--kmip", proxy.address().to_string()),
            ("--pki", lab.path("pki").display().to_string()),
            ("--clock-cluster", cluster_clock.display().to_string()),
            ("--clock-key-server", key_server_clock.display().to_string()),
            ("--user", user.to_owned()),
            ("--password", password.to_owned()),
        ]
        .into_iter()
        .fold(program, |program, (flag, value)| program.arg(flag).arg(value));
        let control = program.start();
        let controller = control.address().parse().unwrap();
        Self { lab, key_server, proxy, cluster, controller, _control: control }
    }

    /// What PyKMIP sees through the proxy.
    pub(crate) fn pykmip(&self, python: &ForeignClients) -> Value {
        let address = self.proxy.address();
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let file = |name: &str| self.lab.pki(name).display().to_string();
        let args = [host, port, file("client.crt"), file("client.key"), file("ca.crt")];
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        serde_json::from_str(&python.run("lab_faults.py", &args)).unwrap()
    }

    fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let (user, password) = self.cluster.credentials();
        let pair = STANDARD.encode(format!("{user}:{password}"));
        send(self.controller, method, path, &[&format!("Authorization: Basic {pair}")], body)
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> (u16, String) {
        self.send("PUT", path, body)
    }

    pub(crate) fn without_credentials(&self, path: &str) -> u16 {
        send(self.controller, "GET", path, &[], "").0
    }

    pub(crate) fn switch(&self, name: &str, wanted: &Value) {
        let (status, text) = self.put(&format!("/lab/v1/faults/{name}"), &wanted.to_string());
        assert_eq!(status, 200, "{name}: {text}");
    }

    pub(crate) fn all_off(&self) {
        assert_eq!(self.send("DELETE", "/lab/v1/faults", "").0, 200);
    }

    pub(crate) fn faults(&self) -> Vec<Value> {
        let (status, text) = self.send("GET", "/lab/v1/faults", "");
        assert_eq!(status, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["faults"].as_array().unwrap().clone()
    }

    pub(crate) fn fault(&self, name: &str) -> Value {
        self.faults().into_iter().find(|fault| fault["name"] == name).unwrap()
    }

    pub(crate) fn state(&self) -> Value {
        let answer = self.cluster.send("GET", "/sim/v1/state", "").unwrap();
        serde_json::from_str(&answer.body).unwrap()
    }

    pub(crate) fn call(&self, method: &str) -> Result<Value, String> {
        self.cluster.try_call(method, &json!({})).map_err(|error| format!("{error:?}"))
    }

    /// The cluster's own test of its key server.
    pub(crate) fn test_key_server(&self) -> Result<Value, String> {
        let answer = self.cluster.try_call("TestKeyServerKmip", &json!({ "keyServerID": 1 }));
        answer.map_err(|error| format!("{error:?}"))
    }

    /// Year by the clock of this fault.
    pub(crate) fn year_of(&self, fault: &str) -> i64 {
        match fault {
            // A session ends so long after now.
            "clock-cluster" => {
                let (user, password) = self.cluster.credentials();
                let body = json!({ "user": user, "password": password }).to_string();
                let answer = self.cluster.send("POST", "/sim/v1/sessions", &body).unwrap();
                let session: Value = serde_json::from_str(&answer.body).unwrap();
                session["expires"].as_str().unwrap()[..4].parse().unwrap()
            }
            // Refused is a client whose certificate has expired by then.
            _ => self
                .key_server_seconds()
                .map_or(9999, |seconds| seconds.div_euclid(YEAR).saturating_add(1970)),
        }
    }

    /// Waits until the clock of this fault has such a year.
    pub(crate) fn until_year(&self, fault: &str, holds: impl Fn(i64) -> bool) {
        let begun = Instant::now();
        loop {
            let year = self.year_of(fault);
            if holds(year) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{fault}: {year}");
        }
    }

    /// Time Stamp in an answer of the key server.
    fn key_server_seconds(&self) -> Option<i64> {
        let (cert, key) = (self.lab.pem("alice.crt"), self.lab.pem("alice.key"));
        let (address, ca) = (self.key_server.address(), self.lab.pem("ca.crt"));
        let mut connection = FrameConnection::connect(address, &ca, &cert, &key);
        let payload: RequestPayload = QueryRequest {
            query_functions: vec![QueryFunction::QueryServerInformation],
            object_groups: None,
        }
        .into();
        let items = vec![RequestBatchItem::from(payload)];
        let header = RequestHeader::new(Version::V1_4, 1);
        let request = RequestMessage { header, items }.encode();
        let answer = connection.exchange(&request)?;
        Some(ResponseMessage::decode(&answer).unwrap().header.time_stamp.0)
    }
}
