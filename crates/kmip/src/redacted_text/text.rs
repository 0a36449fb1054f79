//! The text of a message.

use core::fmt::{self, Write as _};

use ttlv::{DEPTH_MAX, ErrorKind, HEADER_LEN, Header, Item, Reader, Tag, Type};

use crate::date;
use crate::item_context::{AttributeContext, note_version};
use crate::version::Version;
use crate::vocabulary::{MaskNames, Vocabulary, row_by_value, tags, vocabulary_of};

use super::policy::{Visibility, header};

/// How many items are shown, so that a message of a megabyte is not a log of ten.
pub(super) const ITEMS_MAX: u32 = 4096;

/// How many bytes of a value are shown: enough for every identifier, digest and nonce.
const BYTES_MAX: usize = 64;

/// How many characters of a text are shown.
const CHARACTERS_MAX: usize = 256;

/// Message where an earlier length was wrong: the bytes may be a piece of a key, so neither their
/// tag nor their type nor their length is shown.
pub(super) const NOT_AN_ITEM: &str = "these bytes are no item";

/// Bytes of a message, displayed as text with secrets hidden.
#[derive(Clone, Copy)]
pub struct RedactedText<'a>(&'a [u8]);

/// Returns the text of a message, or of what there is of it; it is written when displayed.
pub const fn redacted_text(message: &[u8]) -> RedactedText<'_> {
    RedactedText(message)
}

impl fmt::Debug for RedactedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RedactedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = TextWriter { f, items: 0, version: Version::V3_0 };
        writer.items(self.0, Position { offset: 0, depth: 0, visibility: Visibility::Shown })?;
        Ok(())
    }
}

/// Position of an item in the message.
#[derive(Clone, Copy)]
pub(super) struct Position {
    /// Bytes from the start of the message.
    pub(super) offset: usize,
    /// Structures around it.
    pub(super) depth: u8,
    /// What may be shown inside the structures around it.
    pub(super) visibility: Visibility,
}

/// Whether reading goes on after an item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    Stop,
}

/// Writer of the text.
pub(super) struct TextWriter<'f, 'g> {
    pub(super) f: &'f mut fmt::Formatter<'g>,
    pub(super) items: u32,
    /// The version in the header, once it was read: enumerations have their names of it.
    pub(super) version: Version,
}

impl TextWriter<'_, '_> {
    /// Writes the items of one structure.
    fn items(&mut self, bytes: &[u8], position: Position) -> Result<Flow, fmt::Error> {
        let mut rest = bytes;
        let mut offset = position.offset;
        let mut attribute = AttributeContext::default();
        while !rest.is_empty() {
            let here = Position { offset, ..position };
            let Some(header) = header(rest) else {
                return self.stop(here, NOT_AN_ITEM);
            };
            if self.items == ITEMS_MAX {
                return self.stop(here, "only so many items are shown");
            }
            self.items = self.items.saturating_add(1);
            attribute.note(header.tag, attribute_name(header.tag, rest));
            let (flow, used) = match Type::from_number(header.ty) {
                Some(Type::Structure) => self.structure(header, rest, here)?,
                _ => self.leaf(header, rest, here, attribute)?,
            };
            if flow == Flow::Stop {
                return Ok(Flow::Stop);
            }
            rest = rest.get(used..).unwrap_or_default();
            offset = offset.saturating_add(used);
        }
        Ok(Flow::Continue)
    }

    /// Writes a structure and what is in it, as far as the bytes reach.
    fn structure(
        &mut self,
        header: Header,
        bytes: &[u8],
        position: Position,
    ) -> Result<(Flow, usize), fmt::Error> {
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        let body = bytes.get(HEADER_LEN..).unwrap_or_default();
        let whole = body.len() >= len;
        let body = body.get(..len).unwrap_or(body);
        if !whole && tags::name(header.tag).is_none() {
            return Ok((self.stop(position, NOT_AN_ITEM)?, bytes.len()));
        }
        let visibility = position.visibility.inside(header.tag);
        self.head(header, position)?;
        if visibility == Visibility::Hidden {
            writeln!(self.f, ": <hidden, {len} bytes>")?;
        } else {
            self.f.write_char('\n')?;
            let inside = Position {
                offset: position.offset.saturating_add(HEADER_LEN),
                depth: position.depth.saturating_add(1),
                visibility,
            };
            let flow = match inside.depth > DEPTH_MAX {
                true => self.stop(inside, &ErrorKind::Depth(DEPTH_MAX).to_string())?,
                false => self.items(body, inside)?,
            };
            if flow == Flow::Stop {
                return Ok((Flow::Stop, bytes.len()));
            }
        }
        let after = Position { offset: position.offset.saturating_add(bytes.len()), ..position };
        if !whole {
            self.stop(after, "the bytes end before the structure does")?;
        } else if len % 8 != 0 {
            self.stop(after, &ErrorKind::Length(Type::Structure, len).to_string())?;
        } else {
            return Ok((Flow::Continue, HEADER_LEN.saturating_add(len)));
        }
        Ok((Flow::Stop, bytes.len()))
    }

