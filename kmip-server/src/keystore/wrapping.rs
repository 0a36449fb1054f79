//! Keys in keys: how an object's key is wrapped on its way out, and a wrapped key opened (1.4,
//! 2.1.5, 2.1.6, 4.11 and 4.40; 2.1, 3.3, 6.1.18, 6.1.19 and 7.17).
//!
//! ```text
//! what is wrapped      No Encoding: the bytes of the key    TTLV Encoding: the Key Value in TTLV
//! Encrypt              key value <- E(what)
//! MACSign              key value stays,     MAC/Signature <- code(what)
//! EncryptThenMACSign   key value <- E(what) MAC/Signature <- code(E(what))
//! MACSignThenEncrypt   key value <- E(what) MAC/Signature <- code(what)
//! ```
//!
//! **A key that is wrapped once is not wrapped again**, and what opens must verify first or at the
//! latest before anything is given out. TR-31 is not here: it wraps payment keys with headers that
//! KMIP has no field for.

use kmip::attributes::{Attribute, AttributeList, AttributeReference};
use kmip::objects::{
    KeyBlock, KeyMaterial, KeyValue, KeyWrappingData, Object, WrappingKeyInformation,
};
use kmip::payload::KeyWrappingSpecification;
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{
    BlockCipherMode, CryptographicAlgorithm, EncodingOption, LinkType, ObjectType, ResultReason,
    WrappingMethod, tags,
};
use kmip::{Decode, Encode, Identifier, SecretBytes, Version};
use ttlv::{Reader, Writer};
use zeroize::Zeroizing;

use crate::crypto::asymmetric::{self, Input, Scheme};
use crate::crypto::cipher::{Beginning, Cipher};
use crate::crypto::hash::mac::Mac;
use crate::keystore::Context;
use crate::keystore::key_use::{self, KeyUse, UsableKey};
use crate::keystore::usage_accounting;
use crate::objects::attribute::attribute;
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};

/// Does the method hide the key? One that only signs leaves it bare.
pub(crate) fn hides(method: WrappingMethod) -> bool {
    method != WrappingMethod::MACSign
}

/// Wraps the key in a block as the specification says; of what its object shows, the attributes
/// that it names travel inside.
pub(crate) async fn wrap(
    cx: &mut Context<'_>,
    block: &mut KeyBlock,
    shown: Vec<Attribute>,
    specification: KeyWrappingSpecification,
) -> Result<()> {
    if block.key_wrapping_data.is_some() {
        return Err(OperationError::new(
            ResultReason::KeyWrapTypeNotSupported,
            "the key is kept wrapped, and a wrapped key is not wrapped again",
        ));
    }
    let KeyWrappingSpecification {
        wrapping_method,
        encryption_key_information,
        mac_signature_key_information,
        attribute_names,
        encoding_option,
    } = specification;
    let order = Order::of(wrapping_method)?;
    let what = with_attributes(block, shown, cx.version, &attribute_names, encoding_option)?;
    let (mut used_to_encrypt, mut iv_counter_nonce) = (None, None);
    let mut wrapped = Zeroizing::new(what.to_vec());
    if order != Order::Sign {
        let information = needed(encryption_key_information, "Encryption Key Information")?;
        let sealed = seal(cx, information, &what).await?;
        wrapped = sealed.bytes;
        used_to_encrypt = Some(sealed.information);
        iv_counter_nonce = sealed.vector;
    }
    let (mut used_to_sign, mut mac_signature) = (None, None);
    if order != Order::Encrypt {
        let information = needed(mac_signature_key_information, "MAC/Signature Key Information")?;
        let signed = if order == Order::EncryptThenSign { &wrapped } else { &what };
        let (information, code) = sign(cx, information, signed).await?;
        used_to_sign = Some(information);
        mac_signature = Some(code);
    }
    if order != Order::Sign {
        let bytes = SecretBytes::new(&wrapped);
        block.key_value = Some(match encoding_option {
            Some(EncodingOption::NoEncoding) => KeyValue::Plain {
                material: KeyMaterial::Bytes(bytes),
                attributes: AttributeList::default(),
            },
            _ => KeyValue::Wrapped(bytes),
        });
    }
    block.key_wrapping_data = Some(Box::new(KeyWrappingData {
        wrapping_method,
        encryption_key_information: used_to_encrypt,
        mac_signature_key_information: used_to_sign,
        mac_signature,
        iv_counter_nonce,
        encoding_option,
    }));
    Ok(())
}

