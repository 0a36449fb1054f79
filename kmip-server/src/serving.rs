//! An object on its way out: whether it may leave, and in which form (1.4, 4.11 and 4.40; 2.1,
//! 6.1.18 and 6.1.19). Get and Export differ in what they give beside it, and never in this.
//!
//! ```text
//! material -> is it here? -> format -> point on a curve -> may it leave bare? -> wrapped -> out
//! ```

use kmip::objects::{KeyBlock, KeyMaterial, KeyValue, Object};
use kmip::payload::{ExportRequest, GetRequest, KeyWrappingSpecification};
use kmip::vocabulary::{KeyCompressionType, KeyFormatType, KeyWrapType, ResultReason, tags};
use kmip::{Encode, SecretBytes, Version};
use ttlv::Raw;

use crate::attributes;
use crate::error::{OperationError, Result};
use crate::find::find;
use crate::operations::Context;
use crate::record::Metadata;

/// The form in which a client wants an object.
#[derive(Default)]
pub struct Form {
    /// The form of the key.
    pub key_format_type: Option<KeyFormatType>,
    /// Wrapped as it was registered, or not at all.
    pub key_wrap_type: Option<KeyWrapType>,
    /// The form of a point on a curve.
    pub key_compression_type: Option<KeyCompressionType>,
    /// How it is to be wrapped.
    pub key_wrapping_specification: Option<Box<KeyWrappingSpecification>>,
}

impl From<GetRequest> for Form {
    fn from(request: GetRequest) -> Self {
        Self {
            key_format_type: request.key_format_type,
            key_wrap_type: request.key_wrap_type,
            key_compression_type: request.key_compression_type,
            key_wrapping_specification: request.key_wrapping_specification,
        }
    }
}

impl From<ExportRequest> for Form {
    fn from(request: ExportRequest) -> Self {
        Self {
            key_format_type: request.key_format_type,
            key_wrap_type: request.key_wrap_type,
            key_compression_type: request.key_compression_type,
            key_wrapping_specification: request.key_wrapping_specification,
        }
    }
}

/// The object in this form, of one that the client may know of and that is not destroyed.
pub async fn object(
    cx: &mut Context<'_>,
    id: &str,
    metadata: &Metadata,
    form: Form,
) -> Result<Object> {
    if form.key_wrapping_specification.is_some() {
        return Err(OperationError::new(
            ResultReason::FeatureNotSupported,
            "this server wraps no key on its way out; ask for it without a specification",
        ));
    }
    may_leave(metadata)?;
    let mut object = cx.material(id).await?.object;
    if let Some(block) = object.key_block_mut() {
        in_form(block, &form)?;
    } else if let Object::Template(template) = &mut object {
        template.attributes = attributes::of_template(metadata);
    } else if form.key_format_type.is_some() && !matches!(object, Object::Certificate(_)) {
        return Err(not_in_format(form.key_format_type));
    }
    Ok(object)
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

fn in_form(block: &mut KeyBlock, form: &Form) -> Result<()> {
    if block.key_value.is_none() {
        return Err(OperationError::new(
            ResultReason::KeyValueNotPresent,
            "the key is kept elsewhere: its Key Value Location says where",
        ));
    }
    if form.key_wrap_type == Some(KeyWrapType::NotWrapped) && block.key_wrapping_data.is_some() {
        return Err(OperationError::new(
            ResultReason::KeyWrapTypeNotSupported,
            "the key is kept wrapped, and this server does not unwrap it: ask for AsRegistered",
        ));
    }
    if form.key_compression_type.is_some_and(|asked| block.key_compression_type != Some(asked)) {
        return Err(OperationError::new(
            ResultReason::KeyCompressionTypeNotSupported,
            "this server gives a point on a curve in the form in which it came",
        ));
    }
    form.key_format_type.map_or(Ok(()), |asked| convert(block, asked))
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
