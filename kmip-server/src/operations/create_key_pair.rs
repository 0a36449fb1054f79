//! 1.4, 4.2; 2.1, 6.1.9: the server makes a private key and its public key.

use kmip::payload::{CreateKeyPairRequest, CreateKeyPairResponse};
use kmip::vocabulary::{LinkType, ObjectType};

use crate::keystore::Context;
use crate::keystore::replacement::{link, set_link};
use crate::keystore::{key_pair, request_attributes};
use crate::objects::error::Result;
use crate::objects::server_attributes;

pub(super) async fn create_key_pair(
    cx: &mut Context<'_>,
    request: CreateKeyPairRequest,
) -> Result<CreateKeyPairResponse> {
    for masks in [
        &request.common_protection_storage_masks,
        &request.private_protection_storage_masks,
        &request.public_protection_storage_masks,
    ] {
        server_attributes::may_be_kept(masks.as_ref())?;
    }
    let common = request.common_attributes.unwrap_or_default();
    let of_private = [request.private_key_attributes.unwrap_or_default(), common.clone()];
    let of_public = [request.public_key_attributes.unwrap_or_default(), common];
    let mut private =
        request_attributes::resolve_for_create(cx, of_private, ObjectType::PrivateKey).await?;
    let mut public =
        request_attributes::resolve_for_create(cx, of_public, ObjectType::PublicKey).await?;
    server_attributes::usage_mask(&mut private, ObjectType::PrivateKey, cx.version)?;
    server_attributes::usage_mask(&mut public, ObjectType::PublicKey, cx.version)?;
    key_pair::check_names(cx.policy.names, &private, &public)?;
    let kind = key_pair::kind(&private, &public)?;
    let pair = kind.generate()?;
    let (private_key, public_key) =
        key_pair::objects(&pair, kind, &mut private, &mut public, cx.version)?;
    server_attributes::set_server_attributes(&mut private, &private_key, cx.now, true);
    server_attributes::set_server_attributes(&mut public, &public_key, cx.now, true);
    let private_id = cx.insert(private, private_key).await?;
    public.push(link(LinkType::PrivateKeyLink, &private_id));
    let public_id = cx.insert(public, public_key).await?;
    set_link(cx, &private_id, LinkType::PublicKeyLink, &public_id).await?;
    cx.id_placeholder = Some(private_id.clone());
    Ok(CreateKeyPairResponse {
        private_key_unique_identifier: private_id,
        public_key_unique_identifier: public_id,
        private_key_template_attribute: None,
        public_key_template_attribute: None,
    })
}
