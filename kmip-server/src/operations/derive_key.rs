//! 1.4, 4.6; 2.1, 6.1.14: a new key or secret out of those that stand.
//!
//! The first key is what is derived from; a further Secret Data object is the data, in the place of
//! Derivation Data. Base and derived object are linked both ways.

use kmip::attributes::{AttributeReference, AttributeValue, Attributes};
use kmip::objects::{Key, KeyBlock, Object, SecretData};
use kmip::payload::{DerivationParameters, DeriveKeyRequest, DeriveKeyResponse};
use kmip::structures::{CryptographicParameters, Link};
use kmip::vocabulary::{
    CryptographicAlgorithm, DerivationMethod, KeyFormatType, LinkType, ObjectType, ResultReason,
    SecretDataType, tags,
};
use kmip::{Identifier, SecretBytes, Version};

use crate::crypto::asymmetric;
use crate::crypto::key_derivation::{Source, derive};
use crate::keystore::Context;
use crate::keystore::key_use::{self, UsableKey};
use crate::keystore::request_attributes;
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::{key_lengths, server_attributes};

/// The most objects that one is derived from: a key and data, or the keys of two pairs.
const BASES_MAX: usize = 2;

pub(super) async fn derive_key(
    cx: &mut Context<'_>,
    request: DeriveKeyRequest,
) -> Result<DeriveKeyResponse> {
    let object_type = request.object_type;
    if !matches!(object_type, ObjectType::SymmetricKey | ObjectType::SecretData) {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("Derive Key makes a SymmetricKey or SecretData, and no {object_type:?}"),
        ));
    }
    let method = request.derivation_method;
    cx.policy.disabled.check_derivation(method)?;
    let mut attributes = request.attributes;
    let of_secret = length_of_secret(&mut attributes, object_type, cx.version);
    let mut values = request_attributes::resolve_for_create(cx, [attributes], object_type).await?;
    let (algorithm, bits) = server_attributes::cryptographic(&values);
    let bits = of_secret.or(bits);
    let (bits, len) = length(object_type, algorithm, bits)?;
    let bases = bases(cx, &request.unique_identifiers).await?;
    let bytes = derived(cx, method, &bases, *request.derivation_parameters, len).await?;
    let mut key_block = KeyBlock::plain(KeyFormatType::Raw, bytes.as_bytes());
    key_block.cryptographic_algorithm = algorithm;
    key_block.cryptographic_length = Some(bits);
    let object = match object_type {
        ObjectType::SymmetricKey => Object::SymmetricKey(Key { key_block }),
        _ => Object::SecretData(SecretData { secret_data_type: SecretDataType::Seed, key_block }),
    };
    for base in &bases {
        values.push(link(LinkType::DerivationBaseObjectLink, &base.id));
    }
    // Derive Key gives a mask where none is named, in every version (1.4, 3.19): as 2.x does.
    server_attributes::usage_mask(&mut values, object_type, cx.version.max(Version::V2_0))?;
    server_attributes::set_server_attributes(&mut values, &object, cx.now, true);
    let unique_identifier = cx.insert(values, object).await?;
    for base in bases {
        let mut new = base.metadata.clone();
        new.add(link(LinkType::DerivedKeyLink, &unique_identifier));
        cx.update(&base.id, &base.metadata, new).await?;
    }
    cx.id_placeholder = Some(unique_identifier.clone());
    Ok(DeriveKeyResponse { unique_identifier, template_attribute: None })
}

fn link(link_type: LinkType, id: &str) -> AttributeValue {
    let linked_object_identifier = Identifier::Text(id.to_owned());
    AttributeValue::Link(Link { link_type, linked_object_identifier })
}

/// The length of a secret that is derived. Up to 1.4 Secret Data has no attribute of that name
/// (1.4, 3.5), and still it is named in this request: there it is taken, and not kept.
fn length_of_secret(
    attributes: &mut Attributes,
    object_type: ObjectType,
    version: Version,
) -> Option<i32> {
    let length = AttributeReference::Standard(tags::CryptographicLength);
    if crate::objects::attribute_rules::may_have(&length, object_type, version) {
        return None;
    }
    let given = attributes.attributes.iter().position(|a| a.value.is_instance_of(&length))?;
    attribute!([attributes.attributes.remove(given).value], CryptographicLength)
}

