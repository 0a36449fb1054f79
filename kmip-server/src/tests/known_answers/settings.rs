//! Set Defaults, Set Constraints and Get Constraints.

use kmip::payload::{
    Constraint, Constraints, DefaultsInformation, GetConstraintsRequest, ObjectDefaults,
    SetConstraintsRequest, SetDefaultsRequest,
};
use kmip::structures::{ObjectGroups, ObjectTypes};

use crate::tests::harness::*;

fn algorithm(algorithm: CryptographicAlgorithm) -> AttributeValue {
    AttributeValue::CryptographicAlgorithm(algorithm)
}

fn length(bits: i32) -> AttributeValue {
    AttributeValue::CryptographicLength(bits)
}

fn mask(mask: CryptographicUsageMask) -> AttributeValue {
    AttributeValue::CryptographicUsageMask(mask)
}

fn group(text: &str) -> AttributeValue {
    AttributeValue::ObjectGroup(text.to_owned())
}

fn groups(text: &str) -> Option<ObjectGroups> {
    Some(ObjectGroups { object_groups: vec![text.to_owned()] })
}

fn types(kinds: &[ObjectType]) -> Option<ObjectTypes> {
    Some(ObjectTypes { object_types: kinds.to_vec() })
}

async fn set(harness: &Harness, sets: Vec<ObjectDefaults>) -> Result<(), ResultReason> {
    let defaults_information = Some(DefaultsInformation { object_defaults: sets });
    harness.ask(NEWEST, SetDefaultsRequest { defaults_information }).await.map(|_| ())
}

fn defaults(kinds: &[ObjectType], values: Vec<AttributeValue>) -> ObjectDefaults {
    ObjectDefaults {
        object_type: None,
        object_types: types(kinds),
        attributes: Attributes::new(values),
        object_groups: None,
    }
}

async fn found(harness: &Harness, object: &str, name: &str) -> Option<AttributeValue> {
    attribute(harness, object, name).await
}

/// KMIP 2.1, 4, table 28: "KMIP servers SHALL supply values for these attributes if the client
/// omits them", and Query tells them (6.1.40).
#[tokio::test]
async fn what_the_standard_has_the_server_supply() {
    let harness = Harness::new();
    for version in [Version::V2_0, NEWEST] {
        let query = QueryRequest {
            query_functions: vec![QueryFunction::QueryDefaultsInformation],
            object_groups: None,
        };
        let told = harness.ask(version, query).await.unwrap().defaults_information.unwrap();
        let of = |kind| {
            let set = told.object_defaults.iter().find(|set| set.object_type == Some(kind));
            set.unwrap().attributes.values().cloned().collect::<Vec<_>>()
        };
        let made = harness.ask(version, create_with([])).await.unwrap().unique_identifier;
        for value in of(ObjectType::SymmetricKey) {
            let name = value.reference().name();
            assert_eq!(found(&harness, &made, &name).await, Some(value), "{version}");
        }
        for kind in [ObjectType::PrivateKey, ObjectType::PublicKey, ObjectType::SplitKey] {
            assert_eq!(of(kind).len(), 3, "{version} {kind:?}");
        }
        assert_eq!(of(ObjectType::SecretData).len(), 1, "{version}");
    }
    assert_eq!(harness.ask(Version::V1_4, create_with([])).await, Err(ResultReason::MissingData));
}

/// KMIP 2.1, 6.1.53, 7.11 and 7.22. One row a case: the attributes of a Create, and the algorithm,
/// length and comment that the key then has.
#[tokio::test]
async fn defaults_fill_what_a_client_leaves_out() {
    let harness = Harness::new();
    let comment = |text: &str| AttributeValue::Comment(text.to_owned());
    let in_group = ObjectDefaults {
        object_groups: groups("archive"),
        ..defaults(&[ObjectType::SymmetricKey], vec![comment("in the group")])
    };
    let of_all = defaults(
        &[ObjectType::SymmetricKey, ObjectType::SecretData],
        vec![comment("everywhere"), mask(CryptographicUsageMask::Encrypt)],
    );
    let of_keys = ObjectDefaults {
        object_type: Some(ObjectType::SymmetricKey),
        object_types: None,
        ..defaults(&[], vec![algorithm(CryptographicAlgorithm::AES), length(192)])
    };
    set(&harness, vec![in_group, of_all, of_keys]).await.unwrap();
    let rows = [
        (vec![], CryptographicAlgorithm::AES, 192, "everywhere"),
        (vec![length(128)], CryptographicAlgorithm::AES, 128, "everywhere"),
        (vec![group("archive")], CryptographicAlgorithm::AES, 192, "in the group"),
        (vec![group("else"), comment("own")], CryptographicAlgorithm::AES, 192, "own"),
        // The default length goes with the default algorithm.
        (
            vec![algorithm(CryptographicAlgorithm::DES3)],
            CryptographicAlgorithm::DES3,
            168,
            "everywhere",
        ),
    ];
    for (given, expected, bits, said) in rows {
        let made = harness.ask(Version::V1_4, create_with(given.clone())).await.unwrap();
        let made = made.unique_identifier;
        let a = found(&harness, &made, "Cryptographic Algorithm").await;
        assert_eq!(a, Some(algorithm(expected)), "{given:?}");
        let b = found(&harness, &made, "Cryptographic Length").await;
        assert_eq!(b, Some(length(bits)), "{given:?}");
        assert_eq!(found(&harness, &made, "Comment").await, Some(comment(said)), "{given:?}");
    }
    // They are the client's own, and a request without any takes them away.
    let bobs = harness.beside("bob").ask(Version::V1_4, create_with([])).await;
    assert_eq!(bobs, Err(ResultReason::MissingData));
    harness.ask(NEWEST, SetDefaultsRequest::default()).await.unwrap();
    assert_eq!(harness.ask(Version::V1_4, create_with([])).await, Err(ResultReason::MissingData));
}

