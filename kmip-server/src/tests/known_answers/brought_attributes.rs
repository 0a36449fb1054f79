//! Attributes that come with an object: by Import, those that it cannot have, or not twice, and
//! Usage Limits of which more is left than there was (KMIP 1.4, 4.41; 2.1, 4.59 and 6.1.25); by
//! Register and Import, those in its Key Value (1.4, 2.1.4; 2.1, 3.2).

use kmip::attributes::{ATTRIBUTES, AllAttributes, AttributeList, Settable};
use kmip::objects::{Certificate, CertificateRequest, OpaqueObject, PGPKey, Template};
use kmip::payload::{EncryptRequest, ImportRequest};
use kmip::structures::{CryptographicParameters, UsageLimits};
use kmip::vocabulary::{
    BlockCipherMode, CertificateRequestType, CertificateType, OpaqueDataType, PaddingMethod,
    UsageLimitsUnit,
};

use crate::tests::harness::*;
use crate::tests::known_answers::attributes::sample_attributes::attributes as samples;
use crate::tests::known_answers::certificates::{certificate_of_many_names, der};
use crate::tests::known_answers::key_forms::{every_key, import, register};
use crate::tests::known_answers::served::data;
use AttributeValue as A;

const V1_4: Version = Version::V1_4;
const IMPORTING: [Version; 3] = [V1_4, Version::V2_0, NEWEST];

/// An object of every kind.
fn objects() -> Vec<(Object, Vec<A>)> {
    let mut all: Vec<(Object, Vec<A>)> = Vec::new();
    for (object, values) in every_key() {
        if all.iter().all(|(other, _)| other.object_type() != object.object_type()) {
            all.push((object, values));
        }
    }
    let others = [
        Object::Certificate(Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: certificate_of_many_names(),
        }),
        Object::CertificateRequest(CertificateRequest {
            certificate_request_type: CertificateRequestType::PKCS_10,
            certificate_request_value: der("p-256"),
        }),
        Object::OpaqueObject(OpaqueObject {
            opaque_data_type: OpaqueDataType(0x8000_0001),
            opaque_data_value: SecretBytes::new(b"opaque"),
        }),
        Object::Template(Template { attributes: Default::default() }),
        Object::PGPKey(PGPKey {
            version: 4,
            key_block: KeyBlock::plain(KeyFormatType::Raw, &[0x99; 32]),
        }),
    ];
    all.extend(others.map(|object| (object, Vec::new())));
    let known = ObjectType::ROWS.iter().map(|row| ObjectType(row.value));
    for kind in known.filter(|kind| Version::SERVED.iter().any(|v| kind.exists_in(*v))) {
        assert!(all.iter().any(|(object, _)| object.object_type() == kind), "no {kind:?}");
    }
    all
}

/// An Import of these attributes and no others.
fn bare(object: &Object, values: Vec<A>) -> ImportRequest {
    let attributes = AllAttributes(values.into_iter().map(Attribute::from).collect());
    ImportRequest { attributes, ..import(object.clone(), vec![]) }
}

/// Every attribute, for every kind of object, in every version that has Import.
#[tokio::test]
async fn attribute_that_an_object_cannot_have_is_not_imported() {
    let harness = Harness::new();
    let mut refused = 0;
    for (object, basic) in objects() {
        let kind = object.object_type();
        for (sample, row) in samples().into_iter().zip(ATTRIBUTES) {
            // What it may have in some version, it may have got there.
            let lists = [(row.object_types.v1, V1_4), (row.object_types.v2, NEWEST)];
            let can_have = lists.iter().any(|(kinds, version)| {
                kind.exists_in(*version) && (kinds.is_empty() || kinds.contains(&kind))
            });
            if can_have {
                continue;
            }
            for version in IMPORTING {
                if !row.versions().contains(&version) || !kind.exists_in(version) {
                    continue;
                }
                let values = basic.iter().cloned().chain([sample.clone()]).collect();
                let found = harness.ask(version, bare(&object, values)).await.map(drop);
                let case = format!("{kind:?}: {} in {version}", row.name);
                assert_eq!(found, Err(ResultReason::InvalidField), "{case}");
                refused += 1;
            }
        }
        let taken = harness.ask(V1_4, bare(&object, basic.clone())).await.map(drop);
        if kind.exists_in(V1_4) {
            assert_eq!(taken, Ok(()), "{kind:?}");
        }
    }
    assert!(refused > 100, "{refused}");
}

