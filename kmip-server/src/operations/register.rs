//! 1.4, 4.3; 2.1, 6.1.43: the client brings an object, and the server keeps it as it is.

use kmip::attributes::AttributeValue;
use kmip::objects::{KeyBlock, Object};
use kmip::payload::{RegisterRequest, RegisterResponse};
use kmip::vocabulary::{KeyFormatType, ObjectType};

use crate::keystore::Context;
use crate::keystore::{key_pair, pkcs12_bundle, request_attributes};
use crate::objects::error::{OperationError, Result};
use crate::objects::{key_lengths, server_attributes};

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
    let mut values =
        request_attributes::resolve_for_register(cx, [asked], request.object_type).await?;
    if let Some(block) = object.key_block() {
        agree(&mut values, block)?;
        if request.object_type == ObjectType::SymmetricKey {
            check_symmetric(&mut values, block)?;
        }
        if matches!(request.object_type, ObjectType::PrivateKey | ObjectType::PublicKey) {
            key_pair::describe(&mut values, request.object_type, block)?;
        }
        if block.key_format_type == KeyFormatType::PKCS_12 {
            pkcs12_bundle::check_brought(cx, &values).await?;
        }
    }
    server_attributes::usage_mask(&mut values, request.object_type, cx.version)?;
    server_attributes::set_server_attributes(&mut values, &object, cx.now, false);
    let unique_identifier = cx.insert(values, object).await?;
    Ok(RegisterResponse { unique_identifier, template_attribute: None })
}

/// The algorithm and the length stand in the key block, in the attributes, or in both: then they
/// must agree (1.4, 2.1.3).
fn agree(values: &mut Vec<AttributeValue>, block: &KeyBlock) -> Result<()> {
    let (algorithm, length) = server_attributes::cryptographic(values);
    match (algorithm, block.cryptographic_algorithm) {
        (Some(attribute), Some(inside)) if attribute != inside => {
            return Err(OperationError::invalid_field(format!(
                "the attributes say {attribute:?} and the key block says {inside:?}"
            )));
        }
        (None, Some(inside)) => values.push(AttributeValue::CryptographicAlgorithm(inside)),
        _ => {}
    }
    match (length, block.cryptographic_length) {
        (Some(attribute), Some(inside)) if attribute != inside => {
            return Err(OperationError::invalid_field(format!(
                "the attributes say {attribute} bits and the key block says {inside}"
            )));
        }
        (None, Some(inside)) => values.push(AttributeValue::CryptographicLength(inside)),
        _ => {}
    }
    Ok(())
}

/// A symmetric key must be as long as it says, and of a length that its algorithm has.
fn check_symmetric(values: &mut Vec<AttributeValue>, block: &KeyBlock) -> Result<()> {
    let (algorithm, length) = server_attributes::cryptographic(values);
    let algorithm = algorithm.ok_or_else(|| {
        OperationError::missing("neither key block nor attributes name the Cryptographic Algorithm")
    })?;
    let is_raw = matches!(block.key_format_type, KeyFormatType::Raw | KeyFormatType::Opaque);
    let bytes = block.bytes().filter(|_| is_raw).map(<[u8]>::len);
    let Some(bytes) = bytes else { return Ok(()) };
    let bits = i32::try_from(bytes.saturating_mul(8)).unwrap_or(i32::MAX);
    let length = match length {
        Some(length) => length,
        None => {
            values.push(AttributeValue::CryptographicLength(bits));
            bits
        }
    };
    key_lengths::symmetric_length(algorithm, Some(length))?;
    match key_lengths::key_bytes(algorithm, length) == bytes {
        true => Ok(()),
        false => Err(OperationError::invalid_field(format!(
            "Cryptographic Length says {length} bits and the key has {bits}"
        ))),
    }
}
