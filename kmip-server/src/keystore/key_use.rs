//! May this key be used so, now, and how? One check before every cryptographic use of an object
//! (1.4, 3.6, 3.19, 3.22, 3.25 and 3.26; 2.1, 4.16, 4.17, 4.38, 4.40 and 4.57).
//!
//! ```text
//! is it the client's? -> has it material? -> State -> dates -> usage mask -> settings
//! ```
//!
//! Usage Limits are counted by [`crate::objects::usage_limits`], since they depend on the data.

use kmip::attributes::AttributeValue;
use kmip::objects::{KeyBlock, KeyMaterial, KeyValue, Object};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{
    CryptographicAlgorithm, CryptographicUsageMask as Mask, KeyFormatType, ResultReason, State,
    tags,
};
use kmip::{SecretBytes, Version};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::crypto::formats;
use crate::crypto::keys::{Key, pkcs};
use crate::keystore::Context;
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::server_attributes;

/// What a key is used for.
#[derive(Clone, Copy)]
pub(crate) struct KeyUse {
    /// In words: "encrypt with".
    doing: &'static str,
    /// The bit that allows it.
    mask: Mask,
    side: Direction,
}

/// Does the use protect data, or process what is protected? A key whose time is over may still
/// process (1.4, 3.22; 2.1, 4.57).
///
//= KMIP 1.4, 3.22, exception: up to 1.4 Derive Key has no error for the State of its base (1.4,
// 11.6), and PyKMIP's clients derive from what was never activated. From 2.0 on it has one (2.1,
// 6.1.14.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Protects,
    Processes,
    Derives,
}

