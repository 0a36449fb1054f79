//! What nodes and the rekey worker need of a key server, whoever it is.
//!
//! A vault keeps external master keys. It knows keys by the cluster's `keyID` alone, and every
//! call names the node on whose behalf it is made, because each node has its own session. A vault
//! decides nothing: it does not retry, raises no fault and touches no ledger.

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

/// How one key server is reached, and what the cluster shows there.
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

/// On whose behalf, and where, a vault is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlace {
    /// The node whose session is used.
    pub node_id: NodeId,
    /// The servers that hold the same keys, tried in order.
    pub servers: Vec<KeyServerAccess>,
}

/// Why a vault did not do it: the sub-kind of Element's `kmipServerFault`, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct VaultError {
    /// Which sub-kind.
    pub fault: KmipServerFault,
    /// What was wrong and what to do, for people. It holds no secret.
    pub sentence: String,
}

impl VaultError {
    /// No server could be reached.
    pub(crate) fn connection(sentence: impl Into<String>) -> Self {
        Self { fault: KmipServerFault::ConnectionFailure, sentence: sentence.into() }
    }

    /// The server and the cluster do not trust each other.
    pub(crate) fn authentication(sentence: impl Into<String>) -> Self {
        Self { fault: KmipServerFault::AuthenticationFailure, sentence: sentence.into() }
    }

    /// The server was reached and did not do what it should.
    pub(crate) fn server(sentence: impl Into<String>) -> Self {
        Self { fault: KmipServerFault::ServerError, sentence: sentence.into() }
    }
}

/// A vault's answer, once it is there.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, VaultError>> + Send + 'a>>;

/// A keeper of external master keys. Every verb may be asked again after a crash or a lost answer.
pub trait KeyVault: Send + Sync {
    /// Proves that the place can be used: reached, trusted both ways, and answering.
    fn test<'a>(&'a self, place: &'a KeyPlace) -> Answer<'a, ()>;

    /// Finds the key by its `keyID`, or makes it. However often and however late this is asked,
    /// there is one key of this `keyID`.
    fn ensure<'a>(&'a self, place: &'a KeyPlace, key_id: KeyId) -> Answer<'a, ()>;

    /// The key's bytes, for this node.
    fn fetch<'a>(&'a self, place: &'a KeyPlace, key_id: KeyId) -> Answer<'a, MasterKey>;

    /// Revokes and destroys the key; it is no error if it is not there.
    fn destroy<'a>(&'a self, place: &'a KeyPlace, key: &'a RetiredKey) -> Answer<'a, ()>;
}
