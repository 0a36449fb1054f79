//! The algorithm and the length of a key: said once, whoever says it, and shown in every key block
//! (KMIP 1.4, 2.1.3; 2.1, 3.1).

use kmip::objects::WrappingKeyInformation;
use kmip::payload::{CreateSplitKeyRequest, ExportRequest, KeyWrappingSpecification};
use kmip::vocabulary::WrappingMethod;

use crate::tests::harness::*;
use crate::tests::known_answers::key_forms::{bring, import, kinds, object, register};
use crate::tests::known_answers::served;
use crate::tests::sessions::guarded_reads::requests;
use AttributeValue as A;

/// A key of the kind, whose block says of its algorithm and length what is given, and the algorithm
/// and the length that it has.
fn key(kind: ObjectType) -> (KeyBlock, CryptographicAlgorithm, i32) {
    use crate::crypto::asymmetric::Kind;
    use crate::crypto::formats;
    use kmip::vocabulary::RecommendedCurve;
    let pair = Kind::Elliptic(RecommendedCurve::P_256).generate().unwrap();
    let (block, algorithm) = match kind {
        ObjectType::PrivateKey => {
            let block = formats::block(&pair.private, KeyFormatType::PKCS_8).unwrap();
            (block, CryptographicAlgorithm::ECDSA)
        }
        ObjectType::PublicKey => {
            let block = formats::block(&pair.public, KeyFormatType::X_509).unwrap();
            (block, CryptographicAlgorithm::ECDSA)
        }
        ObjectType::PGPKey => {
            (KeyBlock::plain(KeyFormatType::Raw, &[0x99; 32]), CryptographicAlgorithm::RSA)
        }
        _ => (KeyBlock::plain(KeyFormatType::Raw, &[7; 32]), CryptographicAlgorithm::AES),
    };
    let silent = KeyBlock { cryptographic_algorithm: None, cryptographic_length: None, ..block };
    (silent, algorithm, 256)
}

fn said(block: &KeyBlock) -> (Option<CryptographicAlgorithm>, Option<i32>) {
    (block.cryptographic_algorithm, block.cryptographic_length)
}

/// Key blocks of an object as each operation gives it out, in each version.
async fn given_out(harness: &Harness, object: &str, wrapping: &str) -> Vec<(String, KeyBlock)> {
    let mut all = Vec::new();
    for version in Version::SERVED {
        let information = WrappingKeyInformation {
            unique_identifier: wrapping.to_owned(),
            cryptographic_parameters: None,
        };
        let wrapped = KeyWrappingSpecification {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(information),
            mac_signature_key_information: None,
            attribute_names: Vec::new(),
            encoding_option: None,
        };
        for (form, specification) in [("bare", None), ("wrapped", Some(Box::new(wrapped)))] {
            let get =
                GetRequest { key_wrapping_specification: specification.clone(), ..get(object) };
            let got = harness.ask(*version, get).await.unwrap().object;
            all.push((format!("Get {form} in {version}"), got));
            if !Operation::Export.exists_in(*version) {
                continue;
            }
            let export = ExportRequest {
                unique_identifier: id(object),
                key_wrapping_specification: specification,
                ..ExportRequest::default()
            };
            let exported = harness.ask(*version, export).await.unwrap().object.unwrap();
            all.push((format!("Export {form} in {version}"), exported));
        }
    }
    all.into_iter().map(|(what, object)| (what, object.key_block().unwrap().clone())).collect()
}

async fn wrapping_key(harness: &Harness) -> String {
    served::register(harness, CryptographicAlgorithm::AES, &[9; 32], vec![]).await
}

/// Every kind of object with a key block, whose algorithm and length are given beside it.
#[tokio::test]
async fn key_block_says_what_the_attributes_say() {
    for kind in kinds() {
        for version in Version::SERVED {
            let harness = Harness::new();
            let wrapping = wrapping_key(&harness).await;
            let (block, algorithm, length) = key(kind);
            let values = vec![A::CryptographicAlgorithm(algorithm), A::CryptographicLength(length)];
            let object = object(kind, block).unwrap();
            // Up to 1.4 Secret Data has neither (1.4, 3.4 and 3.5).
            let has_both = kind != ObjectType::SecretData || *version >= Version::V2_0;
            if !has_both || !kind.exists_in(*version) {
                continue;
            }
            let case = format!("{kind:?} in {version}");
            let request = register(object.clone(), values.clone());
            let mut kept =
                vec![harness.ask(*version, request).await.expect(&case).unique_identifier];
            if Operation::Import.exists_in(*version) {
                let request = import(object, values);
                kept.push(harness.ask(*version, request).await.expect(&case).unique_identifier);
            }
            for object in &kept {
                for (what, block) in given_out(&harness, object, &wrapping).await {
                    assert_eq!(said(&block), (Some(algorithm), Some(length)), "{case}, {what}");
                }
            }
        }
    }
}

