//! Rule on references: the doc comment of a type of the standard names its section.

use crate::check;
use crate::tree::sources;

/// Files and directories whose types are those of the standard.
const PLACES: [&str; 7] = [
    "crates/kmip/src/attributes/",
    "crates/kmip/src/identifier.rs",
    "crates/kmip/src/message.rs",
    "crates/kmip/src/objects.rs",
    "crates/kmip/src/payload/",
    "crates/kmip/src/structures.rs",
    "crates/kmip/src/vocabulary/",
];

/// Types of ours beside those of the standard.
const OURS: [&str; 14] = [
    "Alias",
    "AttributeReference",
    "AttributeRow",
    "MalformedPayload",
    "MaskNames",
    "Modifiable",
    "OtherAttribute",
    "RequestPayload",
    "ResponsePayload",
    "Row",
    "SecretText",
    "Settable",
    "UnknownPayload",
    "Vocabulary",
];

#[test]
fn type_of_the_standard_names_its_section() {
    let mut breaches = Vec::new();
    let mut seen = 0_usize;
    let is_in = |path: &str| PLACES.iter().any(|place| path.starts_with(place));
    for file in sources().filter(|file| is_in(&file.path)) {
        let mut doc = String::new();
        let mut before = "";
        let mut in_attribute = false;
        for (number, line) in file.lines() {
            let line = line.trim();
            if let Some(text) = line.strip_prefix("///") {
                doc.push_str(text);
                doc.push('\n');
                continue;
            }
            if in_attribute || line.starts_with("#[") {
                in_attribute = !line.ends_with(']');
                continue;
            }
            let declares = declared(line, before);
            before = line;
            if let Some(name) = declares.filter(|name| !OURS.contains(name)) {
                seen = seen.saturating_add(1);
                if !has_section(&doc) {
                    breaches.push(format!("{}:{number}: {name}", file.path));
                }
            }
            doc.clear();
        }
    }
    assert!(seen > 150, "the types are found: {seen}");
    check("a type of the standard names its section, as (1.4, 4.1; 2.1, 6.1.8)", &breaches);
}

/// Type that a line declares, as the first word of a macro call or by itself.
fn declared<'a>(line: &'a str, before: &str) -> Option<&'a str> {
    let of_macro = line.strip_suffix(" {").filter(|_| before.ends_with("! {"));
    let of_its_own = ["pub struct ", "pub enum "].iter().find_map(|start| {
        line.strip_prefix(start)?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
    });
    of_macro.or(of_its_own).filter(|name| !name.is_empty())
}

/// Returns whether a text names a section, as "1.4, 4.1", "2.1, 6" or "3.0".
fn has_section(doc: &str) -> bool {
    doc.split(['(', ')', ';']).any(|part| {
        let part = part.trim();
        let version = part.split(',').next().unwrap_or_default();
        matches!(
            version,
            "1.0" | "1.1" | "1.2" | "1.3" | "1.4" | "2.0" | "2.1" | "3.0" | "2.1 profiles"
        )
    })
}

#[test]
fn section_is_found_only_in_its_form() {
    assert!(has_section("Asks for it (1.4, 4.1; 2.1, 6.1.8)."));
    assert!(!has_section("Asks for it (in 4 parts)."));
    assert_eq!(declared("CreateRequest {", "structure! {"), Some("CreateRequest"));
    assert_eq!(declared("pub enum Object {", ""), Some("Object"));
    assert_eq!(declared("Self {", "fn new() -> Self {"), None);
}
