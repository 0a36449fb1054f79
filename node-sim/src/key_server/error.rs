//! Errors of key servers: of one host, and of all hosts of a key provider.

use crate::state::faults::KmipServerFault;
use kmip::client::{Error, ErrorKind};
use kmip::vocabulary::ResultReason;
use std::io;

/// Failure of a key provider: the kind of Element's `kmipServerFault`, and a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeyServerError {
    /// The kind; of several hosts, that of the first.
    pub fault: KmipServerFault,
    /// Every host with what was wrong there and what to do. It holds no secret.
    pub message: String,
    /// Every host answered a refusal that repeating the same request does not change. Connection
    /// errors, missed deadlines and certificates that are not trusted are not permanent.
    pub permanent: bool,
    /// A host has answered that it created the key that this is about, or has shown it.
    pub key_exists: bool,
}

impl KeyServerError {
    /// No server could be reached.
    #[cfg(test)]
    pub(crate) fn connection(message: impl Into<String>) -> Self {
        let fault = KmipServerFault::ConnectionFailure;
        Self { fault, message: message.into(), permanent: false, key_exists: false }
    }

    /// The server and the cluster do not trust each other.
    pub(crate) fn authentication(message: impl Into<String>) -> Self {
        let fault = KmipServerFault::AuthenticationFailure;
        Self { fault, message: message.into(), permanent: false, key_exists: false }
    }

    /// The server was reached and did not do what it should.
    pub(crate) fn server(message: impl Into<String>) -> Self {
        let fault = KmipServerFault::ServerError;
        Self { fault, message: message.into(), permanent: false, key_exists: false }
    }

    /// One error for all hosts that failed, in the order in which they were tried.
    pub(super) fn of_hosts(failures: &[(String, HostFailure)]) -> Self {
        let Some((_, first)) = failures.first() else {
            return Self::server("The key provider has no key server.");
        };
        let causes: Vec<_> =
            failures.iter().map(|(host, failure)| format!("{host}: {}", failure.cause)).collect();
        Self {
            fault: first.fault,
            message: format!("{}.", causes.join("; ")),
            permanent: failures.iter().all(|(_, failure)| failure.permanent),
            key_exists: failures.iter().any(|(_, failure)| failure.key_exists),
        }
    }
}

/// Failure of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostFailure {
    fault: KmipServerFault,
    permanent: bool,
    key_exists: bool,
    /// What was wrong and what to do, without the host and without a period at the end.
    cause: String,
}

impl HostFailure {
    /// The host was reached and did not do what it should; it may the next time.
    pub(super) fn server(cause: impl Into<String>) -> Self {
        let fault = KmipServerFault::ServerError;
        Self { fault, permanent: false, key_exists: false, cause: cause.into() }
    }

    /// The host was reached, and what it answered does not change when it is asked again.
    pub(super) fn permanent(cause: impl Into<String>) -> Self {
        Self { permanent: true, ..Self::server(cause) }
    }

    /// The same failure, at a host that created the key or has shown it.
    pub(super) fn of_existing_key(self) -> Self {
        Self { key_exists: true, ..self }
    }

    /// What was wrong and what to do.
    pub(super) fn cause(&self) -> &str {
        &self.cause
    }

    /// The error of a provider of which this is the only host that failed.
    pub(super) fn at(self, host: &str) -> KeyServerError {
        KeyServerError::of_hosts(&[(host.to_owned(), self)])
    }
}

impl From<Error> for HostFailure {
    fn from(error: Error) -> Self {
        let fault = match error.kind() {
            ErrorKind::Connection => KmipServerFault::ConnectionFailure,
            ErrorKind::Authentication => KmipServerFault::AuthenticationFailure,
            ErrorKind::Server => KmipServerFault::ServerError,
        };
        let permanent = is_permanent(&error);
        Self { fault, permanent, key_exists: false, cause: cause(&error) }
    }
}

/// Text of an error without the server's address, which the caller writes once for each host.
fn cause(error: &Error) -> String {
    match error {
        Error::Connect { cause, .. } => format!("cannot connect: {cause}"),
        Error::Tls { fault, .. } => fault.to_string(),
        Error::Timeout { phase, limit, .. } => {
            format!("{phase} took longer than {} ms", limit.as_millis())
        }
        Error::Closed { cause, .. } if cause.kind() == io::ErrorKind::UnexpectedEof => {
            "ended the connection instead of answering".to_owned()
        }
        Error::Closed { cause, .. } => {
            format!("ended the connection instead of answering: {cause}")
        }
        Error::Refused { operation, reason, message, .. } => {
            let colon = if message.is_empty() { "" } else { ": " };
            format!("refused {operation:?}: {reason:?}{colon}{message}")
        }
        Error::Malformed { why, .. } => format!("the answer is malformed: {why}"),
        Error::OutcomeUnknown { operation, cause: why } => {
            format!("{operation:?} may have been done or not: {}", cause(why))
        }
        Error::NotInVersion { operation, version, .. } => {
            format!("speaks KMIP {version}, which does not have {operation:?}")
        }
        Error::NoVersion { .. } | Error::NoServer { .. } | Error::Settings { .. } => {
            error.to_string()
        }
    }
}

