//! A simulated NetApp Element storage cluster: it encrypts its drives at rest and moves its master
//! key to a KMIP key server, and back, by the Element API.
//!
//! ```text
//! node-sim serve --data DIR      runs the cluster and its HTTPS API until SIGTERM
//! node-sim health --data DIR     exits with 0 if it answers
//! node-sim serve --help          lists all settings
//! ```
//!
//! The library is [`cli::run`]; tests of other crates also use [`testing`].
//!
//! # Code map
//!
//! A directory imports only those below it; `node` and `key_server` do not import each other.
//!
//! - `cli/`: flags, settings, signals, exit codes and the health check; starts the listeners.
//!   It is the only directory that prints, and it knows no API method.
//! - `api/`: the HTTPS listener, Element's JSON-RPC methods and the simulator's own API.
//!   **rustls is in `api/http/tls` only**; a method knows no socket, header or body.
//! - `cluster/`: changes of the ledger, the task of each node, the rekey worker, cluster faults.
//!   **A change is seen only when it is durable**; no lock is held over a call to a key server.
//! - `node/`: the folder of a node with its drives, blocks and shares of internal master keys.
//!   A node touches no other node's folder and contacts nobody: it is given the keys.
//! - `key_server/`: the KMIP client, the cluster's key pair and the checks of certificates.
//!   It knows a key by its `keyID` only, does not retry, raises no fault and changes no ledger.
//! - `state/`: the ledger and its sections: key ring, rekey job, faults, events, accounts.
//!   It decides and does not act: the ledger's file is its only I/O. **A master key is destroyed
//!   only if it wraps nothing.**
//! - `crypto/`: AES-GCM, AES-XTS, secret sharing and the master key.
//!   Bytes in, bytes out. It shares no code with the key server on purpose.
//! - `config/`: limits. It imports nothing of this crate.
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

mod api;
pub mod cli;
mod cluster;
mod config;
mod crypto;
mod key_server;
mod node;
mod state;
pub mod testing;
