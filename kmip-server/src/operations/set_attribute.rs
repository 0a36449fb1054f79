//! 2.1, 6.1.51: a single-instance attribute has this value from now on, whether it had one or not.

use kmip::payload::{SetAttributeRequest, SetAttributeResponse};
use kmip::vocabulary::ResultReason;

use super::Context;
use crate::attributes;
use crate::error::{OperationError, Result};

pub(super) async fn set_attribute(
    cx: &mut Context<'_>,
    request: SetAttributeRequest,
) -> Result<SetAttributeResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&unique_identifier).await?;
    let value = request.attribute.value;
    let reference = value.reference();
    if attributes::is_multiple(&reference) {
        return Err(OperationError::new(
            ResultReason::MultiValuedAttribute,
            format!("an object may have several {}: add, modify or delete one", reference.name()),
        ));
    }
    let state = old.state(cx.now);
    match old.instances(&reference).next() {
        Some(_) => attributes::may_modify(&reference, state)?,
        None => attributes::may_add(&old, &value, state)?,
    }
    let mut new = old.clone();
    new.set(value);
    attributes::check_dates(new.values())?;
    cx.update(&unique_identifier, &old, new).await?;
    Ok(SetAttributeResponse { unique_identifier })
}
