//! The lines that the documents tell people to type, typed.

#![allow(clippy::expect_used, reason = "a test stops at its first surprise")]

use std::process::Command;

use harness::foreign::{has_program, passed};
use harness::{Lab, Program, repository};

/// The blocks of a document that are for a shell.
fn shell_blocks(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(repository().join(page)).expect("the page is there");
    let blocks = text.split("\n```sh\n").skip(1);
    blocks.map(|rest| rest.split("\n```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_lines_of_the_https_page_are_answered() {
    if !["bash", "curl", "xxd"].iter().all(|name| has_program(name)) {
        return;
    }
    let lab = Lab::new();
    let file = |name| lab.pki(name);
    let server = Program::new("kmip-server", "kmip-server https listening on ")
        .arg("serve")
        .arg("--store")
        .arg("memory")
        .arg("--data")
        .arg(lab.path("data"))
        .arg("--cert")
        .arg(file("server.crt"))
        .arg("--key")
        .arg(file("server.key"))
        .arg("--client-ca")
        .arg(file("ca.crt"))
        .arg("--listen")
        .arg("127.0.0.1:0")
        .arg("--https-listen")
        .arg("127.0.0.1:0")
        .start();
    let blocks = shell_blocks("docs/https.md");
    // What each answer must hold: an operation that is served, a key of 32 bytes, Success.
    let marks = [r#""value": "Locate""#, r#"<KeyMaterial type="ByteString" value=""#, "42007b01"];
    assert_eq!(blocks.len(), marks.len(), "one mark a block");
    for (block, mark) in blocks.iter().zip(marks) {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", block])
            .env("KMIP", format!("https://{}/kmip", server.address()))
            .env("PKI", lab.path("pki"))
            .output();
        let said = passed(block, output);
        assert!(said.contains(mark), "{block}\n{said}");
        assert!(!said.contains("OperationFailed"), "{block}\n{said}");
    }
}
