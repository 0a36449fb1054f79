//! Availability of operations: by the server, the version of the message and the settings.

use kmip::payload::OPERATIONS;
use kmip::vocabulary::Operation;

use crate::keystore::Context;

/// Operations that a server sends and does not receive (2.1, 6.2).
const SENT_BY_SERVERS: [Operation; 2] = [Operation::Notify, Operation::Put];

/// Operations that this server performs, in any version.
pub(crate) fn served() -> impl Iterator<Item = Operation> {
    OPERATIONS.iter().copied().filter(|operation| is_served(*operation))
}

/// Returns whether this server performs the operation, in any version.
pub(crate) fn is_served(operation: Operation) -> bool {
    OPERATIONS.contains(&operation) && !SENT_BY_SERVERS.contains(&operation)
}

/// Returns whether the server performs this operation in the version of the message, by its
/// settings. Discover Versions is answered in every version, since a client asks it first.
pub(crate) fn is_available(cx: &Context<'_>, operation: Operation) -> bool {
    let is_allowed = match operation {
        Operation::Interop => cx.policy.interop,
        Operation::PKCS_11 => cx.state.pkcs11.is_some(),
        Operation::Certify | Operation::ReCertify => cx.state.authority.is_some(),
        _ => true,
    };
    let is_known = operation.exists_in(cx.version) || operation == Operation::DiscoverVersions;
    is_served(operation) && is_known && is_allowed
}