/// KMIP 1.4, 4.40: what is exported in one version of an object that was made in another can be
/// imported.
#[tokio::test]
async fn object_of_every_kind_is_imported_as_it_was_exported() {
    for (object, values) in objects() {
        let kind = object.object_type();
        for version in IMPORTING.into_iter().filter(|version| kind.exists_in(*version)) {
            let (one, two) = (Harness::new(), Harness::new());
            one.ask(version, bare(&object, values.clone())).await.expect("taken");
            for exporting in IMPORTING.into_iter().filter(|version| kind.exists_in(*version)) {
                let request = kmip::payload::ExportRequest {
                    unique_identifier: id("imported"),
                    ..Default::default()
                };
                let exported = one.ask(exporting, request).await.unwrap();
                let again = ImportRequest {
                    attributes: exported.attributes,
                    ..import(exported.object.unwrap(), vec![])
                };
                let found = two.ask(exporting, again).await.map(drop);
                assert_eq!(found, Ok(()), "{kind:?} in {version}, {exporting}");
            }
        }
    }
}

/// Every attribute that an object has once, twice: the same, and State with two values.
#[tokio::test]
async fn attribute_that_an_object_has_once_is_not_imported_twice() {
    let harness = Harness::new();
    for (object, basic) in objects() {
        let kind = object.object_type();
        let mut pairs: Vec<_> = samples()
            .into_iter()
            .zip(ATTRIBUTES)
            .filter(|(_, row)| !row.multiple)
            .map(|(sample, row)| (row, [sample.clone(), sample]))
            .collect();
        let state = ATTRIBUTES.iter().find(|row| row.tag == tags::State).unwrap();
        pairs.push((state, [A::State(State::Active), A::State(State::PreActive)]));
        for (row, pair) in pairs {
            let kinds = [row.object_types.v1, row.object_types.v2];
            if !kinds.iter().all(|kinds| kinds.is_empty() || kinds.contains(&kind)) {
                continue;
            }
            for version in IMPORTING {
                if !row.versions().contains(&version) || !kind.exists_in(version) {
                    continue;
                }
                let mut values = basic.clone();
                values.retain(|value| !value.is_same_attribute(&pair[0]));
                values.extend(pair.clone());
                let found = harness.ask(version, bare(&object, values)).await.map(drop);
                let expected = match version >= Version::V2_0 {
                    true => ResultReason::AttributeSingleValued,
                    false => ResultReason::InvalidField,
                };
                assert_eq!(found, Err(expected), "{kind:?}: {} in {version}", row.name);
            }
        }
    }
}

fn aes_key(inside: Vec<A>) -> Object {
    let attributes = AttributeList(inside.into_iter().map(Attribute::from).collect());
    let material = KeyMaterial::Bytes(SecretBytes::new(&[7; 32]));
    let key_block = KeyBlock {
        key_value: Some(KeyValue::Plain { material, attributes }),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        cryptographic_length: Some(256),
        ..KeyBlock::plain(KeyFormatType::Raw, b"")
    };
    Object::SymmetricKey(Key { key_block })
}

/// One row Usage Limits: Total, Count, and whether Import takes them. What another server had used
/// of them is used here.
#[tokio::test]
async fn usage_limits_with_more_left_than_there_was_are_not_imported() {
    let rows: [(i64, Option<i64>, bool); 9] = [
        (5, None, true),
        (5, Some(5), true),
        (5, Some(2), true),
        (5, Some(0), true),
        (0, Some(0), true),
        (5, Some(6), false),
        (5, Some(1000), false),
        (5, Some(-1), false),
        (-5, None, false),
    ];
    for version in IMPORTING {
        for (total, count, is_taken) in rows {
            let harness = Harness::new();
            let limits = UsageLimits { total, count, unit: UsageLimitsUnit::Object };
            let values = vec![
                A::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
                A::State(State::Active),
                A::UsageLimits(limits),
            ];
            let found = harness.ask(version, bare(&aes_key(vec![]), values)).await;
            assert_eq!(found.is_ok(), is_taken, "{version}: {total} {count:?}");
            if !is_taken {
                continue;
            }
            let left = count.unwrap_or(total);
            for turn in 0..=left {
                let request = EncryptRequest {
                    unique_identifier: id("imported"),
                    cryptographic_parameters: Some(Box::new(CryptographicParameters {
                        block_cipher_mode: Some(BlockCipherMode::ECB),
                        padding_method: Some(PaddingMethod::PKCS5),
                        ..Default::default()
                    })),
                    data: data(b"data"),
                    ..EncryptRequest::default()
                };
                let found = harness.ask(version, request).await;
                assert_eq!(found.is_ok(), turn < left, "{version}: {total} {count:?}, {turn}");
            }
        }
    }
}