    /// Writes an item that holds a value.
    fn leaf(
        &mut self,
        header: Header,
        bytes: &[u8],
        position: Position,
        attribute: AttributeContext,
    ) -> Result<(Flow, usize), fmt::Error> {
        let mut reader = Reader::new(bytes);
        match reader.item() {
            Ok(item) => {
                self.head(header, position)?;
                self.f.write_str(": ")?;
                match position.visibility.of_value(item.tag, item.ty) {
                    Visibility::Shown => self.value(&item, attribute)?,
                    Visibility::ShownOnly(_) | Visibility::Hidden => {
                        write!(self.f, "<hidden, {} bytes>", item.value.len())?
                    }
                }
                self.f.write_char('\n')?;
                Ok((Flow::Continue, reader.offset()))
            }
            Err(_) if tags::name(header.tag).is_none() => {
                Ok((self.stop(position, NOT_AN_ITEM)?, bytes.len()))
            }
            Err(error) => {
                self.head(header, position)?;
                self.f.write_char('\n')?;
                Ok((self.stop(position, &error.kind.to_string())?, bytes.len()))
            }
        }
    }

    pub(super) fn value(&mut self, item: &Item<'_>, attribute: AttributeContext) -> fmt::Result {
        let tag = attribute.vocabulary_tag(item.tag);
        match (item.ty, item.value) {
            (Type::Integer, &[a, b, c, d]) => {
                let value = i32::from_be_bytes([a, b, c, d]);
                note_version(&mut self.version, item.tag, value);
                match vocabulary_of(tag) {
                    Some(Vocabulary::Mask(rows)) => {
                        write!(self.f, "{}", MaskNames { rows, bits: value.cast_unsigned() })
                    }
                    _ => write!(self.f, "{value}"),
                }
            }
            (Type::Enumeration, &[a, b, c, d]) => {
                let value = u32::from_be_bytes([a, b, c, d]);
                let row = match vocabulary_of(tag) {
                    Some(Vocabulary::Enumeration(rows)) => row_by_value(rows, value),
                    _ => None,
                };
                match row {
                    Some(row) => self.f.write_str(row.name_in(self.version)),
                    None => write!(self.f, "0x{value:08X}"),
                }
            }
            (Type::Interval, &[a, b, c, d]) => {
                write!(self.f, "{} s", u32::from_be_bytes([a, b, c, d]))
            }
            (Type::TextString, value) => self.string(value),
            (Type::Boolean, [0, 0, 0, 0, 0, 0, 0, flag @ (0 | 1)]) => {
                write!(self.f, "{}", *flag == 1)
            }
            (ty, &[a, b, c, d, e, f, g, h]) if ty.fixed_len() == Some(8) => {
                self.long(ty, i64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
            (_, value) => self.bytes(value),
        }
    }

    fn long(&mut self, ty: Type, value: i64) -> fmt::Result {
        match ty {
            Type::DateTime => date::write_seconds(self.f, value)?,
            Type::DateTimeExtended => date::write_microseconds(self.f, value)?,
            Type::Structure
            | Type::Integer
            | Type::LongInteger
            | Type::BigInteger
            | Type::Enumeration
            | Type::Boolean
            | Type::TextString
            | Type::ByteString
            | Type::Interval => return write!(self.f, "{value}"),
        }
        self.f.write_char('Z')
    }

    fn string(&mut self, value: &[u8]) -> fmt::Result {
        // What is no text may be a structure under a wrong type, with a key in it. A structure has
        // zeros; of a text only padding has, when it was counted into the length.
        let Some(value) = core::str::from_utf8(value)
            .ok()
            .filter(|value| !value.trim_end_matches('\0').contains('\0'))
        else {
            return write!(self.f, "<no text: hidden, {} bytes>", value.len());
        };
        let shown: String = value.chars().take(CHARACTERS_MAX).collect();
        write!(self.f, "{shown:?}")?;
        match shown.len() < value.len() {
            true => write!(self.f, "... ({} bytes)", value.len()),
            false => Ok(()),
        }
    }

    fn bytes(&mut self, value: &[u8]) -> fmt::Result {
        let shown = value.get(..BYTES_MAX).unwrap_or(value);
        self.f.write_str("0x")?;
        for byte in shown {
            write!(self.f, "{byte:02X}")?;
        }
        match shown.len() < value.len() {
            true => write!(self.f, "... ({} bytes)", value.len()),
            false => Ok(()),
        }
    }

    fn head(&mut self, header: Header, position: Position) -> fmt::Result {
        self.indent(position)?;
        match tags::name(header.tag) {
            Some(name) => self.f.write_str(name)?,
            None => write!(self.f, "0x{}", header.tag)?,
        }
        match Type::from_number(header.ty) {
            Some(ty) => write!(self.f, " ({})", ty.name()),
            None => Ok(()),
        }
    }

    fn stop(&mut self, position: Position, why: &str) -> Result<Flow, fmt::Error> {
        self.indent(position)?;
        writeln!(self.f, "! stopped at byte {}: {why}", position.offset)?;
        Ok(Flow::Stop)
    }

    fn indent(&mut self, position: Position) -> fmt::Result {
        (0..position.depth).try_for_each(|_| self.f.write_str("  "))
    }
}

/// The text of an Attribute Name.
pub(super) fn attribute_name(tag: Tag, bytes: &[u8]) -> Option<&str> {
    match tag {
        tags::AttributeName => Reader::new(bytes).text_string(tag).ok(),
        _ => None,
    }
}
