//! JSON files that carry a check of their own content, so that damage is found where it is read.
//!
//! ```text
//! {
//!   "check": "<SHA-256 of what follows this line, in hexadecimal>",
//!   "format": 2,
//!   ...
//! }
//! ```
//!
//! The file is JSON like any other. The check finds damage, not malice: it has no key.

use aws_lc_rs::digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Write;
use std::io;
use zeroize::Zeroizing;

const BEGIN: &str = "{\n  \"check\": \"";
const END: &str = "\",\n";
const CHECK_LEN: usize = 64;

/// The content as a file with its check; it may hold secrets.
///
/// # Errors
/// The content is not an object with members.
pub(crate) fn encode(content: &impl Serialize) -> io::Result<Zeroizing<Vec<u8>>> {
    let plain = Zeroizing::new(serde_json::to_vec_pretty(content).map_err(io::Error::other)?);
    let rest = plain
        .strip_prefix(b"{\n")
        .ok_or_else(|| io::Error::other("a checked file holds an object with members"))?;
    // With room for all, so that no copy of a secret is left behind where the bytes grew.
    let head = BEGIN.len().saturating_add(CHECK_LEN).saturating_add(END.len());
    let mut file = Zeroizing::new(Vec::with_capacity(head.saturating_add(rest.len())));
    file.extend_from_slice(BEGIN.as_bytes());
    file.extend_from_slice(check_of(rest).as_bytes());
    file.extend_from_slice(END.as_bytes());
    file.extend_from_slice(rest);
    Ok(file)
}

/// The content of a file, after its check was compared; or what is wrong with it.
///
/// # Errors
/// The file has no check, another check than its content, or other content.
pub(crate) fn decode<T: DeserializeOwned>(file: &[u8]) -> Result<T, String> {
    let without = || {
        "it does not begin with its check: it was changed, or written by an earlier version of \
         this program"
            .to_owned()
    };
    let rest = file.strip_prefix(BEGIN.as_bytes()).ok_or_else(without)?;
    let (check, rest) = rest.split_at_checked(CHECK_LEN).ok_or_else(without)?;
    let rest = rest.strip_prefix(END.as_bytes()).ok_or_else(without)?;
    if check != check_of(rest).as_bytes() {
        return Err("its check does not fit its content: it was changed or cut".to_owned());
    }
    let mut plain = Zeroizing::new(Vec::with_capacity(rest.len().saturating_add(1)));
    plain.push(b'{');
    plain.extend_from_slice(rest);
    serde_json::from_slice(&plain).map_err(|error| error.to_string())
}

fn check_of(rest: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, rest);
    hash.as_ref().iter().fold(String::with_capacity(CHECK_LEN), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use serde_json::{Value, json};

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let content = json!({ "format": 2, "text": "a\nb", "list": [1, 2, { "x": null }] });
        let file = encode(&content).unwrap();
        assert_eq!(decode::<Value>(&file).unwrap(), content);
        let mut with_check = content.clone();
        with_check["check"] = serde_json::from_slice::<Value>(&file).unwrap()["check"].clone();
        assert_eq!(serde_json::from_slice::<Value>(&file).unwrap(), with_check, "it is JSON");
        for bit in 0..file.len() * 8 {
            let mut damaged = file.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode::<Value>(&damaged).is_err(), "bit {bit}");
        }
        for len in 0..file.len() {
            assert!(decode::<Value>(&file[..len]).is_err(), "{len} bytes");
        }
        assert!(decode::<Value>(&[file.as_slice(), b" "].concat()).is_err());
    }
}
