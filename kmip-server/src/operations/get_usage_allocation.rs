//! 1.4, 4.18; 2.1, 6.1.23: a part of what a key may still protect is the client's from now on.

use kmip::Version;
use kmip::payload::{GetUsageAllocationRequest, GetUsageAllocationResponse};
use kmip::vocabulary::{CryptographicUsageMask as Mask, ResultReason, State};

use crate::keystore::Context;
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::usage_limits;

/// The uses that apply protection (1.4, 3.22: what an Active object may do and a Deactivated one
/// may not).
const PROTECTING: &[Mask] = &[
    Mask::Sign,
    Mask::Encrypt,
    Mask::WrapKey,
    Mask::MACGenerate,
    Mask::DeriveKey,
    Mask::ContentCommitment,
    Mask::KeyAgreement,
    Mask::CertificateSign,
    Mask::CRLSign,
    Mask::GenerateCryptogram,
    Mask::TranslateEncrypt,
    Mask::TranslateWrap,
    Mask::FPEEncrypt,
    Mask::Unrestricted,
];

pub(super) async fn get_usage_allocation(
    cx: &mut Context<'_>,
    request: GetUsageAllocationRequest,
) -> Result<GetUsageAllocationResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&unique_identifier).await?;
    if request.usage_limits_count <= 0 {
        return Err(OperationError::invalid_field("Usage Limits Count must be above zero"));
    }
    if usage_limits::left(&old).is_none() {
        return Err(not_limited(
            cx.version,
            ResultReason::AttributeNotFound,
            "the object has no Usage Limits: it may be used without an allocation",
        ));
    }
    if !PROTECTING.iter().any(|use_| old.usage_mask().contains(*use_)) {
        return Err(not_limited(
            cx.version,
            ResultReason::InvalidObjectType,
            "the object's Cryptographic Usage Mask lets it protect nothing",
        ));
    }
    may_protect(cx, &old)?;
    let mut new = old.clone();
    usage_limits::take(&mut new, request.usage_limits_count)?;
    cx.update(&unique_identifier, &old, new).await?;
    Ok(GetUsageAllocationResponse { unique_identifier })
}

/// There is nothing to be allocated. 1.x has one reason for it, and 2.x one for each cause (1.4,
/// 11.18; 2.1, 6.1.23).
fn not_limited(version: Version, reason: ResultReason, why: &str) -> OperationError {
    match version < Version::V2_0 {
        true => OperationError::new(ResultReason::IllegalOperation, why),
        false => OperationError::new(reason, why),
    }
}

/// A key protects from its Activation Date up to its Protect Stop Date.
fn may_protect(cx: &Context<'_>, metadata: &Metadata) -> Result<()> {
    let state = metadata.state(cx.now);
    if state != State::Active {
        return Err(OperationError::state("protect with", state));
    }
    match attribute!(metadata.values(), ProtectStopDate).is_some_and(|stop| stop <= cx.now) {
        true => Err(OperationError::new(
            ResultReason::WrongKeyLifecycleState,
            "the object's Protect Stop Date has come: it protects nothing more",
        )),
        false => Ok(()),
    }
}