/// Opens a wrapped key, if the key that it is wrapped with is here and the client may use it so.
/// `version` is the one in which the object came.
pub(crate) async fn unwrap(
    cx: &mut Context<'_>,
    block: &mut KeyBlock,
    version: Version,
) -> Result<()> {
    let Some(data) = block.key_wrapping_data.take() else { return Ok(()) };
    let order = Order::of(data.wrapping_method)?;
    let is_bare = data.encoding_option == Some(EncodingOption::NoEncoding);
    let held = match &block.key_value {
        Some(KeyValue::Wrapped(bytes)) => Zeroizing::new(bytes.as_bytes().to_vec()),
        Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) if is_bare => {
            Zeroizing::new(bytes.as_bytes().to_vec())
        }
        Some(value @ KeyValue::Plain { .. }) if order == Order::Sign => encoded(value, version),
        Some(KeyValue::Plain { .. }) => {
            return Err(OperationError::new(
                ResultReason::EncodingOptionError,
                "the key is wrapped as its encoding, and its Key Value is none",
            ));
        }
        None => {
            return Err(OperationError::new(
                ResultReason::KeyValueNotPresent,
                "the key is kept elsewhere: its Key Value Location says where",
            ));
        }
    };
    let mut opened = held.clone();
    if order != Order::Sign {
        let information = needed(data.encryption_key_information, "Encryption Key Information")?;
        opened = open(cx, information, data.iv_counter_nonce.as_deref(), &held).await?;
    }
    if order != Order::Encrypt {
        let information =
            needed(data.mac_signature_key_information, "MAC/Signature Key Information")?;
        let code = data
            .mac_signature
            .ok_or_else(|| OperationError::missing("the Key Wrapping Data has no MAC/Signature"))?;
        let signed = if order == Order::EncryptThenSign { &held } else { &opened };
        verify(cx, information, signed, &code).await?;
    }
    if order != Order::Sign {
        block.key_value = Some(match is_bare {
            true => KeyValue::Plain {
                material: KeyMaterial::Bytes(SecretBytes::new(&opened)),
                attributes: AttributeList::default(),
            },
            false => decoded(&opened, version)?,
        });
    }
    Ok(())
}

/// Refuses a key that is kept wrapped in a version without a field that says how: nobody could
/// unwrap what is given out.
pub(crate) fn check_told(block: &KeyBlock, version: Version) -> Result<()> {
    let Some(data) = &block.key_wrapping_data else { return Ok(()) };
    if data.encoding_option == Some(EncodingOption::NoEncoding) && version < Version::V1_1 {
        return Err(OperationError::new(
            ResultReason::EncodingOptionError,
            "KMIP 1.0 has no Encoding Option, and the key is wrapped with No Encoding: get it with \
             KMIP 1.1",
        ));
    }
    let used = [&data.encryption_key_information, &data.mac_signature_key_information];
    let mut used =
        used.into_iter().flatten().filter_map(|used| used.cryptographic_parameters.as_ref());
    used.try_for_each(|used| check_parameters_told(used, version))
}

/// Refuses parameters with fields that the version lacks. The vector is told beside them, the
/// algorithm is the wrapping key's, and there is no tag.
fn check_parameters_told(used: &CryptographicParameters, version: Version) -> Result<()> {
    let needed = CryptographicParameters {
        cryptographic_algorithm: None,
        random_iv: None,
        iv_length: None,
        tag_length: None,
        ..used.clone()
    };
    let mut w = Writer::default();
    needed.encode(tags::CryptographicParameters, &mut w, version);
    let bytes = w.into_bytes();
    let told = CryptographicParameters::decode(
        tags::CryptographicParameters,
        &mut Reader::new(&bytes),
        version,
    );
    match told.is_ok_and(|told| told == needed) {
        true => Ok(()),
        false => Err(OperationError::new(
            ResultReason::UnsupportedCryptographicParameters,
            format!(
                "the key is wrapped by Cryptographic Parameters with fields that KMIP {version} \
                 lacks, without which it cannot be unwrapped: use KMIP 1.4"
            ),
        )),
    }
}

