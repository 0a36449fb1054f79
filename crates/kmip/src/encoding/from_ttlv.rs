//! TTLV to elements: numbers become names, in the spelling of the message's version.

use core::fmt::Write as _;
use std::borrow::Cow;

use ttlv::{ErrorKind, Reader, Tag, Type};

use super::{Element, Error, Fault, ITEMS_MAX, SecretTextBuffer, Value};
use crate::date;
use crate::item_context::{AttributeContext, note_version};
use crate::version::Version;
use crate::vocabulary::{MaskNames, Row, Vocabulary, row_by_value, tags, vocabulary_of};

impl Element {
    /// Reads one item, which is all that `bytes` hold.
    ///
    /// Names are those of the version that the item's header says; without one, the newest.
    pub fn from_ttlv(bytes: &[u8]) -> Result<Self, Error> {
        let mut transcoder = Transcoder { version: Version::V3_0, items: 0 };
        let mut reader = Reader::new(bytes);
        let element = transcoder.element(&mut reader, &mut AttributeContext::default())?;
        match reader.is_empty() {
            true => Ok(element),
            false => Err(Error::at(&element.name, Fault::OneMessage)),
        }
    }
}

struct Transcoder {
    /// The version that the header named, once it was read.
    version: Version,
    items: usize,
}

impl Transcoder {
    fn element(
        &mut self,
        r: &mut Reader<'_>,
        attribute: &mut AttributeContext,
    ) -> Result<Element, Error> {
        self.items = self.items.saturating_add(1);
        if self.items > ITEMS_MAX {
            return Err(Error::at("", Fault::TooMany(ITEMS_MAX)));
        }
        let Some(tag) = r.peek() else {
            return Err(Error::at("", Fault::OneMessage));
        };
        // What has no other name is written as a number, and only a tag is read as one.
        if !tag.is_allowed() {
            return Err(r.error(tag, ErrorKind::Tag).into());
        }
        let value = match r.peek_type() {
            Some(Type::Structure) => {
                let mut inside = r.enter(tag)?;
                let mut children = Vec::new();
                let mut attribute = AttributeContext::default();
                while !inside.is_empty() {
                    children.push(self.element(&mut inside, &mut attribute)?);
                }
                Value::Structure(children)
            }
            Some(ty) => {
                Value::Text(ty, self.text(tag, ty, attribute.vocabulary_tag(tag), r)?.into_text())
            }
            None => return Err(r.item().map_or_else(Error::from, |_| Error::at("", Fault::Type))),
        };
        let element = Element { name: self.name(tag), value };
        attribute.note(tag, element.text());
        Ok(element)
    }

    fn name(&self, tag: Tag) -> Cow<'static, str> {
        match tags::row(tag) {
            Some(row) => Cow::Borrowed(row.name_in(self.version)),
            None => Cow::Owned(format!("0x{:06X}", tag.0)),
        }
    }

    /// The value in letters; `meaning` is the tag that says how a number is named.
    fn text(
        &mut self,
        tag: Tag,
        ty: Type,
        meaning: Tag,
        r: &mut Reader<'_>,
    ) -> Result<SecretTextBuffer, Error> {
        let mut out = SecretTextBuffer::default();
        // Writing to a buffer does not fail.
        let _ = match ty {
            Type::Integer => {
                let value = r.integer(tag)?;
                note_version(&mut self.version, tag, value);
                match vocabulary_of(meaning) {
                    Some(Vocabulary::Mask(rows)) => {
                        write!(out, "{}", MaskNames { rows, bits: value.cast_unsigned() })
                    }
                    Some(Vocabulary::Enumeration(_)) | None => write!(out, "{value}"),
                }
            }
            Type::LongInteger => write!(out, "{}", r.long_integer(tag)?),
            Type::Enumeration => {
                let value = r.enumeration(tag)?;
                match self.row(meaning, value) {
                    Some(row) => out.write_str(row.name_in(self.version)),
                    None => write!(out, "0x{value:08x}"),
                }
            }
            Type::Boolean => write!(out, "{}", r.boolean(tag)?),
            Type::TextString => {
                let text = r.text_string(tag)?;
                out = SecretTextBuffer::with_capacity(text.len());
                out.write_str(text)
            }
            Type::BigInteger | Type::ByteString => {
                let bytes = r.value(tag, ty)?;
                out = SecretTextBuffer::with_capacity(bytes.len().saturating_mul(2));
                out.push_hex(bytes);
                Ok(())
            }
            Type::DateTime => date::write_seconds(&mut out, r.date_time(tag)?)
                .and_then(|()| out.write_str(date::UTC)),
            Type::Interval => write!(out, "{}", r.interval(tag)?),
            Type::DateTimeExtended => {
                date::write_microseconds(&mut out, r.date_time_extended(tag)?)
                    .and_then(|()| out.write_str(date::UTC))
            }
            // It has been entered before.
            Type::Structure => Ok(()),
        };
        Ok(out)
    }

    fn row(&self, meaning: Tag, value: u32) -> Option<&'static Row> {
        match vocabulary_of(meaning) {
            Some(Vocabulary::Enumeration(rows)) => row_by_value(rows, value),
            Some(Vocabulary::Mask(_)) | None => None,
        }
    }
}
