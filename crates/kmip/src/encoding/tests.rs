//! What the text encodings must say, item by item, and what they must refuse.

use ttlv::{Raw, Tag, Type, Writer};

use super::xml::MALFORMED;
use super::{Element, Error, Fault, xml};
use crate::vocabulary::tags;

/// A row: an item, and its line of XML.
macro_rules! spells {
    ($(|$w:ident| $write:expr => $xml:literal;)*) => {$({
        let ttlv = Raw::build(|$w| $write);
        let written = xml::encode(ttlv.as_bytes()).unwrap();
        assert_eq!(written.trim_end(), $xml);
        let read = xml::decode($xml).unwrap();
        assert_eq!(read.as_slice(), ttlv.as_bytes(), "{}", $xml);
    })*};
}

/// Named after the sections of Additional Message Encodings 1.0, 6.1.6.
#[test]
fn each_type_is_spelt_as_the_standard_spells_it() {
    let max = u64::MAX.cast_signed();
    spells! {
        |w| w.structure(tags::PrivateKeyTemplateAttribute, |_| ())
            => "<PrivateKeyTemplateAttribute/>";
        |w| w.integer(tags::BatchCount, 10) => r#"<BatchCount type="Integer" value="10"/>"#;
        |w| w.integer(tags::BatchCount, -1) => r#"<BatchCount type="Integer" value="-1"/>"#;
        |w| w.integer(tags::CryptographicUsageMask, 0x100C) =>
            r#"<CryptographicUsageMask type="Integer" value="Encrypt Decrypt CertificateSign"/>"#;
        |w| w.integer(tags::CryptographicUsageMask, 0x4000_0001) =>
            r#"<CryptographicUsageMask type="Integer" value="Sign 0x40000000"/>"#;
        |w| w.integer(tags::StorageStatusMask, 0) =>
            r#"<StorageStatusMask type="Integer" value="0x00000000"/>"#;
        |w| w.long_integer(Tag(0x54_0001), max) =>
            r#"<TTLV tag="0x540001" type="LongInteger" value="-1"/>"#;
        |w| w.long_integer(tags::UsageLimitsCount, 1 << 60) =>
            r#"<UsageLimitsCount type="LongInteger" value="1152921504606846976"/>"#;
        |w| w.big_integer(tags::X, &[0]) =>
            r#"<X type="BigInteger" value="0000000000000000"/>"#;
        |w| w.enumeration(tags::ObjectType, 2) =>
            r#"<ObjectType type="Enumeration" value="SymmetricKey"/>"#;
        |w| w.enumeration(tags::ObjectType, 0x8000_0001) =>
            r#"<ObjectType type="Enumeration" value="0x80000001"/>"#;
        |w| w.enumeration(tags::AttributeReference, tags::ObjectGroup.0) =>
            r#"<AttributeReference type="Enumeration" value="ObjectGroup"/>"#;
        |w| w.enumeration(tags::PKCS_11Function, 3) =>
            r#"<PKCS_11Function type="Enumeration" value="C_GetInfo"/>"#;
        |w| w.boolean(tags::BatchOrderOption, true) =>
            r#"<BatchOrderOption type="Boolean" value="true"/>"#;
        |w| w.text_string(tags::AttributeName, "a <b> & \"c\"\n\t\u{e9}") =>
            "<AttributeName type=\"TextString\" \
             value=\"a &lt;b&gt; &amp; &quot;c&quot;&#10;&#9;\u{e9}\"/>";
        |w| w.text_string(tags::AttributeName, "") =>
            r#"<AttributeName type="TextString" value=""/>"#;
        |w| w.byte_string(tags::MACSignature, &[0xC5, 0x0F, 0x77]) =>
            r#"<MACSignature type="ByteString" value="c50f77"/>"#;
        |w| w.date_time(tags::ArchiveDate, 978_307_200) =>
            r#"<ArchiveDate type="DateTime" value="2001-01-01T00:00:00+00:00"/>"#;
        |w| w.date_time(tags::ArchiveDate, i64::MIN) =>
            r#"<ArchiveDate type="DateTime" value="-292277022657-01-27T08:29:52+00:00"/>"#;
        |w| w.interval(tags::Offset, u32::MAX) =>
            r#"<Offset type="Interval" value="4294967295"/>"#;
        |w| w.date_time_extended(Tag(0x54_FFFF), 1) => "<TTLV tag=\"0x54FFFF\" \
            type=\"DateTimeExtended\" value=\"1970-01-01T00:00:00.000001+00:00\"/>";
    }
}

