//! Keys in every form, from each to each, as OpenSSL and RFC 8410 have them.

use crate::crypto::asymmetric::{self, Input, Scheme};
use crate::crypto::formats::{self, FormatError, Hint};
use kmip::vocabulary::{HashingAlgorithm, KeyCompressionType, RecommendedCurve};

use crate::tests::harness::*;
use crate::tests::known_answers::stanzas::{Stanza, of_kind};

const CASES: &str = include_str!("formats.txt");

/// The forms that are bytes.
const BYTES: [&str; 5] = ["Raw", "PKCS_1", "PKCS_8", "ECPrivateKey", "X_509"];

fn block(stanza: &Stanza, form: &str) -> Option<KeyBlock> {
    let format = KeyFormatType::from_name(form).expect("a form");
    (!stanza.word(form).is_empty()).then(|| KeyBlock::plain(format, &stanza.bytes(form)))
}

fn hint(stanza: &Stanza) -> Hint {
    Hint {
        algorithm: CryptographicAlgorithm::from_name(stanza.word("algorithm")),
        curve: RecommendedCurve::from_name(stanza.word("curve")),
    }
}

fn converted(
    stanza: &Stanza,
    object_type: ObjectType,
    from: &KeyBlock,
    to: &str,
) -> Result<KeyBlock, FormatError> {
    let mut block = from.clone();
    let format = KeyFormatType::from_name(to).expect("a form");
    formats::convert(object_type, &mut block, hint(stanza), format, None)?;
    assert_eq!(block.key_format_type, format);
    Ok(block)
}

#[test]
fn from_each_form_to_each() {
    for object_type in [ObjectType::PrivateKey, ObjectType::PublicKey] {
        for stanza in of_kind(CASES, &format!("{object_type:?}")) {
            let source = stanza.source();
            let transparent = stanza.word("transparent");
            for from in BYTES.iter().filter_map(|form| block(&stanza, form)) {
                let key = formats::read(object_type, &from, hint(&stanza)).expect(source);
                assert_eq!(key.algorithm(), hint(&stanza).algorithm, "{source}");
                assert_eq!(key.length().to_string(), stanza.word("length"), "{source}");
                for to in BYTES {
                    let found = converted(&stanza, object_type, &from, to);
                    let found = found.ok().and_then(|block| block.bytes().map(<[u8]>::to_vec));
                    let expected = block(&stanza, to).map(|_| stanza.bytes(to));
                    assert_eq!(found, expected, "{source}: {:?} to {to}", from.key_format_type);
                }
                if transparent.is_empty() {
                    continue;
                }
                let there = converted(&stanza, object_type, &from, transparent).expect(source);
                assert!(there.bytes().is_none(), "it is numbers");
                for to in BYTES.iter().filter(|to| !stanza.word(to).is_empty()) {
                    let back = converted(&stanza, object_type, &there, to).expect(source);
                    let expected = stanza.bytes(to);
                    assert_eq!(back.bytes(), Some(expected.as_slice()), "{source}: to {to}");
                }
            }
        }
    }
}

/// A point is given uncompressed, compressed and hybrid, whatever it came as.
#[test]
fn points() {
    use KeyCompressionType as K;
    let forms = [
        ("X_509", K::ECPublicKeyTypeUncompressed),
        ("compressed", K::ECPublicKeyTypeX9_62CompressedPrime),
        ("hybrid", K::ECPublicKeyTypeX9_62Hybrid),
    ];
    let on_curves = |stanza: &Stanza| !stanza.word("compressed").is_empty();
    let stanzas = of_kind(CASES, "PublicKey");
    assert_eq!(stanzas.iter().filter(|stanza| on_curves(stanza)).count(), 5);
    for stanza in stanzas.iter().filter(|stanza| on_curves(stanza)) {
        for (from, _) in forms {
            for (to, asked) in forms {
                let mut block = KeyBlock::plain(KeyFormatType::X_509, &stanza.bytes(from));
                let format = block.key_format_type;
                let hint = hint(stanza);
                let done =
                    formats::convert(ObjectType::PublicKey, &mut block, hint, format, Some(asked));
                assert_eq!(done, Ok(()), "{}", stanza.source());
                let expected = stanza.bytes(to);
                assert_eq!(block.bytes(), Some(expected.as_slice()), "{from} to {to}");
                assert_eq!(block.key_compression_type, Some(asked));
            }
        }
    }
}

