//! May this client do anything with this object? One check, in one place, before every operation.
//!
//! An object belongs to the client that made it. To every other client it does not exist: the
//! answer is the same as for an identifier that was never given. A client that acts for another
//! (2.1, 6.1.12) has that client's objects, and of these what its rights name.

use kmip::attributes::AttributeValue;
use kmip::vocabulary::Operation;

use crate::auth::client::Client;
use crate::objects::record::{Known, is_in};

/// What a client may do that acts for another: what one of these allows (2.1, 7.34 and 7.35).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights(pub Vec<Right>);

/// One right. What is absent is not restricted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Right {
    /// These operations.
    pub operations: Option<Vec<Operation>>,
    /// On these objects.
    pub objects: Option<Vec<String>>,
    /// On the objects of these groups.
    pub object_groups: Option<Vec<String>>,
}

/// What no ticket lets anyone do for another: it is about the client itself or the server, or
/// about results that no right can be asked for.
const NEVER: &[Operation] = &[
    Operation::Cancel,
    Operation::DelegatedLogin,
    Operation::Interop,
    Operation::Login,
    Operation::Logout,
    Operation::PKCS_11,
    Operation::Poll,
    Operation::Process,
    Operation::QueryAsynchronousRequests,
    Operation::ReProvision,
    Operation::SetConstraints,
    Operation::SetDefaults,
    Operation::SetEndpointRole,
];

impl Rights {
    fn any(&self, operation: Operation, covers: impl Fn(&Right) -> bool) -> bool {
        let allows = |right: &Right| {
            right.operations.as_ref().is_none_or(|these| these.contains(&operation))
        };
        !NEVER.contains(&operation) && self.0.iter().any(|right| allows(right) && covers(right))
    }
}

/// May the operation be asked for at all?
pub fn may_ask(client: &Client, operation: Operation) -> bool {
    client.rights.as_ref().is_none_or(|rights| rights.any(operation, |_| true))
}

/// May `client` know of the object, to do this with it?
pub fn may(client: &Client, operation: Operation, id: &str, known: &impl Known) -> bool {
    let is_covered = |right: &Right| {
        right.objects.as_ref().is_none_or(|these| these.iter().any(|this| this == id))
            && is_in_a_group(right, |group| known.is_in(group))
    };
    client.owner == known.owner()
        && client.rights.as_ref().is_none_or(|rights| rights.any(operation, is_covered))
}

/// May a new object with these attributes be made? One that does not exist yet is in no list of
/// objects.
pub fn may_make<'a>(
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
