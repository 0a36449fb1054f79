//! KMIP 1.0 to 2.1 key-management server: all operations, in TTLV, XML and JSON over mutual TLS.
//! Every acknowledged change is durable.
//!
//! [`run`] is the program `kmip-server`. A key server can also be embedded:
//!
//! ```no_run
//! use std::future::pending;
//! use std::sync::Arc;
//!
//! use kmip_server::config::Settings;
//! use kmip_server::store::{StoreSettings, open};
//! use kmip_server::{KeyServer, listen, serve};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = Settings::new("server.crt", "server.key", "ca.crt");
//! let opened = open(StoreSettings::new("data")).await?;
//! let key_server = Arc::new(KeyServer::new(opened.store, opened.index_key));
//! serve(listen(settings.listen)?, &settings, key_server, pending::<()>()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Code map
//!
//! A directory imports only those below it in this table; `tests/tidy` checks it.
//!
//! | directory | purpose | invariant |
//! |---|---|---|
//! | `cli` | flags, subcommands, signals, exit codes, logging, health check | knows no object and no byte of a message |
//! | `net` | listener, TLS, framing, deadlines, HTTPS, server-initiated requests | knows no operation and no store |
//! | `dispatch` | one message: decode, authenticate, batch, commit, response | nothing is answered before it is durable |
//! | `operations` | one file per KMIP operation | no operation imports another |
//! | `keystore` | a client's objects inside one transaction | every object passes `keystore::Context`, where access is checked |
//! | `auth` | who asks and what it may | knows no operation's payload |
//! | `objects` | what a managed object is: record, life cycle, attribute rules, index keys | pure: no session, no I/O, no clock |
//! | [`store`] | get, scan, commit over sealed records; engines | knows no word of KMIP |
//! | `crypto` | ciphers, hashes, keys, key formats, X.509, PKCS#11 | bytes in and out: no client, no store, no key in an error |
//! | [`config`], `secret` | settings and limits; wiped memory | import nothing of the crate |

mod auth;
mod cli;
pub mod config;
mod crypto;
mod dispatch;
mod keystore;
mod net;
mod objects;
mod operations;
mod secret;
pub mod store;

pub use auth::client::Client;
pub use cli::run;
pub use crypto::x509::certificate::{Certificate, Unreadable, Usage};
pub use dispatch::key_server::{KeyServer, MESSAGE_TRACE};
pub use net::listener::{Server, listen, serve};
pub use net::tls::{Protocol, Tls, WrongFile};
pub use secret::SecretBuffer;

#[cfg(test)]
mod tests;
