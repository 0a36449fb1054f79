//! The standard's own messages: each reads as typed, and is written again byte for byte.
//!
//! The vectors and the cases are OASIS's and stay outside this repository: in the folder `shared`
//! beside it, or where `KMIP_SPEC_DIR` and `KMIP_TESTCASES` say. Where they are missing the tests
//! say so and pass, except under CI.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

mod transcode;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kmip::message::{RequestMessage, ResponseMessage};
use kmip::payload::{OPERATIONS, RequestPayload, ResponsePayload};
use kmip::text;

const VERSIONS: [&str; 7] = ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1"];

#[test]
fn the_wire_vectors() {
    let Some(folder) = outside("KMIP_SPEC_DIR", "spec") else { return };
    let files = files_in(&folder.join("encoding_vectors/https_wire"), ".ttlv.bin");
    assert_eq!(files.len(), 12, "the vectors under {}", folder.display());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let is_request = file.to_string_lossy().contains("_request");
        if let Err(why) = reads_and_writes(is_request, &bytes) {
            panic!("{}: {why}", file.display());
        }
    }
}

#[test]
fn the_profile_cases() {
    let Some(folder) = outside("KMIP_TESTCASES", "testcases") else { return };
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut seen = 0;
    for version in VERSIONS {
        for kind in ["mandatory", "optional"] {
            for file in files_in(&folder.join(version).join(kind), ".xml") {
                let xml = std::fs::read(&file).unwrap();
                for message in transcode::messages(&String::from_utf8_lossy(&xml)) {
                    seen += 1;
                    if let Err(why) = reads_and_writes(message.is_request, &message.bytes) {
                        let name = file.file_name().unwrap().to_string_lossy().into_owned();
                        wrong.entry(why).or_default().push(name);
                    }
                }
            }
        }
    }
    assert!(seen > 4_000, "only {seen} messages were found under {}", folder.display());
    let wrong: Vec<(&str, &str)> = wrong
        .iter()
        .flat_map(|(why, files)| files.iter().map(|file| (file.as_str(), why.as_str())))
        .collect();
    assert_eq!(wrong, MISPRINTED);
}

/// The cases that are wrong themselves: an attribute of theirs has lost its name.
const MISPRINTED: &[(&str, &str)] = &[
    (
        "CS-AC-M-3-12.xml",
        "Register: item 42000A at byte 296: it is missing, 42000B stands in its place",
    ),
    (
        "CS-AC-M-8-12.xml",
        "Register: item 42000A at byte 408: it is missing, 42000B stands in its place",
    ),
];

/// Every payload of the table must be read as typed, and the whole must be written as it came.
fn reads_and_writes(is_request: bool, bytes: &[u8]) -> Result<(), String> {
    let written = match is_request {
        true => {
            let message = RequestMessage::decode(bytes).map_err(|e| e.to_string())?;
            for item in &message.items {
                match &item.payload {
                    RequestPayload::Malformed(malformed) => {
                        return Err(format!("{:?}: {}", malformed.operation, malformed.error));
                    }
                    RequestPayload::Unknown(unknown) if OPERATIONS.contains(&unknown.operation) => {
                        return Err(format!("{:?} is not read", unknown.operation));
                    }
                    _ => {}
                }
            }
            only_known(&format!("{message:?}"))?;
            message.encode()
        }
        false => {
            let message = ResponseMessage::decode(bytes).map_err(|e| e.to_string())?;
            for item in &message.items {
                match &item.payload {
                    Some(ResponsePayload::Unknown(unknown))
                        if OPERATIONS.contains(&unknown.operation) =>
                    {
                        return Err(format!("{:?} is not read", unknown.operation));
                    }
                    _ => {}
                }
            }
            only_known(&format!("{message:?}"))?;
            message.encode()
        }
    };
    match written == bytes {
        true => Ok(()),
        false => Err(first_difference(bytes, &written)),
    }
}

/// No attribute is one that is in no row of the table.
fn only_known(message: &str) -> Result<(), String> {
    match message.split_once("Other(") {
        Some((_, rest)) => Err(format!("no row has {}", rest.split(')').next().unwrap())),
        None => Ok(()),
    }
}

fn first_difference(came: &[u8], written: &[u8]) -> String {
    let (came, written) = (text(came).to_string(), text(written).to_string());
    let mut lines = came.lines().zip(written.lines().chain([""]));
    match lines.find(|(came, written)| came != written) {
        Some((came, written)) => format!("{} came, {} was written", came.trim(), written.trim()),
        None => "the values differ".to_owned(),
    }
}

fn files_in(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(ending));
    files.sort();
    files
}

/// Where OASIS's material is, if it is there.
fn outside(variable: &str, below: &str) -> Option<PathBuf> {
    let path = match std::env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/kmip").join(below),
    };
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing; set {variable}", path.display());
    println!("SKIPPED: {} is missing; {variable} can say where it is", path.display());
    None
}
