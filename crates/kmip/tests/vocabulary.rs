//! The vocabulary beside the standard's own tables of 1.0 to 3.0, both ways, and beside the names
//! that the OASIS test cases use.
//!
//! The tables and the cases are OASIS's and stay outside this repository: in the folder `shared`
//! beside it, or where `KMIP_SPEC_JSON` and `KMIP_TESTCASES` say. Where they are missing the tests
//! say so and pass, except under CI.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test stops at the first thing that is not as it says"
)]

mod oasis_material;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kmip::Version;
use kmip::vocabulary::{ENUMERATIONS, MASKS, Row, Vocabulary, row_by_name, tags, vocabulary_of};
use oasis_material::oasis_material;
use serde_json::Value;

const VERSIONS: [(&str, Version); 8] = [
    ("1.0", Version::V1_0),
    ("1.1", Version::V1_1),
    ("1.2", Version::V1_2),
    ("1.3", Version::V1_3),
    ("1.4", Version::V1_4),
    ("2.0", Version::V2_0),
    ("2.1", Version::V2_1),
    ("3.0", Version::V3_0),
];

/// Where our name is not the one that the tables print, with the reason.
const REPAIRS: &[(&str, &str, &str)] = &[
    // The tables of 2.x and 3.0 print MFG1; the text and the test cases of the same say MGF1.
    ("MaskGenerator", "MFG1", "MGF1"),
    // The field is GF(2^16), a superscript that plain text loses.
    ("SplitKeyMethod", "PolynomialSharingGF216", "PolynomialSharingGF2_16"),
    ("SplitKeyMethod", "PolynomialSharingGF28", "PolynomialSharingGF2_8"),
    // The cell has two lines, "Content Commitment" and "(Non Repudiation)".
    ("CryptographicUsageMask", "NonRepudiation", "ContentCommitment"),
    // Two lines as well; the first was lost on the way: "MD2 with RSA Encryption" and, in full,
    // "RSASSA-PSS".
    ("DigitalSignatureAlgorithm", "PKCS_1V1_5", "MD2WithRSAEncryptionPKCS_1V1_5"),
    ("DigitalSignatureAlgorithm", "PKCS_1V2_1", "RSASSA_PSSPKCS_1V2_1"),
    // The text and the test cases of every version say Authenticated.
    ("tags", "EncryptionAdditionalData", "AuthenticatedEncryptionAdditionalData"),
];

/// What is ours and in no table: the standard names Opaque Data Type and gives it no values, and
/// the tables of 3.0 hold no masks.
const EMPTY: &str = "OpaqueDataType";
const MASKS_UNTIL: Version = Version::V2_1;

/// Number by version to name: one list of the standard's.
type Table = BTreeMap<u32, BTreeMap<Version, String>>;

