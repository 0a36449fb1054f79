//! The personas against the key server and PyKMIP's, as processes, and the tables of
//! docs/personas.md against what they say.
//!
//! The reports are left in `target/personas/`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it says"
)]

mod document;
mod own_files;
mod proxy;

use std::net::SocketAddr;
use std::process::Output;

use harness::{KmipServer, Lab, Program};
use serde_json::Value;

/// A run of `lab persona`.
struct Run {
    status: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    fn new(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let (out, err) = (text(output.stdout), text(output.stderr));
        Self { status: output.status.code(), out, err }
    }

    /// The report in JSON.
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }
}

fn run(args: &[&str]) -> Run {
    let program = args.iter().fold(Program::new("persona", ""), |program, arg| program.arg(*arg));
    Run::new(program.command().output().expect("the program runs"))
}

/// Plays personas against a server, with the lab's client certificate.
fn play(lab: &Lab, server: SocketAddr, args: &[&str]) -> Run {
    let server = server.to_string();
    let [ca, cert, key] =
        ["ca.crt", "client.crt", "client.key"].map(|name| lab.pki(name).display().to_string());
    let target = ["--server", &server, "--ca", &ca, "--cert", &cert, "--key", &key];
    run(&[args, &target].concat())
}

fn kmip_server(lab: &Lab) -> KmipServer {
    KmipServer::start_with(lab, "kmip-server", |program| program.arg("--store").arg("memory"))
}

/// The steps of a report: persona, number and verdict.
fn steps(report: &Value) -> Vec<(String, usize, String)> {
    let text = |value: &Value, name: &str| value[name].as_str().expect("a text").to_owned();
    let personas = report["personas"].as_array().expect("personas");
    let of_persona = |persona: &Value| {
        let steps = persona["steps"].as_array().expect("steps").iter();
        let rows = (1_usize..).zip(steps);
        let row = |(number, step)| (text(persona, "name"), number, text(step, "verdict"));
        rows.map(row).collect::<Vec<_>>()
    };
    personas.iter().flat_map(of_persona).collect()
}

#[test]
fn exit_status_names_the_outcome() {
    let lab = Lab::new();
    let server = kmip_server(&lab);
    let passed = play(&lab, server.address(), &["openstack-swift"]);
    assert_eq!((passed.status, passed.err.as_str()), (Some(0), ""));
    assert!(passed.out.contains("2 of 2 steps passed"), "{}", passed.out);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failed = play(&lab, closed, &["openstack-swift"]);
    assert_eq!(failed.status, Some(1));
    for part in ["no connection: ", "the proxy server does not start", "step 1 failed"] {
        assert!(failed.out.contains(part), "{part}: {}", failed.out);
    }
    let unknown = play(&lab, server.address(), &["no-such-product"]);
    assert_eq!(unknown.status, Some(2));
    assert_eq!(
        unknown.err,
        "lab persona: persona \"no-such-product\" not found; see `lab persona list`\n"
    );
    let target = ["all", "--server", "localhost", "--ca", "a", "--cert", "b", "--key", "c"];
    let portless = run(&target);
    assert_eq!(portless.status, Some(2));
    assert_eq!(portless.err, "lab persona: server \"localhost\" must be HOST:PORT\n");
    for wrong in [&["all"][..], &[], &["table"], &["table", "no-report"]] {
        let run = run(wrong);
        assert_eq!((run.status, run.out.as_str()), (Some(2), ""), "{wrong:?}: {}", run.err);
    }
}

#[test]
fn list_has_each_persona() {
    let list = run(&["list"]);
    assert_eq!(list.status, Some(0));
    let names: Vec<&str> =
        list.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names.len(), 20, "{}", list.out);
    for name in ["vmware-vcenter", "synology-dsm", "veeam", "ibm-db2"] {
        assert!(names.contains(&name), "{name}: {}", list.out);
    }
}
