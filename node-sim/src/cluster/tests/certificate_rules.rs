//! Severities of the faults about certificates.

use crate::cluster::certificate_rules::update;
use crate::state::faults::{FaultKind, FaultPlace, FaultTypes, KmipServerFault};
use crate::state::key_ring::{KeyId, KeyManagement};
use crate::state::key_server_registry::KeyServerKmip;
use crate::state::ledger::{Identity, Ledger};
use crate::state::timestamps::parse;
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use std::collections::BTreeMap;

/// A ledger with a key server whose certificates end with 2021.
fn ledger() -> Ledger {
    let mut params = CertificateParams::new(vec!["kms".into()]).unwrap();
    params.not_before = parse("2021-01-01T00:00:00Z").unwrap();
    params.not_after = parse("2021-12-31T00:00:00Z").unwrap();
    let pem = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    let mut ledger = Ledger::new(Identity::new("lab", "a", "b"), BTreeMap::new());
    let server = KeyServerKmip {
        name: "kms".into(),
        hostnames: vec!["kms".into()],
        port: 5696,
        ca_certificate: pem.clone(),
        client_certificate: pem,
    };
    let id = ledger.registry.create_server(server).unwrap();
    let provider = ledger.registry.create_provider("p").unwrap();
    ledger.registry.add_to_provider(id, provider).unwrap();
    ledger
}

/// Severity of the fault about the CA, and whether it blocks an upgrade.
fn about_ca(ledger: &Ledger) -> Option<(Value, Value)> {
    let faults = ledger.faults.list(FaultTypes::Current);
    let is_ca = |fault: &&Value| fault["details"].as_str().unwrap().contains("root CA");
    faults.iter().find(is_ca).map(|f| (f["severity"].clone(), f["blocksUpgrade"].clone()))
}

#[test]
fn a_certificate_of_a_server_in_use_becomes_critical_and_of_another_a_warning() {
    let table = [
        ("2021-06-01T00:00:00Z", None, None),
        ("2021-12-11T00:00:00Z", Some("warning"), Some("warning")),
        ("2021-12-26T00:00:00Z", Some("error"), Some("warning")),
        ("2021-12-29T00:00:00Z", Some("critical"), Some("warning")),
        ("2022-01-01T00:00:00Z", Some("critical"), Some("warning")),
    ];
    for (now, in_use, unused) in table {
        for (is_in_use, expected) in [(true, in_use), (false, unused)] {
            let mut ledger = ledger();
            if is_in_use {
                let management = KeyManagement::External { key_provider_id: 1 };
                ledger.ring.plan(KeyId::random(), management, String::new());
            }
            update(&mut ledger, parse(now).unwrap());
            let found = about_ca(&ledger);
            let severity = found.as_ref().and_then(|(severity, _)| severity.as_str());
            assert_eq!(severity, expected, "{now} {is_in_use}");
            let blocks = matches!(expected, Some("error" | "critical"));
            assert!(found.is_none_or(|(_, value)| value == blocks), "{now} {is_in_use}");
        }
    }
}

#[test]
fn a_fault_lasts_as_long_as_what_was_found_and_others_stay() {
    let mut ledger = ledger();
    let now = |text| parse(text).unwrap();
    let kind = FaultKind::KmipServer(KmipServerFault::ConnectionFailure);
    let place = FaultPlace::key_server(1);
    ledger.faults.raise(kind, place, "away", now("2021-06-01T00:00:00Z"));
    assert!(update(&mut ledger, now("2021-12-11T00:00:00Z")));
    assert!(!update(&mut ledger, now("2021-12-11T00:00:00Z")));
    assert!(update(&mut ledger, now("2021-12-12T00:00:00Z")) || about_ca(&ledger).is_some());
    // The clock was wrong, and is put right.
    assert!(about_ca(&ledger).is_some());
    update(&mut ledger, now("2021-06-01T00:00:00Z"));
    assert_eq!(about_ca(&ledger), None);
    let left = ledger.faults.list(FaultTypes::Current);
    assert!(left.iter().any(|fault| fault["code"] == "kmipServerFault"), "{left:?}");
}
