//! 2.1, 6.1.52: what the client's new objects must be from now on.

use kmip::payload::{SetConstraintsRequest, SetConstraintsResponse};

use crate::keystore::Context;
use crate::keystore::constraints;
use crate::objects::error::Result;

pub(super) async fn set_constraints(
    cx: &mut Context<'_>,
    request: SetConstraintsRequest,
) -> Result<SetConstraintsResponse> {
    constraints::keep(cx, &request.constraints).await?;
    Ok(SetConstraintsResponse {})
}