/// An RSA key of few numbers is made whole: two primes, or the private exponent, and with a public
/// exponent or without.
#[test]
fn an_rsa_key_of_few_numbers() {
    use kmip::transparent::{TransparentRSAPrivateKey, read, write};
    let stanza = &of_kind(CASES, "PrivateKey")[0];
    let from = block(stanza, "PKCS_1").unwrap();
    let form = "TransparentRSAPrivateKey";
    let whole = converted(stanza, ObjectType::PrivateKey, &from, form).unwrap();
    let Some(KeyValue::Plain { material: KeyMaterial::Transparent(raw), .. }) = &whole.key_value
    else {
        panic!("numbers")
    };
    let whole: TransparentRSAPrivateKey = read(raw).unwrap();
    let bare = TransparentRSAPrivateKey {
        prime_exponent_p: None,
        prime_exponent_q: None,
        crt_coefficient: None,
        ..whole
    };
    let primes =
        TransparentRSAPrivateKey { private_exponent: None, public_exponent: None, ..bare.clone() };
    let exponent = TransparentRSAPrivateKey { p: None, q: None, ..bare.clone() };
    let wrong = TransparentRSAPrivateKey { p: bare.q.clone(), ..bare.clone() };
    let nothing = TransparentRSAPrivateKey { private_exponent: None, ..exponent.clone() };
    let rows = [(bare, true), (primes, true), (exponent, true), (wrong, false), (nothing, false)];
    let signature = |block: &KeyBlock| {
        let key = formats::read(ObjectType::PrivateKey, block, Hint::default()).ok()?;
        let scheme = Scheme::Pkcs1(HashingAlgorithm::SHA_256);
        asymmetric::sign(&key, &scheme, Input::Data(b"data")).ok()
    };
    let expected = signature(&from);
    assert!(expected.is_some());
    for (row, (numbers, is_key)) in rows.into_iter().enumerate() {
        let mut few = from.clone();
        few.key_format_type = KeyFormatType::TransparentRSAPrivateKey;
        few.key_value = Some(KeyValue::Plain {
            material: KeyMaterial::Transparent(write(&numbers)),
            attributes: kmip::attributes::AttributeList::default(),
        });
        let found = converted(stanza, ObjectType::PrivateKey, &few, "PKCS_1").ok();
        let found = found.and_then(|whole| signature(&whole));
        assert_eq!(found.is_some(), is_key, "row {row}");
        assert!(!is_key || found == expected, "row {row}");
    }
}

#[test]
fn what_is_no_key_is_not_read() {
    let rows: [(ObjectType, KeyFormatType, &[u8]); 6] = [
        (ObjectType::PrivateKey, KeyFormatType::PKCS_8, b""),
        (ObjectType::PrivateKey, KeyFormatType::PKCS_1, &[0x30, 0x80, 0, 0]),
        (ObjectType::PublicKey, KeyFormatType::X_509, &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]),
        (ObjectType::PrivateKey, KeyFormatType::ECPrivateKey, &[0x30, 3, 2, 1, 1]),
        (ObjectType::PrivateKey, KeyFormatType::Raw, &[7; 32]),
        (ObjectType::PublicKey, KeyFormatType::PKCS_12, &[7; 32]),
    ];
    for (object_type, format, bytes) in rows {
        let block = KeyBlock::plain(format, bytes);
        let found = formats::read(object_type, &block, Hint::default()).err();
        assert_eq!(found, Some(FormatError::Unreadable(format)));
    }
    // A private key is no public key, though it says what one is.
    let stanza = &of_kind(CASES, "PrivateKey")[0];
    let block = block(stanza, "PKCS_8").unwrap();
    assert!(formats::read(ObjectType::PublicKey, &block, Hint::default()).is_err());
}
