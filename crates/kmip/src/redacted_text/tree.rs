//! A message as a tree of items with their places in its bytes, with secrets hidden.
//!
//! The same policy as that of the text decides what is shown. Bytes that are not shown are listed
//! as ranges, so that who shows the bytes can leave them out.

use core::fmt;
use core::ops::Range;

use ttlv::{DEPTH_MAX, ErrorKind, HEADER_LEN, Header, Item, Reader, Type};

use super::policy::{Visibility, header};
use super::text::{ITEMS_MAX, NOT_AN_ITEM, Position, TextWriter, attribute_name};
use crate::item_context::{AttributeContext, note_version};
use crate::version::Version;
use crate::vocabulary::tags;

/// An item of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeItem {
    /// Name of its tag, or the tag in hexadecimal.
    pub tag: String,
    /// Name of its type; `None` if no type has its number.
    pub type_name: Option<&'static str>,
    /// Its bytes in the message, from its tag to its padding.
    pub bytes: Range<usize>,
    /// Its value as text; `None` for a structure, and where the value is hidden.
    pub value: Option<String>,
    /// Whether its value is hidden.
    pub is_hidden: bool,
    /// Why reading stopped in this item, after the items in it.
    pub error: Option<String>,
    /// The items in it.
    pub items: Vec<Self>,
}

/// The items of a message, as far as they could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedactedTree {
    /// The items, usually one: the message.
    pub items: Vec<TreeItem>,
    /// Bytes that must not be shown, in ascending order.
    pub hidden: Vec<Range<usize>>,
    /// Why reading stopped, if it stopped outside of all items.
    pub error: Option<String>,
}

/// Returns the tree of a message, or of what there is of it.
pub fn redacted_tree(message: &[u8]) -> RedactedTree {
    let mut builder = Builder { hidden: Vec::new(), items: 0, version: Version::V3_0 };
    let start = Position { offset: 0, depth: 0, visibility: Visibility::Shown };
    let (items, error) = builder.items(message, start);
    RedactedTree { items, hidden: builder.hidden, error }
}

/// Builder of a tree.
struct Builder {
    hidden: Vec<Range<usize>>,
    items: u32,
    /// The version in the header, once it was read.
    version: Version,
}

impl Builder {
    /// Reads the items of one structure; the reason if reading stopped among them.
    fn items(&mut self, bytes: &[u8], position: Position) -> (Vec<TreeItem>, Option<String>) {
        let (mut rest, mut offset) = (bytes, position.offset);
        let mut attribute = AttributeContext::default();
        let mut found = Vec::new();
        while !rest.is_empty() {
            let here = Position { offset, ..position };
            let is_full = self.items == ITEMS_MAX;
            let Some(header) = header(rest).filter(|_| !is_full) else {
                self.hide(offset, rest.len());
                let why = if is_full { "only so many items are shown" } else { NOT_AN_ITEM };
                return (found, Some(why.to_owned()));
            };
            self.items = self.items.saturating_add(1);
            attribute.note(header.tag, attribute_name(header.tag, rest));
            let (item, used) = match Type::from_number(header.ty) {
                Some(Type::Structure) => self.structure(header, rest, here),
                _ => self.leaf(header, rest, here, attribute),
            };
            let Some(item) = item else {
                return (found, Some(NOT_AN_ITEM.to_owned()));
            };
            let stopped = item.error.is_some();
            found.push(item);
            if stopped {
                return (found, None);
            }
            rest = rest.get(used..).unwrap_or_default();
            offset = offset.saturating_add(used);
        }
        (found, None)
    }

