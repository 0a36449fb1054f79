//! Interop (2.1, 6.1.26): a test case begins or ends. Not for servers in use.

use crate::macros::structure;
use crate::vocabulary::InteropFunction;

structure! {
    /// What the tester is about to do.
    InteropRequest {
        /// Begin, end, or put all back.
        InteropFunction => interop_function: InteropFunction,
        /// Which test case.
        InteropIdentifier => interop_identifier: Option<String>,
    }
}

structure! {
    /// It was heard. There is nothing to say.
    InteropResponse {}
}
