//! Laws about the house: which way the arrows go, and which library lives in which room.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use harness::repository;
use serde_json::Value;

use crate::check;
use crate::text::has_word;
use crate::tree::{files, sources};

/// The arrows: a crate, and the crates of this workspace that it may name.
const ARROWS: [(&str, &[&str]); 8] = [
    ("ttlv", &[]),
    ("kmip", &["ttlv"]),
    ("kmip-server", &["kmip", "ttlv"]),
    ("node-sim", &["kmip"]),
    ("certs", &[]),
    ("kmip-conformance", &["kmip", "ttlv"]),
    ("lab", &["certs", "kmip", "kmip-server", "node-sim"]),
    ("tests", &["certs", "kmip", "kmip-conformance", "kmip-server", "node-sim", "ttlv"]),
];

/// What tests of a crate may name beside these.
const TEST_ARROWS: [&str; 1] = ["certs"];

/// A library, the word that betrays it, and the rooms where it may be named.
const ROOMS: [(&str, &[&str]); 10] = [
    ("cryptoki", &["kmip-server/src/crypto/pkcs11/"]),
    ("quick_xml", &["crates/kmip/src/encoding/xml.rs"]),
    ("serde_json", JSON),
    ("sled", &["kmip-server/src/store/engine/sled/"]),
    ("rustls", TLS),
    ("tokio_rustls", TLS),
    ("rcgen", RCGEN),
    ("hyper", HTTP),
    ("hyper_util", HTTP),
    ("axum", HTTP),
];

/// HTTP is one room of each program.
const HTTP: &[&str] = &["kmip-server/src/net/https/", "node-sim/src/api/"];

/// JSON is what the cluster speaks; of the key server's messages, it is one encoding.
const JSON: &[&str] = &[
    "crates/conformance/",
    "kmip-server/tests/",
    "crates/kmip/src/encoding/json.rs",
    "crates/kmip/tests/",
    "crates/lab/",
    "node-sim/",
    "tests/",
];

/// TLS is one room of each program, and of the client.
const TLS: &[&str] = &[
    "crates/conformance/src/tls.rs",
    "kmip-server/src/net/tls/",
    "kmip-server/tests/server/client.rs",
    "crates/kmip/src/client/tls",
    "crates/kmip/tests/client/listener.rs",
    "crates/lab/src/https.rs",
    "node-sim/src/api/http/tls.rs",
    "tests/benches/server",
    "tests/harness/frames.rs",
    "tests/harness/https.rs",
];

/// Certificates are made by the lab's authority, for the cluster's key pair and for its door; and
/// in the tests that judge those of another hand.
const RCGEN: &[&str] = &[
    "certs/",
    "kmip-server/tests/known_answers/certificates.rs",
    "kmip-server/tests/known_answers/chains.rs",
    "node-sim/src/key_server/certificate_checks.rs",
    "node-sim/src/key_server/client_key_pair.rs",
    "node-sim/src/api/http/tls.rs",
    "node-sim/tests/key_pair.rs",
];

/// Crates whose types have one form, TTLV. The text encodings are made from it item by item, for
/// which `kmip` reads and writes JSON and derives nothing.
const WITHOUT_SERDE: [&str; 2] = ["ttlv", "kmip"];

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let args = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let output = Command::new(cargo).current_dir(repository()).args(args).output();
    serde_json::from_slice(&output.expect("cargo runs").stdout).expect("metadata in JSON")
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[test]
fn arrows_point_one_way() {
    let metadata = metadata();
    let crates: BTreeSet<&str> =
        list(&metadata, "packages").iter().map(|package| text(package, "name")).collect();
    let mut breaches = Vec::new();
    for package in list(&metadata, "packages") {
        let name = text(package, "name");
        let Some((_, allowed)) = ARROWS.iter().find(|(crate_, _)| *crate_ == name) else {
            breaches.push(format!("{name}: has no row in the table of arrows"));
            continue;
        };
        for dependency in list(package, "dependencies") {
            let (to, kind) = (text(dependency, "name"), text(dependency, "kind"));
            let tested = kind == "dev" && TEST_ARROWS.contains(&to);
            if crates.contains(to) && !allowed.contains(&to) && !tested {
                breaches.push(format!("{name} -> {to}"));
            }
            if WITHOUT_SERDE.contains(&name)
                && to.starts_with("serde")
                && kind != "dev"
                && (name, to) != ("kmip", "serde_json")
            {
                breaches.push(format!("{name} -> {to}: its messages have one form, TTLV"));
            }
        }
    }
    check("ttlv <- kmip <- kmip-server | node-sim <- lab | tests -> certs", &breaches);
}