/// What is made out of a key says what its attributes say too.
#[tokio::test]
async fn parts_of_a_key_say_what_its_attributes_say() {
    let harness = Harness::new();
    let wrapping = wrapping_key(&harness).await;
    let (block, algorithm, length) = key(ObjectType::SymmetricKey);
    let values = vec![A::CryptographicAlgorithm(algorithm), A::CryptographicLength(length)];
    let whole = register(object(ObjectType::SymmetricKey, block).unwrap(), values);
    let whole = harness.ask(NEWEST, whole).await.unwrap().unique_identifier;
    let split = CreateSplitKeyRequest { ..requests::split(Some(&whole)) };
    let mut made = harness.ask(NEWEST, split).await.unwrap().unique_identifiers;
    made.push(harness.ask(NEWEST, requests::join(&made)).await.unwrap().unique_identifier);
    for object in &made {
        for (what, block) in given_out(&harness, object, &wrapping).await {
            assert_eq!(said(&block), (Some(algorithm), Some(length)), "{what}");
        }
    }
}

/// A key block that says another algorithm or length than the attributes is refused, by Register
/// and by Import, in every version.
#[tokio::test]
async fn key_block_cannot_contradict_the_attributes() {
    for kind in kinds() {
        let (block, algorithm, length) = key(kind);
        let other = CryptographicAlgorithm::Camellia;
        let contradictions = [
            (Some(other), None, A::CryptographicAlgorithm(algorithm)),
            (Some(algorithm), None, A::CryptographicAlgorithm(other)),
            (None, Some(length), A::CryptographicLength(128)),
            (None, Some(128), A::CryptographicLength(length)),
        ];
        for (said_algorithm, said_length, value) in contradictions {
            let block = KeyBlock {
                cryptographic_algorithm: said_algorithm,
                cryptographic_length: said_length,
                ..block.clone()
            };
            let harness = Harness::new();
            let object = object(kind, block).unwrap();
            let case = format!("{kind:?}: {said_algorithm:?} {said_length:?}, {value:?}");
            for version in Version::SERVED {
                let request = register(object.clone(), vec![value.clone()]);
                let registered = harness.ask(*version, request).await;
                assert!(registered.is_err(), "{case}: Register in {version}");
                let request = import(object.clone(), vec![value.clone()]);
                let imported = harness.ask(*version, request).await;
                assert!(imported.is_err(), "{case}: Import in {version}");
            }
        }
    }
}

/// KMIP 1.4, 3.17: of a key that comes wrapped, its Digest and its length are known where the
/// client may use the key that unwraps it; else, and for another client, it is kept as it is.
#[tokio::test]
async fn attributes_of_a_wrapped_key_follow_where_it_can_be_opened() {
    let harness = Harness::new();
    let usable = wrapping_key(&harness).await;
    let key = served::register(&harness, CryptographicAlgorithm::AES, &[7; 16], vec![]).await;
    let wrapped = harness.ask(NEWEST, requests::get_wrapped(&key, &usable)).await.unwrap().object;
    let Object::SymmetricKey(Key { key_block }) = wrapped else { panic!("a key") };
    let block = KeyBlock { cryptographic_length: None, ..key_block };
    let object = || Object::SymmetricKey(Key { key_block: block.clone() });
    let digest = attribute(&harness, &key, "Digest").await.unwrap();
    // For Bob there is no such key.
    for (client, is_open) in [(harness.beside("alice"), true), (harness.beside("bob"), false)] {
        let registered = client.ask(NEWEST, register(object(), vec![])).await.unwrap();
        let imported = kmip::payload::ImportRequest {
            unique_identifier: "wrapped".to_owned(),
            ..import(object(), vec![])
        };
        client.ask(NEWEST, imported).await.unwrap();
        for object in [registered.unique_identifier.as_str(), "wrapped"] {
            let found = attribute(&client, object, "Digest").await;
            assert_eq!(found, is_open.then(|| digest.clone()), "{object}");
            let length = attribute(&client, object, "Cryptographic Length").await;
            assert_eq!(length, is_open.then_some(A::CryptographicLength(128)), "{object}");
            let got = client.ask(NEWEST, get(object)).await.unwrap().object;
            let got = got.key_block().unwrap();
            assert!(got.key_wrapping_data.is_some(), "it is kept wrapped");
            assert_eq!(got.key_value, block.key_value);
        }
    }
    // A wrapped key that is not what it is said to be is refused.
    let values = vec![A::CryptographicLength(256)];
    let lie = bring(&harness, object(), values).await;
    assert_eq!(lie, [Err(ResultReason::InvalidField), Err(ResultReason::InvalidAttributeValue)]);
}
