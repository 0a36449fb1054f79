//! 1.4, 4.26; 2.1, 6.1.16: the versions that both sides speak, in the client's order.

use kmip::Version;
use kmip::payload::{DiscoverVersionsRequest, DiscoverVersionsResponse};

use crate::keystore::Context;
use crate::objects::error::Result;

pub(super) async fn discover_versions(
    _: &mut Context<'_>,
    request: DiscoverVersionsRequest,
) -> Result<DiscoverVersionsResponse> {
    let asked = &request.protocol_versions;
    let protocol_versions = match asked.is_empty() {
        true => Version::SERVED.to_vec(),
        false => asked.iter().filter(|v| Version::SERVED.contains(v)).copied().collect(),
    };
    Ok(DiscoverVersionsResponse { protocol_versions })
}
