//! New random symmetric keys and secrets.

use aws_lc_rs::rand;
use kmip::SecretBytes;
use kmip::objects::{Key, KeyBlock, Object, SecretData};
use kmip::vocabulary::{CryptographicAlgorithm, KeyFormatType, SecretDataType};
use zeroize::Zeroizing;

use crate::crypto::{formats, keys};
use crate::objects::error::{OperationError, Result};
use crate::objects::key_lengths;

/// Returns a new random key of the algorithm, in the form asked for (2.1, 4.26).
pub(crate) fn symmetric_key(
    algorithm: CryptographicAlgorithm,
    length: Option<i32>,
    format: Option<KeyFormatType>,
) -> Result<Object> {
    let length = key_lengths::symmetric_length(algorithm, length)?;
    let mut bytes = Zeroizing::new(vec![0; key_lengths::key_bytes(algorithm, length)]);
    rand::fill(&mut bytes).map_err(|_| OperationError::internal("make a random key"))?;
    if matches!(algorithm, CryptographicAlgorithm::DES | CryptographicAlgorithm::DES3) {
        bytes.iter_mut().for_each(set_odd_parity);
    }
    let key = keys::Key::Symmetric(SecretBytes::new(&bytes));
    let key_block = KeyBlock {
        cryptographic_algorithm: Some(algorithm),
        cryptographic_length: Some(length),
        ..formats::block(&key, format.unwrap_or(KeyFormatType::Raw))?
    };
    Ok(Object::SymmetricKey(Key { key_block }))
}

/// The length of a secret for which none is asked, in bits.
const SECRET_BITS: i32 = 256;

/// Returns a new random secret of so many bits (2.1, 6.1.8).
pub(crate) fn secret_data(length: Option<i32>) -> Result<Object> {
    let length = length.unwrap_or(SECRET_BITS);
    let len = match usize::try_from(length) {
        Ok(bits) if (8..=key_lengths::ANY_MAX).contains(&length) && bits.is_multiple_of(8) => {
            bits.div_euclid(8)
        }
        _ => {
            return Err(OperationError::invalid_field(format!(
                "Cryptographic Length of Secret Data must be whole bytes, at most {} bits",
                key_lengths::ANY_MAX
            )));
        }
    };
    let mut bytes = Zeroizing::new(vec![0; len]);
    rand::fill(&mut bytes).map_err(|_| OperationError::internal("make a random secret"))?;
    let mut key_block = KeyBlock::plain(KeyFormatType::Raw, &bytes);
    key_block.cryptographic_length = Some(length);
    Ok(Object::SecretData(SecretData { secret_data_type: SecretDataType::Seed, key_block }))
}

/// Sets the last bit of a byte of a DES key so that the number of its ones is odd (FIPS 46-3).
fn set_odd_parity(byte: &mut u8) {
    *byte &= 0xFE;
    *byte |= u8::from(byte.count_ones().is_multiple_of(2));
}
