//! Encryption and decryption, whole and in parts, against NIST, RFCs and Wycheproof.

use crate::crypto::cipher::{Beginning, Cipher};
use crate::crypto::held::HELD_LEN_MAX;
use crate::crypto::{Error, Result};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{BlockCipherMode, CryptographicAlgorithm, PaddingMethod};

use crate::tests::known_answers::table::{Row, rows};

/// A row of `ciphers.txt` or `refused.txt`, as far as they are one.
struct Case {
    algorithm: CryptographicAlgorithm,
    parameters: CryptographicParameters,
    key: Vec<u8>,
    vector: Option<Vec<u8>>,
    additional: Vec<u8>,
    tag: Option<Vec<u8>>,
}

impl Case {
    /// Reads the fields, of which those up to the key stand in the first `before`.
    fn of(row: &Row<'_>, padding: Option<PaddingMethod>, before: usize, tag: usize) -> Self {
        let tag = row.optional_bytes(tag);
        Self {
            algorithm: row.named(0, CryptographicAlgorithm::from_name).unwrap(),
            parameters: CryptographicParameters {
                block_cipher_mode: row.named(1, BlockCipherMode::from_name),
                padding_method: padding,
                tag_length: tag.as_ref().map(|tag| i32::try_from(tag.len()).unwrap()),
                ..CryptographicParameters::default()
            },
            key: row.bytes(before),
            vector: row.optional_bytes(before + 1),
            additional: row.bytes(before + 2),
            tag,
        }
    }

    fn beginning(&self, tag: bool) -> Beginning<'_> {
        Beginning {
            vector: self.vector.as_deref(),
            additional: &self.additional,
            tag: self.tag.as_deref().filter(|_| tag),
            ends_with_tag: false,
        }
    }

    /// Encrypts in parts of `part` bytes, and gives the tag too.
    fn encrypt(&self, data: &[u8], part: usize) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
        let (cipher, made) =
            Cipher::encryptor(self.algorithm, &self.key, &self.parameters, self.beginning(false))?;
        assert!(made.is_none(), "a vector that came is not made again");
        in_parts(cipher, data, part)
    }

    fn decrypt(&self, data: &[u8], part: usize) -> Result<Vec<u8>> {
        let cipher =
            Cipher::decryptor(self.algorithm, &self.key, &self.parameters, self.beginning(true))?;
        in_parts(cipher, data, part).map(|(data, _)| data)
    }
}

/// Feeds a message in parts. Each part is done twice, as it is after a conflict of commits: once on
/// a copy that is dropped.
fn in_parts(mut cipher: Cipher, data: &[u8], part: usize) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
    let mut out = Vec::new();
    let mut parts = data.chunks(part).peekable();
    let mut last: &[u8] = &[];
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            last = part;
            break;
        }
        cipher.clone().update(part)?;
        out.extend_from_slice(&cipher.update(part)?);
    }
    let finished = cipher.finish(last)?;
    out.extend_from_slice(&finished.data);
    Ok((out, finished.tag))
}

/// Whole, and in parts that are shorter than a block, a block, and across blocks.
const PARTS: &[usize] = &[usize::MAX, 1, 7, 16, 33];

#[test]
fn what_others_have_encrypted() {
    for row in rows(include_str!("ciphers.txt")) {
        let case = Case::of(&row, None, 2, 7);
        let (plain, cipher) = (row.bytes(5), row.bytes(6));
        for part in PARTS {
            let source = row.source;
            let encrypted = case.encrypt(&plain, *part).unwrap_or_else(|e| panic!("{source}: {e}"));
            assert_eq!(encrypted, (cipher.clone(), case.tag.clone()), "{source}, by {part}");
            let decrypted =
                case.decrypt(&cipher, *part).unwrap_or_else(|e| panic!("{source}: {e}"));
            assert_eq!(decrypted, plain, "{source}, by {part}");
        }
    }
}

#[test]
fn what_must_not_decrypt() {
    for row in rows(include_str!("refused.txt")) {
        let case = Case::of(&row, row.named(2, PaddingMethod::from_name), 3, 7);
        let found = case.decrypt(&row.bytes(6), usize::MAX);
        let refused = matches!(
            found,
            Err(Error::Failed | Error::Parameters(_) | Error::MissingIv | Error::TagLength(_))
        );
        assert!(refused, "{}: {found:?}", row.source);
    }
}

/// One bit of whatever is authenticated makes a message another one.
#[test]
fn every_bit_that_a_tag_vouches_for_counts() {
    for row in rows(include_str!("ciphers.txt")) {
        let case = Case::of(&row, None, 2, 7);
        let Some(tag) = case.tag.clone() else { continue };
        let cipher = row.bytes(6);
        for bit in (0..tag.len() * 8).step_by(5) {
            let mut tag = tag.clone();
            tag[bit / 8] ^= 1 << (bit % 8);
            let other = Case { tag: Some(tag), ..Case::of(&row, None, 2, 7) };
            assert_eq!(other.decrypt(&cipher, 7), Err(Error::Failed), "{}", row.source);
        }
        let other = Case { additional: [&case.additional[..], &[0]].concat(), ..case };
        assert_eq!(other.decrypt(&cipher, usize::MAX), Err(Error::Failed), "{}", row.source);
    }
}

