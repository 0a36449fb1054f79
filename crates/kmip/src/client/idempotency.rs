//! Operations that may be sent again when it is not known whether they were done.
//!
//! One row for each operation. An operation is idempotent only if the second time changes nothing
//! **and answers the same**: a second Destroy answers that there is no such object.

use crate::payload::RequestPayload;
use crate::vocabulary::Operation;

/// Effect of doing an operation twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// It changes nothing.
    ReadOnly,
    /// The second time it changes nothing, and answers the same.
    Idempotent,
    /// It makes a second object, counts again, or is refused.
    NotIdempotent,
}

use Idempotency::{Idempotent, NotIdempotent, ReadOnly};

/// Every operation that has a name.
pub const IDEMPOTENCY: &[(Operation, Idempotency)] = &[
    (Operation::Create, NotIdempotent),
    (Operation::CreateKeyPair, NotIdempotent),
    (Operation::Register, NotIdempotent),
    (Operation::ReKey, NotIdempotent),
    (Operation::DeriveKey, NotIdempotent),
    (Operation::Certify, NotIdempotent),
    (Operation::ReCertify, NotIdempotent),
    (Operation::Locate, ReadOnly),
    (Operation::Check, ReadOnly),
    (Operation::Get, ReadOnly),
    (Operation::GetAttributes, ReadOnly),
    (Operation::GetAttributeList, ReadOnly),
    (Operation::AddAttribute, NotIdempotent),
    (Operation::ModifyAttribute, Idempotent),
    (Operation::DeleteAttribute, NotIdempotent),
    (Operation::ObtainLease, Idempotent),
    (Operation::GetUsageAllocation, NotIdempotent),
    (Operation::Activate, NotIdempotent),
    (Operation::Revoke, NotIdempotent),
    (Operation::Destroy, NotIdempotent),
    (Operation::Archive, NotIdempotent),
    (Operation::Recover, NotIdempotent),
    (Operation::Validate, ReadOnly),
    (Operation::Query, ReadOnly),
    (Operation::Cancel, NotIdempotent),
    // The result may be handed out once.
    (Operation::Poll, NotIdempotent),
    (Operation::Notify, NotIdempotent),
    (Operation::Put, NotIdempotent),
    (Operation::ReKeyKeyPair, NotIdempotent),
    (Operation::DiscoverVersions, ReadOnly),
    // Applying protection counts against Usage Limits, undoing it does not (1.4, 3.21).
    (Operation::Encrypt, NotIdempotent),
    (Operation::Decrypt, ReadOnly),
    (Operation::Sign, NotIdempotent),
    (Operation::SignatureVerify, ReadOnly),
    (Operation::MAC, NotIdempotent),
    (Operation::MACVerify, ReadOnly),
    (Operation::RNGRetrieve, ReadOnly),
    (Operation::RNGSeed, Idempotent),
    (Operation::Hash, ReadOnly),
    (Operation::CreateSplitKey, NotIdempotent),
    (Operation::JoinSplitKey, NotIdempotent),
    (Operation::Import, NotIdempotent),
    (Operation::Export, ReadOnly),
    (Operation::Log, NotIdempotent),
    (Operation::Login, NotIdempotent),
    (Operation::Logout, NotIdempotent),
    (Operation::DelegatedLogin, NotIdempotent),
    (Operation::AdjustAttribute, NotIdempotent),
    (Operation::SetAttribute, Idempotent),
    (Operation::SetEndpointRole, NotIdempotent),
    (Operation::PKCS_11, NotIdempotent),
    (Operation::Interop, NotIdempotent),
    (Operation::ReProvision, NotIdempotent),
    (Operation::SetDefaults, Idempotent),
    (Operation::SetConstraints, Idempotent),
    (Operation::GetConstraints, ReadOnly),
    (Operation::QueryAsynchronousRequests, ReadOnly),
    (Operation::Process, NotIdempotent),
    (Operation::Ping, ReadOnly),
    (Operation::CreateGroup, NotIdempotent),
    (Operation::Obliterate, NotIdempotent),
    (Operation::CreateUser, NotIdempotent),
    (Operation::CreateCredential, NotIdempotent),
    (Operation::Deactivate, NotIdempotent),
];

/// Effect of doing the operation twice; a vendor's own may do anything.
pub(super) fn idempotency(operation: Operation) -> Idempotency {
    IDEMPOTENCY
        .iter()
        .find(|(known, _)| *known == operation)
        .map_or(NotIdempotent, |(_, effect)| *effect)
}

/// The first of these that must not be done twice.
pub(super) fn first_not_idempotent<'a>(
    payloads: impl Iterator<Item = &'a RequestPayload>,
) -> Option<Operation> {
    payloads
        .map(RequestPayload::operation)
        .find(|operation| idempotency(*operation) == NotIdempotent)
}

#[cfg(test)]
mod tests {
    use super::{IDEMPOTENCY, Idempotency, NotIdempotent, idempotency};
    use crate::vocabulary::Operation;

    #[test]
    fn every_operation_has_one_row() {
        for row in Operation::ROWS {
            let operation = Operation(row.value);
            let rows = IDEMPOTENCY.iter().filter(|(known, _)| *known == operation).count();
            assert_eq!(rows, 1, "{operation:?}");
        }
        assert_eq!(IDEMPOTENCY.len(), Operation::ROWS.len());
    }

    #[test]
    fn an_operation_without_a_name_is_done_once() {
        assert_eq!(idempotency(Operation(0x8000_0001)), NotIdempotent);
        assert_eq!(idempotency(Operation::Get), Idempotency::ReadOnly);
    }
}