#[test]
fn other_spellings_are_read() {
    let date = Raw::build(|w| w.date_time(tags::ActivationDate, 978_307_200));
    let mask = Raw::build(|w| w.integer(tags::CryptographicUsageMask, 0x100C));
    for (xml, ttlv) in [
        (
            r#"<TTLV tag="0x420001" name="ActivationDate" type="DateTime"
             value="2001-01-01T10:00:00+10:00"/>"#,
            &date,
        ),
        (r#"<TTLV tag="ActivationDate" type="DateTime" value="0x000000003a4fc880"/>"#, &date),
        (r#"<x420001 type="DateTime" value="2001-01-01T00:00:00"/>"#, &date),
        (
            r#"<?xml version="1.0"?><!-- a --><ActivationDate xmlns="urn:oasis:tc:kmip:xmlns"
             type="DateTime" value="2001-01-01T00:00:00.9Z"></ActivationDate>"#,
            &date,
        ),
        (
            r#"<k:ActivationDate xmlns:k="urn:oasis:tc:kmip:xmlns" type="DateTime"
             value="2001-01-01T00:00:00Z"/>"#,
            &date,
        ),
        (r#"<CryptographicUsageMask type="Integer" value="0x0000100c"/>"#, &mask),
        (
            r#"<CryptographicUsageMask type="Integer"
             value="CertificateSign 0x00000004 0x0000008"/>"#,
            &mask,
        ),
        (r#"<CryptographicUsageMask type="Integer" value="4108"/>"#, &mask),
    ] {
        assert_eq!(xml::decode(xml).unwrap().as_slice(), ttlv.as_bytes(), "{xml}");
    }
}

/// In 1.x a value is named as the attribute is whose name stands before it.
#[test]
fn the_value_of_an_attribute_is_named_after_its_name() {
    let attribute = |name: &str, body: &dyn Fn(&mut Writer)| {
        Raw::build(|w| {
            w.structure(tags::Attribute, |w| {
                w.text_string(tags::AttributeName, name);
                body(w);
            });
        })
    };
    let rows = [
        (attribute("State", &|w| w.enumeration(tags::AttributeValue, 2)), "Enumeration", "Active"),
        (
            attribute("Cryptographic Usage Mask", &|w| w.integer(tags::AttributeValue, 3)),
            "Integer",
            "Sign Verify",
        ),
        (
            attribute("x-State", &|w| w.enumeration(tags::AttributeValue, 2)),
            "Enumeration",
            "0x00000002",
        ),
    ];
    for (ttlv, ty, value) in rows {
        let xml = xml::encode(ttlv.as_bytes()).unwrap();
        let line = format!(r#"<AttributeValue type="{ty}" value="{value}"/>"#);
        assert!(xml.contains(&line), "{}", *xml);
        assert_eq!(xml::decode(&xml).unwrap().as_slice(), ttlv.as_bytes());
    }
    let vendors = Raw::build(|w| {
        w.structure(tags::Attribute, |w| {
            w.text_string(tags::VendorIdentification, "ACME");
            w.text_string(tags::AttributeName, "State");
            w.enumeration(tags::AttributeValue, 2);
        });
    });
    let xml = xml::encode(vendors.as_bytes()).unwrap();
    assert!(xml.contains(r#"value="0x00000002""#), "{}", *xml);
}

#[test]
fn names_are_those_of_the_version() {
    for (minor, name) in [(4, "SHA_3_256"), (5, "SHA3_256")] {
        let ttlv = Raw::build(|w| {
            w.structure(tags::RequestMessage, |w| {
                w.integer(tags::ProtocolVersionMajor, 1);
                w.integer(tags::ProtocolVersionMinor, minor);
                w.enumeration(tags::HashingAlgorithm, 0xF);
            });
        });
        let xml = xml::encode(ttlv.as_bytes()).unwrap();
        assert!(xml.contains(&format!("value=\"{name}\"")), "{}", *xml);
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let nested =
        |depth: usize| format!("{}{}", "<KeyBlock>".repeat(depth), "</KeyBlock>".repeat(depth));
    assert!(xml::decode(&nested(32)).is_ok());
    let long = "<!--".to_owned() + &" ".repeat(super::TEXT_LEN_MAX) + "-->";
    let many = format!("<KeyBlock>{}</KeyBlock>", "<D/>".repeat(super::ITEMS_MAX));
    let integer = Fault::Value(Type::Integer);
    for (xml, fault) in [
        ("", Fault::OneMessage),
        ("<KeyBlock/><KeyBlock/>", Fault::OneMessage),
        ("<KeyBlock>", Fault::Syntax("it is not closed")),
        ("<KeyBlock></KeyValue>", Fault::Syntax("this is no well-formed XML")),
        (
            "<!DOCTYPE a [<!ENTITY b \"c\">]><KeyBlock/>",
            Fault::Syntax("a document type is not read"),
        ),
        ("<?php 1 ?><KeyBlock/>", Fault::Syntax("a processing instruction is not read")),
        (
            "<KeyBlock>text</KeyBlock>",
            Fault::Syntax("text stands between elements; a value is an attribute"),
        ),
        (r#"<KeyBlock xmlns="urn:other"/>"#, Fault::Syntax("its namespace is not KMIP's")),
        (
            r#"<D type="BigInteger" valeu="0000000000000000"/>"#,
            Fault::Syntax("it has an unknown attribute"),
        ),
        (
            r#"<Username type="TextString" value="&b;"/>"#,
            Fault::Syntax("this is no well-formed XML"),
        ),
        ("<KeyBlok/>", Fault::Tag),
        (r#"<TTLV type="Integer" value="1"/>"#, Fault::Tag),
        (r#"<TTLV tag="0x430001" type="Integer" value="1"/>"#, Fault::Tag),
        (r#"<D type="Big" value="1"/>"#, Fault::Type),
        (r#"<D type="Integer"/>"#, Fault::Missing(Type::Integer)),
        (r#"<D value="1"/>"#, Fault::Both),
        (r#"<D type="Integer" value="1"><Q type="Integer" value="1"/></D>"#, Fault::Both),
        (r#"<BatchCount type="Integer" value=""/>"#, integer.clone()),
        (r#"<BatchCount type="Integer" value="1 2"/>"#, integer.clone()),
        (r#"<BatchCount type="Integer" value="2147483648"/>"#, integer.clone()),
        (r#"<BatchCount type="Integer" value="0x100000000"/>"#, integer.clone()),
        (r#"<BatchCount type="Integer" value="+1"/>"#, integer),
        (r#"<CryptographicUsageMask type="Integer" value="Sing"/>"#, Fault::Name(Type::Integer)),
        (r#"<ObjectType type="Enumeration" value="Key"/>"#, Fault::Name(Type::Enumeration)),
        (r#"<Data type="ByteString" value="123"/>"#, Fault::Value(Type::ByteString)),
        (r#"<Data type="ByteString" value="0x12"/>"#, Fault::Value(Type::ByteString)),
        (r#"<D type="BigInteger" value="01"/>"#, Fault::Value(Type::BigInteger)),
        (r#"<D type="BigInteger" value=""/>"#, Fault::Value(Type::BigInteger)),
        (r#"<Fresh type="Boolean" value="yes"/>"#, Fault::Value(Type::Boolean)),
        (r#"<LeaseTime type="Interval" value="-1"/>"#, Fault::Value(Type::Interval)),
        (r#"<ArchiveDate type="DateTime" value="now"/>"#, Fault::Value(Type::DateTime)),
        (&nested(33), Fault::Depth(32)),
        (&long, Fault::TooLong(super::TEXT_LEN_MAX)),
        (&many, Fault::TooMany(super::ITEMS_MAX)),
        (r#"<Username type="TextString" value="a<b"/>"#, Fault::Syntax(MALFORMED)),
        (r#"<BatchCount type="Integer"value="1"/>"#, Fault::Syntax(MALFORMED)),
        (r#"<BatchCount type='Integer'value="1"></BatchCount>"#, Fault::Syntax(MALFORMED)),
        (r#"<!-- a -- b --><BatchCount type="Integer" value="1"/>"#, Fault::Syntax(MALFORMED)),
        (
            r#"<BatchCount type="Integer" value="1"/><?xml version="1.0"?>"#,
            Fault::Syntax("the XML declaration stands at the beginning or nowhere"),
        ),
        (
            r#"<?xml version="1.0" encoding="ISO-8859-1"?><BatchCount type="Integer" value="1"/>"#,
            Fault::Syntax("it declares another encoding than UTF-8"),
        ),
    ] {
        let error = xml::decode(xml).expect_err(xml);
        assert_eq!(error.fault, fault, "{xml}");
    }
}

#[test]
fn a_character_that_xml_cannot_have_is_said_so() {
    let ttlv = Raw::build(|w| w.text_string(tags::Username, "a\0b"));
    let error = xml::encode(ttlv.as_bytes()).unwrap_err();
    assert_eq!(error, Error { element: "Username".to_owned(), fault: Fault::Character });
}

/// As it is, or as a number. What is read could not be written again.
#[test]
fn a_character_that_xml_cannot_have_is_not_read() {
    for character in ["\u{1}", "&#1;", "&#x1F;", "\u{FFFE}", "&#xFFFF;"] {
        let xml = format!(r#"<Username type="TextString" value="a{character}"/>"#);
        let error = xml::decode(&xml).unwrap_err();
        let expected = Error { element: "Username".to_owned(), fault: Fault::Character };
        assert_eq!(error, expected, "{character:?}");
    }
    for character in ["&#9;", "&#xA;", "&#13;", "\u{7F}", "&#x10FFFF;"] {
        let xml = format!(r#"<Username type="TextString" value="a{character}"/>"#);
        let bytes = xml::decode(&xml).unwrap();
        let written = xml::encode(&bytes).unwrap();
        assert_eq!(xml::decode(&written).unwrap(), bytes, "{character:?}");
    }
}

#[test]
fn bytes_that_are_no_item_are_refused() {
    let one = Raw::build(|w| w.integer(tags::D, 1));
    let two = [one.as_bytes(), one.as_bytes()].concat();
    assert_eq!(Element::from_ttlv(&two).unwrap_err().fault, Fault::OneMessage);
    assert_eq!(Element::from_ttlv(&[]).unwrap_err().fault, Fault::OneMessage);
    for cut in 1..16 {
        let error = Element::from_ttlv(&one.as_bytes()[..cut]).unwrap_err();
        assert!(matches!(error.fault, Fault::Ttlv(_) | Fault::OneMessage), "{error}");
    }
    let tag = Tag(0x3E_0092);
    let value = Raw::build(|w| w.integer(tag, 1));
    let structure = Raw::build(|w| w.structure(tag, |_| {}));
    let inside = Raw::build(|w| w.structure(tags::KeyBlock, |w| w.structure(tag, |_| {})));
    for item in [value, structure, inside] {
        let Fault::Ttlv(error) = Element::from_ttlv(item.as_bytes()).unwrap_err().fault else {
            panic!("{item:?}")
        };
        assert_eq!(error.kind, ttlv::ErrorKind::Tag);
    }
}

/// No value is in what a log may show of an element, or of an error.
#[test]
fn nothing_shows_a_value() {
    let element = Element::leaf("KeyMaterial", Type::ByteString, "5EC12E7z");
    assert_eq!(format!("{element:?}"), "KeyMaterial (ByteString, 8 characters)");
    let error = element.to_ttlv().unwrap_err().to_string();
    assert_eq!(error, "element KeyMaterial: this is no ByteString");
}