/// One row a padding: its name, a message, and what the padded blocks are: `None` where they are
/// random but for the last byte.
#[test]
fn paddings() {
    use PaddingMethod as P;
    type Row = (PaddingMethod, &'static [u8], Option<&'static [u8]>);
    let rows: &[Row] = &[
        (P::None, &[1; 16], Some(&[1; 16])),
        (P::PKCS5, &[1; 13], Some(&[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3])),
        (P::PKCS5, &[], Some(&[16; 16])),
        (P::ANSIX9_23, &[1; 13], Some(&[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 3])),
        (P::SSL3, &[1; 13], Some(&[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2])),
        (P::ISO10126, &[1; 13], None),
        (P::ISO10126, &[1; 16], None),
    ];
    let key = [9; 16];
    let ecb = |padding| CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::ECB),
        padding_method: Some(padding),
        ..CryptographicParameters::default()
    };
    let aes = CryptographicAlgorithm::AES;
    for (padding, message, padded) in rows {
        for part in PARTS {
            let none = Beginning::default();
            let (cipher, _) = Cipher::encryptor(aes, &key, &ecb(*padding), none).unwrap();
            let (encrypted, _) = in_parts(cipher, message, *part).unwrap();
            let bare = Cipher::decryptor(aes, &key, &ecb(P::None), none).unwrap();
            let blocks = bare.finish(&encrypted).unwrap().data;
            match padded {
                Some(padded) => assert_eq!(blocks.as_slice(), *padded, "{padding:?}"),
                None => assert_eq!(usize::from(*blocks.last().unwrap()), 16 - message.len() % 16),
            }
            let cipher = Cipher::decryptor(aes, &key, &ecb(*padding), none).unwrap();
            let (decrypted, _) = in_parts(cipher, &encrypted, *part).unwrap();
            assert_eq!(decrypted, *message, "{padding:?}");
        }
    }
}

type Impossible = (
    &'static str,
    CryptographicAlgorithm,
    usize,
    fn(&mut CryptographicParameters),
    Option<usize>,
    fn(&Error) -> bool,
);

fn parameters(error: &Error) -> bool {
    matches!(error, Error::Parameters(_))
}

fn unsupported(error: &Error) -> bool {
    matches!(error, Error::Unsupported(_))
}

/// One row a request that cannot be done: algorithm, bytes of the key, what the parameters have,
/// bytes of the vector, and the kind of error.
const IMPOSSIBLE: &[Impossible] = &[
    ("no mode", CryptographicAlgorithm::AES, 16, |_| {}, None, parameters),
    (
        "GCM of blocks of 8",
        CryptographicAlgorithm::DES3,
        24,
        |p| p.block_cipher_mode = Some(BlockCipherMode::GCM),
        Some(12),
        unsupported,
    ),
    (
        "XTS of equal halves",
        CryptographicAlgorithm::AES,
        32,
        |p| p.block_cipher_mode = Some(BlockCipherMode::XTS),
        Some(16),
        parameters,
    ),
    (
        "CMAC",
        CryptographicAlgorithm::AES,
        16,
        |p| p.block_cipher_mode = Some(BlockCipherMode::CMAC),
        None,
        parameters,
    ),
    (
        "X9.102",
        CryptographicAlgorithm::AES,
        16,
        |p| p.block_cipher_mode = Some(BlockCipherMode::X9_102AESKW),
        None,
        unsupported,
    ),
    (
        "RSA",
        CryptographicAlgorithm::RSA,
        16,
        |p| p.block_cipher_mode = Some(BlockCipherMode::ECB),
        None,
        unsupported,
    ),
    (
        "a key of 5 bytes",
        CryptographicAlgorithm::AES,
        5,
        |p| p.block_cipher_mode = Some(BlockCipherMode::ECB),
        None,
        parameters,
    ),
    (
        "OAEP",
        CryptographicAlgorithm::AES,
        16,
        |p| {
            p.block_cipher_mode = Some(BlockCipherMode::ECB);
            p.padding_method = Some(PaddingMethod::OAEP);
        },
        None,
        parameters,
    ),
    (
        "padding of a stream",
        CryptographicAlgorithm::AES,
        16,
        |p| {
            p.block_cipher_mode = Some(BlockCipherMode::CTR);
            p.padding_method = Some(PaddingMethod::PKCS5);
        },
        Some(16),
        parameters,
    ),
    (
        "a vector too short",
        CryptographicAlgorithm::AES,
        16,
        |p| p.block_cipher_mode = Some(BlockCipherMode::CBC),
        Some(15),
        parameters,
    ),
    (
        "another length of vector",
        CryptographicAlgorithm::AES,
        16,
        |p| {
            p.block_cipher_mode = Some(BlockCipherMode::GCM);
            p.iv_length = Some(96);
        },
        Some(13),
        parameters,
    ),
    (
        "no random vector",
        CryptographicAlgorithm::AES,
        16,
        |p| {
            p.block_cipher_mode = Some(BlockCipherMode::CBC);
            p.random_iv = Some(false);
        },
        None,
        |e| *e == Error::MissingIv,
    ),
    (
        "a tag of 1 byte",
        CryptographicAlgorithm::AES,
        16,
        |p| {
            p.block_cipher_mode = Some(BlockCipherMode::GCM);
            p.tag_length = Some(1);
        },
        Some(12),
        |e| *e == Error::TagLength(1),
    ),
    (
        "a tag of 32 bytes",
        CryptographicAlgorithm::ChaCha20Poly1305,
        32,
        |p| p.tag_length = Some(32),
        Some(12),
        |e| *e == Error::TagLength(32),
    ),
];

