//! The program: settings, signals, counts and exit status.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::Command;

use harness::{KmipProxy, KmipServer, Lab, Program, repository};

use crate::client::{TestClient, locate};

const RULES: &str = "[[rule]]\nname = \"used\"\noperation = \"Locate\"\n\
                     action = { delay = { ms = 1 } }\n\
                     [[rule]]\nname = \"never\"\noperation = \"Destroy\"\naction = { drop = {} }\n";

#[test]
fn rule_that_never_fired_is_reported_and_is_the_status_if_asked() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let rules = lab.path("rules.toml");
    fs::write(&rules, RULES).unwrap();
    for (flag, status) in [(None, 0), (Some("--fail-unfired"), 3)] {
        let mut proxy = KmipProxy::start(&lab, server.address(), |program| {
            let program = program.arg("--rules").arg(&rules);
            flag.into_iter().fold(program, |program, flag| program.arg(flag))
        });
        let mut client = TestClient::connect(proxy.address(), &lab, "alice");
        client.ask(locate()).unwrap();
        let pid = proxy.process().id().to_string();
        assert!(Command::new("kill").args(["-USR1", &pid]).status().unwrap().success());
        let warning = "kmip-proxy: warning: rule \"never\" never fired";
        proxy.process().line_after(warning);
        let ended = proxy.process().terminate();
        assert_eq!(ended.code(), Some(status));
        // Once with the signal, and once at the end.
        proxy.wait_for_log(warning, 2);
        proxy.wait_for_log("kmip-proxy: rule \"used\" fired 1 times; it matched 1 times", 2);
    }
}

#[test]
fn log_lines_that_strangers_cause_are_limited() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let proxy = KmipProxy::start(&lab, server.address(), |program| {
        program.arg("--log-lines-per-minute").arg("1")
    });
    for _ in 0..150 {
        let mut stranger = TcpStream::connect(proxy.address()).unwrap();
        stranger.shutdown(Shutdown::Write).unwrap();
        // The end comes after the line.
        assert_eq!(stranger.read(&mut [0]).unwrap_or(0), 0);
    }
    let mut client = TestClient::connect(proxy.address(), &lab, "alice");
    client.ask(locate()).unwrap();
    proxy.wait_for_log("\"CN=alice\" connected", 1);
    let lines = proxy.log().matches("handshake failed").count();
    assert!((100..=101).contains(&lines), "{lines} lines");
    proxy.wait_for_log("more lines like those of kmip_proxy::relay::listener", 1);
}

/// A Client Hello of TLS 1.2 with suites of RSA key exchange only, and the group P-521.
const STATIC_RSA: &str = "160301004f0100004b03035a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\
    5a5a5a5a5a5a5a5a000004009d002f0100001e000a000400020019000b00020100000d\
    0008000604030804040100170000";

#[test]
fn failed_handshake_names_the_missing_suite() {
    let lab = Lab::new();
    let server = KmipServer::start(&lab);
    let proxy = KmipProxy::start(&lab, server.address(), |program| program);
    let byte = |at: usize| u8::from_str_radix(&STATIC_RSA[at..at + 2], 16).unwrap();
    let hello: Vec<u8> = (0..STATIC_RSA.len()).step_by(2).map(byte).collect();
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client.write_all(&hello).unwrap();
    proxy.wait_for_log("handshake failed: no common cipher suite: the server takes ECDHE", 1);
}

/// Flags of `kmip-proxy serve` as its help lists them, with their defaults.
fn flags_of_help() -> BTreeMap<String, String> {
    let program = Program::new("kmip-proxy", "").arg("serve").arg("--help");
    let output = program.command().output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let mut flags: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for line in help.lines().map(str::trim) {
        if let Some(flag) = line.split(' ').next().filter(|word| word.starts_with("--")) {
            flags.insert(flag.to_owned(), String::new());
            last = flag.to_owned();
        }
        let default = line.split("[default: ").nth(1).and_then(|rest| rest.split(']').next());
        if let (Some(default), Some(found)) = (default, flags.get_mut(&last)) {
            default.clone_into(found);
        }
    }
    flags
}

#[test]
fn every_flag_is_in_the_reference_with_its_default() {
    let reference = fs::read_to_string(repository().join("docs/proxy.md")).unwrap();
    let rows: Vec<&str> = reference.lines().filter(|line| line.starts_with("| `--")).collect();
    let flags = flags_of_help();
    assert!(flags.len() > 20, "{flags:?}");
    for (flag, default) in &flags {
        let row = rows.iter().find(|row| row.contains(&format!("`{flag}`")));
        let row = row.unwrap_or_else(|| panic!("{flag} is not in docs/proxy.md"));
        let shown = match default.as_str() {
            "1048576" => "1 MiB",
            "16777216" => "16 MiB",
            other => other,
        };
        assert!(row.contains(shown), "{flag}: the default is {default}: {row}");
    }
    for row in rows {
        let names = row.split('|').nth(1).unwrap().split(", ");
        for flag in names.map(|name| name.trim().trim_matches('`')) {
            assert!(flags.contains_key(flag), "{flag} is not a flag: {row}");
        }
    }
}

#[test]
fn wrong_setting_is_said_in_one_line() {
    let lab = Lab::new();
    let rules = lab.path("rules.toml");
    fs::write(&rules, "[[rule]]\nname = \"a\"\noperatoin = \"Get\"\n").unwrap();
    let check = Program::new("kmip-proxy", "").arg("check");
    let output = check.clone().arg(&rules).command().output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("rules.toml: line 3: unknown field `operatoin`, expected"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    fs::write(&rules, RULES).unwrap();
    let output = check.arg(&rules).command().output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "used\nnever\n");
    let serve = |key: &str| {
        let program = Program::new("kmip-proxy", "").arg("serve").arg("--upstream").arg("a:1");
        let program = program.arg("--cert").arg(lab.pki("server.crt"));
        let program = program.arg("--key").arg(lab.pki(key));
        let program = program.arg("--client-ca").arg(lab.pki("ca.crt"));
        let program = program.arg("--upstream-ca").arg(lab.pki("ca.crt"));
        let output = program.command().output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, error) = serve("client.key");
    assert!(status == Some(2) && error.contains("does not match the certificate"), "{error}");
    let (status, error) = serve("server.key");
    assert!(status == Some(2) && error.contains("or --identities"), "{error}");
}
