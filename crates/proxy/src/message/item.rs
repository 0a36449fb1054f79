//! An item of a message with what is inside it, to be changed and written again.

use core::fmt;

use ttlv::{Error, Reader, Tag, Type, Writer};
use zeroize::Zeroizing;

/// An item: a structure with items inside, or a value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) tag: Tag,
    pub(crate) content: Content,
}

/// What an item holds.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// Items.
    Items(Vec<Item>),
    /// The bytes of a value; they may be a key.
    Value(Type, Zeroizing<Vec<u8>>),
}

impl fmt::Debug for Item {
    /// Shows the length of a value and never the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.tag)?;
        match &self.content {
            Content::Items(items) => f.debug_list().entries(items).finish(),
            Content::Value(ty, value) => write!(f, "({}, {} bytes)", ty.name(), value.len()),
        }
    }
}

impl Item {
    /// Reads one item; nothing may follow it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        // Types and lengths of all values first, for the one error that says where.
        reader.clone().check()?;
        let item = Self::read(&mut reader)?;
        reader.finish(item.tag)?;
        Ok(item)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let tag = reader.peek().unwrap_or(Tag(0));
        if reader.peek_type() != Some(Type::Structure) {
            let item = reader.item()?;
            return Ok(Self::value(item.tag, item.ty, item.value));
        }
        let mut inside = reader.enter(tag)?;
        let mut items = Vec::new();
        while !inside.is_empty() {
            items.push(Self::read(&mut inside)?);
        }
        Ok(Self::structure(tag, items))
    }

    /// Writes the item and all that is inside it.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        Zeroizing::new(writer.into_bytes())
    }

    fn write(&self, writer: &mut Writer) {
        match &self.content {
            Content::Items(items) => writer.structure(self.tag, |writer| {
                items.iter().for_each(|item| item.write(writer));
            }),
            Content::Value(ty, value) => writer.item(self.tag, *ty, value),
        }
    }

    pub(crate) const fn structure(tag: Tag, items: Vec<Self>) -> Self {
        Self { tag, content: Content::Items(items) }
    }

    fn value(tag: Tag, ty: Type, value: &[u8]) -> Self {
        Self { tag, content: Content::Value(ty, Zeroizing::new(value.to_vec())) }
    }

    pub(crate) fn text(tag: Tag, text: &str) -> Self {
        Self::value(tag, Type::TextString, text.as_bytes())
    }

    pub(crate) fn bytes(tag: Tag, bytes: &[u8]) -> Self {
        Self::value(tag, Type::ByteString, bytes)
    }

    pub(crate) fn enumeration(tag: Tag, value: u32) -> Self {
        Self::value(tag, Type::Enumeration, &value.to_be_bytes())
    }

    pub(crate) fn integer(tag: Tag, value: i32) -> Self {
        Self::value(tag, Type::Integer, &value.to_be_bytes())
    }

    pub(crate) fn date_time(tag: Tag, seconds: i64) -> Self {
        Self::value(tag, Type::DateTime, &seconds.to_be_bytes())
    }

    /// The items inside; none in a value.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.content {
            Content::Items(items) => items,
            Content::Value(..) => &[],
        }
    }

    pub(crate) fn items_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.content {
            Content::Items(items) => Some(items),
            Content::Value(..) => None,
        }
    }

    /// The first item inside with this tag.
    pub(crate) fn child(&self, tag: Tag) -> Option<&Self> {
        self.items().iter().find(|item| item.tag == tag)
    }

    pub(crate) fn child_mut(&mut self, tag: Tag) -> Option<&mut Self> {
        self.items_mut()?.iter_mut().find(|item| item.tag == tag)
    }

    /// The value of a Text String, without the zeros that some clients count into its length.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Value(Type::TextString, value) => {
                core::str::from_utf8(value).ok().map(|text| text.trim_end_matches('\0'))
            }
            Content::Value(..) | Content::Items(_) => None,
        }
    }

    /// The value of an Enumeration.
    pub(crate) fn as_enumeration(&self) -> Option<u32> {
        match &self.content {
            Content::Value(Type::Enumeration, value) => {
                value.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
            }
            Content::Value(..) | Content::Items(_) => None,
        }
    }

    /// The value of an Integer.
    pub(crate) fn as_integer(&self) -> Option<i32> {
        match &self.content {
            Content::Value(Type::Integer, value) => {
                value.first_chunk().map(|bytes| i32::from_be_bytes(*bytes))
            }
            Content::Value(..) | Content::Items(_) => None,
        }
    }

    /// Calls `visit` for the item and for each inside it.
    pub(crate) fn for_each_mut(&mut self, visit: &mut impl FnMut(&mut Self)) {
        visit(self);
        for item in self.items_mut().into_iter().flatten() {
            item.for_each_mut(visit);
        }
    }
}

/// Returns the offset of the first item with this tag in the bytes of a message.
pub(crate) fn position(bytes: &[u8], tag: Tag) -> Option<usize> {
    fn search(mut reader: Reader<'_>, tag: Tag) -> Option<usize> {
        while !reader.is_empty() {
            let found = reader.peek()?;
            if found == tag {
                return Some(reader.offset());
            }
            if reader.peek_type() == Some(Type::Structure) {
                if let Some(offset) = search(reader.enter(found).ok()?, tag) {
                    return Some(offset);
                }
            } else {
                reader.item().ok()?;
            }
        }
        None
    }
    search(Reader::new(bytes), tag)
}

#[cfg(test)]
mod tests {
    use kmip::tags;
    use ttlv::Writer;

    use super::{Item, position};

    fn message() -> Vec<u8> {
        let mut w = Writer::default();
        w.structure(tags::ResponseMessage, |w| {
            w.text_string(tags::UniqueIdentifier, "a name");
            w.structure(tags::KeyValue, |w| w.byte_string(tags::KeyMaterial, &[0xC7; 5]));
            w.boolean(tags::BatchOrderOption, true);
        });
        w.into_bytes()
    }

    #[test]
    fn item_is_written_as_it_was_read() {
        let message = message();
        let item = Item::parse(&message).unwrap();
        assert_eq!(item.encode().as_slice(), message);
        assert_eq!(item.child(tags::UniqueIdentifier).and_then(Item::as_text), Some("a name"));
        assert!(!format!("{item:?}").contains("199"), "a key is in Debug");
    }

    #[test]
    fn bytes_that_are_no_item_are_refused_and_never_panic() {
        let message = message();
        for len in 0..message.len() {
            assert!(Item::parse(&message[..len]).is_err(), "{len}");
        }
        for at in 0..message.len() {
            let mut changed = message.clone();
            changed[at] ^= 0x81;
            if let Ok(item) = Item::parse(&changed) {
                assert_eq!(item.encode().as_slice(), changed, "{at}");
            }
            position(&changed, tags::KeyMaterial);
        }
    }

    #[test]
    fn position_is_the_offset_of_the_item() {
        let message = message();
        let at = position(&message, tags::KeyMaterial).unwrap();
        assert_eq!(message[at..at + 3], [0x42, 0x00, 0x43]);
        assert_eq!(position(&message, tags::Operation), None);
    }
}
