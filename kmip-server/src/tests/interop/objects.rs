//! Objects: their lengths, their lives, their names.

use std::sync::Arc;

use crate::store::memory_store::MemoryStore;
use crate::store::{Range, Store};
use kmip::objects::OpaqueObject;
use kmip::vocabulary::OpaqueDataType;

use crate::tests::harness::*;

#[tokio::test]
async fn two_objects_cannot_have_one_name() {
    let harness = Harness::new();
    harness.create(NEWEST, vec![name("n")]).await;
    let second = harness.ask(NEWEST, aes(vec![name("n")])).await;
    assert_eq!(second, Err(ResultReason::NonUniqueNameAttribute));
    let other = harness.create(NEWEST, vec![]).await;
    let add = AddAttributeRequest { unique_identifier: id(&other), attribute: name("n").into() };
    assert_eq!(harness.ask(NEWEST, add).await, Err(ResultReason::NonUniqueNameAttribute));
    harness.beside("bob").create(NEWEST, vec![name("n")]).await;
}

#[tokio::test]
async fn of_many_that_want_one_name_at_once_one_gets_it() {
    let harness = Harness::new();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let harness = harness.beside("alice");
            tokio::spawn(async move { harness.ask(NEWEST, aes(vec![name("n")])).await.is_ok() })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn a_deactivated_key_can_still_be_read() {
    let harness = Harness::new();
    let object = harness.create(OLDEST, vec![]).await;
    harness.ask(OLDEST, ActivateRequest { unique_identifier: id(&object) }).await.unwrap();
    let before = harness.ask(OLDEST, get(&object)).await.unwrap();
    harness.ask(OLDEST, revoke(&object, RevocationReasonCode::Superseded)).await.unwrap();
    assert_eq!(state(&harness, &object).await, State::Deactivated);
    let after = harness.ask(OLDEST, get(&object)).await.unwrap();
    assert_eq!(key_bytes(&before.object), key_bytes(&after.object));
}

#[tokio::test]
async fn key_lengths_and_usage_masks_are_checked() {
    use AttributeValue as A;
    let harness = Harness::new();
    let algorithm = A::CryptographicAlgorithm(CryptographicAlgorithm::AES);
    let mask = A::CryptographicUsageMask(CryptographicUsageMask::Encrypt);
    let rows: [(Vec<A>, Result<(), ResultReason>); 5] = [
        (
            vec![algorithm.clone(), A::CryptographicLength(100), mask.clone()],
            Err(ResultReason::InvalidField),
        ),
        (
            vec![algorithm.clone(), A::CryptographicLength(65_536), mask.clone()],
            Err(ResultReason::InvalidField),
        ),
        (vec![algorithm.clone(), A::CryptographicLength(256)], Err(ResultReason::MissingData)),
        (vec![A::CryptographicLength(256), mask.clone()], Err(ResultReason::MissingData)),
        (vec![algorithm, A::CryptographicLength(128), mask], Ok(())),
    ];
    for (values, expected) in rows {
        let found = harness.ask(Version::V1_4, create_with(values.clone())).await;
        assert_eq!(found.map(|_| ()), expected, "{values:?}");
    }
}

#[tokio::test]
async fn an_operation_policy_name_from_an_old_client_is_accepted() {
    let harness = Harness::new();
    let policy = AttributeValue::OperationPolicyName("default".to_owned());
    let object = harness.create(Version::V1_2, vec![policy.clone()]).await;
    assert_eq!(attribute(&harness, &object, "Operation Policy Name").await, Some(policy));
}

#[tokio::test]
async fn three_ways_lead_to_active() {
    let harness = Harness::new();
    let past = || AttributeValue::ActivationDate(DateTime(1_000));
    let by_date = harness.create(Version::V1_4, vec![past()]).await;
    let by_attribute = harness.create(Version::V1_4, vec![]).await;
    let by_operation = harness.create(Version::V1_4, vec![]).await;
    assert_eq!(state(&harness, &by_attribute).await, State::PreActive);
    let add =
        AddAttributeRequest { unique_identifier: id(&by_attribute), attribute: past().into() };
    harness.ask(Version::V1_4, add).await.unwrap();
    harness
        .ask(Version::V1_4, ActivateRequest { unique_identifier: id(&by_operation) })
        .await
        .unwrap();
    for object in [&by_date, &by_attribute, &by_operation] {
        assert_eq!(state(&harness, object).await, State::Active);
        let again = harness.ask(NEWEST, ActivateRequest { unique_identifier: id(object) }).await;
        assert_eq!(again, Err(ResultReason::WrongKeyLifecycleState));
    }
    let late = harness
        .create(Version::V1_4, vec![AttributeValue::ActivationDate(DateTime(i64::MAX / 2))])
        .await;
    assert_eq!(state(&harness, &late).await, State::PreActive);
    let modify = ModifyAttributeRequest {
        unique_identifier: id(&late),
        current_attribute: None,
        attribute: past().into(),
    };
    harness.ask(Version::V1_4, modify.clone()).await.unwrap();
    assert_eq!(state(&harness, &late).await, State::Active);
    assert_eq!(harness.ask(Version::V1_4, modify).await, Err(ResultReason::PermissionDenied));
}

#[tokio::test]
async fn an_active_key_is_not_destroyed_and_a_destroyed_one_stays_so() {
    let harness = Harness::new();
    let object = harness.create(OLDEST, vec![]).await;
    let destroy = || DestroyRequest { unique_identifier: id(&object) };
    harness.ask(OLDEST, ActivateRequest { unique_identifier: id(&object) }).await.unwrap();
    assert_eq!(harness.ask(OLDEST, destroy()).await, Err(ResultReason::PermissionDenied));
    assert_eq!(harness.ask(NEWEST, destroy()).await, Err(ResultReason::WrongKeyLifecycleState));
    harness.ask(OLDEST, revoke(&object, RevocationReasonCode::KeyCompromise)).await.unwrap();
    harness.ask(OLDEST, destroy()).await.unwrap();
    assert_eq!(state(&harness, &object).await, State::DestroyedCompromised);
    assert_eq!(harness.ask(OLDEST, destroy()).await, Err(ResultReason::ItemNotFound));
    assert_eq!(harness.ask(OLDEST, get(&object)).await, Err(ResultReason::ItemNotFound));
    assert_eq!(harness.ask(NEWEST, get(&object)).await, Err(ResultReason::ObjectDestroyed));
}

#[tokio::test]
async fn re_key_moves_the_name_links_both_ways_and_leaves_the_old_key_active() {
    let harness = Harness::new();
    let past = AttributeValue::ActivationDate(DateTime(1_000));
    let old = harness.create(Version::V1_4, vec![name("vast"), past]).await;
    let request = ReKeyRequest {
        unique_identifier: id(&old),
        offset: None,
        attributes: None,
        protection_storage_masks: None,
    };
    let new = harness.ask(Version::V1_4, request).await.unwrap().unique_identifier;
    assert_eq!(state(&harness, &old).await, State::Active);
    assert_eq!(state(&harness, &new).await, State::Active);
    let found = harness.ask(Version::V1_4, locate(vec![name("vast")])).await.unwrap();
    assert_eq!(found.unique_identifiers, [new.as_str()]);
    assert_eq!(attribute(&harness, &old, "Name").await, None);
    for (from, to, link_type) in
        [(&old, &new, LinkType::ReplacementObjectLink), (&new, &old, LinkType::ReplacedObjectLink)]
    {
        match attribute(&harness, from, "Link").await {
            Some(AttributeValue::Link(link)) => {
                assert_eq!(link.link_type, link_type);
                assert_eq!(link.linked_object_identifier, Identifier::from(to.as_str()));
            }
            other => panic!("{other:?}"),
        }
    }
    let (a, b) = (harness.ask(OLDEST, get(&old)).await, harness.ask(OLDEST, get(&new)).await);
    assert_ne!(key_bytes(&a.unwrap().object), key_bytes(&b.unwrap().object));
}

#[tokio::test]
async fn get_gives_what_was_registered_and_no_attributes_inside() {
    let harness = Harness::new();
    let mut block = KeyBlock::plain(KeyFormatType::Raw, &[0x5A; 32]);
    block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    block.cryptographic_length = Some(256);
    let object = Object::SymmetricKey(Key { key_block: block });
    let mask = AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt);
    for version in Version::SERVED {
        let request = RegisterRequest {
            object_type: ObjectType::SymmetricKey,
            attributes: Attributes::new([mask.clone()]),
            object: object.clone(),
            protection_storage_masks: None,
        };
        let registered = harness.ask(*version, request).await.unwrap().unique_identifier;
        let got = harness.ask(*version, get(&registered)).await.unwrap();
        assert_eq!(got.object, object, "{version}");
    }
}

