//! The one place where a failure is given a Result Reason, and where the reason is given the form
//! that the client's version has.
//!
//! What the client is shown never holds the cause of an internal failure: that goes to the log.

use kmip::Version;
use kmip::vocabulary::{Operation, ResultReason, State};

use crate::config::disabled_algorithms::DisabledName;
use crate::crypto;
use crate::store::StoreError;

/// Why a batch item failed: the reason, and the words that the client is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OperationError {
    /// The Result Reason, as the newest version has it.
    pub reason: ResultReason,
    /// The Result Message.
    pub message: String,
}

/// What an operation gives.
pub(crate) type Result<T> = core::result::Result<T, OperationError>;

impl OperationError {
    /// A failure with its reason.
    pub(crate) fn new(reason: ResultReason, message: impl Into<String>) -> Self {
        Self { reason, message: bounded(message.into()) }
    }

    /// The operation is not one that this server does, in this version.
    pub(crate) fn not_supported(operation: Operation, version: Version) -> Self {
        let lacks = match operation {
            Operation::Certify | Operation::ReCertify => {
                ": it has no authority that certifies, which the setting certify-ca-cert names"
            }
            _ => "",
        };
        Self::new(
            ResultReason::OperationNotSupported,
            format!("{operation} is not an operation of this server in KMIP {version}{lacks}"),
        )
    }

    /// The client acts for another, who has not granted this.
    pub(crate) fn not_granted(operation: Operation) -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            format!("the rights of the ticket do not let its holder do {operation} so"),
        )
    }

    /// There is no such object, or the client may not know of it: the same words for both.
    pub(crate) fn not_found(id: &str) -> Self {
        Self::new(ResultReason::ObjectNotFound, format!("there is no object {id}"))
    }

    /// The object is in the archive.
    pub(crate) fn archived(id: &str) -> Self {
        Self::new(
            ResultReason::ObjectArchived,
            format!("object {id} is archived: recover it first"),
        )
    }

    /// The object's material is gone.
    pub(crate) fn destroyed(id: &str) -> Self {
        Self::new(ResultReason::ObjectDestroyed, format!("object {id} is destroyed"))
    }

    /// The object is in a state that forbids what was asked.
    pub(crate) fn state(doing: &str, state: State) -> Self {
        Self::new(
            ResultReason::WrongKeyLifecycleState,
            format!("cannot {doing} an object that is {state:?}"),
        )
    }

    /// A credential is wrong: the same words for an unknown user and for a wrong password.
    pub(crate) fn wrong_credential() -> Self {
        Self::new(
            ResultReason::AuthenticationNotSuccessful,
            "the user name or the password of the credential is wrong",
        )
    }

    /// A field of the request has a value that it may not have.
    pub(crate) fn invalid_field(message: impl Into<String>) -> Self {
        Self::new(ResultReason::InvalidField, message)
    }

    /// The request lacks something.
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self::new(ResultReason::MissingData, message)
    }

    /// The message is not what the standard says it must be.
    pub(crate) fn invalid_message(message: impl Into<String>) -> Self {
        Self::new(ResultReason::InvalidMessage, message)
    }

    /// The server failed, and the log says how.
    pub(crate) fn internal(doing: &str) -> Self {
        Self::new(ResultReason::GeneralFailure, format!("the server failed to {doing}"))
    }

    /// The reason as `version` has it.
    pub(crate) fn reason_in(&self, version: Version) -> ResultReason {
        let mut reason = self.reason;
        while let Some((_, _, older)) =
            OLDER.iter().find(|(newer, since, _)| *newer == reason && version < *since)
        {
            reason = *older;
        }
        reason
    }
}

/// Characters of a long message that are told, from its beginning and from its end.
const BEGINNING: usize = 256;
const END: usize = 512;

/// A message of which the middle is left out where it is very long: a client may have chosen parts
/// of it, and each failure is answered, and a line of the log.
fn bounded(message: String) -> String {
    if message.len() <= BEGINNING.saturating_add(END) {
        return message;
    }
    let middle = message.chars().count().saturating_sub(BEGINNING).saturating_sub(END);
    if middle == 0 {
        return message;
    }
    let beginning = message.chars().take(BEGINNING);
    let end = message.chars().skip(BEGINNING.saturating_add(middle));
    let left_out = format!("... ({middle} characters left out) ...");
    beginning.chain(left_out.chars()).chain(end).collect()
}

