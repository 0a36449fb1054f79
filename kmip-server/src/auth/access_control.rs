//! May this client do anything with this object? One check, in one place, before every operation.
//!
//! An object belongs to the client that made it. To every other client it does not exist: the
//! answer is the same as for an identifier that was never given. A client that acts for another
//! (2.1, 6.1.12) has that client's objects, and of these what its rights name.

use kmip::attributes::AttributeValue;
use kmip::vocabulary::Operation;

use crate::auth::client::Client;
use crate::auth::rights::Right;
use crate::objects::record::{Known, is_in};

/// May the operation be asked for at all?
pub(crate) fn may_ask(client: &Client, operation: Operation) -> bool {
    client.rights.as_ref().is_none_or(|rights| rights.any(operation, |_| true))
}

/// May `client` know of the object, to do this with it?
pub(crate) fn may(client: &Client, operation: Operation, id: &str, known: &impl Known) -> bool {
    let is_covered = |right: &Right| {
        right.objects.as_ref().is_none_or(|these| these.iter().any(|this| this == id))
            && is_in_a_group(right, |group| known.is_in(group))
    };
    client.owner == known.owner()
        && client.rights.as_ref().is_none_or(|rights| rights.any(operation, is_covered))
}

/// May a new object with these attributes be made? One that does not exist yet is in no list of
/// objects.
pub(crate) fn may_make<'a>(
    client: &Client,
    operation: Operation,
    values: impl Iterator<Item = &'a AttributeValue> + Clone,
) -> bool {
    let is_covered = |right: &Right| {
        right.objects.is_none() && is_in_a_group(right, |group| is_in(values.clone(), group))
    };
    client.rights.as_ref().is_none_or(|rights| rights.any(operation, is_covered))
}

fn is_in_a_group(right: &Right, is_in: impl Fn(&str) -> bool) -> bool {
    right.object_groups.as_ref().is_none_or(|groups| groups.iter().any(|group| is_in(group)))
}
