//! 2.1, 6.1.51: an attribute has this value from now on, whether it had one or none. If it has more
//! than one instance, nothing says which is meant.

use kmip::payload::{SetAttributeRequest, SetAttributeResponse};
use kmip::vocabulary::ResultReason;

use crate::keystore::Context;
use crate::objects::attribute_consistency;
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};

pub(super) async fn set_attribute(
    cx: &mut Context<'_>,
    request: SetAttributeRequest,
) -> Result<SetAttributeResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&unique_identifier).await?;
    let value = attribute_rules::readable(request.attribute.value)?;
    let reference = value.reference();
    let moment = cx.moment(&old);
    match old.instances(&reference).count() {
        0 => attribute_rules::may_add(&old, &value, moment)?,
        1 => attribute_rules::may_modify(&old, &reference, moment)?,
        _ => {
            return Err(OperationError::new(
                ResultReason::MultiValuedAttribute,
                format!("the object has several {}: add, modify or delete one", reference.name()),
            ));
        }
    }
    let mut new = old.clone();
    new.set(value);
    attribute_rules::check_dates(new.values())?;
    attribute_consistency::quantum_safe(new.values())?;
    cx.update(&unique_identifier, &old, new).await?;
    Ok(SetAttributeResponse { unique_identifier })
}
