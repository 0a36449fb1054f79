//! May this client do anything with this object? One check, in one place, before every operation.
//!
//! An object belongs to the client that made it. To every other client it does not exist: the
//! answer is the same as for an identifier that was never given.

use crate::identity::Client;
use crate::record::Metadata;

/// May `client` know of the object?
pub fn may(client: &Client, metadata: &Metadata) -> bool {
    client.owner == metadata.owner
}
