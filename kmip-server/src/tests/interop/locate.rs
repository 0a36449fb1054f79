//! Locate: every filter, every page.

use std::sync::Arc;

use crate::secret::SecretBuffer;
use crate::store::memory_store::MemoryStore;
use crate::store::{Change, Range, Store, To};
use kmip::attributes::AllAttributes;
use kmip::objects::OpaqueObject;
use kmip::payload::{ArchiveRequest, ImportRequest, RecoverRequest};
use kmip::vocabulary::OpaqueDataType;

use crate::tests::harness::*;

#[tokio::test]
async fn each_of_several_names_finds_its_own_key() {
    let harness = Harness::new();
    for version in Version::SERVED {
        let (enc, auth) = (format!("ENC-{version}"), format!("AUTH-{version}"));
        let enc_key = harness.create(*version, vec![name(&enc)]).await;
        let auth_key = harness.create(*version, vec![name(&auth)]).await;
        for (wanted, key) in [(&enc, &enc_key), (&auth, &auth_key)] {
            let found = harness.ask(*version, locate(vec![name(wanted)])).await.unwrap();
            assert_eq!(found.unique_identifiers, [key.as_str()], "{version}");
        }
        let both = harness.ask(*version, locate(vec![name(&enc), name(&auth)])).await.unwrap();
        assert!(both.unique_identifiers.is_empty());
        let none = harness.ask(*version, locate(vec![name("ENC")])).await.unwrap();
        assert!(none.unique_identifiers.is_empty());
    }
}

#[tokio::test]
async fn a_filter_is_never_passed_over() {
    let harness = Harness::new();
    harness.create(NEWEST, vec![]).await;
    let unknown = [
        AttributeValue::Vendor(VendorAttribute::text("Rack", "7")),
        AttributeValue::ContactInformation("nobody".to_owned()),
        AttributeValue::Description("nothing".to_owned()),
        AttributeValue::CryptographicLength(128),
        AttributeValue::State(State::Active),
    ];
    for value in unknown {
        let found = harness.ask(NEWEST, locate(vec![value.clone()])).await.unwrap();
        assert!(found.unique_identifiers.is_empty(), "{value:?}");
    }
}

/// PyKMIP's own tests make two keys of one Name; the standard has it otherwise, and so have we
/// unless we are told.
#[tokio::test]
async fn objects_share_a_name_if_the_server_lets_them() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let harness = Harness::sharing(Arc::clone(&store));
    let located = async |harness: &Harness| {
        harness.ask(NEWEST, locate(vec![name("n")])).await.unwrap().unique_identifiers
    };
    let destroy = async |id_: &str| {
        harness.ask(NEWEST, DestroyRequest { unique_identifier: id(id_) }).await.unwrap();
    };
    let mut keys = Vec::new();
    for _ in 0..300 {
        keys.insert(0, harness.create(NEWEST, vec![name("n")]).await);
    }
    assert_eq!(located(&harness).await, keys, "all of them, the newest first");
    let mut page = locate(vec![name("n")]);
    (page.offset_items, page.maximum_items) = (Some(1), Some(2));
    let page = harness.ask(NEWEST, page).await.unwrap();
    assert_eq!((page.located_items, page.unique_identifiers), (Some(300), keys[1..3].to_vec()));

    // Whoever goes, the first, the last or one between, the others keep the name.
    for at in [299, 0, 100] {
        destroy(&keys.remove(at)).await;
        assert_eq!(located(&harness).await, keys);
    }
    // Another server on the same objects, that lets nobody share: the name is taken as long as
    // anybody has it, and one object is found by it.
    let strict = Harness::over(store);
    for _ in 0..2 {
        assert_eq!(located(&strict).await.len(), 1);
        let taken = strict.ask(NEWEST, aes(vec![name("n")])).await.map(drop);
        assert_eq!(taken, Err(ResultReason::NonUniqueNameAttribute));
        let [holder] = &located(&strict).await[..] else { panic!("one") };
        let request = DestroyRequest { unique_identifier: id(holder) };
        strict.ask(NEWEST, request).await.unwrap();
    }
    assert_eq!(located(&harness).await.len(), 295, "no name was lost by that");
}

