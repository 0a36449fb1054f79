//! Discover Versions (1.4, 4.26; 2.1, 6.1.16; since 1.1): the versions that both sides speak.

use crate::macros::structure;
use crate::version::Version;

structure! {
    /// The versions that the client speaks, the dearest first; none to ask for all
    /// (1.4, 4.26; 2.1, 6.1.16).
    #[derive(Default)]
    DiscoverVersionsRequest {
        /// The versions.
        ProtocolVersion => protocol_versions: Vec<Version>,
    }
}

structure! {
    /// Those of them that the server speaks, in the order of the request; or all of the server's,
    /// the newest first (1.4, 4.26; 2.1, 6.1.16).
    DiscoverVersionsResponse {
        /// The versions.
        ProtocolVersion => protocol_versions: Vec<Version>,
    }
}
