//! Buffer of text that may hold a key.

use core::fmt;

use zeroize::Zeroizing;

/// Capacity at the first write.
const START_CAPACITY: usize = 64;

/// Buffer of text that may hold a key: zeroized when it is dropped, and when it grows.
#[derive(Default)]
pub struct SecretTextBuffer(Zeroizing<String>);

impl SecretTextBuffer {
    /// Creates a buffer with room for `len` bytes.
    pub fn with_capacity(len: usize) -> Self {
        Self(Zeroizing::new(String::with_capacity(len)))
    }

    /// Appends text. An outgrown buffer is zeroized before its memory is given back.
    pub fn push_str(&mut self, text: &str) {
        let len = self.0.len().saturating_add(text.len());
        if len > self.0.capacity() {
            let capacity = len.max(self.0.capacity().saturating_mul(2)).max(START_CAPACITY);
            let mut larger = Zeroizing::new(String::with_capacity(capacity));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(text);
    }

    /// Appends bytes as hex.
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

impl fmt::Write for SecretTextBuffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

impl fmt::Debug for SecretTextBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretTextBuffer({} bytes)", self.0.len())
    }
}
