//! What a new object is given by the server, whichever operation makes it.

use aws_lc_rs::digest;
use kmip::attributes::AttributeValue;
use kmip::objects::{KeyBlock, KeyMaterial, KeyValue, Object};
use kmip::structures::Digest;
use kmip::vocabulary::{
    CryptographicAlgorithm, CryptographicUsageMask, HashingAlgorithm, KeyFormatType, ObjectType,
    ProtectionStorageMask,
};
use kmip::{DateTime, Version};

use crate::error::{OperationError, Result};
use crate::find::find;

/// The algorithm and the length that the attributes of a request name.
pub fn cryptographic(values: &[AttributeValue]) -> (Option<CryptographicAlgorithm>, Option<i32>) {
    (find!(values.iter(), CryptographicAlgorithm), find!(values.iter(), CryptographicLength))
}

/// The Usage Mask that a key must have. From 2.0 on the server supplies what the client leaves
/// out (2.1, 4, table 28); before, a key without a mask is refused.
pub fn usage_mask(
    values: &mut Vec<AttributeValue>,
    object_type: ObjectType,
    version: Version,
) -> Result<()> {
    if find!(values.iter(), CryptographicUsageMask).is_some() {
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
    let default = match object_type {
        ObjectType::SymmetricKey => {
            CryptographicUsageMask::Encrypt.union(CryptographicUsageMask::Decrypt)
        }
        ObjectType::PublicKey => {
            CryptographicUsageMask::Encrypt.union(CryptographicUsageMask::Verify)
        }
        ObjectType::PrivateKey => {
            CryptographicUsageMask::Decrypt.union(CryptographicUsageMask::Sign)
        }
        _ => CryptographicUsageMask(0),
    };
    if needs_one && version < Version::V2_0 {
        return Err(OperationError::missing(
            "the attributes lack the Cryptographic Usage Mask, which says what the key is for",
        ));
    }
    if needs_one || object_type == ObjectType::SecretData {
        values.push(AttributeValue::CryptographicUsageMask(default));
    }
    Ok(())
}

/// The attributes that every new object is given, beyond those that the client gave.
pub fn complete(values: &mut Vec<AttributeValue>, object: &Object, now: DateTime, made_here: bool) {
    let mut add = |value: AttributeValue| {
        if !values.iter().any(|v| v.reference() == value.reference()) {
            values.push(value);
        }
    };
    add(AttributeValue::ObjectType(object.object_type()));
    add(AttributeValue::InitialDate(now));
    add(AttributeValue::LastChangeDate(now));
    if made_here {
        add(AttributeValue::OriginalCreationDate(now));
    }
    add(AttributeValue::Fresh(true));
    let is_software = ProtectionStorageMask::Software;
    add(AttributeValue::ProtectionStorageMask(is_software));
    add(AttributeValue::Extractable(true));
    add(AttributeValue::Sensitive(false));
    let sensitive = find!(values.iter(), Sensitive).unwrap_or(false);
    let extractable = find!(values.iter(), Extractable).unwrap_or(true);
    values.push(AttributeValue::AlwaysSensitive(sensitive));
    values.push(AttributeValue::NeverExtractable(!extractable));
    if let Some(block) = object.key_block() {
        values.push(AttributeValue::KeyFormatType(block.key_format_type));
        values.extend(key_digest(block).map(AttributeValue::Digest));
    }
    match object {
        Object::Certificate(certificate) => {
            values.push(AttributeValue::CertificateType(certificate.certificate_type));
            let len = i32::try_from(certificate.certificate_value.len()).unwrap_or(i32::MAX);
            values.push(AttributeValue::CertificateLength(len));
            values.push(AttributeValue::Digest(sha256(
                &certificate.certificate_value,
                KeyFormatType::X_509,
            )));
        }
        Object::OpaqueObject(opaque) => {
            values.push(AttributeValue::OpaqueDataType(opaque.opaque_data_type));
            let value = opaque.opaque_data_value.as_bytes();
            values.push(AttributeValue::Digest(sha256(value, KeyFormatType::Opaque)));
        }
        Object::CertificateRequest(_)
        | Object::PGPKey(_)
        | Object::PrivateKey(_)
        | Object::PublicKey(_)
        | Object::SecretData(_)
        | Object::SplitKey(_)
        | Object::SymmetricKey(_)
        | Object::Template(_) => {}
    }
}

/// The digest of a key that the server can read; SHA-256 always (1.4, 3.17).
fn key_digest(block: &KeyBlock) -> Option<Digest> {
    match &block.key_value {
        Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) => {
            Some(sha256(bytes.as_bytes(), block.key_format_type))
        }
        Some(KeyValue::Plain { material: KeyMaterial::Transparent(raw), .. }) => {
            Some(sha256(raw.as_bytes(), block.key_format_type))
        }
        Some(KeyValue::Wrapped(_)) | None => None,
    }
}

fn sha256(bytes: &[u8], key_format_type: KeyFormatType) -> Digest {
    Digest {
        hashing_algorithm: HashingAlgorithm::SHA_256,
        digest_value: Some(digest::digest(&digest::SHA256, bytes).as_ref().to_vec()),
        key_format_type: Some(key_format_type),
    }
}
