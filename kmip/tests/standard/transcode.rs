//! The XML of the OASIS test cases as TTLV: just enough of it for these files.
//!
//! The cases name what only a running server knows (`$UNIQUE_IDENTIFIER_0`, `$NOW-3600`); here
//! anything of the right type stands in its place.

use kmip::attributes::AttributeReference;
use kmip::vocabulary::{Row, Vocabulary, row_named, tags, vocabulary_of};
use ttlv::{Tag, Type, Writer};

/// A message of a case, in the order of the file.
pub(crate) struct Message {
    pub(crate) is_request: bool,
    pub(crate) bytes: Vec<u8>,
}

/// An element of the file.
struct Element<'a> {
    name: &'a str,
    attributes: &'a str,
    children: Vec<Self>,
}

/// Every message of a file.
pub(crate) fn messages(xml: &str) -> Vec<Message> {
    let bare = without_comments(xml);
    let mut elements = bare.split('<').skip(1);
    let mut messages = Vec::new();
    for element in children(&mut elements) {
        for message in element.children {
            let mut w = Writer::default();
            write(&message, None, &mut w);
            let is_request = message.name == "RequestMessage";
            messages.push(Message { is_request, bytes: w.into_bytes() });
        }
    }
    messages
}

fn without_comments(xml: &str) -> String {
    let mut parts = xml.split("<!--");
    let mut bare = parts.next().unwrap().to_owned();
    bare.extend(parts.map(|part| part.split_once("-->").unwrap().1));
    bare
}

/// The elements up to the end of their parent.
fn children<'a>(elements: &mut impl Iterator<Item = &'a str>) -> Vec<Element<'a>> {
    let mut all = Vec::new();
    while let Some(text) = elements.next() {
        let inside = text.split_once('>').unwrap().0;
        if inside.starts_with('/') {
            break;
        }
        if inside.starts_with('?') {
            continue;
        }
        let (name, attributes) =
            inside.split_once(char::is_whitespace).unwrap_or((inside.trim_end_matches('/'), ""));
        let is_closed = inside.ends_with('/');
        let children = if is_closed { Vec::new() } else { children(elements) };
        all.push(Element { name, attributes, children });
    }
    all
}

impl Element<'_> {
    fn attribute(&self, name: &str) -> Option<String> {
        let start = self.attributes.find(&format!("{name}=\""))? + name.len() + 2;
        let value = self.attributes[start..].split('"').next()?;
        let named =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
        Some(named.iter().fold(value.to_owned(), |text, (name, c)| text.replace(name, c)))
    }
}

/// Writes an element; `meaning` is the attribute of 1.x whose value it may be.
fn write(element: &Element<'_>, meaning: Option<Tag>, w: &mut Writer) {
    let tag = match element.attribute("tag") {
        Some(number) => Tag(u32::try_from(number_of(&number)).unwrap()),
        None => tags::from_name(element.name).unwrap_or_else(|| panic!("tag {}", element.name)),
    };
    let value = element.attribute("value").unwrap_or_default();
    let ty = element.attribute("type").unwrap_or_else(|| "Structure".to_owned());
    let ty = Type::ALL.iter().find(|t| t.name() == ty).unwrap_or_else(|| panic!("type {ty}"));
    let meaning = if tag == tags::AttributeValue { meaning.unwrap_or(tag) } else { tag };
    match ty {
        Type::Structure => w.structure(tag, |w| {
            let mut named = None;
            for child in &element.children {
                write(child, named, w);
                if child.name == "AttributeName" {
                    named = attribute_named(&child.attribute("value").unwrap());
                }
            }
        }),
        Type::Integer => w.integer(tag, integer(meaning, &value)),
        Type::LongInteger => w.long_integer(tag, number_of(&value)),
        Type::BigInteger => w.big_integer(tag, &bytes(&value)),
        Type::Enumeration => w.enumeration(tag, enumeration(meaning, &value)),
        Type::Boolean => w.boolean(tag, value == "true"),
        Type::TextString => w.text_string(tag, &value),
        Type::ByteString => w.byte_string(tag, &bytes(&value)),
        Type::DateTime => w.date_time(tag, date(&value)),
        Type::Interval => w.interval(tag, u32::try_from(number_of(&value)).unwrap()),
        Type::DateTimeExtended => w.date_time_extended(tag, date(&value) * 1_000_000),
    }
}

fn attribute_named(name: &str) -> Option<Tag> {
    match AttributeReference::from_name(name) {
        AttributeReference::Standard(tag) => Some(tag),
        AttributeReference::Vendor { .. } | AttributeReference::Unknown(_) => None,
    }
}

fn number_of(text: &str) -> i64 {
    let hex = text.strip_prefix("0x").map(|hex| i64::from_str_radix(hex, 16));
    hex.unwrap_or_else(|| text.parse()).unwrap_or_else(|e| panic!("number {text}: {e}"))
}

fn named(rows: &'static [Row], name: &str) -> u32 {
    row_named(rows, name).unwrap_or_else(|| panic!("name {name}")).value
}

fn enumeration(tag: Tag, value: &str) -> u32 {
    match vocabulary_of(tag) {
        Some(Vocabulary::Enumeration(rows)) if row_named(rows, value).is_some() => {
            named(rows, value)
        }
        // PKCS#11's own names of its functions and return codes are not in the vocabulary.
        _ if value.starts_with("C_") || value == "OK" => 1,
        _ => u32::try_from(number_of(value)).unwrap(),
    }
}

fn integer(tag: Tag, value: &str) -> i32 {
    match vocabulary_of(tag) {
        Some(Vocabulary::Mask(rows)) if !value.starts_with("0x") => {
            let bits = value.split_whitespace().map(|name| named(rows, name));
            bits.fold(0, |all, bit| all | bit).cast_signed()
        }
        _ => i32::try_from(number_of(value)).unwrap(),
    }
}

fn bytes(value: &str) -> Vec<u8> {
    if value.starts_with('$') {
        return value.as_bytes().to_vec();
    }
    let digits: Vec<u32> = value.chars().map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}

/// Any moment: which one it is makes no difference to the message, but each is another.
fn date(value: &str) -> i64 {
    value.bytes().fold(1_000_000_000, |sum, byte| sum + i64::from(byte))
}
