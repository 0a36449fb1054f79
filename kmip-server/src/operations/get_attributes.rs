//! 1.4, 4.12; 2.1, 6.1.20: what is known of an object. An attribute that the object does not have
//! is passed over, as is one that the client's version does not have; one that no object can have,
//! or one that is named twice, is refused (1.4, 11.13; 2.1, table 225).

use std::collections::BTreeSet;

use kmip::attributes::{AllAttributes, AttributeReference};
use kmip::payload::{GetAttributesRequest, GetAttributesResponse};

use crate::keystore::Context;
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;

pub(super) async fn get_attributes(
    cx: &mut Context<'_>,
    request: GetAttributesRequest,
) -> Result<GetAttributesResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let metadata = cx.online_object(&unique_identifier).await?;
    check(&request.attributes, &metadata)?;
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

fn check(asked: &[AttributeReference], metadata: &Metadata) -> Result<()> {
    let mut seen = BTreeSet::new();
    for reference in asked {
        if !seen.insert(reference) {
            return Err(OperationError::invalid_message(format!(
                "the request names {:?} twice",
                reference.name()
            )));
        }
        // An older program may have kept what cannot be an attribute.
        if metadata.instances(reference).next().is_none() {
            attribute_rules::check_exists(reference)?;
        }
    }
    Ok(())
}
