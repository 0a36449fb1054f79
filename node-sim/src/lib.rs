//! A simulated NetApp Element storage cluster: it encrypts its drives at rest and moves its master
//! key to a KMIP key server, and back, by the Element API.
//!
//! ```text
//! node-sim serve --data DIR      runs the cluster and its HTTPS API until SIGTERM
//! node-sim health --data DIR     exits with 0 if it answers
//! node-sim serve --help          lists all settings
//! ```
//!
//! The library is [`run`]; tests of other crates also use the module `testing`, behind a feature of
//! that name.
//!
//! # Code map
//!
//! A directory imports only those below it in this table, and `node` and `key_server` do not import
//! each other; `tests/tidy` checks it.
//!
//! | directory | purpose | invariant |
//! |---|---|---|
//! | `cli` | flags, settings, signals, exit codes, health check; starts the listeners | the only one that prints; knows no API method |
//! | `api` | HTTPS listener, Element's JSON-RPC methods, the simulator's own API | rustls only in `api::http::tls`; a method knows no socket, header or body |
//! | `stream` | what the running program shows as it happens: state, calls, KMIP messages | kept in memory only; nothing in it is secret |
//! | `cluster` | changes of the ledger, the task of each node, the rekey worker, cluster faults | a change is seen only when it is durable; no lock is held over a call to a key server |
//! | `node` | the folder of a node: drives, blocks, shares of internal master keys | touches no other node's folder and contacts nobody: it is given the keys |
//! | `key_server` | KMIP client, the cluster's key pair, checks of certificates | knows a key by its `keyID` only; does not retry, raises no fault, changes no ledger |
//! | `state` | the ledger and its sections: key ring, rekey job, faults, events, accounts | decides and does not act: the ledger's file is its only I/O; a master key is destroyed only if it wraps nothing |
//! | `crypto` | AES-GCM, AES-XTS, secret sharing, the master key | bytes in, bytes out; shares no code with the key server on purpose |
//! | `config` | limits | imports nothing of the crate |
//!
//! # A rekey
//!
//! ```text
//! api -> cluster::rekey -> ledger (the job, the name of the new key) -> asyncHandle
//! cluster::rekey_worker:   ledger -> job.effect() -> perform -> job.advance() -> ledger -> ...
//!                                                       |
//!                          key servers over KMIP, key ring, the drives of every node
//! ```
//!
//! `state::rekey_job` decides and does no I/O; the worker performs. The first run and the run after
//! a crash are the same loop, so there is no recovery code.

#![cfg_attr(
    not(feature = "testing"),
    allow(unreachable_pub, reason = "the feature publishes them, for tests of other crates only")
)]

mod api;
mod cli;
mod cluster;
mod config;
mod crypto;
mod key_server;
mod node;
mod state;
mod stream;
#[cfg(feature = "testing")]
pub mod testing;

pub use cli::run;
