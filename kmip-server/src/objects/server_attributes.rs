//! What a new object is given by the server, whichever operation makes it.

use aws_lc_rs::digest;
use kmip::attributes::{AttributeSet, AttributeValue};
use kmip::objects::{KeyBlock, KeyMaterial, KeyValue, Object, ProtectionStorageMasks};
use kmip::structures::Digest;
use kmip::vocabulary::{
    CryptographicAlgorithm, HashingAlgorithm, KeyFormatType, ObjectType, ProtectionStorageMask,
    ResultReason,
};
use kmip::{DateTime, Version};
use zeroize::Zeroizing;

use crate::crypto::formats::{self, Hint};
use crate::crypto::hash::hash;
use crate::objects::attribute::attribute;
use crate::objects::attribute_consistency::RNG;
use crate::objects::certificate_attributes;
use crate::objects::default_attributes::built_in;
use crate::objects::error::{OperationError, Result};

/// The algorithm and the length that attributes name.
pub(crate) fn cryptographic<'a>(
    values: impl IntoIterator<Item = &'a AttributeValue, IntoIter: Clone>,
) -> (Option<CryptographicAlgorithm>, Option<i32>) {
    let values = values.into_iter();
    (attribute!(values.clone(), CryptographicAlgorithm), attribute!(values, CryptographicLength))
}

/// What the attributes say of a key that its form may not.
pub(crate) fn key_hint<'a>(values: impl Iterator<Item = &'a AttributeValue> + Clone) -> Hint {
    let domain = attribute!(values.clone(), CryptographicDomainParameters);
    Hint {
        algorithm: attribute!(values, CryptographicAlgorithm),
        curve: domain.and_then(|domain| domain.recommended_curve),
    }
}

/// The Usage Mask that a key must have. From 2.0 on the server supplies what the client leaves
/// out (2.1, 4, table 28); before, a key without a mask is refused.
pub(crate) fn usage_mask(
    values: &mut Vec<AttributeValue>,
    object_type: ObjectType,
    version: Version,
) -> Result<()> {
    if attribute!(values.iter(), CryptographicUsageMask).is_some() {
        return Ok(());
    }
    let needs_one = matches!(
        object_type,
        ObjectType::SymmetricKey
            | ObjectType::PublicKey
            | ObjectType::PrivateKey
            | ObjectType::SplitKey
            | ObjectType::PGPKey
    );
    let default = attribute!(built_in(object_type), CryptographicUsageMask);
    if needs_one && version < Version::V2_0 {
        return Err(OperationError::missing(
            "the attributes lack the Cryptographic Usage Mask, which says what the key is for",
        ));
    }
    if needs_one || object_type == ObjectType::SecretData {
        values.push(AttributeValue::CryptographicUsageMask(default.unwrap_or_default()));
    }
    Ok(())
}

/// The attributes that every new object is given, beyond those that the client gave. What tells how
/// the server made the object is the server's to say; the rest stands as the client gave it.
pub(crate) fn set_server_attributes(
    values: &mut Vec<AttributeValue>,
    object: &Object,
    now: DateTime,
    made_here: bool,
) {
    use AttributeValue as A;
    add_missing(
        values,
        [A::ObjectType(object.object_type()), A::InitialDate(now), A::LastChangeDate(now)],
    );
    // A template has no life and no secret: it is its attributes (1.4, 2.2.6).
    if matches!(object, Object::Template(_)) {
        return;
    }
    let sensitive = attribute!(values.iter(), Sensitive).unwrap_or(false);
    let extractable = attribute!(values.iter(), Extractable).unwrap_or(true);
    let of_all = [
        A::Fresh(true),
        A::ProtectionStorageMask(STORAGE),
        A::Extractable(extractable),
        A::Sensitive(sensitive),
        A::AlwaysSensitive(sensitive),
        A::NeverExtractable(!extractable),
    ];
    let block = object.key_block();
    let format = block.map(|block| A::KeyFormatType(block.key_format_type));
    let elsewhere = block.filter(|block| block.key_value.is_none());
    let absent = elsewhere.map(|_| A::KeyValuePresent(false));
    add_missing(values, of_all.into_iter().chain(format).chain(absent));
    if made_here {
        values.retain(|v| !matches!(v, A::OriginalCreationDate(_) | A::RandomNumberGenerator(_)));
        values.push(A::OriginalCreationDate(now));
        values.push(A::RandomNumberGenerator(RNG));
    }
    let own = of_the_object(object, key_hint(values.iter()));
    values.retain(|v| matches!(v, A::Digest(_)) || !own.iter().any(|o| o.is_same_attribute(v)));
    let new: Vec<A> = own.into_iter().filter(|value| !values.contains(value)).collect();
    values.extend(new);
}

/// Adds what stands there no value of; each of an attribute of the standard.
pub(crate) fn add_missing(
    values: &mut Vec<AttributeValue>,
    more: impl IntoIterator<Item = AttributeValue>,
) {
    let mut seen = AttributeSet::from_values(values.iter());
    values.extend(more.into_iter().filter(|value| seen.insert(value)));
}

