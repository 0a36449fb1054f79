//! 1.4, 4.14; 2.1, 6.1.2: a new attribute, or a further instance of one.

use kmip::payload::{AddAttributeRequest, AddAttributeResponse};

use crate::keystore::Context;
use crate::objects::attribute_consistency;
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};

pub(super) async fn add_attribute(
    cx: &mut Context<'_>,
    request: AddAttributeRequest,
) -> Result<AddAttributeResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    if request.attribute.index.is_some_and(|index| index != 0) {
        return Err(OperationError::invalid_field(
            "the server gives an attribute its index: leave Attribute Index out",
        ));
    }
    let old = cx.live_object(&unique_identifier).await?;
    let value = attribute_rules::readable(request.attribute.value)?;
    attribute_rules::may_add(&old, &value, cx.moment(&old))?;
    let mut new = old.clone();
    let attribute = new.add(value).clone();
    attribute_rules::check_dates(new.values())?;
    attribute_consistency::quantum_safe(new.values())?;
    cx.update(&unique_identifier, &old, new).await?;
    Ok(AddAttributeResponse { unique_identifier, attribute: Some(attribute) })
}
