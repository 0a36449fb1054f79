//! Round trips of every payload with every field set, in every version: what is read is what was
//! written, and no version is sent a tag that it does not have.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test stops at the first surprise"
)]

mod sample_messages;

use std::collections::BTreeSet;

use kmip::attributes::{
    ATTRIBUTES, Attribute, AttributeReference, AttributeValue, Attributes, OtherAttribute,
    VendorAttribute,
};
use kmip::message::{RequestBatchItem, RequestMessage, ResponseBatchItem, ResponseMessage};
use kmip::payload::{
    Condition, DeleteAttributeRequest, Filter, GetAttributesRequest, LocateRequest, OPERATIONS,
    RequestPayload, ResponsePayload,
};
use kmip::vocabulary::{Operation, ResultReason, ResultStatus, State, tags};
use kmip::{DateTime, Decode, Encode, Version};
use sample_messages::{attributes, requests, responses};
use ttlv::{Raw, Reader, Tag, Type, Writer};

/// The operations whose requests and whose answers come back whole, in the newest version of each
/// form: all but those with an item that only the other form has.
const WHOLE: &[(Version, &[Operation], &[Operation])] = &[
    (
        Version::V1_4,
        &[
            Operation::Activate,
            Operation::AddAttribute,
            Operation::Archive,
            Operation::Cancel,
            Operation::Check,
            Operation::Decrypt,
            Operation::Destroy,
            Operation::DiscoverVersions,
            Operation::Encrypt,
            Operation::Export,
            Operation::Get,
            Operation::GetAttributeList,
            Operation::GetAttributes,
            Operation::GetUsageAllocation,
            Operation::Hash,
            Operation::MAC,
            Operation::MACVerify,
            Operation::ObtainLease,
            Operation::Poll,
            Operation::RNGRetrieve,
            Operation::RNGSeed,
            Operation::Recover,
            Operation::Revoke,
            Operation::Sign,
            Operation::SignatureVerify,
            Operation::Validate,
        ],
        &[
            Operation::Activate,
            Operation::AddAttribute,
            Operation::Archive,
            Operation::Cancel,
            Operation::Check,
            Operation::Decrypt,
            Operation::DeleteAttribute,
            Operation::Destroy,
            Operation::DiscoverVersions,
            Operation::Encrypt,
            Operation::GetAttributeList,
            Operation::GetUsageAllocation,
            Operation::Hash,
            Operation::Import,
            Operation::Locate,
            Operation::MAC,
            Operation::MACVerify,
            Operation::ModifyAttribute,
            Operation::Notify,
            Operation::ObtainLease,
            Operation::Poll,
            Operation::Put,
            Operation::RNGRetrieve,
            Operation::RNGSeed,
            Operation::Recover,
            Operation::Revoke,
            Operation::Sign,
            Operation::SignatureVerify,
            Operation::Validate,
        ],
    ),
    (
        Version::V2_1,
        &[
            Operation::Activate,
            Operation::AdjustAttribute,
            Operation::Archive,
            Operation::Cancel,
            Operation::Check,
            Operation::Decrypt,
            Operation::DelegatedLogin,
            Operation::Destroy,
            Operation::DiscoverVersions,
            Operation::Encrypt,
            Operation::Export,
            Operation::Get,
            Operation::GetAttributeList,
            Operation::GetAttributes,
            Operation::GetConstraints,
            Operation::GetUsageAllocation,
            Operation::Hash,
            Operation::Interop,
            Operation::Locate,
            Operation::Log,
            Operation::Login,
            Operation::Logout,
            Operation::MAC,
            Operation::MACVerify,
            Operation::ObtainLease,
            Operation::PKCS_11,
            Operation::Ping,
            Operation::Poll,
            Operation::Process,
            Operation::Query,
            Operation::QueryAsynchronousRequests,
            Operation::RNGRetrieve,
            Operation::RNGSeed,
            Operation::ReProvision,
            Operation::Recover,
            Operation::Revoke,
            Operation::SetConstraints,
            Operation::SetDefaults,
            Operation::SetEndpointRole,
            Operation::Sign,
            Operation::SignatureVerify,
            Operation::Validate,
        ],
        &[
            Operation::Activate,
            Operation::AdjustAttribute,
            Operation::Archive,
            Operation::Cancel,
            Operation::Check,
            Operation::Decrypt,
            Operation::DelegatedLogin,
            Operation::Destroy,
            Operation::DiscoverVersions,
            Operation::Encrypt,
            Operation::GetAttributeList,
            Operation::GetConstraints,
            Operation::GetUsageAllocation,
            Operation::Hash,
            Operation::Import,
            Operation::Interop,
            Operation::Locate,
            Operation::Log,
            Operation::Login,
            Operation::Logout,
            Operation::MAC,
            Operation::MACVerify,
            Operation::Notify,
            Operation::ObtainLease,
            Operation::PKCS_11,
            Operation::Ping,
            Operation::Poll,
            Operation::Process,
            Operation::Put,
            Operation::Query,
            Operation::QueryAsynchronousRequests,
            Operation::RNGRetrieve,
            Operation::RNGSeed,
            Operation::ReProvision,
            Operation::Recover,
            Operation::Revoke,
            Operation::SetAttribute,
            Operation::SetConstraints,
            Operation::SetDefaults,
            Operation::SetEndpointRole,
            Operation::Sign,
            Operation::SignatureVerify,
            Operation::Validate,
        ],
    ),
];

