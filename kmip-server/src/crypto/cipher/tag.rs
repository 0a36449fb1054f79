//! The tag of a message: how long it is, and where the one that came stands.
//!
//! ```text
//! a field of the request      data                 tag        KMIP 1.4 on
//! the end of the data         data ........... tag            KMIP 1.2 and 1.3 have no such field
//! ```

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::kind::Kind;
use crate::crypto::error::{Error, Result};

/// The tag of a message under way.
#[derive(Clone)]
pub(crate) struct Tag {
    len: usize,
    expected: Expected,
}

#[derive(Clone)]
enum Expected {
    /// None: the message is encrypted.
    Nothing,
    /// This one.
    Given(Vec<u8>),
    /// The last bytes of the data; here are the last ones so far.
    End(Vec<u8>),
}

impl Tag {
    /// The tag of a message, by the length that the parameters name and by what came.
    pub(crate) fn new(
        kind: Kind,
        len: Option<i32>,
        given: Option<&[u8]>,
        encrypts: bool,
    ) -> Result<Self> {
        let expected = match given {
            _ if encrypts => Expected::Nothing,
            Some(given) => Expected::Given(given.to_vec()),
            None => Expected::End(Vec::new()),
        };
        Ok(Self { len: kind.tag_len(len, given)?, expected })
    }

    /// Bytes of the tag.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The tag out of the whole one that the mode has made.
    pub(crate) fn cut(&self, made: &[u8]) -> Vec<u8> {
        made.get(..self.len).unwrap_or(made).to_vec()
    }

    /// Takes from the data what may be the tag at its end, and gives back what was taken before and
    /// is data after all.
    pub(crate) fn strip(&mut self, data: &mut Zeroizing<Vec<u8>>) {
        let Expected::End(end) = &mut self.expected else { return };
        let mut all = Zeroizing::new([end.as_slice(), data.as_slice()].concat());
        let before = all.len().saturating_sub(self.len);
        *end = all.get(before..).unwrap_or_default().to_vec();
        all.truncate(before);
        *data = all;
    }

    /// Compares the tag that came with the whole one that the mode has made, in a time that tells
    /// nothing of where they differ.
    pub(crate) fn compare(&self, made: &[u8]) -> Result<()> {
        let made = self.cut(made);
        let came = match &self.expected {
            Expected::Nothing => return Err(Error::Internal("compare a tag with none")),
            Expected::Given(came) => came,
            Expected::End(end) if end.len() < self.len => {
                return Err(Error::data(format!(
                    "the data is shorter than the tag of {} bytes that must be its end in KMIP \
                     1.2 and 1.3",
                    self.len
                )));
            }
            Expected::End(end) => end,
        };
        match made.len() == came.len() && bool::from(made.ct_eq(came)) {
            true => Ok(()),
            false => Err(Error::Failed),
        }
    }
}