/// Stores of before have the identifier alone in the row of a name. Nothing is taken for granted of
/// such an object, and the row is a row as others are.
#[tokio::test]
async fn a_name_is_found_in_rows_that_do_not_say_whether_the_object_is_at_hand() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let harness = Harness::over(Arc::clone(&store));
    let key = harness.create(NEWEST, vec![name("n")]).await;
    let rows = store.scan(Range::prefix(b"n/", 9)).await.unwrap();
    let [(row, record)] = rows.as_slice() else { panic!("one row of a name") };
    let to = To::Put(SecretBuffer::new(key.clone().into_bytes()));
    assert_ne!(*record.value, key.as_bytes(), "it says more now");
    let change = Change { key: row.clone(), expected: record.stamp, to };
    store.commit(vec![change]).await.unwrap();

    let located =
        async || harness.ask(NEWEST, locate(vec![name("n")])).await.unwrap().unique_identifiers;
    assert_eq!(located().await, [key.as_str()]);
    harness.ask(NEWEST, ArchiveRequest { unique_identifier: id(&key) }).await.unwrap();
    assert!(located().await.is_empty());
    let taken = harness.ask(NEWEST, aes(vec![name("n")])).await.map(drop);
    assert_eq!(taken, Err(ResultReason::NonUniqueNameAttribute));
    harness.ask(NEWEST, RecoverRequest { unique_identifier: id(&key) }).await.unwrap();
    assert_eq!(located().await, [key.as_str()]);
    harness.ask(NEWEST, DestroyRequest { unique_identifier: id(&key) }).await.unwrap();
    assert!(store.scan(Range::prefix(b"n/", 9)).await.unwrap().is_empty());
}

/// Every object has a policy: the one named default, unless the client said otherwise.
#[tokio::test]
async fn an_object_without_an_operation_policy_name_has_the_default_one() {
    let harness = Harness::new();
    let policy = |name: &str| AttributeValue::OperationPolicyName(name.to_owned());
    let plain = harness.create(Version::V1_2, vec![]).await;
    let own = harness.create(Version::V1_2, vec![policy("own")]).await;
    for (name, expected) in [("default", vec![plain]), ("own", vec![own]), ("public", vec![])] {
        let found = harness.ask(Version::V1_2, locate(vec![policy(name)])).await.unwrap();
        assert_eq!(found.unique_identifiers, expected, "{name}");
    }
}