/// The tags in a message, however deep.
fn tags_in(bytes: &[u8]) -> BTreeSet<Tag> {
    let mut all = BTreeSet::new();
    let mut r = Reader::new(bytes);
    while !r.is_empty() {
        let item = r.item().unwrap();
        all.insert(item.tag);
        if item.ty == Type::Structure {
            all.extend(tags_in(item.value));
        }
    }
    all
}

fn has_only_tags_of(version: Version, what: &str, bytes: &[u8]) {
    for tag in tags_in(bytes) {
        let row = tags::row(tag).unwrap_or_else(|| panic!("{what}: {tag} has no name"));
        assert!(row.exists_in(version), "{what} in {version} has {}", row.name);
    }
}

fn request(version: Version, payload: RequestPayload) -> RequestMessage {
    let item = RequestBatchItem {
        unique_batch_item_id: Some(vec![1]),
        ephemeral: Some(Raw::build(|w| w.enumeration(tags::Ephemeral, 1))),
        payload,
        message_extension: Some(Box::new(sample_messages::message_extension())),
    };
    RequestMessage { header: sample_messages::request_header(version), items: vec![item] }
}

fn response(version: Version, payload: ResponsePayload) -> ResponseMessage {
    let item = ResponseBatchItem {
        operation: Some(payload.operation()),
        unique_batch_item_id: Some(vec![1]),
        result_status: ResultStatus::Success,
        result_reason: Some(ResultReason::GeneralFailure),
        result_message: Some("words".to_owned()),
        asynchronous_correlation_value: Some(vec![2]),
        payload: Some(payload),
        message_extension: Some(Box::new(sample_messages::message_extension())),
    };
    ResponseMessage { header: sample_messages::response_header(version), items: vec![item] }
}

#[test]
fn requests_in_every_version() {
    let filled = requests();
    let operations: BTreeSet<_> = filled.iter().map(RequestPayload::operation).collect();
    assert_eq!(operations, OPERATIONS.iter().copied().collect());
    for version in Version::SERVED {
        for payload in filled.iter().filter(|p| p.operation().exists_in(*version)) {
            let what = format!("{:?} request", payload.operation());
            let bytes = request(*version, payload.clone()).encode();
            has_only_tags_of(*version, &what, &bytes);
            let read = RequestMessage::decode(&bytes).unwrap();
            let is_read = !matches!(read.items[0].payload, RequestPayload::Malformed(_));
            assert!(is_read, "{what} in {version}: {:?}", read.items[0].payload);
            assert_eq!(read.encode(), bytes, "{what} in {version}");
            assert_eq!(RequestMessage::decode(&read.encode()).unwrap(), read);
        }
    }
}

