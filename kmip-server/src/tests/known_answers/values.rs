//! Attributes that the server gives, counts, promises or lets follow from others.

use kmip::structures::UsageLimits;
use kmip::vocabulary::{ProtectionLevel, UsageLimitsUnit};

use crate::dispatch::key_rotation::rotate_due_keys;
use crate::tests::harness::*;
use crate::tests::known_answers::attributes::{delete, key, modify, sample_attributes};

/// One row an attribute that the server gives every new key: its value for a made one, and for one
/// that was brought (KMIP 2.1, 4.3, 4.23, 4.24, 4.28, 4.30, 4.33, 4.38, 4.44, 4.46, 4.55, 4.56).
#[tokio::test]
async fn what_a_new_object_is_given() {
    use AttributeValue as A;
    let harness = Harness::new();
    let made = harness.create(NEWEST, vec![]).await;
    let brought = key(&harness, State::PreActive).await;
    for (object, is_made) in [(&made, true), (&brought, false)] {
        let request = GetAttributesRequest { unique_identifier: id(object), attributes: vec![] };
        let found: Vec<A> = harness
            .ask(NEWEST, request)
            .await
            .unwrap()
            .attributes
            .0
            .into_iter()
            .map(|a| a.value)
            .collect();
        let mask = kmip::vocabulary::ProtectionStorageMask::Software;
        for expected in [
            A::AlwaysSensitive(false),
            A::Sensitive(false),
            A::Extractable(true),
            A::NeverExtractable(false),
            A::Fresh(true),
            A::ProtectionStorageMask(mask),
            A::KeyFormatType(KeyFormatType::Raw),
            A::LeaseTime(kmip::Interval(3600)),
        ] {
            assert!(found.contains(&expected), "{expected:?}");
        }
        let has = |name: &str| found.iter().any(|value| value.name() == name);
        assert_eq!(has("Random Number Generator"), is_made);
        assert_eq!(has("Original Creation Date"), is_made);
        assert!(!has("Key Value Present"));
        let short = found.iter().find_map(|value| match value {
            A::ShortUniqueIdentifier(bytes) => Some(bytes.len()),
            _ => None,
        });
        assert_eq!(short, Some(32));
    }
    let mut elsewhere = KeyBlock::plain(KeyFormatType::Raw, &[]);
    elsewhere.key_value = None;
    elsewhere.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    elsewhere.cryptographic_length = Some(256);
    let request = RegisterRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::default(),
        object: Object::SymmetricKey(Key { key_block: elsewhere }),
        protection_storage_masks: None,
    };
    let object = harness.ask(NEWEST, request).await.unwrap().unique_identifier;
    let present = attribute(&harness, &object, "Key Value Present").await;
    assert_eq!(present, Some(A::KeyValuePresent(false)));
}

/// KMIP 2.1, 4.3 and 4.33: what has once been open was not always closed.
#[tokio::test]
async fn sensitivity_is_remembered() {
    use AttributeValue as A;
    let harness = Harness::new();
    let object = harness.create(NEWEST, vec![A::Sensitive(true), A::Extractable(false)]).await;
    for (change, always, never) in [
        (None, true, true),
        (Some(A::Sensitive(false)), false, true),
        (Some(A::Sensitive(true)), false, true),
        (Some(A::Extractable(true)), false, false),
        (Some(A::Extractable(false)), false, false),
    ] {
        if let Some(change) = &change {
            modify(&harness, NEWEST, &object, change).await.unwrap();
        }
        let found = attribute(&harness, &object, "Always Sensitive").await;
        assert_eq!(found, Some(A::AlwaysSensitive(always)), "{change:?}");
        let found = attribute(&harness, &object, "Never Extractable").await;
        assert_eq!(found, Some(A::NeverExtractable(never)), "{change:?}");
    }
}

