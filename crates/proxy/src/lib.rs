//! KMIP-aware TLS proxy between any client and any server: decodes every message, writes the
//! conversation, and injects faults by rules.
//!
//! ```text
//! cli -> relay -> tls                          sockets
//!     -> http                                  rules and conversation over HTTP
//!        engine -> actions -> rules, message   pure: message -> message
//!        conversation                          what is written
//! ```
//!
//! | directory | purpose | invariant |
//! |---|---|---|
//! | `cli` | flags, signals, exit status, log | the only place that prints |
//! | `relay` | listener, connections, frames | decides nothing: it carries out what `engine` says |
//! | `http` | rules, counts and conversation over HTTP | refuses what a foreign web page could send |
//! | `tls` | both ends of mutual TLS; certificates and keys from files | the only place that names rustls |
//! | `engine` | which rules act on a message, and what comes of it | no socket and no clock: the time is passed in |
//! | `actions` | one change of one message or batch item | pure |
//! | `rules` | rules: form, parser, counts | pure |
//! | `message` | a message as a tree of items | keeps what it does not know |
//! | `conversation` | entries, the file, the recent ones | no key material |
//! | `subject` | which certificate a setting names | |
//!
//! A message that no rule changes is relayed as the bytes that came.

mod actions;
mod cli;
mod conversation;
mod engine;
mod http;
mod message;
mod relay;
mod rules;
mod subject;
mod tls;

pub use cli::run;