#[test]
fn responses_in_every_version() {
    let filled = responses();
    let operations: BTreeSet<_> = filled.iter().map(|payload| payload.operation()).collect();
    assert_eq!(operations, OPERATIONS.iter().copied().collect());
    for version in Version::SERVED {
        for payload in filled.iter().filter(|p| p.operation().exists_in(*version)) {
            let what = format!("{:?} response", payload.operation());
            let bytes = response(*version, payload.clone()).encode();
            has_only_tags_of(*version, &what, &bytes);
            let read = ResponseMessage::decode(&bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(read.encode(), bytes, "{what} in {version}");
            assert_eq!(ResponseMessage::decode(&read.encode()).unwrap(), read);
        }
    }
}

#[test]
fn nothing_is_lost_that_the_version_has() {
    for (version, asked, answered) in WHOLE {
        let mut whole = BTreeSet::new();
        let mut lossy = BTreeSet::new();
        let exists = |operation: Operation| operation.exists_in(*version);
        for payload in requests().into_iter().filter(|p| exists(p.operation())) {
            let read =
                RequestMessage::decode(&request(*version, payload.clone()).encode()).unwrap();
            let set = if read.items[0].payload == payload { &mut whole } else { &mut lossy };
            set.insert(payload.operation());
        }
        let whole: BTreeSet<_> = whole.difference(&lossy).copied().collect();
        assert_eq!(whole, asked.iter().copied().collect(), "requests of {version}");

        let mut whole = BTreeSet::new();
        let mut lossy = BTreeSet::new();
        for payload in responses().into_iter().filter(|p| exists(p.operation())) {
            let bytes = response(*version, payload.clone()).encode();
            let read = ResponseMessage::decode(&bytes).unwrap().items.remove(0).payload.unwrap();
            let set = if read == payload { &mut whole } else { &mut lossy };
            set.insert(payload.operation());
        }
        let whole: BTreeSet<_> = whole.difference(&lossy).copied().collect();
        assert_eq!(whole, answered.iter().copied().collect(), "answers of {version}");
    }
}

#[test]
fn every_attribute_in_every_version() {
    let all = attributes();
    assert_eq!(all.len(), ATTRIBUTES.len());
    for version in Version::SERVED {
        let exist: Vec<&AttributeValue> = all.iter().filter(|a| a.exists_in(*version)).collect();
        let tag =
            if *version >= Version::V2_0 { tags::Attributes } else { tags::TemplateAttribute };
        let mut w = Writer::default();
        Attributes::new(all.clone()).encode(tag, &mut w, *version);
        has_only_tags_of(*version, "attributes", w.as_bytes());
        let mut r = Reader::new(w.as_bytes());
        let read = Attributes::decode(tag, &mut r, *version).unwrap();
        assert_eq!(read.values().count(), exist.len(), "{version}");
        for (read, value) in read.values().zip(exist) {
            assert_eq!(read.tag(), value.tag());
            assert_eq!(AttributeReference::from_name(&value.name()), value.reference());
        }
    }
}

#[test]
fn two_values_are_of_one_attribute_if_they_are_referred_to_alike() {
    let raw = |n| Raw::build(|w| w.integer(tags::AttributeValue, n));
    let named = |name: &str| AttributeValue::Other(OtherAttribute::Named(name.to_owned(), raw(1)));
    let tagged = |tag| AttributeValue::Other(OtherAttribute::Tagged(tag, raw(1)));
    let vendor = |name, value| AttributeValue::Vendor(VendorAttribute::text(name, value));
    let mut all = attributes();
    all.extend([named("Colour"), named("Smell"), vendor("Rack", "a"), vendor("Rack", "b")]);
    all.extend([vendor("Shelf", "a"), tagged(Tag(0x54_0001)), tagged(Tag(0x54_0002))]);
    // Of a tag that is in the table, as an older program may have kept it.
    all.push(tagged(tags::State));
    let mut pairs = 0;
    for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
        let is_one = one.reference() == other.reference();
        assert_eq!(one.is_same_attribute(other), is_one, "{one:?} {other:?}");
        assert_eq!(one.is_instance_of(&other.reference()), is_one, "{one:?} {other:?}");
        pairs += usize::from(is_one);
    }
    // Each with itself, and two pairs that differ: the racks, and State in two forms.
    assert_eq!(pairs, all.len() + 4);
}