/// One row a use: its words, its bit, its side.
macro_rules! uses {
    ($($(#[$doc:meta])* $name:ident = $doing:literal, $mask:ident, $side:ident;)*) => {
        $($(#[$doc])*
        pub(crate) const $name: KeyUse =
            KeyUse { doing: $doing, mask: Mask::$mask, side: Direction::$side };)*
    };
}

uses! {
    /// Encrypt.
    ENCRYPT = "encrypt with", Encrypt, Protects;
    /// Decrypt.
    DECRYPT = "decrypt with", Decrypt, Processes;
    /// Sign.
    SIGN = "sign with", Sign, Protects;
    /// Signature Verify.
    VERIFY = "verify signatures with", Verify, Processes;
    /// MAC.
    MAC = "make codes with", MACGenerate, Protects;
    /// MAC Verify.
    MAC_VERIFY = "verify codes with", MACVerify, Processes;
    /// Derive Key.
    DERIVE = "derive keys from", DeriveKey, Derives;
    /// A key that leaves the server wrapped.
    WRAP = "wrap keys with", WrapKey, Protects;
    /// A wrapped key that is opened.
    UNWRAP = "unwrap keys with", UnwrapKey, Processes;
}

/// An object that may be used.
pub(crate) struct UsableKey {
    /// Its identifier.
    pub id: String,
    /// What is known of it.
    pub metadata: Metadata,
    /// The object itself.
    pub object: Object,
}

/// The object, if the client may use it so at the time of the message.
pub(crate) async fn subject(cx: &mut Context<'_>, id: &str, wanted: KeyUse) -> Result<UsableKey> {
    let metadata = cx.live_object(id).await?;
    in_time(&metadata, cx, wanted)?;
    let allowed = metadata.usage_mask();
    if !allowed.contains(wanted.mask) && !allowed.contains(Mask::Unrestricted) {
        return Err(OperationError::new(
            ResultReason::IncompatibleCryptographicUsageMask,
            format!("the object may be used to {allowed:?} and not to {:?}", wanted.mask),
        ));
    }
    let object = cx.material(id).await?.object;
    let subject = UsableKey { id: id.to_owned(), metadata, object };
    if let Some(algorithm) = subject.algorithm() {
        cx.policy.disabled.check_algorithm(algorithm)?;
    }
    Ok(subject)
}

/// The State, Process Start Date and Protect Stop Date.
fn in_time(metadata: &Metadata, cx: &Context<'_>, wanted: KeyUse) -> Result<()> {
    let now = cx.now;
    let state = metadata.state(now);
    let allowed = match (wanted.side, state) {
        (_, State::Active) => true,
        (Direction::Processes, State::Deactivated | State::Compromised) => true,
        (Direction::Derives, State::PreActive) => cx.version < Version::V2_0,
        (_, _) => false,
    };
    if !allowed {
        return Err(OperationError::state(wanted.doing, state));
    }
    let start = attribute!(metadata.values(), ProcessStartDate);
    let stop = attribute!(metadata.values(), ProtectStopDate);
    let why = match wanted.side {
        Direction::Processes if start.is_some_and(|start| start > now) => {
            "Process Start Date is to come"
        }
        Direction::Protects | Direction::Derives if stop.is_some_and(|stop| stop <= now) => {
            "Protect Stop Date is past"
        }
        Direction::Processes | Direction::Protects | Direction::Derives => return Ok(()),
    };
    Err(OperationError::new(
        ResultReason::WrongKeyLifecycleState,
        format!("cannot {} the object: its {why}", wanted.doing),
    ))
}

impl UsableKey {
    /// The algorithm of the key.
    pub(crate) fn algorithm(&self) -> Option<CryptographicAlgorithm> {
        attribute!(self.metadata.values(), CryptographicAlgorithm)
            .or_else(|| self.object.key_block().and_then(|block| block.cryptographic_algorithm))
    }

    /// The parameters of the use: those of the request, or else the first that the key has, or else
    /// none; as far as the settings allow them.
    pub(crate) fn parameters(
        &self,
        cx: &Context<'_>,
        asked: Option<Box<CryptographicParameters>>,
    ) -> Result<CryptographicParameters> {
        let parameters = match asked {
            // An empty structure says nothing, as an absent one does.
            Some(asked) if *asked != CryptographicParameters::default() => *asked,
            Some(_) | None => self.own_parameters().unwrap_or_default(),
        };
        cx.policy.disabled.check_parameters(&parameters)?;
        Ok(parameters)
    }

    /// The Cryptographic Parameters of the key with the lowest index.
    pub(crate) fn own_parameters(&self) -> Option<CryptographicParameters> {
        let all = self.metadata.attributes.iter().filter_map(|attribute| {
            let AttributeValue::CryptographicParameters(own) = &attribute.value else {
                return None;
            };
            Some((attribute.index, own))
        });
        all.min_by_key(|(index, _)| *index).map(|(_, own)| own.as_ref().clone())
    }

    /// The cipher of the use: the key's. Parameters that name another one are wrong.
    pub(crate) fn cipher(
        &self,
        parameters: &CryptographicParameters,
    ) -> Result<CryptographicAlgorithm> {
        match (parameters.cryptographic_algorithm, self.algorithm()) {
            (Some(asked), Some(own)) if asked != own => Err(OperationError::new(
                ResultReason::BadCryptographicParameters,
                format!("the parameters name {asked:?}, and the key is one of {own:?}"),
            )),
            (Some(algorithm), _) | (None, Some(algorithm)) => Ok(algorithm),
            (None, None) => Err(OperationError::new(
                ResultReason::BadCryptographicParameters,
                "neither the parameters nor the object name a Cryptographic Algorithm",
            )),
        }
    }

    /// Is it a key of a pair, or the certificate of one?
    pub(crate) const fn is_of_a_pair(&self) -> bool {
        matches!(self.object, Object::PrivateKey(_) | Object::PublicKey(_) | Object::Certificate(_))
    }

    /// The key of a pair, in whatever form it is kept; of a certificate the public key in it.
    pub(crate) fn key(&self) -> Result<Key> {
        match &self.object {
            Object::PrivateKey(key) | Object::PublicKey(key) => {
                let hint = server_attributes::key_hint(self.metadata.values());
                Ok(formats::read(self.object.object_type(), &key.key_block, hint)?)
            }
            Object::Certificate(certificate) => {
                X509Certificate::from_der(&certificate.certificate_value)
                    .ok()
                    .and_then(|(_, certificate)| pkcs::read_spki(certificate.public_key().raw))
                    .ok_or_else(unreadable)
            }
            Object::CertificateRequest(_)
            | Object::OpaqueObject(_)
            | Object::PGPKey(_)
            | Object::SecretData(_)
            | Object::SplitKey(_)
            | Object::SymmetricKey(_)
            | Object::Template(_) => Err(self.no_such_key()),
        }
    }

    fn no_such_key(&self) -> OperationError {
        OperationError::new(
            ResultReason::InvalidObjectType,
            format!("a {:?} is no key that is used so", self.object.object_type()),
        )
    }

    /// The bytes of a symmetric key or of secret data.
    pub(crate) fn secret(&self) -> Result<SecretBytes> {
        match &self.object {
            Object::SymmetricKey(key) => bare(&key.key_block),
            Object::SecretData(data) => bare(&data.key_block),
            Object::Certificate(_)
            | Object::CertificateRequest(_)
            | Object::OpaqueObject(_)
            | Object::PGPKey(_)
            | Object::PrivateKey(_)
            | Object::PublicKey(_)
            | Object::SplitKey(_)
            | Object::Template(_) => Err(self.no_such_key()),
        }
    }
}

/// The bytes in a key block.
fn bare(block: &KeyBlock) -> Result<SecretBytes> {
    if block.key_wrapping_data.is_some() {
        return Err(OperationError::new(
            ResultReason::InvalidField,
            "the key is kept wrapped: register it unwrapped, to use it",
        ));
    }
    match &block.key_value {
        None => Err(OperationError::new(
            ResultReason::KeyValueNotPresent,
            "the key is kept elsewhere: its Key Value Location says where",
        )),
        Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) => Ok(bytes.clone()),
        Some(KeyValue::Plain { material: KeyMaterial::Transparent(raw), .. })
            if block.key_format_type == KeyFormatType::TransparentSymmetricKey =>
        {
            raw.reader()
                .structure(tags::KeyMaterial, |r| r.byte_string(tags::Key))
                .map(SecretBytes::new)
                .map_err(|_| unreadable())
        }
        Some(KeyValue::Plain { .. } | KeyValue::Wrapped(_)) => Err(unreadable()),
    }
}

fn unreadable() -> OperationError {
    OperationError::new(
        ResultReason::KeyFormatTypeNotSupported,
        "the key has a form that this server cannot use it in",
    )
}
