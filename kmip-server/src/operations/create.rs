//! 1.4, 4.1; 2.1, 6.1.8: the server makes a new symmetric key.

use kmip::attributes::AttributeValue;
use kmip::payload::{CreateRequest, CreateResponse};
use kmip::vocabulary::{ObjectType, ResultReason};

use crate::keystore::Context;
use crate::keystore::request_attributes;
use crate::keystore::symmetric_key::symmetric_key;
use crate::objects::error::{OperationError, Result};
use crate::objects::server_attributes;

pub(super) async fn create(cx: &mut Context<'_>, request: CreateRequest) -> Result<CreateResponse> {
    if request.object_type != ObjectType::SymmetricKey {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("Create makes a SymmetricKey and no {:?}", request.object_type),
        ));
    }
    server_attributes::may_be_kept(request.protection_storage_masks.as_ref())?;
    let mut values =
        request_attributes::resolve_for_create(cx, [request.attributes], request.object_type)
            .await?;
    let (algorithm, length) = server_attributes::cryptographic(&values);
    let algorithm = algorithm.ok_or_else(|| {
        OperationError::missing("the attributes lack the Cryptographic Algorithm of the new key")
    })?;
    server_attributes::usage_mask(&mut values, request.object_type, cx.version)?;
    let key = symmetric_key(algorithm, length)?;
    if length.is_none() {
        let length = key.key_block().and_then(|block| block.cryptographic_length).unwrap_or(0);
        values.push(AttributeValue::CryptographicLength(length));
    }
    server_attributes::set_server_attributes(&mut values, &key, cx.now, true);
    let unique_identifier = cx.insert(values, key).await?;
    Ok(CreateResponse {
        object_type: request.object_type,
        unique_identifier,
        template_attribute: None,
    })
}
