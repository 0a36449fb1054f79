//! What the API answers when it does not do what was asked: a name, and a sentence.
//!
//! The names are data. Those that Element is known to use are spelt as Element spells them; for
//! keys, key servers and rekeys no name is published, so those are ours and follow its pattern.
//! No cause that could hold a secret comes here: the sentence goes to the client.

use std::fmt;

/// Declares the names once: the variant, and how the wire spells it.
macro_rules! error_names {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// The `name` member of an error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum ErrorName {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorName {
            /// Every name there is.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name as the wire spells it.
            #[must_use]
            pub(crate) const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

error_names! {
    // Element's own.
    /// The method is unknown, newer than the endpoint's version, or of the other scope.
    UnknownApiMethod = "xUnknownAPIMethod",
    /// A required parameter is absent.
    MissingParameter = "xMissingParameter",
    /// A parameter has a value that cannot be taken.
    InvalidParameter = "xInvalidParameter",
    /// A parameter has the wrong JSON type.
    InvalidParameterType = "xInvalidParameterType",
    /// A text is not one of the values that the parameter knows.
    UnrecognizedEnumString = "xUnrecognizedEnumString",
    /// There is no such asynchronous result; Element words it as a path of its database.
    DbNoSuchPath = "xDBNoSuchPath",
    /// The cluster, as it is built, cannot do this.
    ApiNotPermitted = "xAPINotPermitted",
    /// There is no account of this number.
    AccountIdDoesNotExist = "xAccountIDDoesNotExist",
    /// There is no account of this name.
    UnknownAccount = "xUnknownAccount",
    /// An account of this name is there already.
    DuplicateUsername = "xDuplicateUsername",
    /// More of a thing than the cluster takes.
    ExceededLimit = "xExceededLimit",
    // Ours, after Element's pattern.
    /// The body is not JSON, or not a request.
    InvalidRequest = "xInvalidRequest",
    /// There is no key server of this number.
    KeyServerIdDoesNotExist = "xKeyServerIDDoesNotExist",
    /// There is no key provider of this number.
    KeyProviderIdDoesNotExist = "xKeyProviderIDDoesNotExist",
    /// The key provider holds keys that are in use.
    KeyProviderIsActive = "xKeyProviderIsActive",
    /// The key provider has no key server.
    KeyProviderHasNoServer = "xKeyProviderHasNoServer",
    /// The key server is needed where it is.
    KeyServerInUse = "xKeyServerInUse",
    /// The cluster has no key pair for KMIP yet.
    KeyPairDoesNotExist = "xPublicPrivateKeyPairDoesNotExist",
    /// The key server could not be reached.
    KmipConnectionFailure = "xKmipConnectionFailure",
    /// The key server and the cluster did not accept each other's certificates.
    KmipAuthenticationFailure = "xKmipAuthenticationFailure",
    /// The key server was reached and answered that it cannot.
    KmipServerError = "xKmipServerError",
    /// The cluster was made without software encryption at rest.
    SoftwareEncryptionAtRestNotEnabled = "xSoftwareEncryptionAtRestNotEnabled",
    /// A rekey is under way.
    RekeyInProgress = "xRekeyInProgress",
    /// The node that holds the drive is stopped.
    NodeOffline = "xNodeOffline",
    /// The cluster could not write to its own disk, or is shutting down.
    Internal = "xInternalError",
}

/// A call that was not done, as the client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ElementError {
    /// What kind it is.
    pub(crate) name: ErrorName,
    /// What was wrong and what to do.
    pub(crate) message: String,
}

impl ElementError {
    /// An error of this name with this sentence.
    pub(crate) fn new(name: ErrorName, message: impl Into<String>) -> Self {
        Self { name, message: message.into() }
    }

    /// The parameter is required and absent. The wording is Element's.
    #[must_use]
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::new(ErrorName::MissingParameter, format!("Missing member=[{parameter}]"))
    }

    /// The parameter has a value that cannot be taken.
    #[must_use]
    pub(crate) fn invalid(parameter: &str, reason: &str) -> Self {
        Self::new(ErrorName::InvalidParameter, format!("Invalid {parameter}: {reason}"))
    }
}

impl fmt::Display for ElementError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.name.text(), self.message)
    }
}

impl std::error::Error for ElementError {}

#[cfg(test)]
mod tests {
    use super::ErrorName;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_is_told_from_every_other() {
        let texts: BTreeSet<_> = ErrorName::ALL.iter().map(|name| name.text()).collect();
        assert_eq!(texts.len(), ErrorName::ALL.len());
        assert!(texts.iter().all(|text| text.starts_with('x')));
    }
}
