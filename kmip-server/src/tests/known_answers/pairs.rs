//! Create Key Pair and Re-key Key Pair: the two keys of a pair are one, by the libraries' own
//! arithmetic; what becomes of names, links and dates is that of the standard's tables.

use crate::crypto::asymmetric;
use crate::crypto::formats::{self, Hint};
use crate::crypto::keys::Key as Neutral;
use kmip::payload::{CreateKeyPairRequest, ReKeyKeyPairRequest};
use kmip::structures::{CryptographicDomainParameters, Link};
use kmip::vocabulary::RecommendedCurve;
use kmip::{DateTime, Interval};

use crate::tests::harness::*;
use AttributeValue as A;
use CryptographicAlgorithm as C;
use KeyFormatType as F;

fn pair_of(algorithm: C, more: Vec<A>) -> CreateKeyPairRequest {
    let one =
        |text: &str, mask| Some(Attributes::new([A::CryptographicUsageMask(mask), name(text)]));
    let common = [A::CryptographicAlgorithm(algorithm)].into_iter().chain(more);
    CreateKeyPairRequest {
        common_attributes: Some(Attributes::new(common)),
        private_key_attributes: one("private", CryptographicUsageMask::Sign),
        public_key_attributes: one("public", CryptographicUsageMask::Verify),
        ..CreateKeyPairRequest::default()
    }
}

async fn attributes(harness: &Harness, version: Version, id: &str) -> Vec<A> {
    let request = GetAttributesRequest { unique_identifier: Some(Identifier::from(id)), ..all() };
    let found = harness.ask(version, request).await.unwrap();
    found.attributes.0.into_iter().map(|attribute| attribute.value).collect()
}

fn all() -> GetAttributesRequest {
    GetAttributesRequest { unique_identifier: None, attributes: Vec::new() }
}

fn links(attributes: &[A]) -> Vec<(LinkType, String)> {
    let mut links: Vec<(LinkType, String)> = attributes
        .iter()
        .filter_map(|value| match value {
            A::Link(Link { link_type, linked_object_identifier: Identifier::Text(id) }) => {
                Some((*link_type, id.clone()))
            }
            _ => None,
        })
        .collect();
    links.sort();
    links
}

async fn key(harness: &Harness, version: Version, id: &str, hint: Hint) -> (F, Neutral) {
    let object = harness.ask(version, get(id)).await.unwrap().object;
    let block = object.key_block().unwrap();
    (block.key_format_type, formats::read(object.object_type(), block, hint).unwrap())
}

fn on(curve: RecommendedCurve) -> A {
    A::CryptographicDomainParameters(CryptographicDomainParameters {
        q_length: None,
        recommended_curve: Some(curve),
    })
}

/// One row a pair: version, algorithm, what is asked beside it, the length, the two forms.
#[tokio::test]
async fn a_pair_is_one() {
    let (v1, v2) = (Version::V1_2, NEWEST);
    let ec = (F::TransparentECPrivateKey, F::TransparentECPublicKey);
    type Row = (Version, C, Vec<A>, i32, (F, F));
    let rows: Vec<Row> = vec![
        (v1, C::RSA, vec![A::CryptographicLength(2048)], 2048, (F::PKCS_1, F::PKCS_1)),
        (v1, C::EC, vec![A::CryptographicLength(224)], 224, (F::ECPrivateKey, F::X_509)),
        (v1, C::ECDSA, vec![on(RecommendedCurve::P_384)], 384, (F::ECPrivateKey, F::X_509)),
        (v2, C::EC, vec![A::CryptographicLength(521)], 521, ec),
        (v2, C::ECDSA, vec![on(RecommendedCurve::SECP256K1)], 256, ec),
        (v2, C::EC, vec![on(RecommendedCurve::CURVE25519)], 256, (F::PKCS_8, F::X_509)),
        (v2, C::Ed25519, vec![], 256, (F::PKCS_8, F::X_509)),
    ];
    for (row, (version, algorithm, more, length, forms)) in rows.into_iter().enumerate() {
        let harness = Harness::new();
        let made = harness.ask(version, pair_of(algorithm, more)).await.unwrap();
        let (private_id, public_id) =
            (made.private_key_unique_identifier, made.public_key_unique_identifier);
        let hint = Hint::default();
        let (private_form, private) = key(&harness, version, &private_id, hint).await;
        let (public_form, public) = key(&harness, version, &public_id, hint).await;
        assert_eq!((private_form, public_form), forms, "row {row}");
        assert!(asymmetric::public_of(&private).unwrap() == public, "row {row}");
        for (id, other, link_type) in [
            (&private_id, &public_id, LinkType::PublicKeyLink),
            (&public_id, &private_id, LinkType::PrivateKeyLink),
        ] {
            let attributes = attributes(&harness, version, id).await;
            assert_eq!(links(&attributes), [(link_type, other.clone())], "row {row}");
            assert!(attributes.contains(&A::CryptographicLength(length)), "row {row}");
            assert!(attributes.contains(&A::CryptographicAlgorithm(algorithm)), "row {row}");
        }
    }
}

