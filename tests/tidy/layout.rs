//! Rules on the layout: imports between crates, places of libraries, files of operations.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use harness::repository;
use serde_json::Value;

use crate::architecture::SHARED_BY_OPERATIONS;
use crate::check;
use crate::source::Source;
use crate::tree::{files, sources};

/// Crate, and the crates of this repository that it may import.
const CRATE_IMPORTS: [(&str, &[&str]); 11] = [
    ("ttlv", &[]),
    ("support", &[]),
    ("kmip", &["support", "ttlv"]),
    ("kmip-server", &["kmip", "support", "ttlv"]),
    ("node-sim", &["kmip", "support"]),
    ("certs", &["support"]),
    ("kmip-conformance", &["kmip", "ttlv"]),
    ("kmip-proxy", &["kmip", "support", "ttlv"]),
    ("lab", &["certs", "kmip", "kmip-proxy", "kmip-server", "node-sim", "ttlv"]),
    ("fuzz", &["kmip", "kmip-server", "ttlv"]),
    (
        "tests",
        &[
            "certs",
            "kmip",
            "kmip-conformance",
            "kmip-proxy",
            "kmip-server",
            "lab",
            "node-sim",
            "ttlv",
        ],
    ),
];

/// What the tests of a crate may import besides.
const TEST_IMPORTS: [&str; 1] = ["certs"];

/// Directory, and how many entries it may have.
const ENTRIES_MAX: [(&str, usize); 3] = [("", 28), ("kmip-server/src/", 14), ("node-sim/src/", 14)];

/// Library, and the beginnings of the paths where it may be imported.
type LibraryPlaces = &'static [(&'static str, &'static [&'static str])];

const LIBRARY_PLACES: LibraryPlaces = &[
    ("cryptoki", &["kmip-server/src/crypto/pkcs11/"]),
    ("quick_xml", &["crates/kmip/src/encoding/xml.rs"]),
    ("serde_json", JSON),
    ("sled", &["kmip-server/src/store/engine/sled/"]),
    ("redb", &["kmip-server/src/store/engine/redb.rs"]),
    ("rustls", TLS),
    ("tokio_rustls", TLS),
    ("rcgen", RCGEN),
    ("hyper", HTTP),
    ("hyper_util", HTTP),
    ("axum", HTTP),
    ("libfuzzer_sys", &["fuzz/"]),
];

/// One directory of each program.
const HTTP: &[&str] = &[
    "crates/lab/src/control/",
    "crates/proxy/src/http/",
    "kmip-server/src/net/https/",
    "node-sim/src/api/",
];

/// JSON is the language of the cluster and of the proxy's rules, and one encoding of the key
/// server's messages.
const JSON: &[&str] = &[
    "crates/conformance/",
    "crates/kmip/src/encoding/json.rs",
    "crates/kmip/tests/",
    "crates/lab/",
    "crates/proxy/",
    "node-sim/",
    "tests/",
];

/// One directory of each program, the clients, and the texts that they share.
const TLS: &[&str] = &[
    "crates/conformance/src/tls.rs",
    "kmip-server/src/net/tls/",
    "kmip-server/tests/server/client.rs",
    "crates/kmip/src/client/tls",
    "crates/kmip/tests/client/scripted_server.rs",
    "crates/lab/src/https.rs",
    "crates/lab/src/persona/tls",
    "crates/proxy/src/tls/",
    "crates/support/src/tls_failure",
    "node-sim/src/api/http/tls.rs",
    "node-sim/tests/program.rs",
    "tests/benches/server",
    "tests/harness/https.rs",
    "tests/harness/mutual_tls.rs",
    "tests/proxy/byte_server.rs",
];

/// The certificate authority of the lab, the cluster's key pair and TLS certificate, and tests of
/// certificates made by others.
const RCGEN: &[&str] = &[
    "certs/",
    "kmip-server/src/tests/known_answers/certificates.rs",
    "kmip-server/src/tests/known_answers/chains.rs",
    "node-sim/src/cluster/tests/certificate_rules.rs",
    "node-sim/src/cluster/tests/key_pair.rs",
    "node-sim/src/key_server/certificate_checks.rs",
    "node-sim/src/key_server/client_key_pair.rs",
    "node-sim/src/api/http/tls.rs",
];

/// Crates whose types have one form, TTLV. `kmip` converts it to JSON and XML item by item, and
/// derives nothing.
const WITHOUT_SERDE: [&str; 2] = ["ttlv", "kmip"];

/// Manifests of the workspaces.
const WORKSPACES: [&str; 2] = ["Cargo.toml", "fuzz/Cargo.toml"];