/// KMIP 1.4, 3.21: what a client says is left does not count, and what was drawn on stays.
#[tokio::test]
async fn usage_limits_are_the_servers_to_count() {
    use AttributeValue as A;
    let limits =
        |total, count| A::UsageLimits(UsageLimits { total, count, unit: UsageLimitsUnit::Byte });
    let harness = Harness::new();
    let object = harness.create(NEWEST, vec![limits(100, Some(7))]).await;
    assert_eq!(attribute(&harness, &object, "Usage Limits").await, Some(limits(100, Some(100))));
    modify(&harness, NEWEST, &object, &limits(50, None)).await.unwrap();
    let draw = kmip::payload::GetUsageAllocationRequest {
        unique_identifier: id(&object),
        usage_limits_count: 10,
    };
    harness.ask(NEWEST, ActivateRequest { unique_identifier: id(&object) }).await.unwrap();
    harness.ask(NEWEST, draw).await.unwrap();
    let denied = Err(ResultReason::PermissionDenied);
    assert_eq!(modify(&harness, NEWEST, &object, &limits(60, None)).await, denied);
    assert_eq!(delete(&harness, NEWEST, &object, &limits(60, None)).await, denied);
    assert_eq!(attribute(&harness, &object, "Usage Limits").await, Some(limits(50, Some(40))));
}

/// One row a promise that a Create cannot keep, or can (KMIP 2.1, 4.26, 4.45 and 4.46; 6.1.8).
#[tokio::test]
async fn promises_are_kept_or_refused() {
    use AttributeValue as A;
    let safe = |level| vec![A::QuantumSafe(true), A::ProtectionLevel(level)];
    let none = kmip::structures::RNGParameters {
        rng_algorithm: kmip::vocabulary::RNGAlgorithm::Unspecified,
        cryptographic_algorithm: None,
        cryptographic_length: None,
        hashing_algorithm: None,
        drbg_algorithm: None,
        recommended_curve: None,
        fips186_variation: None,
        prediction_resistance: None,
    };
    let rows = [
        (safe(ProtectionLevel::High), Ok(())),
        (vec![A::KeyFormatType(KeyFormatType::Raw)], Ok(())),
        (
            vec![A::KeyFormatType(KeyFormatType::X_509)],
            Err(ResultReason::KeyFormatTypeNotSupported),
        ),
        (vec![A::RandomNumberGenerator(none)], Ok(())),
        (
            vec![A::RandomNumberGenerator(sample_attributes::rng_parameters())],
            Err(ResultReason::UnsupportedCryptographicParameters),
        ),
    ];
    let harness = Harness::new();
    for (values, expected) in rows {
        let made = harness.ask(NEWEST, aes(values.clone())).await.map(|_| ());
        assert_eq!(made, expected, "{values:?}");
    }
    let stored = |mask| CreateRequest {
        protection_storage_masks: Some(kmip::objects::ProtectionStorageMasks { masks: vec![mask] }),
        ..aes(vec![])
    };
    use kmip::vocabulary::ProtectionStorageMask as Mask;
    harness.ask(NEWEST, stored(Mask::Software.union(Mask::Hardware))).await.unwrap();
    let refused = harness.ask(NEWEST, stored(Mask::Hardware)).await;
    assert_eq!(refused, Err(ResultReason::ProtectionStorageUnavailable));
}

/// KMIP 2.1, 4.48 to 4.54: what Re-key says of both keys.
#[tokio::test]
async fn rotation_is_written_down() {
    use AttributeValue as A;
    let harness = Harness::new();
    let interval = A::RotateInterval(kmip::Interval(86_400));
    let mut old = harness.create(NEWEST, vec![interval.clone()]).await;
    for generation in 1..=3 {
        let request = ReKeyRequest {
            unique_identifier: id(&old),
            offset: None,
            attributes: None,
            protection_storage_masks: None,
        };
        let new = harness.ask(NEWEST, request).await.unwrap().unique_identifier;
        let request = GetAttributesRequest {
            unique_identifier: id(&new),
            attributes: ["Rotate Generation", "Rotate Latest", "Rotate Interval", "Rotate Date"]
                .map(AttributeReference::from_name)
                .to_vec(),
        };
        let found: Vec<A> = harness
            .ask(NEWEST, request)
            .await
            .unwrap()
            .attributes
            .0
            .into_iter()
            .map(|a| a.value)
            .collect();
        let expected = [A::RotateGeneration(generation), A::RotateLatest(true), interval.clone()];
        assert_eq!(found, expected);
        let latest = locate(vec![A::RotateLatest(true)]);
        let found = harness.ask(NEWEST, latest).await.unwrap().unique_identifiers;
        assert_eq!(found, std::slice::from_ref(&new));
        old = new;
    }
}