/// A filter that lost a condition on its way would find more.
#[test]
fn attribute_in_no_row_is_looked_for_by_its_tag_in_2_x() {
    let condition = Condition {
        attribute: AttributeReference::Standard(Tag(0x54_0001)),
        value: Raw::build(|w| w.integer(tags::AttributeValue, 7)),
    };
    for (version, is_kept) in [(Version::V1_4, false), (Version::V2_0, true)] {
        let attributes = Filter(vec![condition.clone()]);
        let payload = LocateRequest { attributes: attributes.clone(), ..LocateRequest::default() };
        let read = RequestMessage::decode(&request(version, payload.into()).encode()).unwrap();
        let expected = if is_kept { attributes } else { Filter::default() };
        let RequestPayload::Locate(read) = &read.items[0].payload else { panic!("{read:?}") };
        assert_eq!(read.attributes, expected, "{version}");
    }
}

fn attribute_bytes(attribute: &Attribute, version: Version) -> Vec<u8> {
    let mut w = Writer::default();
    let tag = if version >= Version::V2_0 { tags::NewAttribute } else { tags::Attribute };
    attribute.encode(tag, &mut w, version);
    w.into_bytes()
}

fn attribute_of(bytes: &[u8], version: Version) -> Attribute {
    let mut r = Reader::new(bytes);
    let attribute = Attribute::decode(r.peek().unwrap(), &mut r, version).unwrap();
    assert!(r.is_empty());
    attribute
}

#[test]
fn a_clients_own_attribute_has_a_vendor_in_2_x_and_a_prefix_in_1_x() {
    let rack = Attribute::from(AttributeValue::Vendor(VendorAttribute::text("Rack-7", "left")));
    let old = attribute_bytes(&rack, Version::V1_4);
    let mut w = Writer::default();
    w.structure(tags::Attribute, |w| {
        w.text_string(tags::AttributeName, "x-Rack-7");
        w.text_string(tags::AttributeValue, "left");
    });
    assert_eq!(old, w.as_bytes());

    let new = attribute_bytes(&rack, Version::V2_1);
    let mut w = Writer::default();
    w.structure(tags::NewAttribute, |w| {
        w.structure(tags::Attribute, |w| {
            w.text_string(tags::VendorIdentification, "x");
            w.text_string(tags::AttributeName, "Rack-7");
            w.text_string(tags::AttributeValue, "left");
        });
    });
    assert_eq!(new, w.as_bytes());
    assert_eq!(attribute_of(&old, Version::V1_4), rack);
    assert_eq!(attribute_of(&new, Version::V2_1), rack);
}

#[test]
fn a_vendors_attribute_is_not_sent_to_1_x() {
    let acme = VendorAttribute {
        vendor: "acme".to_owned(),
        name: "Shelf".to_owned(),
        value: Raw::build(|w| w.integer(tags::AttributeValue, 3)),
    };
    let acme = Attribute::from(AttributeValue::Vendor(acme));
    assert!(attribute_bytes(&acme, Version::V1_4).is_empty());
    assert_eq!(attribute_of(&attribute_bytes(&acme, Version::V2_0), Version::V2_0), acme);
}