/// The reasons that came later: since when, and what an older client is told instead.
///
/// The standard has Wrong Key Lifecycle State since 2.0; the profiles' test cases expect
/// Permission Denied up to 2.0, and the new reason from 2.1 on (SKLC-M-2, SKLC-M-3).
const OLDER: &[(ResultReason, Version, ResultReason)] = &[
    (ResultReason::ObjectNotFound, Version::V2_0, ResultReason::ItemNotFound),
    (ResultReason::ObjectDestroyed, Version::V2_0, ResultReason::ItemNotFound),
    (ResultReason::WrongKeyLifecycleState, Version::V2_1, ResultReason::PermissionDenied),
    (ResultReason::AttributeReadOnly, Version::V2_0, ResultReason::PermissionDenied),
    (ResultReason::AttributeSingleValued, Version::V2_0, ResultReason::InvalidField),
    (ResultReason::AttributeInstanceNotFound, Version::V2_0, ResultReason::ItemNotFound),
    (ResultReason::AttributeNotFound, Version::V2_0, ResultReason::ItemNotFound),
    (ResultReason::NonUniqueNameAttribute, Version::V2_0, ResultReason::InvalidField),
    (
        ResultReason::IncompatibleCryptographicUsageMask,
        Version::V2_0,
        ResultReason::PermissionDenied,
    ),
    (ResultReason::UsageLimitExceeded, Version::V2_0, ResultReason::PermissionDenied),
    (ResultReason::BadCryptographicParameters, Version::V2_0, ResultReason::InvalidField),
    (ResultReason::InvalidObjectType, Version::V2_0, ResultReason::InvalidField),
    // "Object specified is not able to be certified" (1.4, 11.8).
    (ResultReason::InvalidCSR, Version::V2_0, ResultReason::PermissionDenied),
    // What an object cannot have cannot be added to it (1.4, 11.15).
    (ResultReason::InvalidAttribute, Version::V2_0, ResultReason::PermissionDenied),
    (ResultReason::InvalidAttributeValue, Version::V2_0, ResultReason::InvalidField),
    (ResultReason::ConstraintViolation, Version::V2_1, ResultReason::PermissionDenied),
    (ResultReason::UnknownObjectGroup, Version::V2_1, ResultReason::InvalidField),
    (ResultReason::ObjectAlreadyExists, Version::V1_4, ResultReason::InvalidField),
    (ResultReason::ServerLimitExceeded, Version::V2_0, ResultReason::GeneralFailure),
    (ResultReason::UnsupportedProtocolVersion, Version::V2_0, ResultReason::InvalidMessage),
    (ResultReason::UnsupportedCryptographicParameters, Version::V2_0, ResultReason::InvalidField),
    (ResultReason::WrappingObjectArchived, Version::V2_0, ResultReason::ObjectArchived),
    (ResultReason::WrappingObjectDestroyed, Version::V2_0, ResultReason::ItemNotFound),
    (ResultReason::WrappingObjectNotFound, Version::V2_0, ResultReason::ItemNotFound),
    (ResultReason::InvalidAsynchronousCorrelationValue, Version::V2_0, ResultReason::ItemNotFound),
    (ResultReason::InvalidCorrelationValue, Version::V2_0, ResultReason::InvalidField),
    (ResultReason::DuplicateProcessRequest, Version::V2_1, ResultReason::InvalidField),
    (ResultReason::Sensitive, Version::V1_4, ResultReason::PermissionDenied),
    (ResultReason::NotExtractable, Version::V1_4, ResultReason::PermissionDenied),
    // 1.4 calls it Not Supported, a word that its list of reasons does not have (1.4, 11.12).
    (ResultReason::KeyWrapTypeNotSupported, Version::V2_0, ResultReason::FeatureNotSupported),
    (ResultReason::KeyValueNotPresent, Version::V1_2, ResultReason::ItemNotFound),
    (ResultReason::EncodingOptionError, Version::V1_1, ResultReason::InvalidField),
];