    /// Reads a structure and what is in it, as far as the bytes reach.
    fn structure(
        &mut self,
        header: Header,
        bytes: &[u8],
        position: Position,
    ) -> (Option<TreeItem>, usize) {
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        let body = bytes.get(HEADER_LEN..).unwrap_or_default();
        let whole = body.len() >= len;
        let body = body.get(..len).unwrap_or(body);
        if !whole && tags::name(header.tag).is_none() {
            self.hide(position.offset, bytes.len());
            return (None, bytes.len());
        }
        let used = HEADER_LEN.saturating_add(body.len());
        let mut item = TreeItem::new(header, position, used);
        let inside = Position {
            offset: position.offset.saturating_add(HEADER_LEN),
            depth: position.depth.saturating_add(1),
            visibility: position.visibility.inside(header.tag),
        };
        if inside.visibility == Visibility::Hidden {
            item.is_hidden = true;
            self.hide(inside.offset, body.len());
        } else if inside.depth > DEPTH_MAX {
            self.hide(inside.offset, body.len());
            item.error = Some(ErrorKind::Depth(DEPTH_MAX).to_string());
            return (Some(item), used);
        } else {
            (item.items, item.error) = self.items(body, inside);
            if item.items.last().is_some_and(|last| last.error.is_some()) {
                // The reason is at the item that could not be read; nothing after it is shown.
                let read = item.items.last().map_or(inside.offset, |last| last.bytes.end);
                let end = position.offset.saturating_add(used);
                self.hide(read, end.saturating_sub(read));
                item.error = Some("an item in it cannot be read".to_owned());
            }
        }
        if item.error.is_none() && !whole {
            item.error = Some("the bytes end before the structure does".to_owned());
        } else if item.error.is_none() && len % 8 != 0 {
            item.error = Some(ErrorKind::Length(Type::Structure, len).to_string());
        }
        if item.error.is_some() {
            let end = position.offset.saturating_add(used);
            self.hide(end, bytes.len().saturating_sub(used));
        }
        (Some(item), used)
    }

    /// Reads an item that holds a value.
    fn leaf(
        &mut self,
        header: Header,
        bytes: &[u8],
        position: Position,
        attribute: AttributeContext,
    ) -> (Option<TreeItem>, usize) {
        let mut reader = Reader::new(bytes);
        let value_offset = position.offset.saturating_add(HEADER_LEN);
        match reader.item() {
            Ok(item) => {
                let used = reader.offset();
                let mut found = TreeItem::new(header, position, used);
                if let (Type::Integer, &[a, b, c, d]) = (item.ty, item.value) {
                    let value = i32::from_be_bytes([a, b, c, d]);
                    note_version(&mut self.version, item.tag, value);
                }
                let is_shown = position.visibility.of_value(item.tag, item.ty) == Visibility::Shown;
                found.is_hidden = !is_shown || !is_text_if_named_so(&item);
                if found.is_hidden {
                    self.hide(value_offset, used.saturating_sub(HEADER_LEN));
                } else {
                    let version = self.version;
                    found.value = Some(ValueText { item, attribute, version }.to_string());
                }
                (Some(found), used)
            }
            Err(_) if tags::name(header.tag).is_none() => {
                self.hide(position.offset, bytes.len());
                (None, bytes.len())
            }
            Err(error) => {
                self.hide(value_offset, bytes.len().saturating_sub(HEADER_LEN));
                let mut found = TreeItem::new(header, position, bytes.len());
                found.is_hidden = true;
                found.error = Some(error.kind.to_string());
                (Some(found), bytes.len())
            }
        }
    }

    /// Notes bytes that must not be shown.
    fn hide(&mut self, offset: usize, len: usize) {
        let end = offset.saturating_add(len);
        match self.hidden.last_mut() {
            Some(last) if offset <= last.end => last.end = last.end.max(end),
            _ if len > 0 => self.hidden.push(offset..end),
            _ => {}
        }
    }
}

impl TreeItem {
    /// An item of so many bytes, without its value.
    fn new(header: Header, position: Position, len: usize) -> Self {
        let tag = tags::name(header.tag).map(str::to_owned);
        Self {
            tag: tag.unwrap_or_else(|| format!("0x{}", header.tag)),
            type_name: Type::from_number(header.ty).map(Type::name),
            bytes: position.offset..position.offset.saturating_add(len),
            value: None,
            is_hidden: false,
            error: None,
            items: Vec::new(),
        }
    }

    /// The first item with this tag, in this item or at any depth in it.
    pub fn find(&self, tag: &str) -> Option<&Self> {
        match self.tag == tag {
            true => Some(self),
            false => self.items.iter().find_map(|item| item.find(tag)),
        }
    }

    /// The value of the item of this tag that is directly in this one.
    pub fn value_of(&self, tag: &str) -> Option<&str> {
        self.items.iter().find(|item| item.tag == tag)?.value.as_deref()
    }
}

/// A text with zeros or of other bytes may be a structure under a wrong type, with a key in it.
fn is_text_if_named_so(item: &Item<'_>) -> bool {
    item.ty != Type::TextString
        || core::str::from_utf8(item.value)
            .is_ok_and(|text| !text.trim_end_matches('\0').contains('\0'))
}

