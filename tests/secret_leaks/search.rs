//! Searches bytes for secrets in every form in which a program may have written them.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

/// A leak of this many bytes of a key is found, wherever in the key it begins to be a whole piece.
const PIECE_LEN: usize = 16;
/// By so many first bytes a needle is looked up.
const HEAD_LEN: usize = 4;

/// What is searched for.
#[derive(Default)]
pub(crate) struct Search {
    needles: HashMap<[u8; HEAD_LEN], Vec<Needle>>,
}

struct Needle {
    secret: String,
    form: &'static str,
    bytes: Vec<u8>,
}

/// The forms in which bytes are written.
type Form = fn(&[u8]) -> String;
const FORMS: [(&str, Form); 9] = [
    ("lower hex", |bytes| joined(bytes, "", |byte| format!("{byte:02x}"))),
    ("upper hex", |bytes| joined(bytes, "", |byte| format!("{byte:02X}"))),
    ("lower hex and spaces", |bytes| joined(bytes, " ", |byte| format!("{byte:02x}"))),
    ("lower hex and colons", |bytes| joined(bytes, ":", |byte| format!("{byte:02x}"))),
    ("a list in lower hex", |bytes| joined(bytes, ", ", |byte| format!("{byte:x}"))),
    ("a list in upper hex", |bytes| joined(bytes, ", ", |byte| format!("{byte:X}"))),
    ("a list of numbers", |bytes| joined(bytes, ", ", |byte| byte.to_string())),
    ("a dense list of numbers", |bytes| joined(bytes, ",", |byte| byte.to_string())),
    ("an escaped string", |bytes| bytes.escape_ascii().to_string()),
];

impl Search {
    /// Searches for a key in all forms.
    pub(crate) fn key(&mut self, secret: &str, key: &[u8]) {
        assert!(key.len() >= PIECE_LEN, "{secret} is too short to be told from chance");
        for piece in key.chunks_exact(PIECE_LEN) {
            self.add(secret, "raw", piece);
            for (form, write) in FORMS {
                self.add(secret, form, write(piece).as_bytes());
            }
        }
        // In Base64 of something longer the key may begin at any of three places.
        for piece in key.chunks(PIECE_LEN * 2).filter(|piece| piece.len() >= PIECE_LEN) {
            for skipped in 0..3 {
                let whole = &piece[skipped..];
                let whole = &whole[..whole.len() / 3 * 3];
                self.add(secret, "Base64", BASE64_STANDARD.encode(whole).as_bytes());
                self.add(secret, "Base64 for URLs", BASE64_URL_SAFE.encode(whole).as_bytes());
            }
        }
    }

    /// Searches for a text as it is and in hex.
    pub(crate) fn text(&mut self, secret: &str, text: &str) {
        self.add(secret, "plain", text.as_bytes());
        for (form, write) in &FORMS[..2] {
            self.add(secret, form, write(text.as_bytes()).as_bytes());
        }
    }

    fn add(&mut self, secret: &str, form: &'static str, bytes: &[u8]) {
        let head = *bytes.first_chunk().expect("a needle is longer than its head");
        let needle = Needle { secret: secret.to_owned(), form, bytes: bytes.to_vec() };
        self.needles.entry(head).or_default().push(needle);
    }

    /// The secrets that are in these bytes, each with its form.
    pub(crate) fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<(String, &'static str)> {
        // Most places are told by two bytes that no needle begins there.
        let mut begins = vec![false; 1 << 16];
        for head in self.needles.keys() {
            begins[usize::from(u16::from_be_bytes([head[0], head[1]]))] = true;
        }
        let mut found = BTreeSet::new();
        for (at, pair) in bytes.windows(2).enumerate() {
            if !begins[usize::from(u16::from_be_bytes([pair[0], pair[1]]))] {
                continue;
            }
            let rest = &bytes[at..];
            let here = rest.first_chunk().and_then(|head| self.needles.get(head));
            for needle in here.into_iter().flatten() {
                if rest.starts_with(&needle.bytes) {
                    found.insert((needle.secret.clone(), needle.form));
                }
            }
        }
        found
    }

    /// The secrets in all files of a folder, each with its form and its file.
    pub(crate) fn in_folder(&self, folder: &Path) -> BTreeSet<(String, &'static str, String)> {
        let mut found = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(self.in_folder(&path));
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let here = self.in_bytes(&std::fs::read(&path).unwrap());
            found.extend(here.into_iter().map(|(secret, form)| (secret, form, name.clone())));
        }
        found
    }
}

fn joined(bytes: &[u8], between: &str, write: fn(&u8) -> String) -> String {
    bytes.iter().map(write).collect::<Vec<_>>().join(between)
}

/// The private half of a key in PEM, as bytes: of RSA what follows the public numbers, of ECDSA
/// the number itself (RFC 5208, RFC 8017 A.1.2, RFC 5915).
pub(crate) fn private_part(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = BASE64_STANDARD.decode(body).unwrap();
    let scalar = [2, 1, 1, 4, 32];
    match der.windows(scalar.len()).position(|bytes| bytes == scalar) {
        Some(at) if der.len() < 256 => der[at + scalar.len()..][..32].to_vec(),
        _ => der[der.len() / 2..].to_vec(),
    }
}

#[test]
fn the_search_finds_a_key_in_every_form_and_anywhere() {
    let key: Vec<u8> = (0..32).map(|n| 0x83_u8.wrapping_add(n * 7)).collect();
    let mut search = Search::default();
    search.key("the key", &key);
    let found = |bytes: &[u8]| {
        search.in_bytes(bytes).into_iter().map(|(_, form)| form).collect::<BTreeSet<_>>()
    };
    assert!(found(&b"no key is in here, nor in 83 8a 91 98".repeat(100)).is_empty());
    for noise in [&b""[..], b"1", b"12", b"a log line: "] {
        let around = |text: &[u8]| [noise, text, noise].concat();
        assert_eq!(found(&around(&key)), BTreeSet::from(["raw"]));
        assert_eq!(found(&around(&key[..20])), BTreeSet::from(["raw"]));
        for (form, write) in FORMS {
            assert!(found(&around(write(&key).as_bytes())).contains(form), "{form}");
        }
        let base64 = BASE64_STANDARD.encode(around(&key));
        assert!(found(base64.as_bytes()).contains("Base64"), "{base64}");
        let base64 = BASE64_URL_SAFE.encode(around(&key));
        assert!(found(base64.as_bytes()).contains("Base64 for URLs"), "{base64}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    std::fs::write(folder.path().join("deep/file"), format!("{key:?}")).unwrap();
    let there = ("the key".to_owned(), "a list of numbers", "file".to_owned());
    assert_eq!(search.in_folder(folder.path()), BTreeSet::from([there]));
}
