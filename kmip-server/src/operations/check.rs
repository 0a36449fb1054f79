//! 1.4, 4.10; 2.1, 6.1.7: may the client use the object so?

use kmip::payload::{CheckRequest, CheckResponse};
use kmip::vocabulary::ResultReason;

use super::Context;
use crate::error::{OperationError, Result};
use crate::find::find;

pub(super) async fn check(cx: &mut Context<'_>, request: CheckRequest) -> Result<CheckResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let metadata = cx.live_object(&unique_identifier).await?;
    if let Some(mask) = request.cryptographic_usage_mask {
        let allowed = metadata.usage_mask();
        if !allowed.contains(mask) {
            return Err(OperationError::new(
                ResultReason::IncompatibleCryptographicUsageMask,
                format!("the object may be used to {allowed:?} and not to {mask:?}"),
            ));
        }
    }
    let left =
        find!(metadata.values(), UsageLimits).map(|limits| limits.count.unwrap_or(limits.total));
    if let (Some(wanted), Some(left)) = (request.usage_limits_count, left)
        && wanted > left
    {
        return Err(OperationError::new(
            ResultReason::UsageLimitExceeded,
            format!("{left} units are left of the object's usage limits, and not {wanted}"),
        ));
    }
    if let Some(wanted) = request.lease_time {
        let longest = cx.rules.longest_lease(&metadata);
        if longest.0 > 0 && wanted > longest {
            return Err(OperationError::new(
                ResultReason::PermissionDenied,
                format!("a lease is {} seconds long at most, and not {}", longest.0, wanted.0),
            ));
        }
    }
    cx.id_placeholder = Some(unique_identifier.clone());
    Ok(CheckResponse {
        unique_identifier: Some(unique_identifier),
        usage_limits_count: None,
        cryptographic_usage_mask: None,
        lease_time: None,
    })
}
