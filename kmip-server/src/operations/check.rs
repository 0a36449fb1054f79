//! 1.4, 4.10; 2.1, 6.1.7: may the client use the object so?

use kmip::payload::{CheckRequest, CheckResponse};
use kmip::vocabulary::{CryptographicUsageMask, ResultReason};

use crate::config::policy::Policy;
use crate::keystore::Context;
use crate::keystore::lease::longest_lease;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::usage_limits;

pub(super) async fn check(cx: &mut Context<'_>, request: CheckRequest) -> Result<CheckResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let metadata = cx.live_object(&unique_identifier).await?;
    if let Err(denied) = may(cx.policy, &metadata, &request) {
        // What follows in the batch must not take another object for this one (1.4, 4.10).
        cx.id_placeholder = None;
        return Err(denied);
    }
    cx.id_placeholder = Some(unique_identifier.clone());
    Ok(CheckResponse {
        unique_identifier: Some(unique_identifier),
        usage_limits_count: None,
        cryptographic_usage_mask: None,
        lease_time: None,
    })
}

/// Each thing that the client means to do, against what the object and the settings allow.
fn may(rules: &Policy, metadata: &Metadata, request: &CheckRequest) -> Result<()> {
    if let Some(mask) = request.cryptographic_usage_mask {
        let allowed = metadata.usage_mask();
        if !allowed.contains(mask) && !allowed.contains(CryptographicUsageMask::Unrestricted) {
            return Err(OperationError::new(
                ResultReason::IncompatibleCryptographicUsageMask,
                format!("the object may be used to {allowed:?} and not to {mask:?}"),
            ));
        }
    }
    if let (Some(wanted), Some(left)) = (request.usage_limits_count, usage_limits::left(metadata))
        && wanted > left
    {
        return Err(OperationError::new(
            ResultReason::UsageLimitExceeded,
            format!("{left} units are left of the object's usage limits, and not {wanted}"),
        ));
    }
    let longest = longest_lease(rules, metadata);
    match request.lease_time {
        Some(wanted) if longest.0 > 0 && wanted > longest => Err(OperationError::new(
            ResultReason::PermissionDenied,
            format!("a lease is {} seconds long at most, and not {}", longest.0, wanted.0),
        )),
        Some(_) | None => Ok(()),
    }
}