/// One row a request that asks for no pair: what is asked, and why not.
#[tokio::test]
async fn no_pair() {
    let length = A::CryptographicLength;
    let rows: Vec<(C, Vec<A>, ResultReason)> = vec![
        (C::RSA, vec![length(65_536)], ResultReason::BadCryptographicParameters),
        (C::RSA, vec![length(512)], ResultReason::BadCryptographicParameters),
        (C::RSA, vec![length(-1)], ResultReason::BadCryptographicParameters),
        (C::EC, vec![length(255)], ResultReason::BadCryptographicParameters),
        (
            C::EC,
            vec![length(256), on(RecommendedCurve::P_384)],
            ResultReason::BadCryptographicParameters,
        ),
        (
            C::EC,
            vec![on(RecommendedCurve::B_163)],
            ResultReason::UnsupportedCryptographicParameters,
        ),
        (C::AES, vec![length(256)], ResultReason::UnsupportedCryptographicParameters),
        (C::DSA, vec![length(2048)], ResultReason::UnsupportedCryptographicParameters),
        (
            C::EC,
            vec![length(256), A::KeyFormatType(F::PKCS_1)],
            ResultReason::KeyFormatTypeNotSupported,
        ),
    ];
    for (row, (algorithm, more, reason)) in rows.into_iter().enumerate() {
        let refused = Harness::new().ask(NEWEST, pair_of(algorithm, more)).await;
        assert_eq!(refused.err(), Some(reason), "row {row}");
    }
}

/// 1.4, tables 177 and 178; 2.1, tables 308 and 309.
#[tokio::test]
async fn a_pair_in_the_place_of_another() {
    let harness = Harness::new();
    let dates = vec![
        on(RecommendedCurve::P_256),
        A::ActivationDate(DateTime(1_000)),
        A::DeactivationDate(DateTime(5_000)),
    ];
    let old = harness.ask(NEWEST, pair_of(C::EC, dates)).await.unwrap();
    let old_ids = [old.private_key_unique_identifier, old.public_key_unique_identifier];
    let request = ReKeyKeyPairRequest {
        private_key_unique_identifier: id(&old_ids[0]),
        offset: Some(Interval(600)),
        ..ReKeyKeyPairRequest::default()
    };
    let new = harness.ask(NEWEST, request).await.unwrap();
    let new_ids = [new.private_key_unique_identifier, new.public_key_unique_identifier];
    let pairs = [LinkType::PublicKeyLink, LinkType::PrivateKeyLink];
    for (at, text) in ["private", "public"].into_iter().enumerate() {
        let (old, new) = (
            attributes(&harness, NEWEST, &old_ids[at]).await,
            attributes(&harness, NEWEST, &new_ids[at]).await,
        );
        assert!(!old.contains(&name(text)) && new.contains(&name(text)), "the Name moves");
        let mut expected = [
            (pairs[at], old_ids[1 - at].clone()),
            (LinkType::ReplacementObjectLink, new_ids[at].clone()),
        ];
        expected.sort();
        assert_eq!(links(&old), expected);
        let mut expected = [
            (pairs[at], new_ids[1 - at].clone()),
            (LinkType::ReplacedObjectLink, old_ids[at].clone()),
        ];
        expected.sort();
        assert_eq!(links(&new), expected);
        let times: Vec<i64> = new
            .iter()
            .filter_map(|value| match value {
                A::InitialDate(date) | A::ActivationDate(date) | A::DeactivationDate(date) => {
                    Some(date.0)
                }
                _ => None,
            })
            .collect();
        let initial = times.iter().min().unwrap();
        let mut distances: Vec<i64> = times.iter().map(|time| time - initial).collect();
        distances.sort_unstable();
        assert_eq!(distances, [0, 600, 4_600]);
    }
    let (_, private) = key(&harness, NEWEST, &new_ids[0], Hint::default()).await;
    let (_, public) = key(&harness, NEWEST, &new_ids[1], Hint::default()).await;
    assert!(asymmetric::public_of(&private).unwrap() == public);
    let (_, before) = key(&harness, NEWEST, &old_ids[0], Hint::default()).await;
    assert!(before != private);
}

