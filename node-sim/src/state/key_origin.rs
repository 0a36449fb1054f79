//! Origin of an external master key: a section of the key ring. It is in the ledger before anybody
//! is asked to create the key.

use serde::{Deserialize, Serialize};

/// Host that is asked to create an external master key, and as which client. No other host, and no
/// other client, ever is; and a key server shows a key only to the client that owns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyOrigin {
    /// The host, as `host:port`.
    pub host: String,
    /// SHA-256 of the client certificate, in hexadecimal; absent if it is unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_certificate: Option<String>,
}
