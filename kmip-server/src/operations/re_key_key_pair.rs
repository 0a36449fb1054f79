//! 1.4, 4.5; 2.1, 6.1.47: a new pair of keys in the place of an old one.

use kmip::attributes::{AttributeValue, Attributes};
use kmip::payload::{ReKeyKeyPairRequest, ReKeyKeyPairResponse};
use kmip::vocabulary::{LinkType, ObjectType, ResultReason};

use crate::keystore::Context;
use crate::keystore::replacement::{self, linked, set_link};
use crate::keystore::{key_pair, request_attributes};
use crate::objects::error::{OperationError, Result};
use crate::objects::record::Metadata;
use crate::objects::{attribute_consistency, server_attributes};

pub(super) async fn re_key_key_pair(
    cx: &mut Context<'_>,
    request: ReKeyKeyPairRequest,
) -> Result<ReKeyKeyPairResponse> {
    for masks in [
        &request.common_protection_storage_masks,
        &request.private_protection_storage_masks,
        &request.public_protection_storage_masks,
    ] {
        server_attributes::may_be_kept(masks.as_ref())?;
    }
    let old_private_id = cx.identify(request.private_key_unique_identifier.as_ref())?;
    let old_private = cx.live_object(&old_private_id).await?;
    if old_private.object_type() != Some(ObjectType::PrivateKey) {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("Re-key Key Pair replaces a PrivateKey and no {}", old_private.type_name()),
        ));
    }
    let Some(old_public_id) = linked(&old_private, LinkType::PublicKeyLink).into_iter().next()
    else {
        return Err(OperationError::invalid_field(
            "the private key has no link to its public key, and a pair is replaced as a pair",
        ));
    };
    let old_public = cx.live_object(&old_public_id).await?;
    let offset = request.offset.map(|offset| offset.0);
    let common = request.common_attributes.unwrap_or_default();
    let of_private = [request.private_key_attributes.unwrap_or_default(), common.clone()];
    let of_public = [request.public_key_attributes.unwrap_or_default(), common];
    let mut private =
        carried_over(cx, &old_private, of_private, ObjectType::PrivateKey, offset).await?;
    let mut public =
        carried_over(cx, &old_public, of_public, ObjectType::PublicKey, offset).await?;
    key_pair::check_names(cx.policy.names, &private, &public)?;
    let kind = key_pair::kind(&private, &public)?;
    let pair = kind.generate()?;
    key_pair::inherit_format(&mut private, &old_private, &pair.private);
    key_pair::inherit_format(&mut public, &old_public, &pair.public);
    let (private_key, public_key) =
        key_pair::objects(&pair, kind, &mut private, &mut public, cx.version)?;
    server_attributes::set_server_attributes(&mut private, &private_key, cx.now, true);
    server_attributes::set_server_attributes(&mut public, &public_key, cx.now, true);
    let private_id =
        replacement::replace(cx, &old_private_id, &old_private, private, private_key).await?;
    public.push(replacement::link(LinkType::PrivateKeyLink, &private_id));
    let public_id =
        replacement::replace(cx, &old_public_id, &old_public, public, public_key).await?;
    set_link(cx, &private_id, LinkType::PublicKeyLink, &public_id).await?;
    cx.id_placeholder = Some(private_id.clone());
    Ok(ReKeyKeyPairResponse {
        private_key_unique_identifier: private_id,
        public_key_unique_identifier: public_id,
        private_key_template_attribute: None,
        public_key_template_attribute: None,
    })
}

/// The attributes of one of the new keys: those of the old one, but for what the request says.
async fn carried_over(
    cx: &mut Context<'_>,
    old: &Metadata,
    layers: [Attributes; 2],
    kind: ObjectType,
    offset: Option<u32>,
) -> Result<Vec<AttributeValue>> {
    let given = request_attributes::resolve_explicit(cx, layers, kind).await?;
    attribute_consistency::random_number_generator(&given)?;
    replacement::inherit(old, given, cx.now, offset)
}
