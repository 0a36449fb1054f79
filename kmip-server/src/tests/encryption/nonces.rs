//! The vectors that the server makes: none repeats, and none is shorter than its mode needs.

use std::collections::HashSet;

use kmip::structures::CryptographicParameters;
use kmip::vocabulary::CryptographicAlgorithm;

use crate::crypto::cipher::iv::{self, RANDOM_LEN_MIN};
use crate::crypto::cipher::kind::Kind;
use crate::crypto::cipher::{Beginning, Cipher, block};
use crate::crypto::{Error, Result};
use crate::tests::encryption::modes::{Served, needs_long_blocks, served};

/// How many vectors of each mode are made: 2,000, or 100,000 times the value of `SOAK`.
fn rounds() -> usize {
    match std::env::var("SOAK").map(|factor| factor.parse::<usize>()) {
        Ok(Ok(factor)) => 100_000 * factor,
        Ok(Err(error)) => panic!("SOAK: {error}"),
        Err(_) => 2_000,
    }
}

fn made(of: &Served, parameters: &CryptographicParameters) -> Result<Vec<u8>> {
    let vector = iv::to_encrypt(of.kind, of.algorithm, parameters, None)?;
    assert!(vector.is_made || vector.bytes.is_empty());
    Ok(vector.bytes)
}

fn plain(of: &Served) -> CryptographicParameters {
    CryptographicParameters {
        block_cipher_mode: of.mode,
        random_iv: Some(true),
        ..CryptographicParameters::default()
    }
}

/// The bytes of a vector that the server makes when nothing else is named; none of a mode without.
fn default_len(of: &Served) -> Option<usize> {
    let block = block::len(of.algorithm);
    match made(of, &plain(of)).unwrap().len() {
        0 => None,
        len if block == 0 || matches!(of.kind, Kind::Gcm | Kind::Ccm) => {
            assert_eq!(len, RANDOM_LEN_MIN, "{}", of.name());
            Some(len)
        }
        len => {
            assert_eq!(len, block, "{}", of.name());
            Some(len)
        }
    }
}

#[test]
fn made_vectors_have_the_length_of_their_mode_and_none_repeats() {
    for of in served() {
        let Some(len) = default_len(&of) else { continue };
        let mut seen = HashSet::new();
        for _ in 0..rounds() {
            let vector = made(&of, &plain(&of)).unwrap();
            assert_eq!(vector.len(), len, "{}", of.name());
            assert!(seen.insert(vector), "{}: a vector came twice", of.name());
        }
    }
}

