//! Client of the key servers that hold external master keys.
//!
//! [`KeyServerClient`] knows keys by the cluster's `keyID` only, and every call names the node that
//! makes it, because each node has its own session. It does not retry, raises no fault and touches
//! no ledger.

pub(crate) mod certificate_checks;
pub(crate) mod client_key_pair;
#[cfg(test)]
pub(crate) mod in_memory;
pub(crate) mod kmip_client;
pub(crate) mod message_trace;

use crate::crypto::master_key::MasterKey;
use crate::state::faults::KmipServerFault;
use crate::state::key_ring::{KeyId, NodeId, RetiredKey};
use crate::state::key_server_registry::{KeyServerId, KeyServerKmip};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use zeroize::Zeroizing;

/// Address of one key server, and the credentials of the cluster there.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyServerAccess {
    /// Element's id of the server.
    pub key_server_id: KeyServerId,
    /// Its names, port and certificates.
    pub server: KeyServerKmip,
    /// The private key of the client certificate, PEM.
    pub client_key: Zeroizing<String>,
}

impl fmt::Debug for KeyServerAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyServerAccess")
            .field("key_server_id", &self.key_server_id)
            .field("hostnames", &self.server.hostnames)
            .field("port", &self.server.port)
            .finish_non_exhaustive()
    }
}

/// Key servers that hold the same keys, as one node reaches them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProviderAccess {
    /// The node whose session is used.
    pub node_id: NodeId,
    /// The servers that hold the same keys, tried in order.
    pub servers: Vec<KeyServerAccess>,
}

/// Failure of a key server: the kind of Element's `kmipServerFault`, and a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeyServerError {
    /// The kind.
    pub fault: KmipServerFault,
    /// What was wrong and what to do, for people. It holds no secret.
    pub message: String,
}

impl KeyServerError {
    /// No server could be reached.
    pub(crate) fn connection(message: impl Into<String>) -> Self {
        Self { fault: KmipServerFault::ConnectionFailure, message: message.into() }
    }

    /// The server and the cluster do not trust each other.
    pub(crate) fn authentication(message: impl Into<String>) -> Self {
        Self { fault: KmipServerFault::AuthenticationFailure, message: message.into() }
    }

    /// The server was reached and did not do what it should.
    pub(crate) fn server(message: impl Into<String>) -> Self {
        Self { fault: KmipServerFault::ServerError, message: message.into() }
    }
}

/// Result of a call to a key server, once it is there.
pub type KeyServerFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, KeyServerError>> + Send + 'a>>;

/// Client of key servers. Every call may be repeated after a crash or a lost response.
pub trait KeyServerClient: Send + Sync {
    /// Tests that the key servers can be used: reached, trusted both ways, and answering.
    fn test<'a>(&'a self, provider: &'a KeyProviderAccess) -> KeyServerFuture<'a, ()>;

    /// Finds the key by its `keyID`, or creates it. However often and however late this is called,
    /// there is one key of this `keyID`.
    fn ensure<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
    ) -> KeyServerFuture<'a, ()>;

    /// Returns the key, for this node.
    fn fetch<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
    ) -> KeyServerFuture<'a, MasterKey>;

    /// Revokes and destroys the key; it is no error if it is not there.
    fn destroy<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key: &'a RetiredKey,
    ) -> KeyServerFuture<'a, ()>;
}
