//! JSON: an object an item, its members `tag`, `name`, `type` and `value` (Additional Message
//! Encodings 1.0, 4; 2.1 profiles, 5.5).
//!
//! ```text
//! {"tag": "ResponseHeader", "value": [
//!   {"tag": "TimeStamp", "type": "DateTime", "value": "2013-06-26T09:09:17+00:00"},
//!   {"tag": "0x54FFFF", "type": "Integer", "value": "0x00000001"}
//! ]}
//! ```
//!
//! | type | written | read beside that |
//! |---|---|---|
//! | Structure | an array, and no `type` | `null` |
//! | Integer, Interval | `"0x"` and eight digits | a number |
//! | an Integer that is a mask | names apart by a bar | the same with hex between, a number |
//! | LongInteger | `"0x"` and sixteen digits | a number below 2^52 |
//! | BigInteger | `"0x"` and a multiple of sixteen digits | a number below 2^52 |
//! | Enumeration | its name, or `"0x"` and eight digits | a number |
//! | Boolean | `true` or `false` | `"0x"` and digits |
//! | TextString | the text | |
//! | ByteString | hex without `0x` | |
//! | DateTime, DateTimeExtended | ISO 8601 | `"0x"` and digits |
//!
//! The reader is of its own: it takes these objects and no others, keeps the order of everything,
//! refuses a member that comes twice, and leaves no key behind in a tree of somebody else's.

use core::fmt::Write as _;
use std::borrow::Cow;

use ttlv::{DEPTH_MAX, Type};
use zeroize::Zeroizing;

use super::{Element, Error, Fault, ITEMS_MAX, SecretTextBuffer, TEXT_LEN_MAX, Value};

/// Numbers from here on lose digits where JavaScript reads them, and are given in hex (4.1.6.5).
const NUMBER_END: u64 = 1 << 52;

/// The bytes of a message as JSON.
pub fn encode(ttlv: &[u8]) -> Result<Zeroizing<String>, Error> {
    write(&Element::from_ttlv(ttlv)?)
}

/// JSON as the bytes of a message.
pub fn decode(json: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    read(json)?.to_ttlv()
}

/// An element as JSON, a line a member, as the profile's own messages are laid out.
///
/// # Errors
///
/// Structures that are nested too deep.
pub fn write(element: &Element) -> Result<Zeroizing<String>, Error> {
    let mut out = SecretTextBuffer::default();
    write_element(element, 0, 0, &mut out)?;
    Ok(out.into_text())
}

fn write_element(
    element: &Element,
    depth: u8,
    indent: u8,
    out: &mut SecretTextBuffer,
) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(Error::at(&element.name, Fault::Depth(DEPTH_MAX)));
    }
    let within = indent.saturating_add(1);
    out.push_str("{");
    start_line(within, out);
    out.push_str("\"tag\": ");
    write_string(&element.name, out);
    out.push_str(",");
    match &element.value {
        Value::Structure(children) => {
            start_line(within, out);
            out.push_str("\"value\": [");
            for (at, child) in children.iter().enumerate() {
                if at > 0 {
                    out.push_str(",");
                }
                start_line(within.saturating_add(1), out);
                write_element(child, depth.saturating_add(1), within.saturating_add(1), out)?;
            }
            if !children.is_empty() {
                start_line(within, out);
            }
            out.push_str("]");
        }
        Value::Text(ty, text) => {
            start_line(within, out);
            out.push_str("\"type\": ");
            write_string(ty.name(), out);
            out.push_str(",");
            start_line(within, out);
            out.push_str("\"value\": ");
            write_value(*ty, text, out);
        }
    }
    start_line(indent, out);
    out.push_str("}");
    Ok(())
}

fn start_line(indent: u8, out: &mut SecretTextBuffer) {
    out.push_str("\n");
    (0..indent).for_each(|_| out.push_str(" "));
}

