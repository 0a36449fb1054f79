//! PyKMIP's client and libkmip's through the proxy, to our server and to PyKMIP's own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use harness::foreign::{ForeignClients, libkmip, passed};
use harness::proxy_http::conversation;
use harness::{KmipProxy, KmipServer, Lab, PykmipServer};

/// Runs PyKMIP's client as `name`; the steps that held.
fn walk(python: &ForeignClients, lab: &Lab, address: SocketAddr, name: &str) -> Vec<String> {
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let mut script = python.script("pykmip_client.py");
    script.args([host, port]).args([lab.pki(&format!("{name}.crt"))]);
    script.args([lab.pki(&format!("{name}.key")), lab.pki("ca.crt")]);
    let output = script.output().unwrap();
    let steps = String::from_utf8_lossy(&output.stdout);
    steps.lines().map(str::to_owned).collect()
}

/// Nothing that was passed on is other than it came.
fn assert_unchanged(proxy: &KmipProxy) {
    let entries = conversation(proxy.http());
    assert!(entries.len() > 50, "{}", entries.len());
    assert!(entries.iter().all(|entry| entry.get("sent").is_none()));
}

#[test]
fn pykmip_walks_a_keys_life_through_the_proxy() {
    let Some(python) = ForeignClients::python() else { return };
    let lab = Lab::new();
    let ours = KmipServer::start(&lab);
    let proxy = KmipProxy::start(&lab, ours.address(), |program| program);
    // Five versions and nine steps.
    assert_eq!(walk(&python, &lab, proxy.address(), "client").len(), 45);
    assert_unchanged(&proxy);
}

#[test]
fn pykmip_speaks_to_its_own_server_through_the_proxy() {
    let Some(python) = ForeignClients::python() else { return };
    let lab = Lab::new();
    let theirs = PykmipServer::start(&python, &lab);
    let proxy = KmipProxy::start(&lab, theirs.address(), |program| program);
    // Its own server does not hold all that the script expects of ours: what it holds, it holds
    // with the proxy and without.
    let through = walk(&python, &lab, proxy.address(), "client");
    assert!(through.len() > 2, "{through:?}");
    assert_eq!(through, walk(&python, &lab, theirs.address(), "alice"));
    let entries = conversation(proxy.http());
    assert!(entries.len() > 10 && entries.iter().all(|entry| entry.get("sent").is_none()));
}

/// Runs one of libkmip's programs as `client`.
fn demo(programs: &Path, lab: &Lab, address: SocketAddr, program: &str, object: &[&str]) -> Output {
    let mut command = Command::new(programs.join(program));
    command.args(["-a", &address.ip().to_string(), "-p", &address.port().to_string()]);
    command.arg("-c").arg(lab.pki("client.crt")).arg("-k").arg(lab.pki("client.key"));
    command.arg("-r").arg(lab.pki("ca.crt")).args(object);
    command.output().unwrap()
}

/// Rest of the line that begins with these words.
fn line_after<'a>(text: &'a str, words: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(words)).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn libkmip_walks_a_keys_life_through_the_proxy() {
    let Some(programs) = libkmip() else { return };
    let lab = Lab::new();
    let ours = KmipServer::start(&lab);
    let proxy = KmipProxy::start(&lab, ours.address(), |program| program);
    let key = |output: Output| {
        let text = passed("demo_get", Ok(output));
        text.split("Symmetric Key:\n").nth(1).unwrap().split("\n\n").next().map(str::to_owned)
    };
    let (through, direct) = (proxy.address(), ours.address());
    let created = passed("demo_create", Ok(demo(&programs, &lab, through, "demo_create", &[])));
    let named = ["-i", line_after(&created, "Symmetric Key ID: ")];
    let got = key(demo(&programs, &lab, through, "demo_get", &named));
    assert!(got.as_ref().is_some_and(|key| key.starts_with("0x")), "{got:?}");
    assert_eq!(got, key(demo(&programs, &lab, direct, "demo_get", &named)));
    passed("demo_destroy", Ok(demo(&programs, &lab, through, "demo_destroy", &named)));
    let gone = demo(&programs, &lab, through, "demo_get", &named);
    let gone = String::from_utf8(gone.stdout).unwrap();
    assert_eq!(line_after(&gone, "Result: "), "Operation Failed (1)");
    // Four requests and their responses.
    let entries = conversation(proxy.http());
    assert_eq!(entries.len(), 8);
    assert!(entries.iter().all(|entry| entry.get("sent").is_none()));
}