/// Registers an object that is active and may be used, with these attributes.
async fn keep(harness: &Harness, object: Object, more: Vec<A>) -> String {
    let basic = [A::CryptographicUsageMask(CryptographicUsageMask::Sign)];
    let request = RegisterRequest {
        object_type: object.object_type(),
        attributes: Attributes::new(basic.into_iter().chain(more)),
        object,
        protection_storage_masks: None,
    };
    harness.ask(NEWEST, request).await.unwrap().unique_identifier
}

fn to(link_type: LinkType, id: &str) -> A {
    A::Link(Link { link_type, linked_object_identifier: Identifier::from(id) })
}

async fn add(harness: &Harness, object: &str, attribute: A) {
    let request = AddAttributeRequest {
        unique_identifier: id(object),
        attribute: Attribute::from(attribute),
    };
    harness.ask(NEWEST, request).await.unwrap();
}

/// 1.4, 4.11; 2.1, 6.1.19: with a password, one chain, and the name that a key without one has.
#[tokio::test]
async fn a_container_for_a_key() {
    use kmip::objects::{Certificate, SecretData};
    use kmip::vocabulary::{CertificateType, SecretDataType};

    let harness = Harness::new();
    let made =
        harness.ask(NEWEST, pair_of(C::EC, vec![A::CryptographicLength(256)])).await.unwrap();
    let (private, public) = (made.private_key_unique_identifier, made.public_key_unique_identifier);
    let contained = get_as(Some(&private), Some(F::PKCS_12));
    let refused = harness.ask(NEWEST, contained.clone()).await.err();
    assert_eq!(refused, Some(ResultReason::InvalidField), "no password");
    let password = Object::SecretData(SecretData {
        secret_data_type: SecretDataType::Password,
        key_block: KeyBlock::plain(F::Raw, b"secret"),
    });
    let password = keep(&harness, password, Vec::new()).await;
    add(&harness, &private, to(LinkType::PKCS_12PasswordLink, &password)).await;
    let root = Object::Certificate(Certificate {
        certificate_type: CertificateType::X_509,
        certificate_value: crate::tests::known_answers::certificates::outline(),
    });
    let root = keep(&harness, root, Vec::new()).await;
    add(&harness, &public, to(LinkType::CertificateLink, &root)).await;
    let object = harness.ask(NEWEST, contained.clone()).await.unwrap().object;
    let block = object.key_block().unwrap();
    assert_eq!((object.object_type(), block.key_format_type), (ObjectType::PrivateKey, F::PKCS_12));
    let container = block.bytes().unwrap();
    assert!(container.windows(10).any(|part| part == b"\0a\0l\0i\0a\0s"));
    let (_, Neutral::EcPrivate(key)) = key(&harness, NEWEST, &private, Hint::default()).await
    else {
        panic!("a key on a curve")
    };
    assert!(!container.windows(32).any(|part| part == key.d.as_bytes()));
    check_names(&harness, &object, &password).await;
    // Two chains are one too many.
    add(&harness, &public, to(LinkType::CertificateLink, &private)).await;
    let refused = harness.ask(NEWEST, contained).await.err();
    assert_eq!(refused, Some(ResultReason::InvalidField), "two chains");
}

