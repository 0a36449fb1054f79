//! A client of key servers, over mutual TLS.
//!
//! ```text
//! Builder -> Client (failover)   request(CreateRequest) -> CreateResponse
//!              |-- Server a      version . idle connections . back-off
//!              |     `-- Endpoint -> Connection   one frame out, one frame in, with deadlines
//!              `-- Server b      asked when a cannot be used
//! ```
//!
//! The servers of one client hold the same keys. They are asked in order; one that fails is asked
//! last for a time that grows (back-off). The version is negotiated with each server by Discover
//! Versions and kept. Idle connections are kept too, and a dead one is replaced where that is safe:
//! **an operation that is not idempotent is not sent twice**. The result is then
//! [`Error::OutcomeUnknown`], and the caller has to check.
//!
//! A client decides nothing about keys and repeats nothing else: a caller that waits for a key
//! server asks again.

mod builder;
mod connection;
mod endpoint;
mod error;
mod failover;
mod idempotency;
mod negotiate;
mod response_check;
mod sent_bytes;
mod server;
mod settings;
mod tls;
mod trace;

pub use builder::Builder;
pub use endpoint::KMIP_PORT;
pub use error::{Error, ErrorKind, Phase, Setting};
pub use failover::{BatchOptions, Client};
pub use idempotency::{IDEMPOTENCY, Idempotency};
pub use server::{BACK_OFF_MAX, BACK_OFF_MIN};
pub use settings::{
    CONNECT_DEADLINE_DEFAULT, HANDSHAKE_DEADLINE_DEFAULT, IDLE_CONNECTIONS_MAX_DEFAULT,
    IDLE_LIMIT_DEFAULT, REQUEST_DEADLINE_DEFAULT, RESPONSE_LEN_MAX_DEFAULT,
};
pub use support::tls_failure::{TlsCheck, TlsFault};
pub use trace::{Direction, Trace};
