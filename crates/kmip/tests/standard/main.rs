//! The standard's own messages: each reads as typed, and is written again byte for byte; and each
//! is the same in XML and in JSON.
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

#[path = "../oasis_material/mod.rs"]
mod oasis_material;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kmip::encoding::{Element, Value, json, xml};
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::payload::{RequestPayload, ResponsePayload};
use kmip::redacted_text;
use kmip::vocabulary::{Vocabulary, tags, vocabulary_of};
use oasis_material::oasis_material;
use ttlv::Type;

const VERSIONS: [&str; 7] = ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1"];

#[test]
fn the_wire_vectors() {
    let Some(folder) = oasis_material("KMIP_SPEC_DIR", "spec") else { return };
    let files = files_in(&folder.join("encoding_vectors/https_wire"), ".ttlv.bin");
    assert_eq!(files.len(), 12, "the vectors under {}", folder.display());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let is_request = file.to_string_lossy().contains("_request");
        if let Err(why) = reads_and_writes(is_request, &bytes) {
            panic!("{}: {why}", file.display());
        }
        let written = xml::encode(&bytes).unwrap();
        assert_eq!(*xml::decode(&written).unwrap(), bytes, "{}", file.display());
        let written = json::encode(&bytes).unwrap();
        assert_eq!(*json::decode(&written).unwrap(), bytes, "{}", file.display());
    }
}

/// The profile's messages in JSON are the layout of ours, blank by blank; and a request in JSON is
/// the request that the HTTPS cases send as TTLV.
#[test]
fn the_json_vectors() {
    let Some(folder) = oasis_material("KMIP_SPEC_DIR", "spec") else { return };
    let vectors = folder.join("encoding_vectors");
    let files = files_in(&vectors.join("json"), ".json");
    assert_eq!(files.len(), 12, "the vectors under {}", folder.display());
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let bytes = json::decode(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(*json::encode(&bytes).unwrap(), text, "{name}");
        let is_request = name.contains("_request");
        if let Err(why) = reads_and_writes(is_request, &bytes) {
            panic!("{name}: {why}");
        }
        if is_request {
            let twin = name.replace("-JSON-", "-HTTPS-").replace(".json", ".ttlv.bin");
            let twin = std::fs::read(vectors.join("https_wire").join(twin)).unwrap();
            assert_eq!(*bytes, twin, "{name}");
        }
    }
}

#[test]
fn the_profile_cases() {
    let Some(folder) = oasis_material("KMIP_TESTCASES", "testcases") else { return };
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut seen = 0;
    for version in VERSIONS {
        for kind in ["mandatory", "optional"] {
            for file in files_in(&folder.join(version).join(kind), ".xml") {
                let name = file.file_name().unwrap().to_string_lossy().into_owned();
                for message in messages(&std::fs::read_to_string(&file).unwrap()) {
                    seen += 1;
                    let is_request = message.name == "RequestMessage";
                    let bytes = message.to_ttlv().unwrap_or_else(|e| panic!("{name}: {e}"));
                    assert_eq!(Element::from_ttlv(&bytes).unwrap(), message, "{name}");
                    let written = xml::write(&message).unwrap();
                    assert_eq!(*xml::decode(&written).unwrap(), *bytes, "{name}");
                    let written = json::write(&message).unwrap();
                    assert_eq!(*json::decode(&written).unwrap(), *bytes, "{name}");
                    if let Err(why) = reads_and_writes(is_request, &bytes) {
                        wrong.entry(why).or_default().push(name.clone());
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

/// The messages of a case, in the spelling that we write.
///
/// The cases name what only a running server knows (`$UNIQUE_IDENTIFIER_0`, `$NOW-3600`); here
/// anything of the right type stands in its place.
fn messages(text: &str) -> Vec<Element> {
    let case = xml::read(text).unwrap();
    case.children().iter().map(|message| respelt(message, None)).collect()
}

fn respelt(element: &Element, attribute: Option<&str>) -> Element {
    let name = Cow::Owned(element.name.to_string());
    let Some(text) = element.text() else {
        let mut attribute = None;
        let children = element.children().iter().map(|child| {
            let respelt = respelt(child, attribute);
            if child.name == "AttributeName" {
                attribute = child.text();
            }
            respelt
        });
        return Element { name, value: Value::Structure(children.collect()) };
    };
    let meaning = match attribute {
        Some(attribute) => attribute.replace(' ', ""),
        None => element.name.to_string(),
    };
    let mask = tags::from_name(&meaning).and_then(vocabulary_of);
    let text = match (element.ty(), mask) {
        (Type::DateTime, _) if text.starts_with('$') => "2013-06-26T09:09:17+00:00".to_owned(),
        (Type::DateTime, _) => {
            let utc = ELSEWHERE.iter().find(|(elsewhere, _)| *elsewhere == text);
            utc.map_or(text, |(_, utc)| *utc).to_owned()
        }
        (Type::ByteString, _) if text.starts_with('$') => "00ff".to_owned(),
        (Type::ByteString | Type::BigInteger, _) => text.to_ascii_lowercase(),
        (Type::Integer, Some(Vocabulary::Mask(rows))) => {
            let mut names: Vec<&str> = text.split_whitespace().collect();
            names.sort_by_key(|name| rows.iter().position(|row| row.is_named(name)));
            names.join(" ")
        }
        _ => text.to_owned(),
    };
    Element::leaf(name, element.ty(), text)
}

/// The dates of the cases that are in another zone than UTC, and the same moments there.
const ELSEWHERE: &[(&str, &str)] = &[
    ("2000-01-01T00:00:00+10:00", "1999-12-31T14:00:00+00:00"),
    ("2000-02-01T00:00:00+10:00", "2000-01-31T14:00:00+00:00"),
    ("2000-02-02T00:00:00+10:00", "2000-02-01T14:00:00+00:00"),
    ("2000-02-03T00:00:00+10:00", "2000-02-02T14:00:00+00:00"),
    ("2000-02-10T00:00:00+10:00", "2000-02-09T14:00:00+00:00"),
    ("2018-12-09T18:43:13+10:00", "2018-12-09T08:43:13+00:00"),
];

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

/// Every payload must be read as typed, and the whole must be written as it came.
fn reads_and_writes(is_request: bool, bytes: &[u8]) -> Result<(), String> {
    let written = match is_request {
        true => {
            let message = RequestMessage::decode(bytes).map_err(|e| e.to_string())?;
            for item in &message.items {
                match &item.payload {
                    RequestPayload::Malformed(malformed) => {
                        return Err(format!("{:?}: {}", malformed.operation, malformed.error));
                    }
                    RequestPayload::Unknown(unknown) => {
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
                if let Some(ResponsePayload::Unknown(unknown)) = &item.payload {
                    return Err(format!("{:?} is not read", unknown.operation));
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
    let (came, written) = (redacted_text(came).to_string(), redacted_text(written).to_string());
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
