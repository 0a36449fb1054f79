//! Where the root key comes from: a file, made at the first start, or a text that was given.
//!
//! The key is written only when it is made, and nowhere else. No error text holds any part of it.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use support::{durable_fs, small_files};
use zeroize::Zeroizing;

use super::OpenError;
use super::root_key::{KEY_LEN, RootKey};

/// The file of the root key in the data directory, unless another one is named.
pub(crate) const KEY_FILE: &str = "store.key";

/// Where the root key comes from.
pub enum KeySource {
    /// A file that only its owner can read. It is made with the store.
    File(PathBuf),
    /// The key itself, as 64 hexadecimal digits or as Base64, and the name of the setting that it
    /// was given by.
    Text {
        /// The key.
        text: Zeroizing<String>,
        /// For error texts.
        setting: String,
    },
}

impl KeySource {
    /// The file in a data directory, unless the settings name another one.
    pub(crate) fn in_directory(data: &Path) -> Self {
        Self::File(data.join(KEY_FILE))
    }

    /// How an error text names it.
    pub fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Text { setting, .. } => setting.clone(),
        }
    }

    /// Name of the file beside the root key that holds the id of its store; `None` if the key is
    /// not in a file.
    pub(super) fn store_id_file(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.with_added_extension("store-id")),
            Self::Text { .. } => None,
        }
    }

    /// The root key, and whether its file was made now: only for a store that is new.
    pub(super) fn root_key(&self, store_is_new: bool) -> Result<(RootKey, bool), OpenError> {
        let wrong = |why: &str| OpenError::RootKey { place: self.place(), why: why.to_owned() };
        match self {
            Self::Text { text, .. } => {
                let key = parse(text.as_bytes()).ok_or_else(|| wrong(NOT_A_KEY))?;
                Ok((RootKey::new(key), false))
            }
            Self::File(path) => match read(path) {
                Ok(text) => {
                    let key = parse(&text).ok_or_else(|| wrong(NOT_A_KEY))?;
                    Ok((RootKey::new(key), false))
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if !store_is_new {
                        return Err(wrong(
                            "is missing, and the store holds records that were sealed under it: \
                             put the file back",
                        ));
                    }
                    let made = make(path).map(|key| (key, true));
                    made.map_err(|error| wrong(&format!("cannot be made: {error}")))
                }
                Err(error) => Err(wrong(&format!("cannot be used: {error}"))),
            },
        }
    }
}

const NOT_A_KEY: &str =
    "is no key: it must be 32 bytes, as 64 hexadecimal digits, as Base64 or as they are";

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeySource({})", self.place())
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    small_files::read_secret(path)
}

fn parse(text: &[u8]) -> Option<Zeroizing<[u8; KEY_LEN]>> {
    let key = |bytes: &[u8]| bytes.try_into().ok().map(Zeroizing::new);
    if text.len() == KEY_LEN {
        return key(text);
    }
    let text = text.trim_ascii();
    if text.len() == KEY_LEN * 2 {
        return key(&from_hex(text)?);
    }
    let padded = text.ends_with(b"=");
    let base64 = if padded { STANDARD.decode(text) } else { STANDARD_NO_PAD.decode(text) };
    key(&Zeroizing::new(base64.ok()?))
}

fn from_hex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_LEN));
    for pair in text.chunks_exact(2) {
        let mut byte = 0;
        for digit in pair {
            let digit = u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
            byte = (byte << 4) | digit;
        }
        bytes.push(byte);
    }
    Some(bytes)
}

/// Makes the file durably, and whole or not at all: the first record must not outlive its key.
fn make(path: &Path) -> io::Result<RootKey> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    rand::fill(key.as_mut()).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    let mut text = Zeroizing::new(String::with_capacity(KEY_LEN * 2 + 1));
    for byte in key.iter() {
        for digit in [byte >> 4, byte & 0xf] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or_default());
        }
    }
    text.push('\n');
    // What a power cut left of an earlier try is removed: no record was ever sealed under it.
    durable_fs::replace_file(path, text.as_bytes())?;
    tracing::info!(path = %path.display(), "made the store's root key; keep a copy of it safe");
    Ok(RootKey::new(key))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt};

    use super::*;
    use crate::store::root_key::first_bytes;

    fn text(text: &str) -> KeySource {
        let text = Zeroizing::new(text.to_owned());
        KeySource::Text { text, setting: "KMIP_SERVER_STORE_KEY".to_owned() }
    }

    fn hash(source: &KeySource, new: bool) -> Result<[u8; 16], String> {
        let (root_key, _) = source.root_key(new).map_err(|error| error.to_string())?;
        Ok(first_bytes(root_key.keyed_hash(b"x")))
    }

    #[test]
    fn every_form_of_a_key_is_the_same_key() {
        let expected =
            first_bytes::<16>(RootKey::new(Zeroizing::new([b'k'; KEY_LEN])).keyed_hash(b"x"));
        let forms = [
            "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk".to_owned(),
            "6b".repeat(KEY_LEN),
            "6B".repeat(KEY_LEN) + "\n",
            "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=".to_owned(),
            " a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s\n".to_owned(),
        ];
        for form in forms {
            assert_eq!(hash(&text(&form), false).as_ref(), Ok(&expected), "{form}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let no_key = ["", "sesame", &"6b".repeat(31), &"6x".repeat(32), &"6b".repeat(33)];
        for form in no_key {
            let error = hash(&text(form), true).unwrap_err();
            assert_eq!(error, format!("the root key in KMIP_SERVER_STORE_KEY {NOT_A_KEY}"));
        }
    }

    #[test]
    fn a_file_is_made_once_and_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(KEY_FILE);
        let source = KeySource::File(path.clone());
        let made = hash(&source, true).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(hash(&source, true).unwrap(), made);
        assert_eq!(hash(&source, false).unwrap(), made);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(KEY_FILE);
        let source = KeySource::File(path.clone());
        hash(&source, true).unwrap();
        for mode in [0o604, 0o644, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = hash(&source, false).unwrap_err();
            assert!(error.contains(&format!("(mode {mode:03o}); chmod it to 6")), "{error}");
        }
    }

    #[test]
    fn a_lost_file_is_not_made_anew_over_records() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(KEY_FILE);
        let error = hash(&KeySource::File(path.clone()), false).unwrap_err();
        assert!(error.contains("put the file back"), "{error}");
        assert!(!path.exists());
    }
}
