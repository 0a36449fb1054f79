//! Rules on dependencies: their licences and their registry.
//!
//! They are checked wherever the tests run. `deny.toml` has the same rules for cargo-deny, which CI
//! runs, and which checks advisories too.

use std::collections::BTreeSet;
use std::process::Command;

use harness::repository;

use crate::check;
use crate::tree::files;

/// Licences that require no more than their text beside the program.
const LICENCES: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Lock files of the workspaces.
const LOCKS: [&str; 2] = ["Cargo.lock", "fuzz/Cargo.lock"];

/// Only registry.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Crates that duplicate what another crate here does.
const BANNED: [(&str, &str); 5] = [
    ("openssl", "TLS and cryptography are rustls and aws-lc-rs"),
    ("native-tls", "TLS is rustls"),
    ("ring", "one provider of cryptography: aws-lc-rs"),
    ("rustls-pemfile", "rustls reads PEM itself"),
    ("chrono", "dates are the crate time"),
];

/// Name with version, and licence, of each package that a build for this machine uses.
fn packages() -> BTreeSet<(String, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let format = ["--prefix", "none", "--format", "{p}\t{l}"];
    let output = Command::new(cargo)
        .current_dir(repository())
        .args(["tree", "--workspace", "--locked", "--edges", "normal,build,dev"])
        .args(format)
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree: {errors}");
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text.lines().filter_map(|line| line.split_once('\t'));
    let named = |(package, licence): (&str, &str)| {
        let name: Vec<&str> = package.split_whitespace().take(2).collect();
        // A package that is listed above is marked with (*).
        (name.join(" "), licence.trim_end_matches("(*)").trim().to_owned())
    };
    rows.map(named).collect()
}

#[test]
fn dependency_has_a_permitted_licence_and_is_not_banned() {
    let packages = packages();
    assert!(packages.len() > 50, "the whole tree is read: {}", packages.len());
    let mut breaches = Vec::new();
    for (package, licence) in packages {
        if !permits(&licence) {
            breaches.push(format!("{package}: its licence is {licence:?}"));
        }
        let name = package.split(' ').next().unwrap_or_default();
        if let Some((_, why)) = BANNED.iter().find(|(banned, _)| *banned == name) {
            breaches.push(format!("{package}: {why}"));
        }
    }
    check("a dependency has one of the licences and is not banned", &breaches);
}

#[test]
fn dependency_comes_from_the_registry() {
    let mut breaches = Vec::new();
    for path in LOCKS {
        let lock = files().iter().find(|file| file.path == path).expect("a lock file is in git");
        for (number, line) in lock.lines() {
            if let Some(source) = line.strip_prefix("source = ")
                && source.trim_matches('"') != REGISTRY
            {
                breaches.push(format!("{path}:{number}: {source}"));
            }
        }
    }
    check("a dependency comes from the registry, where a version never changes", &breaches);
}

/// Returns whether the list meets an SPDX expression.
///
/// ```text
/// or   = and ("OR" | "/") and ...       one side is enough
/// and  = term "AND" term ...            both are needed
/// term = "(" or ")" | licence ["WITH" exception]
/// ```
fn permits(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest) == Some(true) && rest.is_empty()
}

fn either(words: &mut &[&str]) -> Option<bool> {
    let mut met = both(words)?;
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        met |= both(words)?;
    }
    Some(met)
}

fn both(words: &mut &[&str]) -> Option<bool> {
    let mut met = term(words)?;
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        met &= term(words)?;
    }
    Some(met)
}

fn term(words: &mut &[&str]) -> Option<bool> {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let met = either(words)?;
            let [")", rest @ ..] = *words else { return None };
            *words = rest;
            Some(met)
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            Some(LICENCES.contains(&format!("{licence} WITH {exception}").as_str()))
        }
        [licence, rest @ ..] => {
            *words = rest;
            Some(LICENCES.contains(licence))
        }
        [] => None,
    }
}

#[test]
fn licence_expression_is_permitted_if_the_list_meets_it() {
    let rows = [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0 OR MIT", true),
        ("(MIT OR GPL-3.0) AND ISC", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT AND GPL-3.0) OR BUSL-1.1", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT OR", false),
        ("(MIT", false),
        ("MIT Apache-2.0", false),
        ("", false),
    ];
    for (expression, permitted) in rows {
        assert_eq!(permits(expression), permitted, "{expression:?}");
    }
}
