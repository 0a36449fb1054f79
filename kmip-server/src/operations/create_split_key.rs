//! 1.4, 4.38; 2.1, 6.1.10: a key in parts, each an object of its own.
//!
//! The key is one that stands, or a new one that nobody is given whole. What the parts hold can
//! be no freer than the key was: they take over its usage mask, and whether it may leave.

use kmip::attributes::{AttributeList, AttributeValue};
use kmip::objects::{KeyBlock, KeyMaterial, KeyValue, Object, SplitKey};
use kmip::payload::{CreateSplitKeyRequest, CreateSplitKeyResponse};
use kmip::vocabulary::{ObjectType, ResultReason, SplitKeyMethod};
use kmip::{BigInteger, SecretBytes};

use crate::crypto::secret_sharing::{self, Part, SplitError};
use crate::keystore::Context;
use crate::keystore::request_attributes;
use crate::keystore::split_key::{method, new_split_identifier, refused};
use crate::keystore::symmetric_key::symmetric_key;
use crate::objects::error::{OperationError, Result};
use crate::objects::{key_block, server_attributes};

pub(super) async fn create_split_key(
    cx: &mut Context<'_>,
    request: CreateSplitKeyRequest,
) -> Result<CreateSplitKeyResponse> {
    server_attributes::may_be_kept(request.protection_storage_masks.as_ref())?;
    let method = method(request.split_key_method, request.prime_field_size.as_ref())?;
    let (parts, threshold) = (count(request.split_key_parts)?, count(request.split_key_threshold)?);
    let asked = [request.attributes];
    let mut values = match &request.unique_identifier {
        Some(_) => {
            request_attributes::resolve_for_register(cx, asked, ObjectType::SplitKey).await?
        }
        None => request_attributes::resolve_for_create(cx, asked, ObjectType::SplitKey).await?,
    };
    let block = match &request.unique_identifier {
        Some(named) => {
            let id = cx.identify(Some(named))?;
            standing(cx, &id, request.object_type, &mut values).await?
        }
        None => new(request.object_type, &values)?,
    };
    let secret = block.bytes().ok_or_else(not_plain)?;
    let parts = secret_sharing::split(secret, &method, parts, threshold).map_err(refused)?;
    server_attributes::usage_mask(&mut values, ObjectType::SplitKey, cx.version)?;
    values.push(new_split_identifier());
    let mut unique_identifiers = Vec::with_capacity(parts.len());
    for part in parts {
        let first = part.number == 1;
        let object = object(
            &block,
            &part,
            &request.split_key_method,
            &request.prime_field_size,
            [request.split_key_parts, request.split_key_threshold],
        );
        let mut own = of_part(&values, &block, first);
        server_attributes::set_server_attributes(&mut own, &object, cx.now, true);
        unique_identifiers.push(cx.insert(own, object).await?);
    }
    cx.id_placeholder = unique_identifiers.first().cloned();
    Ok(CreateSplitKeyResponse { unique_identifiers, template_attribute: None })
}

fn count(value: i32) -> Result<u16> {
    u16::try_from(value).map_err(|_| refused(SplitError::Counts))
}

fn not_plain() -> OperationError {
    OperationError::new(
        ResultReason::KeyFormatTypeNotSupported,
        "only a key whose bytes stand here, neither wrapped nor transparent, can be split",
    )
}

/// A new key, of which the parts alone are kept.
fn new(object_type: ObjectType, values: &[AttributeValue]) -> Result<KeyBlock> {
    if !matches!(object_type, ObjectType::SymmetricKey | ObjectType::SplitKey) {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("a new key in parts is a SymmetricKey and no {object_type:?}"),
        ));
    }
    let (algorithm, length) = server_attributes::cryptographic(values);
    let algorithm = algorithm.ok_or_else(|| {
        OperationError::missing("the attributes lack the Cryptographic Algorithm of the new key")
    })?;
    symmetric_key(algorithm, length, None)?.key_block().cloned().ok_or_else(not_plain)
}

/// The key that stands; what it says of itself goes before what the request says.
async fn standing(
    cx: &mut Context<'_>,
    id: &str,
    object_type: ObjectType,
    values: &mut Vec<AttributeValue>,
) -> Result<KeyBlock> {
    let metadata = cx.live_object(id).await?;
    let object = cx.material(id).await?.object;
    if !matches!(object_type, ObjectType::SplitKey) && object.object_type() != object_type {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("Object Type says {object_type:?} and the object is no such"),
        ));
    }
    let taken_over: Vec<AttributeValue> = metadata
        .values()
        .filter(|value| {
            matches!(
                value,
                AttributeValue::CryptographicAlgorithm(_)
                    | AttributeValue::CryptographicLength(_)
                    | AttributeValue::CryptographicUsageMask(_)
                    | AttributeValue::Extractable(_)
                    | AttributeValue::Sensitive(_)
            )
        })
        .cloned()
        .collect();
    values.retain(|value| !taken_over.iter().any(|own| own.is_same_attribute(value)));
    values.extend(taken_over);
    let mut block = object.key_block().cloned().ok_or_else(not_plain)?;
    let (algorithm, length) = server_attributes::cryptographic(metadata.values());
    key_block::fill(&mut block, algorithm, length);
    Ok(block)
}

/// One part as an object.
fn object(
    block: &KeyBlock,
    part: &Part,
    method: &SplitKeyMethod,
    prime: &Option<BigInteger>,
    [parts, threshold]: [i32; 2],
) -> Object {
    Object::SplitKey(SplitKey {
        parts,
        part_identifier: i32::from(part.number),
        threshold,
        method: *method,
        polynomial: None,
        prime_field_size: prime.clone(),
        key_block: KeyBlock {
            key_format_type: block.key_format_type,
            key_compression_type: None,
            key_value: Some(KeyValue::Plain {
                material: KeyMaterial::Bytes(SecretBytes::new(&part.bytes)),
                attributes: AttributeList::default(),
            }),
            cryptographic_algorithm: block.cryptographic_algorithm,
            cryptographic_length: Some(length(block)),
            key_wrapping_data: None,
        },
    })
}

/// The length of the key in bits, by which parts that are longer are cut when they are joined.
fn length(block: &KeyBlock) -> i32 {
    let bits = block.bytes().map_or(0, |bytes| bytes.len().saturating_mul(8));
    block.cryptographic_length.unwrap_or_else(|| i32::try_from(bits).unwrap_or(i32::MAX))
}

/// The attributes of a part. A name is one object's: the first part has it.
fn of_part(values: &[AttributeValue], block: &KeyBlock, first: bool) -> Vec<AttributeValue> {
    let mut own: Vec<AttributeValue> = values
        .iter()
        .filter(|value| first || !matches!(value, AttributeValue::Name(_)))
        .cloned()
        .collect();
    let algorithm = block.cryptographic_algorithm.map(AttributeValue::CryptographicAlgorithm);
    let length = AttributeValue::CryptographicLength(length(block));
    server_attributes::add_missing(&mut own, algorithm.into_iter().chain([length]));
    own
}
