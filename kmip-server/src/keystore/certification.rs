//! What Certify and Re-certify share: whom a certificate is to be for and what for, out of what a
//! client sends and keeps, and what the new object is given (1.4, 4.7 and 4.8; 2.1, 6.1.6 and
//! 6.1.45).
//!
//! How a certificate looks is `x509`'s; here objects, attributes and dates are turned into what it
//! takes. The dates of the object are those of the certificate's validity.

use std::sync::Arc;

use kmip::DateTime;
use kmip::attributes::{Attribute, AttributeValue as V, Attributes};
use kmip::objects::{Certificate, Object};
use kmip::vocabulary::{
    CertificateRequestType, CertificateType, CryptographicUsageMask as Mask, LinkType, ObjectType,
    ResultReason, State,
};

use crate::crypto::keys::Key;
use crate::crypto::x509::authority::{self, Authority, Validity};
use crate::crypto::x509::certificate_request::{self, Wanted};
use crate::crypto::x509::subject::{self, Names};
use crate::crypto::{formats, x509};
use crate::keystore::Context;
use crate::keystore::replacement::linked;
use crate::keystore::request_attributes;
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::{certificate_attributes, server_attributes};

/// Key usages of X.509 and what they are in the standard's own words (1.4, table 96).
const USAGES: [(u8, Mask); 5] = [
    (authority::DIGITAL_SIGNATURE, Mask(Mask::Sign.0 | Mask::Verify.0)),
    (1 << 1, Mask::ContentCommitment),
    (authority::KEY_ENCIPHERMENT, Mask(Mask::WrapKey.0 | Mask::UnwrapKey.0)),
    (1 << 3, Mask(Mask::Encrypt.0 | Mask::Decrypt.0)),
    (1 << 4, Mask::KeyAgreement),
];

/// What the owner of a public key does with it.
const PUBLIC: Mask = Mask(
    Mask::Verify.0
        | Mask::ContentCommitment.0
        | Mask::WrapKey.0
        | Mask::Encrypt.0
        | Mask::KeyAgreement.0,
);

/// What the attributes of a request ask of the certificate itself.
pub(crate) struct Asked {
    /// Whom it is for.
    pub names: Option<Names>,
    /// What it may be used for.
    pub mask: Option<Mask>,
}

/// The request cannot be certified.
pub(crate) fn invalid_csr(why: impl Into<String>) -> OperationError {
    OperationError::new(
        ResultReason::InvalidCSR,
        format!("the certificate request: {}", why.into()),
    )
}

/// No object of this type is certified.
pub(crate) fn of_another_type(kind: Option<ObjectType>) -> OperationError {
    let kind = kind.map_or_else(|| "no object".to_owned(), |kind| format!("a {kind:?}"));
    OperationError::new(
        ResultReason::InvalidObjectType,
        format!(
            "what is certified is a PublicKey or, from 2.0 on, a CertificateRequest, and not {kind}"
        ),
    )
}

/// The request that a message holds, if it holds one.
pub(crate) fn read(
    form: Option<CertificateRequestType>,
    bytes: Option<Vec<u8>>,
) -> Result<Option<Wanted>> {
    match (form, bytes) {
        (Some(form @ (CertificateRequestType::CRMF | CertificateRequestType::PGP)), _) => {
            Err(OperationError::new(
                ResultReason::FeatureNotSupported,
                format!("{form} is not read here: send the request as PKCS#10 or PEM"),
            ))
        }
        (Some(form), Some(bytes)) => {
            certificate_request::read(form, &bytes).map(Some).map_err(invalid_csr)
        }
        (None, Some(_)) => Err(OperationError::missing(
            "a Certificate Request needs the Certificate Request Type that says its form",
        )),
        (Some(_), None) => {
            Err(OperationError::missing("there is a Certificate Request Type and no request"))
        }
        (None, None) => Ok(None),
    }
}

/// A request that the server keeps.
pub(crate) async fn kept_request(cx: &mut Context<'_>, id: &str) -> Result<Wanted> {
    let object = cx.material(id).await?.object;
    let Object::CertificateRequest(kept) = object else {
        return Err(of_another_type(Some(object.object_type())));
    };
    let (form, value) = (kept.certificate_request_type, kept.certificate_request_value);
    read(Some(form), Some(value))?.ok_or_else(|| invalid_csr("it is empty"))
}

/// The public key that an object says it belongs to.
pub(crate) fn linked_public_key(object: &Metadata) -> Option<String> {
    linked(object, LinkType::PublicKeyLink).into_iter().next()
}

/// A kept public key that may be certified.
pub(crate) async fn public_key(cx: &mut Context<'_>, id: &str) -> Result<(Metadata, Key)> {
    let metadata = cx.live_object(id).await?;
    match metadata.state(cx.now) {
        State::PreActive | State::Active => {}
        state => return Err(OperationError::state("certify", state)),
    }
    let material = cx.material(id).await?;
    let Object::PublicKey(public) = &material.object else {
        return Err(of_another_type(metadata.object_type()));
    };
    if public.key_block.key_value.is_none() {
        return Err(OperationError::new(
            ResultReason::KeyValueNotPresent,
            "the public key is kept elsewhere: its Key Value Location says where",
        ));
    }
    let hint = server_attributes::key_hint(metadata.values());
    let key = formats::read(ObjectType::PublicKey, &public.key_block, hint)?;
    Ok((metadata, x509::certifiable(&key).map_err(denied)?))
}

fn denied(why: String) -> OperationError {
    OperationError::new(ResultReason::PermissionDenied, why)
}

