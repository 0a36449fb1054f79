//! Log (2.1, 6.1.29): a line for the server's log.

use crate::macros::structure;

structure! {
    /// The line (2.1, 6.1.29).
    LogRequest {
        /// Its text.
        LogMessage => log_message: String,
    }
}

structure! {
    /// It is logged. There is nothing to say (2.1, 6.1.29).
    LogResponse {}
}
