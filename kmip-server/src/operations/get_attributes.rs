//! 1.4, 4.12; 2.1, 6.1.20: what is known of an object. A name that the object has no attribute of
//! is passed over, as is an attribute that the client's version does not have.

use kmip::attributes::AllAttributes;
use kmip::payload::{GetAttributesRequest, GetAttributesResponse};

use crate::keystore::Context;
use crate::objects::attribute_rules;
use crate::objects::error::Result;

pub(super) async fn get_attributes(
    cx: &mut Context<'_>,
    request: GetAttributesRequest,
) -> Result<GetAttributesResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let metadata = cx.online_object(&unique_identifier).await?;
    let all = attribute_rules::shown(&unique_identifier, &metadata, cx.now);
    let found = match request.attributes.is_empty() {
        true => all,
        false => request
            .attributes
            .iter()
            .flat_map(|asked| all.iter().filter(move |a| a.value.is_instance_of(asked)))
            .cloned()
            .collect(),
    };
    Ok(GetAttributesResponse { unique_identifier, attributes: AllAttributes(found) })
}
