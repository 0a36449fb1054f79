//! The lines that the documents tell people to type, typed.

#![allow(clippy::expect_used, reason = "a test stops at its first surprise")]

use std::process::Command;

use harness::foreign::{has_program, passed};
use harness::{Cluster, Lab, Program, repository};

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

#[test]
fn the_lines_of_the_simulator_s_page_are_answered() {
    if !["bash", "curl", "grep", "head", "sed", "tee", "tr"].iter().all(|name| has_program(name)) {
        return;
    }
    let lab = Lab::new();
    let cluster = Cluster::start_with(&lab, "node-sim", |program| {
        program.arg("--blocks-per-drive").arg("256")
    });
    let blocks = shell_blocks("docs/simulator-api.md");
    // What the output of each block must hold.
    let marks: [&[&str]; 17] = [
        &["ok\n"],
        &[r#""unlocked":"#, r#""wraps":12"#],
        &["{}\n{}\n{}\n", "event: state"],
        &[r#"{"messages":[]}"#],
        &["KeyServerID 1 does not exist."],
        &[r#""fired":0"#, r#""name":"xDBVersionMismatch""#, "{}\n"],
        &[r#""idleSeconds":1800"#],
        &["{}\n{}\n"],
        &["{}\n", "xxxxxxxxxxxxxxxx"],
        &[r#"{"millisecondsPerDrive":50,"stopBefore":"DecommissionOldMasterKey","#],
        &["{}"],
        &["is not one whose destruction could not be confirmed"],
        &[
            r#""asyncHandle":1"#,
            r#""drivesRewrapped":12,"drivesTotal":12"#,
            r#""state":"RewrapDataEncryptionKeys","stoppedBefore":"DecommissionOldMasterKey""#,
        ],
        &[r#""current":true"#, r#""current":false"#, r#""state":"inUse","wraps":12"#],
        &[r#"{"released":"DecommissionOldMasterKey"}"#, r#""state":"Ready""#],
        &[r#""stopBefore":null"#, "no rekey is stopped", "no rekey is running"],
        &["KeyServerID 1 does not exist."],
    ];
    assert_eq!(blocks.len(), marks.len(), "one row of marks a block");
    // One shell, as a reader has it: functions of a block are used by later ones.
    let script = blocks.join("\necho '=== end of the block'\n");
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(lab.path(""))
        .env("PKI", lab.path("pki"))
        .env("API", format!("https://{}/json-rpc/12.3", cluster.address()))
        .env("SIM", format!("https://{}/sim/v1", cluster.address()))
        .output();
    let said = passed(&script, output);
    let outputs: Vec<&str> = said.split("=== end of the block\n").collect();
    assert_eq!(outputs.len(), blocks.len(), "{said}");
    for ((block, output), marks) in blocks.iter().zip(outputs).zip(marks) {
        for mark in marks {
            assert!(output.contains(mark), "{block}\n{mark}\n{output}");
        }
    }
}
