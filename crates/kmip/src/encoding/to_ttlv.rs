//! Elements to TTLV: names become numbers, in whichever version's spelling they are.

use ttlv::{DEPTH_MAX, Tag, Type, Writer};
use zeroize::Zeroizing;

use super::{Element, Error, Fault, ITEMS_MAX, Value};
use crate::date;
use crate::item_context::AttributeContext;
use crate::vocabulary::{Vocabulary, row_by_name, tags, vocabulary_of};

impl Element {
    /// Writes the element and what is inside it as one item.
    pub fn to_ttlv(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut w = Writer::default();
        let mut items = 0;
        write(self, &mut AttributeContext::default(), 0, &mut items, &mut w)?;
        Ok(Zeroizing::new(w.into_bytes()))
    }

    /// The tag that the name stands for: its name of any version, `0x` and six hex digits, or `x`
    /// and six hex digits, as XML must spell it.
    pub fn tag(&self) -> Option<Tag> {
        if let Some(tag) = tags::from_name(&self.name) {
            return Some(tag);
        }
        let digits = self.name.strip_prefix("0x").or_else(|| self.name.strip_prefix('x'))?;
        let tag = Tag(u32::try_from(hex(digits, 6)?).ok()?);
        (digits.len() == 6 && tag.is_allowed()).then_some(tag)
    }
}

fn write(
    element: &Element,
    attribute: &mut AttributeContext,
    depth: u8,
    items: &mut usize,
    w: &mut Writer,
) -> Result<(), Error> {
    *items = items.saturating_add(1);
    if *items > ITEMS_MAX {
        return Err(Error::at("", Fault::TooMany(ITEMS_MAX)));
    }
    let tag = element.tag().ok_or_else(|| Error::at(&element.name, Fault::Tag))?;
    match &element.value {
        Value::Structure(_) if depth == DEPTH_MAX => {
            return Err(Error::at(&element.name, Fault::Depth(DEPTH_MAX)));
        }
        Value::Structure(children) => {
            let mut inside = AttributeContext::default();
            let mut result = Ok(());
            w.structure(tag, |w| {
                let mut child =
                    |child| write(child, &mut inside, depth.saturating_add(1), items, w);
                result = children.iter().try_for_each(&mut child);
            });
            result?;
        }
        Value::Text(ty, text) => {
            let written = value(*ty, attribute.vocabulary_tag(tag), tag, text, w);
            written.map_err(|fault| Error::at(&element.name, fault))?;
        }
    }
    attribute.note(tag, element.text());
    Ok(())
}

/// Writes one value; `meaning` is the tag whose vocabulary names it.
fn value(ty: Type, meaning: Tag, tag: Tag, text: &str, w: &mut Writer) -> Result<(), Fault> {
    let wrong = Fault::Value(ty);
    match ty {
        Type::Structure => return Err(Fault::Both),
        Type::Integer => w.integer(tag, integer(meaning, text)?),
        Type::LongInteger => w.long_integer(tag, long(text).ok_or(wrong)?),
        Type::BigInteger => {
            let bytes = bytes(text).filter(|bytes| !bytes.is_empty() && bytes.len() % 8 == 0);
            w.big_integer(tag, &bytes.ok_or(wrong)?);
        }
        Type::Enumeration => w.enumeration(tag, enumeration(meaning, text)?),
        Type::Boolean => w.boolean(tag, boolean(text).ok_or(wrong)?),
        Type::TextString => w.text_string(tag, text),
        Type::ByteString => w.byte_string(tag, &bytes(text).ok_or(wrong)?),
        Type::DateTime => {
            let seconds = hex_of(text, 16).map(u64::cast_signed);
            let seconds = seconds.or_else(|| date::parse(text).map(|(seconds, _)| seconds));
            w.date_time(tag, seconds.ok_or(wrong)?);
        }
        Type::Interval => {
            let hex = hex_of(text, 8).and_then(|number| u32::try_from(number).ok());
            w.interval(tag, hex.or_else(|| decimal(text)).ok_or(wrong)?);
        }
        Type::DateTimeExtended => {
            let hex = hex_of(text, 16).map(u64::cast_signed);
            let microseconds = hex.or_else(|| date::to_microseconds(date::parse(text)?));
            w.date_time_extended(tag, microseconds.ok_or(wrong)?);
        }
    }
    Ok(())
}

/// A signed number of 32 bits, or a mask as names and numbers apart by blanks.
fn integer(meaning: Tag, text: &str) -> Result<i32, Fault> {
    let number = |text: &str| {
        let hex = hex_of(text, 8).and_then(|number| u32::try_from(number).ok());
        hex.map(u32::cast_signed).or_else(|| decimal(text))
    };
    let Some(Vocabulary::Mask(rows)) = vocabulary_of(meaning) else {
        return number(text).ok_or(Fault::Value(Type::Integer));
    };
    let bit = |name: &str| {
        let named = row_by_name(rows, name).map(|row| row.value.cast_signed());
        named.or_else(|| number(name)).ok_or(Fault::Name(Type::Integer))
    };
    text.split_whitespace().try_fold(0, |bits, name| Ok(bits | bit(name)?))
}

fn enumeration(meaning: Tag, text: &str) -> Result<u32, Fault> {
    let named = match vocabulary_of(meaning) {
        Some(Vocabulary::Enumeration(rows)) => row_by_name(rows, text).map(|row| row.value),
        Some(Vocabulary::Mask(_)) | None => None,
    };
    let hex = || hex_of(text, 8).and_then(|number| u32::try_from(number).ok());
    named.or_else(hex).or_else(|| decimal(text)).ok_or(Fault::Name(Type::Enumeration))
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        hex => match hex_of(hex, 16)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

fn long(text: &str) -> Option<i64> {
    hex_of(text, 16).map(u64::cast_signed).or_else(|| decimal(text))
}

/// The number in decimal, if it is one; `+1` is none, for no encoding writes it.
fn decimal<T: core::str::FromStr>(text: &str) -> Option<T> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    is_number.then(|| text.parse().ok()).flatten()
}

/// The number behind `0x`, of so many digits at most.
fn hex_of(text: &str, digits_max: usize) -> Option<u64> {
    hex(text.strip_prefix("0x")?, digits_max)
}

fn hex(digits: &str, digits_max: usize) -> Option<u64> {
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let is_fitting = is_hex && digits.len() <= digits_max;
    is_fitting.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

/// The bytes that pairs of hex digits make.
fn bytes(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for &[high, low] in pairs {
        bytes.push(digit(high)? << 4 | digit(low)?);
    }
    rest.is_empty().then_some(bytes)
}

fn digit(letter: u8) -> Option<u8> {
    u8::try_from(char::from(letter).to_digit(16)?).ok()
}
