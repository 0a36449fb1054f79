//! Why the program ends, and with which status.

/// Failure of the program.
pub(super) enum Failure {
    /// A setting is wrong: status 2, as for a wrong flag.
    Setting(String),
    /// A rule never fired: status 3.
    Unfired,
    /// Anything else: status 1.
    Other(String),
}
