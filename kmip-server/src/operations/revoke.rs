//! 1.4, 4.20; 2.1, 6.1.44: gives an object up. Known to others, it is Compromised; for any other
//! reason it is Deactivated, which only an Active object can become.

use kmip::attributes::AttributeValue;
use kmip::payload::{RevokeRequest, RevokeResponse};
use kmip::vocabulary::RevocationReasonCode as Code;

use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};
use crate::objects::lifecycle;

pub(super) async fn revoke(cx: &mut Context<'_>, request: RevokeRequest) -> Result<RevokeResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.online_object(&unique_identifier).await?;
    old.require_lifecycle("revoke")?;
    let state = old.state(cx.now);
    let mut new = old.clone();
    let compromised =
        matches!(request.revocation_reason.code, Code::KeyCompromise | Code::CACompromise);
    if compromised {
        lifecycle::compromise(state)
            .ok_or_else(|| OperationError::state("report the compromise of", state))?;
        let since = request.compromise_occurrence_date.unwrap_or(cx.now);
        new.set(AttributeValue::CompromiseOccurrenceDate(since));
        new.set(AttributeValue::CompromiseDate(cx.now));
    } else {
        lifecycle::deactivate(state).ok_or_else(|| OperationError::state("revoke", state))?;
        new.set(AttributeValue::DeactivationDate(cx.now));
    }
    new.set(AttributeValue::RevocationReason(request.revocation_reason));
    cx.update(&unique_identifier, &old, new).await?;
    Ok(RevokeResponse { unique_identifier })
}