/// The object with its key opened, where the server has access to the material: the key is only
/// signed, or wrapped with a key that is here and that the client may use to unwrap. The attributes
/// of the object then say what they say of a key that came bare (1.4, 3.17; 2.1, 4.21).
pub(crate) async fn accessible(cx: &mut Context<'_>, object: &Object) -> Option<Object> {
    let data = object.key_block()?.key_wrapping_data.as_ref()?;
    let is_bare = !hides(data.wrapping_method);
    let mut opened = object.clone();
    let block = opened.key_block_mut()?;
    if is_bare {
        block.key_wrapping_data = None;
        return Some(opened);
    }
    let version = cx.version;
    match Box::pin(unwrap(cx, block, version)).await {
        Ok(()) => Some(opened),
        Err(error) => {
            tracing::debug!(reason = ?error.reason, "a wrapped key is kept without being opened");
            None
        }
    }
}

/// What is done in which order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Encrypt,
    Sign,
    EncryptThenSign,
    SignThenEncrypt,
}

impl Order {
    fn of(method: WrappingMethod) -> Result<Self> {
        match method {
            WrappingMethod::Encrypt => Ok(Self::Encrypt),
            WrappingMethod::MACSign => Ok(Self::Sign),
            WrappingMethod::EncryptThenMACSign => Ok(Self::EncryptThenSign),
            WrappingMethod::MACSignThenEncrypt => Ok(Self::SignThenEncrypt),
            _ => Err(OperationError::new(
                ResultReason::FeatureNotSupported,
                format!(
                    "{method:?} is no Wrapping Method of this server: use Encrypt, MACSign, \
                     EncryptThenMACSign or MACSignThenEncrypt"
                ),
            )),
        }
    }
}

fn needed(
    information: Option<WrappingKeyInformation>,
    what: &str,
) -> Result<WrappingKeyInformation> {
    information.ok_or_else(|| OperationError::missing(format!("the Wrapping Method needs {what}")))
}

/// The bytes that are wrapped: of the key alone, or of the Key Value with the attributes that shall
/// travel inside.
fn with_attributes(
    block: &KeyBlock,
    shown: Vec<Attribute>,
    version: Version,
    names: &[String],
    encoding: Option<EncodingOption>,
) -> Result<Zeroizing<Vec<u8>>> {
    let encoding_error =
        |why: &str| OperationError::new(ResultReason::EncodingOptionError, why.to_owned());
    let Some(KeyValue::Plain { material, .. }) = &block.key_value else {
        return Err(OperationError::new(
            ResultReason::KeyValueNotPresent,
            "there is no plain key to be wrapped",
        ));
    };
    if encoding == Some(EncodingOption::NoEncoding) {
        let KeyMaterial::Bytes(bytes) = material else {
            return Err(encoding_error(
                "a transparent key is no bytes: ask for another Key Format Type, or TTLVEncoding",
            ));
        };
        return match names.is_empty() {
            true => Ok(Zeroizing::new(bytes.as_bytes().to_vec())),
            false => Err(encoding_error("with No Encoding no attributes travel inside")),
        };
    }
    let references: Vec<AttributeReference> =
        names.iter().map(|name| AttributeReference::from_name(name)).collect();
    references.iter().try_for_each(attribute_rules::check_exists)?;
    let attributes = shown
        .into_iter()
        .filter(|attribute| references.iter().any(|asked| attribute.value.is_instance_of(asked)))
        .collect();
    let value =
        KeyValue::Plain { material: material.clone(), attributes: AttributeList(attributes) };
    Ok(encoded(&value, version))
}

fn encoded(value: &KeyValue, version: Version) -> Zeroizing<Vec<u8>> {
    let mut w = Writer::default();
    value.encode(tags::KeyValue, &mut w, version);
    Zeroizing::new(w.into_bytes())
}

