//! Template objects of 1.x, and the operations that name them.

use kmip::objects::Template;
use kmip::payload::DeleteAttributeRequest;

use crate::tests::harness::*;

const V1_2: Version = Version::V1_2;

fn group(text: &str) -> AttributeValue {
    AttributeValue::ObjectGroup(text.to_owned())
}

fn length(bits: i32) -> AttributeValue {
    AttributeValue::CryptographicLength(bits)
}

fn custom(value: &str) -> AttributeValue {
    AttributeValue::Vendor(VendorAttribute::text("Note", value))
}

/// Registers a template of this name, which stands in the Template-Attribute.
async fn template(harness: &Harness, named: &str, values: Vec<AttributeValue>) -> String {
    let attributes = values.into_iter().map(Attribute::from).collect();
    let request = RegisterRequest {
        object_type: ObjectType::Template,
        attributes: Attributes::new([name(named)]),
        object: Object::Template(Template {
            attributes: kmip::attributes::AttributeList(attributes),
        }),
        protection_storage_masks: None,
    };
    harness.ask(V1_2, request).await.unwrap().unique_identifier
}

fn create(templates: &[&str], values: Vec<AttributeValue>) -> CreateRequest {
    let mut request = create_with(values);
    request.attributes.names = templates.iter().map(|text| Name::text(text)).collect();
    request
}

/// All values of one attribute.
async fn values(harness: &Harness, object: &str, attribute: &str) -> Vec<AttributeValue> {
    let request = GetAttributesRequest {
        unique_identifier: id(object),
        attributes: vec![AttributeReference::from_name(attribute)],
    };
    let found = harness.ask(V1_2, request).await.unwrap().attributes.0;
    found.into_iter().map(|attribute| attribute.value).collect()
}

fn basic() -> Vec<AttributeValue> {
    vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
    ]
}

/// One row a rule of KMIP 1.4, 4, third paragraph: the templates that a Create names, what it gives
/// itself, and the Cryptographic Length and the Object Groups of the key.
#[tokio::test]
async fn the_order_of_templates_and_attributes() {
    type Row<'a> = (&'a str, &'a [&'a str], Vec<AttributeValue>, i32, &'a [&'a str]);
    let harness = Harness::new();
    template(&harness, "a", [basic(), vec![length(128), group("a")]].concat()).await;
    template(&harness, "b", vec![length(192), group("b")]).await;
    let rows: Vec<Row<'_>> = vec![
        ("one template", &["a"], vec![], 128, &["a"]),
        ("the last of two that conflict", &["a", "b"], vec![], 192, &["a", "b"]),
        ("the last of two, the other way", &["b", "a"], vec![], 128, &["a", "b"]),
        ("the request goes before", &["a", "b"], vec![length(256)], 256, &["a", "b"]),
        ("the union of many", &["a"], vec![group("own"), group("a")], 128, &["a", "own"]),
    ];
    for (rule, templates, own, bits, groups) in rows {
        let made = harness.ask(V1_2, create(templates, own)).await.unwrap().unique_identifier;
        assert_eq!(values(&harness, &made, "Cryptographic Length").await, [length(bits)], "{rule}");
        let mut found: Vec<String> = values(&harness, &made, "Object Group")
            .await
            .into_iter()
            .map(|value| match value {
                AttributeValue::ObjectGroup(text) => text,
                other => panic!("{other:?}"),
            })
            .collect();
        found.sort();
        assert_eq!(found, groups, "{rule}");
        assert!(values(&harness, &made, "Name").await.is_empty(), "{rule}");
    }
}

/// KMIP 1.4, tables 328 and 330: "Templates that do not exist are given in request".
#[tokio::test]
async fn a_template_that_is_not_there() {
    let harness = Harness::new();
    let refused = harness.ask(V1_2, create(&["none"], basic())).await;
    assert_eq!(refused, Err(ResultReason::ItemNotFound));
    // A key of that name is no template, and another client's template is nobody's.
    harness.create(V1_2, vec![name("key")]).await;
    assert_eq!(harness.ask(V1_2, create(&["key"], basic())).await, Err(ResultReason::ItemNotFound));
    template(&harness.beside("bob"), "bobs", basic()).await;
    assert_eq!(
        harness.ask(V1_2, create(&["bobs"], basic())).await,
        Err(ResultReason::ItemNotFound)
    );
}

/// KMIP 1.4, 2.2.6 and 3.18.2.3, table 94: what can be done with a template; and that 4.19 and 4.20
/// do nothing with one.
#[tokio::test]
async fn a_template_is_an_object_as_others_are() {
    let harness = Harness::new();
    let object = template(&harness, "t", vec![length(128), custom("first")]).await;
    let found = harness.ask(V1_2, locate(vec![name("t")])).await.unwrap();
    assert_eq!(found.unique_identifiers, std::slice::from_ref(&object));
    let content = |answer: kmip::payload::GetResponse| match answer.object {
        Object::Template(template) => {
            template.attributes.0.into_iter().map(|a| a.value).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let given = content(harness.ask(V1_2, get(&object)).await.unwrap());
    assert_eq!(given, [name("t"), length(128), custom("first")]);
    assert!(values(&harness, &object, "State").await.is_empty());

    let gone = DeleteAttributeRequest {
        unique_identifier: id(&object),
        current_attribute: None,
        attribute: Some(AttributeReference::from_name("x-Note")),
        attribute_index: None,
    };
    harness.ask(V1_2, gone).await.unwrap();
    let activation = AttributeValue::ActivationDate(DateTime(1));
    let add = AddAttributeRequest {
        unique_identifier: id(&object),
        attribute: activation.clone().into(),
    };
    harness.ask(V1_2, add).await.unwrap();
    let given = content(harness.ask(V1_2, get(&object)).await.unwrap());
    assert_eq!(given, [name("t"), length(128), activation]);

    let activated = harness.ask(V1_2, ActivateRequest { unique_identifier: id(&object) }).await;
    assert_eq!(activated.map(|_| ()), Err(ResultReason::IllegalOperation));
    let revoked = harness.ask(V1_2, revoke(&object, RevocationReasonCode::Superseded)).await;
    assert_eq!(revoked.map(|_| ()), Err(ResultReason::IllegalOperation));
    // Its Activation Date has come, and it is no key: it can be destroyed all the same.
    harness.ask(V1_2, DestroyRequest { unique_identifier: id(&object) }).await.unwrap();
    let destroyed = harness.ask(V1_2, create(&["t"], basic())).await;
    assert_eq!(destroyed, Err(ResultReason::ItemNotFound));
}

/// KMIP 2.0, 2: of the objects of 1.4, Template alone is gone.
#[tokio::test]
async fn templates_are_not_shown_to_2_x() {
    let harness = Harness::new();
    let object = template(&harness, "t", vec![group("g")]).await;
    let key = harness.create(V1_2, vec![group("g")]).await;
    for version in [Version::V2_0, Version::V2_1] {
        let got = harness.ask(version, get(&object)).await;
        assert_eq!(got.map(|_| ()), Err(ResultReason::ObjectNotFound));
        for filter in [vec![], vec![group("g")]] {
            let found = harness.ask(version, locate(filter)).await.unwrap();
            assert_eq!(found.unique_identifiers, std::slice::from_ref(&key));
        }
        let found = harness.ask(version, locate(vec![name("t")])).await.unwrap();
        assert!(found.unique_identifiers.is_empty());
    }
    let found = harness.ask(V1_2, locate(vec![group("g")])).await.unwrap();
    assert_eq!(found.unique_identifiers, [key, object]);
}
