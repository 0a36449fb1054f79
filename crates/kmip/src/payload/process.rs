//! Process (2.1, 6.1.39): a request that was to be answered later shall be done now.

use crate::macros::structure;

structure! {
    /// Asks for a request to be done (2.1, 6.1.39).
    ProcessRequest {
        /// The request.
        AsynchronousCorrelationValue => asynchronous_correlation_value: Vec<u8>,
    }
}

structure! {
    /// It is done. There is nothing to say (2.1, 6.1.39).
    ProcessResponse {}
}