/// Some clients of 1.x put the filter into a Template Attribute.
#[tokio::test]
async fn a_filter_in_a_template_attribute_is_a_filter() {
    let harness = Harness::new();
    harness.create(OLDEST, vec![name("one")]).await;
    let two = harness.create(OLDEST, vec![name("two")]).await;
    let payload = Raw::build(|w| {
        w.structure(tags::RequestPayload, |w| {
            w.integer(tags::MaximumItems, 1);
            w.structure(tags::TemplateAttribute, |w| {
                Attribute::from(name("two")).encode(tags::Attribute, w, OLDEST);
            });
        });
    });
    let unknown = UnknownPayload { operation: Operation::Locate, payload };
    let items = harness.batch(OLDEST, vec![RequestPayload::Unknown(unknown)]).await;
    match &items[0].payload {
        Some(ResponsePayload::Locate(found)) => assert_eq!(found.unique_identifiers, [two]),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pages_have_the_true_total_and_the_newest_first() {
    let harness = Harness::new();
    let group = || AttributeValue::ObjectGroup("g".to_owned());
    let mut made = Vec::new();
    for _ in 0..600 {
        made.push(harness.create(NEWEST, vec![group()]).await);
    }
    made.sort();
    made.reverse();
    for filter in [vec![group()], vec![]] {
        let mut request = locate(filter);
        request.offset_items = Some(100);
        request.maximum_items = Some(300);
        let found = harness.ask(NEWEST, request).await.unwrap();
        assert_eq!(found.located_items, Some(600));
        assert_eq!(found.unique_identifiers, made[100..400]);
    }
}

/// Imports an object under an identifier of the client's, with these attributes.
async fn import(harness: &Harness, id: &str, values: Vec<AttributeValue>) {
    let object = Object::OpaqueObject(OpaqueObject {
        opaque_data_type: OpaqueDataType(0x8000_0001),
        opaque_data_value: SecretBytes::new(&[1]),
    });
    let request = ImportRequest {
        unique_identifier: id.to_owned(),
        object_type: Some(ObjectType::OpaqueObject),
        replace_existing: None,
        key_wrap_type: None,
        attributes: AllAttributes(values.into_iter().map(Attribute::from).collect()),
        object,
    };
    assert_eq!(harness.ask(NEWEST, request).await.unwrap().unique_identifier, id);
}

/// Identifiers of other servers are of version 7 too, or anything of 1 to 128 bytes, one the
/// beginning of another; they come in between by what they say.
#[tokio::test]
async fn pages_of_every_size_have_made_and_chosen_identifiers_the_newest_first() {
    let harness = Harness::sharing(Arc::new(MemoryStore::default()));
    let group = || AttributeValue::ObjectGroup("g".to_owned());
    let longest = "z".repeat(128);
    let chosen = [
        "01890000-0000-7000-8000-000000000001",
        "ffffffff-ffff-7fff-bfff-ffffffffffff",
        "0",
        "k",
        "key",
        "key/1",
        "key/10",
        "key/2",
        "schl\u{fc}ssel",
        "\u{10ffff}",
        &longest[1..],
        &longest,
    ];
    let mut expected = Vec::new();
    for id in chosen {
        expected.push(harness.create(NEWEST, vec![group(), name("n")]).await);
        import(&harness, id, vec![group(), name("n")]).await;
        expected.push(id.to_owned());
    }
    expected.sort();
    expected.reverse();
    let made: Vec<_> = expected.iter().filter(|id| !chosen.contains(&id.as_str())).collect();
    assert_eq!(made.len(), chosen.len());
    for filter in [vec![], vec![group()], vec![name("n")]] {
        for size in 1..=expected.len() + 1 {
            let mut found = Vec::new();
            while found.len() < expected.len() {
                let mut request = locate(filter.clone());
                request.maximum_items = Some(i32::try_from(size).unwrap());
                request.offset_items = Some(i32::try_from(found.len()).unwrap());
                let page = harness.ask(NEWEST, request).await.unwrap();
                assert_eq!(page.located_items, Some(24));
                assert_eq!(page.unique_identifiers.len(), size.min(expected.len() - found.len()));
                found.extend(page.unique_identifiers);
            }
            assert_eq!(found, expected, "{size} of {filter:?}");
        }
    }
}

#[tokio::test]
async fn a_structure_matches_by_the_fields_that_are_given() {
    let harness = Harness::new();
    let information = |namespace: &str, data: &str| {
        AttributeValue::ApplicationSpecificInformation(
            kmip::structures::ApplicationSpecificInformation {
                namespace: namespace.to_owned(),
                data: Some(data.to_owned()),
            },
        )
    };
    let one = harness.create(NEWEST, vec![information("ssl", "a")]).await;
    harness.create(NEWEST, vec![information("tls", "b")]).await;
    let whole = harness.ask(NEWEST, locate(vec![information("ssl", "a")])).await.unwrap();
    assert_eq!(whole.unique_identifiers, [one.as_str()]);
    let value = Raw::build(|w| {
        w.structure(tags::AttributeValue, |w| w.text_string(tags::ApplicationNamespace, "ssl"));
    });
    let attribute = AttributeReference::Standard(tags::ApplicationSpecificInformation);
    let part = Filter(vec![kmip::payload::Condition { attribute, value }]);
    let request = LocateRequest { attributes: part, ..LocateRequest::default() };
    assert_eq!(harness.ask(NEWEST, request).await.unwrap().unique_identifiers, [one]);
}

#[tokio::test]
async fn two_dates_are_a_range() {
    let harness = Harness::new();
    let date = |seconds| AttributeValue::ActivationDate(DateTime(seconds));
    let key = harness.create(NEWEST, vec![date(1_000)]).await;
    for (from, to, hits) in [(900, 1_100, 1), (1_000, 1_000, 1), (1_001, 2_000, 0), (0, 999, 0)] {
        let found = harness.ask(NEWEST, locate(vec![date(from), date(to)])).await.unwrap();
        assert_eq!(found.unique_identifiers.len(), hits, "{from} to {to}");
    }
    let found = harness.ask(NEWEST, locate(vec![date(1_000)])).await.unwrap();
    assert_eq!(found.unique_identifiers, [key]);
}

#[tokio::test]
async fn a_destroyed_object_is_not_located_and_its_name_is_free() {
    let harness = Harness::new();
    let first = harness.create(OLDEST, vec![name("n")]).await;
    harness.ask(OLDEST, DestroyRequest { unique_identifier: id(&first) }).await.unwrap();
    for filter in [vec![name("n")], vec![]] {
        let found = harness.ask(OLDEST, locate(filter)).await.unwrap();
        assert!(found.unique_identifiers.is_empty());
    }
    harness.create(OLDEST, vec![name("n")]).await;
}