#[test]
fn an_attribute_that_nobody_knows_survives() {
    let mut w = Writer::default();
    w.structure(tags::Attribute, |w| {
        w.text_string(tags::AttributeName, "Colour");
        w.integer(tags::AttributeIndex, 2);
        w.structure(tags::AttributeValue, |w| w.boolean(Tag(0x54_0001), true));
    });
    let named = attribute_of(w.as_bytes(), Version::V1_2);
    assert_eq!(named.index, Some(2));
    let is_named = matches!(&named.value,
        AttributeValue::Other(OtherAttribute::Named(name, _)) if name == "Colour");
    assert!(is_named, "{named:?}");
    assert_eq!(attribute_bytes(&named, Version::V1_2), w.as_bytes());
    assert_eq!(attribute_bytes(&named, Version::V2_0), nothing_in(tags::NewAttribute));

    let mut w = Writer::default();
    w.structure(tags::NewAttribute, |w| w.interval(Tag(0x54_0002), 7));
    let tagged = attribute_of(w.as_bytes(), Version::V2_1);
    assert_eq!(tagged.value.tag(), Some(Tag(0x54_0002)));
    assert_eq!(attribute_bytes(&tagged, Version::V2_1), w.as_bytes());
    assert!(attribute_bytes(&tagged, Version::V1_4).is_empty());
}

fn nothing_in(tag: Tag) -> Vec<u8> {
    let mut w = Writer::default();
    w.structure(tag, |_| {});
    w.into_bytes()
}

#[test]
fn an_index_is_of_1_x_alone() {
    let date = AttributeValue::ActivationDate(DateTime(5));
    for version in Version::SERVED {
        for index in [0, 1] {
            let indexed = Attribute { index: Some(index), value: date.clone() };
            let read = attribute_of(&attribute_bytes(&indexed, *version), *version);
            // 1.0 leaves the first one's out.
            let is_said = *version < Version::V2_0 && (*version > Version::V1_0 || index > 0);
            assert_eq!(read, Attribute { index: is_said.then_some(index), ..indexed });
        }
    }
}

#[test]
fn a_reference_is_a_name_in_1_x_and_a_tag_in_2_x() {
    let references = [
        AttributeReference::Standard(tags::State),
        AttributeReference::Vendor { vendor: "y".to_owned(), name: "Rack".to_owned() },
    ];
    for version in Version::SERVED {
        for reference in &references {
            let payload = GetAttributesRequest {
                unique_identifier: None,
                attributes: vec![reference.clone()],
            };
            let mut w = Writer::default();
            payload.encode(tags::RequestPayload, &mut w, *version);
            let is_named = tags_in(w.as_bytes()).contains(&tags::AttributeName);
            let is_standard = matches!(reference, AttributeReference::Standard(_));
            assert_eq!(is_named, *version < Version::V2_0 || !is_standard);
            let mut r = Reader::new(w.as_bytes());
            let read = GetAttributesRequest::decode(tags::RequestPayload, &mut r, *version);
            assert_eq!(read.unwrap(), payload);
        }
    }
    assert_eq!(AttributeReference::from_name("x-Rack").name(), "x-Rack");
    assert_eq!(AttributeReference::from_name("Unheard Of").name(), "Unheard Of");
}

#[test]
fn an_attribute_is_deleted_by_name_and_index_or_by_value() {
    let everything = DeleteAttributeRequest {
        unique_identifier: Some("1".into()),
        current_attribute: Some(AttributeValue::State(State::Active).into()),
        attribute: Some(AttributeReference::Standard(tags::Name)),
        attribute_index: Some(1),
    };
    for (version, tag, other) in [
        (Version::V1_0, tags::AttributeIndex, tags::CurrentAttribute),
        (Version::V2_0, tags::CurrentAttribute, tags::AttributeIndex),
    ] {
        let mut w = Writer::default();
        everything.encode(tags::RequestPayload, &mut w, version);
        let found = tags_in(w.as_bytes());
        assert!(found.contains(&tag) && !found.contains(&other), "{version}: {found:?}");
    }
}
