//! 1.4, 4.13; 2.1, 6.1.21: the names of an object's attributes, each once.

use kmip::payload::{GetAttributeListRequest, GetAttributeListResponse};

use crate::keystore::Context;
use crate::objects::attribute_rules;
use crate::objects::error::Result;

pub(super) async fn get_attribute_list(
    cx: &mut Context<'_>,
    request: GetAttributeListRequest,
) -> Result<GetAttributeListResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let metadata = cx.online_object(&unique_identifier).await?;
    let mut names = Vec::new();
    for attribute in attribute_rules::shown(&unique_identifier, &metadata, cx.now) {
        let reference = attribute.value.reference();
        if reference.exists_in(cx.version) && !names.contains(&reference) {
            names.push(reference);
        }
    }
    Ok(GetAttributeListResponse { unique_identifier, attributes: names })
}
