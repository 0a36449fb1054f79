//! 1.4, 4.11; 2.1, 6.1.19: the object itself, in the form in which it was registered or in one
//! that it can be turned into.

use kmip::payload::{GetRequest, GetResponse};

use crate::keystore::Context;
use crate::keystore::key_release::{self, RequestedForm};
use crate::objects::error::Result;

pub(super) async fn get(cx: &mut Context<'_>, request: GetRequest) -> Result<GetResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let summary = cx.live_summary(&unique_identifier).await?;
    let object =
        key_release::object(cx, &unique_identifier, &summary, RequestedForm::from(request)).await?;
    cx.served(&unique_identifier, &summary).await?;
    cx.id_placeholder = Some(unique_identifier.clone());
    Ok(GetResponse { object_type: object.object_type(), unique_identifier, object })
}
