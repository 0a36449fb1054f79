//! A client of key servers, over mutual TLS.
//!
//! ```text
//! Client -- request(CreateRequest) -> CreateResponse
//!   |-- Server a   version . kept connections . set aside until
//!   |     `-- Connection   one frame out, one frame in, each under a deadline
//!   `-- Server b   asked when a cannot be used
//! ```
//!
//! The servers of one client hold the same keys. They are asked in order; one that fails is set
//! aside for a time that grows, which means: asked last. The version is agreed on with each server
//! by Discover Versions and kept. Connections are kept too, and one that turns out to be dead is
//! replaced without a word where that is safe: **what may not be done twice is not sent twice**.
//! Then the answer is [`Error::OutcomeUnknown`], and the caller has to look.
//!
//! A client decides nothing about keys, and repeats nothing but as above: whoever needs to wait
//! for a key server asks again.

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
pub use error::{Doing, Error, Kind, Setting};
pub use failover::{BatchOptions, Client};
pub use idempotency::{REPEAT, Repeat};
pub use server::{BACK_OFF_MAX, BACK_OFF_MIN};
pub use settings::{
    CONNECT_DEADLINE_DEFAULT, HANDSHAKE_DEADLINE_DEFAULT, IDLE_LIMIT_DEFAULT, KEPT_MAX_DEFAULT,
    REQUEST_DEADLINE_DEFAULT, RESPONSE_LEN_MAX_DEFAULT,
};
pub use support::tls_failure::{TlsCheck, TlsFault};
pub use trace::{Direction, Trace};