/// Packages of all workspaces.
fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut packages = Vec::new();
    for manifest in WORKSPACES {
        let args = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
        let mut command = Command::new(&cargo);
        command.current_dir(repository()).args(args).args(["--manifest-path", manifest]);
        let output = command.output().expect("cargo runs").stdout;
        let metadata: Value = serde_json::from_slice(&output).expect("metadata in JSON");
        let found = list(&metadata, "packages");
        assert!(!found.is_empty(), "{manifest} has packages");
        packages.extend_from_slice(found);
    }
    packages
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[test]
fn crate_imports_only_what_its_row_lists() {
    let packages = packages();
    let crates: BTreeSet<&str> = packages.iter().map(|package| text(package, "name")).collect();
    let mut breaches = Vec::new();
    for package in &packages {
        let name = text(package, "name");
        let Some((_, allowed)) = CRATE_IMPORTS.iter().find(|(row, _)| *row == name) else {
            breaches.push(format!("{name}: has no row in the table"));
            continue;
        };
        for dependency in list(package, "dependencies") {
            let (to, kind) = (text(dependency, "name"), text(dependency, "kind"));
            let tested = kind == "dev" && TEST_IMPORTS.contains(&to);
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
    check(
        "ttlv | support <- kmip <- kmip-server | node-sim | proxy <- lab | tests -> certs",
        &breaches,
    );
}

/// Entries of a directory, of all files with these paths.
fn entries<'a>(paths: impl Iterator<Item = &'a str>, directory: &str) -> BTreeSet<&'a str> {
    paths.filter_map(|path| path.strip_prefix(directory)?.split('/').next()).collect()
}

#[test]
fn directory_has_few_entries() {
    let mut breaches = Vec::new();
    for (directory, max) in ENTRIES_MAX {
        let entries = entries(files().iter().map(|file| file.path.as_str()), directory);
        assert!(entries.len() > 1, "{directory:?} is read");
        if entries.len() > max {
            breaches.push(format!("{directory:?}: {} entries, {max} allowed", entries.len()));
        }
    }
    check("a directory can be read at a glance", &breaches);
}

#[test]
fn entry_is_counted_once_for_all_its_files() {
    let paths = ["src/a/b.rs", "src/a/c/d.rs", "src/a.rs", "src/lib.rs", "README.md"];
    assert_eq!(entries(paths.into_iter(), "src/").len(), 3);
    assert_eq!(entries(paths.into_iter(), "").len(), 2);
}

fn library_breaches(table: LibraryPlaces, path: &str, text: &str) -> BTreeSet<String> {
    let mut breaches = BTreeSet::new();
    for module in Source::with_tests(text).modules {
        let uses = module.uses.iter().map(|import| &import.path);
        for found in uses.chain(&module.paths) {
            let is_external = found.segments.first().is_some_and(String::is_empty);
            let Some(first) = found.segments.get(usize::from(is_external)) else { continue };
            let Some((_, places)) = table.iter().find(|(library, _)| library == first) else {
                continue;
            };
            // A module of ours with the name of the library.
            let is_named_so = module.items.contains(first)
                || module.uses.iter().any(|import| {
                    import.name == *first && import.path.segments.first() != Some(first)
                });
            let is_ours = is_named_so && !is_external;
            if !is_ours && !places.iter().any(|place| path.starts_with(place)) {
                breaches.insert(format!("{path}:{}: {}", found.line, found.segments.join("::")));
            }
        }
    }
    breaches
}

#[test]
fn library_is_imported_only_in_its_places() {
    let breaches: Vec<String> = sources()
        .filter_map(|file| Some(library_breaches(LIBRARY_PLACES, &file.path, file.text()?)))
        .flatten()
        .collect();
    check("a library is imported in one place, where it can be replaced", &breaches);
}

#[test]
fn library_outside_its_places_is_a_breach() {
    const TABLE: LibraryPlaces = &[("sled", &["store/sled/"])];
    let breaches = |text| library_breaches(TABLE, "store/mod.rs", text).into_iter();
    let rows = [
        ("use sled::{Db};", "sled::Db"),
        ("pub use sled;", "sled"),
        ("fn f() -> sled::Result<()> {}", "sled::Result"),
        ("#[cfg(test)] mod tests { fn f() { sled::open(); } }", "sled::open"),
        ("m!(a, sled::open());", "sled::open"),
        ("mod sled; use ::sled::Db;", "::sled::Db"),
        ("mod sled; fn f() { ::sled::open(); }", "::sled::open"),
        ("extern crate sled as library;", "::sled"),
    ];
    for (text, found) in rows {
        assert_eq!(breaches(text).collect::<Vec<_>>(), [format!("store/mod.rs:1: {found}")]);
        assert!(library_breaches(TABLE, "store/sled/mod.rs", text).is_empty(), "{text}");
    }
    let allowed = [
        "// sled::open()\nconst A: &str = \"sled::open()\";",
        "mod sled; pub use sled::SledStore;",
        "use super::engine::sled; fn f() { sled::sync(); crate::sled::f(); }",
    ];
    for text in allowed {
        assert_eq!(breaches(text).next(), None, "{text}");
    }
}

#[test]
fn crate_has_lints_and_licence_of_the_workspace() {
    let mut breaches = Vec::new();
    for package in &packages() {
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

/// Lines that declare a module, or import from one, that is for the fuzzing targets alone, without
/// the condition that only their build meets.
fn open_to_others(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let names_module = |line: &str| {
        line.ends_with("mod fuzzing;")
            || line.contains("mod fuzzing {")
            || line.contains("fuzzing::")
    };
    let is_open = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| lines.get(before));
        lines.get(*at).is_some_and(|line| names_module(line)) && before != Some(&"#[cfg(fuzzing)]")
    };
    (0..lines.len()).filter(is_open).map(|at| at.saturating_add(1)).collect()
}

