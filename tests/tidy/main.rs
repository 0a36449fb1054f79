//! Rules of this repository, as code. Each test reads the tree and lists every breach at once.
//!
//! A rule with exceptions has a table of them, and each row says why.

#![allow(clippy::expect_used, reason = "a rule that cannot be read fails")]

mod architecture;
mod dependencies;
mod imports;
mod layout;
mod lexer;
mod names;
mod sections;
mod source;
mod text;
mod tree;

/// Fails with the rule and all its breaches, one a line.
#[track_caller]
fn check(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}\n  {}\n", breaches.join("\n  "));
}
