//! 1.4, 4.21; 2.1, 6.1.15: the material is gone for ever; what is known of the object stays.

use kmip::attributes::AttributeValue;
use kmip::payload::{DestroyRequest, DestroyResponse};

use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};
use crate::objects::lifecycle;

pub(super) async fn destroy(
    cx: &mut Context<'_>,
    request: DestroyRequest,
) -> Result<DestroyResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&unique_identifier).await?;
    let state = old.state(cx.now);
    lifecycle::destroy(state).ok_or_else(|| OperationError::state("destroy", state))?;
    let mut new = old.clone();
    new.set(AttributeValue::DestroyDate(cx.now));
    cx.update(&unique_identifier, &old, new).await?;
    cx.remove_material(&unique_identifier).await?;
    Ok(DestroyResponse { unique_identifier })
}
