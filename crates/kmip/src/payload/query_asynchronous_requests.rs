//! Query Asynchronous Requests (2.1, 6.1.41): what is still to be answered.

use crate::codec::DateTimeExtended;
use crate::macros::structure;
use crate::structures::Operations;
use crate::vocabulary::{Operation, ProcessingStage};

structure! {
    /// Asks for the requests whose answers nobody has fetched yet (2.1, 6.1.41).
    #[derive(Default)]
    QueryAsynchronousRequestsRequest {
        /// Of these.
        AsynchronousCorrelationValues
            => asynchronous_correlation_values: Option<AsynchronousCorrelationValues>,
        /// Of these operations.
        Operations => operations: Option<Operations>,
    }
}

structure! {
    /// A list of requests (2.1, 7.1).
    #[derive(Default)]
    AsynchronousCorrelationValues {
        /// The requests.
        AsynchronousCorrelationValue => asynchronous_correlation_values: Vec<Vec<u8>>,
    }
}

structure! {
    /// The requests (2.1, 6.1.41).
    #[derive(Default)]
    QueryAsynchronousRequestsResponse {
        /// The requests.
        AsynchronousRequest => asynchronous_requests: Vec<AsynchronousRequest>,
    }
}

structure! {
    /// A request that is to be answered later (2.1, 7.2).
    AsynchronousRequest {
        /// Its name.
        AsynchronousCorrelationValue => asynchronous_correlation_value: Vec<u8>,
        /// What it asked for.
        Operation => operation: Operation,
        /// When it came.
        SubmissionDate => submission_date: DateTimeExtended,
        /// How far it is.
        ProcessingStage => processing_stage: ProcessingStage,
    }
}