#[test]
fn what_cannot_be_done_says_so() {
    for (what, algorithm, key, set, vector, is) in IMPOSSIBLE {
        let mut parameters = CryptographicParameters::default();
        set(&mut parameters);
        let vector = vector.map(|len| vec![0; len]);
        let beginning = Beginning { vector: vector.as_deref(), ..Beginning::default() };
        let error = Cipher::encryptor(*algorithm, &vec![1; *key], &parameters, beginning)
            .err()
            .unwrap_or_else(|| panic!("{what}"));
        assert!(is(&error), "{what}: {error:?}");
    }
}

/// One row a vector that the server makes: mode, and what the parameters say of its length.
#[test]
fn vectors_that_the_server_makes() {
    use BlockCipherMode as M;
    type Row = (M, Option<i32>, Option<i32>, Option<i32>, usize);
    let rows: &[Row] = &[
        (M::CBC, None, None, None, 16),
        (M::GCM, None, None, None, 12),
        (M::GCM, Some(128), None, None, 16),
        (M::GCM, None, Some(32), Some(64), 12),
        (M::CTR, None, None, None, 16),
        (M::CTR, Some(128), None, None, 16),
        (M::CTR, None, Some(32), Some(64), 16),
        (M::CCM, Some(104), None, None, 13),
        (M::XTS, None, None, None, 16),
    ];
    let key: Vec<u8> = (0..32).collect();
    for (mode, length, fixed, invocation, expected) in rows {
        let parameters = CryptographicParameters {
            block_cipher_mode: Some(*mode),
            random_iv: Some(true),
            iv_length: *length,
            fixed_field_length: *fixed,
            invocation_field_length: *invocation,
            ..CryptographicParameters::default()
        };
        let mut seen = Vec::new();
        for _ in 0..3 {
            let (cipher, made) = Cipher::encryptor(
                CryptographicAlgorithm::AES,
                &key,
                &parameters,
                Beginning::default(),
            )
            .unwrap();
            let made = made.unwrap();
            assert_eq!(made.len(), *expected, "{mode:?}");
            assert!(!seen.contains(&made), "the same vector twice");
            let out = cipher.finish(b"a message of more than one block").unwrap();
            let case = Case {
                algorithm: CryptographicAlgorithm::AES,
                parameters: parameters.clone(),
                key: key.clone(),
                vector: Some(made.clone()),
                additional: Vec::new(),
                tag: out.tag,
            };
            let back = case.decrypt(&out.data, 5).unwrap();
            assert_eq!(back, b"a message of more than one block", "{mode:?}");
            seen.push(made);
        }
    }
}

/// A counter of one byte counts 256 blocks, and no block of the stream is used twice.
#[test]
fn a_counter_does_not_come_round() {
    let parameters = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CTR),
        counter_length: Some(8),
        initial_counter_value: Some(1),
        ..CryptographicParameters::default()
    };
    let beginning = Beginning { vector: Some(&[7; 15]), ..Beginning::default() };
    let cipher = || {
        Cipher::encryptor(CryptographicAlgorithm::AES, &[1; 16], &parameters, beginning).unwrap().0
    };
    assert!(cipher().finish(&[0; 4096]).is_ok());
    assert!(matches!(cipher().finish(&[0; 4097]), Err(Error::Data(_))));
}

/// What is decrypted in parts comes with the last part, once its tag was compared; and no more of
/// it is held than fits.
#[test]
fn nothing_comes_out_before_its_tag_was_compared() {
    let row = rows(include_str!("ciphers.txt"))
        .find(|row| row.source.starts_with("RFC 8439, 2.8.2"))
        .unwrap();
    let case = Case::of(&row, None, 2, 7);
    let begin = || {
        Cipher::decryptor(case.algorithm, &case.key, &case.parameters, case.beginning(true))
            .unwrap()
    };
    let mut cipher = begin();
    let encrypted = row.bytes(6);
    let (first, last) = encrypted.split_at(50);
    assert!(cipher.update(first).unwrap().is_empty());
    assert_eq!(cipher.finish(last).unwrap().data.as_slice(), row.bytes(5));
    let mut cipher = begin();
    cipher.update(&vec![0; HELD_LEN_MAX]).unwrap();
    assert!(matches!(cipher.update(&[0]), Err(Error::Data(_))));
}
