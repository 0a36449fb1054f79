//! Readers of XML and JSON that share no code with the server's: what another program would read.
//!
//! They take what a server writes: in XML an element a line, its value in an attribute.

use kmip::encoding::{Element, Value};
use serde_json::Value as Json;

/// An item as a text says it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Item {
    name: String,
    ty: String,
    text: String,
    children: Vec<Self>,
}

/// Panics unless XML says what the TTLV does.
pub(crate) fn check_xml(body: &[u8], ttlv: &[u8]) {
    let text = str::from_utf8(body).expect("a text is UTF-8");
    assert_eq!(from_xml(text), of(&Element::from_ttlv(ttlv).unwrap()), "{text}");
}

/// Panics unless JSON says what the TTLV does.
pub(crate) fn check_json(body: &[u8], ttlv: &[u8]) {
    let json = serde_json::from_slice(body).expect("well-formed JSON");
    assert_eq!(from_json(&json), of(&Element::from_ttlv(ttlv).unwrap()), "{json}");
}

fn of(element: &Element) -> Item {
    let name = element.name.to_string();
    let ty = element.ty().name().to_owned();
    match &element.value {
        Value::Structure(children) => {
            Item { name, ty, children: children.iter().map(of).collect(), ..Item::default() }
        }
        Value::Text(..) => {
            let text = element.text().unwrap_or_default();
            Item { name, text: number(&ty, text), ty, ..Item::default() }
        }
    }
}

/// A number in decimal, as the two encodings spell it in their own ways; anything else as it is.
fn number(ty: &str, text: &str) -> String {
    let hex = |digits: &str| u64::from_str_radix(digits, 16).expect("hexadecimal digits");
    match (ty, text.strip_prefix("0x")) {
        ("Integer", Some(digits)) if !digits.contains(' ') => {
            u32::try_from(hex(digits)).expect("32 bits").cast_signed().to_string()
        }
        ("Interval", Some(digits)) => hex(digits).to_string(),
        ("LongInteger", Some(digits)) => hex(digits).cast_signed().to_string(),
        ("BigInteger", Some(digits)) => digits.to_owned(),
        _ => text.to_owned(),
    }
}

fn from_json(json: &Json) -> Item {
    let name = json["tag"].as_str().expect("a tag").to_owned();
    let ty = json["type"].as_str().unwrap_or("Structure").to_owned();
    match &json["value"] {
        Json::Array(items) => {
            Item { name, ty, children: items.iter().map(from_json).collect(), ..Item::default() }
        }
        Json::Bool(value) => Item { name, ty, text: value.to_string(), ..Item::default() },
        Json::String(text) => {
            // A mask is names with bars between.
            let text = if ty == "Integer" { text.replace('|', " ") } else { text.clone() };
            Item { name, text: number(&ty, &text), ty, ..Item::default() }
        }
        other @ (Json::Null | Json::Number(_) | Json::Object(_)) => {
            panic!("{name} has the value {other}")
        }
    }
}

fn from_xml(text: &str) -> Item {
    let mut open = vec![Item::default()];
    for line in text.lines().map(str::trim) {
        let inside = line.strip_prefix('<').and_then(|line| line.strip_suffix('>'));
        let inside = inside.unwrap_or_else(|| panic!("no element: {line}"));
        if inside.starts_with('/') {
            let done = open.pop().expect("an open element");
            open.last_mut().expect("one that it is in").children.push(done);
            continue;
        }
        let (inside, is_whole) = match inside.strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        open.push(xml_item(inside));
        if is_whole {
            let done = open.pop().expect("the element of this line");
            open.last_mut().expect("one that it is in").children.push(done);
        }
    }
    let mut all = open.pop().expect("the text").children;
    assert!(open.is_empty() && all.len() == 1, "one message: {text}");
    all.remove(0)
}

/// The element of a line, without its brackets: `Name type="Integer" value="1"`.
fn xml_item(inside: &str) -> Item {
    let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
    let mut item = Item { name: name.to_owned(), ty: "Structure".to_owned(), ..Item::default() };
    while let Some((key, after)) = rest.trim_start().split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a quotation mark at the end");
        match key {
            "tag" => item.name = value.to_owned(),
            "type" => item.ty = value.to_owned(),
            "value" => item.text = unescaped(value),
            other => panic!("an attribute {other:?}"),
        }
        rest = after;
    }
    item.text = number(&item.ty, &item.text);
    item
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('&');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').expect("the end of a reference");
        whole.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            number => {
                let code = number.strip_prefix('#').and_then(|digits| digits.parse().ok());
                code.and_then(char::from_u32).expect("the number of a character")
            }
        });
        whole.push_str(rest);
    }
    whole
}
