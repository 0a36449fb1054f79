//! Items to bytes.

use zeroize::Zeroize;

use crate::header::HEADER_LEN;
use crate::item::{Tag, Type};

/// Room that a writer starts with: most messages of the standard's examples fit.
const START_CAPACITY: usize = 512;

/// Writes items, one after another.
///
/// A message may hold a key, so the buffer is zeroized when it is dropped and when it grows.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Writes a structure around what `body` writes; its length is put in once it is known.
    #[inline]
    pub fn structure(&mut self, tag: Tag, body: impl FnOnce(&mut Self)) {
        self.header(tag, Type::Structure, 0);
        let start = self.bytes.len();
        body(self);
        let len = wire_len(self.bytes.len().saturating_sub(start));
        if let Some(field) = self.bytes.get_mut(start.saturating_sub(4)..start) {
            field.copy_from_slice(&len.to_be_bytes());
        }
    }

    /// Writes a signed number of 32 bits.
    #[inline]
    pub fn integer(&mut self, tag: Tag, value: i32) {
        self.word(tag, Type::Integer, value.to_be_bytes());
    }

    /// Writes a signed number of 64 bits.
    #[inline]
    pub fn long_integer(&mut self, tag: Tag, value: i64) {
        self.double_word(tag, Type::LongInteger, value.to_be_bytes());
    }

    /// Writes a signed number in big-endian two's complement, lengthened by its sign to a
    /// multiple of eight bytes (1.4, 9.1.1.4).
    pub fn big_integer(&mut self, tag: Tag, value: &[u8]) {
        let len = value.len().next_multiple_of(8).max(8);
        let sign = match value.first() {
            Some(first) if first & 0x80 != 0 => 0xFF,
            _ => 0x00,
        };
        self.header(tag, Type::BigInteger, len);
        self.reserve(len);
        let filled = self.bytes.len().saturating_add(len).saturating_sub(value.len());
        self.bytes.resize(filled, sign);
        self.bytes.extend_from_slice(value);
    }

    /// Writes one of a numbered set of values.
    #[inline]
    pub fn enumeration(&mut self, tag: Tag, value: u32) {
        self.word(tag, Type::Enumeration, value.to_be_bytes());
    }

    /// Writes true or false.
    #[inline]
    pub fn boolean(&mut self, tag: Tag, value: bool) {
        self.double_word(tag, Type::Boolean, u64::from(value).to_be_bytes());
    }

    /// Writes text.
    #[inline]
    pub fn text_string(&mut self, tag: Tag, value: &str) {
        self.item(tag, Type::TextString, value.as_bytes());
    }

    /// Writes bytes.
    #[inline]
    pub fn byte_string(&mut self, tag: Tag, value: &[u8]) {
        self.item(tag, Type::ByteString, value);
    }

    /// Writes a time in seconds since 1970.
    #[inline]
    pub fn date_time(&mut self, tag: Tag, seconds: i64) {
        self.double_word(tag, Type::DateTime, seconds.to_be_bytes());
    }

    /// Writes a length of time in seconds.
    #[inline]
    pub fn interval(&mut self, tag: Tag, seconds: u32) {
        self.word(tag, Type::Interval, seconds.to_be_bytes());
    }

    /// Writes a time in microseconds since 1970.
    #[inline]
    pub fn date_time_extended(&mut self, tag: Tag, microseconds: i64) {
        self.double_word(tag, Type::DateTimeExtended, microseconds.to_be_bytes());
    }

    /// Writes an item of any type and its padding.
    #[inline]
    pub fn item(&mut self, tag: Tag, ty: Type, value: &[u8]) {
        self.header(tag, ty, value.len());
        self.raw(value);
        let padding = [0; 7];
        let missing = self.bytes.len().wrapping_neg() & 7;
        self.raw(padding.get(..missing).unwrap_or_default());
    }

    /// Writes whole items that are bytes already, under the tags they have.
    #[inline]
    pub fn raw(&mut self, items: &[u8]) {
        self.reserve(items.len());
        self.bytes.extend_from_slice(items);
    }

    /// The bytes written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes written; whoever takes them zeroizes them.
    pub fn into_bytes(mut self) -> Vec<u8> {
        core::mem::take(&mut self.bytes)
    }

    #[inline]
    fn word(&mut self, tag: Tag, ty: Type, [a, b, c, d]: [u8; 4]) {
        self.sixteen_bytes(tag, ty, 4, [a, b, c, d, 0, 0, 0, 0]);
    }

    #[inline]
    fn double_word(&mut self, tag: Tag, ty: Type, value: [u8; 8]) {
        self.sixteen_bytes(tag, ty, 8, value);
    }

    /// Writes an item of sixteen bytes at once.
    #[inline]
    fn sixteen_bytes(&mut self, tag: Tag, ty: Type, len: u8, [e, f, g, h, i, j, k, l]: [u8; 8]) {
        let [_, a, b, c] = tag.0.to_be_bytes();
        let ty = ty.number();
        self.reserve(16);
        self.bytes.extend_from_slice(&[a, b, c, ty, 0, 0, 0, len, e, f, g, h, i, j, k, l]);
    }

    #[inline]
    fn header(&mut self, tag: Tag, ty: Type, len: usize) {
        let [_, a, b, c] = tag.0.to_be_bytes();
        let [d, e, f, g] = wire_len(len).to_be_bytes();
        self.reserve(HEADER_LEN);
        self.bytes.extend_from_slice(&[a, b, c, ty.number(), d, e, f, g]);
    }

    /// Makes room; a buffer that is outgrown is zeroized before its memory is given back.
    #[inline]
    fn reserve(&mut self, more: usize) {
        if self.bytes.capacity().saturating_sub(self.bytes.len()) < more {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let wanted = self.bytes.len().saturating_add(more);
        let capacity = wanted.max(self.bytes.capacity().saturating_mul(2)).max(START_CAPACITY);
        let mut larger = Vec::with_capacity(capacity);
        larger.extend_from_slice(&self.bytes);
        wipe(&mut self.bytes);
        self.bytes = larger;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}

/// Zeroizes a buffer that has memory. One that has none is left alone: to fill nothing at an
/// address that is no memory's sends a processor with masked stores on its slow path, for a quarter
/// of the time that a small message takes.
fn wipe(bytes: &mut Vec<u8>) {
    if bytes.capacity() != 0 {
        bytes.zeroize();
    }
}

/// A length as the wire has it. No message of ours comes near 4 GiB; one that did would carry the
/// greatest length there is, which every reader refuses.
fn wire_len(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
