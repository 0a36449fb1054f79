//! 1.4, 4.4; 2.1, 6.1.46: a new symmetric key in the place of an old one.
//!
//! The names move to the new key, links go both ways, and the old key stays as it is: what it
//! protects must still be read. A Name in the request is one more of the new key.

use kmip::payload::{ReKeyRequest, ReKeyResponse};
use kmip::vocabulary::{ObjectType, ResultReason};

use crate::keystore::Context;
use crate::keystore::symmetric_key::symmetric_key;
use crate::keystore::{replacement, request_attributes};
use crate::objects::attribute::attribute;
use crate::objects::error::{OperationError, Result};
use crate::objects::{attribute_consistency, server_attributes};

pub(super) async fn re_key(cx: &mut Context<'_>, request: ReKeyRequest) -> Result<ReKeyResponse> {
    let old_id = cx.identify(request.unique_identifier.as_ref())?;
    let old = cx.live_object(&old_id).await?;
    if old.object_type() != Some(ObjectType::SymmetricKey) {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("Re-key replaces a SymmetricKey and no {}", old.type_name()),
        ));
    }
    let asked = request.attributes.unwrap_or_default();
    server_attributes::may_be_kept(request.protection_storage_masks.as_ref())?;
    let given = request_attributes::resolve_explicit(cx, [asked], ObjectType::SymmetricKey).await?;
    attribute_consistency::random_number_generator(&given)?;
    let asked = attribute!(given.iter(), KeyFormatType);
    let offset = request.offset.map(|offset| offset.0);
    let mut values = replacement::inherit(&old, given, cx.now, offset)?;
    let (algorithm, length) = server_attributes::cryptographic(&values);
    let algorithm = algorithm
        .ok_or_else(|| OperationError::missing("the old key has no Cryptographic Algorithm"))?;
    let format = attribute!(old.values(), KeyFormatType).filter(|_| asked.is_none());
    let key = match symmetric_key(algorithm, length, asked.or(format)) {
        // The form of the old key is one that the server only keeps.
        Err(_) if format.is_some() => symmetric_key(algorithm, length, None),
        made => made,
    }?;
    server_attributes::set_server_attributes(&mut values, &key, cx.now, true);
    let unique_identifier = replacement::replace(cx, &old_id, &old, values, key).await?;
    Ok(ReKeyResponse { unique_identifier, template_attribute: None })
}
