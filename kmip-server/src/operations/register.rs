//! 1.4, 4.3; 2.1, 6.1.43: the client brings an object, and the server keeps it as it is.

use kmip::objects::{Key, Object};
use kmip::payload::{RegisterRequest, RegisterResponse};
use kmip::vocabulary::{KeyFormatType, ObjectType};

use crate::keystore::Context;
use crate::keystore::{pkcs12_bundle, request_attributes, wrapping};
use crate::objects::error::{OperationError, Result};
use crate::objects::{key_block, key_value, server_attributes};

pub(super) async fn register(
    cx: &mut Context<'_>,
    request: RegisterRequest,
) -> Result<RegisterResponse> {
    let mut object = request.object;
    if object.object_type() != request.object_type {
        return Err(OperationError::invalid_field(format!(
            "Object Type says {:?} and the object is a {:?}",
            request.object_type,
            object.object_type()
        )));
    }
    if !matches!(
        request.object_type,
        ObjectType::SymmetricKey
            | ObjectType::PublicKey
            | ObjectType::PrivateKey
            | ObjectType::Certificate
            | ObjectType::CertificateRequest
            | ObjectType::SecretData
            | ObjectType::OpaqueObject
            | ObjectType::SplitKey
            | ObjectType::PGPKey
            | ObjectType::Template
    ) {
        return Err(OperationError::invalid_field(format!(
            "this server keeps no {:?}",
            request.object_type
        )));
    }
    server_attributes::may_be_kept(request.protection_storage_masks.as_ref())?;
    let mut asked = request.attributes;
    if let Object::Template(template) = &mut object {
        // A template is its attributes, wherever the client gives them; its Name too.
        asked.attributes.append(&mut template.attributes.0);
    }
    let accessible = wrapping::accessible(cx, &object).await;
    let described = accessible.as_ref().unwrap_or(&object);
    key_value::join(&mut asked.attributes, key_value::attributes(described))?;
    let mut values =
        request_attributes::resolve_for_register(cx, [asked], request.object_type).await?;
    key_block::describe(&mut values, described).map_err(OperationError::invalid_field)?;
    let (algorithm, _) = server_attributes::cryptographic(&values);
    if request.object_type == ObjectType::SymmetricKey && algorithm.is_none() {
        return Err(OperationError::missing(
            "neither key block nor attributes name the Cryptographic Algorithm",
        ));
    }
    if let Object::PrivateKey(Key { key_block }) = &object
        && key_block.key_format_type == KeyFormatType::PKCS_12
    {
        pkcs12_bundle::take_in(cx, &mut values, key_block).await?;
    }
    server_attributes::usage_mask(&mut values, request.object_type, cx.version)?;
    server_attributes::set_server_attributes(&mut values, described, cx.now, false);
    key_value::clear(&mut object);
    let unique_identifier = cx.insert(values, object).await?;
    Ok(RegisterResponse { unique_identifier, template_attribute: None })
}