/// A value as JSON spells it, from what an element has.
fn write_value(ty: Type, text: &str, out: &mut SecretTextBuffer) {
    // Writing to a buffer does not fail.
    let _ = match ty {
        Type::Integer => match text.parse::<i32>() {
            Ok(number) => write!(out, "\"0x{:08x}\"", number.cast_unsigned()),
            Err(_) => {
                let names = Zeroizing::new(text.replace(' ', "|"));
                write_string(&names, out);
                Ok(())
            }
        },
        Type::Interval => match text.parse::<u32>() {
            Ok(number) => write!(out, "\"0x{number:08x}\""),
            Err(_) => return write_string(text, out),
        },
        Type::LongInteger => match text.parse::<i64>() {
            Ok(number) => write!(out, "\"0x{:016x}\"", number.cast_unsigned()),
            Err(_) => return write_string(text, out),
        },
        Type::BigInteger => {
            out.push_str("\"0x");
            out.push_str(text);
            out.push_str("\"");
            Ok(())
        }
        Type::Boolean if matches!(text, "true" | "false") => out.write_str(text),
        Type::Structure
        | Type::Boolean
        | Type::Enumeration
        | Type::TextString
        | Type::ByteString
        | Type::DateTime
        | Type::DateTimeExtended => return write_string(text, out),
    };
}

/// Text between quotation marks (RFC 8259, 7).
fn write_string(text: &str, out: &mut SecretTextBuffer) {
    out.push_str("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1F}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push_str(c.encode_utf8(&mut [0; 4])),
        }
    }
    out.push_str("\"");
}

/// JSON as an element. Whether its names mean anything is seen by [`Element::to_ttlv`].
pub fn read(json: &str) -> Result<Element, Error> {
    if json.len() > TEXT_LEN_MAX {
        return Err(Error::at("", Fault::TooLong(TEXT_LEN_MAX)));
    }
    let mut reader = Reader { rest: json, items: 0 };
    if reader.peek().is_none() {
        return Err(Error::at("", Fault::OneMessage));
    }
    let element = reader.element(0)?;
    match reader.peek() {
        None => Ok(element),
        Some(_) => Err(Error::at(&element.name, Fault::OneMessage)),
    }
}

/// Reader of the JSON text.
struct Reader<'a> {
    rest: &'a str,
    items: usize,
}

/// A value before its type is known, as the members of an object come in any order.
enum JsonValue {
    Null,
    Boolean(bool),
    Number(Zeroizing<String>),
    Text(Zeroizing<String>),
    Items(Vec<Element>),
}

/// The members of an item that were read so far.
#[derive(Default)]
struct Members {
    tag: Option<Zeroizing<String>>,
    name: Option<Zeroizing<String>>,
    ty: Option<Zeroizing<String>>,
    value: Option<JsonValue>,
}

const MALFORMED: &str = "this is no well-formed JSON";

fn syntax(why: &'static str) -> Error {
    Error::at("", Fault::Syntax(why))
}

