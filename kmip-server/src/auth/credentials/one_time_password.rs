//! One Time Password (2.1, 9.11) by RFC 6238: six digits of HMAC-SHA-1 over the half minutes since
//! 1970, as every authenticator has them.
//!
//! **A code is taken once.** What was taken is known as long as the process; a code that is older
//! than a minute is good no more in any case.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::{constant_time, hmac};

use super::secrets_file::lines;

/// How long a code lasts, in microseconds (RFC 6238, 4.1).
const STEP: i64 = 30 * 1_000_000;

/// How many steps the client's clock may be off, either way (RFC 6238, 5.2).
const STEPS_OFF: i64 = 1;

/// The shortest secret in bytes: 128 bits (RFC 4226, 4, R6).
const SECRET_MIN: usize = 16;

/// The secrets of users, and the last step that each has used.
pub(crate) struct OneTime {
    secrets: BTreeMap<String, hmac::Key>,
    /// What the code of an unknown user is compared with: so it takes as long to be refused.
    nobody: hmac::Key,
    used: Mutex<BTreeMap<String, i64>>,
}

impl Default for OneTime {
    fn default() -> Self {
        Self::of(BTreeMap::new())
    }
}

impl OneTime {
    fn of(secrets: BTreeMap<String, hmac::Key>) -> Self {
        let nobody = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[0; SECRET_MIN]);
        Self { secrets, nobody, used: Mutex::default() }
    }

    /// Reads a file of lines `name:secret`, the secret in Base32.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let wrong = |why: String| format!("the one-time secrets in {}: {why}", path.display());
        let mut secrets = BTreeMap::new();
        for (number, name, text) in lines(path).map_err(wrong)? {
            let secret = base32(&text).filter(|secret| secret.len() >= SECRET_MIN);
            let secret = secret.ok_or_else(|| {
                wrong(format!("line {number} has no Base32 of {SECRET_MIN} bytes or more"))
            })?;
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
            secrets.insert(name, key);
        }
        Ok(Self::of(secrets))
    }

    /// Is it the user's code now, in microseconds since 1970, and the first time that it is shown?
    pub(super) fn check(&self, name: &str, code: &str, now: i64) -> bool {
        let known = self.secrets.get(name);
        let key = known.unwrap_or(&self.nobody);
        let step = now.div_euclid(STEP);
        let near = step.saturating_sub(STEPS_OFF)..=step.saturating_add(STEPS_OFF);
        let same = |step: &i64| {
            let expected = digits(key, *step);
            constant_time::verify_slices_are_equal(expected.as_bytes(), code.as_bytes()).is_ok()
        };
        let found = near.into_iter().find(same).filter(|_| known.is_some());
        let Some(step) = found else { return false };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let last = used.entry(name.to_owned()).or_insert(i64::MIN);
        let is_new = *last < step;
        *last = step.max(*last);
        is_new
    }
}

/// The code of one step (RFC 4226, 5.3).
fn digits(key: &hmac::Key, step: i64) -> String {
    let tag = hmac::sign(key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = bytes.last().map_or(0, |last| usize::from(last & 0x0F));
    let cut = bytes.iter().skip(at).take(4);
    let number = cut.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)) & 0x7FFF_FFFF;
    format!("{:06}", number.checked_rem(1_000_000).unwrap_or(0))
}

/// The bytes of a Base32 text (RFC 4648, 6), with blanks and padding passed over.
fn base32(text: &str) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut bits, mut count) = (0_u32, 0_u32);
    for letter in text.trim().bytes().filter(|letter| !matches!(letter, b' ' | b'=' | b'-')) {
        let letter = letter.to_ascii_uppercase();
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        bits = ((bits << 5) | u32::try_from(value).ok()?) & 0xFFF;
        count = count.saturating_add(5);
        if count >= 8 {
            count = count.saturating_sub(8);
            bytes.push(u8::try_from((bits >> count) & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4226, appendix D.
    #[test]
    fn the_codes_of_the_rfc() {
        let secret = base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        assert_eq!(*secret, b"12345678901234567890");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (step, code) in (0..).zip(codes) {
            assert_eq!(digits(&key, step), code, "count {step}");
        }
        assert_eq!(base32("G1"), None, "1 is no letter of Base32");
    }

    #[test]
    fn a_code_is_good_for_one_step_either_way_and_once() {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345678901234567890");
        let codes = OneTime::of([("ada".to_owned(), key)].into());
        let at = |step: i64| step * STEP;
        assert!(!codes.check("ada", "287082", at(3)), "too late");
        assert!(codes.check("ada", "287082", at(2)), "one step late");
        assert!(!codes.check("ada", "287082", at(1)), "again");
        assert!(!codes.check("ada", "755224", at(1)), "before what was used");
        assert!(codes.check("ada", "969429", at(2)), "one step early");
        assert!(!codes.check("bob", "359152", at(2)));
    }
}