#[test]
fn each_library_stays_in_its_room() {
    let mut breaches = Vec::new();
    for (library, rooms) in ROOMS {
        for file in sources().filter(|file| !file.path.starts_with("tests/tidy/")) {
            if rooms.iter().any(|room| file.path.starts_with(room)) {
                continue;
            }
            for (number, line) in file.lines() {
                let names = [format!("{library}::"), format!("use {library}")];
                let code = line.split("//").next().unwrap_or_default();
                if names.iter().any(|name| has_path(code, name)) {
                    breaches.push(format!("{}:{number}: {}", file.path, line.trim()));
                }
            }
        }
    }
    check("a library is named in its room alone, so that it can be changed there", &breaches);
}

/// Whether `code` names the path: `rustls::` but not `tokio_rustls::`.
fn has_path(code: &str, path: &str) -> bool {
    let word = path.trim_end_matches(':');
    code.contains(path) && has_word(code, word)
}

#[test]
fn every_crate_keeps_the_lints_and_the_licence() {
    let mut breaches = Vec::new();
    for package in list(&metadata(), "packages") {
        let name = text(package, "name");
        if text(package, "license") != "MIT OR Apache-2.0" || text(package, "edition") != "2024" {
            breaches.push(format!("{name}: licence or edition is not the workspace's"));
        }
        let path = Path::new(text(package, "manifest_path")).strip_prefix(repository());
        let manifest = files().iter().find(|file| path == Ok(Path::new(&file.path)));
        let manifest = manifest.and_then(|file| file.text()).unwrap_or_default();
        if !manifest.contains("[lints]\nworkspace = true") {
            breaches.push(format!("{name}: does not take the workspace's lints"));
        }
    }
    for path in ["LICENSE-MIT", "LICENSE-APACHE"] {
        if !files().iter().any(|file| file.path == path) {
            breaches.push(format!("{path} is missing"));
        }
    }
    check("every crate has the workspace's lints, edition and licence", &breaches);
}

#[test]
fn file_names_and_library_paths_are_found() {
    assert_eq!(file_name("DiscoverVersions"), "discover_versions.rs");
    assert!(has_path("use rustls::ClientConfig;", "rustls::"));
    assert!(!has_path("use tokio_rustls::TlsAcceptor;", "rustls::"));
    assert_eq!(file_name("PKCS_11"), "pkcs_11.rs");
    assert_eq!(file_name("RNGRetrieve"), "rng_retrieve.rs");
    assert_eq!(file_name("ReKeyKeyPair"), "re_key_key_pair.rs");
}

/// The file of an operation: `ReKey` is `re_key.rs`.
fn file_name(operation: &str) -> String {
    let mut name = String::new();
    let mut before = '_';
    let mut letters = operation.chars().peekable();
    while let Some(c) = letters.next() {
        // A word begins after a small letter, or is the last letter of a row of great ones.
        let before_small = letters.peek().is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && before != '_' && (before.is_lowercase() || before_small) {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
        before = c;
    }
    format!("{name}.rs")
}

#[test]
fn every_operation_has_its_files() {
    let table = files().iter().find(|file| file.path == "crates/kmip/src/payload/mod.rs");
    let table = table.and_then(|file| file.text()).expect("the table of operations is there");
    let rows = table.lines().skip_while(|line| *line != "operations! {").skip(1);
    let operations: BTreeSet<String> = rows
        .take_while(|line| *line != "}")
        .filter_map(|line| line.trim().split_once(" => "))
        .map(|(operation, _)| file_name(operation))
        .collect();
    assert_eq!(operations.len(), kmip::payload::OPERATIONS.len(), "the whole table is read");
    let server = files().iter().find(|file| file.path == "kmip-server/src/operations/mod.rs");
    let server = server.and_then(|file| file.text()).expect("the operations that are served");
    let rows = server.lines().skip_while(|line| *line != "operations! {").skip(1);
    let served: BTreeSet<String> = rows
        .take_while(|line| *line != "}")
        .filter_map(|line| line.trim().split_once(" => "))
        .map(|(operation, _)| file_name(operation))
        .collect();
    // Notify and Put are sent by servers.
    assert_eq!(served.len(), kmip::payload::OPERATIONS.len() - 2, "the whole list is read");
    let mut breaches = Vec::new();
    let folders =
        [("crates/kmip/src/payload/", &operations), ("kmip-server/src/operations/", &served)];
    for (folder, operations) in folders {
        let there: BTreeSet<String> = sources()
            .filter_map(|file| file.path.strip_prefix(folder))
            .filter(|name| !name.contains('/') && *name != "mod.rs")
            .map(str::to_owned)
            .collect();
        let missing = operations.difference(&there).map(|name| format!("{folder}{name}: missing"));
        breaches.extend(missing);
        let extra =
            there.difference(operations).map(|name| format!("{folder}{name}: no operation"));
        breaches.extend(extra);
    }
    check("one file an operation, here and there, and nothing else beside them", &breaches);
}
