//! The algorithm and the length of a key: in its attributes, in its key block, and in the key
//! itself (1.4, 2.1.3; 2.1, 3.1). **They are kept once, as attributes**: what comes in is held
//! against them and fills them, and a key block goes out with what they say.

use kmip::attributes::AttributeValue;
use kmip::objects::{KeyBlock, Object};
use kmip::structures::CryptographicDomainParameters;
use kmip::vocabulary::{CryptographicAlgorithm, ObjectType, RecommendedCurve};

use crate::crypto::formats::claim;
use crate::crypto::keys::Key;
use crate::objects::attribute::attribute;
use crate::objects::key_lengths;
use crate::objects::server_attributes::{cryptographic, key_hint};

/// Why what comes in cannot be taken.
type Contradiction = String;

/// Fills the attributes of an object that a client brings with what its key block and its key say,
/// and refuses what contradicts them.
pub(crate) fn describe(
    values: &mut Vec<AttributeValue>,
    object: &Object,
) -> Result<(), Contradiction> {
    let Some(block) = object.key_block() else { return Ok(()) };
    agree(values, block)?;
    let object_type = object.object_type();
    let (algorithm, _) = cryptographic(values.iter());
    if !is_for(object_type, algorithm) {
        return Err(format!("a {object_type:?} cannot be a key for {}", shown(algorithm)));
    }
    let found = claim::check(object_type, block, key_hint(values.iter()))
        .map_err(|error| error.to_string())?;
    if let (Some(said), Some(found)) = (algorithm, found.algorithm)
        && family(said).is_some_and(|said| Some(said) != family(found))
    {
        return Err(format!("Cryptographic Algorithm says {said:?} and the key is for {found:?}"));
    }
    match found.key {
        Some(Key::Symmetric(bytes)) if object_type == ObjectType::SymmetricKey => {
            symmetric(values, bytes.as_bytes().len())
        }
        Some(Key::Symmetric(_)) | None => Ok(()),
        Some(key) => of_a_pair(values, &key),
    }
}

/// The algorithm and the length stand in the key block, in the attributes, or in both: then they
/// must agree (1.4, 2.1.3).
fn agree(values: &mut Vec<AttributeValue>, block: &KeyBlock) -> Result<(), Contradiction> {
    let (algorithm, length) = cryptographic(values.iter());
    match (algorithm, block.cryptographic_algorithm) {
        (Some(said), Some(inside)) if said != inside => {
            return Err(format!("the attributes say {said:?} and the key block says {inside:?}"));
        }
        (None, Some(inside)) => values.push(AttributeValue::CryptographicAlgorithm(inside)),
        _ => {}
    }
    match (length, block.cryptographic_length) {
        (Some(said), Some(inside)) if said != inside => {
            return Err(format!("the attributes say {said} bits and the key block says {inside}"));
        }
        (None, Some(inside)) => values.push(AttributeValue::CryptographicLength(inside)),
        _ => {}
    }
    Ok(())
}

/// A symmetric key must be as long as it says, and of a length that its algorithm has.
fn symmetric(values: &mut Vec<AttributeValue>, bytes: usize) -> Result<(), Contradiction> {
    let (algorithm, length) = cryptographic(values.iter());
    let bits = i32::try_from(bytes.saturating_mul(8)).unwrap_or(i32::MAX);
    let length = length.unwrap_or_else(|| {
        values.push(AttributeValue::CryptographicLength(bits));
        bits
    });
    let expected = match algorithm {
        Some(algorithm) if key_lengths::is_made(algorithm) => {
            key_lengths::symmetric_length(algorithm, Some(length)).map_err(|e| e.message)?;
            key_lengths::key_bytes(algorithm, length)
        }
        Some(_) | None => usize::try_from(length).unwrap_or(0).div_ceil(8),
    };
    match expected == bytes {
        true => Ok(()),
        false => Err(format!("Cryptographic Length says {length} bits and the key has {bits}")),
    }
}

/// What a key of a pair says of itself, where its attributes do not (1.4, 3.4, 3.5 and 3.7; 2.1,
/// 4.12, 4.14 and 4.15).
fn of_a_pair(values: &mut Vec<AttributeValue>, key: &Key) -> Result<(), Contradiction> {
    let (algorithm, length) = cryptographic(values.iter());
    if algorithm.is_none() {
        values.extend(key.algorithm().map(AttributeValue::CryptographicAlgorithm));
    }
    let own = key.length();
    match length {
        None => values.push(AttributeValue::CryptographicLength(own)),
        // A curve that this server does not know has no length here; some programs count whole
        // bytes, and some leave out a leading bit.
        Some(said) if own > 0 && whole_bytes(said) != whole_bytes(own) => {
            return Err(format!("Cryptographic Length says {said} bits and the key has {own}"));
        }
        Some(_) => {}
    }
    let said = attribute!(values.iter(), CryptographicDomainParameters)
        .map(|domain: CryptographicDomainParameters| domain.recommended_curve);
    match (said, key.curve()) {
        (None, Some(curve)) => values.push(domain_of(curve)),
        (Some(Some(said)), Some(curve)) if said != curve => {
            return Err(format!(
                "Cryptographic Domain Parameters say {said:?} and the key is on {curve:?}"
            ));
        }
        _ => {}
    }
    Ok(())
}

fn whole_bytes(bits: i32) -> i32 {
    bits.saturating_add(7) & !7
}

/// A curve, as the attribute says it.
pub(crate) const fn domain_of(curve: RecommendedCurve) -> AttributeValue {
    AttributeValue::CryptographicDomainParameters(CryptographicDomainParameters {
        q_length: None,
        recommended_curve: Some(curve),
    })
}

/// Gives a key block that goes out what the attributes say (1.4, 2.1.3; 2.1, 3.1).
pub(crate) fn fill(
    block: &mut KeyBlock,
    algorithm: Option<CryptographicAlgorithm>,
    length: Option<i32>,
) {
    block.cryptographic_algorithm = algorithm.or(block.cryptographic_algorithm);
    block.cryptographic_length = length.or(block.cryptographic_length);
}

/// Algorithms whose keys can be taken for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Rsa,
    Dsa,
    Dh,
    Curve,
    Symmetric,
}

/// The family of an algorithm; none of one that this server knows nothing of.
fn family(algorithm: CryptographicAlgorithm) -> Option<Family> {
    use CryptographicAlgorithm as A;
    match algorithm {
        A::RSA => Some(Family::Rsa),
        A::DSA => Some(Family::Dsa),
        A::DH => Some(Family::Dh),
        A::EC | A::ECDSA | A::ECDH | A::ECMQV | A::SM2 | A::Ed25519 | A::Ed448 => {
            Some(Family::Curve)
        }
        A::OneTimePad | A::ARIA | A::SEED | A::SM4 | A::GOST28147_89 | A::GOSTR34_13_2015 => {
            Some(Family::Symmetric)
        }
        other => key_lengths::is_made(other).then_some(Family::Symmetric),
    }
}

/// Whether objects of this type can be keys for the algorithm.
fn is_for(object_type: ObjectType, algorithm: Option<CryptographicAlgorithm>) -> bool {
    let family = algorithm.and_then(family);
    match object_type {
        ObjectType::SymmetricKey => family.is_none_or(|family| family == Family::Symmetric),
        ObjectType::PublicKey | ObjectType::PrivateKey => family != Some(Family::Symmetric),
        _ => true,
    }
}

fn shown(algorithm: Option<CryptographicAlgorithm>) -> String {
    algorithm.map(|algorithm| format!("{algorithm:?}")).unwrap_or_default()
}
