//! 1.4, 4.1; 2.1, 6.1.8: the server makes a new symmetric key.

use aws_lc_rs::rand;
use kmip::SecretBytes;
use kmip::attributes::{AttributeList, AttributeValue};
use kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object};
use kmip::payload::{CreateRequest, CreateResponse};
use kmip::vocabulary::{CryptographicAlgorithm, KeyFormatType, ObjectType, ResultReason};
use zeroize::Zeroizing;

use super::Context;
use crate::keystore::request_attributes;
use crate::objects::error::{OperationError, Result};
use crate::objects::{key_lengths, server_attributes};

pub(super) async fn create(cx: &mut Context<'_>, request: CreateRequest) -> Result<CreateResponse> {
    if request.object_type != ObjectType::SymmetricKey {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("Create makes a SymmetricKey and no {:?}", request.object_type),
        ));
    }
    server_attributes::may_be_kept(request.protection_storage_masks.as_ref())?;
    let mut values =
        request_attributes::of_made(cx, [request.attributes], request.object_type).await?;
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
    server_attributes::complete(&mut values, &key, cx.now, true);
    let unique_identifier = cx.insert(values, key).await?;
    Ok(CreateResponse {
        object_type: request.object_type,
        unique_identifier,
        template_attribute: None,
    })
}

/// A new random key of the algorithm.
pub(super) fn symmetric_key(
    algorithm: CryptographicAlgorithm,
    length: Option<i32>,
) -> Result<Object> {
    let length = key_lengths::symmetric_length(algorithm, length)?;
    let mut bytes = Zeroizing::new(vec![0; key_lengths::key_bytes(algorithm, length)]);
    rand::fill(&mut bytes).map_err(|_| OperationError::internal("make a random key"))?;
    if matches!(algorithm, CryptographicAlgorithm::DES | CryptographicAlgorithm::DES3) {
        bytes.iter_mut().for_each(set_odd_parity);
    }
    Ok(Object::SymmetricKey(Key {
        key_block: KeyBlock {
            key_format_type: KeyFormatType::Raw,
            key_compression_type: None,
            key_value: Some(KeyValue::Plain {
                material: KeyMaterial::Bytes(SecretBytes::new(&bytes)),
                attributes: AttributeList::default(),
            }),
            cryptographic_algorithm: Some(algorithm),
            cryptographic_length: Some(length),
            key_wrapping_data: None,
        },
    }))
}

/// The last bit of a byte of a DES key makes the number of its ones odd (FIPS 46-3).
fn set_odd_parity(byte: &mut u8) {
    *byte &= 0xFE;
    *byte |= u8::from(byte.count_ones().is_multiple_of(2));
}
