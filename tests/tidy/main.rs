//! The laws of this repository, as code. Each test reads the tree and lists every breach at once.
//!
//! A law that must be broken somewhere has a table of exceptions, and each row says why.

#![allow(clippy::expect_used, reason = "a law that cannot be read does not hold")]

mod dependencies;
mod layout;
mod names;
mod sections;
mod text;
mod tree;

/// Fails with all breaches of a law, one a line, and what to do about them.
#[track_caller]
fn hold(law: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{law}\n  {}\n", breaches.join("\n  "));
}
