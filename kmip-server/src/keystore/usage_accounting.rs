//! Counting of what the server protects with a key against its Usage Limits (1.4, 3.21; 2.1, 4.59).

use kmip::vocabulary::{ResultReason, UsageLimitsUnit};

use crate::keystore::Context;
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::usage_limits::take;

/// Counts that the server protects `bytes` with a key. What is not to be had is Permission Denied
/// here (1.4, 4.29 and 4.31; 2.1, 6.1.17 and 6.1.55), whatever Get Usage Allocation calls it.
pub(crate) async fn count_protected(
    cx: &mut Context<'_>,
    id: &str,
    metadata: &Metadata,
    bytes: usize,
) -> Result<()> {
    let Some(limits) = attribute!(metadata.values(), UsageLimits) else { return Ok(()) };
    let denied = |why: String| OperationError::new(ResultReason::PermissionDenied, why);
    let units = match limits.unit {
        UsageLimitsUnit::Byte => i64::try_from(bytes).unwrap_or(i64::MAX),
        UsageLimitsUnit::Object => 1,
        unit => return Err(denied(format!("this server does not count in the unit {unit:?}"))),
    };
    let mut new = metadata.clone();
    take(&mut new, units).map_err(|error| denied(error.message))?;
    cx.update(id, metadata, new).await
}
