//! Finding: a difference between an answer and the printed one.

/// Rule for everything that no other rule permits.
pub(super) const UNLISTED_VARIATION: &str = "4.1: other variations SHALL be deemed non-conformant";

/// One difference that no rule permits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Where: the structures from the outside in, and the field.
    pub(crate) path: String,
    /// What is wrong, in a sentence. Nothing of a secret is in it.
    pub(crate) what: String,
    /// The rule that it breaks.
    pub(crate) rule: String,
}
