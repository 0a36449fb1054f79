//! 2.1, 6.1.53: the client's own values for attributes that it will leave out, from now on; without
//! any, those that it had are gone.

use kmip::payload::{SetDefaultsRequest, SetDefaultsResponse};

use crate::keystore::Context;
use crate::keystore::defaults;
use crate::objects::error::Result;

pub(super) async fn set_defaults(
    cx: &mut Context<'_>,
    request: SetDefaultsRequest,
) -> Result<SetDefaultsResponse> {
    defaults::keep(cx, request.defaults_information).await?;
    Ok(SetDefaultsResponse {})
}
