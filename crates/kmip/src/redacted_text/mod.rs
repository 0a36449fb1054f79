//! A message as indented text with secrets hidden: for logs, traces and tests.
//!
//! ```text
//! KeyBlock (Structure)
//!   KeyFormatType (Enumeration): Raw
//!   KeyValue (Structure)
//!     KeyMaterial (ByteString): <hidden, 32 bytes>
//! ```
//!
//! Works on any bytes. What could be read is shown, then where reading stopped and why. Only what
//! is known to be no secret is shown: a tag that has no name has its value hidden.
//! **Nothing here prints a byte that the tables of `policy` hide**, and nothing reads its text
//! back.

mod policy;
mod public_prefix;
#[cfg(test)]
mod tests;
mod text;
mod tree;

pub use public_prefix::public_prefix;
pub use text::{RedactedText, redacted_text};
pub use tree::{RedactedTree, TreeItem, redacted_tree};
