//! Malformed messages and payloads, each with the text of its error.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

use kmip::Version;
use kmip::message::{RequestMessage, ResponseMessage, request_version};
use kmip::payload::RequestPayload;
use kmip::tags;
use ttlv::Writer;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    assert!(digits.len().is_multiple_of(2), "half a byte in {hex}");
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}

/// A header of 1.4 that counts one item.
const HEADER: &str = "
    420077 01 00000038
      420069 01 00000020
        42006A 02 00000004 00000001 00000000
        42006B 02 00000004 00000004 00000000
      42000D 02 00000004 00000001 00000000";

/// Whole requests; `HEADER` stands for 64 bytes of one.
const MESSAGES: &[(&str, &str)] = &[
    ("", "item 420078 at byte 0: it is missing, its structure has ended"),
    ("420078 01 00000008", "item 420078 at byte 0: the bytes end before the item does"),
    (
        "420078 01 FFFFFFF8 4200770100000000",
        "item 420078 at byte 0: the bytes end before the item does",
    ),
    ("420078 01 00000004 42007701", "item 420078 at byte 0: 4 bytes are no length of Structure"),
    (
        "420078 08 00000008 4200770100000000",
        "item 420078 at byte 0: it is of type ByteString and must be Structure",
    ),
    ("42007B 01 00000000", "item 420078 at byte 0: it is missing, 42007B stands in its place"),
    ("420078 01 00000000", "item 420077 at byte 8: it is missing, its structure has ended"),
    (
        "420078 01 00000008 | 420077 01 00000000",
        "item 420069 at byte 16: it is missing, its structure has ended",
    ),
    (
        "420078 01 00000018 | 420077 01 00000010 | 42000D 02 00000004 00000001 00000000",
        "item 420069 at byte 16: it is missing, 42000D stands in its place",
    ),
    (
        "420078 01 00000040 HEADER",
        "item 42000D at byte 72: Batch Count is not the number of batch items",
    ),
    (
        "420078 01 00000048 HEADER | 42000F 01 00000000",
        "item 42005C at byte 80: it is missing, its structure has ended",
    ),
    (
        "420078 01 00000058 HEADER | 42000F 01 00000010 | 42005C 02 00000004 0000000A 00000000",
        "item 42005C at byte 80: it is of type Integer and must be Enumeration",
    ),
    (
        "420078 01 00000058 HEADER | 42000F 01 00000010 | 42005C 05 00000008 0000000A 00000000",
        "item 42005C at byte 80: 8 bytes are no length of Enumeration",
    ),
    (
        "420078 01 00000058 HEADER | 42000F 01 00000010 | 42005C 05 00000004 0000000A 00000001",
        "item 42005C at byte 80: a padding byte is not zero",
    ),
    (
        "420078 01 00000050 HEADER | 420094 07 00000001 31000000 00000000",
        "item 42000D at byte 72: Batch Count is not the number of batch items",
    ),
    (
        "420078 01 00000060 HEADER
         | 42000F 01 00000018 | 42005C 05 00000004 0000000A 00000000 | 420079 01 00000000
         | 420078 01 00000000",
        "item 420078 at byte 104: it holds 420078, which does not belong there",
    ),
];

#[test]
fn messages() {
    for (hex, why) in MESSAGES {
        let error = RequestMessage::decode(&bytes(&hex.replace("HEADER", HEADER))).unwrap_err();
        assert_eq!(error.to_string(), *why, "{hex}");
    }
}