/// 1.4, 3.45; 2.1, 4.39: the name that the attributes give is that of a key in the container; where
/// they give none, the one in it is recorded.
async fn check_names(harness: &Harness, container: &Object, password: &str) {
    let link = to(LinkType::PKCS_12PasswordLink, password);
    for (said, expected) in [
        (None, Ok("alias")),
        (Some("Alias"), Ok("Alias")),
        (Some("another"), Err(ResultReason::InvalidField)),
    ] {
        let said = said.map(|name| A::PKCS_12FriendlyName(name.to_owned()));
        let mask = A::CryptographicUsageMask(CryptographicUsageMask::Sign);
        let values = [link.clone(), mask].into_iter().chain(said);
        let request = RegisterRequest {
            object_type: ObjectType::PrivateKey,
            attributes: Attributes::new(values),
            object: container.clone(),
            protection_storage_masks: None,
        };
        let kept = match harness.ask(NEWEST, request).await {
            Ok(kept) => {
                Ok(attribute(harness, &kept.unique_identifier, "PKCS#12 Friendly Name").await)
            }
            Err(reason) => Err(reason),
        };
        let expected = expected.map(|name| Some(A::PKCS_12FriendlyName(name.to_owned())));
        assert_eq!(kept, expected);
    }
}

/// 1.4, 4.2; 2.1, 6.1.9: a Name for both keys of a pair is refused for what it is.
#[tokio::test]
async fn both_keys_of_a_pair_cannot_have_one_name() {
    let harness = Harness::new();
    let mut request = pair_of(C::EC, vec![A::CryptographicLength(256)]);
    let common = request.common_attributes.get_or_insert_default();
    common.attributes.push(name("both").into());
    for version in [Version::V1_2, NEWEST] {
        let item = harness.batch(version, vec![request.clone().into()]).await.remove(0);
        let message = item.result_message.unwrap();
        assert!(message.contains("both keys of the pair"), "{message}");
        assert!(message.contains("names = \"shared\""), "{message}");
    }
    let sharing =
        Harness::sharing(std::sync::Arc::new(crate::store::memory_store::MemoryStore::default()));
    sharing.ask(NEWEST, request).await.unwrap();
}

/// What a key says of itself becomes its attributes, and its digest in the form that the standard
/// sets for it stands beside that of the form it came in (2.1, 4.21).
#[tokio::test]
async fn what_a_key_says_of_itself() {
    use crate::tests::known_answers::stanzas::of_kind;
    let harness = Harness::new();
    for stanza in of_kind(include_str!("formats.txt"), "PrivateKey") {
        let key_block = KeyBlock::plain(F::PKCS_8, &stanza.bytes("PKCS_8"));
        let kept = keep(&harness, Object::PrivateKey(Key { key_block }), Vec::new()).await;
        let attributes = attributes(&harness, NEWEST, &kept).await;
        let algorithm = C::from_name(stanza.word("algorithm")).unwrap();
        let length = stanza.word("length").parse().unwrap();
        assert!(attributes.contains(&A::CryptographicAlgorithm(algorithm)), "{}", stanza.source());
        assert!(attributes.contains(&A::CryptographicLength(length)), "{}", stanza.source());
        let forms: Vec<F> = attributes
            .iter()
            .filter_map(|value| match value {
                A::Digest(digest) => digest.key_format_type,
                _ => None,
            })
            .collect();
        let standard = match stanza.word("algorithm") {
            "RSA" => Some(F::PKCS_1),
            "EC" if stanza.word("curve").is_empty() => Some(F::TransparentECPrivateKey),
            "DSA" => Some(F::TransparentDSAPrivateKey),
            "DH" => Some(F::TransparentDHPrivateKey),
            _ => None,
        };
        let expected: Vec<F> = standard.into_iter().chain([F::PKCS_8]).collect();
        assert_eq!(forms, expected, "{}", stanza.source());
    }
    let stanza = &of_kind(include_str!("formats.txt"), "PrivateKey")[0];
    let mut key_block = KeyBlock::plain(F::PKCS_8, &stanza.bytes("PKCS_8"));
    key_block.cryptographic_algorithm = Some(C::RSA);
    key_block.cryptographic_length = Some(2048);
    let request = RegisterRequest {
        object_type: ObjectType::PrivateKey,
        attributes: Attributes::new([A::CryptographicUsageMask(CryptographicUsageMask::Sign)]),
        object: Object::PrivateKey(Key { key_block }),
        protection_storage_masks: None,
    };
    let refused = harness.ask(NEWEST, request).await.err();
    assert_eq!(refused, Some(ResultReason::InvalidField), "it has 1024 bits");
}
