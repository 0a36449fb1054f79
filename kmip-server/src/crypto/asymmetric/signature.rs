//! A message that is signed, or whose signature is verified: whole or in parts, as data or as the
//! hash of it (1.4, 4.31 and 4.32; 2.1, 6.1.55 and 6.1.56).
//!
//! A message can be copied, because a part of a stream may be done again.

use kmip::structures::CryptographicParameters;
use zeroize::Zeroizing;

use crate::crypto::asymmetric::{self, Input, Scheme};
use crate::crypto::hash::algorithms;
use crate::crypto::hash::{self, Hash};
use crate::crypto::held::Held;
use crate::crypto::keys::Key;
use crate::crypto::{Error, Result};

/// What was taken so far.
#[derive(Clone)]
enum Taken {
    /// Data, as its hash under way.
    Hash(Hash),
    /// The hash, given in the place of the data.
    Digest(Zeroizing<Vec<u8>>),
    /// Data that is needed as it is.
    Data(Held),
}

/// A message under way.
#[derive(Clone)]
pub(crate) struct Message {
    scheme: Scheme,
    taken: Taken,
}

impl Message {
    /// Nothing is taken yet.
    pub(crate) fn begin(key: &Key, parameters: &CryptographicParameters) -> Result<Self> {
        let scheme = Scheme::of(key, parameters)?;
        let taken = match scheme.hash() {
            Some(hash) => Taken::Hash(hash::hash(hash)?),
            None => Taken::Data(Held::default()),
        };
        Ok(Self { scheme, taken })
    }

    /// Takes what a request has: data, or the hash of it when it has the whole message.
    pub(crate) fn take(
        &mut self,
        is_whole: bool,
        data: Option<&[u8]>,
        digest: Option<&[u8]>,
    ) -> Result<()> {
        match (data, digest) {
            (Some(_), Some(_)) => {
                Err(Error::parameters("a request has Data or Digested Data, and not both"))
            }
            (Some(data), None) => self.update(data),
            (None, Some(digest)) if is_whole => self.digested(digest),
            (None, Some(_)) => Err(Error::parameters("Digested Data is no part of a message")),
            (None, None) if is_whole => {
                Err(Error::parameters("the request has neither Data nor Digested Data"))
            }
            (None, None) => Ok(()),
        }
    }

    /// Bytes that are held until the last part.
    pub(crate) fn held_len(&self) -> usize {
        match &self.taken {
            Taken::Data(held) => held.len(),
            Taken::Hash(_) | Taken::Digest(_) => 0,
        }
    }

    fn update(&mut self, data: &[u8]) -> Result<()> {
        match &mut self.taken {
            Taken::Hash(hash) => hash.update(data),
            Taken::Digest(_) => return Err(Error::Internal("take data after its hash")),
            Taken::Data(held) => held.push(data)?,
        }
        Ok(())
    }

    fn digested(&mut self, bytes: &[u8]) -> Result<()> {
        let hash = self.scheme.hash().ok_or_else(|| {
            Error::parameters("this signature is of the data itself, and of no Digested Data")
        })?;
        algorithms::check_len(hash, bytes)?;
        self.taken = Taken::Digest(Zeroizing::new(bytes.to_vec()));
        Ok(())
    }

    /// Bytes of the message that a copy duplicates.
    #[cfg(test)]
    pub(crate) fn copied_len(&self) -> usize {
        match &self.taken {
            Taken::Hash(_) => 0,
            Taken::Digest(digest) => digest.len(),
            Taken::Data(held) => held.copied_len(),
        }
    }

    /// Signs what was taken.
    pub(crate) fn sign(self, key: &Key) -> Result<Vec<u8>> {
        match self.taken {
            Taken::Hash(hash) => asymmetric::sign(key, &self.scheme, Input::Digest(&hash.finish())),
            Taken::Digest(digest) => asymmetric::sign(key, &self.scheme, Input::Digest(&digest)),
            Taken::Data(held) => {
                asymmetric::sign(key, &self.scheme, Input::Data(&held.finish(&[])?))
            }
        }
    }

    /// Is it the signature of what was taken?
    pub(crate) fn verify(self, key: &Key, signature: &[u8]) -> Result<bool> {
        let taken;
        let input = match self.taken {
            Taken::Hash(hash) => {
                taken = hash.finish();
                Input::Digest(&taken)
            }
            Taken::Digest(digest) => {
                taken = digest;
                Input::Digest(&taken)
            }
            Taken::Data(held) => {
                taken = held.finish(&[])?;
                Input::Data(&taken)
            }
        };
        asymmetric::verify(key, &self.scheme, input, signature)
    }
}
