//! PyKMIP's client, unmodified, against the key server: a client that nobody here wrote.

use harness::foreign::ForeignClients;
use harness::{KmipServer, Lab};

const VERSIONS: [&str; 5] = ["1_0", "1_1", "1_2", "1_3", "1_4"];

/// What each version walks through, in this order; `pykmip_client.py` says what each must give.
const STEPS: [&str; 9] = [
    "create",
    "register",
    "locate",
    "get",
    "get_attributes",
    "get_attribute_list",
    "activate",
    "revoke",
    "destroy",
];

/// Runs the script; `client` names the certificate. Returns the steps that held, a line each.
fn walk(python: &ForeignClients, lab: &Lab, server: &KmipServer, client: &str) -> Vec<String> {
    let (host, port) = (server.address().ip().to_string(), server.address().port().to_string());
    let file = |name: String| lab.pki(&name).display().to_string();
    let (cert, key) = (file(format!("{client}.crt")), file(format!("{client}.key")));
    let args = [host, port, cert, key, file("ca.crt".to_owned())];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    python.run("pykmip_client.py", &args).lines().map(str::to_owned).collect()
}

fn all_steps() -> Vec<String> {
    let rows = VERSIONS.iter().flat_map(|version| STEPS.map(|step| format!("{version} {step}")));
    rows.collect()
}

#[test]
fn pykmip_walks_a_keys_life_in_every_version_it_speaks() {
    let Some(python) = ForeignClients::python() else { return };
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    assert_eq!(walk(&python, &lab, &server, "client"), all_steps());
    // Another client meets none of what the first left behind, and its names are free.
    assert_eq!(walk(&python, &lab, &server, "alice"), all_steps());
}

#[test]
fn pykmip_accepts_rsa_certificates() {
    let Some(python) = ForeignClients::python() else { return };
    let lab = Lab::with(certs::Algorithm::Rsa2048, false);
    let server = KmipServer::start(&lab);
    assert_eq!(walk(&python, &lab, &server, "client"), all_steps());
}
