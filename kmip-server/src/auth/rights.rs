//! Rights of a client that acts for another (2.1, 6.1.12, 7.34 and 7.35).

use kmip::vocabulary::Operation;

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
    pub(crate) fn any(&self, operation: Operation, covers: impl Fn(&Right) -> bool) -> bool {
        let allows = |right: &Right| {
            right.operations.as_ref().is_none_or(|these| these.contains(&operation))
        };
        !NEVER.contains(&operation) && self.0.iter().any(|right| allows(right) && covers(right))
    }
}
