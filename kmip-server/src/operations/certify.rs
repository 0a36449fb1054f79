//! 1.4, 4.7; 2.1, 6.1.6: the server's authority makes a certificate for a public key.
//!
//! ```text
//! request in PKCS#10 or PEM . kept Certificate Request . Public Key and attributes --> Certificate
//! ```
//!
//! What a request says goes before what the attributes say. Without an authority there is no such
//! operation: the standard gives a client no way to name a key of its own to sign with.

use kmip::payload::{CertifyRequest, CertifyResponse};
use kmip::vocabulary::{LinkType, ObjectType};

use crate::crypto::keys::Key;
use crate::crypto::x509::certificate_request::Wanted;
use crate::keystore::Context;
use crate::keystore::certification::{self, invalid_csr};
use crate::keystore::replacement::{link, set_link};
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::server_attributes;

pub(super) async fn certify(
    cx: &mut Context<'_>,
    request: CertifyRequest,
) -> Result<CertifyResponse> {
    server_attributes::may_be_kept(request.protection_storage_masks.as_ref())?;
    let sent = certification::read(
        request.certificate_request_type,
        request.certificate_request_value.clone(),
    )?;
    let Subject { wanted, public } = subject(cx, &request, sent).await?;
    let attributes = request.attributes.unwrap_or_default();
    let (mut values, asked) = certification::attributes(cx, attributes, false).await?;
    let wanted = match (wanted, &public) {
        (Some(wanted), _) => certification::fill(wanted, asked),
        (None, Some((_, metadata, key))) => {
            certification::is_x509(&values)?;
            certification::of_key(key.clone(), metadata, asked)?
        }
        (None, None) => return Err(OperationError::missing("there is no public key to certify")),
    };
    let validity = certification::validity(cx, &values)?;
    let certificate = certification::issue(cx, &wanted, validity)?;
    certification::complete(&mut values, &certificate, &wanted, validity, cx.now)?;
    if let Some((id, ..)) = &public {
        values.push(link(LinkType::PublicKeyLink, id));
    }
    let unique_identifier = cx.insert(values, certificate).await?;
    if let Some((id, ..)) = public {
        set_link(cx, &id, LinkType::CertificateLink, &unique_identifier).await?;
    }
    Ok(CertifyResponse { unique_identifier, template_attribute: None })
}

/// What is certified: a request, a public key that is kept, or both, which are then one key.
struct Subject {
    wanted: Option<Wanted>,
    public: Option<(String, Metadata, Key)>,
}

/// The object that the client names, beside the request that it sends or in its place. Before 2.0
/// the object named last is meant even beside a request; there it may be one of anything, since
/// most clients mean nothing by it.
async fn subject(
    cx: &mut Context<'_>,
    request: &CertifyRequest,
    sent: Option<Wanted>,
) -> Result<Subject> {
    let is_named = request.unique_identifier.is_some();
    let id = match (is_named, &sent) {
        (true, _) | (false, None) => Some(cx.identify(request.unique_identifier.as_ref())?),
        (false, Some(_)) => cx.id_placeholder.clone(),
    };
    let Some(id) = id else { return Ok(Subject { wanted: sent, public: None }) };
    let object = match (is_named, &sent) {
        (false, Some(_)) => cx.object(&id).await?,
        (true, _) | (false, None) => cx.live_object(&id).await?,
    };
    let (wanted, public_id) = match (object.object_type(), sent) {
        (Some(ObjectType::PublicKey), sent) => (sent, Some(id)),
        (Some(ObjectType::CertificateRequest), None) => {
            let kept = certification::kept_request(cx, &id).await?;
            (Some(kept), certification::linked_public_key(&object))
        }
        (_, Some(sent)) if !is_named => (Some(sent), None),
        (other, _) => return Err(certification::of_another_type(other)),
    };
    let Some(public_id) = public_id else { return Ok(Subject { wanted, public: None }) };
    let (metadata, key) = match certification::public_key(cx, &public_id).await {
        Ok(found) => found,
        Err(_) if !is_named && wanted.is_some() => return Ok(Subject { wanted, public: None }),
        Err(error) => return Err(error),
    };
    match &wanted {
        Some(wanted) if wanted.key != key && is_named => {
            Err(invalid_csr("it is for another key than the one named beside it"))
        }
        Some(other) if other.key != key => Ok(Subject { wanted, public: None }),
        Some(_) | None => Ok(Subject { wanted, public: Some((public_id, metadata, key)) }),
    }
}
