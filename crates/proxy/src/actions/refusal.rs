//! Result Reasons and messages of refusals that a rule does not name itself, by version.

use kmip::Version;
use kmip::vocabulary::{Operation, ResultReason};

/// Reason of an object that does not exist (1.4, 11; 2.1, 11.46).
pub(crate) fn not_found(version: Version) -> ResultReason {
    match version < Version::V2_0 {
        true => ResultReason::ItemNotFound,
        false => ResultReason::ObjectNotFound,
    }
}

/// Reason and message of an operation that a server does not have.
pub(crate) fn not_supported(operation: Operation) -> (ResultReason, String) {
    let message = format!("operation {operation:?} is not supported");
    (ResultReason::OperationNotSupported, message)
}

/// Reason and message of a server that has only `served`, in its own version.
pub(crate) fn unsupported_version(served: Version, asked: Version) -> (ResultReason, String) {
    let reason = match served < Version::V2_0 {
        true => ResultReason::InvalidMessage,
        false => ResultReason::UnsupportedProtocolVersion,
    };
    (reason, format!("KMIP {asked} is not supported by the server"))
}