#[tokio::test]
async fn a_key_that_is_not_as_long_as_it_says_is_refused() {
    let harness = Harness::new();
    let mut block = KeyBlock::plain(KeyFormatType::Raw, &[1; 16]);
    block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    block.cryptographic_length = Some(256);
    let request = RegisterRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new([AttributeValue::CryptographicUsageMask(
            CryptographicUsageMask::Encrypt,
        )]),
        object: Object::SymmetricKey(Key { key_block: block }),
        protection_storage_masks: None,
    };
    assert_eq!(harness.ask(NEWEST, request).await, Err(ResultReason::InvalidField));
}

#[tokio::test]
async fn a_raw_key_is_given_as_opaque_or_transparent_when_asked() {
    let harness = Harness::new();
    let object = harness.create(OLDEST, vec![]).await;
    let raw = key_bytes(&harness.ask(OLDEST, get(&object)).await.unwrap().object);
    let opaque = get_as(Some(&object), Some(KeyFormatType::Opaque));
    assert_eq!(key_bytes(&harness.ask(OLDEST, opaque).await.unwrap().object), raw);
    let request = get_as(Some(&object), Some(KeyFormatType::TransparentSymmetricKey));
    let answer = harness.ask(OLDEST, request).await.unwrap();
    let mut w = Writer::default();
    w.structure(tags::KeyMaterial, |w| w.byte_string(tags::Key, &raw));
    match &answer.object.key_block().unwrap().key_value {
        Some(KeyValue::Plain { material: KeyMaterial::Transparent(material), .. }) => {
            assert_eq!(material.as_bytes(), w.as_bytes());
        }
        other => panic!("{other:?}"),
    }
    let x509 = get_as(Some(&object), Some(KeyFormatType::X_509));
    assert_eq!(harness.ask(OLDEST, x509).await, Err(ResultReason::KeyFormatTypeNotSupported));
}