/// The length of what is derived, in bits and in bytes. It is always named (1.4, 4.6).
fn length(
    object_type: ObjectType,
    algorithm: Option<CryptographicAlgorithm>,
    bits: Option<i32>,
) -> Result<(i32, usize)> {
    let bits = bits.ok_or_else(|| {
        OperationError::missing("the attributes lack the Cryptographic Length of what is derived")
    })?;
    if object_type == ObjectType::SymmetricKey {
        let algorithm = algorithm.ok_or_else(|| {
            OperationError::missing(
                "the attributes lack the Cryptographic Algorithm of the derived key",
            )
        })?;
        // A length that no key of the algorithm has is let through: clients derive so much and cut
        // it themselves. What cannot be used with such a key says so when it is used.
        if key_lengths::symmetric_length(algorithm, Some(bits)).is_ok() {
            return Ok((bits, key_lengths::key_bytes(algorithm, bits)));
        }
    }
    match usize::try_from(bits) {
        Ok(whole) if whole.is_multiple_of(8) => Ok((bits, whole.div_euclid(8))),
        _ => Err(OperationError::invalid_field("Cryptographic Length must be whole bytes")),
    }
}

/// The objects that the new one is derived from, each of which the client may use so.
async fn bases(cx: &mut Context<'_>, named: &[Identifier]) -> Result<Vec<UsableKey>> {
    if named.is_empty() || named.len() > BASES_MAX {
        return Err(OperationError::invalid_field(format!(
            "Derive Key derives from 1 to {BASES_MAX} objects, and the request names {}",
            named.len()
        )));
    }
    let mut bases: Vec<UsableKey> = Vec::with_capacity(named.len());
    for named in named {
        let id = cx.identify(Some(named))?;
        if bases.iter().any(|base| base.id == id) {
            return Err(OperationError::invalid_field("the request names one object twice"));
        }
        bases.push(key_use::subject(cx, &id, key_use::DERIVE).await?);
    }
    Ok(bases)
}

/// The bytes of the new object.
async fn derived(
    cx: &Context<'_>,
    method: DerivationMethod,
    bases: &[UsableKey],
    parameters: DerivationParameters,
    len: usize,
) -> Result<SecretBytes> {
    if method == DerivationMethod::AsymmetricKey {
        return agreed(bases, len);
    }
    let is_data = |base: &&UsableKey| matches!(base.object, Object::SecretData(_));
    // A key before a secret; of two secrets the first is the key.
    let base = bases.iter().find(|base| !is_data(base)).or_else(|| bases.first());
    let base = base.ok_or_else(|| OperationError::missing("the request names no object"))?;
    let mut data: Vec<SecretBytes> = parameters.derivation_data;
    for other in bases.iter().filter(|other| other.id != base.id) {
        if !is_data(&other) {
            return Err(OperationError::invalid_field("the method derives from one key alone"));
        }
        if !data.is_empty() {
            return Err(OperationError::invalid_message(
                "the request has Derivation Data, and a Secret Data object in its place too",
            ));
        }
        data.push(other.secret()?);
    }
    let asked = parameters.cryptographic_parameters.map(Box::new);
    let cryptographic = base.parameters(cx, asked)?;
    let given = Given {
        key: base.secret()?,
        algorithm: base.algorithm(),
        data: data.iter().map(|data| data.as_bytes().to_vec()).collect(),
        parameters: cryptographic,
        vector: parameters.initialization_vector,
        salt: parameters.salt,
        iterations: parameters.iteration_count,
    };
    given.derive(method, len)
}

/// What a key is derived from.
struct Given {
    key: SecretBytes,
    algorithm: Option<CryptographicAlgorithm>,
    data: Vec<Vec<u8>>,
    parameters: CryptographicParameters,
    vector: Option<Vec<u8>>,
    salt: Option<SecretBytes>,
    iterations: Option<i32>,
}

impl Drop for Given {
    fn drop(&mut self) {
        self.data.iter_mut().for_each(zeroize::Zeroize::zeroize);
    }
}

impl Given {
    fn derive(&self, method: DerivationMethod, len: usize) -> Result<SecretBytes> {
        let source = Source {
            key: self.key.as_bytes(),
            algorithm: self.algorithm,
            data: &self.data,
            parameters: &self.parameters,
            vector: self.vector.as_deref(),
            salt: self.salt.as_ref().map(SecretBytes::as_bytes),
            iterations: self.iterations,
        };
        Ok(SecretBytes::new(&derive(method, source, len)?))
    }
}

/// The secret that a private key and another's public key agree on (1.4, 4.6: since 1.4).
fn agreed(bases: &[UsableKey], len: usize) -> Result<SecretBytes> {
    let of = |kind| bases.iter().find(|base| base.object.object_type() == kind);
    let (Some(private), Some(public)) = (of(ObjectType::PrivateKey), of(ObjectType::PublicKey))
    else {
        return Err(OperationError::invalid_field(
            "AsymmetricKey derives from a private key and a public key",
        ));
    };
    let secret = asymmetric::agree(&private.key()?, &public.key()?)?;
    let first = secret.as_bytes().get(..len).ok_or_else(|| {
        OperationError::new(
            ResultReason::BadCryptographicParameters,
            format!("the keys agree on {} bytes, and not on {len}", secret.as_bytes().len()),
        )
    })?;
    Ok(SecretBytes::new(first))
}
