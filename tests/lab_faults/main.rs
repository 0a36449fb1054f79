//! Faults by the switch: each of the lab controller's faults is switched on, acts, is noticed by a
//! client that nobody changed for it, and is over when it is switched off.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise, also in what tests share"
)]

mod fixture;

use harness::foreign::ForeignClients;
use serde_json::{Value, json};

use fixture::Fixture;

/// Parameters with which a fault is switched on here, where the defaults would take long or are
/// about an operation that this client does not use so.
const PARAMETERS: &[(&str, &str)] = &[
    ("delay", r#"{"ms": 700}"#),
    ("close-when-idle", r#"{"ms": 20}"#),
    ("other-identifier", r#"{"operation": "Create"}"#),
    ("other-version", r#"{"version": "3.0"}"#),
    ("replica-lag", r#"{"ms": 60000}"#),
    ("too-large", r#"{"operation": "Query"}"#),
];

/// Faults that PyKMIP does not notice, because it compares no name of a certificate, and asks no
/// Query; the cluster does.
const BY_THE_CLUSTER: [&str; 3] = ["tls-no-san", "tls-other-host", "too-large"];

/// What both accept: a certificate without extended key usage may be used for anything (RFC 5280,
/// 4.2.1.12).
const ACCEPTED: [&str; 1] = ["tls-no-eku"];

fn parameters(name: &str) -> Value {
    let row = PARAMETERS.iter().find(|(fault, _)| *fault == name);
    row.map_or_else(|| json!({}), |(_, text)| serde_json::from_str(text).unwrap())
}

#[test]
fn every_fault_of_the_key_server_acts_and_is_noticed() {
    let Some(python) = ForeignClients::python() else { return };
    let lab = Fixture::start();
    let sound = lab.pykmip(&python);
    println!("without a fault: {sound}");
    assert!(!sound.to_string().contains("Error"), "{sound}");
    let faults = lab.faults();
    let faults: Vec<_> = faults
        .iter()
        .filter(|fault| fault["group"] == "KMIP" || fault["group"] == "TLS")
        .map(|fault| fault["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(faults.len() > 25, "{faults:?}");
    for name in faults {
        lab.switch(&name, &json!({ "on": true, "parameters": parameters(&name) }));
        if BY_THE_CLUSTER.contains(&name.as_str()) {
            let noticed = lab.test_key_server();
            assert!(noticed.is_err(), "{name}");
        } else {
            let noticed = lab.pykmip(&python);
            println!("{name}: {noticed}");
            assert_eq!(noticed == sound, ACCEPTED.contains(&name.as_str()), "{name}");
        }
        let fault = lab.fault(&name);
        assert!(fault["on"] == true && fault["fired"].as_u64() > Some(0), "{fault}");
        lab.switch(&name, &json!({ "on": false }));
        assert_eq!(lab.fault(&name)["on"], false);
    }
    assert_eq!(lab.pykmip(&python), sound, "all faults are over");
    lab.test_key_server().unwrap();
}

#[test]
fn faults_of_the_cluster_act_and_are_noticed() {
    let lab = Fixture::start();
    lab.switch("node-power", &json!({ "on": true, "parameters": { "node": 3 } }));
    let off = |state: &Value| state["nodes"][2]["powered"] == false;
    assert!(off(&lab.state()));
    assert_eq!(lab.fault("node-power")["fired"], 1);
    lab.switch("node-power", &json!({ "on": false }));
    assert!(!off(&lab.state()));

    let set = json!({ "method": "GetAPI", "name": "xDBVersionMismatch", "message": "as set" });
    lab.switch("method-error", &json!({ "on": true, "parameters": set }));
    let refused = lab.call("GetAPI").unwrap_err();
    assert!(refused.contains("xDBVersionMismatch"), "{refused}");
    lab.call("GetAPI").unwrap();
    assert_eq!(lab.fault("method-error")["fired"], 1);
    lab.switch("method-error", &json!({ "on": false }));
}

/// The clocks of both programs are set by the library that Debian has for it.
#[test]
fn clocks_are_set_off_and_set_right() {
    let lab = Fixture::start();
    if lab_tools::control::clock::library().is_none() {
        assert_eq!(lab.fault("clock-cluster")["available"], false);
        return harness::foreign::skip("the package faketime is not installed");
    }
    for name in ["clock-cluster", "clock-key-server"] {
        let year = lab.year_of(name);
        lab.switch(name, &json!({ "on": true, "parameters": { "days": 4000 } }));
        lab.until_year(name, |found| found >= year + 10);
        assert_eq!(lab.fault(name)["fired"], 1);
        lab.switch(name, &json!({ "on": false }));
        lab.until_year(name, |found| found <= year + 1);
    }
}

#[test]
fn documentation_lists_every_fault() {
    let document = std::fs::read_to_string(harness::repository().join("docs/lab.md")).unwrap();
    let listed: Vec<_> = document.lines().collect();
    for fault in Fixture::start().faults() {
        let parameters = fault["parameters"].as_object().unwrap().iter();
        let parameters = parameters.map(|(name, parameter)| {
            let value = &parameter["value"];
            format!("`{name}` ({})", value.as_str().map_or(value.to_string(), str::to_owned))
        });
        let [name, group, text] =
            ["name", "group", "text"].map(|part| fault[part].as_str().unwrap());
        let parameters = parameters.collect::<Vec<_>>().join(", ");
        let row = format!("| `{name}` | {group} | {parameters} | {text} |");
        assert!(listed.contains(&row.as_str()), "docs/lab.md lacks the row {row}");
    }
}

#[test]
fn what_cannot_be_switched_is_refused_with_a_reason() {
    let lab = Fixture::start();
    for (name, body, status, why) in [
        ("unheard-of", r#"{"on": true}"#, 404, "fault \"unheard-of\" not found"),
        ("delay", "{}", 400, "the body must be"),
        ("delay", r#"{"on": true, "parameters": {"ms": -1}}"#, 409, "ms must be a whole number"),
        ("delay", r#"{"on": true, "parameters": {"s": 1}}"#, 409, "parameter \"s\" is not known"),
        (
            "node-power",
            r#"{"on": true, "parameters": {"node": 40}}"#,
            502,
            "node 40 does not exist",
        ),
    ] {
        let (found, text) = lab.put(&format!("/lab/v1/faults/{name}"), body);
        assert_eq!(found, status, "{name} {body}: {text}");
        assert!(text.contains(why.replace('"', "\\\"").as_str()), "{text}");
    }
    assert_eq!(lab.without_credentials("/lab/v1/faults"), 401);
    // One listener shows one certificate.
    lab.switch("tls-expired", &json!({ "on": true }));
    lab.switch("tls-other-ca", &json!({ "on": true }));
    assert_eq!(lab.fault("tls-expired")["on"], false);
    lab.all_off();
    assert!(lab.faults().iter().all(|fault| fault["on"] == false));
}
