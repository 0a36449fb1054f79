//! Errors of the store.

/// Why the store could not answer. No text here holds a key or a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The caller asked for more than the store takes.
    #[error("the store takes {what} of at most {max}, and this is {actual}: ask for less")]
    Limit {
        /// What was too long or too many.
        what: &'static str,
        /// How much there may be.
        max: usize,
        /// How much there was.
        actual: usize,
    },
    /// The caller asked for something that has no meaning.
    #[error("the store cannot do this: {0}")]
    Refused(&'static str),
    /// What is on disk is not what was written.
    #[error("the store holds a damaged record: {0}; restore it from a backup")]
    Damaged(String),
    /// The disk did not give what is on it.
    #[error("the store cannot read: {0}")]
    Unreadable(String),
    /// There is too little free space. Nothing was written.
    #[error("the store has no space for writes: {0}; free some, and writes resume")]
    NoSpace(String),
    /// A write failed, and whether it was carried out is not known.
    #[error("a write failed and its outcome is unknown: {0}; read before it is repeated")]
    Unknown(String),
    /// A write failed. Nothing may be written until the program has been started again, because
    /// what is on disk is not known.
    #[error("the store has stopped: {0}; start the server again when the cause is gone")]
    Stopped(String),
}
