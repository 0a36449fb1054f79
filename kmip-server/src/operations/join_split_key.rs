//! 1.4, 4.39; 2.1, 6.1.27: the parts of a key make it again, as a new object.

use kmip::SecretBytes;
use kmip::attributes::{AttributeList, AttributeValue};
use kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object, SecretData, SplitKey};
use kmip::payload::{JoinSplitKeyRequest, JoinSplitKeyResponse};
use kmip::vocabulary::{ObjectType, ResultReason, SecretDataType};
use zeroize::Zeroizing;

use crate::crypto::secret_sharing::{self, Part, SplitError};
use crate::keystore::Context;
use crate::keystore::request_attributes;
use crate::keystore::split_key::{method, refused, split_identifier};
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::{key_block, key_lengths, server_attributes};

pub(super) async fn join_split_key(
    cx: &mut Context<'_>,
    request: JoinSplitKeyRequest,
) -> Result<JoinSplitKeyResponse> {
    let given = request.attributes.unwrap_or_default();
    server_attributes::may_be_kept(request.protection_storage_masks.as_ref())?;
    let mut values =
        request_attributes::resolve_for_register(cx, [given], request.object_type).await?;
    let mut parts = Vec::with_capacity(request.unique_identifiers.len());
    for named in &request.unique_identifiers {
        let id = cx.identify(Some(named))?;
        let metadata = cx.live_object(&id).await?;
        let object = cx.material(&id).await?.object;
        let kind = object.object_type();
        let Object::SplitKey(mut part) = object else {
            return Err(OperationError::new(
                ResultReason::InvalidObjectType,
                format!("object {id} is a {kind:?} and no part of a key"),
            ));
        };
        let (algorithm, length) = server_attributes::cryptographic(metadata.values());
        key_block::fill(&mut part.key_block, algorithm, length);
        parts.push((metadata, part));
    }
    let Some((metadata, first)) = parts.first() else { return Err(refused(SplitError::TooFew)) };
    take_over(&mut values, metadata);
    restrict(&mut values, &parts);
    let secret = join(first, &parts)?;
    let object = object(request.object_type, request.secret_data_type, first, &secret)?;
    key_block::describe(&mut values, &object).map_err(OperationError::invalid_field)?;
    server_attributes::usage_mask(&mut values, request.object_type, cx.version)?;
    server_attributes::set_server_attributes(&mut values, &object, cx.now, false);
    let unique_identifier = cx.insert(values, object).await?;
    Ok(JoinSplitKeyResponse { unique_identifier, template_attribute: None })
}

/// The secret that the parts make, all of which must say the same of it.
fn join(first: &SplitKey, all: &[(Metadata, SplitKey)]) -> Result<Zeroizing<Vec<u8>>> {
    let method = method(first.method, first.prime_field_size.as_ref())?;
    let threshold = u16::try_from(first.threshold).map_err(|_| refused(SplitError::Counts))?;
    let mut parts = Vec::with_capacity(all.len());
    let split = all.first().and_then(|(metadata, _)| split_identifier(metadata));
    for (metadata, part) in all {
        let is_of_the_same_key = split_identifier(metadata) == split
            && part.method == first.method
            && part.threshold == first.threshold
            && part.parts == first.parts
            && part.prime_field_size == first.prime_field_size
            && part.key_block.key_format_type == first.key_block.key_format_type
            && part.key_block.cryptographic_algorithm == first.key_block.cryptographic_algorithm
            && part.key_block.cryptographic_length == first.key_block.cryptographic_length;
        let number = u16::try_from(part.part_identifier).ok();
        let bytes = part.key_block.bytes();
        let (true, Some(number), Some(bytes)) = (is_of_the_same_key, number, bytes) else {
            return Err(refused(SplitError::Unfit));
        };
        parts.push(Part { number, bytes: Zeroizing::new(bytes.to_vec()) });
    }
    secret_sharing::join(&parts, &method, threshold, secret_len(&first.key_block)).map_err(refused)
}

/// The bytes of the key: as its algorithm has them, else as its length says. Parts that say
/// nothing are as long as the key.
fn secret_len(block: &KeyBlock) -> usize {
    match (block.cryptographic_algorithm, block.cryptographic_length) {
        (Some(algorithm), Some(bits))
            if key_lengths::symmetric_length(algorithm, Some(bits)).is_ok() =>
        {
            key_lengths::key_bytes(algorithm, bits)
        }
        (_, Some(bits)) => usize::try_from(bits).unwrap_or(0).div_ceil(8),
        (_, None) => block.bytes().map_or(0, <[u8]>::len),
    }
}

/// What the parts say of the key, where the request says nothing.
fn take_over(values: &mut Vec<AttributeValue>, metadata: &Metadata) {
    let own = metadata.values().filter(|value| {
        matches!(
            value,
            AttributeValue::CryptographicAlgorithm(_)
                | AttributeValue::CryptographicLength(_)
                | AttributeValue::CryptographicUsageMask(_)
        )
    });
    server_attributes::add_missing(values, own.cloned());
}

/// The key is no freer than any of its parts.
fn restrict(values: &mut Vec<AttributeValue>, parts: &[(Metadata, SplitKey)]) {
    let sensitive =
        parts.iter().any(|(part, _)| attribute!(part.values(), Sensitive) == Some(true));
    let kept = parts.iter().any(|(part, _)| attribute!(part.values(), Extractable) == Some(false));
    if sensitive {
        values.retain(|value| !matches!(value, AttributeValue::Sensitive(_)));
        values.push(AttributeValue::Sensitive(true));
    }
    if kept {
        values.retain(|value| !matches!(value, AttributeValue::Extractable(_)));
        values.push(AttributeValue::Extractable(false));
    }
}

fn object(
    object_type: ObjectType,
    secret_data_type: Option<SecretDataType>,
    part: &SplitKey,
    secret: &[u8],
) -> Result<Object> {
    let key_block = KeyBlock {
        key_value: Some(KeyValue::Plain {
            material: KeyMaterial::Bytes(SecretBytes::new(secret)),
            attributes: AttributeList::default(),
        }),
        ..part.key_block.clone()
    };
    Ok(match object_type {
        ObjectType::SymmetricKey => Object::SymmetricKey(Key { key_block }),
        ObjectType::PrivateKey => Object::PrivateKey(Key { key_block }),
        ObjectType::SecretData => Object::SecretData(SecretData {
            secret_data_type: secret_data_type.unwrap_or(SecretDataType::Password),
            key_block,
        }),
        _ => {
            return Err(OperationError::new(
                ResultReason::InvalidObjectType,
                format!("parts of a key make no {object_type:?}"),
            ));
        }
    })
}