/// A value as the text of a message has it.
struct ValueText<'a> {
    item: Item<'a>,
    attribute: AttributeContext,
    version: Version,
}

impl fmt::Display for ValueText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = TextWriter { f, items: 0, version: self.version };
        writer.value(&self.item, self.attribute)
    }
}

#[cfg(test)]
mod tests {
    use ttlv::Writer;

    use super::{RedactedTree, TreeItem, redacted_tree};
    use crate::redacted_text::redacted_text;
    use crate::vocabulary::tags;

    const KEY: [u8; 16] = [0xC7; 16];

    fn message() -> Vec<u8> {
        let mut w = Writer::default();
        w.structure(tags::ResponseMessage, |w| {
            w.structure(tags::BatchItem, |w| {
                w.enumeration(tags::Operation, 10);
                w.structure(tags::ResponsePayload, |w| {
                    w.text_string(tags::UniqueIdentifier, "id");
                    w.structure(tags::KeyBlock, |w| {
                        w.structure(tags::KeyValue, |w| w.byte_string(tags::KeyMaterial, &KEY));
                        w.integer(tags::CryptographicLength, 128);
                    });
                });
            });
        });
        w.into_bytes()
    }

    /// The bytes of a message that are not in a hidden range.
    fn shown(message: &[u8], tree: &RedactedTree) -> Vec<Vec<u8>> {
        let mut parts = vec![Vec::new()];
        for (at, byte) in message.iter().enumerate() {
            if tree.hidden.iter().any(|range| range.contains(&at)) {
                parts.push(Vec::new());
            } else {
                parts.last_mut().unwrap().push(*byte);
            }
        }
        parts
    }

    fn check_places(item: &TreeItem, message: &[u8]) {
        assert!(item.bytes.end <= message.len(), "{item:?}");
        let mut end = item.bytes.start.saturating_add(8);
        for inner in &item.items {
            assert!(inner.bytes.start == end && inner.bytes.end <= item.bytes.end, "{item:?}");
            end = inner.bytes.end;
            check_places(inner, message);
        }
    }

    #[test]
    fn tree_has_places_and_values_and_hides_the_key() {
        let message = message();
        let tree = redacted_tree(&message);
        let [root] = tree.items.as_slice() else { panic!("{tree:?}") };
        check_places(root, &message);
        assert_eq!((root.tag.as_str(), root.bytes.clone()), ("ResponseMessage", 0..message.len()));
        let item = root.find("BatchItem").unwrap();
        assert_eq!(item.value_of("Operation"), Some("Get"));
        assert_eq!(root.find("UniqueIdentifier").unwrap().value.as_deref(), Some("\"id\""));
        assert_eq!(root.find("CryptographicLength").unwrap().value.as_deref(), Some("128"));
        let key = root.find("KeyMaterial").unwrap();
        assert!(key.is_hidden && key.value.is_none());
        let at = message.windows(KEY.len()).position(|bytes| bytes == KEY).unwrap();
        assert_eq!(tree.hidden.as_slice(), std::slice::from_ref(&(at..at + KEY.len())));
    }

    /// A change of any bit, and any end, shows no more than the text does, and no run of the key.
    #[test]
    fn no_change_of_a_bit_shows_the_key() {
        let message = message();
        for bit in 0..message.len() * 8 {
            let mut changed = message.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            for end in [message.len(), message.len() - 20] {
                let bytes = &changed[..end];
                let tree = redacted_tree(bytes);
                for part in shown(bytes, &tree) {
                    assert!(!part.windows(3).any(|run| run == [0xC7; 3]), "bit {bit}: {tree:?}");
                }
                let text = format!("{tree:?}");
                assert!(!text.contains("C7C7") && !text.contains("199, 199"), "bit {bit}");
                assert_eq!(values(&tree.items), values_of_text(bytes), "bit {bit}");
            }
        }
    }

    fn values(items: &[TreeItem]) -> Vec<String> {
        items
            .iter()
            .flat_map(|item| item.value.iter().cloned().chain(values(&item.items)))
            .collect()
    }

    /// The values in the text of a message.
    fn values_of_text(message: &[u8]) -> Vec<String> {
        let text = redacted_text(message).to_string();
        let lines = text.lines().filter(|line| !line.contains("stopped at byte"));
        let values = lines.filter_map(|line| Some(line.split_once("): ")?.1.to_owned()));
        values
            .filter(|value| !value.starts_with("<hidden") && !value.starts_with("<no text"))
            .collect()
    }
}