/// One row a default that is none (KMIP 2.1, table 330).
#[tokio::test]
async fn defaults_that_are_refused() {
    let harness = Harness::new();
    let key = [ObjectType::SymmetricKey];
    let rows = [
        (defaults(&[], vec![]), ResultReason::InvalidField),
        (defaults(&[ObjectType(0x99)], vec![]), ResultReason::InvalidField),
        (defaults(&[ObjectType(0x8000_0099)], vec![]), ResultReason::InvalidObjectType),
        (defaults(&key, vec![name("n")]), ResultReason::InvalidField),
        (
            defaults(&key, vec![AttributeValue::InitialDate(DateTime(1))]),
            ResultReason::AttributeReadOnly,
        ),
        (defaults(&key, vec![length(1), length(2)]), ResultReason::AttributeSingleValued),
    ];
    for (default, reason) in rows {
        assert_eq!(set(&harness, vec![default.clone()]).await, Err(reason), "{default:?}");
    }
}

fn constraint(kinds: &[ObjectType], values: Vec<AttributeValue>) -> Constraint {
    Constraint {
        object_types: types(kinds),
        object_groups: None,
        attributes: Some(Attributes::new(values)),
    }
}

/// KMIP 2.1, 6.1.22, 6.1.52 and 7.6. One row a case: what a Create gives, and what becomes of it.
#[tokio::test]
async fn constraints_hold_for_what_is_made_and_brought() {
    let harness = Harness::new();
    let encrypt = CryptographicUsageMask::Encrypt;
    let both = encrypt.union(CryptographicUsageMask::Decrypt);
    let key = [ObjectType::SymmetricKey];
    let constraints = Constraints {
        constraints: vec![
            constraint(&key, vec![length(192), length(256), mask(both)]),
            Constraint { object_groups: groups("archive"), ..constraint(&key, vec![length(256)]) },
            constraint(&[ObjectType::SecretData], vec![group("secrets")]),
            Constraint::default(),
        ],
    };
    harness.ask(NEWEST, SetConstraintsRequest { constraints: constraints.clone() }).await.unwrap();
    let kept = harness.ask(NEWEST, GetConstraintsRequest {}).await.unwrap();
    assert_eq!(kept.constraints, constraints);
    let violation = Err(ResultReason::ConstraintViolation);
    let rows = [
        (vec![length(256), mask(encrypt)], Ok(())),
        (vec![length(192), mask(both)], Ok(())),
        (vec![length(128), mask(encrypt)], violation),
        (vec![length(256), mask(CryptographicUsageMask::Sign)], violation),
        (vec![length(192), mask(encrypt), group("archive")], violation),
        (vec![length(256), mask(encrypt), group("archive")], Ok(())),
    ];
    for (mut given, expected) in rows {
        given.push(algorithm(CryptographicAlgorithm::AES));
        let made = harness.ask(NEWEST, create_with(given.clone())).await;
        assert_eq!(made.map(|_| ()), expected, "{given:?}");
    }
    let short = [algorithm(CryptographicAlgorithm::AES), length(128), mask(encrypt)];
    let old = harness.ask(Version::V1_4, create_with(short.clone())).await;
    assert_eq!(old.map(|_| ()), Err(ResultReason::PermissionDenied));
    let secret = |values: Vec<AttributeValue>| RegisterRequest {
        object_type: ObjectType::SecretData,
        attributes: Attributes::new(values),
        object: Object::SecretData(kmip::objects::SecretData {
            secret_data_type: kmip::vocabulary::SecretDataType::Password,
            key_block: KeyBlock::plain(KeyFormatType::Raw, b"secret"),
        }),
        protection_storage_masks: None,
    };
    assert_eq!(harness.ask(NEWEST, secret(vec![])).await.map(|_| ()), violation);
    harness.ask(NEWEST, secret(vec![group("secrets")])).await.unwrap();
    harness.beside("bob").ask(NEWEST, create_with(short.clone())).await.unwrap();
    harness
        .ask(NEWEST, SetConstraintsRequest { constraints: Constraints::default() })
        .await
        .unwrap();
    harness.ask(NEWEST, create_with(short)).await.unwrap();
}
