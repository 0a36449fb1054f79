//! The two objects of a new pair of keys (1.4, 4.2 and 4.5; 2.1, 6.1.9 and 6.1.47).

use kmip::Version;
use kmip::attributes::AttributeValue;
use kmip::objects::{Key as KeyObject, Object};
use kmip::structures::CryptographicDomainParameters;
use kmip::vocabulary::{KeyFormatType, ResultReason};

use crate::config::Names;
use crate::crypto::asymmetric::{Kind, Pair};
use crate::crypto::formats;
use crate::crypto::keys::Key;
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::key_block::domain_of;
use crate::objects::record::Metadata;

/// The values of each attribute of this name.
macro_rules! find_all {
    ($values:expr, $name:ident) => {
        $values
            .filter_map(|value| {
                let AttributeValue::$name(value) = value else { return None };
                Some(value.clone())
            })
            .collect::<Vec<_>>()
    };
}
/// The pair that the attributes of both its keys ask for, which must ask for the same one (2.1,
/// table 191). What one of them leaves out, the other says.
pub(crate) fn kind(private: &[AttributeValue], public: &[AttributeValue]) -> Result<Kind> {
    let both = || private.iter().chain(public);
    for (name, is_same) in [
        ("Cryptographic Algorithm", agree(find_all!(both(), CryptographicAlgorithm))),
        ("Cryptographic Length", agree(find_all!(both(), CryptographicLength))),
        (
            "Cryptographic Domain Parameters",
            agree(find_all!(both(), CryptographicDomainParameters)),
        ),
    ] {
        if !is_same {
            return Err(OperationError::invalid_field(format!(
                "the private key and the public key of a pair have the same {name}"
            )));
        }
    }
    let domain = attribute!(both(), CryptographicDomainParameters);
    let curve = domain.and_then(|domain: CryptographicDomainParameters| domain.recommended_curve);
    let algorithm = attribute!(both(), CryptographicAlgorithm);
    Ok(Kind::of(algorithm, attribute!(both(), CryptographicLength), curve)?)
}

fn agree<T: PartialEq>(all: Vec<T>) -> bool {
    all.iter().skip(1).all(|other| all.first() == Some(other))
}

/// Refuses a pair of which both keys would have one Name, where names are unique.
pub(crate) fn check_names(
    names: Names,
    private: &[AttributeValue],
    public: &[AttributeValue],
) -> Result<()> {
    let is_name = |value: &&AttributeValue| matches!(value, AttributeValue::Name(_));
    let shared = private.iter().filter(is_name).find(|name| public.contains(name));
    match (names, shared) {
        (Names::Unique, Some(_)) => Err(OperationError::new(
            ResultReason::NonUniqueNameAttribute,
            "both keys of the pair would have one Name: give each its own, or let objects share \
             names with the setting names = \"shared\"",
        )),
        (Names::Unique | Names::Shared, _) => Ok(()),
    }
}

/// The objects of a new pair, each in the form that its attributes ask for; the attributes are
/// given what they left out.
pub(crate) fn objects(
    pair: &Pair,
    kind: Kind,
    private: &mut Vec<AttributeValue>,
    public: &mut Vec<AttributeValue>,
    version: Version,
) -> Result<(Object, Object)> {
    for values in [&mut *private, &mut *public] {
        if attribute!(values.iter(), CryptographicLength).is_none() {
            values.push(AttributeValue::CryptographicLength(kind.length()));
        }
    }
    let algorithm = attribute!(private.iter().chain(public.iter()), CryptographicAlgorithm);
    let domain = attribute!(private.iter().chain(public.iter()), CryptographicDomainParameters);
    for values in [&mut *private, &mut *public] {
        if attribute!(values.iter(), CryptographicAlgorithm).is_none() {
            values.extend(algorithm.map(AttributeValue::CryptographicAlgorithm));
        }
        if attribute!(values.iter(), CryptographicDomainParameters).is_none() {
            let given = domain.clone().map(AttributeValue::CryptographicDomainParameters);
            values.extend(given.or_else(|| pair.public.curve().map(domain_of)));
        }
    }
    let private = object(&pair.private, private, version)?;
    let public = object(&pair.public, public, version)?;
    Ok((Object::PrivateKey(private), Object::PublicKey(public)))
}

/// Gives a key that replaces another one the form of the old key, if it can have it and the request
/// asks for none.
pub(crate) fn inherit_format(values: &mut Vec<AttributeValue>, old: &Metadata, key: &Key) {
    let held = attribute!(old.values(), KeyFormatType);
    if let (None, Some(held)) = (attribute!(values.iter(), KeyFormatType), held)
        && formats::write(key, held).is_ok()
    {
        values.push(AttributeValue::KeyFormatType(held));
    }
}

fn object(key: &Key, values: &[AttributeValue], version: Version) -> Result<KeyObject> {
    let asked = attribute!(values.iter(), KeyFormatType);
    let format = asked.unwrap_or_else(|| default_format(key, version));
    let mut key_block = formats::block(key, format)?;
    key_block.cryptographic_algorithm = attribute!(values.iter(), CryptographicAlgorithm);
    Ok(KeyObject { key_block })
}

/// The form of a new key when nobody asks for one. From 2.0 on the standard says (2.1, table 81);
/// before, keys on curves have the forms that its clients read.
fn default_format(key: &Key, version: Version) -> KeyFormatType {
    match (formats::default_format(key), version >= Version::V2_0) {
        (KeyFormatType::TransparentECPrivateKey, false) => KeyFormatType::ECPrivateKey,
        (KeyFormatType::TransparentECPublicKey, false) => KeyFormatType::X_509,
        (format, _) => format,
    }
}
