//! Cancel (1.4, 4.27; 2.1, 6.1.5): a request that is still under way shall not be done.

use crate::macros::structure;
use crate::vocabulary::CancellationResult;

structure! {
    /// Asks for a request to be given up (1.4, 4.27; 2.1, 6.1.5).
    CancelRequest {
        /// The request.
        AsynchronousCorrelationValue => asynchronous_correlation_value: Vec<u8>,
    }
}

structure! {
    /// What became of it (1.4, 4.27; 2.1, 6.1.5).
    CancelResponse {
        /// The request.
        AsynchronousCorrelationValue => asynchronous_correlation_value: Vec<u8>,
        /// Given up, done already, or neither.
        CancellationResult => cancellation_result: CancellationResult,
    }
}
