//! Material of a managed object: the object itself.

use kmip::objects::Object;
use kmip::vocabulary::tags;
use kmip::{Decode, Encode, Version};
use ttlv::{Error, Reader, Writer};

use super::tags::{KEPT_VERSION, kept};
use crate::secret::SecretBuffer;
use crate::store::root_key::HASH_LEN;

/// The object itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Material {
    /// The version that it was given in; it is kept in the form that it came in.
    pub version: Version,
    /// The object.
    pub object: Object,
}

impl Material {
    /// The key of the row.
    pub(crate) fn key(id: &str) -> Vec<u8> {
        [b"k/", id.as_bytes()].concat()
    }

    /// The key of the row, where the client chose the identifier; `chosen` says whose it is.
    pub(crate) fn chosen_key(chosen: [u8; HASH_LEN], id: &str) -> Vec<u8> {
        [b"K/", chosen.as_slice(), id.as_bytes()].concat()
    }

    /// The bytes to be kept.
    pub(crate) fn encode(&self) -> SecretBuffer {
        let mut w = Writer::default();
        w.structure(kept::MATERIAL, |w| {
            self.version.encode(tags::ProtocolVersion, w, self.version);
            self.object.encode_any(w, self.version);
        });
        SecretBuffer::new(w.into_bytes())
    }

    /// Reads what was kept.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        Reader::new(bytes).structure(kept::MATERIAL, |r| {
            let version = Version::decode(tags::ProtocolVersion, r, KEPT_VERSION)?;
            let object = Object::decode_any(r, version)?;
            Ok(Self { version, object })
        })
    }
}