impl Reader<'_> {
    /// The next byte that is no white space, which stays.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.bytes().next()
    }

    /// Takes this letter, if it is the next one.
    fn take(&mut self, letter: char) -> bool {
        self.peek();
        match self.rest.strip_prefix(letter) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, letter: char) -> Result<(), Error> {
        self.take(letter).then_some(()).ok_or_else(|| syntax(MALFORMED))
    }

    fn element(&mut self, depth: u8) -> Result<Element, Error> {
        self.items = self.items.saturating_add(1);
        if self.items > ITEMS_MAX {
            return Err(Error::at("", Fault::TooMany(ITEMS_MAX)));
        }
        let mut members = Members::default();
        self.expect('{')?;
        if !self.take('}') {
            loop {
                self.member(&mut members, depth)?;
                if self.take('}') {
                    break;
                }
                self.expect(',')?;
            }
        }
        members.into_element()
    }

    fn member(&mut self, members: &mut Members, depth: u8) -> Result<(), Error> {
        let key = self.string()?;
        self.expect(':')?;
        let is_duplicate = match key.as_str() {
            "tag" => members.tag.replace(self.string()?).is_some(),
            "name" => members.name.replace(self.string()?).is_some(),
            "type" => members.ty.replace(self.string()?).is_some(),
            "value" => members.value.replace(self.value(depth)?).is_some(),
            _ => return Err(syntax("an item has a member that is none of tag, name, type, value")),
        };
        match is_duplicate {
            true => Err(syntax("an item has a member twice")),
            false => Ok(()),
        }
    }

    fn value(&mut self, depth: u8) -> Result<JsonValue, Error> {
        match self.peek() {
            Some(b'"') => self.string().map(JsonValue::Text),
            Some(b'[') => self.items(depth).map(JsonValue::Items),
            Some(b'{') => Err(syntax("a value is no object; a structure has an array of items")),
            Some(b'-' | b'0'..=b'9') => self.number().map(JsonValue::Number),
            _ => {
                let words = [("null", JsonValue::Null), ("true", JsonValue::Boolean(true))];
                let words = words.into_iter().chain([("false", JsonValue::Boolean(false))]);
                for (word, value) in words {
                    if let Some(rest) = self.rest.strip_prefix(word) {
                        self.rest = rest;
                        return Ok(value);
                    }
                }
                Err(syntax(MALFORMED))
            }
        }
    }

    fn items(&mut self, depth: u8) -> Result<Vec<Element>, Error> {
        if depth >= DEPTH_MAX {
            return Err(Error::at("", Fault::Depth(DEPTH_MAX)));
        }
        self.expect('[')?;
        let mut items = Vec::new();
        if self.take(']') {
            return Ok(items);
        }
        loop {
            items.push(self.element(depth.saturating_add(1))?);
            if self.take(']') {
                return Ok(items);
            }
            self.expect(',')?;
        }
    }

    /// A whole number (RFC 8259, 6): no item has a fraction, and an exponent is nobody's spelling.
    fn number(&mut self) -> Result<Zeroizing<String>, Error> {
        let is_part = |c: char| matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at_checked(end).unwrap_or(("", self.rest));
        let digits = number.strip_prefix('-').unwrap_or(number);
        let is_whole = digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.is_empty();
        let is_short = digits == "0" || !digits.starts_with('0');
        if !(is_whole && is_short) {
            return Err(syntax("a number is not a whole one"));
        }
        self.rest = rest;
        Ok(Zeroizing::new(number.to_owned()))
    }

    fn string(&mut self) -> Result<Zeroizing<String>, Error> {
        self.expect('"')?;
        let mut out = SecretTextBuffer::default();
        loop {
            let stop = |c: char| matches!(c, '"' | '\\' | '\0'..='\u{1F}');
            let end = self.rest.find(stop).ok_or_else(|| syntax(MALFORMED))?;
            let (plain, rest) = self.rest.split_at_checked(end).ok_or_else(|| syntax(MALFORMED))?;
            out.push_str(plain);
            self.rest = rest;
            match self.next_char() {
                Some('"') => return Ok(out.into_text()),
                Some('\\') => {
                    let c = self.escaped().ok_or_else(|| syntax(MALFORMED))?;
                    out.push_str(c.encode_utf8(&mut [0; 4]));
                }
                _ => return Err(syntax(MALFORMED)),
            }
        }
    }

    fn next_char(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next();
        self.rest = letters.as_str();
        letter
    }

    /// The character that stands behind a backslash.
    fn escaped(&mut self) -> Option<char> {
        Some(match self.next_char()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{C}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.utf16_unit()?;
                let second = match first {
                    0xD800..=0xDBFF => {
                        self.rest = self.rest.strip_prefix("\\u")?;
                        Some(self.utf16_unit()?)
                    }
                    _ => None,
                };
                let units = core::iter::once(first).chain(second);
                char::decode_utf16(units).next()?.ok()?
            }
            _ => return None,
        })
    }

    /// Four hex digits.
    fn utf16_unit(&mut self) -> Option<u16> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    }
}

