//! Operations in which an action has something to change.

use kmip::vocabulary::Operation;

use super::action::Action;

/// Operations that change nothing on a server. Cryptographic ones are among them: they draw on
/// Usage Limits, but a replica that only reads performs them.
const READS: &[Operation] = &[
    Operation::Cancel,
    Operation::Check,
    Operation::Decrypt,
    Operation::DiscoverVersions,
    Operation::Encrypt,
    Operation::Export,
    Operation::Get,
    Operation::GetAttributeList,
    Operation::GetAttributes,
    Operation::GetConstraints,
    Operation::Hash,
    Operation::Locate,
    Operation::Login,
    Operation::Logout,
    Operation::MAC,
    Operation::MACVerify,
    Operation::ObtainLease,
    Operation::Ping,
    Operation::Poll,
    Operation::Query,
    Operation::QueryAsynchronousRequests,
    Operation::RNGRetrieve,
    Operation::SetEndpointRole,
    Operation::Sign,
    Operation::SignatureVerify,
    Operation::Validate,
];

/// Operations that make an object.
const CREATES: &[Operation] = &[
    Operation::Certify,
    Operation::Create,
    Operation::CreateKeyPair,
    Operation::CreateSplitKey,
    Operation::DeriveKey,
    Operation::Import,
    Operation::JoinSplitKey,
    Operation::ReCertify,
    Operation::ReKey,
    Operation::ReKeyKeyPair,
    Operation::Register,
];

/// Returns whether an operation changes something on a server.
pub(crate) fn is_write(operation: Operation) -> bool {
    !READS.contains(&operation)
}

/// Returns whether an operation makes an object.
pub(crate) fn creates(operation: Operation) -> bool {
    CREATES.contains(&operation)
}

/// Returns whether the action has something to change in this operation, or in a message without
/// one that can be read.
pub(super) fn concerns(action: &Action, operation: Option<Operation>) -> bool {
    match action {
        Action::Delay { .. }
        | Action::Drop { .. }
        | Action::Reset { .. }
        | Action::Truncate { .. }
        | Action::CorruptLength { .. }
        | Action::CloseWhenIdle { .. }
        | Action::Version { .. }
        | Action::TooLarge { .. } => true,
        Action::Fail { .. }
        | Action::Succeed { .. }
        | Action::NotFound
        | Action::Identifier { .. }
        | Action::Forget
        | Action::Personality(_) => operation.is_some(),
        Action::State { .. } => {
            matches!(operation, Some(Operation::GetAttributes | Operation::Export))
        }
        Action::KeyBytes { .. } => matches!(operation, Some(Operation::Get | Operation::Export)),
        Action::ReadOnly | Action::ReplicaLag { .. } => operation.is_some_and(is_write),
    }
}
