//! Certificate authority of the lab: certificates of servers and clients, and the deliberately bad
//! set.
//!
//! ```text
//! cli --> init (lab)    all files of a lab: ca, server, clients, bad/
//!  |        |
//!  `--> Authority --server(hosts)----> CertifiedKey   for a server of these hosts
//!                 --client(name)-----> CertifiedKey   for a client of this name
//!                 --sign(request)----> PEM            for a client that keeps its own key
//!                 --revocation_list--> PEM            list of revoked certificates
//!                 --bad_*(fault)-----> CertifiedKey   with exactly one fault
//!
//! certified_key . request . files . validity . error  used by the others
//! ```
//!
//! A library for tests and a program for people ([`cli`]). It makes certificates and never opens a
//! socket: whether a peer refuses the bad set is the peer's own test.

mod authority;
mod bad;
mod certified_key;
pub mod cli;
mod error;
mod files;
mod lab;
mod request;
mod revocation;
mod validity;

pub use authority::{Algorithm, Authority, Role};
pub use bad::{BAD, BadCase, Fault};
pub use certified_key::CertifiedKey;
pub use error::Error;
pub use lab::{HOSTS_DEFAULT, Plan, init};