/// What the object itself says.
pub(crate) fn of_the_object(object: &Object, hint: Hint) -> Vec<AttributeValue> {
    match object {
        Object::Certificate(certificate) => certificate_attributes::attributes(certificate),
        Object::OpaqueObject(opaque) => {
            let value = opaque.opaque_data_value.as_bytes();
            vec![
                AttributeValue::OpaqueDataType(opaque.opaque_data_type),
                AttributeValue::Digest(sha256(value, KeyFormatType::Opaque)),
            ]
        }
        Object::CertificateRequest(request) => {
            let value = &request.certificate_request_value;
            vec![AttributeValue::Digest(sha256(value, KeyFormatType::PKCS_10))]
        }
        Object::PGPKey(_)
        | Object::PrivateKey(_)
        | Object::PublicKey(_)
        | Object::SecretData(_)
        | Object::SplitKey(_)
        | Object::SymmetricKey(_) => {
            let block = object.key_block();
            let digests = block.map(|block| key_digests(object.object_type(), block, hint));
            digests.into_iter().flatten().map(AttributeValue::Digest).collect()
        }
        Object::Template(_) => Vec::new(),
    }
}

/// Where objects are kept: in a file, under a key in memory.
pub(crate) const STORAGE: ProtectionStorageMask = ProtectionStorageMask::Software;

/// Each mask of a request is one choice of where an object may be kept; one must be what the server
/// has (2.1, 7.33). No masks leave it to the server.
pub(crate) fn may_be_kept(masks: Option<&ProtectionStorageMasks>) -> Result<()> {
    let Some(masks) = masks.filter(|masks| !masks.masks.is_empty()) else { return Ok(()) };
    match masks.masks.iter().any(|mask| mask.contains(STORAGE)) {
        true => Ok(()),
        false => Err(OperationError::new(
            ResultReason::ProtectionStorageUnavailable,
            format!("this server keeps objects in {STORAGE:?} alone"),
        )),
    }
}

/// The digests of a key that the server can read; SHA-256 always (1.4, 3.17): in the default form
/// of such a key (2.1, 4.21 and 4.26), and in the form that it has.
fn key_digests(object_type: ObjectType, block: &KeyBlock, hint: Hint) -> Vec<Digest> {
    let (Some(KeyValue::Plain { material, .. }), None) =
        (&block.key_value, &block.key_wrapping_data)
    else {
        return Vec::new();
    };
    let own = material_digest(material, block.key_format_type);
    // Raw, Opaque and what cannot be read have the one form.
    let is_read = !matches!(block.key_format_type, KeyFormatType::Raw | KeyFormatType::Opaque);
    let key = is_read.then(|| formats::read(object_type, block, hint).ok()).flatten();
    let standard = key.and_then(|key| {
        let format = formats::default_format(&key);
        let material = formats::write(&key, format).ok()?;
        (format != block.key_format_type).then(|| material_digest(&material, format))
    });
    standard.into_iter().chain([own]).collect()
}

/// Whether a digest that a client brings is that of the object. One that cannot be computed here is
/// taken as it is said.
pub(crate) fn is_digest_of(digest: &Digest, object: &Object, hint: Hint) -> bool {
    let (Some(bytes), Ok(mut hash)) =
        (digested(object, digest.key_format_type, hint), hash(digest.hashing_algorithm))
    else {
        return true;
    };
    hash.update(&bytes);
    digest.digest_value.as_deref().is_none_or(|value| value == hash.finish().as_slice())
}

/// The bytes that a digest is of, in a form that the object has here (1.4, 3.17).
fn digested(
    object: &Object,
    format: Option<KeyFormatType>,
    hint: Hint,
) -> Option<Zeroizing<Vec<u8>>> {
    let block = match object {
        Object::Certificate(certificate) => {
            return Some(Zeroizing::new(certificate.certificate_value.clone()));
        }
        Object::CertificateRequest(request) => {
            return Some(Zeroizing::new(request.certificate_request_value.clone()));
        }
        Object::OpaqueObject(opaque) => {
            return Some(Zeroizing::new(opaque.opaque_data_value.as_bytes().to_vec()));
        }
        Object::PGPKey(_)
        | Object::PrivateKey(_)
        | Object::PublicKey(_)
        | Object::SecretData(_)
        | Object::SplitKey(_)
        | Object::SymmetricKey(_)
        | Object::Template(_) => object.key_block()?,
    };
    let (Some(KeyValue::Plain { material, .. }), None) =
        (&block.key_value, &block.key_wrapping_data)
    else {
        return None;
    };
    let format = format.unwrap_or(block.key_format_type);
    let written = match format == block.key_format_type {
        true => material.clone(),
        false => {
            let key = formats::read(object.object_type(), block, hint).ok()?;
            formats::write(&key, format).ok()?
        }
    };
    Some(Zeroizing::new(material_bytes(&written).to_vec()))
}

fn material_bytes(material: &KeyMaterial) -> &[u8] {
    match material {
        KeyMaterial::Bytes(bytes) => bytes.as_bytes(),
        KeyMaterial::Transparent(raw) => raw.as_bytes(),
    }
}

fn material_digest(material: &KeyMaterial, format: KeyFormatType) -> Digest {
    sha256(material_bytes(material), format)
}

fn sha256(bytes: &[u8], key_format_type: KeyFormatType) -> Digest {
    Digest {
        hashing_algorithm: HashingAlgorithm::SHA_256,
        digest_value: Some(digest::digest(&digest::SHA256, bytes).as_ref().to_vec()),
        key_format_type: Some(key_format_type),
    }
}
