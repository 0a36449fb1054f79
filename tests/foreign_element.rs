//! The seed's five steps and NetApp's own clients, against a cluster and a key server.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it says"
)]

use std::process::Command;
use std::time::Duration;

use harness::foreign::{ForeignClients, has_program, passed};
use harness::{Cluster, KmipServer, Lab, Program, repository};
use serde_json::{Value, json};

/// The command that signs a cluster's request: what the lab's authority is for.
fn signer(lab: &Lab) -> Vec<String> {
    let program = Program::new("certs", "").arg("sign").arg(lab.path("pki"));
    let command = program.arg("--csr").arg("-").arg("--out").arg("-").command();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect()
}

#[test]
fn curl_walks_the_five_steps() {
    if !has_program("curl") {
        return;
    }
    let lab = Lab::new();
    let (server, cluster) = (KmipServer::start(&lab), Cluster::start(&lab));
    let (user, password) = cluster.credentials();
    let output = Command::new("bash")
        .arg(repository().join("tests/foreign/five_steps.sh"))
        .env("ELEMENT_URL", format!("https://localhost:{}/json-rpc/12.3", cluster.address().port()))
        .env("ELEMENT_CA", lab.pki("ca.crt"))
        .env("ELEMENT_USER", format!("{user}:{password}"))
        .env("KMIP_HOST", "localhost")
        .env("KMIP_PORT", server.address().port().to_string())
        .env("KMIP_CA", lab.pki("ca.crt"))
        .env("KMIP_SIGN", signer(&lab).join(" "))
        .output();
    let said = passed("five_steps.sh", output);
    for step in 1..=5 {
        assert!(said.contains(&format!("== step {step}")), "step {step} is missing:\n{said}");
    }
    assert!(said.contains("== all five steps held"), "{said}");
}

#[test]
fn the_python_sdk_rekeys_out_and_back() {
    let Some(python) = ForeignClients::python() else { return };
    let lab = Lab::new();
    let (server, cluster) = (KmipServer::start(&lab), Cluster::start(&lab));
    let (user, password) = cluster.credentials();
    let (port, kmip_port) =
        (cluster.address().port().to_string(), server.address().port().to_string());
    let pki = lab.path("pki").display().to_string();
    let sign = signer(&lab);
    let mut args = vec!["localhost", &port, user, password, "localhost", &kmip_port, &pki];
    args.extend(sign.iter().map(String::as_str));
    let said = python.run("element_sdk.py", &args);
    let held: Vec<&str> = said.lines().collect();
    let steps = [
        "basics",
        "begins_internal",
        "key_pair",
        "request",
        "provider",
        "server",
        "assign",
        "to_external",
        "in_use",
        "results",
        "refusals",
        "same_place",
        "to_internal",
        "take_down",
    ];
    assert_eq!(held, steps);
}

/// NetApp's command line, one process a call.
struct Sfcli<'a> {
    python: &'a ForeignClients,
    cluster: &'a Cluster,
    home: std::path::PathBuf,
}

impl Sfcli<'_> {
    /// Runs `sfcli GROUP COMMAND ...` and returns what it printed.
    #[track_caller]
    fn run(&self, options: &[&str], args: &[&str]) -> String {
        let (user, password) = self.cluster.credentials();
        let port = self.cluster.address().port().to_string();
        let mut command = self.python.program("sfcli");
        command.env("HOME", &self.home).args(["--nocache", "-m", "localhost", "-q", &port]);
        command.args(["-u", user, "-p", password]).args(options).args(args);
        passed(&format!("sfcli {}", args.join(" ")), command.output())
    }

    /// Runs a command with `-j`, which prints the whole answer, and returns its result.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let said = self.run(&["-j"], args);
        let answer: Option<Value> = serde_json::from_str(&said).ok();
        answer
            .and_then(|answer| answer.get("result").cloned())
            .unwrap_or_else(|| panic!("no result from {args:?}:\n{said}"))
    }

    /// Sends any method: the only way to a rekey, which has no command of its own.
    #[track_caller]
    fn invoke(&self, method: &str, parameters: &Value) -> Value {
        let parameters = parameters.to_string();
        let args = ["sfapi", "invoke", "--method", method, "--parameters", &parameters];
        let said = self.run(&[], &args);
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("no JSON from {method}:\n{said}"))
    }
}

