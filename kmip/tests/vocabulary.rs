//! The vocabulary against the committee's own lists, of every version and both ways.
//!
//! The lists are not ours to carry: they are read from `KMIP_SPEC_JSON`, or from the folder
//! `shared` beside the repository. Without them the test says so; in CI that is a failure.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kmip::Version;
use kmip::vocabulary::{self, Row, tags};
use serde_json::Value;

type Rows = BTreeMap<u32, Vec<String>>;

fn lists() -> Option<Value> {
    let beside = "../../shared/kmip/spec/kmip_tags_enums_all_versions.json";
    let path = std::env::var_os("KMIP_SPEC_JSON")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(beside), PathBuf::from);
    match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(error) => {
            let why = format!("SKIPPED vocabulary: {} cannot be read: {error}", path.display());
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("{why}");
            None
        }
    }
}

/// The names that the lists have wrong: lost in the making of the list, or misprinted in one
/// version of the standard.
const MENDED: &[(&str, &str)] = &[
    ("(PKCS#1 v1.5)", "MD2 with RSA Encryption (PKCS#1 v1.5)"),
    ("(PKCS#1 v2.1)", "RSASSA-PSS (PKCS#1 v2.1)"),
    ("(PGP", "PGP"),
    ("MFG1", "MGF1"),
    ("ServerPre-Generated", "Server Pre-Generated"),
    ("MACMACData", "MAC MAC Data"),
    ("Operation CanceledByRequester", "Operation Canceled By Requester"),
    ("Non UniqueName Attribute", "Non Unique Name Attribute"),
    ("NotAuthorised", "Not Authorised"),
    ("CompromiseDate", "Compromise Date"),
    ("(Non Repudiation)", "Content Commitment"),
    ("Polynomial Sharing GF(216)", "Polynomial Sharing GF(2^16)"),
    ("Polynomial Sharing GF (216)", "Polynomial Sharing GF(2^16)"),
    ("Polynomial Sharing GF (28)", "Polynomial Sharing GF(2^8)"),
];

/// "Normalizing Names", rules 1 to 6 (additional message encodings 1.0, 6.1.3).
fn normalized(name: &str) -> String {
    let name = MENDED.iter().find(|(wrong, _)| *wrong == name).map_or(name, |(_, right)| right);
    let chars: Vec<char> = name.replace(['(', ')'], " ").chars().collect();
    let mut spaced = String::new();
    for (at, &c) in chars.iter().enumerate() {
        let next = |n: usize| chars.get(at + n).copied().unwrap_or(' ');
        let is_word = c.is_alphanumeric() || c == '_';
        let splits = next(1).is_ascii_alphabetic() && next(2).is_ascii_lowercase();
        spaced.push(match (is_word || c == ' ', splits) {
            (true, _) => c,
            (false, true) => ' ',
            (false, false) => '_',
        });
    }
    let mut words: Vec<String> = spaced.split_whitespace().map(str::to_owned).collect();
    if let Some(first) = words.first_mut() {
        let digits: String = first.chars().take_while(char::is_ascii_digit).collect();
        *first = format!("{}{digits}", first.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    words.iter().map(|w| w[..1].to_uppercase() + &w[1..]).collect()
}

/// The rows of a list: number by number, the names.
fn wanted(list: &Value) -> Rows {
    let mut rows = Rows::new();
    for row in list.as_array().unwrap() {
        let (name, value) = (row["name"].as_str().unwrap(), row["value"].as_str().unwrap());
        let reserved = ["reserved", "unused", "extensions", "extension"];
        let plain = name.to_lowercase().replace(['(', ')'], "");
        if reserved.contains(&plain.as_str()) || value.to_uppercase().contains("XX") {
            continue;
        }
        let number = u32::from_str_radix(value, 16).unwrap();
        rows.entry(number).or_default().push(normalized(name));
    }
    rows
}

/// What of our rows a version has must be what the list has; a name may be of before.
fn compare(what: &str, version: Version, ours: &[Row], list: &Value) {
    let wanted = wanted(list);
    for row in ours.iter().filter(|row| row.exists_in(version)) {
        let names = wanted.get(&row.value);
        let known = names.is_some_and(|names| names.iter().any(|name| row.is_named(name)));
        assert!(known, "{what} {version}: {} = {:#x}, the list has {names:?}", row.name, row.value);
    }
    for (number, names) in &wanted {
        let found = ours.iter().any(|row| row.value == *number && row.exists_in(version));
        assert!(found, "{what} {version}: {names:?} = {number:#x} is missing");
    }
}

fn rows_of(name: &str) -> &'static [Row] {
    let tag = tags::from_name(name).unwrap_or_else(|| panic!("no tag {name}"));
    match vocabulary::vocabulary_of(tag) {
        Some(vocabulary::Vocabulary::Enumeration(rows) | vocabulary::Vocabulary::Mask(rows)) => {
            rows
        }
        None => panic!("{name} has no rows"),
    }
}

#[test]
fn every_tag_enumeration_and_mask_of_every_version() {
    let Some(lists) = lists() else { return };
    let versions: Vec<Version> = Version::SERVED.iter().copied().chain([Version::V3_0]).collect();
    assert_eq!(lists.as_object().unwrap().len(), versions.len());
    for version in versions {
        let list = &lists[version.to_string()];
        compare("tag", version, tags::ROWS, &list["tags"]);
        for kind in ["enums", "masks"] {
            for (name, rows) in list[kind].as_object().unwrap() {
                // Item Type is the type byte of an item and stands under no tag.
                let ours = match name.as_str() {
                    "Item Type" => vocabulary::ItemType::ROWS,
                    _ => rows_of(&normalized(name)),
                };
                compare(name, version, ours, rows);
            }
        }
    }
}

#[test]
fn an_unknown_value_keeps_its_number() {
    let vendors = vocabulary::Operation(0x8000_0001);
    assert_eq!(format!("{:?} {vendors:?}", vocabulary::Operation::ReKey), "ReKey 0x80000001");
    assert_eq!(vendors.name(), None);
}

#[test]
fn a_name_of_before_is_understood() {
    let sha3 = vocabulary::HashingAlgorithm::SHA3_256;
    assert_eq!(vocabulary::HashingAlgorithm::from_name("SHA_3_256"), Some(sha3));
    assert_eq!(vocabulary::HashingAlgorithm::from_name("SHA3_256"), Some(sha3));
}

#[test]
fn a_mask_prints_the_names_of_its_bits() {
    use vocabulary::CryptographicUsageMask as Mask;
    let mask = Mask::Encrypt.union(Mask::Decrypt);
    assert_eq!(format!("{mask:?}"), "Encrypt Decrypt");
    assert_eq!(format!("{:?}", mask.union(Mask(0x4000_0000))), "Encrypt Decrypt 0x40000000");
    assert!(mask.contains(Mask::Decrypt) && !mask.contains(Mask::Sign));
}
