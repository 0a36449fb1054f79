//! 1.4, 4.11; 2.1, 6.1.19: the object itself, in the form in which it was registered or in one
//! that it can be turned into.

use kmip::attributes::AttributeValue;
use kmip::objects::{KeyBlock, KeyMaterial, KeyValue, Object};
use kmip::payload::{GetRequest, GetResponse};
use kmip::vocabulary::{KeyFormatType, ResultReason, tags};
use kmip::{Encode, SecretBytes, Version};
use ttlv::Raw;

use super::Context;
use crate::error::{OperationError, Result};
use crate::find::find;
use crate::record::Metadata;

pub(super) async fn get(cx: &mut Context<'_>, request: GetRequest) -> Result<GetResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let metadata = cx.live_object(&unique_identifier).await?;
    if request.key_wrapping_specification.is_some() {
        return Err(OperationError::new(
            ResultReason::FeatureNotSupported,
            "this server wraps no key on its way out; ask for it without a specification",
        ));
    }
    may_leave(&metadata)?;
    let mut object = cx.material(&unique_identifier).await?.object;
    if let Some(block) = object.key_block_mut() {
        if block.key_value.is_none() {
            return Err(OperationError::new(
                ResultReason::KeyValueNotPresent,
                "the key is kept elsewhere: its Key Value Location says where",
            ));
        }
        if request
            .key_compression_type
            .is_some_and(|asked| block.key_compression_type != Some(asked))
        {
            return Err(OperationError::new(
                ResultReason::KeyCompressionTypeNotSupported,
                "this server gives a point on a curve in the form in which it came",
            ));
        }
        if let Some(asked) = request.key_format_type {
            convert(block, asked)?;
        }
    } else if request.key_format_type.is_some() && !matches!(object, Object::Certificate(_)) {
        return Err(not_in_format(request.key_format_type));
    }
    served(cx, &unique_identifier, &metadata);
    cx.id_placeholder = Some(unique_identifier.clone());
    Ok(GetResponse { object_type: object.object_type(), unique_identifier, object })
}

/// Some keys may leave the server wrapped alone, and some not at all (1.4, 3.48 and 3.50).
fn may_leave(metadata: &Metadata) -> Result<()> {
    if find!(metadata.values(), Extractable) == Some(false) {
        return Err(OperationError::new(
            ResultReason::NotExtractable,
            "the object is not Extractable",
        ));
    }
    if find!(metadata.values(), Sensitive) == Some(true) {
        return Err(OperationError::new(
            ResultReason::Sensitive,
            "the object is Sensitive: it leaves the server wrapped or not at all",
        ));
    }
    Ok(())
}

/// An object is fresh until it has been served once (1.4, 3.34; 2.1, 4.24).
fn served(cx: &mut Context<'_>, id: &str, metadata: &Metadata) {
    if find!(metadata.values(), Fresh) == Some(true) {
        let mut served = metadata.clone();
        served.set(AttributeValue::Fresh(false));
        cx.view.put(Metadata::key(id), served.encode());
    }
}

fn not_in_format(asked: Option<KeyFormatType>) -> OperationError {
    OperationError::new(
        ResultReason::KeyFormatTypeNotSupported,
        format!("this server does not turn this object into {asked:?}"),
    )
}

/// Turns the key into the form that was asked for.
fn convert(block: &mut KeyBlock, asked: KeyFormatType) -> Result<()> {
    use KeyFormatType as F;
    let held = block.key_format_type;
    if held == asked {
        return Ok(());
    }
    let Some(KeyValue::Plain { material, .. }) = &mut block.key_value else {
        return Err(not_in_format(Some(asked)));
    };
    let converted = match (held, asked, &*material) {
        // Opaque names no form: the bytes are what they are.
        (F::Raw, F::Opaque, KeyMaterial::Bytes(bytes)) => KeyMaterial::Bytes(bytes.clone()),
        (F::Raw, F::TransparentSymmetricKey, KeyMaterial::Bytes(bytes)) => {
            KeyMaterial::Transparent(Raw::build(|w| {
                w.structure(tags::KeyMaterial, |w| bytes.encode(tags::Key, w, Version::V1_0));
            }))
        }
        (F::TransparentSymmetricKey, F::Raw, KeyMaterial::Transparent(raw)) => {
            let mut r = raw.reader();
            let bytes = r.structure(tags::KeyMaterial, |r| r.byte_string(tags::Key));
            KeyMaterial::Bytes(SecretBytes::new(bytes.map_err(|_| not_in_format(Some(asked)))?))
        }
        _ => return Err(not_in_format(Some(asked))),
    };
    *material = converted;
    block.key_format_type = asked;
    Ok(())
}
