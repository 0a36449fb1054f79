//! What attributes promise of an object, and what must therefore be true of it before it is kept
//! (2.1, 4.26, 4.45 and 4.46). A promise that cannot be kept is refused, never forgotten.
//!
//! ```text
//! the object itself         a certificate has the outline of one
//! Key Format Type           the key has that form
//! Random Number Generator   the server makes keys with that one
//! Quantum Safe              the key is strong enough for its Protection Level and Period
//! ```

use kmip::attributes::AttributeValue;
use kmip::objects::Object;
use kmip::structures::RNGParameters;
use kmip::vocabulary::{
    CryptographicAlgorithm as A, KeyFormatType, ProtectionLevel, RNGAlgorithm, ResultReason,
};

use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::object_form;

/// The random number generator that keys are made with, as an attribute tells it. Which one the
/// library of cryptography uses is its own affair, and may change with it.
pub(crate) const RNG: RNGParameters = RNGParameters {
    rng_algorithm: RNGAlgorithm::Unspecified,
    cryptographic_algorithm: None,
    cryptographic_length: None,
    hashing_algorithm: None,
    drbg_algorithm: None,
    recommended_curve: None,
    fips186_variation: None,
    prediction_resistance: None,
};

/// Checks all that a new object promises.
pub(crate) fn check_consistency(values: &[AttributeValue], object: &Object) -> Result<()> {
    object_form::check(object)?;
    let asked = attribute!(values, KeyFormatType);
    if let (Some(asked), Some(block)) = (asked, object.key_block()) {
        key_format_type(asked, block.key_format_type)?;
    }
    quantum_safe(values)
}

/// The server complies with a Key Format Type or fails the request (2.1, 4.26).
fn key_format_type(asked: KeyFormatType, held: KeyFormatType) -> Result<()> {
    match asked == held {
        true => Ok(()),
        false => Err(OperationError::new(
            ResultReason::KeyFormatTypeNotSupported,
            format!("the key is {held:?}, and the attributes ask for {asked:?}"),
        )),
    }
}

/// A request that names random number generators takes a key from one of them alone; one that
/// says nothing but Unspecified takes every one (2.1, 4.46).
pub(crate) fn random_number_generator(values: &[AttributeValue]) -> Result<()> {
    match attribute!(values, RandomNumberGenerator) {
        Some(asked) if asked != RNG => Err(OperationError::new(
            ResultReason::UnsupportedCryptographicParameters,
            format!("this server makes no key with {:?}", asked.rng_algorithm),
        )),
        Some(_) | None => Ok(()),
    }
}

/// How many bits of a key must be left to guess when a quantum computer halves them (Grover), for
/// something that needs High protection.
const HIGH_BITS: i32 = 256;

/// Likewise for Low protection: NIST's first category is as hard as AES-128.
const LOW_BITS: i32 = 128;

/// An object that is said to be Quantum Safe must be so for its Protection Level. High is meant
/// when none is named. How long the Protection Period is changes nothing: no key here becomes
/// safe by being needed for a short time.
pub(crate) fn quantum_safe<'a>(
    values: impl IntoIterator<Item = &'a AttributeValue, IntoIter: Clone>,
) -> Result<()> {
    let values = values.into_iter();
    if attribute!(values.clone(), QuantumSafe) != Some(true) {
        return Ok(());
    }
    // What is no key, or does not say what it is, promises nothing that could be judged.
    let Some(algorithm) = attribute!(values.clone(), CryptographicAlgorithm) else { return Ok(()) };
    let length = attribute!(values.clone(), CryptographicLength).unwrap_or(0);
    let needed = match attribute!(values, ProtectionLevel) {
        Some(ProtectionLevel::Low) => LOW_BITS,
        Some(_) | None => HIGH_BITS,
    };
    let is_safe = match resistance(algorithm) {
        Resistance::None => false,
        Resistance::OfItsLength => length >= needed,
        Resistance::Made => true,
    };
    match is_safe {
        true => Ok(()),
        false => Err(OperationError::new(
            ResultReason::GeneralFailure,
            format!("a key for {algorithm:?} of {length} bits is not Quantum Safe here"),
        )),
    }
}

/// What a quantum computer leaves of an algorithm.
enum Resistance {
    /// Nothing (Shor), or it is broken anyway.
    None,
    /// Half the length of the key.
    OfItsLength,
    /// It was made to withstand one.
    Made,
}

const fn resistance(algorithm: A) -> Resistance {
    match algorithm {
        A::AES
        | A::Camellia
        | A::Twofish
        | A::ARIA
        | A::ChaCha20
        | A::ChaCha20Poly1305
        | A::OneTimePad
        | A::HMAC_SHA256
        | A::HMAC_SHA384
        | A::HMAC_SHA512
        | A::HMAC_SHA3_256
        | A::HMAC_SHA3_384
        | A::HMAC_SHA3_512 => Resistance::OfItsLength,
        A::XMSS | A::SPHINCS_256 | A::McEliece | A::McEliece_6960119 | A::McEliece_8192128 => {
            Resistance::Made
        }
        _ => Resistance::None,
    }
}

#[cfg(test)]
mod tests {
    use super::{A, quantum_safe};
    use kmip::attributes::AttributeValue as V;
    use kmip::vocabulary::ProtectionLevel;

    /// One row a case: algorithm, bits, level, and whether it is safe. The second row is that of
    /// the profiles' case QS-M-2.
    #[test]
    fn what_is_quantum_safe() {
        let rows = [
            (A::AES, 256, Some(ProtectionLevel::High), true),
            (A::AES, 128, Some(ProtectionLevel::High), false),
            (A::AES, 128, Some(ProtectionLevel::Low), true),
            (A::AES, 192, None, false),
            (A::HMAC_SHA512, 512, None, true),
            (A::DES3, 168, Some(ProtectionLevel::Low), false),
            (A::RSA, 4096, Some(ProtectionLevel::Low), false),
            (A::EC, 521, None, false),
            (A::McEliece_8192128, 8192, None, true),
        ];
        for (algorithm, bits, level, safe) in rows {
            let values: Vec<V> = [
                V::QuantumSafe(true),
                V::CryptographicAlgorithm(algorithm),
                V::CryptographicLength(bits),
            ]
            .into_iter()
            .chain(level.map(V::ProtectionLevel))
            .collect();
            assert_eq!(quantum_safe(&values).is_ok(), safe, "{algorithm:?} {bits} {level:?}");
        }
        let unsaid = [V::QuantumSafe(false), V::CryptographicAlgorithm(A::RSA)];
        assert!(quantum_safe(&unsaid).is_ok());
    }
}
