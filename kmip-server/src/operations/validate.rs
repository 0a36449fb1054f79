//! 1.4, 4.24; 2.1, 6.1.57: is a chain of certificates valid, then or now?
//!
//! How a chain is judged is the server's to decide: by RFC 5280, with the roots that the client
//! brings. A certificate that its owner has revoked or destroyed makes every chain invalid.

use kmip::objects::{Certificate, Object};
use kmip::payload::{ValidateRequest, ValidateResponse};
use kmip::vocabulary::{
    CertificateType, ObjectType, ResultReason, State, ValidityIndicator as Verdict,
};

use crate::crypto::x509::path_validation::{self, CHAIN_LEN_MAX};
use crate::keystore::Context;
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::lifecycle;

pub(super) async fn validate(
    cx: &mut Context<'_>,
    request: ValidateRequest,
) -> Result<ValidateResponse> {
    let count = request.certificates.len().saturating_add(request.unique_identifiers.len());
    if count == 0 {
        return Err(OperationError::missing("the request has no certificate to be validated"));
    }
    if count > CHAIN_LEN_MAX {
        return Err(OperationError::invalid_field(format!(
            "a chain may have {CHAIN_LEN_MAX} certificates, and this one has {count}"
        )));
    }
    let mut chain = Vec::new();
    for certificate in request.certificates {
        chain.push(x509(certificate)?);
    }
    let mut is_revoked = false;
    for named in &request.unique_identifiers {
        match kept(cx, &cx.identify(Some(named))?).await? {
            Some(certificate) => chain.push(x509(certificate)?),
            None => is_revoked = true,
        }
    }
    if is_revoked {
        return Ok(ValidateResponse { validity_indicator: Verdict::Invalid });
    }
    let moment = request.validity_date.unwrap_or(cx.now).0;
    let own = cx.state.authority.as_ref().map(|authority| authority.certificate().to_vec());
    let verdict = path_validation::judge(&chain, own.as_deref(), moment);
    let validity_indicator =
        verdict.map_err(|no_chain| OperationError::invalid_field(no_chain.to_string()))?;
    Ok(ValidateResponse { validity_indicator })
}

/// A certificate that the server keeps; none if its owner has given it up.
async fn kept(cx: &mut Context<'_>, id: &str) -> Result<Option<Certificate>> {
    let metadata = cx.online_object(id).await?;
    let of_another_type = |kind: Option<ObjectType>| {
        let kind = kind.map_or_else(|| "object".to_owned(), |kind| format!("{kind:?}"));
        OperationError::new(
            ResultReason::InvalidObjectType,
            format!("a chain is of certificates, and {id} is a {kind}"),
        )
    };
    if metadata.object_type() != Some(ObjectType::Certificate) {
        return Err(of_another_type(metadata.object_type()));
    }
    let is_revoked = attribute!(metadata.values(), RevocationReason).is_some();
    let state = metadata.state(cx.now);
    if is_revoked || lifecycle::is_destroyed(state) || state == State::Compromised {
        return Ok(None);
    }
    let object = cx.material(id).await?.object;
    let Object::Certificate(certificate) = object else {
        return Err(of_another_type(Some(object.object_type())));
    };
    Ok(Some(certificate))
}

fn x509(certificate: Certificate) -> Result<Vec<u8>> {
    match certificate.certificate_type {
        CertificateType::X_509 => Ok(certificate.certificate_value),
        other => Err(OperationError::new(
            ResultReason::FeatureNotSupported,
            format!("this server validates chains of X_509 certificates, and none of {other:?}"),
        )),
    }
}