/// KMIP 2.1, 4.48 and 4.51: "automatic rotation of the Managed Object is performed by the server
/// when the difference between the Initial Date of the Managed Object and the current server time
/// reaches or exceeds this value". One row a key: what it says, and whether it turns.
#[tokio::test]
async fn keys_turn_by_themselves() {
    use AttributeValue as A;
    let long_ago = DateTime(1_000_000_000);
    let (day, automatic) = (A::RotateInterval(kmip::Interval(86_400)), A::RotateAutomatic(true));
    let past = vec![A::ActivationDate(long_ago), A::DeactivationDate(DateTime(long_ago.0 + 1))];
    let rows = [
        ("due", vec![day.clone(), automatic.clone()], true),
        ("not automatic", vec![day.clone()], false),
        ("no interval", vec![automatic.clone()], false),
        ("deactivated", [vec![day.clone(), automatic.clone()], past].concat(), false),
        ("turned before", vec![day.clone(), automatic.clone(), A::RotateLatest(false)], false),
    ];
    let harness = Harness::new();
    let mut block = KeyBlock::plain(KeyFormatType::Raw, &[7; 32]);
    block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    block.cryptographic_length = Some(256);
    for (named, values, _) in &rows {
        let mask = A::CryptographicUsageMask(CryptographicUsageMask::Encrypt);
        let all = values.iter().cloned().chain([A::InitialDate(long_ago), mask, name(named)]);
        let request = kmip::payload::ImportRequest {
            unique_identifier: (*named).to_owned(),
            object_type: Some(ObjectType::SymmetricKey),
            replace_existing: None,
            key_wrap_type: None,
            attributes: kmip::attributes::AllAttributes(all.map(Attribute::from).collect()),
            object: Object::SymmetricKey(Key { key_block: block.clone() }),
        };
        harness.ask(NEWEST, request).await.unwrap();
    }
    // Made today, and so not due before tomorrow.
    let today = harness.create(NEWEST, vec![day, automatic]).await;
    let now = DateTime(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs()
            .try_into()
            .unwrap(),
    );
    assert_eq!(rotate_due_keys(&harness.server, now).await, Ok(1));
    assert_eq!(rotate_due_keys(&harness.server, now).await, Ok(0), "what was turned is not due");
    for (named, _, turns) in &rows {
        let holder = harness.ask(NEWEST, locate(vec![name(named)])).await.unwrap();
        assert_eq!(holder.unique_identifiers != [*named], *turns, "{named}");
    }
    assert_eq!(attribute(&harness, &today, "Link").await, None);
    // The day after, both that are left turn: the one of today, and the one that took the place.
    let tomorrow = DateTime(now.0 + 86_400 + 5);
    assert_eq!(rotate_due_keys(&harness.server, tomorrow).await, Ok(2));
}

/// KMIP 2.0 and 2.1, 6.1.8: "or generate Secret Data". One row a length: how many bytes there are.
#[tokio::test]
async fn create_makes_secret_data_too() {
    use AttributeValue as A;
    let harness = Harness::new();
    let request = |values: Vec<A>| CreateRequest {
        object_type: ObjectType::SecretData,
        attributes: Attributes::new(values),
        protection_storage_masks: None,
    };
    for version in [Version::V2_0, NEWEST] {
        for (length, bytes) in [
            (None, Ok(32)),
            (Some(8), Ok(1)),
            (Some(4096), Ok(512)),
            (Some(0), Err(ResultReason::InvalidField)),
            (Some(-8), Err(ResultReason::InvalidField)),
            (Some(12), Err(ResultReason::InvalidField)),
            (Some(i32::MAX), Err(ResultReason::InvalidField)),
        ] {
            let values = length.map(A::CryptographicLength).into_iter().collect();
            let found = match harness.ask(version, request(values)).await {
                Ok(made) => {
                    assert_eq!(made.object_type, ObjectType::SecretData);
                    let got = harness.ask(version, get(&made.unique_identifier)).await.unwrap();
                    let bytes = key_bytes(&got.object);
                    assert!(bytes.len() < 16 || bytes.iter().any(|byte| *byte != 0));
                    Ok(bytes.len())
                }
                Err(reason) => Err(reason),
            };
            assert_eq!(found, bytes, "{version}: {length:?}");
        }
    }
    let refused = harness.ask(Version::V1_4, request(vec![])).await.map(drop);
    assert_eq!(refused, Err(ResultReason::InvalidField));
}
