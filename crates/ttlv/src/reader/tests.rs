//! The examples of the standard (1.4, 9.1.2), and what must be refused.

use super::{DEPTH_MAX, Reader};
use crate::{ErrorKind, Tag, Type, Writer};

const T: Tag = Tag(0x42_0020);

/// Hex with bars and blanks, as the standard prints it.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// One row an example: the bytes, how they are written, how they are read.
macro_rules! examples {
    ($($name:ident: $hex:literal, $w:ident($value:expr), $r:ident;)*) => {$(
        #[test]
        fn $name() {
            let bytes = hex($hex);
            let mut w = Writer::default();
            w.$w(T, $value);
            assert_eq!(w.as_bytes(), bytes);
            let mut r = Reader::new(&bytes);
            assert_eq!(r.$r(T).unwrap(), $value);
            assert!(r.is_empty());
            assert_eq!(r.offset(), bytes.len());
        }
    )*};
}

examples! {
    integer: "42 00 20 | 02 | 00 00 00 04 | 00 00 00 08 00 00 00 00", integer(8), integer;
    long_integer: "42 00 20 | 03 | 00 00 00 08 | 01 B6 9B 4B A5 74 92 00",
        long_integer(123_456_789_000_000_000), long_integer;
    big_integer: "42 00 20 | 04 | 00 00 00 10 | 00 00 00 00 03 FD 35 EB 6B C2 DF 46 18 08 00 00",
        big_integer(&hex("00 00 00 00 03 FD 35 EB 6B C2 DF 46 18 08 00 00")), big_integer;
    enumeration: "42 00 20 | 05 | 00 00 00 04 | 00 00 00 FF 00 00 00 00",
        enumeration(255), enumeration;
    boolean: "42 00 20 | 06 | 00 00 00 08 | 00 00 00 00 00 00 00 01", boolean(true), boolean;
    text_string: "42 00 20 | 07 | 00 00 00 0B | 48 65 6C 6C 6F 20 57 6F 72 6C 64 00 00 00 00 00",
        text_string("Hello World"), text_string;
    byte_string: "42 00 20 | 08 | 00 00 00 03 | 01 02 03 00 00 00 00 00",
        byte_string(&[1, 2, 3]), byte_string;
    date_time: "42 00 20 | 09 | 00 00 00 08 | 00 00 00 00 47 DA 67 F8",
        date_time(1_205_495_800), date_time;
    interval: "42 00 20 | 0A | 00 00 00 04 | 00 0D 2F 00 00 00 00 00", interval(864_000), interval;
    date_time_extended: "42 00 20 | 0B | 00 00 00 08 | 00 05 6D 8E 80 16 17 C0",
        date_time_extended(0x0005_6D8E_8016_17C0), date_time_extended;
}

#[test]
fn structure() {
    let bytes =
        hex("42 00 20 | 01 | 00 00 00 20 | 42 00 04 | 05 | 00 00 00 04 | 00 00 00 FE 00 00 00 00 \
         | 42 00 05 | 02 | 00 00 00 04 | 00 00 00 FF 00 00 00 00");
    let mut w = Writer::default();
    w.structure(T, |w| {
        w.enumeration(Tag(0x42_0004), 254);
        w.integer(Tag(0x42_0005), 255);
    });
    assert_eq!(w.as_bytes(), bytes);
    let mut r = Reader::new(&bytes);
    let inside = r.structure::<_, crate::Error>(T, |r| {
        Ok((r.enumeration(Tag(0x42_0004))?, r.integer(Tag(0x42_0005))?))
    });
    assert_eq!(inside, Ok((254, 255)));
    Reader::new(&bytes).check().unwrap();
}

#[test]
fn a_big_integer_is_lengthened_by_its_sign() {
    for (value, wire) in [
        ("", "00 00 00 00 00 00 00 00"),
        ("01", "00 00 00 00 00 00 00 01"),
        ("FF", "FF FF FF FF FF FF FF FF"),
        ("00 FF", "00 00 00 00 00 00 00 FF"),
    ] {
        let mut w = Writer::default();
        w.big_integer(T, &hex(value));
        assert_eq!(Reader::new(w.as_bytes()).big_integer(T), Ok(hex(wire).as_slice()), "{value}");
    }
}

