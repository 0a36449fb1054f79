//! The OASIS KMIP profile test cases against any server, over the wire, each in its own encoding,
//! and compared as OASIS prescribes and no looser.
//!
//! ```text
//! case ---- needs ----> run ----> door (binary | HTTPS) ----> a server
//!   |                    |           tls
//!   |   bindings . objects           |
//!   v                    v           v
//! expected ----------> compare <--- actual
//!                        |
//!                      rules        -> report (terminal, HTML, JUnit, JSON, Markdown)
//! ```
//!
//! What may differ from a case is the table in [`rules`], and nowhere else; what a case needs
//! beside itself is the table in [`needs`]. **This crate knows no server**, and of KMIP it knows
//! what `kmip::encoding` says: a server's own mistakes must not be here too.

pub mod bindings;
pub mod case;
pub mod cli;
pub mod compare;
pub mod decode;
pub mod docs;
pub mod door;
pub mod needs;
pub mod objects;
pub mod report;
pub mod rules;
pub mod run;
mod tidying;
mod tls;
pub mod wire;