/// Reads an opened Key Value: in the form of the version that the object came in, or of another.
fn decoded(bytes: &[u8], version: Version) -> Result<KeyValue> {
    [version, Version::V2_1, Version::V1_4]
        .into_iter()
        .find_map(|version| KeyValue::decode(tags::KeyValue, &mut Reader::new(bytes), version).ok())
        .filter(|value| matches!(value, KeyValue::Plain { .. }))
        .ok_or_else(|| {
            OperationError::new(
                ResultReason::EncodingOptionError,
                "what is wrapped is no Key Value in TTLV",
            )
        })
}

/// The object that wraps, if it may be used so. That it is not there is said in words of its own.
async fn subject(cx: &mut Context<'_>, id: &str, wanted: KeyUse) -> Result<UsableKey> {
    key_use::subject(cx, id, wanted).await.map_err(|error| {
        let reason = match error.reason {
            ResultReason::ObjectNotFound => ResultReason::WrappingObjectNotFound,
            ResultReason::ObjectDestroyed => ResultReason::WrappingObjectDestroyed,
            ResultReason::ObjectArchived => ResultReason::WrappingObjectArchived,
            other => other,
        };
        OperationError::new(reason, format!("the wrapping key: {}", error.message))
    })
}

/// The parameters of a cipher that wraps. A key of AES that says nothing wraps as RFC 3394 has it.
fn parameters(
    cx: &Context<'_>,
    subject: &UsableKey,
    asked: Option<CryptographicParameters>,
) -> Result<CryptographicParameters> {
    let mut parameters = subject.parameters(cx, asked.map(Box::new))?;
    let is_aes = subject.algorithm() == Some(CryptographicAlgorithm::AES);
    if is_aes && parameters.block_cipher_mode.is_none() {
        parameters.block_cipher_mode = Some(BlockCipherMode::NISTKeyWrap);
    }
    let algorithm = parameters.cryptographic_algorithm.or(subject.algorithm());
    if algorithm.is_some_and(|algorithm| Cipher::has_tag(algorithm, &parameters)) {
        return Err(OperationError::new(
            ResultReason::UnsupportedCryptographicParameters,
            "Key Wrapping Data has no field for a tag: wrap with NISTKeyWrap or AESKeyWrapPadding",
        ));
    }
    Ok(parameters)
}

struct Sealed {
    bytes: Zeroizing<Vec<u8>>,
    information: WrappingKeyInformation,
    vector: Option<Vec<u8>>,
}

/// Encrypts with a symmetric key or with the public key of a pair.
async fn seal(
    cx: &mut Context<'_>,
    information: WrappingKeyInformation,
    plain: &[u8],
) -> Result<Sealed> {
    let WrappingKeyInformation { unique_identifier, cryptographic_parameters } = information;
    let subject = subject(cx, &unique_identifier, key_use::WRAP).await?;
    let is_named = cryptographic_parameters.is_some();
    let parameters = parameters(cx, &subject, cryptographic_parameters)?;
    if !is_named {
        check_parameters_told(&parameters, cx.version)?;
    }
    let (bytes, vector) = if subject.is_of_a_pair() {
        let sealed = asymmetric::encrypt(&subject.key()?, &parameters, plain)?;
        (Zeroizing::new(sealed), None)
    } else {
        let algorithm = subject.cipher(&parameters)?;
        let key = subject.secret()?;
        let begun =
            Cipher::encryptor(algorithm, key.as_bytes(), &parameters, Beginning::default())?;
        let (cipher, vector) = begun;
        (cipher.finish(plain)?.data, vector)
    };
    usage_accounting::count_protected(cx, &unique_identifier, &subject.metadata, plain.len())
        .await?;
    let cryptographic_parameters = Some(parameters);
    let information = WrappingKeyInformation { unique_identifier, cryptographic_parameters };
    Ok(Sealed { bytes, information, vector })
}