/// Whether the server answered a refusal that does not change when the same is asked again.
fn is_permanent(error: &Error) -> bool {
    match error {
        Error::Refused { reason, .. } => PERMANENT.contains(reason),
        Error::NotInVersion { .. } | Error::NoVersion { .. } => true,
        Error::Connect { .. }
        | Error::Tls { .. }
        | Error::Timeout { .. }
        | Error::Closed { .. }
        | Error::Malformed { .. }
        | Error::OutcomeUnknown { .. }
        | Error::NoServer { .. }
        | Error::Settings { .. } => false,
    }
}

/// Reasons that are about the request itself, or about what the server can or may do for this
/// client. What is about the state of an object, a load, a failure inside the server or a name that
/// is taken is not here: it may be over the next time.
const PERMANENT: &[ResultReason] = &[
    ResultReason::ApplicationNamespaceNotSupported,
    ResultReason::AttestationRequired,
    ResultReason::AttributeReadOnly,
    ResultReason::AttributeSingleValued,
    ResultReason::BadCryptographicParameters,
    ResultReason::CodecError,
    ResultReason::ConstraintViolation,
    ResultReason::EncodingOptionError,
    ResultReason::FeatureNotSupported,
    ResultReason::IllegalObjectType,
    ResultReason::IllegalOperation,
    ResultReason::IncompatibleCryptographicUsageMask,
    ResultReason::InvalidAttribute,
    ResultReason::InvalidAttributeValue,
    ResultReason::InvalidDataType,
    ResultReason::InvalidField,
    ResultReason::InvalidMessage,
    ResultReason::InvalidObjectType,
    ResultReason::KeyCompressionTypeNotSupported,
    ResultReason::KeyFormatTypeNotSupported,
    ResultReason::KeyValueNotPresent,
    ResultReason::KeyWrapTypeNotSupported,
    ResultReason::MissingData,
    ResultReason::MultiValuedAttribute,
    ResultReason::NotAuthorised,
    ResultReason::NotExtractable,
    ResultReason::NumericRange,
    ResultReason::OperationNotSupported,
    ResultReason::PermissionDenied,
    ResultReason::ReadOnlyAttribute,
    ResultReason::Sensitive,
    ResultReason::UnknownEnumeration,
    ResultReason::UnknownMessageExtension,
    ResultReason::UnknownTag,
    ResultReason::UnsupportedAttribute,
    ResultReason::UnsupportedCryptographicParameters,
    ResultReason::UnsupportedProtocolVersion,
];

#[cfg(test)]
mod tests {
    use super::{HostFailure, KeyServerError};
    use crate::state::faults::KmipServerFault;
    use kmip::client::Error;
    use kmip::vocabulary::{Operation, ResultReason};
    use std::io;

    fn refused(reason: ResultReason) -> HostFailure {
        let (server, message) = ("kms-2:5696".to_owned(), "why".to_owned());
        Error::Refused { server, operation: Operation::Create, reason, message }.into()
    }

    fn unreachable() -> HostFailure {
        let cause = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
        Error::Connect { server: "kms-1:5696".to_owned(), cause }.into()
    }

    fn of_hosts(failures: &[HostFailure]) -> KeyServerError {
        let hosts = ["kms-1:5696", "kms-2:5696"].map(str::to_owned).into_iter();
        KeyServerError::of_hosts(&hosts.zip(failures.iter().cloned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_error_names_every_host_with_its_cause_and_has_the_kind_of_the_first() {
        let error = of_hosts(&[unreachable(), refused(ResultReason::PermissionDenied)]);
        assert_eq!(error.fault, KmipServerFault::ConnectionFailure);
        assert_eq!(
            error.message,
            "kms-1:5696: cannot connect: connection refused; \
             kms-2:5696: refused Create: PermissionDenied: why."
        );
        let error = of_hosts(&[refused(ResultReason::PermissionDenied), unreachable()]);
        assert_eq!(error.fault, KmipServerFault::ServerError);
        assert_eq!(of_hosts(&[]).fault, KmipServerFault::ServerError);
    }

    #[test]
    fn an_error_is_permanent_only_if_every_host_refused_for_good() {
        let (final_reason, passing) = (ResultReason::InvalidField, ResultReason::GeneralFailure);
        for (failures, expected) in [
            (vec![refused(final_reason)], true),
            (vec![refused(final_reason), refused(ResultReason::OperationNotSupported)], true),
            (vec![refused(final_reason), unreachable()], false),
            (vec![unreachable(), refused(final_reason)], false),
            (vec![refused(passing)], false),
            (vec![refused(ResultReason::ItemNotFound)], false),
            (vec![refused(ResultReason::ServerLimitExceeded)], false),
            (vec![refused(ResultReason(0x8000_0001))], false),
        ] {
            assert_eq!(of_hosts(&failures).permanent, expected, "{failures:?}");
        }
    }
}
