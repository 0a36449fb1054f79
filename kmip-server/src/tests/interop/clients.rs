//! One client does not see what is another's.

use crate::tests::harness::*;

#[tokio::test]
async fn to_another_client_the_object_does_not_exist() {
    let alice = Harness::new();
    let bob = alice.beside("bob");
    let object = alice.create(NEWEST, vec![name("secret")]).await;
    let absent = bob.ask(NEWEST, get("00000000-0000-7000-8000-000000000000")).await;
    assert_eq!(bob.ask(NEWEST, get(&object)).await, absent);
    let unseen: Vec<RequestPayload> = vec![
        ActivateRequest { unique_identifier: id(&object) }.into(),
        revoke(&object, RevocationReasonCode::KeyCompromise).into(),
        DestroyRequest { unique_identifier: id(&object) }.into(),
        GetAttributesRequest { unique_identifier: id(&object), attributes: vec![] }.into(),
        kmip::payload::GetAttributeListRequest { unique_identifier: id(&object) }.into(),
        AddAttributeRequest {
            unique_identifier: id(&object),
            attribute: AttributeValue::Comment("mine".to_owned()).into(),
        }
        .into(),
        ModifyAttributeRequest {
            unique_identifier: id(&object),
            current_attribute: None,
            attribute: name("mine").into(),
        }
        .into(),
        kmip::payload::DeleteAttributeRequest {
            unique_identifier: id(&object),
            current_attribute: None,
            attribute: Some(AttributeReference::from_name("Name")),
            attribute_index: None,
        }
        .into(),
        kmip::payload::SetAttributeRequest {
            unique_identifier: id(&object),
            attribute: AttributeValue::Comment("mine".to_owned()).into(),
        }
        .into(),
        kmip::payload::CheckRequest {
            unique_identifier: id(&object),
            usage_limits_count: None,
            cryptographic_usage_mask: None,
            lease_time: None,
        }
        .into(),
        ReKeyRequest {
            unique_identifier: id(&object),
            offset: None,
            attributes: None,
            protection_storage_masks: None,
        }
        .into(),
    ];
    for payload in unseen {
        let items = bob.batch(NEWEST, vec![payload]).await;
        assert_eq!(items[0].result_reason, Some(ResultReason::ObjectNotFound), "{items:?}");
    }
    for filter in [vec![name("secret")], vec![]] {
        let found = bob.ask(NEWEST, locate(filter)).await.unwrap();
        assert_eq!((found.located_items, found.unique_identifiers.len()), (Some(0), 0));
    }
    assert_eq!(state(&alice, &object).await, State::PreActive);
}
