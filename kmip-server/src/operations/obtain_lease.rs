//! 1.4, 4.17; 2.1, 6.1.35: how long a client may use what it has in its cache, and since when that
//! may be stale. Every client that may know of the object is given a lease, of one length; nothing
//! is kept of who holds one, since a lease only tells the client when to ask again.

use kmip::payload::{ObtainLeaseRequest, ObtainLeaseResponse};

use crate::keystore::Context;
use crate::keystore::lease::longest_lease;
use crate::objects::attribute::attribute;
use crate::objects::error::Result;

pub(super) async fn obtain_lease(
    cx: &mut Context<'_>,
    request: ObtainLeaseRequest,
) -> Result<ObtainLeaseResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let metadata = cx.live_object(&unique_identifier).await?;
    let last_change_date = attribute!(metadata.values(), LastChangeDate)
        .or_else(|| attribute!(metadata.values(), InitialDate))
        .unwrap_or(cx.now);
    let lease_time = longest_lease(cx.policy, &metadata);
    Ok(ObtainLeaseResponse { unique_identifier, lease_time, last_change_date })
}
