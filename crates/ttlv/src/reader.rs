//! Bytes to items: the one place where lengths and padding are checked.

use crate::error::{Error, ErrorKind};
use crate::header::HEADER_LEN;
use crate::item::{Item, Tag, Type};

/// How deep structures may be nested. The deepest message of the standard nests nine; the limit
/// keeps a hostile one from using up the stack.
pub const DEPTH_MAX: u8 = 32;

/// Reads items from the bytes of a message, front to back and in place.
///
/// ```text
///                           offset             end
///                             v                 v
///  42 00 78 01 00 00 00 88 |  42 00 77 01 ...   |  ...
///                             '---- rest ----'
/// ```
#[derive(Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Where `rest` ends, in bytes from the start of the message: it stays while reading goes on,
    /// so that an item that is read changes `rest` alone.
    end: usize,
    depth_left: u8,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `message`.
    pub const fn new(message: &'a [u8]) -> Self {
        Self { rest: message, end: message.len(), depth_left: DEPTH_MAX }
    }

    /// The tag of the next item; none at the end of the structure.
    #[inline]
    pub fn peek(&self) -> Option<Tag> {
        self.rest.first_chunk::<3>().map(|&[a, b, c]| Tag(u32::from_be_bytes([0, a, b, c])))
    }

    /// The type of the next item.
    #[inline]
    pub fn peek_type(&self) -> Option<Type> {
        self.rest.get(3).copied().and_then(Type::from_number)
    }

    /// How far reading has come, in bytes from the start of the message.
    #[inline]
    pub const fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    /// Are all items read?
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// An error at the next item, for a caller that finds its value wrong.
    pub const fn error(&self, tag: Tag, kind: ErrorKind) -> Error {
        Error { offset: self.offset(), tag, kind }
    }

    /// Reads the next item, whatever its tag.
    #[inline]
    pub fn item(&mut self) -> Result<Item<'a>, Error> {
        let tag = self.peek().unwrap_or(Tag(0));
        let offset = self.offset();
        let Some(&[_, _, _, number, ..]) = self.rest.first_chunk::<HEADER_LEN>() else {
            return Err(self.error(tag, ErrorKind::Truncated));
        };
        if !tag.is_allowed() {
            return Err(self.error(tag, ErrorKind::Tag));
        }
        let Some(ty) = Type::from_number(number) else {
            return Err(self.error(tag, ErrorKind::UnknownType(number)));
        };
        match self.body(ty) {
            Ok(value) => Ok(Item { tag, ty, offset, value }),
            Err(kind) => Err(self.error(tag, kind)),
        }
    }

    /// Reads the value of the next item, which must be `tag` and `ty`.
    #[inline]
    pub fn value(&mut self, tag: Tag, ty: Type) -> Result<&'a [u8], Error> {
        let [_, a, b, c] = tag.0.to_be_bytes();
        if self.rest.first_chunk() != Some(&[a, b, c, ty.number()]) {
            return Err(self.mismatch(tag, ty));
        }
        self.body(ty).map_err(|kind| self.error(tag, kind))
    }

    /// Why the next item is not `tag` and `ty`.
    #[cold]
    fn mismatch(&self, tag: Tag, ty: Type) -> Error {
        let found = self.peek();
        if found != Some(tag) {
            return self.error(tag, ErrorKind::Missing(found));
        }
        match self.clone().item() {
            Ok(item) => self.error(tag, ErrorKind::Type(item.ty, ty)),
            Err(error) => error,
        }
    }

    /// Steps over the next item, of type `ty`, and gives its value: the one place where length and
    /// padding are checked.
    #[inline]
    fn body(&mut self, ty: Type) -> Result<&'a [u8], ErrorKind> {
        let Some((&[_, _, _, _, a, b, c, d], body)) = self.rest.split_first_chunk::<HEADER_LEN>()
        else {
            return Err(ErrorKind::Truncated);
        };
        let Ok(len) = usize::try_from(u32::from_be_bytes([a, b, c, d])) else {
            return Err(ErrorKind::Truncated);
        };
        let is_allowed = match ty.fixed_len() {
            Some(fixed) => len == fixed,
            None if matches!(ty, Type::Structure) => len % 8 == 0,
            None if matches!(ty, Type::BigInteger) => len % 8 == 0 && len != 0,
            None => true,
        };
        if !is_allowed {
            return Err(ErrorKind::Length(ty, len));
        }
        let Some((value, tail)) = body.split_at_checked(len) else {
            return Err(ErrorKind::Truncated);
        };
        let Some((padding, tail)) = tail.split_at_checked(len.wrapping_neg() & 7) else {
            return Err(ErrorKind::Truncated);
        };
        if padding.iter().any(|&byte| byte != 0) {
            return Err(ErrorKind::Padding);
        }
        self.rest = tail;
        Ok(value)
    }

    /// Reads a structure; every item in it must be read by `body`.
    #[inline]
    pub fn structure<T, E: From<Error>>(
        &mut self,
        tag: Tag,
        body: impl FnOnce(&mut Reader<'a>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut inner = self.enter(tag)?;
        let value = body(&mut inner)?;
        inner.finish(tag)?;
        Ok(value)
    }

    /// Ends the reading of a structure, in which nothing may be left; `tag` is the structure's.
    #[inline]
    pub fn finish(&self, tag: Tag) -> Result<(), Error> {
        match self.is_empty() {
            true => Ok(()),
            false => Err(self.unread_item(tag)),
        }
    }

    /// Why a structure is refused in which something is left.
    #[cold]
    fn unread_item(&self, tag: Tag) -> Error {
        match self.peek() {
            Some(other) => self.error(tag, ErrorKind::Unexpected(other)),
            None => self.error(tag, ErrorKind::Truncated),
        }
    }

    /// Steps over a structure and gives a reader of what is inside.
    #[inline]
    pub fn enter(&mut self, tag: Tag) -> Result<Self, Error> {
        let depth_left = self
            .depth_left
            .checked_sub(1)
            .ok_or_else(|| self.error(tag, ErrorKind::Depth(DEPTH_MAX)))?;
        let start = self.offset().saturating_add(HEADER_LEN);
        let rest = self.value(tag, Type::Structure)?;
        Ok(Self { rest, end: start.saturating_add(rest.len()), depth_left })
    }

    /// Reads a signed number of 32 bits.
    #[inline]
    pub fn integer(&mut self, tag: Tag) -> Result<i32, Error> {
        self.fixed(tag, Type::Integer).map(i32::from_be_bytes)
    }

    /// Reads a signed number of 64 bits.
    #[inline]
    pub fn long_integer(&mut self, tag: Tag) -> Result<i64, Error> {
        self.fixed(tag, Type::LongInteger).map(i64::from_be_bytes)
    }

    /// Reads a signed number of any length: big-endian, two's complement.
    #[inline]
    pub fn big_integer(&mut self, tag: Tag) -> Result<&'a [u8], Error> {
        self.value(tag, Type::BigInteger)
    }

    /// Reads one of a numbered set of values.
    #[inline]
    pub fn enumeration(&mut self, tag: Tag) -> Result<u32, Error> {
        self.fixed(tag, Type::Enumeration).map(u32::from_be_bytes)
    }

    /// Reads true or false.
    #[inline]
    pub fn boolean(&mut self, tag: Tag) -> Result<bool, Error> {
        let offset = self.offset();
        match self.fixed(tag, Type::Boolean).map(u64::from_be_bytes)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Error { offset, tag, kind: ErrorKind::Boolean }),
        }
    }

    /// Reads text.
    #[inline]
    pub fn text_string(&mut self, tag: Tag) -> Result<&'a str, Error> {
        let offset = self.offset();
        let bytes = self.value(tag, Type::TextString)?;
        core::str::from_utf8(bytes).map_err(|_| Error { offset, tag, kind: ErrorKind::Text })
    }

    /// Reads bytes.
    #[inline]
    pub fn byte_string(&mut self, tag: Tag) -> Result<&'a [u8], Error> {
        self.value(tag, Type::ByteString)
    }

    /// Reads a time in seconds since 1970.
    #[inline]
    pub fn date_time(&mut self, tag: Tag) -> Result<i64, Error> {
        self.fixed(tag, Type::DateTime).map(i64::from_be_bytes)
    }

    /// Reads a length of time in seconds.
    #[inline]
    pub fn interval(&mut self, tag: Tag) -> Result<u32, Error> {
        self.fixed(tag, Type::Interval).map(u32::from_be_bytes)
    }

    /// Reads a time in microseconds since 1970.
    #[inline]
    pub fn date_time_extended(&mut self, tag: Tag) -> Result<i64, Error> {
        self.fixed(tag, Type::DateTimeExtended).map(i64::from_be_bytes)
    }

    /// Reads the next item, checks every item inside it, and returns its bytes, header included.
    pub(crate) fn checked_item(&mut self) -> Result<&'a [u8], Error> {
        let before = self.rest;
        let depth_left = self.depth_left;
        self.item()?;
        let used = before.len().saturating_sub(self.rest.len());
        let whole = before.get(..used).unwrap_or_default();
        Reader { rest: whole, end: self.offset(), depth_left }.check()?;
        Ok(whole)
    }

    /// Reads all that is left and checks that every item, however deep, is well formed.
    pub fn check(&mut self) -> Result<(), Error> {
        while !self.is_empty() {
            match (self.peek(), self.peek_type()) {
                (Some(tag), Some(Type::Structure)) if tag.is_allowed() => {
                    self.enter(tag)?.check()?;
                }
                _ => {
                    let item = self.item()?;
                    item.check()?;
                }
            }
        }
        Ok(())
    }

    /// Reads a value of fixed length: at once when the sixteen bytes are as they must be, and else
    /// the long way, which says what is wrong.
    #[inline]
    fn fixed<const N: usize>(&mut self, tag: Tag, ty: Type) -> Result<[u8; N], Error> {
        if let Some((item, tail)) = self.rest.split_first_chunk::<16>()
            && let Some((header, value)) = item.split_first_chunk::<HEADER_LEN>()
            && *header == header_of(tag, ty, N)
            && let Some((value, padding)) = value.split_first_chunk::<N>()
            && padding.iter().all(|&byte| byte == 0)
        {
            self.rest = tail;
            return Ok(*value);
        }
        self.fixed_or_error(tag, ty)
    }

    #[cold]
    fn fixed_or_error<const N: usize>(&mut self, tag: Tag, ty: Type) -> Result<[u8; N], Error> {
        let offset = self.offset();
        let bytes = self.value(tag, ty)?;
        bytes.try_into().map_err(|_| Error {
            offset,
            tag,
            kind: ErrorKind::Length(ty, bytes.len()),
        })
    }
}

/// The header of an item whose value has a length below 256.
#[inline]
const fn header_of(tag: Tag, ty: Type, len: usize) -> [u8; HEADER_LEN] {
    let [_, a, b, c] = tag.0.to_be_bytes();
    let [.., d] = len.to_be_bytes();
    [a, b, c, ty.number(), 0, 0, 0, d]
}

impl Item<'_> {
    /// Checks what the type demands of the value beyond its length.
    fn check(&self) -> Result<(), Error> {
        let fail = |kind| Err(Error { offset: self.offset, tag: self.tag, kind });
        let is_binary = matches!(self.value, [0, 0, 0, 0, 0, 0, 0, 0 | 1]);
        if self.ty == Type::Boolean && !is_binary {
            return fail(ErrorKind::Boolean);
        }
        if self.ty == Type::TextString && core::str::from_utf8(self.value).is_err() {
            return fail(ErrorKind::Text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
