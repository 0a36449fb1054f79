//! 1.4, 4.27; 2.1, 6.1.5: gives up a request that is answered later and has not been begun.
//!
//! It acts while its batch runs, because its answer says whether it was in time; so it stands in a
//! message with none that could be done again (see [`crate::dispatch::batch`]).

use kmip::payload::{CancelRequest, CancelResponse};
use kmip::vocabulary::CancellationResult;

use crate::keystore::Context;
use crate::objects::error::Result;

pub(super) async fn cancel(cx: &mut Context<'_>, request: CancelRequest) -> Result<CancelResponse> {
    let value = request.asynchronous_correlation_value;
    let cancellation_result = cx.state.async_requests.cancel(&cx.client.owner, &value);
    Ok(CancelResponse { asynchronous_correlation_value: value, cancellation_result })
}

/// Longest response, also in letters.
pub(super) fn longest(request: &CancelRequest) -> CancelResponse {
    CancelResponse {
        asynchronous_correlation_value: request.asynchronous_correlation_value.clone(),
        cancellation_result: CancellationResult::UnableToCancel,
    }
}