/// A field of the parameters that changes what is made, and how it is set.
type Length = (&'static str, fn(&mut CryptographicParameters, i32));

const LENGTHS: &[Length] = &[
    ("IV Length", |p, bits| p.iv_length = Some(bits)),
    ("Fixed Field Length", |p, bits| p.fixed_field_length = Some(bits)),
    ("Invocation Field Length", |p, bits| p.invocation_field_length = Some(bits)),
    ("Counter Length", |p, bits| p.counter_length = Some(bits)),
    ("Initial Counter Value", |p, value| p.initial_counter_value = Some(value)),
];

/// The algorithms that two lengths together are tried with: one of each length of a block.
const PAIRED: &[CryptographicAlgorithm] = &[
    CryptographicAlgorithm::AES,
    CryptographicAlgorithm::DES3,
    CryptographicAlgorithm::ChaCha20,
    CryptographicAlgorithm::ChaCha20Poly1305,
];

/// Whatever a request says of lengths, one at a time and two together: what is made has the random
/// bits that keep it from repeating, or nothing is made.
#[test]
fn no_request_gets_a_vector_that_repeats() {
    for of in served() {
        let Some(default) = default_len(&of) else { continue };
        for (name, set) in LENGTHS {
            for value in [-8, 0, 1, 7, 8, 12, 16, 32, 64, 88, 95, 96, 104, 112, 120, 128, 512, 520]
            {
                let mut one = plain(&of);
                set(&mut one, value);
                check(&of, &one, default, &format!("{}, {name} {value}", of.name()));
                if !PAIRED.contains(&of.algorithm) {
                    continue;
                }
                for (other, set) in LENGTHS {
                    for bits in [8, 32, 64, 96] {
                        let mut both = one.clone();
                        set(&mut both, bits);
                        let what = format!("{}, {name} {value}, {other} {bits}", of.name());
                        check(&of, &both, default, &what);
                    }
                }
            }
        }
    }
}

fn check(of: &Served, parameters: &CryptographicParameters, default: usize, what: &str) {
    let vector = match made(of, parameters) {
        Ok(vector) => vector,
        Err(Error::Parameters(_)) => return,
        Err(other) => panic!("{what}: {other:?}"),
    };
    let another = made(of, parameters).unwrap();
    let same = vector.iter().zip(&another).filter(|(one, other)| one == other).count();
    let random = default.min(RANDOM_LEN_MIN);
    // Of random bytes hardly one in a hundred is the same.
    assert!(vector.len() - same >= random.saturating_sub(4), "{what}: {same} bytes are the same");
    if of.kind == Kind::Counted {
        assert_eq!(vector.len(), block::len(of.algorithm), "{what}: a counter block is a block");
    }
    assert!(vector.len() >= random, "{what}: {} bytes", vector.len());
    // Encryptor and decryptor take it with the same parameters.
    if needs_long_blocks(of.kind) && block::len(of.algorithm) < 16 {
        return;
    }
    let message = [3; 48];
    let begin = |tag| Beginning { vector: Some(&vector), tag, ..Beginning::default() };
    let encryptor = Cipher::encryptor(of.algorithm, &of.key, parameters, begin(None));
    let Ok((cipher, _)) = encryptor else { panic!("{what}: {:?}", encryptor.err()) };
    let out = cipher.finish(&message).unwrap_or_else(|error| panic!("{what}: {error}"));
    let tag = out.tag.as_deref();
    let cipher = Cipher::decryptor(of.algorithm, &of.key, parameters, begin(tag));
    let Ok(cipher) = cipher else { panic!("{what}: {:?}", cipher.err()) };
    assert_eq!(cipher.finish(&out.data).unwrap().data.as_slice(), message, "{what}");
}

/// With a Counter Length the block is a random nonce and a counter that begins where it must: two
/// messages have no block of the stream in common.
#[test]
fn a_counter_block_is_a_nonce_and_a_counter() {
    for of in served().iter().filter(|of| of.kind == Kind::Counted) {
        let block = block::len(of.algorithm);
        for (counter_length, start) in [(Some(32), None), (Some(32), Some(7)), (None, Some(7))] {
            let parameters = CryptographicParameters {
                counter_length,
                initial_counter_value: start,
                ..plain(of)
            };
            if block < 16 {
                assert!(matches!(made(of, &parameters), Err(Error::Parameters(_))));
                continue;
            }
            let mut nonces = HashSet::new();
            for _ in 0..100 {
                let vector = made(of, &parameters).unwrap();
                let (nonce, counter) = vector.split_at(12);
                assert_eq!(counter, start.unwrap_or(0_i32).to_be_bytes());
                assert!(nonces.insert(nonce.to_vec()));
                let (_, counted) = iv::register(block, &vector, &parameters).unwrap();
                assert_eq!(counted, 4, "the nonce is not counted into");
            }
        }
    }
}

/// KMIP 1.4, 3.6: IV Length is in bits. A widespread library sends bytes; the number of the bytes
/// that came can only be meant so, in whatever mode.
#[test]
fn iv_length_is_the_length_of_the_vector_in_bits_or_in_bytes() {
    for of in served().iter().filter(|of| default_len(of).is_some()) {
        if needs_long_blocks(of.kind) && block::len(of.algorithm) < 16 {
            continue;
        }
        let len = default_len(of).unwrap();
        let vector = vec![7; len];
        let begin = |iv_length| {
            let parameters = CryptographicParameters { iv_length, ..plain(of) };
            let beginning =
                Beginning { vector: Some(&vector), ends_with_tag: true, ..Beginning::default() };
            let encryptor = Cipher::encryptor(of.algorithm, &of.key, &parameters, beginning);
            let decryptor = Cipher::decryptor(of.algorithm, &of.key, &parameters, beginning);
            assert_eq!(encryptor.is_ok(), decryptor.is_ok(), "{}", of.name());
            encryptor.is_ok()
        };
        let len = i32::try_from(len).unwrap();
        assert!(begin(None) && begin(Some(len)) && begin(Some(8 * len)), "{}", of.name());
        for other in [0, -len, len - 1, len + 1, 8 * len + 8] {
            assert!(!begin(Some(other)), "{}: IV Length {other}", of.name());
        }
    }
}