#[test]
fn every_name_stands_where_the_standard_has_it_and_nowhere_else() {
    let Some(path) = oasis_material("KMIP_SPEC_JSON", "spec/kmip_tags_enums_all_versions.json")
    else {
        return;
    };
    let spec: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut enums: BTreeMap<String, Table> = BTreeMap::new();
    let mut masks: BTreeMap<String, Table> = BTreeMap::new();
    let mut all_tags = Table::new();
    for (number, version) in VERSIONS {
        let of_version = &spec[number];
        add(&mut all_tags, "tags", version, &of_version["tags"]);
        for (kind, tables) in [("enums", &mut enums), ("masks", &mut masks)] {
            for (name, rows) in of_version[kind].as_object().unwrap() {
                let name = normalise(name);
                add(tables.entry(name.clone()).or_default(), &name, version, rows);
            }
        }
    }

    let mut wrong = compare("tags", tags::ROWS, &all_tags, Version::V3_0);
    for (ours, theirs, until) in
        [(ENUMERATIONS, &enums, Version::V3_0), (MASKS, &masks, MASKS_UNTIL)]
    {
        for (name, rows) in ours {
            let none = Table::new();
            let table = theirs.get(*name).unwrap_or(&none);
            wrong.extend(compare(name, rows, table, until));
        }
        let ours: BTreeSet<&str> = ours.iter().map(|(name, _)| *name).collect();
        let missing = theirs.keys().filter(|name| !ours.contains(name.as_str()));
        wrong.extend(missing.map(|name| format!("{name}: is not here at all")));
    }
    assert!(ENUMERATIONS.iter().all(|(name, rows)| *name != EMPTY || rows.is_empty()));
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_test_cases_use_no_name_that_is_not_here() {
    let Some(root) = oasis_material("KMIP_TESTCASES", "testcases") else { return };
    let mut wrong = BTreeSet::new();
    let mut seen = 0_u32;
    for (number, version) in VERSIONS {
        for file in files_under(&root.join(number), "xml") {
            let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
            for element in text.split('<').skip(1) {
                seen += 1;
                wrong.extend(check_element(element, version).map(|why| format!("{number}: {why}")));
            }
        }
    }
    assert!(seen > 100_000, "only {seen} elements were found under {}", root.display());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rows_stand_in_the_order_of_their_numbers_and_no_name_has_two() {
    let all = [("tags", tags::ROWS)];
    for (list, rows) in all.iter().chain(ENUMERATIONS).chain(MASKS) {
        assert!(rows.is_sorted_by_key(|row| row.value), "{list} is not in order");
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
        let numbers: BTreeSet<u32> = rows.iter().map(|row| row.value).collect();
        assert_eq!((names.len(), numbers.len()), (rows.len(), rows.len()), "{list}");
        for row in *rows {
            assert!(row.since <= row.until, "{list}: {row:?}");
            let found = row_by_name(rows, row.name).map(|row| row.value);
            assert_eq!(found, Some(row.value), "{list}: {row:?}");
        }
    }
}

#[test]
fn a_name_is_spelt_as_the_version_spells_it() {
    use kmip::vocabulary::{CryptographicUsageMask, HashingAlgorithm, MaskGenerator, Operation};

    let row = HashingAlgorithm::SHA3_256.row().unwrap();
    assert_eq!(row.name_in(Version::V1_4), "SHA_3_256");
    assert_eq!(row.name_in(Version::V2_0), "SHA3_256");
    assert_eq!(HashingAlgorithm::from_name("SHA_3_256"), Some(HashingAlgorithm::SHA3_256));
    assert_eq!(MaskGenerator::from_name("MFG1"), Some(MaskGenerator::MGF1));
    assert_eq!(MaskGenerator::MGF1.row().unwrap().name_in(Version::V2_1), "MGF1");

    assert_eq!(Operation::SetAttribute.since(), Some(Version::V2_0));
    assert!(!Operation::SetAttribute.exists_in(Version::V1_4));
    assert_eq!(tags::row(tags::TemplateAttribute).unwrap().until, Version::V1_4);
    let unknown = Operation(0x8000_0001);
    assert_eq!((unknown.name(), unknown.since()), (None, None));
    assert_eq!(format!("{unknown:?} {:?}", Operation::ReKey), "0x80000001 ReKey");

    let both = CryptographicUsageMask::Decrypt.union(CryptographicUsageMask::Encrypt);
    assert_eq!(both.to_string(), "Encrypt Decrypt");
    assert_eq!(both.names().collect::<Vec<_>>(), ["Encrypt", "Decrypt"]);
    let vendor = CryptographicUsageMask(0x4000_0001);
    assert_eq!(vendor.to_string(), "Sign 0x40000000");
    assert_eq!(CryptographicUsageMask(0).to_string(), "0x00000000");
}

/// Adds the rows that one version has in one list. A reserved number is one it does not have.
fn add(table: &mut Table, list: &str, version: Version, rows: &Value) {
    for row in rows.as_array().unwrap() {
        let (name, value) = (row["name"].as_str().unwrap(), row["value"].as_str().unwrap());
        if matches!(name, "(Reserved)" | "Reserved") {
            continue;
        }
        let name = normalise(name);
        let repaired = REPAIRS.iter().find(|(of, printed, _)| *of == list && *printed == name);
        let name = repaired.map_or(name, |(_, _, ours)| (*ours).to_owned());
        let value = u32::from_str_radix(value, 16).unwrap();
        let before = table.entry(value).or_default().insert(version, name);
        assert_eq!(before, None, "{list} {value:08X} stands twice in {version}");
    }
}

/// Says for every number and version where ours and the standard's are not the same.
fn compare(list: &str, ours: &[Row], theirs: &Table, until: Version) -> Vec<String> {
    let none = BTreeMap::new();
    let numbers: BTreeSet<u32> =
        ours.iter().map(|row| row.value).chain(theirs.keys().copied()).collect();
    let mut wrong = Vec::new();
    for number in numbers {
        let row = ours.iter().find(|row| row.value == number);
        let names = theirs.get(&number).unwrap_or(&none);
        for (_, version) in VERSIONS.into_iter().filter(|(_, version)| *version <= until) {
            let our_name = row.filter(|row| row.exists_in(version)).map(|row| row.name_in(version));
            let their_name = names.get(&version).map(String::as_str);
            if our_name != their_name {
                wrong.push(format!(
                    "{list} 0x{number:08X} in {version}: here {our_name:?}, there {their_name:?}"
                ));
            }
        }
    }
    wrong
}

/// Is the element's name a tag, and its value a name that its tag can have?
fn check_element(element: &str, version: Version) -> Option<String> {
    let end = element.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?;
    let (name, rest) = element.split_at(end);
    let is_case = matches!(name, "KMIP" | "KmipTestCase" | "TTLV");
    if is_case || name.is_empty() || name.starts_with(['!', '?']) {
        return None;
    }
    let Some(row) = row_by_name(tags::ROWS, name).filter(|row| row.name_in(version) == name) else {
        return Some(format!("there is no tag {name}"));
    };
    let value = attribute(rest, "value")?;
    let is_number = value.starts_with("0x") || value.parse::<i64>().is_ok();
    if is_number || value.starts_with('$') || name == "AttributeValue" {
        return None;
    }
    let known = |rows: &[Row], name: &str| {
        rows.iter().any(|row| row.exists_in(version) && row.name_in(version) == name)
    };
    match (attribute(rest, "type")?, vocabulary_of(ttlv::Tag(row.value))) {
        ("Enumeration", Some(Vocabulary::Enumeration(rows))) if known(rows, value) => None,
        ("Integer", Some(Vocabulary::Mask(rows))) => {
            let unknown = value.split_whitespace().find(|name| !known(rows, name))?;
            Some(format!("{name} has no {unknown}"))
        }
        ("Enumeration" | "Integer", _) => Some(format!("{name} has no {value}")),
        _ => None,
    }
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let start = element.find(&format!(" {name}=\""))? + name.len() + 3;
    let rest = &element[start..];
    Some(&rest[..rest.find('"')?])
}

fn files_under(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|e| e == extension) => files.push(path),
                false => {}
            }
        }
    }
    files
}

/// The rules by which the text encodings spell a name (Additional Message Encodings 1.0, 4.1.3).
fn normalise(name: &str) -> String {
    let brackets: Vec<char> =
        name.chars().map(|c| if matches!(c, '(' | ')') { ' ' } else { c }).collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut text = String::new();
    for (i, &c) in brackets.iter().enumerate() {
        let letter = brackets.get(i + 1).is_some_and(char::is_ascii_alphabetic);
        let lower = brackets.get(i + 2).is_some_and(char::is_ascii_lowercase);
        text.push(match c {
            c if is_word(c) || c == ' ' => c,
            _ if letter && lower => ' ',
            _ => '_',
        });
    }
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let digits = words[0].chars().take_while(char::is_ascii_digit).count();
    words[0] = format!("{}{}", &words[0][digits..], &words[0][..digits]);
    words.iter().map(|word| format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..])).collect()
}
