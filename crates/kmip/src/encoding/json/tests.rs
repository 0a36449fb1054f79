//! What JSON must say, item by item, and what it must refuse.

use ttlv::{Raw, Tag, Type};

use super::super::{Fault, ITEMS_MAX, TEXT_LEN_MAX};
use super::{decode, encode};
use crate::vocabulary::tags;

/// JSON on one line, as the standard's text prints it.
fn flat(json: &str) -> String {
    json.lines().map(str::trim_start).collect()
}

/// A row: an item, and its line of JSON.
macro_rules! spells {
    ($(|$w:ident| $write:expr => $json:expr;)*) => {$({
        let ttlv = Raw::build(|$w| $write);
        let written = encode(ttlv.as_bytes()).unwrap();
        assert_eq!(flat(&written), $json);
        let read = decode(&written).unwrap();
        assert_eq!(read.as_slice(), ttlv.as_bytes(), "{}", $json);
    })*};
}

/// Named after the sections of Additional Message Encodings 1.0, 4.1.6.
#[test]
fn each_type_is_spelt_as_the_standard_spells_it() {
    spells! {
        |w| w.structure(tags::PrivateKeyTemplateAttribute, |_| ())
            => r#"{"tag": "PrivateKeyTemplateAttribute","value": []}"#;
        |w| w.structure(tags::ProtocolVersion, |w| w.integer(tags::ProtocolVersionMajor, 1)) =>
            concat!(
                r#"{"tag": "ProtocolVersion","value": [{"tag": "ProtocolVersionMajor","#,
                r#""type": "Integer","value": "0x00000001"}]}"#
            );
        |w| w.integer(tags::BatchCount, 10)
            => r#"{"tag": "BatchCount","type": "Integer","value": "0x0000000a"}"#;
        |w| w.integer(tags::BatchCount, -1)
            => r#"{"tag": "BatchCount","type": "Integer","value": "0xffffffff"}"#;
        |w| w.integer(tags::CryptographicUsageMask, 0x100C) =>
            concat!(
                r#"{"tag": "CryptographicUsageMask","type": "Integer","#,
                r#""value": "Encrypt|Decrypt|CertificateSign"}"#
            );
        |w| w.integer(tags::CryptographicUsageMask, 0x4000_0001) =>
            r#"{"tag": "CryptographicUsageMask","type": "Integer","value": "Sign|0x40000000"}"#;
        |w| w.integer(tags::StorageStatusMask, 0) =>
            r#"{"tag": "StorageStatusMask","type": "Integer","value": "0x00000000"}"#;
        |w| w.long_integer(Tag(0x54_0001), -2) =>
            r#"{"tag": "0x540001","type": "LongInteger","value": "0xfffffffffffffffe"}"#;
        |w| w.long_integer(tags::UsageLimitsCount, 1 << 60) =>
            r#"{"tag": "UsageLimitsCount","type": "LongInteger","value": "0x1000000000000000"}"#;
        |w| w.big_integer(tags::X, &[0]) =>
            r#"{"tag": "X","type": "BigInteger","value": "0x0000000000000000"}"#;
        |w| w.enumeration(tags::ObjectType, 2) =>
            r#"{"tag": "ObjectType","type": "Enumeration","value": "SymmetricKey"}"#;
        |w| w.enumeration(tags::ObjectType, 0x8000_0001) =>
            r#"{"tag": "ObjectType","type": "Enumeration","value": "0x80000001"}"#;
        |w| w.boolean(tags::BatchOrderOption, true) =>
            r#"{"tag": "BatchOrderOption","type": "Boolean","value": true}"#;
        |w| w.text_string(tags::AttributeName, "a \"b\" \\ c\n\t\u{1}\u{e9}") =>
            "{\"tag\": \"AttributeName\",\"type\": \"TextString\",\
             \"value\": \"a \\\"b\\\" \\\\ c\\n\\t\\u0001\u{e9}\"}";
        |w| w.byte_string(tags::MACSignature, &[0xC5, 0x0F, 0x77]) =>
            r#"{"tag": "MACSignature","type": "ByteString","value": "c50f77"}"#;
        |w| w.date_time(tags::ArchiveDate, 978_307_200) =>
            r#"{"tag": "ArchiveDate","type": "DateTime","value": "2001-01-01T00:00:00+00:00"}"#;
        |w| w.interval(tags::Offset, 27) =>
            r#"{"tag": "Offset","type": "Interval","value": "0x0000001b"}"#;
        |w| w.date_time_extended(Tag(0x54_FFFF), 1) => "{\"tag\": \"0x54FFFF\",\
            \"type\": \"DateTimeExtended\",\"value\": \"1970-01-01T00:00:00.000001+00:00\"}";
    }
}

