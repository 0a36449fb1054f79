//! The parameters of a PKCS#11 function as bytes (2.1 profiles, 5.18.1).
//!
//! ```text
//! CK_BYTE, CK_BBOOL        1 byte
//! CK_ULONG, handles        8 bytes, the greatest first
//! a count or a length      4 bytes, before what it counts
//! what may be absent       1 byte, 0 or 1, before it
//! room for an answer       1 byte "is it wanted", and if so the room for it as a length
//! ```
//!
//! Knows no function and no module. **No length is believed before the bytes are there.**

use zeroize::Zeroizing;

/// The bytes are not those of the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the PKCS#11 input parameters end too early, go on too long, or hold a flag beside 0 and 1"
)]
pub(crate) struct Malformed;

/// Reads parameters, one after another.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Malformed> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    pub(crate) fn ulong(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn count(&mut self) -> Result<usize, Malformed> {
        let count = self.array().map(u32::from_be_bytes)?;
        usize::try_from(count).map_err(|_| Malformed)
    }

    /// Bytes after their count.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let count = self.count()?;
        let (first, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(first)
    }

    /// The room for an answer; `None` where only its length is wanted.
    pub(crate) fn room(&mut self) -> Result<Option<usize>, Malformed> {
        match self.flag()? {
            true => self.count().map(Some),
            false => Ok(None),
        }
    }

    /// Reads all parameters, of which nothing may be left. A function acts on them only then.
    pub(crate) fn all<T>(
        mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        let parameters = read(&mut self)?;
        match self.0 {
            [] => Ok(parameters),
            _ => Err(Malformed),
        }
    }
}

/// Writes what a function gives, one after another.
#[derive(Default)]
pub(crate) struct Output(Zeroizing<Vec<u8>>);

impl Output {
    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn ulong(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
    }

    /// Text in a field of `len` bytes, filled up with blanks.
    pub(crate) fn padded(&mut self, text: &str, len: usize) {
        let bytes = text.as_bytes();
        let text = bytes.get(..len).unwrap_or(bytes);
        self.0.extend_from_slice(text);
        let blanks = len.saturating_sub(text.len());
        self.0.extend(std::iter::repeat_n(b' ', blanks));
    }

    /// Bytes after their count.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        // In one piece, so that nothing is left behind by growing in steps.
        self.0.reserve_exact(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Input, Malformed, Output};

    /// 2.1 profiles, 5.18.2: the head of C_EncryptUpdate, its data cut to four bytes.
    #[test]
    fn parameters_of_the_profile() {
        let bytes = [
            &[0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78][..],
            &[0, 0, 0, 4, 1, 2, 3, 4],
            &[1, 0, 0, 1, 0],
        ]
        .concat();
        let read = Input::new(&bytes).all(|i| Ok((i.ulong()?, i.bytes()?, i.room()?)));
        assert_eq!(read, Ok((0x1234_5678, &[1, 2, 3, 4][..], Some(256))));
    }

    #[test]
    fn what_is_too_short_too_long_or_no_flag_is_refused() {
        assert_eq!(Input::new(&[0, 0, 0]).count(), Err(Malformed));
        assert_eq!(Input::new(&[0xFF, 0xFF, 0xFF, 0xFF, 1]).bytes(), Err(Malformed));
        assert_eq!(Input::new(&[2]).flag(), Err(Malformed));
        assert_eq!(Input::new(&[1]).room(), Err(Malformed));
        assert_eq!(Input::new(&[1]).all(|_| Ok(())), Err(Malformed));
    }

    #[test]
    fn text_is_filled_up_or_cut() {
        let mut output = Output::default();
        output.padded("ab", 4);
        output.padded("abcdef", 4);
        assert_eq!(*output.into_bytes(), b"ab  abcd");
    }
}