#[test]
fn refusals() {
    use ErrorKind as E;
    let rows: &[(&str, E)] = &[
        ("", E::Truncated),
        ("42 00", E::Truncated),
        ("42 00 20 | 02 | 00 00 00", E::Truncated),
        ("42 00 20 | 02 | 00 00 00 04 | 00 00", E::Truncated),
        ("42 00 20 | 02 | 00 00 00 04 | 00 00 00 08 00 00", E::Truncated),
        ("42 00 20 | 02 | 00 00 00 02 | 00 08 00 00 00 00 00 00", E::Length(Type::Integer, 2)),
        ("42 00 20 | 02 | 00 00 00 04 | 00 00 00 08 00 00 00 01", E::Padding),
        ("42 00 20 | 08 | FF FF FF FF | 00", E::Truncated),
        ("42 00 20 | 08 | FF FF FF F8 | 00", E::Truncated),
        ("41 00 20 | 02 | 00 00 00 04 | 00 00 00 08 00 00 00 00", E::Tag),
        ("00 00 20 | 02 | 00 00 00 04 | 00 00 00 08 00 00 00 00", E::Tag),
        ("42 00 20 | 01 | 00 00 00 08 | 41 00 20 | 01 | 00 00 00 00", E::Tag),
        ("42 00 20 | 0C | 00 00 00 04 | 00 00 00 08 00 00 00 00", E::UnknownType(0x0C)),
        ("42 00 20 | 00 | 00 00 00 04 | 00 00 00 08 00 00 00 00", E::UnknownType(0)),
        ("42 00 20 | 06 | 00 00 00 08 | 00 00 00 00 00 00 00 02", E::Boolean),
        ("42 00 20 | 06 | 00 00 00 08 | 01 00 00 00 00 00 00 00", E::Boolean),
        ("42 00 20 | 07 | 00 00 00 01 | FF 00 00 00 00 00 00 00", E::Text),
        ("42 00 20 | 04 | 00 00 00 00", E::Length(Type::BigInteger, 0)),
        ("42 00 20 | 04 | 00 00 00 04 | 00 00 00 01 00 00 00 00", E::Length(Type::BigInteger, 4)),
        ("42 00 20 | 01 | 00 00 00 04 | 42 00 20 02 00 00 00 00", E::Length(Type::Structure, 4)),
        ("42 00 20 | 0A | 00 00 00 08 | 00 00 00 00 00 00 00 01", E::Length(Type::Interval, 8)),
    ];
    for (text, kind) in rows {
        let bytes = hex(text);
        let mut r = Reader::new(&bytes);
        let result = r.raw().map(|_| ());
        assert_eq!(result.map_err(|e| e.kind), Err(*kind), "{text}");
    }
}

#[test]
fn an_error_says_where_and_what() {
    let bytes =
        hex("42 00 79 | 01 | 00 00 00 10 | 42 00 2A | 02 | 00 00 00 02 | 00 08 00 00 00 00 00 00");
    let error =
        Reader::new(&bytes).structure(Tag(0x42_0079), |r| r.integer(Tag(0x42_002A))).unwrap_err();
    assert_eq!(error.to_string(), "item 42002A at byte 8: 2 bytes are no length of Integer");
}

/// A length of 8 in front of a key of 16 bytes makes a header of the other 8.
#[test]
fn no_error_tells_a_byte_of_a_key() {
    let bytes =
        hex("42 00 45 | 01 | 00 00 00 18 | 42 00 43 | 08 | 00 00 00 08 | 5A A1 5A A2 5A A3 5A A4 |
         5A A5 5A 02 5A A6 5A A7");
    let value = Tag(0x42_0045);
    let material = Tag(0x42_0043);
    let errors = [
        Reader::new(&bytes).check().unwrap_err(),
        Reader::new(&bytes).structure(value, |r| r.byte_string(material)).unwrap_err(),
        Reader::new(&bytes)
            .structure(value, |r| {
                r.byte_string(material)?;
                r.integer(Tag(0x42_002A))
            })
            .unwrap_err(),
    ];
    for error in errors {
        let told = format!("{error} {error:?} {:?}", error.kind);
        assert!(!told.contains("5A") && !told.contains("90"), "{told}");
    }
}

#[test]
fn an_item_that_does_not_belong_is_named() {
    let bytes =
        hex("42 00 79 | 01 | 00 00 00 10 | 42 00 2A | 02 | 00 00 00 04 | 00 00 00 08 00 00 00 00");
    let error =
        Reader::new(&bytes).structure::<_, crate::Error>(Tag(0x42_0079), |_| Ok(())).unwrap_err();
    assert_eq!((error.offset, error.kind), (8, ErrorKind::Unexpected(Tag(0x42_002A))));
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: u8| {
        let mut bytes = Vec::new();
        for _ in 0..depth {
            let mut w = Writer::default();
            w.structure(T, |w| w.raw(&bytes));
            bytes = w.into_bytes();
        }
        bytes
    };
    Reader::new(&nested(DEPTH_MAX)).check().unwrap();
    let error = Reader::new(&nested(DEPTH_MAX + 1)).check().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Depth(DEPTH_MAX));
}

/// Every prefix of a message, and every message with one byte changed, is read without a panic.
#[test]
fn damage_is_an_error_and_never_a_panic() {
    let mut w = Writer::default();
    w.structure(T, |w| {
        w.integer(T, 1);
        w.big_integer(T, &[0x7F; 9]);
        w.structure(T, |w| w.text_string(T, "\u{e9}t\u{e9}"));
        w.boolean(T, false);
        w.byte_string(T, &[7; 5]);
    });
    let whole = w.into_bytes();
    for end in 0..whole.len() {
        assert!(Reader::new(&whole[..end]).raw().is_err(), "prefix of {end} bytes");
    }
    for at in 0..whole.len() {
        for value in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            let _ = Reader::new(&damaged).check();
        }
    }
}

#[test]
fn raw_items_come_back_as_they_were() {
    let bytes =
        hex("54 00 01 | 01 | 00 00 00 10 | 54 00 02 | 08 | 00 00 00 03 | 01 02 03 00 00 00 00 00");
    let raw = Reader::new(&bytes).raw().unwrap();
    assert_eq!(raw.as_bytes(), bytes);
    assert_eq!(raw.tag(), Some(Tag(0x54_0001)));
    assert_eq!(format!("{raw:?}"), "Raw(24 bytes)");
}
