//! A PKCS#11 module behind the operation PKCS#11 (2.1, 6.1.37; 2.1 profiles, 5.18).
//!
//! ```text
//! C_Initialize -> instance (correlation value) -> sessions -> the module, on a thread of its own
//! ```
//!
//! The module is loaded and initialized once, when the server starts; what a client initializes
//! and finalizes is an instance of its own: its sessions, and no other client's. **An instance
//! belongs to the client that made it.** Log-in is not served: PKCS#11 keeps it for the whole
//! program, so that one client's PIN would open the token to every other. So nothing here
//! reaches a key.
//!
//! This is the only room that names cryptoki.

mod functions;
mod longest_answer;
mod module;
mod parameters;

pub(crate) use longest_answer::{has_effect, longest_answer};
pub(crate) use module::{Answer, Call, CallError, Module};
