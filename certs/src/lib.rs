//! Who may speak to whom: the certificates of a lab, good ones and the deliberately bad set.
//!
//! ```text
//! Authority --server(hosts)--> Pair      may serve those hosts
//!           --client(name)---> Pair      may ask, and owns what it makes
//!           --sign(request)--> PEM       for a client that keeps its own key
//!           --revocation_list--> PEM     takes some of them back
//!           --bad_*(fault)---> Pair      has one fault, and must be refused
//! ```
//!
//! A library for tests and a program for people ([`cli`]). It makes certificates and never opens a
//! socket: whether a peer refuses the bad set is the peer's own test.

mod authority;
mod bad;
pub mod cli;
mod error;
mod files;
mod lab;
mod pair;
mod request;
mod revocation;
mod validity;

pub use authority::{Algorithm, Authority, Role};
pub use bad::{BAD, BadCase, Fault};
pub use error::Error;
pub use lab::{HOSTS_DEFAULT, Plan, init};
pub use pair::Pair;
pub use validity::DAYS_DEFAULT;