/// Operation and payload; the payload's first item is at byte 104.
const PAYLOADS: &[(u32, &str, &str)] = &[
    // Create
    (1, "", "item 420057 at byte 104: it is missing, its structure has ended"),
    (
        1,
        "420057 05 00000004 00000002 00000000",
        "item 420091 at byte 120: it is missing, its structure has ended",
    ),
    (
        1,
        "420057 02 00000004 00000002 00000000 | 420091 01 00000000",
        "item 420057 at byte 104: it is of type Integer and must be Enumeration",
    ),
    (
        1,
        "420057 05 00000004 00000002 00000000 | 420091 01 00000008 | 420008 01 00000000",
        "item 42000A at byte 136: it is missing, its structure has ended",
    ),
    (
        1,
        "420057 05 00000004 00000002 00000000 | 420091 01 00000000 | 420094 01 00000000",
        "item 420079 at byte 128: it holds 420094, which does not belong there",
    ),
    // Register
    (
        3,
        "420057 05 00000004 00000002 00000000 | 420091 01 00000000",
        "item ?????? at byte 128: an object must stand here",
    ),
    (
        3,
        "420057 05 00000004 00000002 00000000 | 420091 01 00000000 | 420040 01 00000000",
        "item 420040 at byte 128: an object must stand here",
    ),
    // Get
    (
        10,
        "420094 08 00000001 31000000 00000000",
        "item 420094 at byte 104: it is of type ByteString and must be TextString",
    ),
    (10, "420094 07 00000001 FF000000 00000000", "item 420094 at byte 104: a Text String is UTF-8"),
    (
        10,
        "420094 07 00000003 31003200 00000000",
        "item 420094 at byte 104: an identifier has no zero byte inside",
    ),
    // Revoke
    (19, "", "item 420081 at byte 104: it is missing, its structure has ended"),
];

fn with_payload(operation: u32, hex: &str) -> Vec<u8> {
    let mut w = Writer::default();
    w.structure(tags::RequestMessage, |w| {
        w.raw(&bytes(HEADER));
        w.structure(tags::BatchItem, |w| {
            w.enumeration(tags::Operation, operation);
            w.structure(tags::RequestPayload, |w| w.raw(&bytes(hex)));
        });
    });
    w.into_bytes()
}

#[test]
fn a_payload_spoils_its_own_item_alone() {
    for (operation, hex, why) in PAYLOADS {
        let message = RequestMessage::decode(&with_payload(*operation, hex)).unwrap();
        match &message.items[0].payload {
            RequestPayload::Malformed(malformed) => {
                assert_eq!(malformed.error.to_string(), *why, "{hex}");
                assert_eq!(malformed.operation.0, *operation);
            }
            other => panic!("{hex} was read as {other:?}"),
        }
    }
}

#[test]
fn an_identifier_may_trail_zeros() {
    let message = with_payload(18, "420094 07 00000008 31320000 00000000");
    let read = RequestMessage::decode(&message).unwrap();
    let RequestPayload::Activate(payload) = &read.items[0].payload else { panic!("{read:?}") };
    assert_eq!(payload.unique_identifier, Some("12".into()));
}

#[test]
fn the_version_of_a_spoilt_request_is_known_from_its_header() {
    let whole = bytes(&format!("420078 01 00000048 {HEADER} | 42000F 01 00000000"));
    assert!(RequestMessage::decode(&whole).is_err());
    assert_eq!(request_version(&whole), Some(Version::V1_4));
    assert_eq!(request_version(&whole[..40]), None);
    assert_eq!(request_version(b"GET / HTTP/1.1\r\n\r\n"), None);
}

/// What is cut off anywhere is refused, and no cut panics.
#[test]
fn every_cut_of_a_message_is_refused() {
    let whole = with_payload(10, "420094 07 00000008 31323334 35363738");
    assert!(RequestMessage::decode(&whole).is_ok());
    for end in 0..whole.len() {
        assert!(RequestMessage::decode(&whole[..end]).is_err(), "{end}");
        assert!(ResponseMessage::decode(&whole[..end]).is_err(), "{end}");
    }
}

/// Structures in structures, deeper than any message of the standard.
#[test]
fn depth_has_a_limit() {
    let mut deep = String::new();
    for level in (0..40).rev() {
        deep.push_str(&format!("540001 01 {:08X}", level * 8));
    }
    let message = with_payload(0x8000_0001, &deep);
    let error = match &RequestMessage::decode(&message).unwrap().items[0].payload {
        RequestPayload::Malformed(malformed) => malformed.error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(error.ends_with("structures are nested deeper than 32"), "{error}");
}
