//! 1.4, 4.1; 2.1, 6.1.8: the server makes a new symmetric key or, since 2.0, a secret.

use kmip::Version;
use kmip::attributes::AttributeValue;
use kmip::payload::{CreateRequest, CreateResponse};
use kmip::vocabulary::{ObjectType, ResultReason};

use crate::keystore::Context;
use crate::keystore::request_attributes;
use crate::keystore::symmetric_key::{secret_data, symmetric_key};
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::server_attributes;

pub(super) async fn create(cx: &mut Context<'_>, request: CreateRequest) -> Result<CreateResponse> {
    let is_secret = request.object_type == ObjectType::SecretData && cx.version >= Version::V2_0;
    if request.object_type != ObjectType::SymmetricKey && !is_secret {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("Create cannot make a {:?} in KMIP {}", request.object_type, cx.version),
        ));
    }
    server_attributes::may_be_kept(request.protection_storage_masks.as_ref())?;
    let mut values =
        request_attributes::resolve_for_create(cx, [request.attributes], request.object_type)
            .await?;
    let (algorithm, length) = server_attributes::cryptographic(&values);
    server_attributes::usage_mask(&mut values, request.object_type, cx.version)?;
    let format = attribute!(values.iter(), KeyFormatType);
    let key = match (is_secret, algorithm) {
        (true, _) => secret_data(length)?,
        (false, Some(algorithm)) => symmetric_key(algorithm, length, format)?,
        (false, None) => {
            return Err(OperationError::missing(
                "the attributes lack the Cryptographic Algorithm of the new key",
            ));
        }
    };
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