/// An algorithm that the settings disable is refused as not permitted.
impl From<DisabledName> for OperationError {
    fn from(name: DisabledName) -> Self {
        Self::new(ResultReason::PermissionDenied, name.to_string())
    }
}

/// The reasons of cryptographic steps that cannot be done.
///
/// The profiles' test cases fix three of them in every version: Invalid Message for an absent
/// IV/Counter/Nonce (CS-BC-M-11), General Failure for a length that no tag has (CS-BC-M-GCM-1),
/// and Cryptographic Failure for what does not verify.
impl From<crypto::Error> for OperationError {
    fn from(error: crypto::Error) -> Self {
        use crypto::Error as E;
        let reason = match &error {
            E::Parameters(_) => ResultReason::BadCryptographicParameters,
            E::Unsupported(_) => ResultReason::UnsupportedCryptographicParameters,
            E::MissingIv => ResultReason::InvalidMessage,
            E::TagLength(_) | E::Internal(_) => ResultReason::GeneralFailure,
            E::Data(_) | E::Failed => ResultReason::CryptographicFailure,
        };
        Self::new(reason, error.to_string())
    }
}

/// The reasons of a store that does not answer. What is the client's to know is in the message:
/// that nothing was written, that it is not known, or that a record is damaged and not absent.
impl From<StoreError> for OperationError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        let failure = |message: &str| Self::new(ResultReason::GeneralFailure, message);
        match error {
            StoreError::NoSpace(_) => Self::new(
                ResultReason::ServerLimitExceeded,
                "the server has too little free space and takes no changes until there is more; \
                 nothing was changed",
            ),
            StoreError::Unknown(_) => failure(
                "the server failed to write to its store, and it is not known whether the change \
                 was made: read before it is repeated",
            ),
            StoreError::Damaged(_) => {
                failure("the server failed to read its store: a record is damaged")
            }
            StoreError::Stopped(_) => failure("the server failed: its store has stopped"),
            StoreError::Unreadable(_) => Self::internal("read its store"),
            StoreError::Limit { .. } | StoreError::Refused(_) => Self::internal("use its store"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BEGINNING, END, OLDER, OperationError, StoreError};
    use kmip::Version;
    use kmip::vocabulary::ResultReason;

    #[test]
    fn every_reason_is_one_that_the_clients_version_has() {
        for (newer, since, _) in OLDER {
            let error = OperationError::new(*newer, "");
            assert_eq!(error.reason_in(*since), *newer);
            for version in Version::SERVED {
                let reason = error.reason_in(*version);
                assert!(reason.exists_in(*version), "{newer:?} becomes {reason:?} in {version}");
            }
        }
    }

    #[test]
    fn store_failure_says_what_the_client_must_know() {
        let rows = [
            (StoreError::NoSpace(String::new()), ResultReason::ServerLimitExceeded, "free space"),
            (StoreError::Unknown(String::new()), ResultReason::GeneralFailure, "not known whether"),
            (StoreError::Damaged(String::new()), ResultReason::GeneralFailure, "damaged"),
        ];
        for (error, reason, words) in rows {
            let shown = OperationError::from(error);
            assert_eq!(shown.reason, reason);
            assert!(shown.message.contains(words), "{}", shown.message);
        }
    }

    #[test]
    fn long_message_is_told_from_both_of_its_ends() {
        let client = "\u{1b}\u{e9}".repeat(50_000);
        let error = OperationError::invalid_field(format!("the name {client} is too long"));
        assert!(error.message.starts_with("the name \u{1b}\u{e9}"));
        assert!(error.message.ends_with("\u{e9} is too long"));
        assert!(error.message.contains("... (99253 characters left out) ..."), "{}", error.message);
        for len in [BEGINNING + END, BEGINNING + END + 1] {
            let message = OperationError::missing("\u{e9}".repeat(len)).message;
            assert_eq!(message.contains("left out"), len > BEGINNING + END);
        }
    }

    #[test]
    fn an_absent_object_is_item_not_found_in_1_x() {
        let error = OperationError::not_found("1");
        assert_eq!(error.reason_in(Version::V1_0), ResultReason::ItemNotFound);
        assert_eq!(error.reason_in(Version::V2_1), ResultReason::ObjectNotFound);
    }
}