#[test]
fn module_for_fuzzing_is_in_no_other_build() {
    let outside = |path: &str| !path.starts_with("fuzz/") && !path.starts_with("tests/tidy/");
    let mut breaches = Vec::new();
    for file in sources().filter(|file| outside(&file.path)) {
        let lines = open_to_others(file.text().unwrap_or_default());
        breaches.extend(lines.into_iter().map(|line| format!("{}:{line}", file.path)));
    }
    check("a module `fuzzing` stands under #[cfg(fuzzing)]", &breaches);
    assert!(open_to_others("#[cfg(fuzzing)]\npub mod fuzzing;").is_empty());
    assert_eq!(open_to_others("mod a;\npub mod fuzzing;\nuse a::fuzzing::B;"), [2, 3]);
}

/// Settings of a profile and of its packages in `Cargo.toml`.
fn profile(manifest: &str, name: &str) -> BTreeSet<String> {
    let (mut section, mut found) = (None, BTreeSet::new());
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            let profile = header.trim_end_matches(']').strip_prefix("profile.");
            section = profile.and_then(|profile| profile.strip_prefix(name));
        } else if let Some(section) = section
            && line.contains('=')
        {
            found.insert(format!("{section}: {line}"));
        }
    }
    found
}

#[test]
fn benchmarks_are_built_with_the_settings_of_dist() {
    let manifest = files().iter().find(|file| file.path == "Cargo.toml");
    let manifest = manifest.and_then(|file| file.text()).expect("the manifest of the workspace");
    let mut dist = profile(manifest, "dist");
    assert!(dist.remove(": inherits = \"release\""), "bench inherits from release too");
    assert_eq!(profile(manifest, "bench"), dist, "benchmarks measure what is shipped");
}

/// Files of payloads that several operations share.
const SHARED_PAYLOADS: [&str; 1] = ["references"];

/// Operations that servers send, and clients perform.
const SENT_BY_SERVERS: [&str; 2] = ["notify", "put"];

/// Operations in the table `operations! { Get => get, ... }` of `kmip`, as names of files.
fn operations() -> BTreeSet<String> {
    let file = files().iter().find(|file| file.path == "crates/kmip/src/payload/mod.rs");
    let text = file.and_then(|file| file.text()).expect("the table of operations is there");
    let rows = text.lines().skip_while(|line| *line != "operations! {").skip(1);
    let rows = rows.take_while(|line| *line != "}");
    let names = rows.filter_map(|line| line.trim().split_once(" => "));
    names.map(|(operation, _)| file_name(operation)).collect()
}

/// Modules in a directory: `a` of `a.rs`, and of `a/mod.rs`.
fn modules(directory: &str) -> BTreeSet<String> {
    let paths = entries(sources().map(|file| file.path.as_str()), directory).into_iter();
    paths.map(|name| name.trim_end_matches(".rs").to_owned()).filter(|name| name != "mod").collect()
}

#[test]
fn operation_has_a_file_of_its_name() {
    let payloads = operations();
    assert_eq!(payloads.len(), kmip::payload::OPERATIONS.len(), "the whole table is read");
    let served = &payloads - &SENT_BY_SERVERS.map(str::to_owned).into();
    let directories = [
        ("crates/kmip/src/payload/", &payloads | &SHARED_PAYLOADS.map(str::to_owned).into()),
        ("kmip-server/src/operations/", &served | &SHARED_BY_OPERATIONS.map(str::to_owned).into()),
    ];
    let mut breaches = Vec::new();
    for (directory, expected) in directories {
        let found = modules(directory);
        let missing = expected.difference(&found);
        breaches.extend(missing.map(|name| format!("{directory}{name}.rs: missing")));
        let extra = found.difference(&expected);
        breaches.extend(extra.map(|name| format!("{directory}{name}: no operation")));
    }
    check("each operation has one file in `payload` and one in `operations`", &breaches);
}

/// Name of the file of an operation: `re_key` for `ReKey`.
fn file_name(operation: &str) -> String {
    let mut name = String::new();
    let mut before = '_';
    let mut letters = operation.chars().peekable();
    while let Some(c) = letters.next() {
        // A word begins after a small letter, or with the last of several capital letters.
        let before_small = letters.peek().is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && before != '_' && (before.is_lowercase() || before_small) {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
        before = c;
    }
    name
}

#[test]
fn file_name_separates_the_words_of_an_operation() {
    assert_eq!(file_name("DiscoverVersions"), "discover_versions");
    assert_eq!(file_name("PKCS_11"), "pkcs_11");
    assert_eq!(file_name("RNGRetrieve"), "rng_retrieve");
    assert_eq!(file_name("ReKeyKeyPair"), "re_key_key_pair");
}
