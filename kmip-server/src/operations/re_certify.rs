//! 1.4, 4.8; 2.1, 6.1.45: a new certificate for the key of an old one.
//!
//! The Name moves to the new certificate and the public key's link with it; the old one stays as it
//! is, since what it vouches for must still be checked.

use kmip::DateTime;
use kmip::attributes::AttributeValue;
use kmip::objects::Object;
use kmip::payload::{ReCertifyRequest, ReCertifyResponse};
use kmip::vocabulary::{LinkType, ObjectType, ResultReason, State};

use crate::crypto::x509::certificate_request::{self, Wanted};
use crate::crypto::x509::subject;
use crate::keystore::Context;
use crate::keystore::certification::{self, invalid_csr};
use crate::keystore::replacement::{self, link, set_link};
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::{certificate_attributes, server_attributes};

pub(super) async fn re_certify(
    cx: &mut Context<'_>,
    request: ReCertifyRequest,
) -> Result<ReCertifyResponse> {
    server_attributes::may_be_kept(request.protection_storage_masks.as_ref())?;
    let old_id = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&old_id).await?;
    if old.object_type() != Some(ObjectType::Certificate) {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("Re-certify replaces a Certificate and no {}", old.type_name()),
        ));
    }
    if old.state(cx.now) == State::Compromised {
        return Err(OperationError::state("renew", State::Compromised));
    }
    let Object::Certificate(certificate) = cx.material(&old_id).await?.object else {
        return Err(OperationError::internal("read the certificate"));
    };
    let renewed =
        certificate_request::of_certificate(&certificate.certificate_value).map_err(|why| {
            OperationError::new(ResultReason::PermissionDenied, format!("no such renewal: {why}"))
        })?;
    let public_id = certification::linked_public_key(&old);
    if let Some(id) = &public_id {
        // A key that may not be certified any more is none to be certified again.
        certification::public_key(cx, id).await?;
    }
    let asked_again = request_of(cx, &request).await?;
    let layer = request.attributes.unwrap_or_default();
    let (given, asked) = certification::attributes(cx, layer, true).await?;
    let wanted = renewal(renewed, asked_again, asked)?;

    let offset = request.offset.map(|offset| offset.0);
    let own = certificate_attributes::attributes(&certificate);
    let is_wished = attribute!(given.iter(), DeactivationDate).is_some();
    let mut values = replacement::inherit(&old, given.clone(), cx.now, offset)?;
    // What the old certificate says, the new one says for itself.
    values.retain(|value| !own.iter().any(|own| own.is_same_attribute(value)));
    values.extend(given.into_iter().filter(|g| own.iter().any(|own| own.is_same_attribute(g))));
    cap(cx, &mut values, is_wished)?;
    let validity = certification::validity(cx, &values)?;
    let new = certification::issue(cx, &wanted, validity)?;
    certification::complete(&mut values, &new, &wanted, validity, cx.now)?;
    values.extend(public_id.as_deref().map(|id| link(LinkType::PublicKeyLink, id)));
    let unique_identifier = replacement::replace(cx, &old_id, &old, values, new).await?;
    if let Some(id) = public_id {
        set_link(cx, &id, LinkType::CertificateLink, &unique_identifier).await?;
    }
    Ok(ReCertifyResponse { unique_identifier, template_attribute: None })
}

/// The request that the client sends, or names.
async fn request_of(cx: &mut Context<'_>, request: &ReCertifyRequest) -> Result<Option<Wanted>> {
    let sent = certification::read(
        request.certificate_request_type,
        request.certificate_request_value.clone(),
    )?;
    match (sent, &request.certificate_request_unique_identifier) {
        (Some(_), Some(_)) => Err(OperationError::invalid_field(
            "the message holds a certificate request and names another one",
        )),
        (Some(sent), None) => Ok(Some(sent)),
        (None, Some(named)) => {
            let id = cx.identify(Some(named))?;
            cx.live_object(&id).await?;
            certification::kept_request(cx, &id).await.map(Some)
        }
        (None, None) => Ok(None),
    }
}

/// What the new certificate says: what a request says goes before what the attributes say, and that
/// before what the old certificate says.
fn renewal(old: Wanted, again: Option<Wanted>, asked: certification::Asked) -> Result<Wanted> {
    let mut wanted = match again {
        Some(again) if again.key != old.key => {
            return Err(invalid_csr("a renewed certificate is for the key of the old one"));
        }
        Some(again) => certification::fill(again, asked),
        None => certification::fill(Wanted::of(old.key.clone()), asked),
    };
    if subject::is_empty(&wanted.names.subject) && wanted.names.alternative.is_empty() {
        wanted.names = old.names;
    }
    if wanted.usage == 0 {
        wanted.usage = old.usage;
    }
    if wanted.purposes.is_empty() {
        wanted.purposes = old.purposes;
    }
    Ok(wanted)
}

/// The date that follows from the old one's is no wish of the client's: it ends where it must.
fn cap(cx: &Context<'_>, values: &mut Vec<AttributeValue>, is_wished: bool) -> Result<()> {
    if is_wished {
        return Ok(());
    }
    let from = attribute!(values.iter(), ActivationDate).unwrap_or(cx.now);
    let latest = certification::own(cx)?.latest(from.0);
    for value in values {
        if let AttributeValue::DeactivationDate(date) = value {
            *date = DateTime(date.0.min(latest));
        }
    }
    Ok(())
}
