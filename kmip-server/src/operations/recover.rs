//! 1.4, 4.23; 2.1, 6.1.42: an archived object is on-line again, and has no Archive Date more. One
//! that never was archived is on-line already: it stays as it is.

use kmip::attributes::AttributeValue;
use kmip::payload::{RecoverRequest, RecoverResponse};

use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};
use crate::objects::lifecycle;

pub(super) async fn recover(
    cx: &mut Context<'_>,
    request: RecoverRequest,
) -> Result<RecoverResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.object(&unique_identifier).await?;
    if lifecycle::is_destroyed(old.state(cx.now)) {
        return Err(OperationError::destroyed(&unique_identifier));
    }
    if lifecycle::is_archived(old.values()) {
        let mut new = old.clone();
        new.attributes.retain(|a| !matches!(a.value, AttributeValue::ArchiveDate(_)));
        cx.update(&unique_identifier, &old, new).await?;
    }
    cx.id_placeholder = Some(unique_identifier.clone());
    Ok(RecoverResponse { unique_identifier })
}
