//! Ping (2.1, 6.1.36): is the server there?

use crate::macros::structure;

structure! {
    /// Asks for an answer.
    PingRequest {}
}

structure! {
    /// The answer.
    PingResponse {}
}
