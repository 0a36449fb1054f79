//! Which operations may be sent again when it is not known whether they were done.
//!
//! Data: one row an operation. Twice is as good as once only if the second time changes nothing
//! **and answers the same**: a second Destroy would say that there is no such object.

use crate::payload::RequestPayload;
use crate::vocabulary::Operation;

/// What it means to do an operation twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing.
    ReadOnly,
    /// The second time it changes nothing, and answers the same.
    Idempotent,
    /// It makes a second object, counts again, or is refused.
    Once,
}

use Repeat::{Idempotent, Once, ReadOnly};

/// Every operation that has a name.
pub const REPEAT: &[(Operation, Repeat)] = &[
    (Operation::Create, Once),
    (Operation::CreateKeyPair, Once),
    (Operation::Register, Once),
    (Operation::ReKey, Once),
    (Operation::DeriveKey, Once),
    (Operation::Certify, Once),
    (Operation::ReCertify, Once),
    (Operation::Locate, ReadOnly),
    (Operation::Check, ReadOnly),
    (Operation::Get, ReadOnly),
    (Operation::GetAttributes, ReadOnly),
    (Operation::GetAttributeList, ReadOnly),
    (Operation::AddAttribute, Once),
    (Operation::ModifyAttribute, Idempotent),
    (Operation::DeleteAttribute, Once),
    (Operation::ObtainLease, Idempotent),
    (Operation::GetUsageAllocation, Once),
    (Operation::Activate, Once),
    (Operation::Revoke, Once),
    (Operation::Destroy, Once),
    (Operation::Archive, Once),
    (Operation::Recover, Once),
    (Operation::Validate, ReadOnly),
    (Operation::Query, ReadOnly),
    (Operation::Cancel, Once),
    // The result may be handed out once.
    (Operation::Poll, Once),
    (Operation::Notify, Once),
    (Operation::Put, Once),
    (Operation::ReKeyKeyPair, Once),
    (Operation::DiscoverVersions, ReadOnly),
    // Applying protection counts against Usage Limits, undoing it does not (1.4, 3.21).
    (Operation::Encrypt, Once),
    (Operation::Decrypt, ReadOnly),
    (Operation::Sign, Once),
    (Operation::SignatureVerify, ReadOnly),
    (Operation::MAC, Once),
    (Operation::MACVerify, ReadOnly),
    (Operation::RNGRetrieve, ReadOnly),
    (Operation::RNGSeed, Idempotent),
    (Operation::Hash, ReadOnly),
    (Operation::CreateSplitKey, Once),
    (Operation::JoinSplitKey, Once),
    (Operation::Import, Once),
    (Operation::Export, ReadOnly),
    (Operation::Log, Once),
    (Operation::Login, Once),
    (Operation::Logout, Once),
    (Operation::DelegatedLogin, Once),
    (Operation::AdjustAttribute, Once),
    (Operation::SetAttribute, Idempotent),
    (Operation::SetEndpointRole, Once),
    (Operation::PKCS_11, Once),
    (Operation::Interop, Once),
    (Operation::ReProvision, Once),
    (Operation::SetDefaults, Idempotent),
    (Operation::SetConstraints, Idempotent),
    (Operation::GetConstraints, ReadOnly),
    (Operation::QueryAsynchronousRequests, ReadOnly),
    (Operation::Process, Once),
    (Operation::Ping, ReadOnly),
    (Operation::CreateGroup, Once),
    (Operation::Obliterate, Once),
    (Operation::CreateUser, Once),
    (Operation::CreateCredential, Once),
    (Operation::Deactivate, Once),
];

/// What it means to do the operation twice; a vendor's own may do anything.
pub(super) fn repeat(operation: Operation) -> Repeat {
    REPEAT.iter().find(|(known, _)| *known == operation).map_or(Once, |(_, repeat)| *repeat)
}

/// The first of these that may not be done twice.
pub(super) fn first_once<'a>(
    payloads: impl Iterator<Item = &'a RequestPayload>,
) -> Option<Operation> {
    payloads.map(RequestPayload::operation).find(|operation| repeat(*operation) == Once)
}

#[cfg(test)]
mod tests {
    use super::{Once, REPEAT, Repeat, repeat};
    use crate::vocabulary::Operation;

    #[test]
    fn every_operation_has_one_row() {
        for row in Operation::ROWS {
            let operation = Operation(row.value);
            let rows = REPEAT.iter().filter(|(known, _)| *known == operation).count();
            assert_eq!(rows, 1, "{operation:?}");
        }
        assert_eq!(REPEAT.len(), Operation::ROWS.len());
    }

    #[test]
    fn an_operation_without_a_name_is_done_once() {
        assert_eq!(repeat(Operation(0x8000_0001)), Once);
        assert_eq!(repeat(Operation::Get), Repeat::ReadOnly);
    }
}