#[tokio::test]
async fn modify_attribute_answers_the_new_value() {
    let harness = Harness::new();
    let object = harness.create(Version::V1_2, vec![name("old")]).await;
    let request = ModifyAttributeRequest {
        unique_identifier: id(&object),
        current_attribute: None,
        attribute: Attribute { index: Some(0), value: name("new") },
    };
    let answer = harness.ask(Version::V1_2, request).await.unwrap();
    assert_eq!(answer.attribute, Some(Attribute { index: Some(0), value: name("new") }));
    let found = harness.ask(Version::V1_2, locate(vec![name("new")])).await.unwrap();
    assert_eq!(found.unique_identifiers, [object]);
    let gone = harness.ask(Version::V1_2, locate(vec![name("old")])).await.unwrap();
    assert!(gone.unique_identifiers.is_empty());
}

/// One message of three items, as a hypervisor sends it, and then a Get of attributes that are not
/// there.
#[tokio::test]
async fn custom_attributes_in_one_message() {
    let harness = Harness::new();
    let object = harness.create(Version::V1_1, vec![]).await;
    let custom = |name: &str| AttributeValue::Vendor(VendorAttribute::text(name, "v"));
    let items = ["Product_Version", "Vendor", "Product"]
        .map(|name| AddAttributeRequest {
            unique_identifier: id(&object),
            attribute: custom(name).into(),
        })
        .map(Into::into);
    let items = harness.batch(Version::V1_1, items.to_vec()).await;
    assert!(items.iter().all(|item| item.result_status == ResultStatus::Success));
    assert_eq!(attribute(&harness, &object, "x-Vendor").await, Some(custom("Vendor")));
    assert_eq!(attribute(&harness, &object, "x-Absent").await, None);
    let found = harness.ask(NEWEST, locate(vec![custom("Product")])).await.unwrap();
    assert_eq!(found.unique_identifiers, [object]);
}

#[tokio::test]
async fn create_makes_symmetric_keys_alone() {
    let harness = Harness::new();
    let request = CreateRequest { object_type: ObjectType::PrivateKey, ..aes(vec![]) };
    assert_eq!(harness.ask(NEWEST, request.clone()).await, Err(ResultReason::InvalidObjectType));
    assert_eq!(harness.ask(OLDEST, request).await, Err(ResultReason::InvalidField));
    let unknown = SecretBytes::new(&[0; 8]);
    assert_eq!(format!("{unknown:?}"), "SecretBytes(8 bytes)");
}

/// A short object stands in the row of what is known of it, a long one in its own: neither is lost
/// when what is known changes, nor is any of it left when it is destroyed.
#[tokio::test]
async fn an_object_of_any_length_outlives_changes_and_does_not_outlive_its_destruction() {
    let store = Arc::new(MemoryStore::default());
    let harness = Harness::over(store.clone());
    for (len, rows) in [(16, 0), (900, 0), (1_100, 1), (50_000, 1)] {
        let bytes = vec![0xA5; len];
        let object = Object::OpaqueObject(OpaqueObject {
            opaque_data_type: OpaqueDataType(0x8000_0001),
            opaque_data_value: SecretBytes::new(&bytes),
        });
        let request = RegisterRequest {
            object_type: ObjectType::OpaqueObject,
            attributes: Attributes::new([]),
            object: object.clone(),
            protection_storage_masks: None,
        };
        let made = harness.ask(NEWEST, request).await.unwrap().unique_identifier;
        let own = Range::prefix(b"k/", 9);
        assert_eq!(store.scan(own.clone()).await.unwrap().len(), rows, "{len} bytes");
        for round in ["fresh", "served once", "named"] {
            assert_eq!(harness.ask(NEWEST, get(&made)).await.unwrap().object, object, "{round}");
            let attribute = name(&format!("{round} {len}")).into();
            let add = AddAttributeRequest { unique_identifier: id(&made), attribute };
            harness.ask(NEWEST, add).await.unwrap();
        }
        harness.ask(NEWEST, DestroyRequest { unique_identifier: id(&made) }).await.unwrap();
        assert!(harness.ask(NEWEST, get(&made)).await.is_err());
        let all = store.scan(Range::prefix(&[], 99)).await.unwrap();
        let holds = |value: &[u8]| value.windows(16).any(|part| part == &bytes[..16]);
        assert!(!all.iter().any(|(_, record)| holds(&record.value)), "{len} bytes");
    }
}
