//! Why a cryptographic step cannot be done.
//!
//! The words name what was wrong and never hold a byte of a key, of data, or of what came out.
//! Result Reasons are not known here: [`crate::objects::error`] has the table.

/// Why a cryptographic step cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The parameters lack something, contradict each other, or do not fit the key.
    #[error("{0}")]
    Parameters(String),
    /// What is asked for stands in the standard and not in this server.
    #[error("{0}")]
    Unsupported(String),
    /// The mode needs an initialization vector, counter or nonce, and none was given.
    #[error("the mode needs an IV/Counter/Nonce and the request has none")]
    MissingIv,
    /// The tag is to be shorter or longer than the mode allows; the number is what was asked for.
    #[error("{0} bytes is no length of a tag in this mode")]
    TagLength(i64),
    /// The data has a length or a form that the algorithm cannot take.
    #[error("{0}")]
    Data(String),
    /// A tag, a padding or a signature is not what the key makes of the data. Which of them it was
    /// is not told, since that would help whoever guesses.
    #[error("the data is not what this key with these parameters makes")]
    Failed,
    /// The library failed where it must not.
    #[error("the server failed to {0}")]
    Internal(&'static str),
}

/// What a cryptographic step gives.
pub(crate) type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// The parameters are wrong.
    pub(crate) fn parameters(message: impl Into<String>) -> Self {
        Self::Parameters(message.into())
    }

    /// This server does not have it.
    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::Unsupported(message.into())
    }

    /// The data cannot be taken.
    pub(crate) fn data(message: impl Into<String>) -> Self {
        Self::Data(message.into())
    }
}