#[test]
fn sfcli_sets_up_the_trust_and_rekeys() {
    let Some(python) = ForeignClients::python() else { return };
    let lab = Lab::new();
    let (server, cluster) = (KmipServer::start(&lab), Cluster::start(&lab));
    let sfcli = Sfcli { python: &python, cluster: &cluster, home: lab.path("") };

    sfcli.run(&[], &["security", "createpublicprivatekeypair", "--commonname", "sfcli-cluster"]);
    let request = sfcli.json(&["security", "getclientcertificatesignrequest"]);
    let request = request["clientCertificateSignRequest"].as_str().expect("a request in PEM");
    let cert = lab.authority().sign(request).expect("a request that can be signed");

    let made =
        sfcli.json(&["security", "createkeyproviderkmip", "--keyprovidername", "sfcli provider"]);
    let provider = &made["kmipKeyProvider"]["keyProviderID"];
    assert!(provider.is_u64(), "{made}");
    let (ca, port) = (lab.pem("ca.crt"), server.address().port());
    let (cert, port_text) = (cert.trim(), port.to_string());
    let mut create = vec!["security", "createkeyserverkmip", "--kmipcacertificate", ca.trim()];
    create.extend(["--kmipclientcertificate", cert, "--kmipkeyserverhostnames", "localhost"]);
    create.extend(["--kmipkeyservername", "sfcli server", "--kmipkeyserverport", &port_text]);
    let made = sfcli.json(&create);
    let key_server = &made["kmipKeyServer"];
    assert_eq!(key_server["kmipKeyServerHostnames"], json!(["localhost"]));
    assert_eq!(key_server["kmipKeyServerPort"], json!(port));
    assert_eq!(key_server["kmipKeyServerName"], json!("sfcli server"));

    let (provider_id, server_id) = (provider.to_string(), key_server["keyServerID"].to_string());
    let on_server = ["--keyserverid", server_id.as_str()];
    let on_provider = ["--keyproviderid", provider_id.as_str()];
    let security = |command, more: &[&str]| {
        sfcli.run(&[], &[&["security", command], more].concat());
    };
    security("testkeyserverkmip", &on_server);
    security("addkeyservertoproviderkmip", &[on_provider, on_server].concat());
    security("testkeyproviderkmip", &on_provider);
    let listed = sfcli.json(&["security", "listkeyproviderskmip"]);
    assert_eq!(listed["kmipKeyProviders"][0]["keyServerIDs"], json!([key_server["keyServerID"]]));

    let parameters = json!({ "keyManagementType": "external", "keyProviderID": provider });
    let started = sfcli.invoke("RekeySoftwareEncryptionAtRestMasterKey", &parameters);
    let handle = &started["asyncHandle"];
    cluster.completed(handle, Duration::from_secs(60));
    let handle_text = handle.to_string();
    let result =
        sfcli.json(&["async", "getresult", "--asynchandle", &handle_text, "--keepresult", "true"]);
    assert_eq!(result["status"], "complete", "{result}");
    assert_eq!(result["result"]["state"], "Ready", "{result}");
    assert_eq!(result["result"]["newKey"]["keyProviderID"], *provider, "{result}");

    let info = sfcli.invoke("GetSoftwareEncryptionAtRestInfo", &json!({}));
    assert_eq!(info["masterKeyInfo"]["keyManagementType"], "external", "{info}");
    assert_eq!(info["masterKeyInfo"]["keyID"], result["result"]["newKey"]["keyID"], "{info}");
    assert_eq!(info["rekeyMasterKeyAsyncResultID"], *handle, "{info}");
}
