//! Rules on names without meaning, and on files that must not be in git.

use crate::check;
use crate::tree::{files, sources};

/// Words without meaning: a name with one of them could be anything.
const EMPTY_WORDS: [&str; 8] =
    ["manager", "handler", "helper", "helpers", "util", "utils", "service", "common"];

/// Names that have such a word for a reason.
const GIVEN: [(&str, &str); 2] = [
    ("common_name", "X.520 calls it so"),
    ("no_version_in_common_is_said_so", "here it means what it says"),
];

/// Keywords before a declared name.
const DECLARATIONS: [&str; 8] =
    ["fn ", "struct ", "enum ", "trait ", "mod ", "type ", "const ", "static "];

/// Largest size of a file in bytes; larger ones are data that belongs elsewhere.
const BLOB_MAX: usize = 64 << 10;
/// Larger files, with the reason.
const LARGE: [(&str, &str); 2] = [
    ("Cargo.lock", "the versions of all dependencies"),
    (
        "kmip-server/src/tests/known_answers/saved_stores/format-1.tar.gz",
        "stores of a form that every later version reads",
    ),
];

#[test]
fn name_has_no_empty_word() {
    let mut breaches = Vec::new();
    for file in sources() {
        if let Some(word) = empty_word(file.path.trim_end_matches(".rs")) {
            breaches.push(format!("{}: {word}", file.path));
        }
        for (number, line) in file.lines() {
            let Some(name) = declared(line) else { continue };
            if let Some(word) = empty_word(name)
                && !GIVEN.iter().any(|(given, _)| *given == name)
            {
                breaches.push(format!("{}:{number}: {name}: {word}", file.path));
            }
        }
    }
    check("a name says what it names: this word could be anything", &breaches);
}

/// Name that a line declares, if it declares one.
fn declared(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if line.starts_with("//") {
        return None;
    }
    DECLARATIONS.iter().find_map(|keyword| {
        let (before, rest) = line.split_once(keyword)?;
        // Only visibility and qualifiers come before a declaration.
        let words = before.split_whitespace();
        let plain = |word: &str| {
            word.starts_with("pub") || ["async", "const", "unsafe", "in"].contains(&word)
        };
        if !words.into_iter().all(plain) {
            return None;
        }
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').find(|name| !name.is_empty())
    })
}

/// Word without meaning in a name (`snake_case`, `CamelCase`, or a path).
fn empty_word(name: &str) -> Option<&'static str> {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() {
            words.push(' ');
        }
        words.push(if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' });
    }
    EMPTY_WORDS.into_iter().find(|empty| words.split_whitespace().any(|word| word == *empty))
}

#[test]
fn private_key_is_not_in_git() {
    let endings = [".key", ".pem", ".p12", ".pfx", ".jks"];
    let mut breaches = Vec::new();
    for file in files() {
        if file.is(&endings) {
            breaches.push(format!("{}: a key file", file.path));
        }
        let mut armoured = false;
        for (number, line) in file.lines() {
            // Code may contain the header of a key; with base64 below it, it is a key.
            let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
            let line = line.trim().trim_matches('"').trim_end_matches("\\n");
            if armoured && line.len() >= 40 && line.chars().all(base64) {
                breaches.push(format!("{}:{number}: a private key", file.path));
            }
            armoured = line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----");
        }
    }
    check("no private key is in git: tests generate theirs", &breaches);
}

#[test]
fn file_has_at_most_64_kibibytes() {
    let mut breaches = Vec::new();
    for file in files() {
        let size = file.bytes.len();
        if size > BLOB_MAX && !LARGE.iter().any(|(path, _)| *path == file.path) {
            breaches.push(format!("{}: {size} bytes", file.path));
        }
    }
    check("no file has more than 64 KiB", &breaches);
}

#[test]
fn empty_word_is_found_in_a_declared_name() {
    assert_eq!(empty_word("KeyManager"), Some("manager"));
    assert_eq!(empty_word("src/net_utils"), Some("utils"));
    assert_eq!(empty_word("management_engineer"), None);
    assert_eq!(declared("    pub(crate) async fn serve<T>(x: T) {"), Some("serve"));
    assert_eq!(declared("let f = fn_of(x); // mod a"), None);
}
