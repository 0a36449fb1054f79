//! 1.4, 4.19; 2.1, 6.1.1: makes a Pre-Active object Active.

use kmip::attributes::AttributeValue;
use kmip::payload::{ActivateRequest, ActivateResponse};

use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};
use crate::objects::lifecycle;

pub(super) async fn activate(
    cx: &mut Context<'_>,
    request: ActivateRequest,
) -> Result<ActivateResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&unique_identifier).await?;
    old.require_lifecycle("activate")?;
    let state = old.state(cx.now);
    if lifecycle::activate(state).is_none() {
        return Err(OperationError::state("activate", state));
    }
    let mut new = old.clone();
    new.set(AttributeValue::ActivationDate(cx.now));
    cx.update(&unique_identifier, &old, new).await?;
    Ok(ActivateResponse { unique_identifier })
}
