//! 1.4, 4.26; 2.1, 6.1.16: the versions that both sides speak, in the server's order of preference:
//! the newest first, and each once.

use kmip::Version;
use kmip::payload::{DiscoverVersionsRequest, DiscoverVersionsResponse};

use crate::keystore::Context;
use crate::objects::error::Result;

pub(super) async fn discover_versions(
    _: &mut Context<'_>,
    request: DiscoverVersionsRequest,
) -> Result<DiscoverVersionsResponse> {
    let asked = &request.protocol_versions;
    let is_asked = |version: &&Version| asked.is_empty() || asked.contains(version);
    let protocol_versions = Version::SERVED.iter().filter(is_asked).copied().collect();
    Ok(DiscoverVersionsResponse { protocol_versions })
}