/// Decrypts with a symmetric key or with the private key of the pair.
async fn open(
    cx: &mut Context<'_>,
    information: WrappingKeyInformation,
    vector: Option<&[u8]>,
    held: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let id = private_of(cx, &information.unique_identifier).await?;
    let subject = subject(cx, &id, key_use::UNWRAP).await?;
    let parameters = parameters(cx, &subject, information.cryptographic_parameters)?;
    if subject.is_of_a_pair() {
        return Ok(asymmetric::decrypt(&subject.key()?, &parameters, held)?);
    }
    let algorithm = subject.cipher(&parameters)?;
    let key = subject.secret()?;
    let beginning = Beginning { vector, ..Beginning::default() };
    let cipher = Cipher::decryptor(algorithm, key.as_bytes(), &parameters, beginning)?;
    Ok(cipher.finish(held)?.data)
}

/// Of a public key the private key that it is linked to; else the object itself.
async fn private_of(cx: &mut Context<'_>, id: &str) -> Result<String> {
    let Ok(metadata) = cx.object(id).await else { return Ok(id.to_owned()) };
    if metadata.object_type() != Some(ObjectType::PublicKey) {
        return Ok(id.to_owned());
    }
    let linked = metadata.values().find_map(|value| {
        let link = attribute!([value], Link)?;
        let Identifier::Text(text) = link.linked_object_identifier else { return None };
        (link.link_type == LinkType::PrivateKeyLink).then_some(text)
    });
    linked.ok_or_else(|| {
        OperationError::new(
            ResultReason::WrappingObjectNotFound,
            "the wrapping key: the public key is linked to no private key",
        )
    })
}

/// Makes a code with a symmetric key, or a signature with a private key.
async fn sign(
    cx: &mut Context<'_>,
    information: WrappingKeyInformation,
    data: &[u8],
) -> Result<(WrappingKeyInformation, Vec<u8>)> {
    let WrappingKeyInformation { unique_identifier, cryptographic_parameters } = information;
    let id = private_of(cx, &unique_identifier).await?;
    let is_pair = is_of_a_pair(cx, &id).await;
    let wanted = if is_pair { key_use::SIGN } else { key_use::MAC };
    let subject = subject(cx, &id, wanted).await?;
    let is_named = cryptographic_parameters.is_some();
    let parameters = subject.parameters(cx, cryptographic_parameters.map(Box::new))?;
    if !is_named {
        check_parameters_told(&parameters, cx.version)?;
    }
    let code = if is_pair {
        let key = subject.key()?;
        asymmetric::sign(&key, &Scheme::of(&key, &parameters)?, Input::Data(data))?
    } else {
        let key = subject.secret()?;
        let mut mac = Mac::new(subject.algorithm(), key.as_bytes(), &parameters)?;
        mac.update(data);
        mac.finish().to_vec()
    };
    usage_accounting::count_protected(cx, &id, &subject.metadata, data.len()).await?;
    let cryptographic_parameters = Some(parameters);
    Ok((WrappingKeyInformation { unique_identifier, cryptographic_parameters }, code))
}

/// Verifies the code or the signature of a wrapped key.
async fn verify(
    cx: &mut Context<'_>,
    information: WrappingKeyInformation,
    data: &[u8],
    code: &[u8],
) -> Result<()> {
    let id = information.unique_identifier;
    let is_pair = is_of_a_pair(cx, &id).await;
    let wanted = if is_pair { key_use::VERIFY } else { key_use::MAC_VERIFY };
    let subject = subject(cx, &id, wanted).await?;
    let parameters = subject.parameters(cx, information.cryptographic_parameters.map(Box::new))?;
    let is_right = if is_pair {
        let key = subject.key()?;
        asymmetric::verify(&key, &Scheme::of(&key, &parameters)?, Input::Data(data), code)?
    } else {
        let key = subject.secret()?;
        let mut mac = Mac::new(subject.algorithm(), key.as_bytes(), &parameters)?;
        mac.update(data);
        mac.verify(code)
    };
    match is_right {
        true => Ok(()),
        false => Err(crate::crypto::Error::Failed.into()),
    }
}

async fn is_of_a_pair(cx: &mut Context<'_>, id: &str) -> bool {
    let metadata = cx.object(id).await;
    metadata.is_ok_and(|metadata| {
        matches!(
            metadata.object_type(),
            Some(ObjectType::PrivateKey | ObjectType::PublicKey | ObjectType::Certificate)
        )
    })
}
