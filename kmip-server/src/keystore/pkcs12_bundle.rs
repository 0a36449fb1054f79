//! A private key with its chain of certificates, under the password that it is linked to: what a
//! Get of PKCS#12 gives (1.4, 3.35, 3.45 and 4.11; 2.1, 4.31, 4.42 and 6.1.19).
//!
//! ```text
//! private key -> Public Key Link -> public key -> PKCS#12 Certificate Link -> certificate
//!      |                                            or Certificate Link       | Certificate Link
//!      +-> PKCS#12 Password Link -> Secret Data                               +-> its issuer ...
//! ```
//!
//! Whether the certificates are valid is not asked: the client linked them.

use kmip::attributes::AttributeValue;
use kmip::objects::{KeyBlock, Object};
use kmip::vocabulary::{KeyFormatType, LinkType, ObjectType, ResultReason, SecretDataType};
use zeroize::Zeroizing;

use crate::crypto::formats;
use crate::crypto::formats::pkcs12::{self, Contents};
use crate::crypto::formats::pkcs12_names;
use crate::keystore::Context;
use crate::keystore::replacement::linked;
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::server_attributes;

/// The most certificates of a chain: public ones have three or four.
const CHAIN_MAX: usize = 16;

/// The name of a key that has none (1.4, 3.45).
const ALIAS: &str = "alias";

/// The key block of a private key as a container.
pub(crate) async fn container(
    cx: &mut Context<'_>,
    metadata: &Metadata,
    object_type: ObjectType,
    block: &KeyBlock,
) -> Result<KeyBlock> {
    if object_type != ObjectType::PrivateKey {
        return Err(OperationError::new(
            ResultReason::KeyFormatTypeNotSupported,
            "a PKCS#12 container is asked for by the private key in it",
        ));
    }
    let private =
        formats::read(object_type, block, server_attributes::key_hint(metadata.values()))?;
    let password = password(cx, linked(metadata, LinkType::PKCS_12PasswordLink)).await?;
    let certificates = certificates(cx, metadata).await?;
    let name =
        attribute!(metadata.values(), PKCS_12FriendlyName).unwrap_or_else(|| ALIAS.to_owned());
    let written = pkcs12::write(&Contents {
        key: Some(&private),
        certificates: &certificates,
        friendly_name: &name,
        password: &password,
    })?;
    let container = KeyBlock::plain(KeyFormatType::PKCS_12, &written);
    Ok(KeyBlock {
        cryptographic_algorithm: block.cryptographic_algorithm,
        cryptographic_length: block.cryptographic_length,
        ..container
    })
}

/// Takes in a container that a client brings with these attributes. Its password must be one that
/// the server knows (1.4, table 330). The name that the attributes give is that of a key in it;
/// where they give none, that of the first key is recorded (1.4, 3.45; 2.1, 4.39).
pub(crate) async fn take_in(
    cx: &mut Context<'_>,
    values: &mut Vec<AttributeValue>,
    block: &KeyBlock,
) -> Result<()> {
    let names = block.bytes().map(pkcs12_names::key_names).unwrap_or_default();
    match attribute!(values.iter(), PKCS_12FriendlyName) {
        None => {
            let first = names.into_iter().next().flatten();
            values.extend(first.map(AttributeValue::PKCS_12FriendlyName));
        }
        Some(said) => {
            let is_said = |name: &String| name.to_lowercase() == said.to_lowercase();
            let mut named = names.iter().flatten().peekable();
            if named.peek().is_some() && !named.any(is_said) {
                return Err(OperationError::invalid_field(format!(
                    "the container has no private key with the PKCS#12 Friendly Name {said:?}"
                )));
            }
        }
    }
    let brought = Metadata {
        owner: String::new(),
        attributes: values.iter().cloned().map(kmip::attributes::Attribute::from).collect(),
    };
    password(cx, linked(&brought, LinkType::PKCS_12PasswordLink)).await.map(|_| ())
}

/// The password that a key is linked to.
async fn password(cx: &mut Context<'_>, links: Vec<String>) -> Result<Zeroizing<String>> {
    let [id] = links.as_slice() else {
        return Err(OperationError::invalid_field(
            "a PKCS#12 container needs one PKCS#12 Password Link, to its password",
        ));
    };
    let unfit = || {
        OperationError::invalid_field(
            "the PKCS#12 Password Link must name Secret Data of the type Password, which is text",
        )
    };
    cx.live_object(id).await.map_err(|_| unfit())?;
    let Object::SecretData(secret) = cx.material(id).await?.object else { return Err(unfit()) };
    let bytes = secret.key_block.bytes().ok_or_else(unfit)?;
    match core::str::from_utf8(bytes) {
        Ok(text) if secret.secret_data_type == SecretDataType::Password => {
            Ok(Zeroizing::new(text.to_owned()))
        }
        Ok(_) | Err(_) => Err(unfit()),
    }
}

/// The chain, that of the key first; none when no certificate is linked.
async fn certificates(cx: &mut Context<'_>, private: &Metadata) -> Result<Vec<Vec<u8>>> {
    let mut next = one(linked(private, LinkType::PKCS_12CertificateLink))?;
    if next.is_none() {
        let Some(public_id) = one(linked(private, LinkType::PublicKeyLink))? else {
            return Ok(Vec::new());
        };
        let public = cx.live_object(&public_id).await?;
        next = match one(linked(&public, LinkType::PKCS_12CertificateLink))? {
            Some(id) => Some(id),
            None => one(linked(&public, LinkType::CertificateLink))?,
        };
    }
    let (mut chain, mut seen) = (Vec::new(), Vec::new());
    while let Some(id) = next.take() {
        // A root is linked to itself, or to nothing.
        if seen.contains(&id) {
            break;
        }
        if chain.len() >= CHAIN_MAX {
            return Err(OperationError::invalid_field(format!(
                "the chain of certificates has more than {CHAIN_MAX}"
            )));
        }
        let metadata = cx.live_object(&id).await?;
        let Object::Certificate(certificate) = cx.material(&id).await?.object else {
            return Err(OperationError::invalid_field(format!(
                "a Certificate Link names object {id}, which is no certificate"
            )));
        };
        chain.push(certificate.certificate_value);
        next = one(linked(&metadata, LinkType::CertificateLink))?;
        seen.push(id);
    }
    Ok(chain)
}

/// The one link of a type, if there is one.
fn one(links: Vec<String>) -> Result<Option<String>> {
    match links.len() {
        0 | 1 => Ok(links.into_iter().next()),
        _ => Err(OperationError::invalid_field(
            "there is more than one chain of certificates: PKCS#12 holds one",
        )),
    }
}
