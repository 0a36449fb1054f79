//! Every change in every version: what is changed, what stays, and that the result can be read.

use kmip::Version;
use kmip::encoding::xml;
use kmip::message::ResponseMessage;
use kmip::vocabulary::{Operation, ResultStatus, State};

use super::{identifiers, key_bytes, leave_out, state, too_large};
use crate::message::{BatchItem, Envelope, Kind};
use crate::rules::{KeyChange, Random};

const GET: &str = r#"<ObjectType type="Enumeration" value="SymmetricKey"/>
<UniqueIdentifier type="TextString" value="key-0"/><SymmetricKey><KeyBlock>
<KeyFormatType type="Enumeration" value="Raw"/><KeyValue>
<KeyMaterial type="ByteString" value="00112233445566778899AABBCCDDEEFF"/></KeyValue>
<CryptographicAlgorithm type="Enumeration" value="AES"/>
<CryptographicLength type="Integer" value="128"/></KeyBlock></SymmetricKey>"#;

/// The response to one operation, in a version.
fn response(version: Version, operation: Operation, payload: &str) -> Envelope {
    let payload = format!("<ResponsePayload>{payload}</ResponsePayload>");
    let payload = crate::message::Item::parse(&xml::decode(&payload).unwrap()).unwrap();
    let item = BatchItem::success(operation, Some(b"1"), payload);
    Envelope::response(version, 7, vec![item])
}

/// Changes the only item; returns whether it changed, and the text of the message.
fn edit(mut envelope: Envelope, change: impl FnOnce(&mut BatchItem) -> bool) -> (bool, String) {
    let mut items = envelope.batch_items();
    let changed = change(&mut items[0]);
    envelope.set_batch_items(items);
    let bytes = envelope.encode();
    let read = ResponseMessage::decode(&bytes).unwrap();
    assert_eq!(read.items[0].result_status, ResultStatus::Success);
    (changed, xml::encode(&bytes).unwrap().to_string())
}

fn get(version: Version) -> Envelope {
    response(version, Operation::Get, GET)
}

#[test]
fn key_bytes_are_changed_in_each_way() {
    let ways = [
        (KeyChange::FlipBit, "00112233445566778899AABBCCDDEEFE"),
        (KeyChange::Zero, "00000000000000000000000000000000"),
        (KeyChange::Shorter, "00112233445566778899AABBCCDDEE"),
        (KeyChange::Longer, "00112233445566778899AABBCCDDEEFF00"),
    ];
    for version in Version::SERVED {
        for (how, expected) in ways {
            let mut random = Random::new(1);
            let (changed, text) = edit(get(*version), |item| key_bytes(item, how, &mut random));
            assert!(
                changed && text.contains(&format!("\"{}\"", expected.to_lowercase())),
                "{version} {text}"
            );
            assert!(text.contains("key-0"));
        }
        let random = || {
            let mut random = Random::new(1);
            edit(get(*version), |item| key_bytes(item, KeyChange::Random, &mut random))
        };
        assert!(random().0 && random() == random() && !random().1.contains("00112233"));
    }
}

#[test]
fn numbers_of_a_transparent_key_are_changed() {
    let payload = r#"<ObjectType type="Enumeration" value="PrivateKey"/>
<UniqueIdentifier type="TextString" value="key-0"/><PrivateKey><KeyBlock>
<KeyFormatType type="Enumeration" value="TransparentRSAPrivateKey"/><KeyValue><KeyMaterial>
<Modulus type="BigInteger" value="00000000000000AB"/>
<PrivateExponent type="BigInteger" value="00000000000000CD"/>
</KeyMaterial></KeyValue></KeyBlock></PrivateKey>"#;
    let envelope = response(Version::V1_4, Operation::Get, payload);
    let mut random = Random::new(1);
    let (changed, text) = edit(envelope, |item| key_bytes(item, KeyChange::FlipBit, &mut random));
    assert!(changed && text.contains("00000000000000aa") && text.contains("00000000000000cc"));
}

#[test]
fn identifier_is_another_one() {
    for version in Version::SERVED {
        let (changed, text) = edit(get(*version), |item| identifiers(item, None));
        assert!(changed && text.contains("\"key-1\""), "{text}");
        let (changed, text) = edit(get(*version), |item| identifiers(item, Some("x")));
        assert!(changed && text.contains("value=\"x\""), "{text}");
        let (changed, _) = edit(get(*version), |item| identifiers(item, Some("key-0")));
        assert!(!changed);
    }
}

#[test]
fn state_is_another_one_in_both_forms_of_attributes() {
    let old = r#"<UniqueIdentifier type="TextString" value="key-0"/><Attribute>
<AttributeName type="TextString" value="State"/>
<AttributeValue type="Enumeration" value="0x00000002"/></Attribute><Attribute>
<AttributeName type="TextString" value="Object Type"/>
<AttributeValue type="Enumeration" value="0x00000002"/></Attribute>"#;
    let new = r#"<UniqueIdentifier type="TextString" value="key-0"/><Attributes>
<State type="Enumeration" value="Active"/></Attributes>"#;
    for version in Version::SERVED {
        let payload = if *version < Version::V2_0 { old } else { new };
        let envelope = || response(*version, Operation::GetAttributes, payload);
        let (changed, text) = edit(envelope(), |item| state(item, State::Compromised));
        assert!(changed && text.contains("Compromised"), "{text}");
        assert!(*version >= Version::V2_0 || text.contains("SymmetricKey"), "{text}");
        assert!(!edit(envelope(), |item| state(item, State::Active)).0);
    }
}

#[test]
fn object_is_left_out_of_locate_and_of_its_count() {
    let payload = r#"<LocatedItems type="Integer" value="3"/>
<UniqueIdentifier type="TextString" value="a"/><UniqueIdentifier type="TextString" value="b"/>
<UniqueIdentifier type="TextString" value="c"/>"#;
    for version in Version::SERVED {
        let envelope = response(*version, Operation::Locate, payload);
        let (changed, text) = edit(envelope, |item| leave_out(item, |id| id == "b") == 1);
        assert!(changed && !text.contains("\"b\"") && text.contains("\"c\""));
        assert!(text.contains(r#"<LocatedItems type="Integer" value="2"/>"#), "{text}");
    }
}

#[test]
fn response_that_is_too_large_can_be_read() {
    for version in Version::SERVED {
        let len = get(*version).encode().len();
        let mut envelope = get(*version);
        let mut items = envelope.batch_items();
        assert!(too_large(&mut items[0], 10_000, len));
        envelope.set_batch_items(items);
        let bytes = envelope.encode();
        assert!((10_000..10_100).contains(&bytes.len()), "{}", bytes.len());
        ResponseMessage::decode(&bytes).unwrap();
        assert!(!too_large(&mut get(*version).batch_items()[0], len, len));
        assert!(Envelope::parse(&bytes, Kind::Response).is_ok());
    }
}
