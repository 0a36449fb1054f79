//! The program as people and scripts use it: the files it makes, their modes, its refusals.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it says")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use certs::{Authority, BAD};
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

fn certs(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_certs")).current_dir(dir).args(args).output().unwrap()
}

#[track_caller]
fn ok(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Every file below `dir`, in order.
fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.extend(files(&path).into_iter().map(|file| format!("{name}/{file}")));
        } else {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

#[test]
fn init_makes_the_documented_files_and_keeps_keys_private() {
    let dir = TempDir::new().unwrap();
    let told = ok(certs(dir.path(), &["init", "pki", "--client", "alice"]));
    let pki = dir.path().join("pki");
    let mut expected: Vec<String> = ["ca", "server", "client", "alice"].map(str::to_owned).into();
    expected.extend(BAD.iter().map(|case| format!("bad/{}", case.name)));
    let mut expected: Vec<String> =
        expected.iter().flat_map(|name| [format!("{name}.crt"), format!("{name}.key")]).collect();
    expected.sort();
    assert_eq!(files(&pki), expected);
    assert_eq!(told.lines().count(), expected.len(), "each file is told");
    for file in &expected {
        let wanted = if file.ends_with(".key") { 0o600 } else { 0o644 };
        assert_eq!(mode(&pki.join(file)), wanted, "{file}");
    }
}

#[test]
fn nothing_is_replaced_unless_asked_and_then_modes_hold() {
    let dir = TempDir::new().unwrap();
    ok(certs(dir.path(), &["init", "pki"]));
    let key = dir.path().join("pki/server.key");
    let before = fs::read(&key).unwrap();

    let told = refused(certs(dir.path(), &["init", "pki"]));
    assert!(told.contains("pki/server.crt is there already") && told.contains("--force"), "{told}");
    assert_eq!(fs::read(&key).unwrap(), before);

    // One file in the way stops all, before the first is written.
    fs::create_dir(dir.path().join("half")).unwrap();
    fs::write(dir.path().join("half/ca.crt"), "").unwrap();
    refused(certs(dir.path(), &["init", "half"]));
    assert_eq!(files(&dir.path().join("half")), ["ca.crt"]);

    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    ok(certs(dir.path(), &["init", "pki", "--force"]));
    assert_ne!(fs::read(&key).unwrap(), before);
    assert_eq!(mode(&key), 0o600, "a loose mode does not survive");
    assert!(!files(&dir.path().join("pki")).iter().any(|name| name.contains("new-")));
}

#[test]
fn later_certificates_come_from_the_same_authority() {
    let dir = TempDir::new().unwrap();
    ok(certs(dir.path(), &["init", "pki"]));
    ok(certs(dir.path(), &["client", "pki", "bob"]));
    ok(certs(dir.path(), &["server", "pki", "--name", "node", "--host", "node.lab"]));
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    fs::write(dir.path().join("a.csr"), request).unwrap();
    let sign = ["sign", "pki", "--csr", "a.csr", "--out", "a.crt", "--name", "cluster"];
    assert_eq!(ok(certs(dir.path(), &sign)), "a.crt\n");
    assert!(refused(certs(dir.path(), &sign)).contains("a.crt is there already"));
    let over = ["sign", "pki", "--csr", "a.csr", "--out", "pki/ca.key", "--name", "a", "--force"];
    let key = fs::read(dir.path().join("pki/ca.key")).unwrap();
    assert!(refused(certs(dir.path(), &over)).contains("pki/ca.key is a file of the authority"));
    assert_eq!(fs::read(dir.path().join("pki/ca.key")).unwrap(), key);
    let piped = Command::new(env!("CARGO_BIN_EXE_certs"))
        .args(["sign", "pki", "--csr", "-", "--out", "-", "--name", "cluster"])
        .current_dir(dir.path())
        .stdin(fs::File::open(dir.path().join("a.csr")).unwrap())
        .output();
    assert!(ok(piped.unwrap()).starts_with("-----BEGIN CERTIFICATE-----\n"));

    let pki = dir.path().join("pki");
    Authority::read(&pki).unwrap();
    assert_eq!(mode(&pki.join("bob.key")), 0o600);
    assert_eq!(mode(&pki.join("node.key")), 0o600);
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    let subject = |path: &Path| {
        let pem = text(path);
        let pem = x509_parser::pem::Pem::iter_from_buffer(pem.as_bytes()).next().unwrap().unwrap();
        pem.parse_x509().unwrap().subject().to_string()
    };
    assert_eq!(subject(&pki.join("bob.crt")), "CN=bob");
    assert_eq!(subject(&dir.path().join("a.crt")), "CN=cluster");
}

/// One row a mistake: the arguments, and what the sentence must name.
#[test]
fn a_mistake_is_one_sentence_that_names_it() {
    let dir = TempDir::new().unwrap();
    ok(certs(dir.path(), &["init", "pki"]));
    fs::write(dir.path().join("file"), "").unwrap();
    let rows: [(&[&str], &str); 10] = [
        (&["client", "nowhere", "a"], "cannot read nowhere/ca.crt"),
        (&["client", "pki", "../a"], "\"../a\" cannot name a certificate"),
        (&["client", "pki", "ca"], "the lab's own files have it"),
        (&["client", "pki", ".hidden"], "begins with a full stop"),
        (&["init", "other", "--host", "a b"], "\"a b\" is neither a DNS name nor an IP address"),
        (&["init", "other", "--days", "0"], "0 days is no validity"),
        (&["init", "file/below"], "cannot make the folder"),
        (&["sign", "pki", "--csr", "file", "--out", "x"], "it is not in PEM"),
        (&["sign", "pki", "--csr", "none", "--out", "x"], "cannot read none"),
        (&["sign", "pki", "--csr", "/dev/zero", "--out", "x"], "it is longer than"),
    ];
    for (args, named) in rows {
        let told = refused(certs(dir.path(), args));
        assert!(told.contains(named), "{args:?}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.starts_with("certs: "), "{told}");
    }
    assert!(!dir.path().join("other").exists(), "a refused init leaves nothing");
    assert_eq!(certs(dir.path(), &["init"]).status.code(), Some(2), "usage");
    assert!(ok(certs(dir.path(), &["--help"])).contains("certs"));
}

/// One row a way to write over a file of the authority: by its name, a symbolic link and a hard
/// link, with every subcommand that writes beside an authority.
#[test]
fn file_of_the_authority_is_not_replaced_under_any_name() {
    let dir = TempDir::new().unwrap();
    ok(certs(dir.path(), &["init", "pki"]));
    let pki = dir.path().join("pki");
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    fs::write(dir.path().join("a.csr"), request).unwrap();
    let authority = || ["ca.crt", "ca.key"].map(|name| fs::read(pki.join(name)).unwrap());
    let before = authority();
    std::os::unix::fs::symlink("pki/ca.crt", dir.path().join("soft.crt")).unwrap();
    fs::hard_link(pki.join("ca.crt"), dir.path().join("hard.crt")).unwrap();
    fs::hard_link(pki.join("ca.key"), pki.join("bob.key")).unwrap();
    std::os::unix::fs::symlink("ca.crt", pki.join("node.crt")).unwrap();
    for out in ["pki/ca.crt", "pki/ca.key", "pki/../pki/ca.crt", "soft.crt", "hard.crt"] {
        let args = ["sign", "pki", "--csr", "a.csr", "--out", out, "--name", "a", "--force"];
        let told = refused(certs(dir.path(), &args));
        assert!(told.contains(&format!("{out} is a file of the authority")), "{told}");
    }
    for args in [
        &["client", "pki", "bob", "--force"][..],
        &["server", "pki", "--host", "a", "--name", "node", "--force"],
    ] {
        let told = refused(certs(dir.path(), args));
        assert!(told.contains("is a file of the authority"), "{told}");
    }
    assert_eq!(authority(), before);
}

/// Every subcommand that signs reads the authority's key, and none if others can.
#[test]
fn key_of_the_authority_that_others_can_reach_is_refused() {
    let dir = TempDir::new().unwrap();
    ok(certs(dir.path(), &["init", "pki"]));
    let key = dir.path().join("pki/ca.key");
    for mode in [0o644, 0o622, 0o604] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        for args in [
            &["client", "pki", "bob"][..],
            &["server", "pki", "--host", "a", "--name", "node"],
            &["sign", "pki", "--csr", "a.csr", "--out", "-"],
        ] {
            let told = refused(certs(dir.path(), args));
            assert!(told.contains("pki/ca.key: others than its owner can"), "{mode:o}: {told}");
        }
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    ok(certs(dir.path(), &["client", "pki", "bob"]));
}

/// A user who can write to a folder can put another key there.
#[test]
fn folder_that_others_can_write_is_refused() {
    let dir = TempDir::new().unwrap();
    for (name, mode) in [("all", 0o777), ("group", 0o775), ("other", 0o757)] {
        let folder = dir.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let told = refused(certs(dir.path(), &["init", name]));
        assert!(told.contains(&format!("the folder {name} (mode {mode:o})")), "{told}");
        assert!(files(&folder).is_empty());
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        ok(certs(dir.path(), &["init", name]));
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        refused(certs(dir.path(), &["client", name, "bob"]));
    }
}

/// One row a request whose subject cannot be taken: the name that is given takes its place.
#[test]
fn given_name_replaces_whatever_subject_the_request_has() {
    let dir = TempDir::new().unwrap();
    ok(certs(dir.path(), &["init", "pki"]));
    let key = KeyPair::generate().unwrap();
    let none = rcgen::DistinguishedName::new();
    let mut odd = rcgen::DistinguishedName::new();
    odd.push(rcgen::DnType::CommonName, "a\u{7}b");
    for (subject, why) in [(none, "has no subject"), (odd, "has a control character")] {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject;
        let request = params.serialize_request(&key).unwrap().pem().unwrap();
        fs::write(dir.path().join("a.csr"), request).unwrap();
        let sign = ["sign", "pki", "--csr", "a.csr", "--out", "-"];
        assert!(refused(certs(dir.path(), &sign)).contains(why));
        let signed = ok(certs(dir.path(), &[&sign[..], &["--name", "q"]].concat()));
        let pem = x509_parser::pem::Pem::iter_from_buffer(signed.as_bytes()).next().unwrap();
        let subject = pem.unwrap().parse_x509().unwrap().subject().to_string();
        assert_eq!(subject, "CN=q");
    }
}
