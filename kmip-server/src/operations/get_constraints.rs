//! 2.1, 6.1.22: what the client's new objects must be.

use kmip::payload::{GetConstraintsRequest, GetConstraintsResponse};

use crate::keystore::Context;
use crate::keystore::constraints;
use crate::objects::error::Result;

pub(super) async fn get_constraints(
    cx: &mut Context<'_>,
    _: GetConstraintsRequest,
) -> Result<GetConstraintsResponse> {
    Ok(GetConstraintsResponse { constraints: constraints::kept(cx).await? })
}
