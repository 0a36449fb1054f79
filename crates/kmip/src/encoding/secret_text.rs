//! Text that may hold a key: zeroized when it is dropped, and when it grows.

use core::fmt;

use zeroize::Zeroizing;

/// Room that a page starts with.
const START_CAPACITY: usize = 64;

/// Text as it is being written.
#[derive(Default)]
pub struct Page(Zeroizing<String>);

impl Page {
    /// A page with room for so many bytes.
    pub fn with_capacity(len: usize) -> Self {
        Self(Zeroizing::new(String::with_capacity(len)))
    }

    /// Writes text behind what is there. A page that is outgrown is zeroized before its memory is
    /// given back.
    pub fn push_str(&mut self, text: &str) {
        let len = self.0.len().saturating_add(text.len());
        if len > self.0.capacity() {
            let capacity = len.max(self.0.capacity().saturating_mul(2)).max(START_CAPACITY);
            let mut roomier = Zeroizing::new(String::with_capacity(capacity));
            roomier.push_str(&self.0);
            self.0 = roomier;
        }
        self.0.push_str(text);
    }

    /// Writes bytes as hex.
    pub fn push_hex(&mut self, bytes: &[u8]) {
        for byte in bytes {
            // A byte is two digits.
            let _ = fmt::write(self, format_args!("{byte:02x}"));
        }
    }

    /// The text.
    pub fn into_text(self) -> Zeroizing<String> {
        self.0
    }
}

impl fmt::Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page({} bytes)", self.0.len())
    }
}
