//! Which end of a connection asks (2.1, 6.1.54 and 6.2.5).
//!
//! Set Endpoint Role swaps the roles when its batch is durable; from then on `net::exchange`
//! asks.

use std::sync::{Mutex, PoisonError};

use kmip::Version;

/// One connection's roles. A door where they cannot be swapped has none.
#[derive(Debug, Default)]
pub struct Endpoint {
    /// The version in which the server asks, if it does.
    asks: Mutex<Option<Version>>,
}

impl Endpoint {
    /// From now on the server asks, in this version; or it does not.
    pub fn ask(&self, version: Option<Version>) {
        *self.asks.lock().unwrap_or_else(PoisonError::into_inner) = version;
    }

    /// The version in which the server asks.
    pub fn asks(&self) -> Option<Version> {
        *self.asks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
