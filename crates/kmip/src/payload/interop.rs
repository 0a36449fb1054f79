//! Interop (2.1, 6.1.26): a test case begins or ends. Not for servers in use.

use crate::macros::structure;
use crate::vocabulary::InteropFunction;

structure! {
    /// What the tester is about to do (2.1, 6.1.26).
    InteropRequest {
        /// Begin, end, or put all back.
        InteropFunction => interop_function: InteropFunction,
        /// Which test case.
        InteropIdentifier => interop_identifier: Option<String>,
    }
}

structure! {
    /// It was heard. There is nothing to say (2.1, 6.1.26).
    InteropResponse {}
}
