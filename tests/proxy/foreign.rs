//! PyKMIP's client through the proxy, to our server and to PyKMIP's own.

use std::net::SocketAddr;

use harness::foreign::ForeignClients;
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