/// The other forms of the same sections, and members in another order.
#[test]
fn other_spellings_are_read() {
    let date = Raw::build(|w| w.date_time(tags::ActivationDate, 978_307_200));
    let mask = Raw::build(|w| w.integer(tags::CryptographicUsageMask, 0x100C));
    let ten = Raw::build(|w| w.integer(tags::BatchCount, 10));
    let key = Raw::build(|w| w.enumeration(tags::ObjectType, 2));
    let long = Raw::build(|w| w.long_integer(Tag(0x54_0001), -2));
    let zero = Raw::build(|w| w.big_integer(tags::X, &[0]));
    let minus = Raw::build(|w| w.big_integer(tags::X, &[0xFF]));
    let yes = Raw::build(|w| w.boolean(tags::BatchOrderOption, true));
    let offset = Raw::build(|w| w.interval(tags::Offset, 27));
    let empty = Raw::build(|w| w.structure(tags::KeyBlock, |_| ()));
    let text = Raw::build(|w| w.text_string(tags::Username, "a/\u{e9}\u{1F511}"));
    let own = Raw::build(|w| w.integer(Tag(0x54_FFFF), 1));
    for (json, ttlv) in [
        (r#"{"tag": "0x420001", "type":"DateTime", "value":"2001-01-01T10:00:00+10:00"}"#, &date),
        (r#"{"tag":"ActivationDate","type":"DateTime","value":"0x000000003a4fc880"}"#, &date),
        (
            r#"{"value": "2001-01-01T00:00:00.9Z", "type":"DateTime", "tag": "ActivationDate"}"#,
            &date,
        ),
        (r#"{"tag":"CryptographicUsageMask","type":"Integer","value":"0x0000100c"}"#, &mask),
        (r#"{"tag":"CryptographicUsageMask","type":"Integer","value":4108}"#, &mask),
        (
            concat!(
                r#"{"tag":"CryptographicUsageMask","type":"Integer","#,
                r#""value":"CertificateSign|0x00000004|0x0000008"}"#
            ),
            &mask,
        ),
        (
            concat!(
                r#"{"tag":"CryptographicUsageMask","type":"Integer","#,
                r#""value":"CertificateSign|0x0000000c"}"#
            ),
            &mask,
        ),
        (r#"{"tag":"BatchCount","type":"Integer","value":10}"#, &ten),
        (r#"{"tag":"BatchCount","type":"Integer","value":"0x0000000A"}"#, &ten),
        (r#"{"tag":"0x420057","type":"Enumeration","value":2}"#, &key),
        (r#"{"tag":"ObjectType","type":"Enumeration","value":"0x00000002"}"#, &key),
        (r#"{"tag":"0x540001","type":"LongInteger","value":-2}"#, &long),
        (r#"{"tag":"X","type":"BigInteger","value":0}"#, &zero),
        (r#"{"tag":"X","type":"BigInteger","value":-1}"#, &minus),
        (r#"{"tag":"BatchOrderOption","type":"Boolean","value":"0x0000000000000001"}"#, &yes),
        (r#"{"tag":"Offset","type":"Interval","value":27}"#, &offset),
        (r#"{"tag":"KeyBlock","type":"Structure","value":null}"#, &empty),
        (" {\r\n\t\"tag\" : \"KeyBlock\" ,\n \"value\" : [ ] }\n", &empty),
        (r#"{"tag":"Username","type":"TextString","value":"a\/\u00e9\ud83d\uDD11"}"#, &text),
        (r#"{"tag":"0x54FFFF","name":"SomeExtension","type":"Integer","value":1}"#, &own),
    ] {
        assert_eq!(decode(json).expect(json).as_slice(), ttlv.as_bytes(), "{json}");
    }
}

#[test]
fn the_order_of_items_is_kept() {
    let ttlv = Raw::build(|w| {
        w.structure(tags::RequestPayload, |w| {
            w.enumeration(tags::QueryFunction, 2);
            w.text_string(tags::UniqueIdentifier, "a");
            w.enumeration(tags::QueryFunction, 1);
        });
    });
    let json = encode(ttlv.as_bytes()).unwrap();
    assert_eq!(decode(&json).unwrap().as_slice(), ttlv.as_bytes());
}

/// Each row must be refused, and for this reason.
fn refused(rows: &[(String, Fault)]) {
    for (json, fault) in rows {
        let shown: String = json.chars().take(200).collect();
        let error = decode(json).expect_err(&shown);
        assert_eq!(error.fault, *fault, "{shown}");
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let malformed = Fault::Syntax("this is no well-formed JSON");
    let twice = Fault::Syntax("an item has a member twice");
    let strange = Fault::Syntax("an item has a member that is none of tag, name, type, value");
    let object = Fault::Syntax("a value is no object; a structure has an array of items");
    let rows = [
        ("", Fault::OneMessage),
        (" \n", Fault::OneMessage),
        ("[]", malformed.clone()),
        ("{}", Fault::Syntax("an item has no tag")),
        (r#"{"tag":"KeyBlock","value":[]}{"#, Fault::OneMessage),
        (r#"{"tag":"KeyBlock","value":[],}"#, malformed.clone()),
        (r#"{"tag":"KeyBlock","value":[{"tag":"D","value":[]},]}"#, malformed.clone()),
        (r#"{"tag":"KeyBlock","value":[}"#, malformed.clone()),
        (r#"{"tag":"KeyBlock","value":["#, malformed.clone()),
        (r#"{'tag':'KeyBlock'}"#, malformed.clone()),
        ("{\"tag\":\"Key\nBlock\"}", malformed.clone()),
        (r#"{"tag":"\ud800"}"#, malformed.clone()),
        (r#"{"tag":"\ud800\u0041"}"#, malformed.clone()),
        (r#"{"tag":"\u+123"}"#, malformed.clone()),
        (r#"{"tag":"\x"}"#, malformed.clone()),
        (r#"{"tag":1}"#, malformed.clone()),
        ("\u{feff}{}", malformed.clone()),
        (r#"{"tag":"KeyBlock","tag":"KeyValue","value":[]}"#, twice.clone()),
        (r#"{"tag":"KeyBlock","value":[],"value":[]}"#, twice),
        (r#"{"tag":"KeyBlock","values":[]}"#, strange),
        (r#"{"tag":"KeyBlock","value":{}}"#, object),
        (r#"{"tag":"KeyBlock"}"#, Fault::Missing(Type::Structure)),
        (r#"{"tag":"KeyBlok","value":[]}"#, Fault::Tag),
        (r#"{"tag":"KeyBlock","value":"a"}"#, Fault::Both),
    ];
    refused(&rows.map(|(json, fault)| (json.to_owned(), fault)));
}

#[test]
fn what_is_no_such_value_is_refused() {
    let of = |tag: &str, ty: &str, value: &str| {
        format!(r#"{{"tag":"{tag}","type":"{ty}","value":{value}}}"#)
    };
    let malformed = Fault::Syntax("this is no well-formed JSON");
    let fraction = Fault::Syntax("a number is not a whole one");
    refused(&[
        (of("D", "Big", "1"), Fault::Type),
        (of("D", "Integer", "null"), Fault::Missing(Type::Integer)),
        (of("D", "Integer", "[]"), Fault::Both),
        (of("BatchCount", "Integer", "1.0"), fraction.clone()),
        (of("BatchCount", "Integer", "1e3"), fraction.clone()),
        (of("BatchCount", "Integer", "01"), fraction.clone()),
        (of("BatchCount", "Integer", "-"), fraction),
        (of("BatchCount", "Integer", "nil"), malformed),
        (of("BatchCount", "Integer", "2147483648"), Fault::Value(Type::Integer)),
        (of("BatchCount", "Integer", "\"10\""), Fault::Value(Type::Integer)),
        (of("BatchCount", "Integer", "true"), Fault::Value(Type::Integer)),
        (of("BatchCount", "Integer", "\"0x100000000\""), Fault::Value(Type::Integer)),
        (
            of("CryptographicUsageMask", "Integer", "\"Encrypt Decrypt\""),
            Fault::Value(Type::Integer),
        ),
        (of("CryptographicUsageMask", "Integer", "\"Sing\""), Fault::Name(Type::Integer)),
        (
            of("UsageLimitsCount", "LongInteger", "4503599627370496"),
            Fault::Value(Type::LongInteger),
        ),
        (of("UsageLimitsCount", "LongInteger", "\"1\""), Fault::Value(Type::LongInteger)),
        (of("X", "BigInteger", "\"0000000000000000\""), Fault::Value(Type::BigInteger)),
        (of("X", "BigInteger", "\"0x00\""), Fault::Value(Type::BigInteger)),
        (of("ObjectType", "Enumeration", "\"2\""), Fault::Value(Type::Enumeration)),
        (of("ObjectType", "Enumeration", "-1"), Fault::Name(Type::Enumeration)),
        (of("Fresh", "Boolean", "\"true\""), Fault::Value(Type::Boolean)),
        (of("Fresh", "Boolean", "1"), Fault::Value(Type::Boolean)),
        (of("Fresh", "Boolean", "\"0x0000000000000002\""), Fault::Value(Type::Boolean)),
        (of("Username", "TextString", "1"), Fault::Value(Type::TextString)),
        (of("Data", "ByteString", "\"0x12\""), Fault::Value(Type::ByteString)),
        (of("Data", "ByteString", "\"123\""), Fault::Value(Type::ByteString)),
        (of("ArchiveDate", "DateTime", "978307200"), Fault::Value(Type::DateTime)),
        (of("LeaseTime", "Interval", "-1"), Fault::Value(Type::Interval)),
    ]);
}

#[test]
fn what_is_too_long_or_too_deep_is_refused() {
    let nested = |depth: usize| {
        let (open, close) = (r#"{"tag":"KeyBlock","value":["#, "]}");
        format!("{}{}", open.repeat(depth), close.repeat(depth))
    };
    assert!(decode(&nested(32)).is_ok());
    let long = " ".repeat(TEXT_LEN_MAX) + r#"{"tag":"KeyBlock","value":[]}"#;
    let item = r#"{"tag":"D","value":[]},"#;
    let many = format!(r#"{{"tag":"KeyBlock","value":[{}{}]}}"#, item.repeat(ITEMS_MAX), "{}");
    refused(&[
        (nested(33), Fault::Depth(32)),
        (nested(20_000), Fault::Depth(32)),
        (long, Fault::TooLong(TEXT_LEN_MAX)),
        (many, Fault::TooMany(ITEMS_MAX)),
    ]);
}

/// No value is in what a log may show of an error.
#[test]
fn no_error_repeats_a_value() {
    let json = r#"{"tag":"KeyMaterial","type":"ByteString","value":"5EC12E7z"}"#;
    assert_eq!(decode(json).unwrap_err().to_string(), "element KeyMaterial: this is no ByteString");
}
