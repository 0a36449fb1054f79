//! 2.1, 6.1.51: a single-instance attribute has this value from now on, whether it had one or not.

use kmip::payload::{SetAttributeRequest, SetAttributeResponse};
use kmip::vocabulary::ResultReason;

use super::Context;
use crate::attributes;
use crate::error::{OperationError, Result};
use crate::promises;

pub(super) async fn set_attribute(
    cx: &mut Context<'_>,
    request: SetAttributeRequest,
) -> Result<SetAttributeResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&unique_identifier).await?;
    let value = attributes::readable(request.attribute.value)?;
    let reference = value.reference();
    if attributes::is_multiple(&reference) {
        return Err(OperationError::new(
            ResultReason::MultiValuedAttribute,
            format!("an object may have several {}: add, modify or delete one", reference.name()),
        ));
    }
    let moment = cx.moment(&old);
    match old.instances(&reference).next() {
        Some(_) => attributes::may_modify(&old, &reference, moment)?,
        None => attributes::may_add(&old, &value, moment)?,
    }
    let mut new = old.clone();
    new.set(value);
    attributes::check_dates(new.values())?;
    promises::quantum_safe(new.values())?;
    cx.update(&unique_identifier, &old, new).await?;
    Ok(SetAttributeResponse { unique_identifier })
}