impl Members {
    fn into_element(self) -> Result<Element, Error> {
        let Some(tag) = self.tag else {
            return Err(syntax("an item has no tag"));
        };
        let ty = match &self.ty {
            None => Type::Structure,
            Some(name) => {
                let named = Type::ALL.iter().find(|ty| ty.name() == name.as_str());
                *named.ok_or_else(|| Error::at(&tag, Fault::Type))?
            }
        };
        let value = match (ty, self.value) {
            (_, None) => return Err(Error::at(&tag, Fault::Missing(ty))),
            (Type::Structure, Some(JsonValue::Items(items))) => Value::Structure(items),
            (Type::Structure, Some(JsonValue::Null)) => Value::Structure(Vec::new()),
            (
                Type::Structure,
                Some(JsonValue::Boolean(_) | JsonValue::Number(_) | JsonValue::Text(_)),
            )
            | (_, Some(JsonValue::Items(_))) => return Err(Error::at(&tag, Fault::Both)),
            (_, Some(JsonValue::Null)) => return Err(Error::at(&tag, Fault::Missing(ty))),
            (ty, Some(JsonValue::Boolean(value))) => {
                let text = if value { "true" } else { "false" };
                let text = (ty == Type::Boolean).then(|| Zeroizing::new(text.to_owned()));
                Value::Text(ty, text.ok_or_else(|| Error::at(&tag, Fault::Value(ty)))?)
            }
            (ty, Some(JsonValue::Number(number))) => Value::Text(
                ty,
                from_number(ty, number).ok_or_else(|| Error::at(&tag, Fault::Value(ty)))?,
            ),
            (ty, Some(JsonValue::Text(text))) => Value::Text(
                ty,
                from_text(ty, text).ok_or_else(|| Error::at(&tag, Fault::Value(ty)))?,
            ),
        };
        let name = Cow::Owned(tag.as_str().to_owned());
        Ok(Element { name, value })
    }
}

/// The text of an element, from a number: only these types may be given as one.
fn from_number(ty: Type, number: Zeroizing<String>) -> Option<Zeroizing<String>> {
    match ty {
        Type::Integer | Type::Enumeration | Type::Interval => Some(number),
        Type::LongInteger => is_exact(&number)?.then_some(number),
        Type::BigInteger => {
            is_exact(&number)?.then_some(())?;
            let number: i64 = number.parse().ok()?;
            Some(Zeroizing::new(format!("{:016x}", number.cast_unsigned())))
        }
        Type::Structure
        | Type::Boolean
        | Type::TextString
        | Type::ByteString
        | Type::DateTime
        | Type::DateTimeExtended => None,
    }
}

fn is_exact(number: &str) -> Option<bool> {
    Some(number.parse::<i64>().ok()?.unsigned_abs() < NUMBER_END)
}

/// The text of an element, from a string: a number in it is in hex, and so begins with `0x`.
fn from_text(ty: Type, text: Zeroizing<String>) -> Option<Zeroizing<String>> {
    let is_hex = text.starts_with("0x");
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic());
    match ty {
        Type::TextString | Type::ByteString | Type::DateTime | Type::DateTimeExtended => Some(text),
        Type::LongInteger | Type::Interval | Type::Boolean => is_hex.then_some(text),
        Type::Enumeration => (is_hex || is_name).then_some(text),
        Type::Integer if is_hex || is_name => {
            let is_list = !text.contains(char::is_whitespace);
            is_list.then(|| Zeroizing::new(text.replace('|', " ")))
        }
        Type::BigInteger => {
            let digits = text.strip_prefix("0x")?;
            Some(Zeroizing::new(digits.to_owned()))
        }
        Type::Integer | Type::Structure => None,
    }
}

#[cfg(test)]
mod tests;
