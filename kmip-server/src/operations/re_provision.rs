//! 2.0, 6.1.46; 2.1, 6.1.48: a client puts another certificate in the place of the one that it
//! connects with, which is invalid from then on.
//!
//! The server has no key of the clients' authority; the one that certifies public keys is never
//! that one. So it takes a certificate that the client brings, and signs no request and makes no
//! key pair: who asks for that is told where certificates come from.
//!
//! **No client can make another's certificate its own**, nor lock itself out by a slip: the new one
//! must name the same client, come from the same issuer, be valid today, and be one that a
//! handshake would take. That the client has its key, the next handshake will ask.
//!
//! Tickets that were given under the old certificate end with it.

use kmip::objects::{Certificate, Object};
use kmip::payload::{ReProvisionRequest, ReProvisionResponse};
use kmip::vocabulary::{CertificateType, ObjectType, ResultReason};

use crate::auth::client::{CertificateChain, Client};
use crate::auth::superseded_certificates;
use crate::config::Identity;
use crate::crypto::x509::certificate::Certificate as Credential;
use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};
use crate::objects::server_attributes;

pub(super) async fn re_provision(
    cx: &mut Context<'_>,
    request: ReProvisionRequest,
) -> Result<ReProvisionResponse> {
    let Some(current) = cx.client.certificate.clone() else {
        return Err(denied("the client has no certificate that could be replaced"));
    };
    if !is_valid(&current, cx.now.0) {
        return Err(denied("the client's certificate has expired: ask its authority for another"));
    }
    let certificate = match (request.certificate, request.certificate_request) {
        (Some(certificate), None) => certificate,
        (Some(_), Some(_)) => {
            return Err(OperationError::invalid_field(
                "the request brings a certificate and asks for one to be signed",
            ));
        }
        (None, _) => {
            return Err(OperationError::new(
                ResultReason::FeatureNotSupported,
                "this server signs no certificates: have the authority sign one and bring it here",
            ));
        }
    };
    let new = readable(&certificate)?;
    check(cx, &current, &new)?;
    check_issuer(cx, &certificate)?;
    if superseded_certificates::is_replaced(&mut cx.transaction, cx.index_key, &new).await? {
        return Err(denied("the new certificate was itself replaced before"));
    }
    let object = Object::Certificate(certificate);
    let mut values = Vec::new();
    server_attributes::usage_mask(&mut values, ObjectType::Certificate, cx.version)?;
    server_attributes::set_server_attributes(&mut values, &object, cx.now, false);
    let unique_identifier = cx.insert(values, object).await?;
    superseded_certificates::mark_superseded(&mut cx.transaction, cx.index_key, &current).await?;
    if let Some(old) = cx.client.chain.clone() {
        cx.effects.then(move |live| {
            live.tickets.forget_where(|shown| shown.0.first() == old.0.first());
        });
    }
    Ok(ReProvisionResponse { unique_identifier: Some(unique_identifier) })
}

fn denied(why: &str) -> OperationError {
    OperationError::new(ResultReason::PermissionDenied, why)
}

fn readable(certificate: &Certificate) -> Result<Credential> {
    if certificate.certificate_type != CertificateType::X_509 {
        return Err(OperationError::invalid_field("the new certificate is no X.509 certificate"));
    }
    Credential::parse(&certificate.certificate_value)
        .map_err(|unreadable| OperationError::invalid_field(unreadable.to_string()))
}

/// Did the clients' authority sign it? Between the two stand the same certificates as before.
fn check_issuer(cx: &Context<'_>, certificate: &Certificate) -> Result<()> {
    let shown = cx.client.chain.as_ref().map_or(&[][..], |shown| shown.0.as_slice());
    let between = shown.iter().skip(1).cloned();
    let chain = std::iter::once(certificate.certificate_value.clone()).chain(between).collect();
    let authorities = cx.state.client_authorities.as_ref();
    let authorities = authorities.ok_or_else(|| denied("this server knows no authority"))?;
    authorities.check(&CertificateChain(chain)).map_err(|why| {
        denied(&format!("the new certificate is not one that lets its holder in: {why}"))
    })
}

fn is_valid(certificate: &Credential, now: i64) -> bool {
    let (first, last) = certificate.validity;
    (first..=last).contains(&now)
}

fn check(cx: &Context<'_>, current: &Credential, new: &Credential) -> Result<()> {
    // Which part of a certificate names the client is a setting; it is the part that does so now.
    let names_the_client = [Identity::Subject, Identity::Fingerprint]
        .into_iter()
        .filter(|identity| Client::owner_name(current, *identity) == cx.client.owner)
        .any(|identity| Client::owner_name(new, identity) == cx.client.owner);
    let rows = [
        (new.fingerprint != current.fingerprint, "is the one that is in use"),
        (names_the_client, "names another client, which would have none of this one's objects"),
        (new.issuer == current.issuer, "comes from another issuer than the one in use"),
        (is_valid(new, cx.now.0), "is not valid today"),
        (new.usage.client && !new.is_authority, "is not one to connect with"),
    ];
    match rows.iter().find(|(holds, _)| !holds) {
        None => Ok(()),
        Some((_, why)) => Err(denied(&format!("the new certificate {why}"))),
    }
}
