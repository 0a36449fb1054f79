//! 1.4, 4.11; 2.1, 6.1.19: the object itself, in the form in which it was registered or in one
//! that it can be turned into.

use kmip::attributes::AttributeValue;
use kmip::payload::{GetRequest, GetResponse};

use super::Context;
use crate::error::Result;
use crate::find::find;
use crate::record::Metadata;
use crate::serving::{self, Form};

pub(super) async fn get(cx: &mut Context<'_>, request: GetRequest) -> Result<GetResponse> {
    let unique_identifier = cx.identify(request.unique_identifier.as_ref())?;
    let metadata = cx.live_object(&unique_identifier).await?;
    let object = serving::object(cx, &unique_identifier, &metadata, Form::from(request)).await?;
    served(cx, &unique_identifier, &metadata);
    cx.id_placeholder = Some(unique_identifier.clone());
    Ok(GetResponse { object_type: object.object_type(), unique_identifier, object })
}

/// An object is fresh until it has been served once (1.4, 3.34; 2.1, 4.24).
fn served(cx: &mut Context<'_>, id: &str, metadata: &Metadata) {
    if find!(metadata.values(), Fresh) == Some(true) {
        let mut served = metadata.clone();
        served.set(AttributeValue::Fresh(false));
        cx.view.put(Metadata::key(id), served.encode());
    }
}
