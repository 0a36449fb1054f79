//! What the first part of a message says of all of it.
//!
//! A later part may say it again. It must not say anything else, which would be ignored: additional
//! data must come with the first part, and so must the tag (1.4, 4.29 and 4.30; 2.1, 6.1.11 and
//! 6.1.17).

use kmip::SecretBytes;
use kmip::structures::CryptographicParameters;

use crate::objects::error::{OperationError, Result};

/// What a part says of its whole message.
#[derive(Default)]
pub(crate) struct Terms {
    /// How it is done.
    pub parameters: Option<Box<CryptographicParameters>>,
    /// The vector, counter or nonce, also one that the server has made.
    pub vector: Option<Vec<u8>>,
    /// What is vouched for and stays as it is.
    pub additional: Option<SecretBytes>,
    /// What vouches for it.
    pub tag: Option<Vec<u8>>,
}

impl Terms {
    /// Terms that are parameters alone; an empty structure says nothing.
    pub(crate) fn of(parameters: Option<Box<CryptographicParameters>>) -> Self {
        let parameters = parameters.filter(|said| **said != CryptographicParameters::default());
        Self { parameters, ..Self::default() }
    }

    /// Bytes of it. Additional data may stand in the state of the cipher a second time.
    pub(crate) fn held_len(&self) -> usize {
        let additional = self.additional.as_ref().map_or(0, |data| data.as_bytes().len());
        let vector = self.vector.as_ref().map_or(0, Vec::len);
        additional.saturating_mul(2).saturating_add(vector)
    }

    /// Terms of a first part, by the parameters that it is done with.
    pub(crate) fn settled(parameters: CryptographicParameters) -> Self {
        Self { parameters: Some(Box::new(parameters)), ..Self::default() }
    }

    /// Refuses a later part that says anything else than the first one did.
    pub(crate) fn check_repeated(&self, later: &Self) -> Result<()> {
        let Self { parameters, vector, additional, tag } = later;
        let rows = [
            ("Cryptographic Parameters", parameters.is_none() || *parameters == self.parameters),
            ("IV/Counter/Nonce", vector.is_none() || *vector == self.vector),
            (
                "Authenticated Encryption Additional Data",
                additional.is_none() || *additional == self.additional,
            ),
            ("Authenticated Encryption Tag", tag.is_none() || *tag == self.tag),
        ];
        match rows.iter().find(|(_, holds)| !holds) {
            None => Ok(()),
            Some((what, _)) => Err(differs(what)),
        }
    }
}

/// A later part that says something else than a part before it.
pub(crate) fn differs(what: &str) -> OperationError {
    OperationError::invalid_field(format!(
        "{what} of a later part must be that of the part that began the message, or left out"
    ))
}
