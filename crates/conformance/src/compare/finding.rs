//! One difference between an answer and the printed one.

/// The rule that everything is under that no other rule frees.
pub(super) const NO_OTHER: &str = "4.1: other variations SHALL be deemed non-conformant";

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: the structures from the outside in, and the field.
    pub path: String,
    /// What is wrong, in a sentence. Nothing of a secret is in it.
    pub what: String,
    /// The rule that it breaks.
    pub rule: String,
}
