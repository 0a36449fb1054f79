//! 2.1, 6.1.39: a request that is answered later is done now. When this answers, the next Poll
//! finds it done.

use kmip::payload::{ProcessRequest, ProcessResponse};

use crate::keystore::Context;
use crate::objects::error::Result;

pub(super) async fn process(
    cx: &mut Context<'_>,
    request: ProcessRequest,
) -> Result<ProcessResponse> {
    let owner = &cx.client.owner;
    cx.state.async_requests.process(owner, &request.asynchronous_correlation_value).await?;
    Ok(ProcessResponse {})
}

/// Longest response: it is empty.
pub(super) const fn longest() -> ProcessResponse {
    ProcessResponse {}
}
