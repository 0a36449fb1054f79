//! New random symmetric keys.

use aws_lc_rs::rand;
use kmip::SecretBytes;
use kmip::attributes::AttributeList;
use kmip::objects::{Key, KeyBlock, KeyMaterial, KeyValue, Object};
use kmip::vocabulary::{CryptographicAlgorithm, KeyFormatType};
use zeroize::Zeroizing;

use crate::objects::error::{OperationError, Result};
use crate::objects::key_lengths;

/// Returns a new random key of the algorithm.
pub(crate) fn symmetric_key(
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

/// Sets the last bit of a byte of a DES key so that the number of its ones is odd (FIPS 46-3).
fn set_odd_parity(byte: &mut u8) {
    *byte &= 0xFE;
    *byte |= u8::from(byte.count_ones().is_multiple_of(2));
}
