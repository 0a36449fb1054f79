//! Keys out of keys, against RFCs, NIST and AWS.

use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{
    BlockCipherMode, CryptographicAlgorithm, DerivationMethod, HashingAlgorithm,
};
use kmip_server::crypto::Error;
use kmip_server::crypto::derive::{DERIVED_LEN_MAX, Source, derive};

use crate::table::{bytes, rows};

#[test]
fn what_others_have_derived() {
    for row in rows(include_str!("derivations.txt")) {
        let mut cipher = row.text(1).unwrap_or_default().split('/');
        let parameters = CryptographicParameters {
            cryptographic_algorithm: cipher.next().and_then(CryptographicAlgorithm::from_name),
            block_cipher_mode: cipher.next().and_then(BlockCipherMode::from_name),
            hashing_algorithm: row.named(2, HashingAlgorithm::from_name),
            ..CryptographicParameters::default()
        };
        let data: Vec<Vec<u8>> = row.text(4).map_or_else(Vec::new, |data| {
            data.split(',').map(|data| bytes(data, row.source)).collect()
        });
        let (key, salt, vector) = (row.bytes(3), row.optional_bytes(5), row.optional_bytes(7));
        let source = Source {
            key: &key,
            algorithm: None,
            data: &data,
            parameters: &parameters,
            vector: vector.as_deref(),
            salt: salt.as_deref(),
            iterations: row.text(6).map(|rounds| rounds.parse().unwrap()),
        };
        let method = row.named(0, DerivationMethod::from_name).unwrap();
        let expected = row.bytes(8);
        let found = derive(method, source, expected.len())
            .unwrap_or_else(|e| panic!("{}: {e}", row.source));
        assert_eq!(found.as_slice(), expected, "{}", row.source);
        // A shorter key is the beginning of a longer one.
        let half = derive(method, source, expected.len() / 2).unwrap();
        assert_eq!(half.as_slice(), &expected[..expected.len() / 2], "{}", row.source);
    }
}

/// One row a request that cannot be done: method, data, salt, rounds, bytes asked for.
#[test]
fn what_cannot_be_derived_says_so() {
    use DerivationMethod as M;
    type Row = (&'static str, M, Option<&'static [u8]>, Option<&'static [u8]>, Option<i32>, usize);
    let rows: &[Row] = &[
        ("longer than the hash", M::HASH, Some(b"x"), None, None, 33),
        ("longer than the code", M::HMAC, Some(b"x"), None, None, 33),
        ("longer than HKDF gives", M::HKDF, Some(b"x"), Some(b""), None, DERIVED_LEN_MAX + 1),
        ("nothing", M::HASH, Some(b"x"), None, None, 0),
        ("PBKDF2 without salt", M::PBKDF2, None, None, Some(1), 16),
        ("PBKDF2 without rounds", M::PBKDF2, None, Some(b"salt"), None, 16),
        ("PBKDF2 with rounds for a day", M::PBKDF2, None, Some(b"salt"), Some(i32::MAX), 16),
        ("no data", M::NIST800_108_C, None, None, None, 16),
        ("encrypted by nothing", M::ENCRYPT, Some(b"x"), None, None, 1),
        ("one datum of three", M::AWSSignatureVersion4, Some(b"x"), None, None, 32),
        ("two keys of a curve", M::AsymmetricKey, None, None, None, 32),
    ];
    for (what, method, data, salt, iterations, len) in rows {
        let parameters = CryptographicParameters::default();
        let data: Vec<Vec<u8>> = data.iter().map(|data| data.to_vec()).collect();
        let source = Source {
            key: b"a key",
            algorithm: None,
            data: &data,
            parameters: &parameters,
            vector: None,
            salt: *salt,
            iterations: *iterations,
        };
        let error = derive(*method, source, *len).err().unwrap_or_else(|| panic!("{what}"));
        assert!(matches!(error, Error::Parameters(_) | Error::Unsupported(_)), "{what}: {error:?}");
    }
}
