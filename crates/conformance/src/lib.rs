//! Conformance runner: the OASIS KMIP profile test cases against any server, over the wire, each in
//! its own encoding, compared as OASIS prescribes and no looser.
//!
//! ```text
//! cli --> run --> case            OASIS's files: requests and printed responses
//!          |  --> prerequisites   what some cases need
//!          |  --> bindings        symbols of a case
//!          |  --> transport       TTLV over TLS, HTTPS (tls)        --> a server
//!          |  --> compare         actual with printed response      --> tolerances
//!          |  --> cleanup         objects that cases have created   --> server_objects
//!          v
//!      Outcome --> report         terminal, HTML, JUnit, JSON       --> docs (Markdown)
//!
//! cli --> wire                    malformed messages, and the permitted reactions
//! cli --> decode                  messages in any form, as text, XML, JSON, hex or base64
//! ```
//!
//! All permitted variations are in the table of `tolerances`, and all prerequisites of cases in the
//! table of [`prerequisites`]. **This crate knows no server**, and of KMIP only `kmip::encoding`: a
//! server's own mistakes must not be here too.

mod bindings;
pub mod case;
mod cleanup;
pub mod cli;
mod compare;
mod decode;
mod docs;
pub mod prerequisites;
pub mod report;
pub mod run;
mod server_objects;
mod tls;
mod tolerances;
pub mod transport;
pub mod wire;
