//! Ping (2.1, 6.1.36): is the server there?

use crate::macros::structure;

structure! {
    /// Asks for an answer (2.1, 6.1.36).
    PingRequest {}
}

structure! {
    /// The answer (2.1, 6.1.36).
    PingResponse {}
}
