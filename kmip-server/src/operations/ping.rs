//! 2.1, 6.1.36: the server is there. Whoever reads the answer knows it; there is nothing else.

use kmip::payload::{PingRequest, PingResponse};

use crate::keystore::Context;
use crate::objects::error::Result;

pub(super) async fn ping(_: &mut Context<'_>, _: PingRequest) -> Result<PingResponse> {
    Ok(PingResponse {})
}
