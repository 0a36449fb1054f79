//! Hashes and message authentication codes, whole and in parts, against NIST and RFCs.

use crate::crypto::hash::hash;
use crate::crypto::hash::mac::Mac;
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm};

use crate::tests::known_answers::table::rows;

/// In one part, and in parts shorter than a block, a block, and across blocks.
const PARTS: &[usize] = &[usize::MAX, 1, 16, 63];

#[test]
fn hashes() {
    for row in rows(include_str!("digests.txt")) {
        let algorithm = row.named(0, HashingAlgorithm::from_name).unwrap();
        for part in PARTS {
            let mut hash = hash(algorithm).unwrap_or_else(|e| panic!("{}: {e}", row.source));
            row.bytes(1).chunks(*part).for_each(|part| {
                let mut undone = hash.clone();
                undone.update(b"a part that is done again");
                hash.update(part);
            });
            assert_eq!(hash.finish().as_slice(), row.bytes(2), "{}", row.source);
        }
    }
}

#[test]
fn codes() {
    for row in rows(include_str!("codes.txt")) {
        let algorithm = row.named(0, CryptographicAlgorithm::from_name).unwrap();
        let parameters = CryptographicParameters {
            block_cipher_mode: row.named(1, BlockCipherMode::from_name),
            ..CryptographicParameters::default()
        };
        let (key, message, code) = (row.bytes(2), row.bytes(3), row.bytes(4));
        for part in PARTS {
            let mut mac = Mac::new(Some(algorithm), &key, &parameters)
                .unwrap_or_else(|e| panic!("{}: {e}", row.source));
            message.chunks(*part).for_each(|part| {
                mac.clone().update(b"a part that is done again");
                mac.update(part);
            });
            // RFC 2202 and RFC 4231 cut some of their codes.
            let made = mac.clone().finish();
            assert_eq!(&made[..code.len()], code, "{}", row.source);
            assert!(mac.clone().verify(&made), "{}", row.source);
            let mut other = made.to_vec();
            *other.last_mut().unwrap() ^= 1;
            assert!(!mac.clone().verify(&other), "{}", row.source);
            assert!(!mac.verify(&made[1..]), "{}", row.source);
        }
    }
}

/// One row a choice: the algorithm of the key, what the parameters name, and the code that is
/// meant: HMAC over a hash, or a cipher's.
#[test]
fn the_parameters_choose_and_then_the_key() {
    use CryptographicAlgorithm as A;
    type Set = fn(&mut CryptographicParameters);
    let rows: &[(&str, Option<A>, Set, Option<usize>)] = &[
        ("the key's own", Some(A::HMAC_SHA384), |_| {}, Some(48)),
        (
            "CS-AC-M-4: a key of AES, HMAC named",
            Some(A::AES),
            |p| {
                p.cryptographic_algorithm = Some(A::HMAC_SHA256);
            },
            Some(32),
        ),
        ("a hash named", None, |p| p.hashing_algorithm = Some(HashingAlgorithm::SHA_1), Some(20)),
        ("a cipher's code is CMAC", Some(A::AES), |_| {}, Some(16)),
        ("nothing named", None, |_| {}, None),
        (
            "a mode that is none",
            Some(A::AES),
            |p| {
                p.block_cipher_mode = Some(BlockCipherMode::CBC);
            },
            None,
        ),
        ("an algorithm that is none", Some(A::RSA), |_| {}, None),
    ];
    for (what, algorithm, set, len) in rows {
        let mut parameters = CryptographicParameters::default();
        set(&mut parameters);
        let code = Mac::new(*algorithm, &[1; 16], &parameters).map(|mac| mac.finish().len());
        assert_eq!(code.ok(), *len, "{what}");
    }
}
