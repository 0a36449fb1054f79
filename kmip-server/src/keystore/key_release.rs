//! An object on its way out: whether it may leave, and in which form (1.4, 4.11 and 4.40; 2.1,
//! 6.1.18 and 6.1.19). Get and Export differ in what they give beside it, and never in this.
//!
//! ```text
//! material -> is it here? -> format -> point on a curve -> may it leave bare? -> wrapped -> out
//! ```
//!
//! A key block says of its algorithm and its length what the attributes say.

use kmip::Version;
use kmip::objects::{KeyBlock, Object};
use kmip::payload::{ExportRequest, GetRequest, KeyWrappingSpecification};
use kmip::vocabulary::{KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType, ResultReason};

use crate::crypto::formats::{self, FormatError};
use crate::keystore::Context;
use crate::keystore::pkcs12_bundle;
use crate::keystore::wrapping;
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};
use crate::objects::key_block;
use crate::objects::record::{Material, Summary};
use crate::objects::server_attributes;

/// The form in which a client wants an object.
#[derive(Default)]
pub(crate) struct RequestedForm {
    /// The form of the key.
    pub key_format_type: Option<KeyFormatType>,
    /// Wrapped as it was registered, or not at all.
    pub key_wrap_type: Option<KeyWrapType>,
    /// The form of a point on a curve.
    pub key_compression_type: Option<KeyCompressionType>,
    /// How it is to be wrapped.
    pub key_wrapping_specification: Option<Box<KeyWrappingSpecification>>,
}

impl From<GetRequest> for RequestedForm {
    fn from(request: GetRequest) -> Self {
        Self {
            key_format_type: request.key_format_type,
            key_wrap_type: request.key_wrap_type,
            key_compression_type: request.key_compression_type,
            key_wrapping_specification: request.key_wrapping_specification,
        }
    }
}

impl From<ExportRequest> for RequestedForm {
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
pub(crate) async fn object(
    cx: &mut Context<'_>,
    id: &str,
    summary: &Summary,
    form: RequestedForm,
) -> Result<Object> {
    let hidden = form
        .key_wrapping_specification
        .as_ref()
        .is_some_and(|specification| wrapping::hides(specification.wrapping_method));
    check_extractable(summary, hidden)?;
    let is_opened = is_opened(form.key_wrap_type)?;
    let Material { version, mut object } = cx.material(id).await?;
    let object_type = object.object_type();
    if let Some(block) = object.key_block_mut() {
        key_block::fill(block, summary.algorithm, summary.length);
        if is_opened {
            Box::pin(wrapping::unwrap(cx, block, version)).await?;
        }
        let is_container = block.key_format_type == KeyFormatType::PKCS_12;
        match form.key_format_type {
            Some(KeyFormatType::PKCS_12) if !is_container => {
                let metadata = cx.object(id).await?;
                *block =
                    Box::pin(pkcs12_bundle::container(cx, &metadata, object_type, block)).await?;
            }
            // What a client brought in a container stays in it.
            Some(other) if is_container && other != KeyFormatType::PKCS_12 => {
                return Err(not_in_format(other));
            }
            _ => in_form(cx, id, object_type, block, &form).await?,
        }
        if let Some(specification) = form.key_wrapping_specification {
            let shown = attribute_rules::shown(id, &cx.object(id).await?, cx.now);
            Box::pin(wrapping::wrap(cx, block, shown, *specification)).await?;
        } else {
            wrapping::check_told(block, cx.version)?;
        }
    } else if form.key_wrapping_specification.is_some() {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("a {object_type:?} has no key that could be wrapped"),
        ));
    } else if let Object::Template(template) = &mut object {
        template.attributes = attribute_rules::of_template(&cx.object(id).await?);
    } else if let Some(asked) = form.key_format_type
        && !matches!(object, Object::Certificate(_))
    {
        return Err(not_in_format(asked));
    }
    Ok(object)
}

/// Returns whether a key that is kept wrapped, or sent so, is to be unwrapped.
pub(crate) fn is_opened(key_wrap_type: Option<KeyWrapType>) -> Result<bool> {
    match key_wrap_type {
        None | Some(KeyWrapType::AsRegistered) => Ok(false),
        Some(KeyWrapType::NotWrapped) => Ok(true),
        Some(other) => Err(OperationError::new(
            ResultReason::KeyWrapTypeNotSupported,
            format!("{other:?} is not a Key Wrap Type of this server"),
        )),
    }
}

/// Some keys may leave the server wrapped alone, and some not at all (1.4, 3.48 and 3.50).
fn check_extractable(summary: &Summary, hidden: bool) -> Result<()> {
    if summary.extractable == Some(false) {
        return Err(OperationError::new(
            ResultReason::NotExtractable,
            "the object is not Extractable",
        ));
    }
    if summary.sensitive == Some(true) && !hidden {
        return Err(OperationError::new(
            ResultReason::Sensitive,
            "the object is Sensitive: it leaves the server wrapped or not at all",
        ));
    }
    Ok(())
}

async fn in_form(
    cx: &mut Context<'_>,
    id: &str,
    object_type: ObjectType,
    block: &mut KeyBlock,
    form: &RequestedForm,
) -> Result<()> {
    if block.key_value.is_none() {
        return Err(OperationError::new(
            ResultReason::KeyValueNotPresent,
            "the key is kept elsewhere: its Key Value Location says where",
        ));
    }
    let format = format(block.key_format_type, form.key_format_type, cx.version);
    let point = form.key_compression_type;
    if formats::is_in(block, format, point) {
        return Ok(());
    }
    let metadata = Box::pin(cx.object(id)).await?;
    Ok(formats::convert(
        object_type,
        block,
        server_attributes::key_hint(metadata.values()),
        format,
        point,
    )?)
}

fn not_in_format(asked: KeyFormatType) -> OperationError {
    OperationError::new(
        ResultReason::KeyFormatTypeNotSupported,
        format!("this server does not turn this object into {asked}"),
    )
}

/// The form in which the key leaves: the one asked for; else the one it came in, or where the
/// client's version has no such form, its older or newer name there.
fn format(held: KeyFormatType, asked: Option<KeyFormatType>, version: Version) -> KeyFormatType {
    use KeyFormatType as F;
    match (asked, held) {
        (Some(asked), _) => asked,
        (None, held) if held.exists_in(version) => held,
        (None, F::TransparentECPrivateKey) => F::TransparentECDSAPrivateKey,
        (None, F::TransparentECPublicKey) => F::TransparentECDSAPublicKey,
        (
            None,
            F::TransparentECDSAPrivateKey
            | F::TransparentECDHPrivateKey
            | F::TransparentECMQVPrivateKey,
        ) => F::TransparentECPrivateKey,
        (
            None,
            F::TransparentECDSAPublicKey
            | F::TransparentECDHPublicKey
            | F::TransparentECMQVPublicKey,
        ) => F::TransparentECPublicKey,
        (None, held) => held,
    }
}

/// The reason of each failure to turn a key into a form.
impl From<FormatError> for OperationError {
    fn from(error: FormatError) -> Self {
        let reason = match error {
            FormatError::NotPlain | FormatError::Unreadable(_) | FormatError::NoSuchForm(_) => {
                ResultReason::KeyFormatTypeNotSupported
            }
            FormatError::NoSuchPoint(_) => ResultReason::KeyCompressionTypeNotSupported,
        };
        Self::new(reason, error.to_string())
    }
}
