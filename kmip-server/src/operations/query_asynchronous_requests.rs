//! 2.1, 6.1.41: the requests whose results the client has not been told yet.

use kmip::payload::{QueryAsynchronousRequestsRequest, QueryAsynchronousRequestsResponse};

use crate::keystore::Context;
use crate::objects::error::Result;

pub(super) async fn query_asynchronous_requests(
    cx: &mut Context<'_>,
    request: QueryAsynchronousRequestsRequest,
) -> Result<QueryAsynchronousRequestsResponse> {
    let values = request.asynchronous_correlation_values.unwrap_or_default();
    let operations = request.operations.map_or_else(Vec::new, |named| named.operations);
    let asynchronous_requests = cx.state.async_requests.outstanding(
        &cx.client.owner,
        &values.asynchronous_correlation_values,
        &operations,
    );
    Ok(QueryAsynchronousRequestsResponse { asynchronous_requests })
}