/// The attributes of a request: those of the new object, and what they ask of the certificate.
/// A renewed one takes the rest over from the old one, and no defaults.
pub(crate) async fn attributes(
    cx: &mut Context<'_>,
    mut layer: Attributes,
    is_renewed: bool,
) -> Result<(Vec<V>, Asked)> {
    let is_subject = |attribute: &Attribute| subject::is_subject(&attribute.value);
    let (subjects, rest): (Vec<_>, Vec<_>) = layer.attributes.into_iter().partition(is_subject);
    layer.attributes = rest;
    let subjects: Vec<V> = subjects.into_iter().map(|attribute| attribute.value).collect();
    let names = subject::asked(&subjects).map_err(OperationError::invalid_field)?;
    let values = match is_renewed {
        true => request_attributes::resolve_explicit(cx, [layer], ObjectType::Certificate).await?,
        false => {
            request_attributes::resolve_for_create(cx, [layer], ObjectType::Certificate).await?
        }
    };
    match attribute!(values.iter(), CertificateType) {
        None | Some(CertificateType::X_509) => {}
        Some(other) => {
            return Err(OperationError::new(
                ResultReason::FeatureNotSupported,
                format!("this server makes certificates of X.509, and none of {other}"),
            ));
        }
    }
    let mask = attribute!(values.iter(), CryptographicUsageMask);
    if mask.is_some_and(|mask| mask.0 & (Mask::CertificateSign.0 | Mask::CRLSign.0) != 0) {
        return Err(denied("the authority makes no other authority below it".to_owned()));
    }
    Ok((values, Asked { names, mask }))
}

/// Without a request, the attributes name the Certificate Type (1.4, 4.7; 2.1, 6.1.6).
pub(crate) fn is_x509(values: &[V]) -> Result<()> {
    match attribute!(values, CertificateType) {
        Some(_) => Ok(()),
        None => Err(OperationError::missing(
            "the attributes lack the Certificate Type, which a Certificate Request would tell",
        )),
    }
}

/// Fills what a request leaves open with what the attributes say.
pub(crate) fn fill(mut wanted: Wanted, asked: Asked) -> Wanted {
    if let Some(names) = asked.names {
        if subject::is_empty(&wanted.names.subject) {
            wanted.names.subject = names.subject;
        }
        if wanted.names.alternative.is_empty() {
            wanted.names.alternative = names.alternative;
        }
    }
    if wanted.usage == 0 {
        wanted.usage = asked.mask.map_or(0, usage_of);
    }
    wanted
}

/// The certificate of a public key alone: the attributes say whom it is for.
pub(crate) fn of_key(key: Key, metadata: &Metadata, asked: Asked) -> Result<Wanted> {
    let names = asked.names.ok_or_else(|| {
        OperationError::missing(
            "nothing says whom the certificate is for: give X.509 Certificate Subject, the \
             Certificate Subject attributes, or a Certificate Request",
        )
    })?;
    let mask = asked.mask.unwrap_or_else(|| metadata.usage_mask());
    Ok(Wanted { key, names, usage: usage_of(mask), purposes: Vec::new() })
}

fn usage_of(mask: Mask) -> u8 {
    USAGES.iter().filter(|(_, row)| row.0 & mask.0 != 0).fold(0, |all, (bit, _)| all | bit)
}

/// When the certificate is valid, by the dates that the client asks for.
pub(crate) fn validity(cx: &Context<'_>, values: &[V]) -> Result<Validity> {
    let from = attribute!(values, ActivationDate).map(|date| date.0);
    let to = attribute!(values, DeactivationDate).map(|date| date.0);
    own(cx)?.validity(from, to, cx.now.0).map_err(OperationError::invalid_field)
}

/// The authority of this server.
pub(crate) fn own(cx: &Context<'_>) -> Result<Arc<Authority>> {
    let own = cx.state.authority.clone();
    own.ok_or_else(|| OperationError::not_supported(cx.operation, cx.version))
}

/// Has the authority make the certificate.
pub(crate) fn issue(cx: &Context<'_>, wanted: &Wanted, validity: Validity) -> Result<Object> {
    let certificate_value = own(cx)?.issue(wanted, validity).map_err(denied)?;
    Ok(Object::Certificate(Certificate {
        certificate_type: CertificateType::X_509,
        certificate_value,
    }))
}

/// Gives the attributes of the new object what the certificate says, and what every object has.
pub(crate) fn complete(
    values: &mut Vec<V>,
    object: &Object,
    wanted: &Wanted,
    validity: Validity,
    now: DateTime,
) -> Result<()> {
    let Object::Certificate(certificate) = object else {
        return Err(OperationError::internal("make a certificate"));
    };
    let made = certificate_attributes::attributes(certificate);
    let signature = attribute!(made.iter(), DigitalSignatureAlgorithm);
    if let Some(asked) = attribute!(values.iter(), DigitalSignatureAlgorithm)
        && Some(asked) != signature
    {
        return Err(OperationError::new(
            ResultReason::UnsupportedCryptographicParameters,
            format!("the authority does not sign with {asked:?}"),
        ));
    }
    values.retain(|value| !matches!(value, V::ActivationDate(_) | V::DeactivationDate(_)));
    values.push(V::ActivationDate(DateTime(validity.from)));
    values.push(V::DeactivationDate(DateTime(validity.to)));
    values.retain(|value| !matches!(value, V::CryptographicUsageMask(_)));
    let usages = authority::usages(wanted);
    let masks = USAGES.iter().filter(|(bit, _)| bit & usages != 0);
    let mask = masks.fold(Mask(0), |all, (_, mask)| all.union(*mask));
    values.push(V::CryptographicUsageMask(Mask(mask.0 & PUBLIC.0)));
    server_attributes::set_server_attributes(values, object, now, true);
    Ok(())
}
