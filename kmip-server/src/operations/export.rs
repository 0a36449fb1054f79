//! 1.4, 4.40; 2.1, 6.1.18: an object with all that is known of it, whatever its State; of one that
//! is destroyed, what is known alone.
//!
//! A key that may not leave by Get may not leave by Export. An object that was exported is as fresh
//! as it was: that is about Get (2.1, 4.24), and what is exported says so.

use kmip::attributes::AllAttributes;
use kmip::payload::{ExportRequest, ExportResponse};
use kmip::vocabulary::ResultReason;

use crate::keystore::Context;
use crate::keystore::key_release::{self, RequestedForm};
use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};
use crate::objects::lifecycle;

pub(super) async fn export(cx: &mut Context<'_>, request: ExportRequest) -> Result<ExportResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let metadata = cx.online_object(&unique_identifier).await?;
    let object_type = metadata.object_type().ok_or_else(|| {
        OperationError::new(ResultReason::GeneralFailure, "the object has lost its Object Type")
    })?;
    let object = match lifecycle::is_destroyed(metadata.state(cx.now)) {
        true => None,
        false => {
            let summary = cx.live_summary(&unique_identifier).await?;
            Some(
                key_release::object(cx, &unique_identifier, &summary, RequestedForm::from(request))
                    .await?,
            )
        }
    };
    let attributes = attribute_rules::shown(&unique_identifier, &metadata, cx.now);
    cx.id_placeholder = Some(unique_identifier.clone());
    let attributes = AllAttributes(attributes);
    Ok(ExportResponse { object_type, unique_identifier, attributes, object })
}
