//! Which keys the server makes and takes: the lengths that each algorithm has.

use kmip::vocabulary::CryptographicAlgorithm as A;

use crate::objects::error::{OperationError, Result};

/// The lengths of an algorithm's keys, in bits.
enum Lengths {
    /// These and no others.
    Of(&'static [i32]),
    /// Whole bytes, from the first to the last.
    Bytes(i32, i32),
}

/// The longest key of an algorithm that takes any length: a 4 KiB HMAC key is beyond every use.
pub(crate) const ANY_MAX: i32 = 32_768;

/// One row an algorithm of symmetric keys: its lengths, and the one that stands for none given.
const SYMMETRIC: &[(A, Lengths, i32)] = &[
    // 512 bits are the two keys of XTS-AES-256, as one (IEEE 1619).
    (A::AES, Lengths::Of(&[128, 192, 256, 512]), 256),
    // Two or three keys of DES, without their parity bits or with them (1.4, 2.1.3).
    (A::DES3, Lengths::Of(&[112, 128, 168, 192]), 168),
    (A::DES, Lengths::Of(&[56, 64]), 56),
    (A::Blowfish, Lengths::Bytes(32, 448), 128),
    (A::Camellia, Lengths::Of(&[128, 192, 256]), 256),
    (A::CAST5, Lengths::Bytes(40, 128), 128),
    (A::IDEA, Lengths::Of(&[128]), 128),
    (A::MARS, Lengths::Bytes(128, 448), 256),
    (A::RC2, Lengths::Bytes(8, 1024), 128),
    (A::RC4, Lengths::Bytes(40, 2048), 128),
    (A::RC5, Lengths::Bytes(8, 2040), 128),
    (A::SKIPJACK, Lengths::Of(&[80]), 80),
    (A::Twofish, Lengths::Bytes(8, 256), 256),
    (A::ChaCha20, Lengths::Of(&[128, 256]), 256),
    (A::Poly1305, Lengths::Of(&[256]), 256),
    (A::ChaCha20Poly1305, Lengths::Of(&[256]), 256),
    (A::HMAC_SHA1, Lengths::Bytes(8, ANY_MAX), 160),
    (A::HMAC_SHA224, Lengths::Bytes(8, ANY_MAX), 224),
    (A::HMAC_SHA256, Lengths::Bytes(8, ANY_MAX), 256),
    (A::HMAC_SHA384, Lengths::Bytes(8, ANY_MAX), 384),
    (A::HMAC_SHA512, Lengths::Bytes(8, ANY_MAX), 512),
    (A::HMAC_MD5, Lengths::Bytes(8, ANY_MAX), 128),
    (A::HMAC_SHA3_224, Lengths::Bytes(8, ANY_MAX), 224),
    (A::HMAC_SHA3_256, Lengths::Bytes(8, ANY_MAX), 256),
    (A::HMAC_SHA3_384, Lengths::Bytes(8, ANY_MAX), 384),
    (A::HMAC_SHA3_512, Lengths::Bytes(8, ANY_MAX), 512),
];

/// Whether the server makes keys for this algorithm, and so knows how long they are.
pub(crate) fn is_made(algorithm: A) -> bool {
    SYMMETRIC.iter().any(|(a, _, _)| *a == algorithm)
}

/// The length of a symmetric key in bits: the one asked for, if the algorithm has it.
pub(crate) fn symmetric_length(algorithm: A, length: Option<i32>) -> Result<i32> {
    let Some((_, lengths, default)) = SYMMETRIC.iter().find(|(a, _, _)| *a == algorithm) else {
        return Err(OperationError::invalid_field(format!(
            "{algorithm:?} is not an algorithm of symmetric keys that this server has"
        )));
    };
    let length = length.unwrap_or(*default);
    let fits = match lengths {
        Lengths::Of(all) => all.contains(&length),
        Lengths::Bytes(first, last) => (*first..=*last).contains(&length) && length % 8 == 0,
    };
    if fits {
        return Ok(length);
    }
    let allowed = match lengths {
        Lengths::Of(all) => alternatives(all),
        Lengths::Bytes(first, last) => format!("whole bytes from {first} to {last}"),
    };
    Err(OperationError::invalid_field(format!(
        "{length} bits is no length of a key for {algorithm:?}: it is {allowed} bits"
    )))
}

/// Numbers as a sentence names them: `128, 192 or 256`.
fn alternatives(all: &[i32]) -> String {
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    match all.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => all.concat(),
    }
}

/// The bytes that a key of so many bits has. The lengths of DES count without parity bits or with
/// them; the bytes always have them.
pub(crate) fn key_bytes(algorithm: A, bits: i32) -> usize {
    let bits = match (algorithm, bits) {
        (A::DES, 56) => 64,
        (A::DES3, 112) => 128,
        (A::DES3, 168) => 192,
        (_, bits) => bits,
    };
    usize::try_from(bits.max(0)).unwrap_or(0).div_ceil(8)
}

#[cfg(test)]
mod tests {
    use super::{A, alternatives, key_bytes, symmetric_length};

    #[test]
    fn alternatives_are_a_list_of_the_language() {
        for (all, text) in [
            (&[80][..], "80"),
            (&[56, 64], "56 or 64"),
            (&[128, 192, 256, 512], "128, 192, 256 or 512"),
        ] {
            assert_eq!(alternatives(all), text);
        }
    }

    /// One row a case: algorithm, length asked for, bits and bytes of the key.
    #[test]
    fn lengths() {
        type Row = (A, Option<i32>, Option<(i32, usize)>);
        let rows: &[Row] = &[
            (A::AES, Some(128), Some((128, 16))),
            (A::AES, None, Some((256, 32))),
            (A::AES, Some(100), None),
            (A::AES, Some(0), None),
            (A::AES, Some(-128), None),
            (A::AES, Some(i32::MAX), None),
            (A::DES3, Some(168), Some((168, 24))),
            (A::DES3, Some(112), Some((112, 16))),
            (A::DES3, Some(192), Some((192, 24))),
            // One key of DES is none of Triple DES.
            (A::DES3, Some(56), None),
            (A::DES3, Some(64), None),
            (A::DES, Some(56), Some((56, 8))),
            (A::IDEA, Some(128), Some((128, 16))),
            (A::HMAC_SHA256, Some(256), Some((256, 32))),
            (A::HMAC_SHA256, Some(257), None),
            (A::RSA, Some(2048), None),
            (A(0x8000_0001), Some(128), None),
        ];
        for (algorithm, asked, expected) in rows {
            let found = symmetric_length(*algorithm, *asked)
                .ok()
                .map(|bits| (bits, key_bytes(*algorithm, bits)));
            assert_eq!(found, *expected, "{algorithm:?} {asked:?}");
        }
    }
}
