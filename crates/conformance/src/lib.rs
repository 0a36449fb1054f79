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
//! What may differ from a case is the table in [`tolerances`], and nowhere else; what a case needs
//! beside itself is the table in [`prerequisites`]. **This crate knows no server**, and of KMIP it knows
//! what `kmip::encoding` says: a server's own mistakes must not be here too.

pub mod bindings;
pub mod case;
mod cleanup;
pub mod cli;
pub mod compare;
pub mod decode;
pub mod docs;
pub mod prerequisites;
pub mod report;
pub mod run;
pub mod server_objects;
mod tls;
pub mod tolerances;
pub mod transport;
pub mod wire;
