//! Items that nobody here reads, kept as they came.

use core::fmt;

use zeroize::Zeroize;

use crate::error::Error;
use crate::item::Tag;
use crate::reader::Reader;
use crate::writer::Writer;

/// Items kept as the bytes they came in, because nothing here needs to know what they mean.
///
/// What we do not know survives a round trip. The bytes may hold a key: they are zeroized when
/// dropped, and `Debug` shows their length alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Raw(Vec<u8>);

impl Raw {
    /// Keeps whole items; the caller has read them with a [`Reader`].
    pub fn new(items: &[u8]) -> Self {
        Self(items.to_vec())
    }

    /// Keeps what `body` writes.
    pub fn build(body: impl FnOnce(&mut Writer)) -> Self {
        let mut w = Writer::default();
        body(&mut w);
        Self::new(w.as_bytes())
    }

    /// The items' bytes, headers and padding included.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads the items.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(&self.0)
    }

    /// The tag of the first item.
    pub fn tag(&self) -> Option<Tag> {
        self.reader().peek()
    }
}

impl Reader<'_> {
    /// Reads the next item without looking at its meaning; what is inside is checked too.
    pub fn raw(&mut self) -> Result<Raw, Error> {
        self.checked_item().map(Raw::new)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}
