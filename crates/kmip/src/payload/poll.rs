//! Poll (1.4, 4.28; 2.1, 6.1.38): is a request that was to be answered later done?

use crate::macros::structure;

structure! {
    /// Asks for the answer to an earlier request (1.4, 4.28; 2.1, 6.1.38).
    PollRequest {
        /// The request.
        AsynchronousCorrelationValue => asynchronous_correlation_value: Vec<u8>,
    }
}

structure! {
    /// Poll has no answer of its own: one that is done is answered as its own operation would
    /// have been, and of one that is not the answer has no payload (1.4, 4.28; 2.1, 6.1.38).
    PollResponse {}
}