/// What contradicts the key, or the attributes beside it, and in every version.
#[tokio::test]
async fn attributes_in_a_key_value_cannot_contradict_those_of_the_object() {
    let beside = A::ContactInformation("a".to_owned());
    let rows = [
        (A::CryptographicLength(128), false),
        (A::CryptographicLength(256), true),
        (A::CryptographicAlgorithm(CryptographicAlgorithm::Camellia), false),
        (A::CryptographicAlgorithm(CryptographicAlgorithm::AES), true),
        (A::CryptographicUsageMask(CryptographicUsageMask::Sign), false),
        (A::CryptographicUsageMask(CryptographicUsageMask(0)), true),
        (A::ContactInformation("b".to_owned()), false),
        (beside.clone(), true),
        (name("inside"), true),
        (A::CertificateLength(7), false),
    ];
    for version in Version::SERVED {
        for (inside, is_taken) in &rows {
            let row = ATTRIBUTES.iter().find(|row| Some(row.tag) == inside.tag()).unwrap();
            if !row.versions().contains(version) {
                continue;
            }
            let harness = Harness::new();
            let object = aes_key(vec![inside.clone()]);
            let request = register(object.clone(), vec![beside.clone()]);
            let mut found = vec![harness.ask(*version, request).await.map(|a| a.unique_identifier)];
            if Operation::Import.exists_in(*version) {
                let harness = Harness::new();
                let request = import(object, vec![beside.clone()]);
                let answer = harness.ask(*version, request).await.map(|a| a.unique_identifier);
                assert_eq!(answer.is_ok(), *is_taken, "Import in {version}: {inside:?}");
            }
            let found = found.remove(0);
            assert_eq!(found.is_ok(), *is_taken, "Register in {version}: {inside:?}");
            let Ok(object) = found else { continue };
            // It is the object's own, and is told in one place.
            let shown = attribute(&harness, &object, row.name).await;
            assert_eq!(shown.as_ref(), Some(inside), "{version}");
            let got = harness.ask(*version, get(&object)).await.unwrap().object;
            let Some(KeyValue::Plain { attributes, .. }) = &got.key_block().unwrap().key_value
            else {
                panic!("a plain key")
            };
            assert!(attributes.0.is_empty(), "{version}: {inside:?}");
        }
    }
}

/// What only a server sets, a client cannot register in a Key Value either; nor import what is not
/// true.
#[tokio::test]
async fn attributes_of_the_server_in_a_key_value_are_refused() {
    let harness = Harness::new();
    for version in Version::SERVED {
        for (sample, row) in samples().into_iter().zip(ATTRIBUTES) {
            if row.settable != Settable::Server || !row.versions().contains(version) {
                continue;
            }
            let request = register(aes_key(vec![sample]), vec![]);
            let found = harness.ask(*version, request).await.map(drop);
            assert!(found.is_err(), "{version}: {}", row.name);
        }
        if !Operation::Import.exists_in(*version) {
            continue;
        }
        for lie in [
            A::State(State::Destroyed),
            A::ObjectType(ObjectType::SecretData),
            A::UniqueIdentifier("another".to_owned()),
            A::AlwaysSensitive(true),
        ] {
            let beside = vec![A::State(State::PreActive), A::Sensitive(false)];
            let found = harness.ask(*version, import(aes_key(vec![lie.clone()]), beside)).await;
            assert!(found.is_err(), "{version}: {lie:?}");
        }
    }
}

/// KMIP 1.4, 2.1.3: the algorithm and the length may be told by the Key Value alone.
#[tokio::test]
async fn key_value_tells_the_algorithm_and_the_length() {
    for version in Version::SERVED {
        let harness = Harness::new();
        let mut object = aes_key(vec![
            A::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            A::CryptographicLength(256),
        ]);
        let block = object.key_block_mut().unwrap();
        (block.cryptographic_algorithm, block.cryptographic_length) = (None, None);
        let made = harness.ask(*version, register(object, vec![])).await.unwrap().unique_identifier;
        let got = harness.ask(*version, get(&made)).await.unwrap().object;
        let block = got.key_block().unwrap();
        assert_eq!(block.cryptographic_algorithm, Some(CryptographicAlgorithm::AES), "{version}");
        assert_eq!(block.cryptographic_length, Some(256), "{version}");
    }
}
